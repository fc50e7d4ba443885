"""Bodies of requests that are read while they are sent: files, paths and iterables.

`open_body` makes one thing of all of them: an asynchronous iterable of bytes that knows its length,
if anybody does, and whether it can be read again. What may block runs in other threads; nothing is
read ahead of what the connection takes.
"""

from __future__ import annotations

import asyncio
import inspect
import io
import os
import threading
import time
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, Protocol, TypeAlias, TypeVar, runtime_checkable

from tornado_aws.exceptions import ParamValidationError

__all__ = [
    "PIECE",
    "Body",
    "Piece",
    "aclose",
    "as_bytes",
    "blocking_pieces",
    "open_body",
    "read_short",
    "stepwise",
]

T = TypeVar("T")
Piece: TypeAlias = bytes | memoryview

# A switch of threads costs as much as reading twice this from a cached file; a part of a transfer
# has several such buffers. With what frames it in ``aws-chunked`` it is two whole portions of
# `tornado_aws.transport.upload`.
PIECE = (1 << 19) - 4096

# Pieces of a source that may be slow.
_SMALL_PIECE = 262144

# Small pieces of a synchronous iterable are collected for so long before they are sent, in seconds.
_PATIENCE = 0.05


@runtime_checkable
class Body(Protocol):
    """A body that is read while it is sent; each iteration reads it from its start.

    Attributes:
        length: in bytes, None when it is not known.
        is_replayable: whether it can be read more than once.
        is_lent: whether a piece is as it is only until the next one is asked for. New memory for
            each would cost as much as encrypting it does.
    """

    length: int | None
    is_replayable: bool
    is_lent: bool

    def __aiter__(self) -> AsyncIterator[Piece]: ...


async def open_body(value: object) -> Body:
    """Return the body that a caller's value is.

    Args:
        value: a path, a file open in binary mode (read from where it stands), an object with an
            asynchronous ``read``, an asynchronous iterable or an iterable of bytes.

    Raises:
        OSError: the file cannot be opened.
        ParamValidationError: it is none of these, or a file open in text mode.
    """
    read = getattr(value, "read", None)
    if isinstance(value, os.PathLike):
        return await _off_loop(_path_body, value)
    if inspect.iscoroutinefunction(read):
        return _AsyncBody(_read_pieces(read), getattr(value, "content_length", None))
    if isinstance(value, AsyncIterable):
        return _AsyncBody(value, None)
    if isinstance(value, io.TextIOBase):
        raise ParamValidationError(
            "A file open in text mode cannot be sent: open it in binary mode ('rb')"
        )
    if read is not None:
        return await _off_loop(_file_body, value)
    if isinstance(value, Iterable):
        return _IterableBody(value)
    raise ParamValidationError(f"A {type(value).__name__} cannot be sent as a body")


class _FileBody:
    """An open file that can be read from any place."""

    is_replayable = True
    is_lent = True

    def __init__(self, file: IO[bytes], start: int, length: int) -> None:
        self.length: int | None = length
        self._file = file
        self._start = start
        self._lock = threading.Lock()

    def __aiter__(self) -> AsyncIterator[Piece]:
        return stepwise(self.blocking())

    def blocking(self) -> Iterator[Piece]:
        """Iterate in a thread that may be blocked."""
        position = self._start
        buffer = memoryview(bytearray(PIECE))
        while data := self._read(position, buffer):
            position += len(data)
            yield data

    def _read(self, position: int, buffer: memoryview) -> Piece:
        # An attempt that was given up may still be reading when the next one begins.
        with self._lock:
            self._file.seek(position)
            return _filled(self._file, buffer)


class _PathBody:
    """A file that is opened for each reading."""

    is_replayable = True
    is_lent = True

    def __init__(self, path: Path, length: int) -> None:
        self.length: int | None = length
        self._path = path

    def __aiter__(self) -> AsyncIterator[Piece]:
        return stepwise(self.blocking())

    def blocking(self) -> Iterator[Piece]:
        """Iterate in a thread that may be blocked."""
        buffer = memoryview(bytearray(PIECE))
        with self._path.open("rb", buffering=0) as file:
            while data := _filled(file, buffer):
                yield data


class _IterableBody:
    """Pieces from an iterable that may block."""

    is_lent = False

    def __init__(self, pieces: Iterable[Any]) -> None:
        self.is_replayable = isinstance(pieces, Sequence)
        self.length = _total(pieces) if isinstance(pieces, Sequence) else None
        self._pieces = pieces

    def __aiter__(self) -> AsyncIterator[Piece]:
        return stepwise(self.blocking())

    def blocking(self) -> Iterator[Piece]:
        """Iterate in a thread that may be blocked; small pieces are put together."""
        pieces: list[bytes] = []
        size, since = 0, time.monotonic()
        for piece in self._pieces:
            data = as_bytes(piece)
            pieces.append(data)
            size += len(data)
            if size >= _SMALL_PIECE or time.monotonic() - since > _PATIENCE:
                yield b"".join(pieces)
                pieces, size, since = [], 0, time.monotonic()
        yield b"".join(pieces)


