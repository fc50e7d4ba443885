"""What a connection knows of its own writing; the rest is tested with servers."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator

import pytest

from tests.transport.simple import until
from tornado_aws.transport import Origin, TransportOptions
from tornado_aws.transport.call import Call
from tornado_aws.transport.connection import Connection
from tornado_aws.transport.line import SocketLine
from tornado_aws.transport.proxies import route

ORIGIN = Origin("http", "127.0.0.1", 80)


class Owner:
    """A pool of one connection."""

    max_length = float("inf")

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.view = memoryview(bytearray(65536))

    def finished(self, connection: Connection, call: Call, reusable: bool) -> None:
        raise AssertionError

    def fail(self, call: Call, error: Exception) -> None:
        raise AssertionError

    def lost(self, connection: Connection, call: Call | None, cause: Exception | None) -> None:
        raise AssertionError

    def abandon(self, call: Call) -> None:
        raise AssertionError

    def watch(self, call: Call) -> None:
        raise AssertionError


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two connected sockets; the first one does not block."""
    ours, theirs = socket.socketpair()
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
