"""json 1.0 and 1.1."""

from __future__ import annotations

import json
import threading
import uuid
from collections import UserDict
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from unittest import mock

import pytest

from tests.support.tiny_model import list_of, map_of, operation, service, structure
from tornado_aws.exceptions import (
    ParamValidationError,
    ResponseParserError,
    UnsupportedOperationError,
)
from tornado_aws.protocols import HTTPParts, json_body
from tornado_aws.protocols import json as protocol
from tornado_aws.transport import Response

MOMENT = datetime(2014, 4, 29, 18, 30, 38, tzinfo=UTC)
SHAPES = {
    "Value": structure(
        {"S": "string", "N": "string", "B": "blob", "BS": "Blobs", "L": "Values", "M": "Attributes"}
    ),
    "Values": list_of("Value"),
    "Blobs": list_of("blob"),
    "Attributes": map_of("Value"),
    "Choice": structure({"A": "string", "B": "integer", "T": "timestamp"}, union=True),
    "Choices": list_of("Choice"),
    "Free": {"type": "structure", "members": {}, "document": True},
    "Times": map_of("timestamp"),
    "Sparse": list_of("string", sparse=True),
    "SparseTimes": list_of("timestamp", sparse=True),
    "Floats": list_of("double"),
}
MEMBERS: dict[str, Any] = {
    "Text": "string",
    "Number": "integer",
    "Float": "double",
    "Floats": "Floats",
    "Flag": "boolean",
    "Data": "blob",
    "At": "timestamp",
    "AtText": {"shape": "timestamp", "timestampFormat": "iso8601"},
    "AtMail": {"shape": "timestamp", "timestampFormat": "rfc822"},
    "Item": "Attributes",
    "Choice": "Choice",
    "Choices": "Choices",
    "Free": "Free",
    "Times": "Times",
    "Sparse": "Sparse",
    "SparseTimes": "SparseTimes",
    "Other": {"shape": "string", "locationName": "onTheWire"},
}


class Color(StrEnum):
    """Text with names."""

    RED = "red"


class Text(str):
    """A text of somebody's own."""

    __slots__ = ()


def written(params: dict[str, Any]) -> Any:
    """Return the JSON that is sent."""
    parts = protocol.serializer(operation(MEMBERS, shapes=SHAPES))(params)
    assert isinstance(parts.body, bytes)
    return json.loads(parts.body)


def read(body: bytes | object) -> dict[str, Any]:
    """Return what is understood of a body, and check that every way understands the same."""
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    subject = operation(None, MEMBERS, shapes=SHAPES)
    assert subject.output is not None
    parse, response = protocol.parser(subject), Response(200, "OK", [], body)
    result = parse(response)
    finish_decoders()
    assert parse(response) == result
    if body:
        assert json_body.plain_decoder(subject.output)(body) == result
    return result


def finish_decoders() -> None:
    """Wait until the decoders are made that were asked for."""
    for thread in threading.enumerate():
        if thread.name == json_body._MAKER:
            thread.join()


def test_the_parts_of_a_request() -> None:
    """Everything is a POST to the root, the operation's name is a header."""
    parts = protocol.serializer(operation({"Text": "string"}))({"Text": "x"})
    assert parts == HTTPParts(
        "POST",
        "/",
        "",
        [("X-Amz-Target", "Tiny_20260101.Try"), ("Content-Type", "application/x-amz-json-1.1")],
        b'{"Text":"x"}',
        "",
        None,
    )


def test_an_operation_without_input_sends_an_empty_object() -> None:
    """The body is never empty."""
    assert protocol.serializer(operation())({}).body == b"{}"


def test_services_that_spoke_query_are_told() -> None:
    """They then answer with their old error codes."""
    metadata = {"awsQueryCompatible": {}, "jsonVersion": "1.0"}
    headers = protocol.serializer(operation({}, metadata=metadata))({}).headers
    assert ("x-amzn-query-mode", "true") in headers
    assert ("Content-Type", "application/x-amz-json-1.0") in headers