class _AsyncBody:
    """Pieces from an asynchronous iterable."""

    is_replayable = False
    is_lent = False

    def __init__(self, pieces: AsyncIterable[bytes], length: int | None) -> None:
        self.length = length
        self._pieces = pieces

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(self._pieces)


class _BegunBody:
    """A body whose first pieces have been read already."""

    is_replayable = False
    is_lent = False
    length: int | None = None

    def __init__(self, begun: list[bytes], rest: AsyncIterator[Piece]) -> None:
        self._begun = begun
        self._rest = rest

    async def __aiter__(self) -> AsyncIterator[Piece]:
        try:
            while self._begun:
                yield self._begun.pop(0)
            async for piece in self._rest:
                yield piece
        finally:
            await aclose(self._rest)


async def read_short(body: Body, limit: int) -> bytes | Body:
    """Return all of a body that can be read once, or a body with the same bytes if it is long.

    Args:
        body: the body, which cannot be used any more.
        limit: how many bytes are short, and how many are read at once at most but for one piece.
    """
    begun: list[bytes] = []
    size = 0
    pieces = aiter(body)
    try:
        async for piece in pieces:
            begun.append(as_bytes(piece))
            size += len(piece)
            if size > limit:
                return _BegunBody(begun, pieces)
    except BaseException:
        await aclose(pieces)
        raise
    return b"".join(begun)


def as_bytes(piece: object) -> bytes:
    """Return a piece of a body as bytes: a copy if its owner may fill it anew for the next piece.

    Raises:
        ParamValidationError: it is something else.
    """
    if isinstance(piece, bytes):
        return piece
    if isinstance(piece, (bytearray, memoryview)):
        return bytes(piece)
    raise ParamValidationError(f"A body's pieces must be bytes, not {type(piece).__name__}")


async def aclose(iterator: AsyncIterator[Piece]) -> None:
    """End a generator that may not have been read to its end."""
    end = getattr(iterator, "aclose", None)
    if end is not None:
        await end()


def blocking_pieces(body: Body) -> Iterator[Piece]:
    """Return a replayable body's pieces for a thread that may be blocked."""
    if not isinstance(body, (_FileBody, _PathBody, _IterableBody)):
        raise TypeError(f"{body!r} cannot be read in another thread")
    return body.blocking()


def _path_body(value: os.PathLike[str]) -> Body:
    """Return the body that a path leads to; a pipe is opened once, for who writes sees it close."""
    path = Path(value)
    file = path.open("rb")
    if not file.seekable():
        return _IterableBody(_all_of(file))
    with file:
        return _PathBody(path, os.fstat(file.fileno()).st_size)


def _all_of(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while data := file.read(_SMALL_PIECE):
            yield data


def _file_body(file: IO[bytes]) -> Body:
    """Return the body of an open file; one that cannot be read again is an iterable."""
    seekable = getattr(file, "seekable", None)
    if seekable is None or not seekable():
        return _IterableBody(iter(lambda: file.read(_SMALL_PIECE), b""))
    start = file.tell()
    file.seek(0, os.SEEK_END)  # what it returns is not the same for all that look like files
    end = file.tell()
    file.seek(start)
    return _FileBody(file, start, max(0, end - start))


def _filled(file: Any, buffer: memoryview) -> Piece:
    """Return the next bytes of a file, in the buffer where it can read into one."""
    read_into = getattr(file, "readinto", None)
    return file.read(len(buffer)) if read_into is None else buffer[: read_into(buffer)]


async def _read_pieces(read: Callable[[int], Any]) -> AsyncIterator[bytes]:
    while data := await read(_SMALL_PIECE):
        yield data


async def stepwise(pieces: Iterator[Piece]) -> AsyncIterator[Piece]:
    """Iterate over what may block, each step in another thread."""
    try:
        while (piece := await _off_loop(_next, pieces)) is not None:
            if piece:
                yield piece
    finally:
        # A step under way when the caller was cancelled still holds the generator.
        close = getattr(pieces, "close", None)
        if close is not None and not getattr(pieces, "gi_running", False):
            close()


def _next(pieces: Iterator[Piece]) -> Piece | None:
    return next(pieces, None)


async def _off_loop(function: Callable[..., T], *args: Any) -> T:
    return await asyncio.get_running_loop().run_in_executor(None, function, *args)


def _total(pieces: Sequence[Any]) -> int:
    return sum(len(as_bytes(piece)) for piece in pieces)
