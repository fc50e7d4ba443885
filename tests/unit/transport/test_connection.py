"""What a connection knows of its own writing; the rest is tested with servers."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.transport.server import response
from tests.transport.simple import get, post, until
from tornado_aws.transport import Origin, Request, Timeouts, TransportOptions
from tornado_aws.transport.call import Call
from tornado_aws.transport.connection import Connection
from tornado_aws.transport.line import SocketLine
from tornado_aws.transport.proxies import route
from tornado_aws.transport.streams import HIGH_WATER
from tornado_aws.transport.upload import PIECE

ORIGIN = Origin("http", "127.0.0.1", 80)


class Owner:
    """A pool of one connection."""

    max_length = float("inf")

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.view = memoryview(bytearray(HIGH_WATER))
        self.reusable: list[bool] = []

    def finished(self, connection: Connection, call: Call, reusable: bool) -> None:
        self.reusable.append(reusable)

    def fail(self, call: Call, error: Exception) -> None:
        raise AssertionError

    def lost(self, connection: Connection, call: Call | None, cause: Exception | None) -> None:
        raise AssertionError

    def abandon(self, call: Call) -> None:
        raise AssertionError

    def watch(self, call: Call) -> None:
        """Do nothing: there is no timer."""


def call_of(request: Request) -> Call:
    """Return a call that is ready to be sent."""
    way = route(TransportOptions(), request.origin)
    future = asyncio.get_running_loop().create_future()
    return Call(request, Timeouts(), way, b"GET / HTTP/1.1\r\n\r\n", future, 0.0)


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two connected sockets; the first one does not block."""
    ours, theirs = socket.socketpair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    ours.setblocking(False)
    theirs.settimeout(5)
    yield ours, theirs
    ours.close()
    theirs.close()


def test_only_bytes_that_move_are_progress(ends: tuple[socket.socket, socket.socket]) -> None:
    """What waits when writing begins to wait is where the count begins."""
    ours, theirs = ends

    async def main() -> None:
        owner = Owner()
        line = SocketLine(owner.loop, ours, owner.view)
        connection = Connection(owner, route(TransportOptions(), ORIGIN), line)
        assert not connection.has_progressed()
        writing = asyncio.create_task(connection.write(b"x" * 4_000_000))
        await until(line.unwritten)
        assert not connection.has_progressed()
        waiting = line.unwritten()
        theirs.recv(200_000)
        await until(lambda: line.unwritten() < waiting)
        assert connection.has_progressed()
        assert not connection.has_progressed()
        writing.cancel()
        connection.abort()

    asyncio.run(main())


def test_the_silence_begins_when_all_is_written(ends: tuple[socket.socket, socket.socket]) -> None:
    """A body that went out with its head, but had to wait, is sent until then."""
    ours, theirs = ends

    async def main() -> None:
        owner = Owner()
        line = SocketLine(owner.loop, ours, owner.view)
        connection = Connection(owner, route(TransportOptions(), ORIGIN), line)
        call = call_of(post(ORIGIN, b"x" * PIECE))
        connection.start(call)
        assert line.unwritten()
        began = call.since
        theirs.setblocking(False)
        while line.unwritten():
            with suppress(BlockingIOError):
                theirs.recv(65536)
            await asyncio.sleep(0)
        assert call.since > began
        connection.abort()

    asyncio.run(main())


def test_no_memory_is_held_for_a_body_that_does_not_come(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    """Exceptions keep frames, which keep the memory that the rest was to be received into."""
    ours, theirs = ends

    async def main() -> None:
        owner = Owner()
        line = SocketLine(owner.loop, ours, owner.view)
        connection = Connection(owner, route(TransportOptions(), ORIGIN), line)
        connection.start(call_of(get(ORIGIN)))
        theirs.sendall(response(b"x" * 200_000)[:100])
        await until(lambda: line.target is not owner.view)
        room = line.target
        connection.abort()
        with pytest.raises(ValueError, match="released"):
            room.tobytes()

    asyncio.run(main())


def test_a_connection_is_read_again_after_a_stream_that_had_to_wait(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    """TLS may hand over the rest of a body after the pause: records that had come already."""
    ours, theirs = ends

    async def main() -> None:
        owner = Owner()
        line = SocketLine(owner.loop, ours, owner.view)
        connection = Connection(owner, route(TransportOptions(), ORIGIN), line)

        def receive(data: bytes) -> None:
            owner.view[: len(data)] = data
            connection.bytes_received(len(data))

        connection.start(call_of(get(ORIGIN, stream=True)))
        receive(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (3 * HIGH_WATER))
        for _ in range(3):
            receive(b"x" * HIGH_WATER)
        assert owner.reusable == [True]
        following = call_of(get(ORIGIN))
        connection.start(following)
        theirs.sendall(response(b"answer"))
        assert (await asyncio.wait_for(following.future, 5)).body == b"answer"
        connection.abort()

    asyncio.run(main())
