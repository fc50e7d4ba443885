"""How sockets of libcurl are waited for."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from tornado_aws.transport import curl_sockets
from tornado_aws.transport.curl_sockets import READ, WRITE, LoopWatcher, OpenSockets, is_connected

WATCHERS: dict[str, Any] = {"loop": LoopWatcher}
if hasattr(curl_sockets, "EpollWatcher"):
    WATCHERS["epoll"] = curl_sockets.EpollWatcher


@pytest.fixture(params=list(WATCHERS))
def make(request: pytest.FixtureRequest) -> Any:
    """Make a watcher that notes what it says."""

    def make(seen: list[tuple[int, int]]) -> Any:
        loop = asyncio.get_running_loop()
        note = WATCHERS[request.param]
        return note(loop, lambda fd, events: seen.append((fd, events)), lambda fd: None)

    return make


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two connected sockets."""
    one, other = socket.socketpair()
    with one, other:
        one.setblocking(False)
        other.setblocking(False)
        yield one, other


Pair = tuple[socket.socket, socket.socket]


def test_events_are_told_while_they_are_wanted(make: Any, pair: Pair) -> None:
    """Reading and writing are told apart, and nothing is told of a socket no longer wanted."""
    one, other = pair

    async def main() -> None:
        seen: list[tuple[int, int]] = []
        watcher = make(seen)
        fd = one.fileno()
        watcher.watch(fd, READ)
        await asyncio.sleep(0.005)
        assert seen == []
        other.send(b"x")
        await asyncio.sleep(0.005)
        assert set(seen) == {(fd, READ)}
        watcher.watch(fd, WRITE)
        seen.clear()
        await asyncio.sleep(0.005)
        assert set(seen) == {(fd, WRITE)}
        watcher.watch(fd, 0)
        seen.clear()
        await asyncio.sleep(0.005)
        assert seen == []
        watcher.watch(fd, READ | WRITE)
        await asyncio.sleep(0.005)
        assert {events for _, events in seen} <= {READ, WRITE, READ | WRITE}
        assert seen
        watcher.close()
        seen.clear()
        await asyncio.sleep(0.005)
        assert seen == []

    asyncio.run(main())


def test_a_number_may_mean_another_socket(make: Any) -> None:
    """A socket that takes the number of a closed one is waited for all the same."""

    async def main() -> None:
        seen: list[tuple[int, int]] = []
        watcher = make(seen)
        first, first_peer = socket.socketpair()
        one, other = socket.socketpair()
        fd = first.detach()
        watcher.watch(fd, READ)
        watcher.watch(fd, 0)
        first_peer.close()
        os.dup2(one.fileno(), fd)
        watcher.watch(fd, READ)
        other.send(b"x")
        await asyncio.sleep(0.005)
        assert (fd, READ) in seen
        watcher.close()
        os.close(fd)
        one.close()
        other.close()

    asyncio.run(main())


@pytest.mark.skipif("epoll" not in WATCHERS, reason="epoll is Linux's")
@pytest.mark.parametrize("held", [False, True], ids=["", "held by a fork"])
def test_a_kept_socket_that_ends_does_not_keep_the_loop_busy(held: bool) -> None:
    """What happens on a socket between two transfers is noticed once, whoever else holds it."""

    async def main() -> None:
        seen: list[tuple[int, int]] = []
        loop = asyncio.get_running_loop()
        unasked: list[int] = []
        note = seen.append
        watcher = WATCHERS["epoll"](loop, lambda *event: note(event), unasked.append)
        kept, peer = socket.socketpair()
        wanted, wanted_peer = socket.socketpair()
        watcher.watch(wanted.fileno(), READ)
        watcher.watch(kept.fileno(), READ)
        watcher.watch(kept.fileno(), 0)
        holder = os.dup(kept.fileno()) if held else None
        if held:
            kept.close()
        peer.close()
        turns = await turns_of(loop, 0.02)
        assert turns < 20
        assert unasked == ([] if held else [kept.fileno()])
        wanted_peer.send(b"x")
        await asyncio.sleep(0.005)
        assert {fd for fd, _ in seen} == {wanted.fileno()}
        watcher.close()
        for sock in (kept, wanted, wanted_peer):
            sock.close()
        if holder is not None:
            os.close(holder)

    asyncio.run(main())


