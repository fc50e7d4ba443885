"""The protocols json 1.0 and 1.1: an operation's name in a header, everything else in the body."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tornado_aws.exceptions import ResponseParserError
from tornado_aws.model import Operation, Ref, ServiceModel
from tornado_aws.protocols import (
    ErrorParser,
    EventReader,
    HTTPParts,
    Parser,
    Serializer,
    event_streams,
    guard,
    host_prefix,
    idempotency,
    json_body,
)
from tornado_aws.transport import Headers, Response

__all__ = ["error_parser", "event_reader", "parser", "serializer"]


def serializer(operation: Operation) -> Serializer:
    """Return a function from valid parameters to the parts of a request.

    Raises:
        UnsupportedOperationError: the operation sends an event stream.
    """
    event_streams.refuse(operation)
    headers = _headers(operation)
    expand_prefix = host_prefix.expander(operation)
    fill = idempotency.filler(operation)
    encode = json_body.encoder(operation.input) if operation.input else None

    def serialize(params: Mapping[str, Any]) -> HTTPParts:
        if fill:
            params = fill(params)
        body = encode(params) if encode else b"{}"
        prefix = expand_prefix(params) if expand_prefix else ""
        return HTTPParts(operation.http_method, "/", "", headers.copy(), body, prefix)

    return guard.guarded(operation, serialize)


def _headers(operation: Operation) -> Headers:
    metadata = operation.model.metadata
    headers = [
        ("X-Amz-Target", f"{metadata['targetPrefix']}.{operation.name}"),
        ("Content-Type", f"application/x-amz-json-{metadata['jsonVersion']}"),
    ]
    if "awsQueryCompatible" in metadata:
        headers.append(("x-amzn-query-mode", "true"))
    return headers


def parser(operation: Operation) -> Parser:
    """Return a function from a response to the result."""
    if operation.output is None:
        return lambda _: {}
    return guard.body_reader(json_body.decoder(operation.output))


def event_reader(ref: Ref) -> EventReader:
    """Return a function from an event's payload to a value of `ref`."""
    return json_body.decoder(ref)


def error_parser(model: ServiceModel) -> ErrorParser:
    """Return a function from an error response and its code to the error's own members."""

    def parse(response: Response, code: str) -> dict[str, Any]:
        shape = model.error_shapes.get(code)
        if shape is None or not response.body:
            return {}
        decode: Callable[[bytes], dict[str, Any]] = json_body.plain_decoder(Ref("", shape, {}))
        try:
            return guard.reading(decode, response)
        except ResponseParserError:
            return {}

    return parse
