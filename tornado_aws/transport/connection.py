"""One kept HTTP/1.1 connection: writes a request, reads its response, says what became of it.

A connection carries one call at a time. It receives into its pool's one buffer: that is filled and
emptied with nothing between, so connections cannot disturb each other and no read allocates.
"""

from __future__ import annotations

import asyncio
import select
from collections.abc import Hashable
from contextlib import suppress
from typing import Protocol

from tornado_aws.transport import Response, errors
from tornado_aws.transport.call import NEVER, Call, Phase
from tornado_aws.transport.http1 import (
    Head,
    ProtocolError,
    ResponseParser,
    keeps_alive,
    parse_opening,
)
from tornado_aws.transport.line import Line
from tornado_aws.transport.proxies import Route
from tornado_aws.transport.streams import HIGH_WATER, ResponseStream, StreamBuffer, Supplier
from tornado_aws.transport.upload import PIECE, upload

# RFC 9110 section 10.1.1: a client need not wait for ever; curl and botocore wait a second too.
CONTINUE_WAIT = 1.0

# How many bytes an upload writes before others have their turn; each piece counts for some.
_TURN = 262144
_PIECE_COST = 16384

# What to ask the kernel for; only Linux can tell the peer's end from other input.
_INPUT: int = getattr(select, "POLLIN", 0)
_HUNG_UP: int = getattr(select, "POLLRDHUP", _INPUT)
_BROKEN: int = ~(_INPUT | _HUNG_UP)  # what it tells unasked: an error, the end, no such socket


class Owner(Supplier, Protocol):
    """What a connection reports to: its pool."""

    loop: asyncio.AbstractEventLoop
    view: memoryview
    max_length: float

    def finished(self, connection: Connection, call: Call, reusable: bool) -> None:
        """The response is whole."""

    def fail(self, call: Call, error: Exception) -> None:
        """The call must end with `error`."""

    def lost(self, connection: Connection, call: Call | None, cause: Exception | None) -> None:
        """The connection is gone, in the middle of `call` or idle."""


