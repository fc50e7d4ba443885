"""A response body that is read while it arrives.

`StreamBuffer` stands between a connection and a reader; the loop reaches it through the connection.
`ResponseStream` is the reader's handle and nothing else refers to it, so that dropping it unread is
noticed and frees the connection.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Protocol

from tornado_aws.exceptions import ReadError
from tornado_aws.transport.call import NEVER, Call

# When this much is unread the connection stops reading: two full reads of the shared buffer, since
# stopping and going on costs two system calls.
HIGH_WATER = 524288

# Pieces of this size are worth more as they are than joined.
_LARGE = 65536


class Supplier(Protocol):
    """What a stream asks of the pool."""

    def watch(self, call: Call) -> None:
        """See to it that the call's deadline is kept."""

    def abandon(self, call: Call) -> None:
        """End the call; nobody waits for it."""


class StreamBuffer:
    """Bytes that came and were not read yet.

    Attributes:
        call: the call whose response it is.
        size: how many bytes wait.
        is_over: whether no more will come.
    """

    __slots__ = ("_chunks", "_error", "_loop", "_supplier", "_waiter", "call", "is_over", "size")

    def __init__(self, call: Call, supplier: Supplier, loop: asyncio.AbstractEventLoop) -> None:
        self.call = call
        self.size = 0
        self.is_over = False
        self._supplier = supplier
        self._loop = loop
        self._chunks: deque[bytes] = deque()
        self._error: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None

    def push(self, data: bytes) -> None:
        """Take bytes from the connection."""
        if data:
            self._chunks.append(data)
            self.size += len(data)
            self._wake()

    def end(self, error: Exception | None = None) -> None:
        """Take the end of the body or, with `error`, what cut it off."""
        if not self.is_over:
            self.is_over = True
            self._error = error
            self._wake()

    async def read(self) -> bytes:
        """Return what waits, or the next bytes that come; b"" at the end."""
        while not self._chunks:
            if self.is_over:
                if self._error is not None:
                    raise self._error
                return b""
            await self._wait()
        if len(self._chunks) == 1 or len(self._chunks[0]) >= _LARGE:
            data = self._chunks.popleft()
        else:
            data = b"".join(self._chunks)
            self._chunks.clear()
        self.size -= len(data)
        if not self.is_over and self.call.connection is not None:
            self.call.connection.resume_reading()
        return data

    def drop(self) -> None:
        """Forget what waits and what would still come."""
        if not self.is_over:
            self._supplier.abandon(self.call)
        self._chunks.clear()
        self.size = 0
        self.end(ReadError("The stream was closed before its end was read"))

    async def _wait(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            raise RuntimeError("another task is reading this stream")
        waiter = self._waiter = self._loop.create_future()
        # Silence counts only while somebody listens.
        self.call.since = self._loop.time()
        self._supplier.watch(self.call)
        try:
            await waiter
        finally:
            if self._waiter is waiter:
                self._waiter = None
                self.call.since = NEVER

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class ResponseStream:
    """A `tornado_aws.transport.BodyStream`: the body of one response as it arrives."""

    __slots__ = ("_buffer", "_loop", "keeper")

    def __init__(self, buffer: StreamBuffer, loop: asyncio.AbstractEventLoop) -> None:
        self._buffer = buffer
        self._loop = loop
        # What must live as long as the stream does: the transport.
        self.keeper: object = None

    async def read_chunk(self) -> bytes:
        """Return the next bytes as they come, b"" at the end.

        Raises:
            ReadError: the connection broke, the body is malformed, or the stream was closed.
            ReadTimeout: nothing came for the read timeout.
            ClientClosedError: the transport was closed.
        """
        return await self._buffer.read()

    def close(self) -> None:
        """Drop the rest; the connection is reused only when the whole body had come."""
        self._buffer.drop()

    def __del__(self) -> None:
        # Garbage may be collected in any thread.
        if not self._buffer.is_over and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._buffer.drop)

    def __repr__(self) -> str:
        state = "over" if self._buffer.is_over else "open"
        return f"<ResponseStream {state}, {self._buffer.size} bytes unread>"
