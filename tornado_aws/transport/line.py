"""A connected line: bytes to and from a peer, in the clear (`SocketLine`) or under TLS (`TLSLine`).

asyncio's transports do the same for users of every kind. A line reads into memory that is there
already, the receiver's own if it likes, and says nothing while all goes well; under TLS that takes
a fifth off the CPU time of a small exchange. The loop only tells when a socket can be read or
written.

A line calls its receiver, and from within such a call it may be written to, paused or aborted.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections import deque
from typing import Any, Protocol

from tornado_aws.transport.loops import Waiter


class Receiver(Protocol):
    """Whom a line calls."""

    def bytes_received(self, nbytes: int) -> None:
        """So many bytes have come, into the beginning of the line's `target`."""

    def line_ended(self, cause: Exception | None) -> None:
        """Nothing more will come: the peer has ended the line in order or, with `cause`, not."""

    def line_drained(self) -> None:
        """All that had to wait has been written."""


class Line(Protocol):
    """What can be done with a line.

    Attributes:
        target: where the next bytes that come are written to.
        is_secure: whether there is TLS on it.
        is_over: whether the peer has ended it, of which `line_ended` may not have told yet.
    """

    target: memoryview
    is_secure: bool
    is_over: bool

    def listen(self, receiver: Receiver) -> None:
        """Report to `receiver` from now on; before the first call nothing is read."""

    def write(self, data: bytes | memoryview) -> None:
        """Write, now or as soon as the peer takes it.

        `line_drained` is called only if it had to wait, and the memory of `data` is held until
        then. A failure is not told of here: what the peer had said before it broke off is read
        first, and then its end. Until that nothing is drained.
        """

    def unwritten(self) -> int:
        """Return how many bytes wait to be written."""
        ...

    def pause(self) -> None:
        """Read nothing for now."""

    def resume(self) -> None:
        """Read again."""

    def look(self) -> None:
        """Take at once what has come, before the loop tells of it."""

    def fileno(self) -> int:
        """Return the socket's descriptor, -1 when the line is closed."""
        ...

    def abort(self) -> None:
        """Close at once, whatever waits; nobody is called."""

    def forsake(self) -> None:
        """Close without the loop, which is closed or belongs to another process."""


