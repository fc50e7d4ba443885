"""How the result of an operation is received: what of it is a stream, and what is verified."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from tornado_aws import checksums
from tornado_aws.event_stream import Message
from tornado_aws.exceptions import AWSError, ResponseParserError
from tornado_aws.model import Operation
from tornado_aws.protocols import Parser, event_streams
from tornado_aws.protocols import Protocol as WireProtocol
from tornado_aws.streams import AsyncEventStream, Locate, StreamingBody
from tornado_aws.transport import Response

__all__ = ["Download", "download", "streaming_body"]

# Makes the exception of an error that is reported within a stream.
MakeError = Callable[[event_streams.Fault], AWSError]


class Download(Protocol):
    """How the results of one operation are received.

    Attributes:
        is_stream: whether the response's body is wanted as a stream.
    """

    is_stream: bool

    def ask(self, params: Mapping[str, Any], validation: str, /) -> Mapping[str, Any]:
        """Return the parameters to send.

        Args:
            params: the caller's.
            validation: the setting ``response_checksum_validation``.
        """
        ...

    async def receive(
        self,
        response: Response,
        params: Mapping[str, Any],
        parse: Parser,
        make_error: MakeError,
        locate: Locate,
        /,
    ) -> dict[str, Any]:
        """Return the result.

        Args:
            response: the response, whose status reports success.
            params: the parameters that were sent.
            parse: the protocol's parser.
            make_error: makes the exception of an error that is reported within a stream.
            locate: notes in an error which call it ended.

        Raises:
            ResponseParserError: the response is not what the model says.
            ReadError: the body is not what the response's checksum was computed of, or broke off.
        """
        ...


def download(operation: Operation, protocol: WireProtocol) -> Download | None:
    """Return how an operation's result is received, None if there is nothing to it."""
    if event_streams.output_stream(operation) is not None:
        return EventDownload(operation, protocol)
    member = _streaming_member(operation)
    rule = checksums.response_rule(operation)
    return BodyDownload(member, rule) if member or rule else None


class BodyDownload:
    """Receives bodies as streams of bytes, and verifies checksums.

    Args:
        member: the member of the result that is a stream, "" if there is none.
        rule: what the model says of the checksums of responses, None if nothing.
    """

    def __init__(self, member: str, rule: checksums.ResponseRule | None) -> None:
        self.is_stream = bool(member)
        self._member = member
        self._rule = rule

    def ask(self, params: Mapping[str, Any], validation: str) -> Mapping[str, Any]:
        """Ask for a checksum where that is wanted."""
        return params if self._rule is None else self._rule.ask(params, validation)

    async def receive(
        self,
        response: Response,
        params: Mapping[str, Any],
        parse: Parser,
        _: MakeError,
        locate: Locate,
    ) -> dict[str, Any]:
        """Return the result with its stream, or with what came and was verified."""
        verifier = self._verifier(response, params)
        if not self.is_stream:
            if verifier is not None:
                verifier.update(response.body)
                verifier.verify()
            return parse(response)
        response = _streamed(response)
        result = _parsed(parse, response)
        result[self._member] = streaming_body(response, verifier, locate)
        return result

    def _verifier(self, response: Response, params: Mapping[str, Any]) -> checksums.Verifier | None:
        if self._rule is None or self._rule.member not in params:
            return None
        return checksums.verifier(self._rule, response.headers)


class EventDownload:
    """Receives streams of events.

    Args:
        operation: an operation with such a stream in its result.
        protocol: the protocol that it is spoken to in.
    """

    is_stream = True

    def __init__(self, operation: Operation, protocol: WireProtocol) -> None:
        stream = event_streams.output_stream(operation)
        assert operation.output is not None and stream is not None  # noqa: S101, PT018
        self._member = stream.name
        self._has_initial = operation.output.payload is None
        self._read = event_streams.reader(stream, protocol.event_reader)

    def ask(self, params: Mapping[str, Any], _: str) -> Mapping[str, Any]:
        """Leave the parameters as they are."""
        return params

    async def receive(
        self,
        response: Response,
        params: Mapping[str, Any],
        parse: Parser,
        make_error: MakeError,
        locate: Locate,
    ) -> dict[str, Any]:
        """Return the result; where its other members come as an event, that has been read."""
        response = _streamed(response)
        assert response.stream is not None  # noqa: S101 - just made so

        def read(message: Message) -> dict[str, Any] | None:
            event = self._read(message)
            if isinstance(event, event_streams.Fault):
                raise make_error(event)
            return event

        events = AsyncEventStream(response.stream, read, locate)
        try:
            head = response
            if self._has_initial:
                head = await _initial_response(events, read, response)
            return {**parse(head), self._member: events}
        except BaseException:
            events.close()
            raise


def streaming_body(
    response: Response, check: checksums.Verifier | None, locate: Locate
) -> StreamingBody:
    """Return the stream of a response that has one; see `StreamingBody` for the arguments."""
    assert response.stream is not None  # noqa: S101 - asked for by the caller
    stated = response.headers.get("content-length", "")
    length = int(stated) if stated.isascii() and stated.isdigit() else None
    return StreamingBody(response.stream, length, check, locate)


class _Whole:
    """A body that has come already, as a stream."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def read_chunk(self) -> bytes:
        """Return the body, then b""."""
        body, self._body = self._body, b""
        return body

    def close(self) -> None:
        """Forget the body."""
        self._body = b""


def _streamed(response: Response) -> Response:
    """Return a response that has a stream, also if its transport cannot stream."""
    if response.stream is not None:
        return response
    head = response.status, response.reason, response.raw_headers
    return Response(*head, stream=_Whole(response.body))


def _parsed(parse: Parser, response: Response) -> dict[str, Any]:
    try:
        return parse(response)
    except ResponseParserError:
        # The error refers to the response: the stream would live as long as the error does.
        if response.stream is not None:
            response.stream.close()
        raise


async def _initial_response(
    events: AsyncEventStream[Any], read: Callable[[Message], object], response: Response
) -> Response:
    """Return the response whose body is the first message.

    Raises:
        ResponseParserError: the first message is something else.
        AWSError: it is an error.
    """
    message = await events.next_message()
    if message is None or message.text(":event-type") != event_streams.INITIAL:
        if message is not None:
            read(message)
        raise ResponseParserError(
            reason="the event stream does not begin with an initial response", response=response
        )
    return Response(response.status, response.reason, response.raw_headers, message.payload)


def _streaming_member(operation: Operation) -> str:
    """Return the blob that is the whole body of a result, as botocore streams it."""
    payload = operation.output.payload if operation.output else None
    return payload.name if payload is not None and payload.shape.type == "blob" else ""