def test_headers_are_not_shared_between_requests() -> None:
    """Who adds a header to one request does not add it to the next."""
    serialize = protocol.serializer(operation({}))
    serialize({}).headers.append(("X", "y"))
    assert len(serialize({}).headers) == 2


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"Text": "grüße 🚀"}, None),
        ({"Text": ""}, None),
        ({"Text": Color.RED}, {"Text": "red"}),
        ({"Text": Text("own")}, {"Text": "own"}),
        ({"Number": 2**70}, None),
        ({"Number": 0, "Flag": False}, None),
        ({"Float": 1.5}, None),
        ({"Float": Decimal("0.1")}, {"Float": 0.1}),
        ({"Float": float("nan")}, {"Float": "NaN"}),
        ({"Floats": [1, float("inf"), float("-inf")]}, {"Floats": [1, "Infinity", "-Infinity"]}),
        ({"Data": b"\x00\xff"}, {"Data": "AP8="}),
        ({"Data": "ü"}, {"Data": "w7w="}),
        ({"Data": bytearray(b"x")}, {"Data": "eA=="}),
        ({"Data": memoryview(b"x")}, {"Data": "eA=="}),
        ({"At": MOMENT}, {"At": 1398796238}),
        ({"At": MOMENT.replace(microsecond=123456)}, {"At": 1398796238.123456}),
        ({"At": MOMENT.replace(tzinfo=None)}, {"At": 1398796238}),
        ({"At": "2014-04-29T18:30:38Z"}, {"At": 1398796238}),
        ({"At": 1.5}, {"At": 1.5}),
        ({"AtText": MOMENT}, {"AtText": "2014-04-29T18:30:38Z"}),
        ({"AtMail": MOMENT}, {"AtMail": "Tue, 29 Apr 2014 18:30:38 GMT"}),
        ({"Times": {"a": MOMENT}}, {"Times": {"a": 1398796238}}),
        ({"Sparse": ["a", None]}, None),
        ({"SparseTimes": [None, MOMENT]}, {"SparseTimes": [None, 1398796238]}),
        (
            {"Item": {"a": {"L": [{"B": b"x"}, {"M": {"k": {"BS": ["y", b"z"]}}}]}}},
            {"Item": {"a": {"L": [{"B": "eA=="}, {"M": {"k": {"BS": ["eQ==", "eg=="]}}}]}}},
        ),
        ({"Item": UserDict(a={"S": "x"})}, {"Item": {"a": {"S": "x"}}}),
        ({"Choice": {"T": MOMENT}}, {"Choice": {"T": 1398796238}}),
        ({"Free": {"a": [1, None, {"b": 2.5}]}}, None),
        ({"Other": "x"}, {"onTheWire": "x"}),
        ({"Item": {}, "Floats": []}, None),
    ],
    ids=repr,
)
def test_parameters_become_json(params: dict[str, Any], expected: Any) -> None:
    """Every type is written as the services want it; None: as it is."""
    assert written(params) == (params if expected is None else expected)


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        (
            {"Item": {"a": {"B": b"x", "L": [{"S": "y"}]}}},
            {"Item": {"a": {"B": "eA==", "L": [{"S": "y"}]}}},
        ),
        ({"Item": {"a": {"B": "x"}}}, {"Item": {"a": {"B": "eA=="}}}),
        ({"Float": 1.5, "Floats": [1]}, None),
        ({"Float": float("inf")}, {"Float": "Infinity"}),
        ({"At": MOMENT, "Text": ""}, {"At": 1398796238, "Text": ""}),
        ({"Text": UserDict(a=1)}, {"Text": {"a": 1}}),
    ],
    ids=repr,
)
def test_plain_parameters_are_written_without_a_walk(params: Any, expected: Any) -> None:
    """Where no member is renamed, values that need nothing go straight to the encoder."""
    members = {name: use for name, use in MEMBERS.items() if name != "Other"}
    body = protocol.serializer(operation(members, shapes=SHAPES))(params).body
    assert isinstance(body, bytes)
    assert json.loads(body) == (params if expected is None else expected)


