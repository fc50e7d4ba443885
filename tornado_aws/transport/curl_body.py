"""Bodies in motion: the caller's chunks on their way into libcurl, libcurl's on their way out.

libcurl asks for bytes and hands over bytes in callbacks that cannot wait. `Upload` and `Inbox` are
the two buffers in between, each with a limit: an empty upload pauses sending until the caller's
iterable gives more, a full inbox pauses receiving until the caller has read.
"""

from __future__ import annotations

import asyncio
import io
from collections import deque
from collections.abc import AsyncIterable, Callable

import pycurl

from tornado_aws.exceptions import ReadError
from tornado_aws.transport.upload import BodyError

# Each holds about one socket buffer's worth: enough to keep a fast connection busy while the other
# side has its turn, little enough for hundreds of streams.
UPLOAD_BUFFER = 256 * 1024
INBOX_BUFFER = 256 * 1024


class Upload:
    """A body from an asynchronous iterable.

    The last bytes of a body of known length are held back until the iterable has ended: a body that
    turns out too long is then never complete at the server, and nothing is stored.

    Args:
        body: gives the chunks.
        length: how many bytes they must be in total; None for any number.
        resume: called, outside of libcurl, when paused sending can go on.

    Attributes:
        starved: whether sending is paused.
    """

    def __init__(
        self,
        body: AsyncIterable[bytes | memoryview],
        length: int | None,
        resume: Callable[[], None],
    ) -> None:
        self._body = body
        self._length = length
        self._resume = resume
        self._queue: deque[memoryview] = deque()
        self._queued = 0
        self._taken = 0
        self._given = False
        self._ended = False
        self._room: asyncio.Future[None] | None = None
        self.starved = False

    async def feed(self) -> None:
        """Move the body from the iterable into the buffer, to its end.

        Raises:
            BodyError: the iterable gave too few or too many bytes, or what is not bytes.
            Exception: whatever the iterable raised.
        """
        iterator = aiter(self._body)
        try:
            held = b""
            async for piece in iterator:
                self._count(piece)
                # A copy: its owner may fill it anew before libcurl takes it.
                chunk = bytes(piece)
                if self._taken == self._length:
                    held = held or chunk
                else:
                    await self._put(chunk)
        finally:
            close = getattr(iterator, "aclose", None)
            if close is not None:
                await close()
        if self._length is not None and self._taken < self._length:
            raise BodyError(f"it ended after {self._taken} of the {self._length} bytes stated")
        self._ended = True
        await self._put(held)

    def _count(self, chunk: bytes | memoryview) -> None:
        if not isinstance(chunk, bytes | bytearray | memoryview):
            raise BodyError(f"it yielded {type(chunk).__name__}, not bytes")
        self._taken += len(chunk)
        if self._length is not None and self._taken > self._length:
            raise BodyError(f"it is longer than the {self._length} bytes stated")

    async def _put(self, chunk: bytes) -> None:
        if chunk:
            self._queue.append(memoryview(chunk).cast("B"))
            self._queued += len(chunk)
        if self.starved:
            self.starved = False
            self._resume()
        if self._queued >= UPLOAD_BUFFER:
            self._room = asyncio.get_running_loop().create_future()
            await self._room

    def rewind(self, offset: int, _origin: int) -> int:
        """Tell libcurl whether it can begin again on another connection: if nothing was taken."""
        if offset == 0 and not self._given:
            return pycurl.SEEKFUNC_OK
        return pycurl.SEEKFUNC_FAIL

    def read(self, size: int) -> bytes | int:
        """Give libcurl up to `size` bytes, b"" at the end; libcurl's word for a pause if empty."""
        if not self._queue:
            if self._ended:
                self._given = True  # with a body of no bytes the whole request
                return b""
            self.starved = True
            return pycurl.READFUNC_PAUSE
        chunk = self._queue.popleft()
        if len(chunk) > size:
            self._queue.appendleft(chunk[size:])
            chunk = chunk[:size]
        self._queued -= len(chunk)
        self._given = True
        if self._room is not None and self._queued < UPLOAD_BUFFER:
            if not self._room.done():
                self._room.set_result(None)
            self._room = None
        return bytes(chunk)


