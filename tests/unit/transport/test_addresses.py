"""Connecting to a name that has several addresses."""

from __future__ import annotations

import asyncio
import gc
import socket
import threading
from collections.abc import Iterator, Sequence
from typing import Any
from unittest import mock

import pytest

from tests.transport.simple import until
from tornado_aws.transport import addresses
from tornado_aws.transport.addresses import AddressInfo, Resolver, alternate, connect
from tornado_aws.transport.descriptors import DescriptorTable

V4, V6 = socket.AF_INET, socket.AF_INET6


def info(family: int, host: str, port: int = 80) -> AddressInfo:
    """Make what getaddrinfo gives for an address."""
    address: tuple[Any, ...] = (host, port) if family == V4 else (host, port, 0, 0)
    return family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", address


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


def connect_to(found: list[AddressInfo]) -> tuple[str, int]:
    """Connect to one of these addresses; return the one that answered."""

    async def run() -> tuple[str, int]:
        with await connect(DescriptorTable(asyncio.get_running_loop()), found) as sock:
            assert sock.gettimeout() == 0
            host, port = sock.getpeername()[:2]
            return host, port

    return asyncio.run(asyncio.wait_for(run(), 10))


class Names:
    """Stands in for the system's resolver.

    Attributes:
        asked: the names that were looked up.
        released: set to let the lookups end.
        found: what they find; an exception is raised.
    """

    def __init__(self, found: list[AddressInfo] | Exception) -> None:
        self.asked: list[str] = []
        self.released = threading.Event()
        self.found = found

    def look_up(self, host: str, port: int, **_options: Any) -> list[AddressInfo]:
        """Find the addresses of a name."""
        self.asked.append(host)
        assert self.released.wait(10)
        if isinstance(self.found, Exception):
            raise self.found
        return self.found


def port_of(listening: socket.socket) -> int:
    """Return the port."""
    port: int = listening.getsockname()[1]
    return port


def test_families_take_turns() -> None:
    """The resolver's order holds within a family; the family it names first begins."""
    found = [info(V6, "::1"), info(V6, "::2"), info(V6, "::3"), info(V4, "1.1.1.1")]
    assert [item[4][0] for item in alternate(found)] == ["::1", "1.1.1.1", "::2", "::3"]


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_an_address_needs_no_thread(host: str) -> None:
    """It is known on the spot."""

    async def run() -> Sequence[AddressInfo]:
        loop = asyncio.get_running_loop()
        with mock.patch.object(loop, "run_in_executor", side_effect=AssertionError):
            return await Resolver(loop).resolve(host, 80)

    assert [item[4][:2] for item in asyncio.run(run())] == [(host, 80)]


def test_a_name_is_looked_up_once_for_all_who_ask_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing is kept for who asks later, and who goes away leaves it to the others."""
    names = Names([info(V4, "127.0.0.1")])
    monkeypatch.setattr(socket, "getaddrinfo", names.look_up)

    async def run() -> None:
        resolver = Resolver(asyncio.get_running_loop())
        asking = [asyncio.create_task(resolver.resolve("a.invalid", 80)) for _ in range(50)]
        await asyncio.sleep(0)
        asking.pop(0).cancel()
        names.released.set()
        assert await asyncio.gather(*asking) == [names.found] * 49
        assert await resolver.resolve("a.invalid", 80) == names.found

    asyncio.run(run())
    assert names.asked == ["a.invalid"] * 2


def test_a_failed_lookup_is_told_to_each_and_kept_for_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """When all who asked have gone, nobody complains of it."""
    names = Names(socket.gaierror(socket.EAI_AGAIN, "later"))
    monkeypatch.setattr(socket, "getaddrinfo", names.look_up)
    complaints: list[Any] = []

    async def run() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: complaints.append(context))
        resolver = Resolver(loop)
        gone = asyncio.create_task(resolver.resolve("b.invalid", 80))
        await asyncio.sleep(0)
        gone.cancel()
        asking = [resolver.resolve("a.invalid", 80) for _ in range(2)]
        loop.call_soon(names.released.set)
        results = await asyncio.gather(*asking, return_exceptions=True)
        await until(lambda: not resolver._lookups)
        assert [type(result) for result in results] == [socket.gaierror] * 2
        names.found = [info(V4, "127.0.0.1")]
        assert await resolver.resolve("b.invalid", 80) == names.found

    asyncio.run(run())
    gc.collect()
    assert not complaints
    assert sorted(names.asked) == ["a.invalid", "b.invalid", "b.invalid"]


def test_the_next_address_follows_a_refusal_at_once(listener: socket.socket, refusing: int) -> None:
    """An address that refuses does not hold up the next."""
    found = [info(V6, "::1", refusing), info(V4, "127.0.0.1", port_of(listener))]
    assert connect_to(found) == ("127.0.0.1", port_of(listener))


def test_the_next_address_is_tried_beside_a_slow_one(
    listener: socket.socket, stalling: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An address that swallows packets costs a moment, not the connect timeout."""
    monkeypatch.setattr(addresses, "ATTEMPT_DELAY", 0.01)
    found = [info(V4, "127.0.0.1", stalling), info(V4, "127.0.0.1", port_of(listener))]
    assert connect_to(found) == ("127.0.0.1", port_of(listener))


def test_when_all_refuse_each_reason_is_told(refusing: int) -> None:
    """The error has every address and why it failed."""
    found = [info(V6, "::1", refusing), info(V4, "127.0.0.1", refusing)]
    with pytest.raises(OSError, match=r"::1: .*refused; .*127\.0\.0\.1: .*refused"):
        connect_to(found)


def test_one_refusal_keeps_its_number(refusing: int) -> None:
    """A single address's error is the system's."""
    with pytest.raises(ConnectionRefusedError, match="refused"):
        connect_to([info(V4, "127.0.0.1", refusing)])


def test_a_name_without_addresses_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A resolver that finds nothing is told like one that fails."""
    names = Names([])
    names.released.set()
    monkeypatch.setattr(socket, "getaddrinfo", names.look_up)

    async def run() -> None:
        with pytest.raises(socket.gaierror):
            await Resolver(asyncio.get_running_loop()).resolve("a.invalid", 80)

    asyncio.run(run())


@pytest.mark.parametrize("rounds", range(12))
def test_cancelling_closes_every_socket(
    rounds: int, listener: socket.socket, stalling: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whenever it is cancelled, no attempt and no socket is left (warnings are errors)."""
    monkeypatch.setattr(addresses, "ATTEMPT_DELAY", 0)
    found = [info(V4, "127.0.0.1", stalling), info(V4, "127.0.0.1", port_of(listener))]

    async def run() -> None:
        task = asyncio.create_task(connect(DescriptorTable(asyncio.get_running_loop()), found))
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

    asyncio.run(run())