class Connection:
    """One connection of a pool.

    Attributes:
        key: see `Route`.
        idle_since: when it became idle, on the loop's clock.
        served: how many responses it has brought.
        call: the call that it carries, None when it is idle.
        is_sent: whether the whole request has been written.
        is_closed: whether it is of no further use.
    """

    def __init__(self, owner: Owner, route: Route, line: Line) -> None:
        self.key: Hashable = route.key
        self.idle_since = 0.0
        self.served = 0
        self.call: Call | None = None
        self.is_closed = False
        self._owner = owner
        self._view = owner.view
        self._origin = route.origin
        self._line = line
        self._readiness = _poller(line.fileno())
        self._parser: ResponseParser | None = None
        self._stream: StreamBuffer | None = None
        self.is_sent = False
        self._is_reading = True
        self._unwritten = 0
        self._turn = _TURN
        self._drained: asyncio.Future[None] | None = None
        self._gate: asyncio.TimerHandle | None = None
        line.listen(self)

    @property
    def received(self) -> int:
        """How many bytes of the current response have come."""
        return 0 if self._parser is None else self._parser.received

    # --- what the pool calls ---

    def start(self, call: Call) -> None:
        """Send the request of `call`; its future gets what comes of it."""
        self.call = call
        call.connection = self
        call.phase = Phase.EXCHANGE
        self.is_sent = False
        body = call.request.body
        if not body:
            self._line.write(call.head)
            self.is_sent = True
        elif call.request.expect_continue:
            self._line.write(call.head)
            self._gate = self._owner.loop.call_later(CONTINUE_WAIT, self._send_body)
        elif isinstance(body, bytes) and len(body) <= PIECE:
            self._line.write(call.head + body)
            self._unwritten = self._line.unwritten()
            self.is_sent = True
        else:
            self._line.write(call.head)
            self._send_body()

    def abort(self) -> None:
        """Close at once; the call under way, if any, is left to the caller."""
        self.is_closed = True
        self._detach()
        self._line.abort()

    def forsake(self) -> None:
        """Close the socket without its loop, which is closed or belongs to another process."""
        self.is_closed = True
        self._detach()
        self._line.forsake()

    def is_dead(self) -> bool:
        """Ask the kernel whether an idle connection has ended, or has got what nobody asked for.

        The loop tells of that as well, but only in its next round. Under TLS there may be more to
        read than answers (session tickets), so that it must be read to be known.
        """
        if self.is_closed:
            return True
        if self._readiness is None:
            return bool(select.select([self._line.fileno()], [], [], 0)[0])
        found = self._readiness.poll(0)
        if not found:
            return False
        if not self._line.is_secure or found[0][1] & (_HUNG_UP | _BROKEN):
            return True
        self._line.look()
        return self.is_closed

    def resume_reading(self) -> None:
        """Take bytes again after a stream's reader had fallen behind."""
        if not self._is_reading and not self.is_closed:
            self._is_reading = True
            self._line.resume()

    def has_progressed(self) -> bool:
        """Tell whether anything that had to wait was written since this was last asked."""
        unwritten, self._unwritten = self._unwritten, self._line.unwritten()
        return 0 != self._unwritten != unwritten

    # --- what the upload calls ---

    def touch(self, call: Call) -> None:
        """Note that bytes moved; once the response is streamed, its reader's silence counts."""
        if call.phase is Phase.EXCHANGE:
            call.since = self._owner.loop.time()
            self._owner.watch(call)

    def rest(self, call: Call) -> None:
        """Note that the call waits for its caller, which is not the peer's silence."""
        if call.phase is Phase.EXCHANGE:
            call.since = NEVER

    async def write(self, data: bytes | memoryview, *, is_last: bool = False) -> None:
        """Write, and wait until nothing is held of `data`; do nothing when the line is closed."""
        if not self.is_closed:
            self.is_sent = is_last
            self._line.write(data)
        self._turn -= len(data) + _PIECE_COST
        self._unwritten = self._line.unwritten()
        if self._unwritten:
            self._drained = self._owner.loop.create_future()
            await self._drained
            self._turn = _TURN
        elif self._turn <= 0:
            # A source that never waits and a peer that takes all must not hold up the loop, which
            # would not even see that the connection is gone.
            await asyncio.sleep(0)
            self._turn = _TURN
        if self.call is not None:
            self.touch(self.call)

    # --- what the line calls ---

    def bytes_received(self, nbytes: int) -> None:
        call, parser = self.call, self._parser
        if call is None:
            # Bytes that no request asked for: the peer's parting words, or an attack.
            self._gone(None)
            return
        try:
            if parser is None:
                self._begin(call, self._view[:nbytes])
                return
            if self._line.target is self._view:
                parser.feed(self._view[:nbytes])
            else:
                parser.fill(nbytes)
            self._deliver(call, parser)
        except ProtocolError as error:
            received = self.received or nbytes
            self._owner.fail(call, errors.malformed(call.request.origin, error, received))

    def line_ended(self, cause: Exception | None) -> None:
        call, parser = self.call, self._parser
        if call is not None and parser is not None and cause is None:
            with suppress(ProtocolError):
                parser.feed_eof()
                self._deliver(call, parser)
        if not self.is_closed:
            self._gone(cause)

    def line_drained(self) -> None:
        drained, self._drained = self._drained, None
        if drained is not None and not drained.done():
            drained.set_result(None)
        if self.call is not None:
            self.touch(self.call)

    # --- the exchange ---

    def _begin(self, call: Call, data: memoryview) -> None:
        """Take the first bytes of a response, which mostly are all of it."""
        request = call.request
        opening = parse_opening(request.method, data)
        if opening is not None:
            head, length, start = opening
            data = data[start:]
            if length == len(data) and not request.stream and length <= self._owner.max_length:
                if not call.future.done():
                    call.future.set_result(_response(head, bytes(data)))
                self._finish(call, keeps_alive(head))
                return
        parser = self._parser = ResponseParser(request.method, opening)
        parser.feed(data)
        self._deliver(call, parser)

    def _deliver(self, call: Call, parser: ResponseParser) -> None:
        """Hand on what has been parsed so far."""
        head = parser.head
        if head is None:
            if parser.continued and self._gate is not None:
                self._send_body()
        elif call.request.stream and head.status < 300:
            self._deliver_stream(call, parser, head)
        elif max(parser.length or 0, parser.buffered) > self._owner.max_length:
            origin, limit = call.request.origin, int(self._owner.max_length)
            self._owner.fail(call, errors.too_large(origin, limit, parser.received))
            return
        elif not parser.complete:
            self._shut_gate()  # who answers already does not want the body
            self._line.target = parser.claim() or self._view
        elif not call.future.done():
            call.future.set_result(_response(head, parser.take_body()))
        if parser.complete:
            self._finish(call, parser.reusable)
        elif call.since != NEVER:
            call.since = self._owner.loop.time()

    def _deliver_stream(self, call: Call, parser: ResponseParser, head: Head) -> None:
        if self._stream is None:
            self._shut_gate()
            self._stream = call.stream = StreamBuffer(call, self._owner, self._owner.loop)
            call.phase = Phase.STREAMING
            call.since = NEVER
            # The call lives as long as its connection and must not hold the reader's handle, which
            # the future does: dropping the handle would not be noticed.
            future = call.future
            del call.future
            if not future.done():
                handle = ResponseStream(self._stream, self._owner.loop)
                future.set_result(_response(head, stream=handle))
        self._stream.push(parser.take_body())
        if parser.complete:
            self._stream.end()
        elif self._stream.size > HIGH_WATER:
            self._is_reading = False
            self._line.pause()

    def _finish(self, call: Call, reusable: bool) -> None:
        """The response is whole."""
        # A response that came before all of the request was written says nothing of the rest.
        is_sent = self.is_sent and not self._line.unwritten()
        self.resume_reading()  # TLS may have handed over the end of a stream after its pause
        self._detach()
        self.served += 1
        self._owner.finished(self, call, reusable and is_sent and not self._line.is_over)

    def _send_body(self) -> None:
        self._shut_gate()
        call = self.call
        if call is not None:
            call.upload = self._owner.loop.create_task(self._upload(call))

    async def _upload(self, call: Call) -> None:
        origin = call.request.origin
        try:
            await upload(self, call)
        except asyncio.CancelledError as error:
            if call.connection is self:  # the pool, which has ended the call, did not do this
                self._owner.fail(call, errors.body_failed(origin, error, self.received))
            raise
        except Exception as error:  # whatever the caller's iterable raises
            self._owner.fail(call, errors.body_failed(origin, error, self.received))

    def _gone(self, cause: Exception | None) -> None:
        """The connection has ended by itself."""
        self.is_closed = True
        self._owner.lost(self, self.call, cause)
        self.abort()

    def _detach(self) -> None:
        """Forget the call."""
        self._line.target = self._view
        if self._parser is not None:
            self._parser.release()
        self.call = self._parser = self._stream = None
        if self._gate is not None:
            self._shut_gate()
        if self._drained is not None:
            self.line_drained()

    def _shut_gate(self) -> None:
        if self._gate is not None:
            self._gate.cancel()
            self._gate = None

    def __repr__(self) -> str:
        state = "closed" if self.is_closed else "idle" if self.call is None else "busy"
        return f"<Connection {errors.place(self._origin)} {state}, {self.served} served>"


def _response(head: Head, body: bytes = b"", stream: ResponseStream | None = None) -> Response:
    _, status, reason, pairs, headers = head
    return Response(status, reason, pairs, body, stream, headers)


def _poller(descriptor: int) -> select.poll | None:
    """Return what asks the kernel about a socket, None on Windows, which has no such thing."""
    if not hasattr(select, "poll"):
        return None
    poller = select.poll()
    poller.register(descriptor, _INPUT | _HUNG_UP)
    return poller
