"""smithy-rpc-v2-cbor."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any
from unittest import mock

import pytest

from tests.support.tiny_model import list_of, map_of, operation, service, structure
from tornado_aws.exceptions import ParamValidationError, ResponseParserError
from tornado_aws.protocols import HTTPParts, cbor
from tornado_aws.protocols import rpc_v2_cbor as protocol
from tornado_aws.transport import Response

MOMENT = datetime(2013, 3, 21, 20, 4, tzinfo=UTC)
SHAPES = {
    "Node": structure({"Name": "string", "Kids": "Nodes", "At": "timestamp"}),
    "Nodes": list_of("Node"),
    "Numbers": map_of("integer"),
    "Sparse": list_of("string", sparse=True),
    "Choice": structure({"A": "string", "B": "integer"}, union=True),
}
MEMBERS = {
    "Node": "Node",
    "Numbers": "Numbers",
    "Sparse": "Sparse",
    "Choice": "Choice",
    "Data": "blob",
    "Float": "float",
    "Double": "double",
    "Flag": "boolean",
    "Long": "long",
}


def test_the_parts_of_a_request() -> None:
    """The operation is in the path, the parameters are CBOR."""
    parts = protocol.serializer(operation({"Name": "string"}))({"Name": "x"})
    assert parts == HTTPParts(
        "POST",
        "/service/Tiny_20260101/operation/Try",
        "",
        [
            ("smithy-protocol", "rpc-v2-cbor"),
            ("Accept", "application/cbor"),
            ("Content-Type", "application/cbor"),
        ],
        bytes.fromhex("a1644e616d656178"),
        "",
        None,
    )


def test_operations_without_input_have_no_body() -> None:
    """Nor a content type; an input without members is an empty map."""
    parts = protocol.serializer(operation())({})
    assert parts.body is None
    assert "Content-Type" not in dict(parts.headers)
    assert protocol.serializer(operation({}))({}).body == b"\xa0"


def test_services_that_spoke_query_are_told() -> None:
    """They then answer with their old error codes."""
    subject = operation(metadata={"awsQueryCompatible": {}})
    assert ("x-amzn-query-mode", "true") in protocol.serializer(subject)({}).headers


@pytest.mark.parametrize(
    "params",
    [
        {"Node": {"Name": "a", "Kids": [{"Name": "b", "At": MOMENT}, {}]}},
        {"Numbers": {"a": 1, "b": -(2**63)}},
        {"Sparse": ["a", None, ""]},
        {"Choice": {"B": 5}},
        {"Data": b"\x00\xff", "Flag": False, "Long": 2**63 - 1},
        {"Double": 0.1, "Float": 0.5},
        {"Double": float("-inf")},
        {},
    ],
    ids=repr,
)
def test_what_is_written_is_read_again(params: dict[str, Any]) -> None:
    """A service that answers with the parameters gives them back."""
    subject = operation(MEMBERS, MEMBERS, shapes=SHAPES)
    body = protocol.serializer(subject)(params).body
    assert isinstance(body, bytes)
    assert protocol.parser(subject)(Response(200, "OK", [], body)) == params


def test_other_forms_of_parameters_are_converted() -> None:
    """Text and files as blobs, times as text, None within a structure left out."""
    subject = operation(MEMBERS, shapes=SHAPES)
    params = {"Data": io.BytesIO(b"x"), "Node": {"At": "2013-03-21T20:04:00Z", "Name": None}}
    body = protocol.serializer(subject)(params).body
    assert isinstance(body, bytes)
    assert cbor.loads(body) == {"Data": b"x", "Node": {"At": MOMENT}}


def test_what_cannot_be_written_is_a_clear_error() -> None:
    """An integer of more than 64 bits, an unknown parameter."""
    serialize = protocol.serializer(operation(MEMBERS, shapes=SHAPES))
    for params, reason in (({"Long": 2**64}, "too big"), ({"Unknown": 1}, "'Unknown' is missing")):
        with pytest.raises(ParamValidationError, match=reason):
            serialize(params)


def read(text: str) -> dict[str, Any]:
    """Return what is understood of a body."""
    subject = operation(None, MEMBERS, shapes=SHAPES)
    return protocol.parser(subject)(Response(200, "OK", [], bytes.fromhex(text)))


def test_results() -> None:
    """Unknown members are left out, null ones too; numbers are times where the model says so."""
    assert read("a2656f7468657280644c6f6e67f6") == {}
    assert read("a1644e6f6465a16241741a514b67b0") == {"Node": {"At": MOMENT}}
    assert read("a16643686f696365a1615a01") == {"Choice": {"SDK_UNKNOWN_MEMBER": {"name": "Z"}}}
    assert read("") == {}
    assert protocol.parser(operation())(Response(200, "OK", [], b"\xff")) == {}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("80", "TryOutput must be a map, not list"),
        ("a1", "CBOR ends"),
        ("a16643686f696365a0", "the union Choice has 0 members set"),
        ("a1644e6f6465a16241746178", "'x' is not a timestamp"),
    ],
)
def test_what_is_not_understood_is_a_clear_error(text: str, reason: str) -> None:
    """The error says what is wrong."""
    with pytest.raises(ResponseParserError, match=reason):
        read(text)


def test_large_bodies_are_read_the_same_way() -> None:
    """A body long enough to keep the collector off gives what a short one does."""
    subject = operation(MEMBERS, MEMBERS, shapes=SHAPES)
    params = {"Node": {"Kids": [{"Name": "x" * 30} for _ in range(1000)]}}
    body = protocol.serializer(subject)(params).body
    assert isinstance(body, bytes)
    assert protocol.parser(subject)(Response(200, "OK", [], body)) == params


def test_members_of_errors() -> None:
    """A modelled error's members are read; a strange body is no error."""
    model = service({"Gone": structure({"message": "string"}, exception=True)}, {})
    parse = protocol.error_parser(model)
    body = bytes.fromhex("a2665f5f7479706564476f6e65676d657373616765626e6f")
    assert parse(Response(400, "", [], body), "Gone") == {"message": "no"}
    assert parse(Response(400, "", [], b"<html>"), "Gone") == {}
    assert parse(Response(400, "", [], body), "Unknown") == {}


def test_tokens_are_made_up() -> None:
    """A missing idempotency token is sent."""
    subject = operation({"Token": {"shape": "string", "idempotencyToken": True}})
    with mock.patch("uuid.uuid4", return_value="made-up"):
        body = protocol.serializer(subject)({}).body
    assert isinstance(body, bytes)
    assert cbor.loads(body) == {"Token": "made-up"}
