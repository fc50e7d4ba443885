"""Events: between the messages of a stream and what a model says they are, in every protocol.

The framing is `tornado_aws.event_stream`'s; how a payload is read and written is the protocol's own
business (its `event_reader` and `event_writer`). Here is what lies between: which message is an
event, which is an error, and which of an event's members stand in headers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from tornado_aws.event_stream import HeaderValue, Message, encode
from tornado_aws.exceptions import UnsupportedOperationError
from tornado_aws.model import Operation, Ref
from tornado_aws.protocols import EventReader, EventWriter, guard, scalars
from tornado_aws.transport import Response

__all__ = [
    "INITIAL",
    "Fault",
    "Reader",
    "Writer",
    "input_stream",
    "output_stream",
    "reader",
    "refuse",
    "writer",
]

# The event that carries a result's other members where they do not stand in the response's head.
INITIAL = "initial-response"


class Fault(NamedTuple):
    """An error that a service reports within a stream.

    Attributes:
        code: the error's code; for a modelled one the name of its shape.
        error: what botocore gives as ``EventStreamError.response["Error"]``.
        members: the modelled error's own members.
    """

    code: str
    error: dict[str, str]
    members: dict[str, Any]


Event = dict[str, Any]
Reader = Callable[[Message], Event | Fault | None]
Writer = Callable[[Mapping[str, Any]], bytes]


def refuse(operation: Operation) -> None:
    """Raise `UnsupportedOperationError` when an operation sends an event stream."""
    if input_stream(operation) is not None:
        raise UnsupportedOperationError(
            f"{operation.name} sends events in a protocol in which no service of AWS takes any;"
            " only rest-json is supported"
        )


def input_stream(operation: Operation) -> Ref | None:
    """Return the parameter of an operation that is an event stream, None without one."""
    return _stream_in(operation.input)


def output_stream(operation: Operation) -> Ref | None:
    """Return the member of an operation's result that is an event stream, None without one."""
    return _stream_in(operation.output)


def _stream_in(ref: Ref | None) -> Ref | None:
    members = ref.shape.members.values() if ref else ()
    return next((member for member in members if member.traits.get("eventstream")), None)


# --- events that are received ---------------------------------------------------------------------


def reader(stream: Ref, body_reader: Callable[[Ref], EventReader]) -> Reader:
    """Return a function from a message to an event.

    An event is a dict with one key, its type. What the model does not know is passed over (None),
    as botocore does: services add events.

    Args:
        stream: the event stream.
        body_reader: the protocol's `event_reader`.
    """
    # All of them now: the first event of a type would have the loop wait for its reader.
    readers = {name: _event(ref, body_reader) for name, ref in stream.shape.members.items()}

    def read(message: Message) -> Event | Fault | None:
        kind = message.text(":message-type")
        if kind == "event":
            name = message.text(":event-type")
            return {name: readers[name](message)} if name in readers else None
        if kind == "exception":
            name = message.text(":exception-type")
            ref = stream.shape.members.get(name)
            if ref is None:
                return _unknown(name, message.payload.decode("utf-8", "replace"))
            return _modelled(name, ref, readers[name](message))
        return _unknown(message.text(":error-code"), message.text(":error-message"))

    return read


def _event(ref: Ref, body_reader: Callable[[Ref], EventReader]) -> Callable[[Message], Any]:
    """Return a function from a message to the members of one type of event."""
    members = ref.shape.members
    in_headers = [name for name, each in members.items() if each.traits.get("eventheader")]
    payload = next((each for each in members.values() if each.traits.get("eventpayload")), None)
    read_body = _payload(payload or ref, body_reader)

    def read(message: Message) -> Any:
        event = {name: message.headers[name] for name in in_headers if name in message.headers}
        if payload is not None:
            event[payload.name] = read_body(message.payload)
        elif message.payload:
            event.update(read_body(message.payload))
        return event

    return read


def _payload(ref: Ref, body_reader: Callable[[Ref], EventReader]) -> Callable[[bytes], Any]:
    if ref.shape.type == "blob":
        return lambda payload: payload
    if ref.shape.type == "string":
        return lambda payload: guard.reading(bytes.decode, _response(payload))
    read = body_reader(ref)
    return lambda payload: guard.reading(read, _response(payload)) if payload else {}


def _response(payload: bytes) -> Response:
    return Response(200, "", [], payload)


def _modelled(name: str, ref: Ref, members: Mapping[str, Any]) -> Fault:
    message = members.get("Message", members.get("message", ""))
    return Fault(ref.shape.name, {"Code": name, "Message": message}, dict(members))


def _unknown(code: str, message: str) -> Fault:
    return Fault(code, {"Code": code, "Message": message}, {})


# --- events that are sent -------------------------------------------------------------------------


def writer(stream: Ref, body_writer: Callable[[Ref], EventWriter]) -> Writer:
    """Return a function from a valid event, a dict with one key, to its message.

    Args:
        stream: the event stream.
        body_writer: the protocol's `event_writer`.
    """
    made: dict[str, Writer] = {}

    def write(event: Mapping[str, Any]) -> bytes:
        ((name, members),) = event.items()
        write_members = made.get(name)
        if write_members is None:
            write_members = made[name] = _message(stream.shape.members[name], body_writer)
        return write_members(members)

    return write


def _message(ref: Ref, body_writer: Callable[[Ref], EventWriter]) -> Writer:
    """Return a function from the members of one type of event to its message."""
    members = ref.shape.members
    in_headers = [name for name, each in members.items() if each.traits.get("eventheader")]
    payload = next((each for each in members.values() if each.traits.get("eventpayload")), None)
    content_type, write_body = _payload_writer(payload or ref, body_writer)
    fixed: dict[str, HeaderValue] = {":message-type": "event", ":event-type": ref.name}

    def write(event: Mapping[str, Any]) -> bytes:
        headers = fixed | {name: event[name] for name in in_headers if name in event}
        if payload is None:
            body = write_body({name: event[name] for name in event if name not in in_headers})
        else:
            body = write_body(event[payload.name]) if payload.name in event else b""
        return encode({**headers, ":content-type": content_type}, body)

    return write


def _payload_writer(ref: Ref, body_writer: Callable[[Ref], EventWriter]) -> tuple[str, EventWriter]:
    """Return the type of an event's payload, and what writes it."""
    if ref.shape.type == "blob":
        return "application/octet-stream", lambda value: bytes(scalars.blob(value))
    if ref.shape.type == "string":
        return "text/plain", str.encode
    return "application/json", body_writer(ref)