def test_tokens_are_made_up() -> None:
    """A missing idempotency token is sent, a given one stays."""
    serialize = protocol.serializer(
        operation({"Token": {"shape": "string", "idempotencyToken": True}})
    )
    with mock.patch("uuid.uuid4", return_value=uuid.UUID(int=1)):
        assert serialize({}).body == b'{"Token":"00000000-0000-0000-0000-000000000001"}'
    assert serialize({"Token": "mine"}).body == b'{"Token":"mine"}'


def test_the_host_prefix_is_a_part() -> None:
    """The prefix goes with the request, for who makes the host name."""
    subject = operation({"Text": "string"}, endpoint={"hostPrefix": "streaming-"})
    assert protocol.serializer(subject)({}).host_prefix == "streaming-"


def test_what_cannot_be_written_is_a_clear_error() -> None:
    """Lone surrogates and bottomless values are errors of this library, whatever was validated."""
    with pytest.raises(ParamValidationError, match="lone surrogate"):
        written({"Text": "\ud800"})
    value: dict[str, Any] = {}
    for _ in range(10_000):
        value = {"L": [value]}
    with pytest.raises(ParamValidationError, match="nested too deeply"):
        written({"Item": {"a": value}})
    with pytest.raises(ParamValidationError, match="a object is not a blob"):
        written({"Data": object()})
    with pytest.raises(ParamValidationError, match="a object has no form in JSON"):
        written({"Text": object()})