class SocketLine:
    """A `Line` over a connected, non-blocking TCP socket, which it owns.

    Args:
        waiter: waits for sockets.
        sock: the socket.
        target: see `Line`.
    """

    is_secure = False
    is_over = False

    def __init__(self, waiter: Waiter, sock: socket.socket, target: memoryview) -> None:
        self.target = target
        self._waiter = waiter
        self._socket = sock
        self._descriptor = sock.fileno()
        self._receiver: Receiver | None = None
        self._is_reading = False
        self._is_broken = False
        self._is_closed = False
        self._unwritten: deque[memoryview] = deque()

    def listen(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self.resume()

    def write(self, data: bytes | memoryview) -> None:
        if self._unwritten:
            self._unwritten.append(memoryview(data))
            return
        try:
            sent = self._socket.send(data)
        except OSError as error:
            sent = self._unsent(error)
        if sent < len(data):
            self._unwritten.append(memoryview(data)[sent:])
            if not self._is_broken:
                self._waiter.add_writer(self._descriptor, self._writable)

    def unwritten(self) -> int:
        return sum(map(len, self._unwritten)) if self._unwritten else 0

    def pause(self) -> None:
        if self._is_reading:
            self._is_reading = False
            self._waiter.remove_reader(self._descriptor)

    def resume(self) -> None:
        if not self._is_reading and not self._is_closed:
            self._is_reading = True
            self._waiter.add_reader(self._descriptor, self._readable)

    def look(self) -> None:
        self._readable()

    def fileno(self) -> int:
        return self._socket.fileno()

    def abort(self) -> None:
        if not self._is_closed:
            self.pause()
            if self._unwritten:
                self._waiter.remove_writer(self._descriptor)
            self.forsake()

    def forsake(self) -> None:
        self._is_closed = True
        self._unwritten.clear()
        self._receiver = None
        self._socket.close()

    def _unsent(self, error: OSError) -> int:
        """Note why nothing could be sent; return 0."""
        # The reader learns of it as well, after all that the peer had said.
        self._is_broken = not isinstance(error, BlockingIOError)
        return 0

    def _writable(self) -> None:
        unwritten = self._unwritten
        while unwritten:
            data = unwritten[0]
            try:
                sent = self._socket.send(data)
            except OSError as error:
                sent = self._unsent(error)
            if sent < len(data):
                unwritten[0] = data[sent:]
                break
            unwritten.popleft()
        if self._is_broken or not unwritten:
            self._waiter.remove_writer(self._descriptor)
        if not unwritten and self._receiver is not None:
            self._receiver.line_drained()

    def _readable(self) -> None:
        receiver = self._receiver
        if receiver is None:
            return
        try:
            nbytes = self._socket.recv_into(self.target)
        except BlockingIOError:
            return
        except OSError as error:
            self.pause()
            receiver.line_ended(error)
            return
        if not nbytes:
            self.is_over = True
            self.pause()
            receiver.line_ended(None)
            return
        try:
            receiver.bytes_received(nbytes)
        except Exception as error:  # a fault of ours, for which nobody must wait for ever
            self.pause()
            receiver.line_ended(error)
            raise


class TLSLine:
    """A `Line` with TLS over another line.

    Args:
        loop: the loop on which `shake_hands` is awaited.
        below: the line underneath; nobody else uses it any more.
        context: the TLS settings.
        hostname: the peer's name or address, for its certificate.

    Raises:
        ValueError: the name cannot be one in a certificate.
    """

    is_secure = True
    is_over = False

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        below: Line,
        context: ssl.SSLContext,
        hostname: str,
    ) -> None:
        # What comes is decrypted into the memory in which it came encrypted.
        self.target = self._shared = below.target
        self._loop = loop
        self._below = below
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=hostname)
        self._shaken: asyncio.Future[None] = loop.create_future()
        self._receiver: Receiver | None = None

    async def shake_hands(self) -> None:
        """Agree with the peer on keys, and check its certificate.

        Raises:
            OSError: the line broke, or TLS failed (`ssl.SSLError`).
        """
        self._below.listen(self)
        self._shake()
        await self._shaken

    def listen(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._below.resume()
        if self._incoming.pending:
            self._read()

    def write(self, data: bytes | memoryview) -> None:
        try:
            # It encrypts into memory, and `load_context` rules out that it has to read first.
            written = self._tls.write(data)
            while written < len(data):
                written += self._tls.write(memoryview(data)[written:])
        except ssl.SSLError as error:
            self._loop.call_soon(self._end, error)
        else:
            self._below.write(self._outgoing.read())

    def unwritten(self) -> int:
        return self._below.unwritten()

    def pause(self) -> None:
        self._below.pause()

    def resume(self) -> None:
        self._below.resume()

    def look(self) -> None:
        self._below.look()

    def fileno(self) -> int:
        return self._below.fileno()

    def abort(self) -> None:
        self._receiver = None
        self._below.abort()

    def forsake(self) -> None:
        self._receiver = None
        self._below.forsake()

    # --- what the line below calls ---

    def bytes_received(self, nbytes: int) -> None:
        self._incoming.write(self._shared[:nbytes])
        if self._receiver is not None:
            self._read()
        elif not self._shaken.done():
            self._shake()

    def line_ended(self, cause: Exception | None) -> None:
        # Anyone on the way can end a TCP connection; the peer's own end is TLS's goodbye.
        self._end(cause or ConnectionAbortedError("it was cut off without TLS's goodbye"))

    def line_drained(self) -> None:
        if self._receiver is not None:
            self._receiver.line_drained()

    def _shake(self) -> None:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            self._flush()
        except ssl.SSLError as error:
            self._flush()
            self._end(error)
        else:
            self._flush()
            self._shaken.set_result(None)

    def _flush(self) -> None:
        if self._outgoing.pending:
            self._below.write(self._outgoing.read())

    def _read(self) -> None:
        """Open the records that have come, and hand on what is in them."""
        is_full = True
        while is_full and self._receiver is not None:
            is_full = self._fill(self._receiver)

    def _fill(self, receiver: Receiver) -> bool:
        """Fill the target as far as records have come; tell whether there may be more of them.

        They are all taken before the receiver is called, so that it sees at once what belongs to no
        answer.
        """
        tls, incoming, target = self._tls, self._incoming, self.target
        room, filled = len(target), 0
        end: Exception | None = None
        try:
            while filled < room:
                nbytes: Any = tls.read(room - filled, target[filled:])  # a count, given memory
                filled += nbytes
                if not nbytes:
                    self.is_over = True  # TLS's goodbye
                    break
                # A record that did not fit has filled the room; nothing of it is left in between.
                if not incoming.pending:
                    break
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            self.is_over, end = True, error
        self._flush()
        if filled:
            receiver.bytes_received(filled)
        if self.is_over:
            self._end(end)
        return filled == room

    def _end(self, cause: Exception | None) -> None:
        self._below.pause()
        if self._receiver is not None:
            self._receiver.line_ended(cause)
        elif not self._shaken.done():
            self._shaken.set_exception(
                cause or ConnectionResetError("the peer closed the connection")
            )
