"""Bodies of responses that are read while they arrive.

`StreamingBody` and `AsyncEventStream` stand on the transport's own stream, which pauses the socket
while nobody reads and frees the connection when it is closed or dropped. What the first adds:
reading in the portions that a caller wants, and the proof at the end that all of it came,
unaltered. What the second adds: events instead of bytes.
"""

from __future__ import annotations

import asyncio
import inspect
import os
from collections import deque
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Generic, Protocol, Self, TypeAlias, TypeVar

from tornado_aws.event_stream import Decoder, Message
from tornado_aws.exceptions import AWSError, CallError, ReadError
from tornado_aws.transport import BodyStream

__all__ = ["AsyncEventStream", "Check", "Locate", "StreamingBody"]

T = TypeVar("T")
Locate: TypeAlias = Callable[[CallError], CallError]

# What one step takes off the connection and to the disk: a step costs a switch of threads.
PORTION = 262144

# The same where nothing need be joined for it.
_BLOCK = 1 << 20


class Check(Protocol):
    """What is computed of a body while it is read, and compared at its end."""

    def update(self, data: bytes, /) -> object:
        """Take the next bytes."""

    def verify(self) -> None:
        """Raise `ReadError` if what was taken is not what was promised."""


class StreamingBody:
    """The body of a response as an asynchronous stream of bytes.

    It can be read once: all of it or in portions by `read`, piece by piece by ``async for``, by
    lines or into a file. While it is not read the connection waits, and nothing piles up. Reading
    to the end, `close`, the end of ``async with`` and dropping the object free the connection.

    Whoever reads to the end knows that the whole body came: a length or a checksum that does not
    match raises `ReadError` instead of giving the last bytes.

    Args:
        stream: the transport's stream.
        content_length: how many bytes are to come; None when that is not known.
        check: a checksum to verify at the end.
        locate: notes in an error which call it ended.

    Attributes:
        content_length: as given.
    """

    def __init__(
        self,
        stream: BodyStream,
        content_length: int | None = None,
        check: Check | None = None,
        locate: Locate = CallError.keep,
    ) -> None:
        self.content_length = content_length
        self._stream = stream
        self._check = check
        self._locate = locate
        self._pieces: deque[bytes] = deque()
        self._size = 0
        self._received = 0
        self._is_over = False
        self._error: ReadError | None = None

    async def read(self, amt: int | None = None) -> bytes:
        """Return the rest of the body, or the next bytes of it.

        A call that is cancelled loses nothing: the next one begins where it began.

        Args:
            amt: how many bytes; fewer come at the end only, b"" behind it. None or a negative
                number for all.

        Raises:
            ReadError: the connection broke, the body is not what was promised, or it was closed
                before it was read.
            ReadTimeout: nothing came for the read timeout.
            ClientClosedError: the client was closed.
        """
        wanted = None if amt is None or amt < 0 else amt
        while (wanted is None or self._size < wanted) and await self._receive():
            pass
        return self._take(self._size if wanted is None else min(wanted, self._size))

    async def read_pieces(self, amt: int) -> list[bytes]:
        """Return the next bytes as they lie there, for who need not have them joined.

        What had come before the connection broke is given first, the error by the next call.

        Args:
            amt: how many bytes at least; fewer come at the end only, an empty list behind it.

        Raises:
            ReadError: as for `read`.
        """
        try:
            while self._size < amt and await self._receive():
                pass
        except CallError:
            if not self._size:
                raise
        pieces = list(self._pieces)
        self._pieces.clear()
        self._size = 0
        return pieces

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        """Return the next bytes as they come."""
        if not self._pieces and not await self._receive():
            raise StopAsyncIteration
        piece = self._pieces.popleft()
        self._size -= len(piece)
        return piece

    async def iter_chunks(self, chunk_size: int = PORTION) -> AsyncIterator[bytes]:
        """Iterate over the body in pieces of `chunk_size` bytes; the last may be shorter.

        Raises:
            ValueError: `chunk_size` is not positive.
            ReadError: as for `read`.
        """
        if chunk_size < 1:
            raise ValueError(f"chunk_size is {chunk_size}; it must be positive")
        while chunk := await self.read(chunk_size):
            yield chunk

    async def iter_lines(self, *, keepends: bool = False) -> AsyncIterator[bytes]:
        """Iterate over the lines of the body, which a line feed ends.

        Args:
            keepends: leave the line feed, and a carriage return before it, at the end.

        Raises:
            ReadError: as for `read`.
        """
        begun: list[bytes] = []
        async for piece in self:
            *whole, rest = piece.split(b"\n")
            for line in whole:
                begun.append(line)
                yield _line(b"".join(begun), keepends)
                begun.clear()
            if rest:
                begun.append(rest)
        if begun:
            yield b"".join(begun)

    async def copy_to(self, target: str | os.PathLike[str] | IO[bytes]) -> int:
        """Write the rest of the body into a file, without blocking the loop.

        Args:
            target: a path, where the file is made or replaced, or a file open for writing, whose
                methods run in other threads; an asynchronous ``write`` is awaited.

        Returns:
            How many bytes were written.

        Raises:
            OSError: the file cannot be written. What was written stays.
            ReadError: as for `read`. What was written stays.
        """
        if not isinstance(target, (str, os.PathLike)):
            return await self._write_to(target.write)
        loop = asyncio.get_running_loop()
        file = await loop.run_in_executor(None, _create, target)
        written = 0
        try:
            while pieces := await self.read_pieces(_BLOCK):
                await loop.run_in_executor(None, file.writelines, pieces)
                written += sum(map(len, pieces))
        finally:
            await loop.run_in_executor(None, file.close)
        return written

    async def _write_to(self, write: Callable[[bytes], Any]) -> int:
        written = 0
        is_async = inspect.iscoroutinefunction(write)
        loop = asyncio.get_running_loop()
        while data := await self.read(PORTION):
            await (write(data) if is_async else loop.run_in_executor(None, write, data))
            written += len(data)
        return written

    def close(self) -> None:
        """Drop what was not read; the connection is free. Idempotent."""
        if self._size or not self._is_over:
            error = ReadError("The stream was closed before its end was read")
            self._error = self._error or error
        self._pieces.clear()
        self._size = 0
        if not self._is_over:
            self._stream.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    async def _receive(self) -> bool:
        """Take the next bytes off the connection; False when there are none left."""
        if self._error is not None:
            raise self._locate(self._error)
        if self._is_over:
            return False
        try:
            return await self._receive_some()
        except CallError as error:
            self._locate(error)
            raise

    async def _receive_some(self) -> bool:
        piece = await self._stream.read_chunk()
        if piece:
            self._keep(piece)
            if self._received != self.content_length:
                return True
            # Whoever has read as much as was promised may not come back for the proof.
            piece = await self._stream.read_chunk()
        if piece:
            self._keep(piece)
        else:
            self._finish()
        return self._size > 0

    def _keep(self, piece: bytes) -> None:
        self._received += len(piece)
        if self._check is not None:
            self._check.update(piece)
        self._pieces.append(piece)
        self._size += len(piece)

    def _finish(self) -> None:
        """Compare what came with what was promised."""
        self._is_over = True
        try:
            if self.content_length not in (None, self._received):
                raise ReadError(
                    f"The body ended after {self._received} of {self.content_length} bytes",
                    error="incomplete body",
                )
            if self._check is not None:
                self._check.verify()
        except ReadError as error:
            self._error = error
            self._pieces.clear()
            self._size = 0
            raise

    def _take(self, amount: int) -> bytes:
        """Return the first bytes of those that wait; there are enough."""
        if amount == self._size:
            data = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
            self._pieces.clear()
            self._size = 0
            return data
        taken: list[bytes] = []
        missing = amount
        while missing:
            piece = self._pieces.popleft()
            if len(piece) > missing:
                self._pieces.appendleft(piece[missing:])
                piece = piece[:missing]
            taken.append(piece)
            missing -= len(piece)
        self._size -= amount
        return b"".join(taken)

    def __repr__(self) -> str:
        of = "" if self.content_length is None else f" of {self.content_length}"
        return f"<StreamingBody {self._received}{of} bytes received>"


