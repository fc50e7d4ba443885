"""Events: from the messages of a stream to what a model says they are, in every protocol.

The framing is `tornado_aws.event_stream`'s; how a payload is read is the protocol's own business
(its `event_reader`). Here is what lies between: which message is an event, which is an error, and
which of an event's members stand in headers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from tornado_aws.event_stream import Message
from tornado_aws.exceptions import UnsupportedOperationError
from tornado_aws.model import Operation, Ref
from tornado_aws.protocols import EventReader, guard
from tornado_aws.transport import Response

__all__ = ["INITIAL", "Fault", "Reader", "output_stream", "reader", "refuse"]

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


def refuse(operation: Operation) -> None:
    """Raise `UnsupportedOperationError` when an operation sends an event stream."""
    members = operation.input.shape.members if operation.input else {}
    if any(ref.traits.get("eventstream") for ref in members.values()):
        raise UnsupportedOperationError(
            f"{operation.name} sends events while it receives others, which needs HTTP/2 in both"
            " directions at once; the transports of this version speak HTTP/1.1 there"
        )


def output_stream(operation: Operation) -> Ref | None:
    """Return the member of an operation's result that is an event stream, None without one."""
    members = operation.output.shape.members if operation.output else {}
    return next((ref for ref in members.values() if ref.traits.get("eventstream")), None)


def reader(stream: Ref, body_reader: Callable[[Ref], EventReader]) -> Reader:
    """Return a function from a message to an event.

    An event is a dict with one key, its type. What the model does not know is passed over (None),
    as botocore does: services add events.

    Args:
        stream: the event stream.
        body_reader: the protocol's `event_reader`.
    """
    made: dict[str, Callable[[Message], Any]] = {}

    def read_members(name: str, message: Message) -> Any:
        read = made.get(name)
        if read is None:
            read = made[name] = _event(stream.shape.members[name], body_reader)
        return read(message)

    def read(message: Message) -> Event | Fault | None:
        kind = message.text(":message-type")
        if kind == "event":
            name = message.text(":event-type")
            return {name: read_members(name, message)} if name in stream.shape.members else None
        if kind == "exception":
            name = message.text(":exception-type")
            ref = stream.shape.members.get(name)
            if ref is None:
                return _unknown(name, message.payload.decode("utf-8", "replace"))
            return _modelled(name, ref, read_members(name, message))
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
