"""Sending a request's body: in pieces, no faster than the connection takes them.

A body of one piece goes out with its head and never comes here. Longer ones, and asynchronous
iterables, are sent by a task of their own, so that the response can be read, and the call ended,
while the body is still on its way.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator
from typing import TYPE_CHECKING

from tornado_aws.transport import Request, errors
from tornado_aws.transport.http1 import body_length

if TYPE_CHECKING:
    from tornado_aws.transport.call import Call
    from tornado_aws.transport.connection import Connection

# TLS encrypts what it is given at once; pieces of this size keep the loop's pauses below 0.2 ms.
PIECE = 262144

# Copying so much costs less than two more system calls.
_SMALL = 65536


class BodyError(Exception):
    """The caller's body is not what was promised; the text says how."""


async def upload(connection: Connection, call: Call) -> None:
    """Send the body of `call`, and return when all of it is written or the call has ended.

    Raises:
        BodyError: the body is longer or shorter than stated, or yields what is not bytes.
        Exception: whatever the caller's iterable raises.
    """
    body = call.request.body
    if body is None or isinstance(body, bytes):
        await _send_last(connection, memoryview(body or b""))
        return
    source = _Source(connection, call, body)
    try:
        length = body_length(call.request)
        if length is None:
            await _send_chunked(connection, source)
        else:
            await _send_exactly(connection, source, length)
    finally:
        await source.aclose()


async def without_body(request: Request) -> Request:
    """Return a request whose body must have 0 bytes without that body, if it is an iterable.

    The head is all of such a request: sent before the iterable has ended, it would be executed
    although the body is not what was promised.

    Raises:
        RequestException: the iterable gives bytes, or fails; nothing was sent.
    """
    if not isinstance(request.body, AsyncIterable):
        return request
    try:
        await _read_nothing(request.body)
    except Exception as error:  # the caller's own iterable may raise anything
        failure = errors.body_failed(request.origin, error, 0)
        failure.sent = False
        raise failure from error
    return Request(
        request.origin,
        request.method,
        request.target,
        request.fields,
        stream=request.stream,
        may_resend=request.may_resend,
    )


async def _read_nothing(body: AsyncIterable[bytes | memoryview]) -> None:
    iterator = aiter(body)
    try:
        async for chunk in iterator:
            if _as_view(chunk):
                raise BodyError("it is longer than the 0 bytes stated")
    finally:
        await _aclose(iterator)


async def _send_exactly(connection: Connection, source: _Source, length: int) -> None:
    missing, data = length, memoryview(b"")
    while missing > 0:
        piece = await source.next()
        if piece is None:
            raise BodyError(f"it ended after {length - missing} of the {length} bytes stated")
        data = piece
        missing -= len(data)
        if missing > 0:
            await _send(connection, data)
    # The last bytes wait until the source has ended: the server must not take part for the whole.
    if missing < 0 or await source.next() is not None:
        raise BodyError(f"it is longer than the {length} bytes stated")
    await _send_last(connection, data)


async def _send_chunked(connection: Connection, source: _Source) -> None:
    while (data := await source.next()) is not None:
        size = b"%x\r\n" % len(data)
        if len(data) <= _SMALL:
            await connection.write(b"".join((size, data, b"\r\n")))
        else:
            await connection.write(size)
            await _send(connection, data)
            await connection.write(b"\r\n")
    await _send_last(connection, memoryview(b"0\r\n\r\n"))


async def _send(connection: Connection, data: memoryview) -> None:
    for start in range(0, len(data), PIECE):
        await connection.write(data[start : start + PIECE])


async def _send_last(connection: Connection, data: memoryview) -> None:
    last = max(0, len(data) - PIECE)
    await _send(connection, data[:last])
    await connection.write(data[last:], is_last=True)


class _Source:
    """The caller's iterable: pieces that are bytes and not empty.

    Attributes:
        is_lent: whether the iterable fills its last piece's memory anew when it is asked for the
            next one. It does not when there is none.
    """

    def __init__(
        self, connection: Connection, call: Call, body: AsyncIterable[bytes | memoryview]
    ) -> None:
        self._connection = connection
        self._call = call
        self._iterator = aiter(body)
        self.is_lent = getattr(body, "is_lent", False)

    async def next(self) -> memoryview | None:
        """Return the next piece, None at the end."""
        self._connection.rest(self._call)
        try:
            async for chunk in self._iterator:
                data = chunk if self.is_lent else _as_view(chunk)
                if data:
                    return memoryview(data)
            return None
        finally:
            self._connection.touch(self._call)

    async def aclose(self) -> None:
        await _aclose(self._iterator)


async def _aclose(iterator: AsyncIterator[bytes | memoryview]) -> None:
    """End a generator that was not read to its end."""
    aclose = getattr(iterator, "aclose", None)
    if aclose is not None:
        await aclose()


def _as_view(chunk: bytes | bytearray | memoryview) -> memoryview:
    if isinstance(chunk, bytes):
        return memoryview(chunk)
    try:
        # A copy: the transport may hold it when the caller fills his buffer anew.
        return memoryview(bytes(memoryview(chunk)))
    except TypeError as error:
        raise BodyError(f"it yielded {type(chunk).__name__}, not bytes") from error
