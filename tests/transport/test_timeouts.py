"""Every wait has a bound, and the error says which; on every engine."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.transport.certificates import Certificates
from tests.transport.conftest import Run, TransportFactory
from tests.transport.server import Peer, ScriptedServer, response, serving
from tests.transport.simple import get, post, until
from tornado_aws.exceptions import (
    ConnectTimeout,
    PoolTimeout,
    ReadTimeout,
    RequestException,
    RequestTimeout,
    TLSTimeout,
)
from tornado_aws.transport import Origin, Request, Timeouts, Transport

OK = response(b"ok")
# Everything but the bound under test is out of reach.
LONG = Timeouts(connect=30, read=30, request=30, pool=30)


def silent(peer: Peer) -> None:
    """Read the request and say nothing."""
    peer.read_request()
    peer.stall()


def half_head(peer: Peer) -> None:
    """Stall in the middle of the headers."""
    peer.read_request()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-")
    peer.stall()


def half_body(peer: Peer) -> None:
    """Stall in the middle of the body."""
    peer.read_request()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
    peer.stall()


def deaf(peer: Peer) -> None:
    """Accept the connection and read nothing."""
    peer.stall()


async def failing(transport: Transport, request: Request, timeouts: Timeouts) -> RequestException:
    """Send and return the error; the transport must be free afterwards."""
    with pytest.raises(RequestException) as caught:
        await transport.send(request, timeouts)
    stats = transport.stats()
    assert (stats.open - stats.idle, stats.waiting) == (0, 0)
    return caught.value


@pytest.mark.parametrize(("script", "received"), [(silent, 0), (half_head, 25), (half_body, 44)])
def test_silence_is_a_read_timeout(
    script: Any, received: int, transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """A server that stalls at any point ends in ReadTimeout, which says how far it had come."""
    with ScriptedServer(script) as server:
        request = get(server.origin)
        error = run(failing(transport_factory(), request, LONG._replace(read=0.1)))
    assert type(error) is ReadTimeout
    assert (error.sent, error.response_started) == (True, received > 0)
    text = str(error)
    assert f"127.0.0.1:{server.origin.port}" in text
    assert "0.1 s" in text
    assert "read_timeout" in text
    if script is not half_head:  # libcurl counts whole header lines only
        assert f"{received} bytes" in text


def test_a_peer_that_takes_nothing_is_a_read_timeout(
    transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """When the request cannot be sent for the read timeout, the call ends."""

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 100_000

    with ScriptedServer(deaf) as server:
        request = post(server.origin, endless())
        error = run(failing(transport_factory(), request, LONG._replace(read=0.2)))
    assert type(error) is ReadTimeout


def test_progress_is_not_silence(transport_factory: TransportFactory, run: Run[Any]) -> None:
    """A response that takes longer than the read timeout but keeps coming is read."""

    def slow(peer: Peer) -> None:
        peer.read_request()
        for byte in response(b"hello"):
            peer.send(bytes([byte]))
            peer.released.wait(0.015)

    async def send() -> None:
        transport = transport_factory()
        got = await transport.send(get(server.origin), LONG._replace(read=0.5))
        assert got.body == b"hello"

    with ScriptedServer(slow) as server:
        run(send())


def test_a_slow_source_is_not_the_servers_silence(
    transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """The caller's iterable may take longer than the read timeout."""

    async def slow() -> AsyncIterator[bytes]:
        yield b"he"
        await asyncio.sleep(0.3)
        yield b"llo"

    async def send() -> None:
        transport = transport_factory()
        request = post(server.origin, slow(), content_length=5)
        assert (await transport.send(request, LONG._replace(read=0.1))).body == b"ok"

    with serving(OK) as server:
        run(send())


