"""The protocol rest-xml: parameters in the path, the query and headers, the rest as XML."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Mapping
from typing import Any

from tornado_aws.exceptions import ResponseParserError
from tornado_aws.model import Operation, Ref, ServiceModel, Shape
from tornado_aws.protocols import (
    ErrorParser,
    EventReader,
    HTTPParts,
    Parser,
    Serializer,
    event_streams,
    guard,
    host_prefix,
    http_binding,
    idempotency,
    payloads,
    xml_build,
    xml_parse,
    xml_results,
)
from tornado_aws.protocols.xml_tables import Tables
from tornado_aws.transport import Response

__all__ = ["error_parser", "event_reader", "parser", "serializer"]

Body = bytes | AsyncIterable[bytes] | None


def serializer(operation: Operation) -> Serializer:
    """Return a function from valid parameters to the parts of a request.

    Raises:
        UnsupportedOperationError: the operation sends an event stream.
    """
    event_streams.refuse(operation)
    bind = http_binding.request_binder(operation)
    write_body = _body_writer(operation.input)
    expand_prefix = host_prefix.expander(operation)
    fill = idempotency.filler(operation)

    def serialize(params: Mapping[str, Any]) -> HTTPParts:
        if fill:
            params = fill(params)
        prefix = expand_prefix(params) if expand_prefix else ""
        bound = bind(params)
        body = write_body(bound.body)
        headers = list(bound.headers.items())
        return HTTPParts(operation.http_method, bound.path, bound.query, headers, body, prefix)

    return guard.guarded(operation, serialize)


def parser(operation: Operation) -> Parser:
    """Return a function from a response to the result."""
    if operation.output is None:
        return lambda _: {}
    bind = http_binding.response_binder(operation.output.shape)
    read_body = _body_reader(operation.output)

    def parse(response: Response) -> dict[str, Any]:
        result = bind(response)
        read_body(result, response)
        return result

    return parse


def event_reader(ref: Ref) -> EventReader:
    """Return a function from an event's payload to a value of `ref`."""
    return xml_parse.decoder(Tables().value(ref.shape))


def error_parser(model: ServiceModel) -> ErrorParser:
    """Return a function from an error response and its code to the error's own members."""
    return xml_results.error_parser(model, _forgiving_binder)


def _body_writer(ref: Ref | None) -> Callable[[Mapping[str, Any]], Body]:
    """Return the function from the parameters that are left to a body."""
    if ref is None:
        return lambda _: None
    payload = ref.payload
    if payload is None:
        write_members = xml_build.writer(ref) if http_binding.body_members(ref.shape) else None
        return lambda rest: write_members(rest) if write_members and rest else None
    name = payload.name
    if payloads.is_raw(payload):
        return lambda rest: payloads.write_raw(payload, rest[name]) if name in rest else None
    write = xml_build.writer(payload)
    return lambda rest: write(rest[name]) if name in rest else None


def _body_reader(ref: Ref) -> Callable[[dict[str, Any], Response], None]:
    """Return a function that adds to a result what is in the body."""
    payload = ref.payload
    if payload is None:
        return _members_reader(ref.shape)
    if payload.traits.get("eventstream"):
        return lambda _result, _response: None
    if payloads.is_raw(payload):

        def read_raw(result: dict[str, Any], response: Response) -> None:
            result[payload.name] = payloads.read_raw(payload, response)

        return read_raw
    read = xml_results.body_reader(xml_parse.decoder(Tables().value(payload.shape)))

    def read_payload(result: dict[str, Any], response: Response) -> None:
        empty: dict[str, Any] = {}
        result[payload.name] = read(response) if response.body else empty

    return read_payload


def _members_reader(shape: Shape) -> Callable[[dict[str, Any], Response], None]:
    has_members = any(not http_binding.is_bound(member) for member in shape.members.values())
    read = xml_results.body_reader(xml_parse.decoder(Tables().structure(shape)))

    def read_members(result: dict[str, Any], response: Response) -> None:
        if has_members and response.body:
            result.update(read(response))

    return read_members


def _forgiving_binder(shape: Shape) -> Callable[[Response], dict[str, Any]]:
    """Return a function that reads headers of an error, all or, if one is malformed, none."""
    bind = http_binding.response_binder(shape)

    def read(response: Response) -> dict[str, Any]:
        try:
            return bind(response)
        except ResponseParserError:
            return {}

    return read
