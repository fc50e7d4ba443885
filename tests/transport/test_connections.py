"""Connections are kept, shared in order, and replaced when they die; on every engine."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.transport.certificates import Certificates
from tests.transport.conftest import ENGINES, Engine, Run, TransportFactory
from tests.transport.server import Peer, ScriptedServer, answering, response, serving
from tests.transport.simple import PATIENT, get, post, until
from tornado_aws.exceptions import ConnectError, ReadError, RequestException
from tornado_aws.transport import Origin, Response

OK = response(b"ok")


@pytest.fixture(params=[*ENGINES, "curl-without-epoll"])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """The engine under test; libcurl's also as it is where the system is not Linux."""
    if request.param != "curl-without-epoll":
        return ENGINES[request.param]
    if "curl" not in ENGINES:
        pytest.skip("pycurl is not installed")
    from tornado_aws.transport import curl_multi, curl_sockets  # noqa: PLC0415 - needs pycurl

    monkeypatch.setattr(curl_multi, "make_watcher", curl_sockets.LoopWatcher)
    return ENGINES["curl"]


def test_connections_are_kept(transport_factory: TransportFactory, run: Run[Any]) -> None:
    """Requests one after the other use one connection; those at once use one each, kept too."""

    async def some() -> None:
        transport = transport_factory()
        for _ in range(3):
            await transport.send(get(server.origin), PATIENT)
        for _ in range(2):
            await asyncio.gather(*[transport.send(get(server.origin), PATIENT) for _ in range(4)])
        assert transport.stats().requests == 11

    all_four = threading.Barrier(4, timeout=10)

    def script(peer: Peer) -> None:
        while peer.read_request() is not None:
            if len(server.requests) > 3:
                all_four.wait()  # an engine may be done with one before it begins the next
            peer.send(OK)

    with ScriptedServer(script) as server:
        run(some())
    assert server.connections == 4


