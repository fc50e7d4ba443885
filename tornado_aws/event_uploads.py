"""Events on their way to a service: a caller's iterable becomes the body of a request."""

from __future__ import annotations

import time
from collections.abc import AsyncIterable, AsyncIterator, Callable, Mapping
from typing import TYPE_CHECKING, Any

from tornado_aws.bodies import aclose
from tornado_aws.event_signing import PAYLOAD, EventSigner
from tornado_aws.exceptions import ParamValidationError
from tornado_aws.model import Operation, Ref
from tornado_aws.protocols import HTTPParts, event_streams
from tornado_aws.protocols import Protocol as WireProtocol
from tornado_aws.validation import event_validator

if TYPE_CHECKING:
    from tornado_aws.credentials import Credentials
    from tornado_aws.routes import Route
    from tornado_aws.signing import SigV4

__all__ = ["EventBody", "EventUpload"]

CONTENT_TYPE = "application/vnd.amazon.eventstream"


class EventUpload:
    """How the events of one operation are sent.

    Args:
        operation: the operation.
        stream: its parameter that is an event stream.
        protocol: the protocol that it is spoken to in.
    """

    def __init__(self, operation: Operation, stream: Ref, protocol: WireProtocol) -> None:
        self._operation = operation.name
        self._member = stream.name
        self._validate = event_validator(stream)
        self._write = event_streams.writer(stream, protocol.event_writer)

    async def prepare(
        self, parts: HTTPParts, params: Mapping[str, Any], route: Route, _: str
    ) -> HTTPParts:
        """Return the request with the events for its body, and with what goes with them.

        Raises:
            ParamValidationError: the parameter is no asynchronous iterable.
        """
        events = params.get(self._member)
        if not isinstance(events, AsyncIterable):
            fault = (
                f"{self._member}: expected an asynchronous iterable of events, got"
                f" {type(events).__name__}"
            )
            raise ParamValidationError(operation=self._operation, faults=[fault])
        headers = [*parts.headers, ("Content-Type", CONTENT_TYPE)]
        if route.signer is not None:
            headers.append(("X-Amz-Content-SHA256", PAYLOAD))
        body = EventBody(events, self._encoded)
        return parts._replace(headers=headers, body=body, is_duplex=True)

    def _encoded(self, event: Mapping[str, Any]) -> bytes:
        self._validate(event)
        return self._write(event)


class EventBody:
    """A body of events, each a message as soon as the caller gives it.

    Args:
        events: the caller's.
        encode: makes a message of an event.
    """

    is_replayable = False

    def __init__(
        self, events: AsyncIterable[Any], encode: Callable[[Mapping[str, Any]], bytes]
    ) -> None:
        self._events = events
        self._encode = encode
        self._signer: EventSigner | None = None
        self._signed_at = 0.0

    def sign_with(
        self, signer: SigV4, credentials: Credentials, authorization: str, timestamp: float
    ) -> None:
        """Take what signed the request's head, and when: the events go on from its signature."""
        self._signer = EventSigner(signer, credentials, authorization, timestamp)
        self._signed_at = time.monotonic()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        events = aiter(self._events)
        try:
            async for event in events:
                yield self._framed(self._encode(event))
        finally:
            await aclose(events)
        if self._signer is not None:
            yield self._framed(b"")

    def _framed(self, message: bytes) -> bytes:
        if self._signer is None:
            return message
        return self._signer.frame(message, time.monotonic() - self._signed_at)