async def turns_of(loop: asyncio.AbstractEventLoop, seconds: float) -> int:
    """Return how often the loop turns in this time."""
    turns = 0
    select = loop._selector.select  # type: ignore[attr-defined]

    def counting(timeout: float | None) -> Any:
        nonlocal turns
        turns += 1
        return select(timeout)

    loop._selector.select = counting  # type: ignore[attr-defined]
    await asyncio.sleep(seconds)
    loop._selector.select = select  # type: ignore[attr-defined]
    return turns


def test_open_sockets_are_counted(pair: Pair) -> None:
    """A socket counts from its opening to its end, also when its number is used again."""
    one, other = pair
    sockets = OpenSockets()
    assert [sockets.opened(one.fileno(), 0), sockets.opened(other.fileno(), 0)] == [0, 0]
    assert (sockets.count(), sockets.created) == (2, 2)
    number = os.dup(one.fileno())
    os.dup2(number, other.fileno())
    os.close(number)
    assert (sockets.count(), sockets.created) == (1, 2)


def test_a_shut_down_socket_is_of_no_use() -> None:
    """Both sides see the end, and it counts no longer; its descriptor stays its owner's."""
    one, other = socket.socketpair()
    with one, other:
        sockets = OpenSockets()
        sockets.opened(one.fileno(), 0)
        sockets.shut_down(one.fileno())
        assert (one.recv(1), other.recv(1)) == (b"", b"")
        assert sockets.count() == 0
        assert one.fileno() >= 0


@pytest.mark.parametrize(
    ("data", "is_spoilt"),
    [(b"", True), (b"HTTP/1.1 408", True), (b"\x17\x03\x03", True), (None, False)],
)
def test_a_kept_connection_is_spoilt_by_its_peer(
    data: bytes | None, is_spoilt: bool, pair: Pair
) -> None:
    """Its end and unasked bytes, plain or under TLS, make it useless."""
    one, other = pair
    sockets = OpenSockets()
    sockets.opened(one.fileno(), 0)
    if data:
        other.send(data)
    elif data is not None:
        other.shutdown(socket.SHUT_WR)
    sockets.shut_down_spoilt(one.fileno())
    assert sockets.count() == (0 if is_spoilt else 1)


