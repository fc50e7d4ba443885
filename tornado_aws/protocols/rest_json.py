"""The protocol rest-json: parameters in the path, the query and headers, the rest as JSON."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Mapping
from typing import Any

from tornado_aws.exceptions import ResponseParserError
from tornado_aws.model import Operation, Ref, ServiceModel
from tornado_aws.protocols import (
    ErrorParser,
    EventReader,
    EventWriter,
    HTTPParts,
    Parser,
    Serializer,
    guard,
    host_prefix,
    http_binding,
    idempotency,
    json_body,
    payloads,
)
from tornado_aws.protocols.walk import Convert
from tornado_aws.transport import Response

__all__ = ["error_parser", "event_reader", "event_writer", "parser", "serializer"]

_CONTENT_TYPE = "Content-Type"

Body = bytes | AsyncIterable[bytes] | None


def serializer(operation: Operation) -> Serializer:
    """Return a function from valid parameters to the parts of a request."""
    bind = http_binding.request_binder(operation)
    write_body, is_json = _body_writer(operation.input)
    expand_prefix = host_prefix.expander(operation)
    fill = idempotency.filler(operation)

    def serialize(params: Mapping[str, Any]) -> HTTPParts:
        if fill:
            params = fill(params)
        prefix = expand_prefix(params) if expand_prefix else ""
        bound = bind(params)
        body = write_body(bound.body)
        headers = list(bound.headers.items())
        if is_json and body and not any(name.lower() == "content-type" for name in bound.headers):
            headers.append((_CONTENT_TYPE, "application/json"))
        return HTTPParts(operation.http_method, bound.path, bound.query, headers, body, prefix)

    return guard.guarded(operation, serialize)


def parser(operation: Operation) -> Parser:
    """Return a function from a response to the result."""
    if operation.output is None:
        return lambda _: {}
    return _reader(operation.output, json_body.decoder)


def event_reader(ref: Ref) -> EventReader:
    """Return a function from an event's payload to a value of `ref`."""
    return json_body.decoder(ref, SCALARS)


def event_writer(ref: Ref) -> EventWriter:
    """Return a function from a value of `ref` to an event's payload."""
    return json_body.encoder(ref)


def error_parser(model: ServiceModel) -> ErrorParser:
    """Return a function from an error response and its code to the error's own members."""

    def parse(response: Response, code: str) -> dict[str, Any]:
        shape = model.error_shapes.get(code)
        if shape is None:
            return {}
        try:
            return _reader(Ref("", shape, {}), json_body.plain_decoder)(response)
        except ResponseParserError:
            return {}

    return parse


def _body_writer(ref: Ref | None) -> tuple[Callable[[Mapping[str, Any]], Body], bool]:
    """Return the function from the parameters that are left to a body, and whether it is JSON."""
    if ref is None:
        return (lambda _: None), False
    payload = ref.payload
    if payload is None:
        return _members_writer(ref), True
    if payload.traits.get("eventstream"):
        return (lambda rest: rest.get(payload.name)), False
    if payloads.is_raw(payload):
        return _raw_writer(payload), False
    return _payload_writer(payload), True


def _members_writer(ref: Ref) -> Callable[[Mapping[str, Any]], Body]:
    encode = json_body.encoder(ref)
    empty = b"{}" if http_binding.body_members(ref.shape) else None
    return lambda members: encode(members) if members else empty


def _raw_writer(payload: Ref) -> Callable[[Mapping[str, Any]], Body]:
    name = payload.name
    return lambda rest: payloads.write_raw(payload, rest[name]) if name in rest else None


def _payload_writer(payload: Ref) -> Callable[[Mapping[str, Any]], Body]:
    name = payload.name
    encode = json_body.encoder(payload)
    return lambda rest: encode(rest[name]) if name in rest else b"{}"


def _reader(ref: Ref, decoder: Callable[[Ref, json_body.Scalars], Convert]) -> Parser:
    """Return a function from a response to the members of a structure, wherever they are."""
    members = ref.shape.members.values()
    if members and ref.payload is None and not any(map(http_binding.is_bound, members)):
        return guard.body_reader(decoder(ref, SCALARS))
    bind = http_binding.response_binder(ref.shape)
    read_body = _body_reader(ref, decoder)

    def read(response: Response) -> dict[str, Any]:
        result = bind(response)
        read_body(result, response)
        return result

    return read


def _body_reader(
    ref: Ref, decoder: Callable[[Ref, json_body.Scalars], Convert]
) -> Callable[[dict[str, Any], Response], None]:
    """Return a function that adds to a result what is in the body."""
    payload = ref.payload
    if payload is None:
        return _members_reader(ref, decoder(ref, SCALARS))
    if payload.traits.get("eventstream"):
        return lambda _result, _response: None
    name = payload.name
    if payloads.is_raw(payload):

        def read_raw(result: dict[str, Any], response: Response) -> None:
            result[name] = payloads.read_raw(payload, response)

        return read_raw
    decode = decoder(payload, SCALARS)
    is_union = payload.shape.traits.get("union")

    def read_payload(result: dict[str, Any], response: Response) -> None:
        if response.body:
            result[name] = guard.reading(decode, response)
        elif not is_union:
            result[name] = {}

    return read_payload


def _members_reader(ref: Ref, decode: Convert) -> Callable[[dict[str, Any], Response], None]:
    has_members = any(not http_binding.is_bound(member) for member in ref.shape.members.values())

    def read_members(result: dict[str, Any], response: Response) -> None:
        if has_members and response.body:
            result.update(guard.reading(decode, response))

    return read_members


def _boolean(value: Any) -> bool:
    return value.lower() == "true" if isinstance(value, str) else value is True


# Numbers and booleans may come as text.
SCALARS = json_body.Scalars(
    types={
        "string": json_body.ANY_SCALAR,
        "integer": int,
        "long": int,
        "float": float,
        "double": float,
        "boolean": bool,
    },
    readers={
        "integer": int,
        "long": int,
        "float": float,
        "double": float,
        "boolean": _boolean,
    },
)