class SingleUse:
    """A body in memory that libcurl can read only once.

    Left to itself libcurl sends a request again when a kept connection breaks before an answer.

    Args:
        data: the body.
    """

    def __init__(self, data: bytes) -> None:
        self._file = io.BytesIO(data)
        self.read = self._file.read

    def rewind(self, offset: int, _origin: int) -> int:
        """Tell libcurl whether it can begin again on another connection: if nothing was taken."""
        is_unread = offset == 0 and self._file.tell() == 0
        return pycurl.SEEKFUNC_OK if is_unread else pycurl.SEEKFUNC_FAIL


class Inbox:
    """The part of a streamed response that has come and was not read.

    Args:
        resume: called, outside of libcurl, when paused receiving can go on.

    Attributes:
        ended: whether no more will come.
        full: whether receiving is paused.
        awaited_since: since when, on the loop's clock, a reader waits; None when none does.
    """

    def __init__(self, resume: Callable[[], None]) -> None:
        self._resume = resume
        self._chunks: list[bytes] = []
        self._size = 0
        self._failure: Exception | None = None
        self._arrival: asyncio.Future[None] | None = None
        self.ended = False
        self.full = False
        self.awaited_since: float | None = None

    def write(self, data: bytes) -> int | None:
        """Take bytes from libcurl, or give its word for a pause: it offers them again."""
        if self._size >= INBOX_BUFFER:
            self.full = True
            return pycurl.WRITEFUNC_PAUSE
        self._chunks.append(data)
        self._size += len(data)
        self._wake()
        return None

    def end(self, failure: Exception | None = None) -> None:
        """Take the end of the body, or the reason why it never comes."""
        if not self.ended:
            self.ended = True
            self._failure = failure
            self._wake()

    def drop(self) -> None:
        """Forget what has come and what would still come."""
        self._chunks.clear()
        self._size = 0
        self.end(ReadError("The stream was closed before its end was read"))

    async def read(self) -> bytes:
        """Return what has come, at least a byte; b"" at the end.

        Raises:
            RequestException: the body broke off.
        """
        while not self._chunks and not self.ended:
            await self._wait()
        if self._chunks:
            return self._take()
        if self._failure is not None:
            raise self._failure
        return b""

    async def _wait(self) -> None:
        if self._arrival is not None and not self._arrival.done():
            raise RuntimeError("another task is reading this stream")
        loop = asyncio.get_running_loop()
        arrival = self._arrival = loop.create_future()
        self.awaited_since = loop.time()
        try:
            await arrival
        finally:
            if self._arrival is arrival:
                self._arrival = self.awaited_since = None

    def _take(self) -> bytes:
        data = b"".join(self._chunks)
        self._chunks.clear()
        self._size = 0
        if self.full:
            self.full = False
            self._resume()
        return data

    def _wake(self) -> None:
        if self._arrival is not None and not self._arrival.done():
            self._arrival.set_result(None)


class CurlBodyStream:
    """A `tornado_aws.transport.BodyStream`: the body of one response as it arrives.

    Args:
        inbox: where it arrives.
        abandon: ends the transfer early; called outside of libcurl.
        loop: the loop it belongs to.

    Attributes:
        keeper: what must live as long as the stream does: the transport.
    """

    def __init__(
        self, inbox: Inbox, abandon: Callable[[], None], loop: asyncio.AbstractEventLoop
    ) -> None:
        self._inbox = inbox
        self._abandon = abandon
        self._loop = loop
        self.keeper: object = None

    async def read_chunk(self) -> bytes:
        """Return the next bytes as they come, b"" at the end.

        Raises:
            ReadError: the connection broke, the body is malformed, or the stream was closed.
            ReadTimeout: nothing came for the read timeout.
            ClientClosedError: the transport was closed.
        """
        return await self._inbox.read()

    def close(self) -> None:
        """Drop the rest; the connection is reused only when the whole body had come."""
        if not self._inbox.ended:
            self._abandon()
        self._inbox.drop()

    def __del__(self) -> None:
        # Garbage may be collected anywhere, within libcurl too, where no transfer can be ended.
        if not self._inbox.ended and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._abandon)

    def __repr__(self) -> str:
        return f"<CurlBodyStream {'over' if self._inbox.ended else 'open'}>"
