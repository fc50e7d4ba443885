"""Sending a request's body: in pieces, no faster than the connection takes them.

A body of one piece goes out with its head and never comes here. Longer ones, and asynchronous
iterables, are sent by a task of their own, so that the response can be read, and the call ended,
while the body is still on its way.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator
from contextlib import aclosing
from typing import TYPE_CHECKING

from tornado_aws.transport.call import NEVER
from tornado_aws.transport.http1 import body_length

if TYPE_CHECKING:
    from tornado_aws.transport.call import Call
    from tornado_aws.transport.connection import Connection

# TLS encrypts what it is given at once; pieces of this size keep the loop's pauses below 0.2 ms.
PIECE = 262144


class BodyError(Exception):
    """The caller's body is not what was promised; the text says how."""


async def upload(connection: Connection, call: Call) -> None:
    """Send the body of `call`, and return when all of it is written or the call has ended.

    Raises:
        BodyError: the body is longer or shorter than stated, or yields what is not bytes.
        Exception: whatever the caller's iterable raises.
    """
    body = call.request.body
    if isinstance(body, AsyncIterable):
        await _send_chunks(connection, call, body)
    elif body is not None:
        await _send_bytes(connection, memoryview(body))


async def _send_bytes(connection: Connection, data: memoryview) -> None:
    for start in range(0, len(data), PIECE):
        await connection.write(data[start : start + PIECE])


async def _send_chunks(connection: Connection, call: Call, body: AsyncIterable[bytes]) -> None:
    length = body_length(call.request)
    sent = 0
    async with _closing(aiter(body)) as source:
        while (chunk := await _next(connection, call, source)) is not None:
            data = _as_view(chunk)
            sent += len(data)
            if length is None:
                await _send_framed(connection, data)
            elif sent <= length:
                await _send_bytes(connection, data)
            else:
                raise BodyError(f"it is longer than the {length} bytes stated")
    if length is None:
        await connection.write(b"0\r\n\r\n")
    elif sent < length:
        raise BodyError(f"it ended after {sent} of the {length} bytes stated")


async def _next(connection: Connection, call: Call, source: AsyncIterator[bytes]) -> bytes | None:
    """Return the caller's next chunk; that it is slow is not the peer's silence."""
    call.since = NEVER
    chunk = await anext(source, None)
    connection.touch(call)
    return chunk


def _as_view(chunk: bytes) -> memoryview:
    try:
        return memoryview(chunk).cast("B")
    except TypeError as error:
        raise BodyError(f"it yielded {type(chunk).__name__}, not bytes") from error


async def _send_framed(connection: Connection, data: memoryview) -> None:
    if data:  # an empty chunk would end the body
        await connection.write(b"%x\r\n" % len(data))
        await _send_bytes(connection, data)
        await connection.write(b"\r\n")


class _closing:  # noqa: N801 - reads as contextlib.aclosing, for iterators that may lack aclose()
    def __init__(self, source: AsyncIterator[bytes]) -> None:
        self._source = source

    async def __aenter__(self) -> AsyncIterator[bytes]:
        return self._source

    async def __aexit__(self, *_exc: object) -> None:
        aclose = getattr(self._source, "aclose", None)
        if aclose is not None:
            await aclose()
