"""A cancelled call frees what it held, at once, and nothing else notices; on every engine."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest

from tests.transport.conftest import Run, TransportFactory
from tests.transport.server import Peer, ScriptedServer, answering, response, serving
from tests.transport.simple import PATIENT, get, post, until
from tornado_aws.transport import Request, Transport

OK = response(b"ok")


def stall_at_once(peer: Peer) -> None:
    """Read nothing, say nothing."""
    peer.stall()


def stall_after_request(peer: Peer) -> None:
    """Read the request, say nothing."""
    peer.read_request()
    peer.stall()


def stall_in_head(peer: Peer) -> None:
    """Stall within the head."""
    peer.read_request()
    peer.send(b"HTTP/1.1 200")
    peer.stall()


def stall_in_body(peer: Peer) -> None:
    """Stall within the body."""
    peer.read_request()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
    peer.stall()


async def cancel(transport: Transport, request: Request, seconds: float = 0.03) -> None:
    """Send, cancel after a moment, and see that nothing is held."""
    before = transport.stats()
    sending = asyncio.create_task(transport.send(request, PATIENT))
    await asyncio.sleep(seconds)
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    stats = transport.stats()
    assert (stats.open, stats.waiting) == (before.open, before.waiting)


@pytest.mark.parametrize(
    "script", [stall_at_once, stall_after_request, stall_in_head, stall_in_body]
)
def test_a_cancelled_call_closes_its_connection(
    script: Any, transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """Wherever the exchange stands, the connection is closed, and the server sees it."""
    closed = []

    def play(peer: Peer) -> None:
        script(peer)
        closed.append(peer.wait_closed())

    async def several() -> None:
        transport = transport_factory(max_clients=1)
        for _ in range(3):
            await cancel(transport, get(server.origin))
        server.released.set()
        await until(lambda: len(closed) == 3)

    with ScriptedServer(play) as server:
        run(several())


def test_cancelling_within_the_handshake_frees_the_slot(
    transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """A connection that is being made is given up."""

    async def several() -> None:
        transport = transport_factory(max_clients=1)
        for _ in range(3):
            await cancel(transport, get(server.origin._replace(scheme="https")), 0.1)

    with ScriptedServer(stall_at_once) as server:
        run(several())


def test_cancelling_before_anything_happened_is_clean(
    transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """A call that is cancelled in the same moment leaves nothing."""

    async def at_once() -> None:
        transport = transport_factory()
        for turns in range(6):
            sending = asyncio.create_task(transport.send(get(server.origin), PATIENT))
            for _ in range(turns):
                await asyncio.sleep(0)
            sending.cancel()
            with suppress(asyncio.CancelledError):
                await sending
        stats = transport.stats()
        assert (stats.open - stats.idle, stats.waiting) == (0, 0)
        assert (await transport.send(get(server.origin), PATIENT)).body == b"ok"

    with serving(OK) as server:
        run(at_once())


def test_a_cancelled_waiter_leaves_the_queue(
    transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """Those behind it move up, and the call that holds the connection does not notice."""

    def script(peer: Peer) -> None:
        while peer.read_request() is not None:
            peer.stall()
            peer.send(OK)

    async def several() -> None:
        transport = transport_factory(max_clients=1)
        holding = asyncio.create_task(transport.send(get(server.origin), PATIENT))
        await asyncio.sleep(0.01)
        first, last = (
            asyncio.create_task(transport.send(get(server.origin), PATIENT)) for _ in range(2)
        )
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.sleep(0)
        assert transport.stats().waiting == 1
        server.released.set()
        assert [(await holding).body, (await last).body] == [b"ok", b"ok"]
        assert first.cancelled()

    with ScriptedServer(script) as server:
        run(several())
    assert server.connections == 1


def test_cancelling_an_upload_ends_its_source(
    transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """The iterable is ended when the cancelled call returns, and is read no further."""
    ended = []

    async def source() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"x" * 10_000
                await asyncio.sleep(0.001)
        finally:
            ended.append(True)

    async def send() -> None:
        await cancel(transport_factory(), post(server.origin, source()))
        assert ended == [True]

    with ScriptedServer(stall_at_once) as server:
        run(send())


def test_cancelling_while_waiting_for_continue_is_clean(
    transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """The body that was held back is never sent."""
    seen = []

    def script(peer: Peer) -> None:
        peer.read_head()
        seen.append(peer.wait_closed())

    async def send() -> None:
        request = post(server.origin, b"secret", expect_continue=True)
        await cancel(transport_factory(), request)
        await until(lambda: seen)

    with ScriptedServer(script) as server:
        run(send())
    assert seen == [b""]


def test_calls_cancelled_at_random_disturb_nobody(
    transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """Under load, each call gets its own answer or is cancelled, and all connections are free."""
    dice = random.Random(7)

    def echo(peer: Peer) -> None:
        while (request := peer.read_request()) is not None:
            body = request.target.encode() * dice.choice([1, 500])
            peer.send(response(body))

    async def one(transport: Transport, number: int) -> None:
        sending = asyncio.create_task(
            transport.send(get(server.origin, target=f"/{number}"), PATIENT)
        )
        if dice.random() < 0.5:
            await asyncio.wait([sending], timeout=dice.random() * 0.01)
            sending.cancel()
        with suppress(asyncio.CancelledError):
            body = (await sending).body
            assert body.replace(f"/{number}".encode(), b"") == b""

    async def load() -> None:
        transport = transport_factory(max_clients=5)
        await asyncio.gather(*[one(transport, number) for number in range(300)])
        stats = transport.stats()
        assert (stats.open - stats.idle, stats.waiting) == (0, 0)
        assert stats.open <= 5

    with ScriptedServer(echo) as server:
        run(load())


def test_a_cancelled_stream_request_is_closed(
    transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """A streamed response whose caller was cancelled as it came does not hold its connection."""

    async def several() -> None:
        transport = transport_factory()
        for turns in range(12):
            sending = asyncio.create_task(transport.send(get(server.origin, stream=True), PATIENT))
            for _ in range(turns):
                await asyncio.sleep(0.0005)
            sending.cancel()
            with suppress(asyncio.CancelledError):
                stream = (await sending).stream
                assert stream is not None
                stream.close()
        assert transport.stats().open == transport.stats().idle

    with ScriptedServer(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello")) as server:
        run(several())