def test_a_socket_that_cannot_be_told_from_another_is_left_alone(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where sockets have no inodes a number may be anybody's by now."""

    def no_file(_fd: int) -> None:
        raise OSError

    one, other = pair
    sockets = OpenSockets()
    with monkeypatch.context() as patch:
        patch.setattr("os.fstat", no_file)
        assert sockets.opened(one.fileno(), 0) == 0
        other.send(b"x")
        sockets.shut_down_spoilt(one.fileno())
    assert one.recv(1) == b"x"
    assert one.send(b"y") == 1


def test_severing_leaves_the_peer_alone(pair: Pair) -> None:
    """What is written to a severed socket reaches nobody, and its number stays taken."""
    one, other = pair
    sockets = OpenSockets()
    sockets.opened(one.fileno(), 0)
    sockets.sever()
    with pytest.raises(OSError, match="socket"):
        one.send(b"x")
    assert other.recv(1) == b""  # here its only holder let go of it; a parent would hold it on


def test_a_socket_is_connected_from_its_peers_answer_to_its_end() -> None:
    """Neither one that was never connected nor a closed one has a peer."""
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as sock:
        assert not is_connected(sock.fileno())
        sock.connect(listener.getsockname())
        assert is_connected(sock.fileno())
        closed = sock.fileno()
    assert not is_connected(closed)


@pytest.fixture(params=[*WATCHERS, "loop without poll"])
def keeper(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Make a watcher that tells what happened between two transfers."""
    name = request.param
    if name == "loop without poll":
        monkeypatch.delattr("select.poll", raising=False)
        name = "loop"

    def make(unasked: list[int]) -> Any:
        return WATCHERS[name](asyncio.get_running_loop(), lambda fd, events: None, unasked.append)

    return make


@pytest.mark.parametrize("wanted", [0, READ, WRITE])
def test_kept_connections_are_looked_after_whatever_was_wanted(
    wanted: int, keeper: Any, pair: Pair
) -> None:
    """An answer may come before libcurl has to wait for it, or while it waits to write."""
    one, other = pair

    async def main() -> None:
        unasked: list[int] = []
        watcher = keeper(unasked)
        fd = one.fileno()
        watcher.opened(fd)
        if wanted:
            watcher.watch(fd, wanted)
            watcher.watch(fd, 0)
        watcher.keep(fd)
        watcher.look()
        assert unasked == []
        other.send(b"x")
        watcher.look()
        assert unasked == [fd]
        watcher.look()
        assert unasked == [fd]
        watcher.close()

    asyncio.run(main())


def test_what_comes_for_a_transfer_was_asked_for(keeper: Any, pair: Pair) -> None:
    """A kept connection that is in use again is nobody's to look at."""
    one, other = pair

    async def main() -> None:
        unasked: list[int] = []
        watcher = keeper(unasked)
        fd = one.fileno()
        watcher.opened(fd)
        watcher.keep(fd)
        watcher.watch(fd, READ)
        watcher.keep(fd)  # the end of another transfer on the same connection
        other.send(b"x")
        watcher.look()
        assert unasked == []
        watcher.close()

    asyncio.run(main())


def test_a_transfer_that_has_begun_goes_on_waiting_to_write(make: Any, pair: Pair) -> None:
    """The end of the one before it on the same connection is told of late: uploads hung by that."""
    one, _ = pair

    async def main() -> None:
        seen: list[tuple[int, int]] = []
        watcher = make(seen)
        fd = one.fileno()
        watcher.opened(fd)
        watcher.watch(fd, READ)
        watcher.watch(fd, 0)
        watcher.watch(fd, READ | WRITE)
        watcher.keep(fd)
        await asyncio.sleep(0.005)
        watcher.close()
        assert {events for _, events in seen} == {WRITE}

    asyncio.run(main())


def test_a_connection_that_libcurl_closed_is_forgotten(keeper: Any) -> None:
    """Nobody tells of it, and its number means nothing or something else by then."""

    async def main() -> None:
        unasked: list[int] = []
        watcher = keeper(unasked)
        one, other = socket.socketpair()
        sockets = OpenSockets()
        sockets.opened(one.fileno(), 0)
        watcher.opened(one.fileno())
        watcher.keep(one.fileno())
        one.close()
        other.close()
        watcher.look()
        for fd in unasked:
            sockets.shut_down_spoilt(fd)
        unasked.clear()
        watcher.look()
        assert unasked == []
        watcher.close()

    asyncio.run(main())


def test_a_new_connection_is_kept_apart_from_an_old_one_of_its_number(
    keeper: Any, pair: Pair
) -> None:
    """The kernel has dropped the old one unseen."""
    one, other = pair

    async def main() -> None:
        unasked: list[int] = []
        watcher = keeper(unasked)
        with socket.socket() as old:
            fd = old.fileno()
            watcher.opened(fd)
            watcher.keep(fd)
            os.dup2(one.fileno(), fd)
            watcher.opened(fd)
            watcher.keep(fd)
            other.send(b"x")
            watcher.look()
        assert unasked == [fd]
        watcher.close()

    asyncio.run(main())
