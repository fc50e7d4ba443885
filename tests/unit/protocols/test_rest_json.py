"""rest-json: the parts of requests, and results from every part of a response."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from typing import Any
from unittest import mock

import pytest

from tests.support.tiny_model import list_of, map_of, operation, service, structure
from tornado_aws.exceptions import ParamValidationError, ResponseParserError
from tornado_aws.model import Operation
from tornado_aws.protocols import HTTPParts
from tornado_aws.protocols import rest_json as protocol
from tornado_aws.transport import Headers, Response

SHAPES = {
    "Body": structure({"name": "string", "At": {"shape": "timestamp", "locationName": "at"}}),
    "Choice": structure({"A": "string", "B": "string"}, union=True),
    "Free": {"type": "structure", "members": {}, "document": True},
    "Map": map_of("string"),
    "Numbers": list_of("integer"),
    "Stream": {"type": "blob", "streaming": True},
}
HTTP = {"method": "PUT", "requestUri": "/things/{id}"}
ID = {"shape": "string", "location": "uri", "locationName": "id"}
TYPE = {"shape": "string", "location": "header", "locationName": "content-type"}


def sending(members: dict[str, Any], **input_traits: Any) -> Operation:
    """Return an operation with an `Id` in its path."""
    return operation({"Id": ID, **members}, shapes=SHAPES, input_traits=input_traits, http=HTTP)


def sent(subject: Operation, **params: Any) -> HTTPParts:
    """Return the parts of a request."""
    return protocol.serializer(subject)({"Id": "i", **params})


def test_the_parts_of_a_request() -> None:
    """Each parameter has its place, and what has none is JSON."""
    subject = sending(
        {
            "Name": {"shape": "string", "locationName": "name"},
            "Limit": {"shape": "integer", "location": "querystring", "locationName": "limit"},
            "Owner": {"shape": "string", "location": "header", "locationName": "x-owner"},
        }
    )
    assert sent(subject, Name="n", Limit=5, Owner="me") == HTTPParts(
        "PUT",
        "/things/i",
        "limit=5",
        [("x-owner", "me"), ("Content-Type", "application/json")],
        b'{"name":"n"}',
        "",
        None,
    )


@pytest.mark.parametrize(
    ("members", "traits", "body"),
    [
        ({"Name": "string"}, {}, b"{}"),
        ({}, {}, None),
        ({"Payload": "Body"}, {"payload": "Payload"}, b"{}"),
        ({"Payload": "Stream"}, {"payload": "Payload"}, None),
        ({"Payload": "string"}, {"payload": "Payload"}, None),
    ],
)
def test_bodies_of_nothing(members: Any, traits: Any, body: bytes | None) -> None:
    """An empty object where a body is modelled, nothing where none is, or where it is raw."""
    parts = sent(sending(members, **traits))
    assert parts.body == body
    assert [name for name, _ in parts.headers] == (["Content-Type"] if body else [])


def test_operations_without_input_send_nothing() -> None:
    """There is neither a body nor a header."""
    subject = operation(http={"method": "GET", "requestUri": "/all?x=1"})
    assert protocol.serializer(subject)({}) == HTTPParts("GET", "/all", "x=1", [], None)


@pytest.mark.parametrize(
    ("shape", "value", "body"),
    [
        ("Body", {"name": "n", "At": 5}, b'{"name":"n","at":5}'),
        ("Body", {}, b"{}"),
        ("Choice", {"A": "x"}, b'{"A":"x"}'),
        ("Free", {"a": [None]}, b'{"a":[null]}'),
        ("Free", "text", b'"text"'),
        ("Numbers", [1, 2], b"[1,2]"),
        ("Map", {"a": "b"}, b'{"a":"b"}'),
    ],
)
def test_structured_payloads_are_the_body(shape: str, value: Any, body: bytes) -> None:
    """The member that is the payload is the whole body, without its own name."""
    parts = sent(sending({"Payload": shape}, payload="Payload"), Payload=value)
    assert (parts.body, parts.headers) == (body, [("Content-Type", "application/json")])


@pytest.mark.parametrize(
    ("shape", "value", "body"),
    [
        ("blob", b"\x00", b"\x00"),
        ("blob", bytearray(b"x"), b"x"),
        ("blob", memoryview(b"x"), b"x"),
        ("blob", "ü", b"\xc3\xbc"),
        ("Stream", b"x", b"x"),
        ("Stream", "ü", b"\xc3\xbc"),
        ("string", "text", b"text"),
    ],
)
def test_raw_payloads_are_the_body_as_they_are(shape: str, value: Any, body: bytes) -> None:
    """Bytes and text are sent as they stand, without a content type of ours."""
    parts = sent(sending({"Payload": shape}, payload="Payload"), Payload=value)
    assert (parts.body, parts.headers) == (body, [])
    assert isinstance(parts.body, bytes)


def test_streams_pass_through() -> None:
    """What is sent while it is read is handed on untouched."""

    async def chunks() -> AsyncIterator[bytes]:
        yield b"x"

    stream = chunks()
    file: Any = io.BytesIO(b"file")
    parts = sent(sending({"Payload": "Stream"}, payload="Payload"), Payload=stream)
    assert parts.body is stream
    assert sent(sending({"Payload": "blob"}, payload="Payload"), Payload=file).body is file


def test_a_content_type_of_the_callers_stays() -> None:
    """A parameter that is the content type keeps ours away, whatever its case."""
    subject = sending({"Type": TYPE, "Payload": "Body"}, payload="Payload")
    assert sent(subject, Type="application/x", Payload={}).headers == [
        ("content-type", "application/x")
    ]


def test_a_missing_label_is_a_clear_error() -> None:
    """Without validation, too, a path cannot be made without its labels."""
    with pytest.raises(ParamValidationError, match="'Id' is missing"):
        protocol.serializer(sending({}))({})


def received(
    members: dict[str, Any],
    body: bytes,
    headers: Headers | None = None,
    status: int = 200,
    **output_traits: Any,
) -> dict[str, Any]:
    """Return the result of a response."""
    subject = operation(None, members, shapes=SHAPES, output_traits=output_traits)
    return protocol.parser(subject)(Response(status, "OK", headers or [], body))


def test_results_come_from_every_part() -> None:
    """Status, headers and body together are the result."""
    members = {
        "Status": {"shape": "integer", "location": "statusCode"},
        "Tag": {"shape": "string", "location": "header", "locationName": "ETag"},
        "Name": {"shape": "string", "locationName": "name"},
        "Inner": {"shape": "Body", "locationName": "inner"},
    }
    body = b'{"name":"n","inner":{"name":"m","at":0,"x":1},"Name":"no"}'
    result = received(members, body, [("etag", '"t"')], 201)
    assert result["Inner"].pop("At").year == 1970
    assert result == {"Status": 201, "Tag": '"t"', "Name": "n", "Inner": {"name": "m"}}


@pytest.mark.parametrize(
    ("shape", "json", "value"),
    [
        ("integer", b'"5"', 5),
        ("integer", b"5.0", 5),
        ("integer", b"5.5", 5),
        ("long", b"123456789012345678901234567890", 123456789012345678901234567890),
        ("double", b'"1.5"', 1.5),
        ("double", b"1", 1.0),
        ("double", b'"Infinity"', float("inf")),
        ("boolean", b'"True"', True),
        ("boolean", b'"no"', False),
        ("boolean", b"false", False),
        ("string", b"5", 5),
        ("Numbers", b'["1", 2, null]', [1, 2, None]),
        ("Free", b"[null]", [None]),
        ("Choice", b'{"C":1}', {"SDK_UNKNOWN_MEMBER": {"name": "C"}}),
    ],
)
def test_numbers_and_booleans_may_be_text(shape: str, json: bytes, value: Any) -> None:
    """Values are of the model's type even when the service sent them as text."""
    result = received({"X": shape}, b'{"X":' + json + b"}")
    assert result == {"X": value}
    assert type(result["X"]) is type(value)


