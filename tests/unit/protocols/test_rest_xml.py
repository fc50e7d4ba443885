"""rest-xml: the parts of requests, and results and errors from every part of a response."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.tiny_model import operation, service, structure
from tornado_aws.exceptions import (
    ParamValidationError,
    ResponseParserError,
)
from tornado_aws.model import Operation
from tornado_aws.protocols import HTTPParts
from tornado_aws.protocols import rest_xml as protocol
from tornado_aws.transport import Headers, Response

SHAPES = {
    "Body": structure({"Name": "string", "Size": "integer"}),
    "Choice": structure({"A": "string", "B": "string"}, union=True),
    "Stream": {"type": "blob", "streaming": True},
    "Map": {"type": "map", "key": {"shape": "string"}, "value": {"shape": "string"}},
    "Node": structure({"Next": "Node"}),
    "Events": structure({"One": "Body"}, eventstream=True),
}
HTTP = {"method": "PUT", "requestUri": "/{Bucket}/{Key+}?tagging"}
BUCKET = {"shape": "string", "location": "uri", "locationName": "Bucket"}
KEY = {"shape": "string", "location": "uri", "locationName": "Key"}


def sent(members: dict[str, Any], params: dict[str, Any], **input_traits: Any) -> HTTPParts:
    """Return the parts of a request to the key ``a/b c``."""
    subject = operation(
        {"Bucket": BUCKET, "Key": KEY, **members},
        shapes=SHAPES,
        input_traits=input_traits,
        http=HTTP,
    )
    return protocol.serializer(subject)({"Bucket": "b", "Key": "a/b c", **params})


def test_the_parts_of_a_request() -> None:
    """Each parameter has its place, and what has none is XML."""
    members = {
        "Owner": {"shape": "string", "location": "header", "locationName": "x-amz-owner"},
        "Meta": {"shape": "Map", "location": "headers", "locationName": "x-amz-meta-"},
        "Max": {"shape": "integer", "location": "querystring", "locationName": "max-keys"},
        "Name": "string",
    }
    params = {"Owner": "me", "Meta": {"Kind": "k"}, "Max": 3, "Name": "n"}
    assert sent(members, params, locationName="Request") == HTTPParts(
        "PUT",
        "/b/a/b%20c",
        "tagging&max-keys=3",
        [("x-amz-owner", "me"), ("x-amz-meta-Kind", "k")],
        b"<Request><Name>n</Name></Request>",
        "",
        None,
    )


def test_no_body_without_members() -> None:
    """Nothing is sent when no parameter has its place in the body."""
    assert sent({"Name": "string"}, {}).body is None
    assert sent({}, {}).body is None


def test_a_structure_as_payload() -> None:
    """The payload is the document, with its own name and namespace."""
    member = {"shape": "Body", "locationName": "Config", "xmlNamespace": {"uri": "urn:x"}}
    parts = sent({"Config": member}, {"Config": {"Size": 1}}, payload="Config")
    assert parts.body == b'<Config xmlns="urn:x"><Size>1</Size></Config>'
    assert sent({"Config": member}, {}, payload="Config").body is None


@pytest.mark.parametrize(
    ("shape", "value", "body"),
    [("Stream", b"\x00", b"\x00"), ("blob", "ü", "ü".encode()), ("string", "ü", "ü".encode())],
)
def test_a_raw_payload(shape: str, value: Any, body: bytes) -> None:
    """Blobs and strings are the body as they are."""
    assert sent({"Body": shape}, {"Body": value}, payload="Body").body == body


def test_parameters_nested_too_deeply_are_refused() -> None:
    """Depth that the interpreter cannot follow is a fault of the parameters, not a crash."""
    value: dict[str, Any] = {}
    for _ in range(100_000):
        value = {"Next": value}
    with pytest.raises(ParamValidationError, match="nested too deeply"):
        sent({"Node": "Node"}, {"Node": value}, locationName="R")


def reading(members: dict[str, Any], **output_traits: Any) -> Operation:
    return operation(None, members, shapes=SHAPES, output_traits=output_traits)


def read(subject: Operation, body: bytes, headers: Headers | None = None) -> dict[str, Any]:
    return protocol.parser(subject)(Response(206, "", headers or [], body))


def test_the_parts_of_a_result() -> None:
    """Members come from the status, from headers, from a header map and from the body."""
    subject = reading(
        {
            "Status": {"shape": "integer", "location": "statusCode"},
            "Flag": {"shape": "boolean", "location": "header", "locationName": "x-flag"},
            "Meta": {"shape": "Map", "location": "headers", "locationName": "x-amz-meta-"},
            "Size": "integer",
        }
    )
    headers = [("X-Flag", "true"), ("X-Amz-Meta-Kind", "k")]
    assert read(subject, b"<R xmlns='urn:x'><Size>1</Size></R>", headers) == {
        "Status": 206,
        "Flag": True,
        "Meta": {"Kind": "k"},
        "Size": 1,
    }


def test_an_empty_body_is_an_empty_result() -> None:
    """Services send nothing where there is nothing to say."""
    assert read(reading({"Size": "integer"}), b"") == {}
    assert read(reading({"Body": "Body"}, payload="Body"), b"") == {"Body": {}}
    assert read(operation(), b"<ignored/>") == {}


def test_a_payload_of_each_kind() -> None:
    """A structure is parsed, a blob is bytes, a string is text."""
    body = b"<Body><Name>n</Name></Body>"
    assert read(reading({"Body": "Body"}, payload="Body"), body) == {"Body": {"Name": "n"}}
    assert read(reading({"Body": "Stream"}, payload="Body"), body) == {"Body": body}
    assert read(reading({"Body": "string"}, payload="Body"), body) == {"Body": body.decode()}


def test_a_stream_is_handed_on() -> None:
    """A body that is still arriving is not touched."""

    class Stream:
        async def read_chunk(self) -> bytes:
            raise AssertionError("nobody may read")

        def close(self) -> None:
            raise AssertionError("nobody may close")

    stream = Stream()
    parse = protocol.parser(reading({"Body": "Stream"}, payload="Body"))
    assert parse(Response(200, "", [], stream=stream))["Body"] is stream


@pytest.mark.parametrize("body", [b"not XML", b"<R>", b"<R><Size>x</Size></R>"])
def test_what_is_not_a_result_is_an_error(body: bytes) -> None:
    """A body that does not fit the model raises the library's error."""
    with pytest.raises(ResponseParserError):
        read(reading({"Size": "integer"}), body)


