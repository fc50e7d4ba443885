"""The protocol smithy-rpc-v2-cbor: an operation's name in the path, everything else in CBOR."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from tornado_aws.exceptions import ResponseParserError
from tornado_aws.model import Operation, Ref, ServiceModel, Shape
from tornado_aws.protocols import (
    ErrorParser,
    EventReader,
    HTTPParts,
    Parser,
    Serializer,
    cbor,
    event_streams,
    garbage,
    guard,
    host_prefix,
    idempotency,
    scalars,
    timestamps,
)
from tornado_aws.protocols.walk import Convert, Walk, same, wire_name
from tornado_aws.transport import Headers, Response

__all__ = ["error_parser", "event_reader", "parser", "serializer"]

Write = Callable[[bytearray, Any], None]


def serializer(operation: Operation) -> Serializer:
    """Return a function from valid parameters to the parts of a request.

    Raises:
        UnsupportedOperationError: the operation sends an event stream.
    """
    event_streams.refuse(operation)
    path = f"/service/{operation.model.metadata['targetPrefix']}/operation/{operation.name}"
    headers = _headers(operation)
    write = _Writers().of(operation.input) if operation.input else None
    expand_prefix = host_prefix.expander(operation)
    fill = idempotency.filler(operation)

    def serialize(params: Mapping[str, Any]) -> HTTPParts:
        if fill:
            params = fill(params)
        body = None
        if write:
            out = bytearray()
            write(out, params)
            body = bytes(out)
        prefix = expand_prefix(params) if expand_prefix else ""
        return HTTPParts(operation.http_method, path, "", headers.copy(), body, prefix)

    return guard.guarded(operation, serialize)


def parser(operation: Operation) -> Parser:
    """Return a function from a response to the result."""
    if operation.output is None:
        return lambda _: {}
    return _reader(operation.output)


def event_reader(ref: Ref) -> EventReader:
    """Return a function from an event's payload to a value of `ref`."""
    read = _Readers().of(ref) or same
    return lambda payload: read(cbor.loads(payload))


def error_parser(model: ServiceModel) -> ErrorParser:
    """Return a function from an error response and its code to the error's own members."""

    def parse(response: Response, code: str) -> dict[str, Any]:
        shape = model.error_shapes.get(code)
        if shape is None:
            return {}
        try:
            return _reader(Ref("", shape, {}))(response)
        except ResponseParserError:
            return {}

    return parse


def _headers(operation: Operation) -> Headers:
    headers = [("smithy-protocol", "rpc-v2-cbor"), ("Accept", "application/cbor")]
    if operation.input:
        headers.append(("Content-Type", "application/cbor"))
    if "awsQueryCompatible" in operation.model.metadata:
        headers.append(("x-amzn-query-mode", "true"))
    return headers


# --- writing --------------------------------------------------------------------------------------


class _Writers:
    """Functions that append a value to a buffer, as its shape wants it."""

    def __init__(self) -> None:
        self._made: dict[Shape, Write] = {}

    def of(self, ref: Ref) -> Write:
        """Return the function for a use of a shape."""
        shape = ref.shape
        if shape.type in _WRITERS:
            return _WRITERS[shape.type]
        if shape not in self._made:
            build = {"structure": self._structure, "list": self._list, "map": self._map}
            build[shape.type](shape)
        return self._made[shape]

    # Each puts its function into the table before it asks for those of its parts, which may be the
    # same one.

    def _structure(self, shape: Shape) -> None:
        members: dict[str, tuple[str, Write]] = {}

        def write(out: bytearray, value: Any) -> None:
            given = [(name, item) for name, item in value.items() if item is not None]
            cbor.write_map_head(out, len(given))
            for name, item in given:
                key, write_item = members[name]
                cbor.write_text(out, key)
                write_item(out, item)

        self._made[shape] = write
        members |= {name: (wire_name(ref), self.of(ref)) for name, ref in shape.members.items()}

    def _list(self, shape: Shape) -> None:
        def write(out: bytearray, value: Any) -> None:
            cbor.write_array_head(out, len(value))
            for item in value:
                write_item(out, item)

        self._made[shape] = write
        write_item = _or_null(self.of(shape.member))

    def _map(self, shape: Shape) -> None:
        def write(out: bytearray, value: Any) -> None:
            cbor.write_map_head(out, len(value))
            for key, item in value.items():
                cbor.write_text(out, key)
                write_item(out, item)

        self._made[shape] = write
        write_item = _or_null(self.of(shape.value))


def _or_null(write: Write) -> Write:
    def write_item(out: bytearray, item: Any) -> None:
        if item is None:
            cbor.write_null(out)
        else:
            write(out, item)

    return write_item


def _write_blob(out: bytearray, value: Any) -> None:
    cbor.write_bytes(out, scalars.blob(value))


def _write_timestamp(out: bytearray, value: Any) -> None:
    cbor.write_timestamp(out, timestamps.to_datetime(value))


_WRITERS: Mapping[str, Write] = {
    "string": cbor.write_text,
    "integer": cbor.write_integer,
    "long": cbor.write_integer,
    "float": cbor.write_float,
    "double": cbor.write_double,
    "boolean": cbor.write_boolean,
    "blob": _write_blob,
    "timestamp": _write_timestamp,
}


# --- reading --------------------------------------------------------------------------------------


def _reader(ref: Ref) -> Parser:
    read = _Readers().of(ref) or same

    def decode(body: bytes) -> Any:
        return read(cbor.loads(body))

    def decode_any(body: bytes) -> Any:
        if len(body) < garbage.WORTHWHILE:
            return decode(body)
        return garbage.without_collecting(decode, body)

    read_response: Parser = partial(guard.reading, decode_any)
    return lambda response: read_response(response) if response.body else {}


class _Readers(Walk):
    """From decoded CBOR to values: known members only, and timestamps that are not tagged."""

    def keeps(self, shape: Shape) -> bool:
        """Leave maps as they are, as botocore does in this protocol."""
        return shape.type == "map"

    def scalar(self, ref: Ref) -> Convert | None:
        return _timestamp if ref.shape.type == "timestamp" else None

    def structure(self, shape: Shape) -> None:
        members: dict[str, tuple[str, Convert]] = {}
        is_union = bool(shape.traits.get("union"))

        def read(value: Any) -> Any:
            if not isinstance(value, dict):
                raise ValueError(f"{shape.name} must be a map, not {type(value).__name__}")
            known = {
                members[key][0]: members[key][1](item)
                for key, item in value.items()
                if key in members
            }
            return _tagged(shape, value, known) if is_union else known

        self.made(shape, read)
        members |= {
            wire_name(ref): (name, self.of(ref) or same) for name, ref in shape.members.items()
        }


def _tagged(shape: Shape, value: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    tags = [key for key in value if key != "__type"]
    if len(tags) != 1:
        raise ValueError(f"the union {shape.name} has {len(tags)} members set, not one")
    return known or {"SDK_UNKNOWN_MEMBER": {"name": tags[0]}}


def _timestamp(value: Any) -> Any:
    return timestamps.to_datetime(value)