def test_never_more_connections_than_max_clients(
    transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """Calls beyond the limit wait, and are all answered."""

    async def many() -> None:
        transport = transport_factory(max_clients=3)
        calls = [
            asyncio.create_task(transport.send(get(server.origin), PATIENT)) for _ in range(20)
        ]
        await asyncio.sleep(0)
        assert transport.stats().open <= 3
        assert [got.body for got in await asyncio.gather(*calls)] == [b"ok"] * 20
        assert transport.stats().waiting == 0

    with serving(OK) as server:
        run(many())
    assert server.connections <= 3


def test_waiting_calls_are_served_in_order(
    transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """With one connection, calls are answered in the order in which they were made."""

    async def many() -> None:
        transport = transport_factory(max_clients=1)
        targets = [f"/{number}" for number in range(10)]
        requests = [get(server.origin, target=target) for target in targets]
        await asyncio.gather(*[transport.send(request, PATIENT) for request in requests])
        assert [received.target for received in server.requests] == targets

    with serving(OK) as server:
        run(many())


def test_the_limit_holds_across_origins(transport_factory: TransportFactory, run: Run[Any]) -> None:
    """An idle connection to one server makes room for a call to another."""

    async def both() -> None:
        transport = transport_factory(max_clients=1)
        for _ in range(2):
            for server in (first, second):
                assert (await transport.send(get(server.origin), PATIENT)).body == b"ok"
        assert transport.stats().open == 1
        calls = [transport.send(get(server.origin), PATIENT) for server in (first, second) * 3]
        assert [got.body for got in await asyncio.gather(*calls)] == [b"ok"] * 6

    with serving(OK) as first, serving(OK) as second:
        run(both())


@pytest.mark.parametrize("engine", ["pool"], indirect=True)
def test_a_connection_that_nobody_waits_for_any_more_holds_up_no_call(
    transport_factory: TransportFactory, run: Run[Any], certificates: Certificates
) -> None:
    """One that is still being made when its call was served by another gives way to a call."""
    context = certificates.server_context()

    def speaking(peer: Peer) -> None:
        peer.start_tls(context)
        while peer.read_request() is not None:
            assert may_answer.acquire(timeout=10)
            peer.send(OK)

    async def main() -> None:
        transport = transport_factory(max_clients=2, verify=certificates.ca)
        request = get(server.origin._replace(scheme="https"))
        calls = [asyncio.create_task(transport.send(request, PATIENT))]
        await until(lambda: len(server.requests) == 1)
        calls.append(asyncio.create_task(transport.send(request, PATIENT)))
        await until(lambda: server.connections == 2)
        may_answer.release()
        await until(lambda: len(server.requests) == 2)
        assert (await transport.send(get(other.origin), PATIENT._replace(pool=2))).body == b"ok"
        may_answer.release()
        assert [(await call).body for call in calls] == [b"ok"] * 2
        assert transport.stats()[:3] == (2, 2, 0)

    may_answer = threading.Semaphore(0)
    with ScriptedServer(speaking, Peer.stall) as server, serving(OK) as other:
        run(main())


@pytest.mark.parametrize("engine", ["pool"], indirect=True)
def test_a_connection_that_does_not_come_costs_no_call_its_turn(
    transport_factory: TransportFactory, run: Run[Any], certificates: Certificates
) -> None:
    """Who waits for a new one is served by one that becomes free before those who came later."""
    context = certificates.server_context()
    targets = [f"/{number}" for number in range(6)]

    def speaking(peer: Peer) -> None:
        peer.start_tls(context)
        while peer.read_request() is not None:
            assert may_answer.acquire(timeout=10)
            peer.send(OK)

    async def main() -> None:
        transport = transport_factory(max_clients=2, verify=certificates.ca)
        origin = server.origin._replace(scheme="https")
        calls = []
        for target in targets:
            calls.append(asyncio.create_task(transport.send(get(origin, target=target), PATIENT)))
            await until(lambda: server.connections == min(len(calls), 2))
        may_answer.release(len(targets))
        assert [(await call).body for call in calls] == [b"ok"] * len(targets)

    may_answer = threading.Semaphore(0)
    with ScriptedServer(speaking, Peer.stall) as server:
        run(main())
    assert [received.target for received in server.requests] == targets


def close_after_each(peer: Peer) -> None:
    """Answer one request as if the connection were kept, then close it."""
    peer.read_request()
    peer.send(OK)
    peer.close()


def test_a_connection_that_the_server_closed_is_replaced(
    transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """When the server closes a kept connection, the next request has a new one, unnoticed."""

    async def some() -> list[bytes]:
        transport = transport_factory()
        return [(await transport.send(get(server.origin), PATIENT)).body for _ in range(5)]

    with ScriptedServer(close_after_each) as server:
        assert run(some()) == [b"ok"] * 5
    assert server.connections == 5


@pytest.mark.parametrize("body", [None, b"x" * 10])
def test_a_connection_that_ended_with_its_response_is_not_used(
    body: bytes | None, transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """What may be sent only once is not lost on it, though the loop had no time to hear of it."""
    closed = threading.Event()

    def script(peer: Peer) -> None:
        close_after_each(peer)
        closed.set()

    async def some() -> list[bytes]:
        transport = transport_factory()
        bodies = []
        for _ in range(3):
            request = post(server.origin, body, may_resend=False)
            bodies.append((await transport.send(request, PATIENT)).body)
            assert closed.wait(10)
            closed.clear()
        return bodies

    with ScriptedServer(script) as server:
        assert run(some()) == [b"ok"] * 3
    assert (len(server.requests), server.connections) == (3, 3)


@pytest.mark.parametrize("is_secure", [False, True], ids=["plain", "tls"])
def test_a_connection_that_ended_with_its_response_serves_no_waiting_call(
    is_secure: bool,
    certificates: Certificates,
    transport_factory: TransportFactory,
    run: Run[Any],
) -> None:
    """What has waited for it, and may be sent only once, has another one."""
    closed = threading.Event()

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.stall()
        peer.send(OK)
        if is_secure:
            peer.end_tls()
        else:
            peer.close()
        closed.set()

    async def three() -> list[bytes]:
        transport = transport_factory(max_clients=1, verify=certificates.ca)
        request = post(server.origin, b"x", may_resend=False)
        calls = [asyncio.create_task(transport.send(request, PATIENT)) for _ in range(3)]
        for number in range(3):
            await until(
                lambda number=number: len(server.requests) > number or calls[number].done()  # type: ignore[misc]
            )
            server.released.set()
            assert closed.wait(10)  # the loop hears of response and end at once
            server.released.clear()
            closed.clear()
            await calls[number]
        return [call.result().body for call in calls]

    with ScriptedServer(script, tls=certificates.server_context() if is_secure else None) as server:
        assert run(three()) == [b"ok"] * 3
    assert server.connections == 3


def die_on_second(peer: Peer) -> None:
    """Answer one request, and break the connection on receipt of the next."""
    peer.read_request()
    peer.send(OK)
    peer.read_request()
    peer.reset()


@pytest.mark.parametrize("body", [None, b"x" * 10, b"x" * 1_000_000])
def test_a_request_on_a_dead_connection_goes_once_more(
    body: bytes | None, transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """A kept connection that dies before a byte of the response is replaced, once, silently."""

    async def twice() -> list[bytes]:
        transport = transport_factory()
        return [(await transport.send(post(server.origin, body), PATIENT)).body for _ in range(2)]

    with ScriptedServer(die_on_second, answering(OK)) as server:
        assert run(twice()) == [b"ok", b"ok"]
    assert server.connections == 2


def test_a_request_is_not_sent_a_third_time(
    transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """When the fresh connection dies as well, that is an error."""

    def die(peer: Peer) -> None:
        peer.read_request()
        peer.reset()

    async def twice() -> None:
        transport = transport_factory()
        await transport.send(get(server.origin), PATIENT)
        with pytest.raises(ReadError) as caught:
            await transport.send(get(server.origin), PATIENT)
        assert (caught.value.sent, caught.value.response_started) == (True, False)

    with ScriptedServer(die_on_second, die) as server:
        run(twice())
    assert server.connections == 2


@pytest.mark.parametrize("chunks", [0, 1])
def test_what_was_read_from_an_iterable_is_not_sent_again(
    chunks: int, transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """Nor is a body of which there was nothing to read."""

    async def body() -> AsyncIterator[bytes]:
        for _ in range(chunks):
            yield b"x"

    async def twice() -> None:
        transport = transport_factory()
        await transport.send(get(server.origin), PATIENT)
        with pytest.raises(ReadError):
            await transport.send(post(server.origin, body(), may_resend=False), PATIENT)

    with ScriptedServer(die_on_second, answering(OK)) as server:
        run(twice())
    assert [received.method for received in server.requests] == ["GET", "POST"]


def test_a_request_that_was_sent_once_may_have_arrived(
    certificates: Certificates, transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """That there was no connection to send it on once more does not change that."""
    context = certificates.server_context()

    def script(peer: Peer) -> None:
        peer.start_tls(context)
        die_on_second(peer)

    async def twice() -> None:
        transport = transport_factory(verify=certificates.ca)
        request = get(server.origin._replace(scheme="https"))
        await transport.send(request, PATIENT)
        with pytest.raises(RequestException) as caught:
            await transport.send(request, PATIENT)
        assert (caught.value.sent, caught.value.response_started) == (True, False)

    with ScriptedServer(script, Peer.close) as server:
        run(twice())
    assert server.connections == 2


def test_a_fresh_connection_that_dies_is_an_error(
    transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """Only a kept connection may be dead by bad luck."""

    def die(peer: Peer) -> None:
        peer.read_request()
        peer.close()

    with ScriptedServer(die) as server, pytest.raises(ReadError):
        run(transport_factory().send(get(server.origin), PATIENT))
    assert server.connections == 1


def test_a_response_that_breaks_off_is_not_asked_for_again(
    transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """After the first byte of a response the request is not repeated."""

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(OK)
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        peer.close()

    async def twice() -> None:
        transport = transport_factory()
        await transport.send(get(server.origin), PATIENT)
        with pytest.raises(ReadError) as caught:
            await transport.send(get(server.origin), PATIENT)
        assert caught.value.response_started

    with ScriptedServer(script) as server:
        run(twice())
    assert server.connections == 1


def streaming(peer: Peer) -> None:
    """Begin a response that does not end."""
    peer.read_request()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegun")
    peer.wait_closed()


@pytest.mark.parametrize("body", [None, b"x" * 100, b"x" * 300_000])
def test_a_closed_connection_is_noticed_beside_a_stream(
    body: bytes | None, transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """While a response is being streamed, other connections are looked after as ever."""
    closed = threading.Event()

    def script(peer: Peer) -> None:
        close_after_each(peer)
        closed.set()

    async def some() -> list[bytes]:
        transport = transport_factory()
        streamed = await transport.send(get(streamer.origin, stream=True), PATIENT)
        assert streamed.stream is not None
        bodies = []
        for _ in range(4):
            request = post(server.origin, body, may_resend=False)
            bodies.append((await transport.send(request, PATIENT)).body)
            assert await asyncio.to_thread(closed.wait, 10)
            closed.clear()
        assert await streamed.stream.read_chunk() == b"begun"
        streamed.stream.close()
        return bodies

    with ScriptedServer(streaming) as streamer, ScriptedServer(script) as server:
        assert run(some()) == [b"ok"] * 4
    assert (len(server.requests), server.connections) == (4, 4)


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("beside_a_stream", [False, True])
def test_bytes_between_responses_end_the_connection(
    beside_a_stream: bool,
    scheme: str,
    certificates: Certificates,
    transport_factory: TransportFactory,
    run: Run[Any],
) -> None:
    """What a server sends unasked is never taken for the answer to the next request."""

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(OK)
        peer.stall()
        peer.send(response(b"unasked"))
        has_come.set()
        peer.read_request()
        peer.send(response(b"unasked too"))

    async def twice() -> Response:
        transport = transport_factory(verify=certificates.ca)
        if beside_a_stream:
            streamed = await transport.send(get(streamer.origin, stream=True), PATIENT)
        await transport.send(get(server.origin), PATIENT)
        server.released.set()
        assert await asyncio.to_thread(has_come.wait, 10)
        answer = await transport.send(get(server.origin), PATIENT)
        if beside_a_stream and streamed.stream is not None:
            streamed.stream.close()
        return answer

    has_come = threading.Event()
    context = certificates.server_context() if scheme == "https" else None
    with (
        ScriptedServer(streaming) as streamer,
        ScriptedServer(script, answering(OK), tls=context) as server,
    ):
        assert run(twice()).body == b"ok"
    assert server.connections == 2


@pytest.mark.parametrize("is_secure", [False, True], ids=["plain", "tls"])
def test_bytes_that_nobody_has_read_yet_are_no_answer(
    is_secure: bool,
    certificates: Certificates,
    transport_factory: TransportFactory,
    run: Run[Any],
) -> None:
    """Under TLS neither, where they cannot be told from session tickets without reading them."""
    has_come = threading.Event()

    def script(peer: Peer) -> None:
        while peer.read_request() is not None:
            peer.send(OK)
            peer.stall()
            peer.send(response(b"unasked"))
            has_come.set()

    async def twice() -> Response:
        transport = transport_factory(verify=certificates.ca)
        await transport.send(get(server.origin), PATIENT)
        server.released.set()
        assert has_come.wait(10)  # the loop does not see that they come
        return await transport.send(get(server.origin), PATIENT)

    tls = certificates.server_context() if is_secure else None
    with ScriptedServer(script, answering(OK), tls=tls) as server:
        assert run(twice()).body == b"ok"
    assert server.connections == 2


def test_a_refused_connection_is_a_connect_error(
    transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """Where nobody listens nothing was sent, and the error says where."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    transport = transport_factory()
    with pytest.raises(ConnectError, match=f"127.0.0.1:{port}") as caught:
        run(transport.send(get(Origin("http", "127.0.0.1", port)), PATIENT))
    assert (caught.value.sent, transport.stats().open) == (False, 0)


@pytest.mark.parametrize("name", ["a..b", "a" * 64 + ".invalid"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_name_that_is_none_is_a_connect_error(
    scheme: str, name: str, transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """What cannot stand in a host name is told like a name that does not exist."""
    origin = Origin(scheme, name, 80)
    with pytest.raises(ConnectError, match=f"to {name}:80: .*name") as caught:
        run(transport_factory().send(get(origin), PATIENT))
    assert not caught.value.sent


def test_a_name_that_does_not_exist_is_a_connect_error(
    transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """The error says that it is the name."""
    with pytest.raises(ConnectError, match=r"nowhere\.invalid:80.*(?i:name|resolve)"):
        run(transport_factory().send(get(Origin("http", "nowhere.invalid", 80)), PATIENT))


def test_ipv6_addresses_are_reached(transport_factory: TransportFactory, run: Run[Any]) -> None:
    """An IPv6 address is a host like any other."""
    with ScriptedServer(answering(OK), host="::1") as server:
        assert run(transport_factory().send(get(server.origin), PATIENT)).body == b"ok"