def test_nan_may_be_text() -> None:
    """NaN has no number in JSON."""
    value = received({"X": "double"}, b'{"X":"NaN"}')["X"]
    assert value != value


def test_structured_payloads_of_results() -> None:
    """The whole body is the member; an empty body an empty one; a union then has none."""
    assert received({"P": "Body"}, b'{"name":"n"}', payload="P") == {"P": {"name": "n"}}
    assert received({"P": "Body"}, b"", payload="P") == {"P": {}}
    assert received({"P": "Choice"}, b"", payload="P") == {}
    assert received({"P": "Choice"}, b'{"A":"x"}', payload="P") == {"P": {"A": "x"}}
    assert received({"P": "Free"}, b"[1]", payload="P") == {"P": [1]}


def test_raw_payloads_of_results() -> None:
    """Bytes stay bytes and text is decoded; a stream is handed out untouched."""
    assert received({"P": "blob"}, b"\xff", payload="P") == {"P": b"\xff"}
    assert received({"P": "string"}, b"\xc3\xbc", payload="P") == {"P": "ü"}
    stream: Any = object()
    subject = operation(None, {"P": "Stream"}, shapes=SHAPES, output_traits={"payload": "P"})
    response = Response(200, "OK", [], b"", stream)
    assert protocol.parser(subject)(response) == {"P": stream}


def test_a_text_that_is_not_utf_8_is_a_clear_error() -> None:
    """It is not a `UnicodeDecodeError` of Python's own."""
    with pytest.raises(ResponseParserError, match="it is not UTF-8"):
        received({"P": "string"}, b"\xff", payload="P")


def test_a_body_that_nothing_is_read_from_may_be_anything() -> None:
    """Results without members in the body, and without members at all."""
    members = {"Tag": {"shape": "string", "location": "header"}}
    assert received(members, b"<html>") == {}
    assert protocol.parser(operation())(Response(204, "", [], b"<html>")) == {}


def test_a_body_that_is_not_json_is_a_clear_error() -> None:
    """The error has the response."""
    with pytest.raises(ResponseParserError, match="Expecting value") as caught:
        received({"X": "string"}, b"<html>")
    assert caught.value.response.body == b"<html>"


def test_members_of_errors_come_from_headers_too() -> None:
    """An error's members are where the model says; a strange body is no error."""
    retry = {"shape": "integer", "location": "header", "locationName": "Retry-After"}
    model = service({"Slow": structure({"message": "string", "After": retry}, exception=True)}, {})
    parse = protocol.error_parser(model)
    headers = [("retry-after", "7")]
    body = b'{"message":"wait"}'
    assert parse(Response(429, "", headers, body), "Slow") == {"message": "wait", "After": 7}
    assert parse(Response(429, "", headers, b"<html>"), "Slow") == {}
    assert parse(Response(429, "", headers, body), "Fast") == {}


def test_tokens_are_made_up() -> None:
    """A missing idempotency token is sent, wherever its place is."""
    token = {"shape": "string", "idempotencyToken": True}
    subject = sending({"Token": token, "Other": {**token, "location": "header"}})
    with mock.patch("uuid.uuid4", return_value="made-up"):
        parts = sent(subject)
    assert (parts.body, parts.headers[0]) == (b'{"Token":"made-up"}', ("Other", "made-up"))