def test_event_streams_are_left_to_those_who_read_them() -> None:
    """The rest of the result comes from the headers."""
    subject = reading({"Payload": {"shape": "Events"}}, payload="Payload")
    assert protocol.parser(subject)(Response(200, "OK", [], b"not XML")) == {}


FAULT = structure(
    {
        "Name": "string",
        "Wait": {"shape": "integer", "location": "header", "locationName": "x-wait"},
    },
    exception=True,
)
MODEL = service({"KnownFault": FAULT}, {})


def fault(body: bytes, headers: Headers) -> dict[str, Any]:
    return protocol.error_parser(MODEL)(Response(400, "", headers, body), "KnownFault")


def test_members_of_errors() -> None:
    """They come from headers and from either form of the body."""
    for body in (
        b"<Error><Code>KnownFault</Code><Name>n</Name><RequestId>id</RequestId></Error>",
        b"<ErrorResponse xmlns='urn:x'><Error><Name>n</Name></Error></ErrorResponse>",
    ):
        assert fault(body, [("X-Wait", "3")]) == {"Name": "n", "Wait": 3}


def test_malformed_errors_have_the_members_that_can_be_read() -> None:
    """Headers are read without a body, and nothing malformed hides the error itself."""
    assert fault(b"", [("x-wait", "3")]) == {"Wait": 3}
    assert fault(b"<html>", [("x-wait", "soon")]) == {}