class AsyncEventStream(Generic[T]):
    """The events of a response as they arrive: ``async for event in stream``.

    An event is a dict with one key, its type, as in ``{"chunk": {...}}``. An error that the service
    reports within the stream is raised as its class. The end of the stream, an error, `close`, the
    end of ``async with`` and dropping the object free the connection.

    Args:
        stream: the transport's stream.
        read: from a message to an event, None for one to be passed over.
        locate: notes in an error which call it ended.
    """

    def __init__(
        self,
        stream: BodyStream,
        read: Callable[[Message], T | None],
        locate: Locate = CallError.keep,
    ) -> None:
        self._stream = stream
        self._read = read
        self._locate = locate
        self._decoder = Decoder()
        self._messages: deque[Message] = deque()
        self._is_over = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        """Return the next event.

        Raises:
            AWSError: the service reports an error, and the stream is over.
            ReadError: the connection broke, what came is no event stream, or it was closed before
                its end.
            ReadTimeout: nothing came for the read timeout.
            ResponseParserError: an event is not what the model says; the next one may be.
            ClientClosedError: the client was closed.
        """
        while (message := await self.next_message()) is not None:
            try:
                event = self._read(message)
            except CallError as error:
                self._locate(error)
                if isinstance(error, AWSError):
                    self.close()
                raise
            if event is not None:
                return event
        raise StopAsyncIteration

    async def next_message(self) -> Message | None:
        """Return the next message as it stands, None at the end.

        Raises:
            ReadError: as for the events.
        """
        while not self._messages and not self._is_over:
            try:
                if self._decoder.error is not None:
                    raise self._decoder.error
                data = await self._stream.read_chunk()
                self._messages.extend(self._decoder.feed(data))
                if not data:
                    self._decoder.end()
            except CallError as error:
                self._locate(error)
                self.close()
                raise
            self._is_over = not data
        return self._messages.popleft() if self._messages else None

    def close(self) -> None:
        """Drop the events that were not read; the connection is free. Idempotent."""
        self._messages.clear()
        if not self._is_over:
            self._is_over = True
            self._stream.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<AsyncEventStream {'over' if self._is_over else 'open'}>"


def _line(line: bytes, keepends: bool) -> bytes:
    return line + b"\n" if keepends else line.removesuffix(b"\r")


def _create(path: str | os.PathLike[str]) -> IO[bytes]:
    return Path(path).open("wb")
