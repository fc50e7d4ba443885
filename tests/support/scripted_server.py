"""A small HTTP server on the test's own loop, whose every answer is a function of the request."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple


class Asked(NamedTuple):
    """A request as it arrived; the names of headers are in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes = b""


class Reply(NamedTuple):
    """What to answer; without a status the bytes are sent as they are and the connection ends."""

    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


RAW = 0
BROKEN = Reply(RAW, b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")

Answer = Callable[[Asked], Awaitable[Reply]]


class ScriptedServer:
    """What tests see of the server: where it is and what it was asked."""

    def __init__(self, answer: Answer) -> None:
        self.asked: list[Asked] = []
        self.url = ""
        self.answer = answer
        self._busy: set[asyncio.Task[None]] = set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._busy.add(task)
        try:
            while await self._exchange(reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._busy.discard(task)
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        line, *fields = head.split("\r\n")[:-2]
        method, target, _ = line.split(" ")
        pairs = [field.split(":", 1) for field in fields]
        headers = {name.lower(): value.strip() for name, value in pairs}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        asked = Asked(method, target, headers, body)
        self.asked.append(asked)
        reply = await self.answer(asked)
        writer.write(_rendered(reply))
        await writer.drain()
        return reply.status != RAW

    async def stop(self) -> None:
        """End every connection."""
        for task in list(self._busy):
            task.cancel()
        await asyncio.gather(*self._busy, return_exceptions=True)


def _rendered(reply: Reply) -> bytes:
    if reply.status == RAW:
        return reply.body
    lines = [f"HTTP/1.1 {reply.status} X", f"Content-Length: {len(reply.body)}"]
    lines += [f"{name}: {value}" for name, value in reply.headers]
    return "\r\n".join([*lines, "", ""]).encode() + reply.body


@asynccontextmanager
async def scripted_server(answer: Answer) -> AsyncIterator[ScriptedServer]:
    """Run a server on the running loop."""
    scripted = ScriptedServer(answer)
    server = await asyncio.start_server(scripted._serve, "127.0.0.1", 0)
    scripted.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield scripted
    finally:
        server.close()
        await scripted.stop()
        await server.wait_closed()


async def silence() -> Reply:
    """Never answer."""
    await asyncio.Event().wait()
    raise AssertionError