def test_a_connection_that_does_not_come_is_a_connect_timeout(
    transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """A full backlog looks like a host that swallows packets: ConnectTimeout, nothing sent."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(address)
        request = get(Origin("http", *address))
        error = run(failing(transport_factory(), request, LONG._replace(connect=0.1)))
        for filler in fillers:
            filler.close()
    assert type(error) is ConnectTimeout
    assert not error.sent
    assert f"127.0.0.1:{address[1]}" in str(error)
    assert "0.1 s (connect_timeout)" in str(error)
    assert "0 bytes of a response had come" in str(error)


def test_a_tls_handshake_that_stalls_is_a_connect_timeout(
    transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """TLS belongs to connecting."""
    with ScriptedServer(deaf) as server:
        request = get(server.origin._replace(scheme="https"))
        error = run(failing(transport_factory(), request, LONG._replace(connect=0.3)))
    assert type(error) is ConnectTimeout
    assert "TLS" in str(error)


def test_a_tls_handshake_has_a_bound_of_its_own(
    transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """It ends a handshake that stalls long before connecting as a whole would be over."""
    with ScriptedServer(deaf) as server:
        request = get(server.origin._replace(scheme="https"))
        error = run(failing(transport_factory(), request, LONG._replace(tls=0.2)))
    assert (type(error), error.sent) == (TLSTimeout, False)
    place = f"{server.origin.host}:{server.origin.port}"
    expected = f"The TLS handshake with {place} took longer than 0.2 s (tls_timeout); 0 bytes"
    assert str(error).startswith(expected)


def test_a_tls_bound_is_nothing_to_a_kept_connection(
    certificates: Certificates, transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """Without a handshake a slow answer has all the time that the other bounds give it."""

    def script(peer: Peer) -> None:
        while peer.read_request() is not None:
            peer.released.wait(0.05)
            peer.send(OK)

    async def twice() -> list[bytes]:
        transport = transport_factory(verify=certificates.ca)
        request = get(server.origin)
        bounds = (LONG, LONG._replace(tls=0.001))
        return [(await transport.send(request, bound)).body for bound in bounds]

    with ScriptedServer(script, tls=certificates.server_context()) as server:
        assert run(twice()) == [b"ok", b"ok"]


@pytest.mark.parametrize("engine", ["pool"], indirect=True)
@pytest.mark.parametrize("connect", [0.3, 20.0], ids=["same bound", "other bound"])
def test_a_spare_connection_s_bound_is_not_that_of_the_call_that_takes_it(
    connect: float,
    transport_factory: TransportFactory,
    run: Run[Any],
    certificates: Certificates,
) -> None:
    """A call that waits for a connection that was begun earlier has all of its own time."""
    context = certificates.server_context()

    def speaking(peer: Peer) -> None:
        peer.start_tls(context)
        while peer.read_request() is not None:
            assert may_answer.acquire(timeout=10)
            peer.send(OK)

    async def main() -> None:
        transport = transport_factory(max_clients=2, verify=certificates.ca)
        request = get(server.origin._replace(scheme="https"))
        bound = LONG._replace(connect=0.3)
        calls = [asyncio.create_task(transport.send(request, bound))]
        await until(lambda: len(server.requests) == 1)
        # This one begins a connection that does not come, and is served by the other one.
        calls.append(asyncio.create_task(transport.send(request, bound)))
        await until(lambda: server.connections == 2)
        may_answer.release()
        await calls[0]
        await until(lambda: len(server.requests) == 2)
        calls.append(asyncio.create_task(transport.send(request, LONG._replace(connect=connect))))
        # The connection's own bound is met, and another one is begun for the call.
        await until(lambda: server.connections == 3)
        may_answer.release(2)
        assert [(await call).body for call in calls] == [b"ok"] * 3

    may_answer = threading.Semaphore(0)
    with ScriptedServer(speaking, deaf, speaking) as server:
        run(main())


def test_no_free_connection_is_a_pool_timeout(
    transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """A call that waits too long for a connection ends; the one that holds it does not notice."""

    async def both() -> None:
        transport = transport_factory(max_clients=1)
        holding = asyncio.create_task(transport.send(get(server.origin), LONG))
        await asyncio.sleep(0.01)
        with pytest.raises(PoolTimeout, match=r"0\.1 s \(pool_timeout\).*1 .*; 0 bytes") as caught:
            await transport.send(get(server.origin), LONG._replace(pool=0.1))
        assert (caught.value.sent, transport.stats().waiting) == (False, 0)
        server.released.set()
        assert (await holding).body == b"ok"

    def script(peer: Peer) -> None:
        while peer.read_request() is not None:
            peer.stall()
            peer.send(OK)

    with ScriptedServer(script) as server:
        run(both())


@pytest.mark.parametrize(("script", "received"), [(silent, 0), (half_head, 17), (half_body, 44)])
def test_the_whole_attempt_has_a_bound(
    script: Any, received: int, transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """request bounds everything together, and the error says how far it had come."""
    with ScriptedServer(script) as server:
        error = run(failing(transport_factory(), get(server.origin), LONG._replace(request=0.1)))
    assert type(error) is RequestTimeout
    assert error.sent
    place = f"127.0.0.1:{server.origin.port}"
    text = str(error)
    assert f"The request to {place} took longer than 0.1 s (request_timeout)" in text
    if script is not half_head:  # libcurl counts whole header lines only
        assert f"; {received} bytes of a response had come" in text


def test_the_whole_attempt_ends_though_bytes_keep_coming(
    transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """A trickle that never ends is no way round the bound."""

    def trickle(peer: Peer) -> None:
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while not peer.released.wait(0.01):
            peer.send(b"x")

    with ScriptedServer(trickle) as server:
        timeouts = LONG._replace(request=0.2)
        error = run(failing(transport_factory(), get(server.origin), timeouts))
    assert type(error) is RequestTimeout
    assert error.response_started


@pytest.mark.parametrize(("script", "received"), [(silent, 0), (half_head, 17), (half_body, 44)])
def test_a_cancelled_request_knows_how_far_it_had_come(
    script: Any, received: int, transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """Who sets a bound of his own by cancelling can tell how many bytes had come."""

    async def main() -> int:
        request = get(server.origin)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await transport_factory().send(request, LONG)
        return request.received

    with ScriptedServer(script) as server:
        got = run(main())
    # libcurl counts whole header lines only
    assert got == received or (script is half_head and got == 25)


def test_the_whole_attempt_includes_waiting(
    transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """A call that never left the queue is known not to have been sent."""

    async def both() -> None:
        transport = transport_factory(max_clients=1)
        holding = asyncio.create_task(transport.send(get(server.origin), LONG))
        await asyncio.sleep(0.01)
        with pytest.raises(RequestTimeout) as caught:
            await transport.send(get(server.origin), LONG._replace(request=0.1))
        assert not caught.value.sent
        holding.cancel()

    with ScriptedServer(silent) as server:
        run(both())


def test_bounds_of_one_call_do_not_touch_another(
    transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """Calls with different bounds end each at its own time."""

    async def several() -> None:
        transport = transport_factory()
        bounds = [LONG._replace(read=0.3), LONG._replace(request=0.1), LONG._replace(read=0.2)]
        ended: list[int] = []

        async def one(number: int) -> None:
            with pytest.raises(RequestException):
                await transport.send(get(server.origin), bounds[number])
            ended.append(number)

        await asyncio.gather(*[one(number) for number in range(3)])
        assert ended == [1, 2, 0]

    with ScriptedServer(silent) as server:
        run(several())


def test_none_is_no_bound(transport_factory: TransportFactory, run: Run[Any]) -> None:
    """Without bounds a call waits for its answer."""

    def late(peer: Peer) -> None:
        peer.read_request()
        peer.released.wait(0.2)
        peer.send(OK)

    async def send() -> None:
        transport = transport_factory()
        timeouts = Timeouts(connect=None, read=None, request=None, pool=None)
        assert (await transport.send(get(server.origin), timeouts)).body == b"ok"

    with ScriptedServer(late) as server:
        run(send())