def test_unknown_parameters_are_sent_when_nobody_validates() -> None:
    """Without validation, a parameter that the model does not know yet goes out as it is."""
    assert written({"Future": [1], "Data": b""}) == {"Future": [1], "Data": ""}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({}, None),
        ({"Text": "grüße", "Number": 7, "Flag": False, "Float": 1.5}, None),
        ({"Unknown": {"a": [None]}, "Text": ""}, {"Text": ""}),
        ({"Text": None, "Number": 5}, {"Number": 5}),
        ({"Text": 5, "Number": "5", "Flag": "true", "Float": "NaN"}, None),
        ({"Number": 1.5, "Float": 2**70}, None),
        ({"Data": "AP8="}, {"Data": b"\x00\xff"}),
        ({"Data": "null"}, {"Data": b"\x9e\xe9e"}),
        ({"Data": "null", "Text": "null", "Flag": None}, {"Data": b"\x9e\xe9e", "Text": "null"}),
        (
            {"Item": {"a": {"S": None, "M": {"b": {"N": None, "L": [None, {"S": None}]}}}}},
            {"Item": {"a": {"M": {"b": {"L": [None, {}]}}}}},
        ),
        (
            {"Item": {"a": None, "b": {"BS": [None, "eA=="]}}, "Choices": [None]},
            {"Item": {"a": None, "b": {"BS": [None, b"x"]}}, "Choices": [None]},
        ),
        ({"Choice": {"A": None, "B": 1}, "onTheWire": None}, {"Choice": {"B": 1}}),
        ({"Data": "A P8="}, {"Data": b"\x00\xff"}),
        ({"At": 1398796238}, {"At": MOMENT}),
        ({"At": 1398796238.5}, {"At": MOMENT.replace(microsecond=500000)}),
        ({"At": "1398796238"}, {"At": MOMENT}),
        ({"At": "2014-04-29T18:30:38"}, {"At": MOMENT}),
        ({"At": "2014-04-29T18:30:38Z"}, {"At": MOMENT}),
        ({"At": "2014-04-30T00:00:38+05:30"}, {"At": MOMENT}),
        ({"At": "Tue, 29 Apr 2014 18:30:38 GMT"}, {"At": MOMENT}),
        ({"AtText": "2014-04-30T00:00:38+05:30"}, {"AtText": MOMENT}),
        ({"AtText": 1398796238}, {"AtText": MOMENT}),
        ({"AtMail": "Tue, 29 Apr 2014 18:30:38 GMT"}, {"AtMail": MOMENT}),
        (
            {"Times": {"a": 0, "b": None}},
            {"Times": {"a": datetime(1970, 1, 1, tzinfo=UTC), "b": None}},
        ),
        ({"Sparse": ["a", None]}, None),
        ({"SparseTimes": [None, 1398796238]}, {"SparseTimes": [None, MOMENT]}),
        ({"Floats": [1, 1.5, None]}, None),
        (
            {"Item": {"a": {"L": [{"B": "eA=="}, {"M": {"k": {"BS": ["eQ=="]}}}]}}},
            {"Item": {"a": {"L": [{"B": b"x"}, {"M": {"k": {"BS": [b"y"]}}}]}}},
        ),
        ({"Free": {"a": [1, None, {"At": 5}]}}, None),
        ({"Free": None, "Text": ""}, {"Text": ""}),
        ({"Choice": {"B": 1}}, None),
        ({"Choice": {"B": 1, "A": None, "__type": "x"}}, {"Choice": {"B": 1}}),
        ({"Choice": {"T": 1398796238}}, {"Choice": {"T": MOMENT}}),
        ({"Choice": {"Z": 1}}, {"Choice": {"SDK_UNKNOWN_MEMBER": {"name": "Z"}}}),
        (
            {"Choices": [{"A": ""}, {"Z": {}}]},
            {"Choices": [{"A": ""}, {"SDK_UNKNOWN_MEMBER": {"name": "Z"}}]},
        ),
        ({"onTheWire": "x", "Other": "y"}, {"Other": "x"}),
        (b"", {}),
        (b'{"Text": "\\ud800"}', {"Text": "\ud800"}),
        (b'{"Float": 1e999}', {"Float": float("inf")}),
        (b' {"Text"\n:\t"x"} ', {"Text": "x"}),
    ],
    ids=repr,
)
def test_answers_become_results(answer: Any, expected: Any) -> None:
    """Every type is read as botocore reads it, the quick way and the plain one; None: as it is."""
    assert read(answer) == (answer if expected is None else expected)


