"""Connecting to a name that has several addresses."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from tornado_aws.transport import addresses
from tornado_aws.transport.addresses import AddressInfo, alternate, connect

V4, V6 = socket.AF_INET, socket.AF_INET6


def info(family: int, host: str, port: int = 80) -> AddressInfo:
    """Make what getaddrinfo gives for an address."""
    address: tuple[Any, ...] = (host, port) if family == V4 else (host, port, 0, 0)
    return family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", address


class NamingLoop(asyncio.SelectorEventLoop):
    """An event loop whose resolver knows one name."""

    def __init__(self, found: list[AddressInfo]) -> None:
        super().__init__()
        self.found = found

    async def getaddrinfo(self, host: Any, port: Any, **_options: Any) -> Any:
        assert host == "name.invalid"
        return self.found


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A port that accepts."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


@pytest.fixture
def refusing() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
    return port


@pytest.fixture
def stalling() -> Iterator[int]:
    """A port where connections are neither made nor refused: its backlog is full."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(listening.getsockname())
        yield listening.getsockname()[1]
        for filler in fillers:
            filler.close()


def connect_by_name(found: list[AddressInfo]) -> tuple[str, int]:
    """Connect to the name that has these addresses; return the one that answered."""

    async def run() -> tuple[str, int]:
        with await connect(loop, "name.invalid", 80) as sock:
            assert sock.gettimeout() == 0
            host, port = sock.getpeername()[:2]
            return host, port

    loop = NamingLoop(found)
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(asyncio.wait_for(run(), 10))


def port_of(listening: socket.socket) -> int:
    """Return the port."""
    port: int = listening.getsockname()[1]
    return port


def test_families_take_turns() -> None:
    """The resolver's order holds within a family; the family it names first begins."""
    found = [info(V6, "::1"), info(V6, "::2"), info(V6, "::3"), info(V4, "1.1.1.1")]
    assert [item[4][0] for item in alternate(found)] == ["::1", "1.1.1.1", "::2", "::3"]


def test_an_address_is_not_resolved(listener: socket.socket) -> None:
    """An address needs no resolver."""

    async def run() -> None:
        loop = asyncio.get_running_loop()
        with await connect(loop, "127.0.0.1", port_of(listener)) as sock:
            assert sock.getpeername() == listener.getsockname()

    with asyncio.Runner(loop_factory=lambda: NamingLoop([])) as runner:
        runner.run(run())


def test_the_next_address_follows_a_refusal_at_once(listener: socket.socket, refusing: int) -> None:
    """An address that refuses does not hold up the next."""
    found = [info(V6, "::1", refusing), info(V4, "127.0.0.1", port_of(listener))]
    assert connect_by_name(found) == ("127.0.0.1", port_of(listener))


def test_the_next_address_is_tried_beside_a_slow_one(
    listener: socket.socket, stalling: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An address that swallows packets costs a moment, not the connect timeout."""
    monkeypatch.setattr(addresses, "ATTEMPT_DELAY", 0.01)
    found = [info(V4, "127.0.0.1", stalling), info(V4, "127.0.0.1", port_of(listener))]
    assert connect_by_name(found) == ("127.0.0.1", port_of(listener))


def test_when_all_refuse_each_reason_is_told(refusing: int) -> None:
    """The error has every address and why it failed."""
    found = [info(V6, "::1", refusing), info(V4, "127.0.0.1", refusing)]
    with pytest.raises(OSError, match=r"::1: .*refused; .*127\.0\.0\.1: .*refused"):
        connect_by_name(found)


def test_one_refusal_keeps_its_number(refusing: int) -> None:
    """A single address's error is the system's."""
    with pytest.raises(ConnectionRefusedError, match="refused"):
        connect_by_name([info(V4, "127.0.0.1", refusing)])


def test_a_name_without_addresses_is_an_error() -> None:
    """A resolver that finds nothing is told like one that fails."""
    with pytest.raises(socket.gaierror):
        connect_by_name([])


@pytest.mark.parametrize("rounds", range(12))
def test_cancelling_closes_every_socket(
    rounds: int, listener: socket.socket, stalling: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whenever it is cancelled, no attempt and no socket is left (warnings are errors)."""
    monkeypatch.setattr(addresses, "ATTEMPT_DELAY", 0)
    found = [info(V4, "127.0.0.1", stalling), info(V4, "127.0.0.1", port_of(listener))]

    async def run() -> None:
        task = asyncio.create_task(connect(asyncio.get_running_loop(), "name.invalid", 80))
        for _ in range(rounds):
            await asyncio.sleep(0)
        if task.cancel():
            with pytest.raises(asyncio.CancelledError):
                await task
        else:
            task.result().close()
        for _ in range(3):
            await asyncio.sleep(0)
        assert len(asyncio.all_tasks()) == 1

    with asyncio.Runner(loop_factory=lambda: NamingLoop(found)) as runner:
        runner.run(run())