def test_times_are_aware_and_in_utc() -> None:
    """A moment that names no zone, or that is in the model's own format, is in UTC."""
    for answer in ({"At": 1}, {"At": "2014-04-29T18:30:38"}, {"AtText": "2014-01-01T00:00+02:00"}):
        (moment,) = read(answer).values()
        assert moment.tzinfo is UTC


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"<html>no</html>", "Expecting value"),
        (b"\xff\xfe", "it is not UTF-8"),
        (b'{"Text": "x"', "Expecting ',' delimiter"),
        (b"[]", "TryOutput must be an object, not list"),
        (b"null", "TryOutput must be an object, not NoneType"),
        (b'{"Item": {"a": []}}', "Value must be an object, not list"),
        (b'{"Item": 5}', "has no attribute 'items'"),
        (b'{"Floats": 5}', "not iterable"),
        (b'{"At": "yesterday"}', "'yesterday' is not a timestamp"),
        (b'{"Data": "A"}', "base64"),
        (b'{"Choice": {}}', "the union Choice has 0 members set, not one"),
        (b'{"Choice": {"A": "", "B": 1}}', "the union Choice has 2 members set, not one"),
        (b'{"Item":' + b'{"a":{"L":[' * 100_000, r"nested too deeply|Expecting"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_what_is_not_understood_is_a_clear_error(body: bytes, reason: str) -> None:
    """The error says what is wrong and has the response."""
    with pytest.raises(ResponseParserError, match=reason) as caught:
        read(body)
    assert caught.value.response.body == body


def test_an_operation_without_output_does_not_look_at_the_body() -> None:
    """Whatever a service sends then is no error."""
    assert protocol.parser(operation())(Response(200, "OK", [], b"<html>")) == {}


def test_deep_values_are_read() -> None:
    """A hundred levels of values within values are no trouble."""
    value: dict[str, Any] = {"S": "x"}
    for _ in range(100):
        value = {"L": [value]}
    assert read({"Item": {"a": value}}) == {"Item": {"a": value}}


def test_large_bodies_are_read_the_same_way() -> None:
    """A body long enough to keep the collector off gives what a short one does."""
    items = {f"key{index}": {"S": "x" * 20, "B": "eA=="} for index in range(1000)}
    result = read({"Item": items})
    assert len(result["Item"]) == 1000
    assert result["Item"]["key999"] == {"S": "x" * 20, "B": b"x"}
    with_null = {"Item": {**items, "last": {"S": None}}}
    assert read(with_null)["Item"] == {**result["Item"], "last": {}}


def test_the_first_null_makes_nobody_wait() -> None:
    """The decoder for nulls is made in another thread, once; meanwhile the plain walk does."""
    subject = operation(None, MEMBERS, shapes=SHAPES)
    response = Response(200, "OK", [], b'{"Text":null,"Number":5}')
    make, released, made = json_body._nullable_decoder, threading.Event(), mock.Mock()

    def made_later(*arguments: Any) -> Any:
        released.wait(10)
        made.side_effect = make(*arguments)
        return made

    with mock.patch.object(json_body, "_nullable_decoder", side_effect=made_later) as maker:
        parse = protocol.parser(subject)
        assert [parse(response) for _ in range(3)] == [{"Number": 5}] * 3
        made.assert_not_called()
        released.set()
        finish_decoders()
        assert parse(response) == {"Number": 5}
    made.assert_called_once()
    maker.assert_called_once()


def test_where_no_thread_can_be_had_nulls_are_read_all_the_same() -> None:
    """As while the interpreter ends."""
    with mock.patch.object(threading.Thread, "start", side_effect=RuntimeError):
        assert read({"Text": None, "Number": 5}) == {"Number": 5}


def test_sending_event_streams_is_refused_when_prepared() -> None:
    """Receiving them is not."""
    shapes = {"Events": {"type": "structure", "members": {}, "eventstream": True}}
    with pytest.raises(UnsupportedOperationError, match="sends events"):
        protocol.serializer(operation({"Events": "Events"}, {}, shapes=shapes))
    receiving = operation({}, {"Events": "Events", "Name": "string"}, shapes=shapes)
    assert protocol.parser(receiving)(Response(200, "OK", [], b'{"Name":"n"}')) == {"Name": "n"}


MODEL = service(
    {
        "Gone": structure({"message": "string", "At": "timestamp"}, exception=True),
        "Old": structure({"Reason": "string"}, exception=True, error={"code": "Svc.Old"}),
        "Plain": structure({"message": "string"}),
    },
    {},
)


@pytest.mark.parametrize(
    ("code", "body", "members"),
    [
        (
            "Gone",
            b'{"__type":"x#Gone","message":"no","At":0,"More":1}',
            {"message": "no", "At": datetime(1970, 1, 1, tzinfo=UTC)},
        ),
        ("Gone", b'{"message":null}', {}),
        ("Gone", b"", {}),
        ("Gone", b"<html>", {}),
        ("Gone", b"[]", {}),
        ("Svc.Old", b'{"Reason":"r"}', {"Reason": "r"}),
        ("Old", b'{"Reason":"r"}', {"Reason": "r"}),
        ("Plain", b'{"message":"no"}', {}),
        ("Unknown", b'{"message":"no"}', {}),
    ],
)
def test_members_of_errors(code: str, body: bytes, members: dict[str, Any]) -> None:
    """A modelled error's members are read, by its code or its name; a strange body is no error."""
    assert protocol.error_parser(MODEL)(Response(400, "", [], body), code) == members
