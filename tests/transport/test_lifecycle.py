"""The pool's life: made anywhere, bound to a loop, closed or forgotten, never leaking."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from tests.transport.certificates import Certificates
from tests.transport.conftest import ENGINES, Engine, Run
from tests.transport.server import Peer, ScriptedServer, answering, response, serving
from tests.transport.simple import PATIENT, ProactorLike, get, post, until
from tornado_aws.exceptions import (
    AWSClientException,
    ClientClosedError,
    ConfigurationError,
    ConnectError,
)
from tornado_aws.transport import TransportOptions
from tornado_aws.transport.pool import PoolTransport

OK = response(b"ok")


@pytest.fixture(params=[name for name in ENGINES if name.startswith("pool")])
def engine(request: pytest.FixtureRequest) -> Engine:
    """The pool on each loop."""
    return ENGINES[request.param]


@pytest.fixture
def descriptors() -> Iterator[None]:
    """Fail a test that leaves file descriptors open."""
    gc.collect()
    before = _descriptors()
    yield
    gc.collect()
    assert _descriptors() <= before


def _descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208


def silent(peer: Peer) -> None:
    """Read the request and say nothing."""
    peer.read_request()
    peer.stall()


async def fetch(transport: PoolTransport, server: ScriptedServer) -> bytes:
    """Send one request."""
    return (await transport.send(get(server.origin), PATIENT)).body


def test_a_transport_is_made_without_a_loop(run: Run[Any]) -> None:
    """Nothing happens before the first request; closing then is nothing."""
    transport = PoolTransport()
    assert transport.stats() == (0, 0, 0, 0, 0)
    with serving(OK) as server:
        assert run(fetch(transport, server)) == b"ok"

        async def close() -> None:
            transport.close()

        run(close())
    PoolTransport().close()


def test_closing_is_final_and_idempotent(run: Run[Any]) -> None:
    """After close() there is no connection, and a request says that the client is closed."""

    async def life() -> None:
        transport = PoolTransport()
        await fetch(transport, server)
        transport.close()
        transport.close()
        assert transport.stats().open == 0
        with pytest.raises(ClientClosedError) as caught:
            await fetch(transport, server)
        assert not caught.value.sent
        assert repr(transport) == "<PoolTransport closed>"

    with serving(OK) as server:
        run(life())


def test_repr_tells_states_and_counts(run: Run[Any]) -> None:
    """What the pool is doing can be read off it."""

    async def life() -> None:
        transport = PoolTransport(TransportOptions(max_clients=1))
        calls = [asyncio.create_task(fetch(transport, server)) for _ in range(3)]
        await asyncio.sleep(0)
        expected = "<PoolTransport open 1, idle 0, waiting 2, created 0, requests 3>"
        assert repr(transport) == expected
        await asyncio.gather(*calls)
        expected = "<PoolTransport open 1, idle 1, waiting 0, created 1, requests 3>"
        assert repr(transport) == expected
        transport.close()

    with serving(OK) as server:
        run(life())


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_calls_in_flight_end_when_the_transport_is_closed(scheme: str, run: Run[Any]) -> None:
    """Those that wait for a response, a connection or a place end with ClientClosedError."""

    async def life() -> None:
        transport, tasks = PoolTransport(TransportOptions(max_clients=2)), asyncio.all_tasks()
        origin = server.origin._replace(scheme=scheme)
        calls = [asyncio.create_task(transport.send(get(origin), PATIENT)) for _ in range(4)]
        await asyncio.sleep(0.05)
        transport.close()
        results = await asyncio.gather(*calls, return_exceptions=True)
        assert [type(result) for result in results] == [ClientClosedError] * 4
        sent = [isinstance(result, ClientClosedError) and result.sent for result in results]
        assert sent == [scheme == "http"] * 2 + [False] * 2
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == tasks

    with ScriptedServer(silent) as server:
        run(life())


def test_an_upload_in_flight_ends_when_the_transport_is_closed(run: Run[Any]) -> None:
    """The task that sends a body does not outlive the transport."""

    async def endless() -> Any:
        while True:
            yield b"x" * 1000
            await asyncio.sleep(0)

    async def life() -> None:
        transport, tasks = PoolTransport(), asyncio.all_tasks()
        call = asyncio.create_task(transport.send(post(server.origin, endless()), PATIENT))
        await asyncio.sleep(0.02)
        transport.close()
        with pytest.raises(ClientClosedError):
            await call
        assert asyncio.all_tasks() == tasks

    with ScriptedServer(silent) as server:
        run(life())


@pytest.mark.usefixtures("descriptors")
@pytest.mark.parametrize("count", [1, 3])
def test_closing_on_the_loop_leaves_nothing(count: int, engine: Engine) -> None:
    """A program that ends right after close() leaves no socket, task or warning."""

    async def life() -> None:
        transport = PoolTransport()
        await asyncio.gather(*[fetch(transport, server) for _ in range(count)])
        transport.close()

    with serving(OK) as server:
        loop = engine.loop_factory()
        loop.run_until_complete(life())
        loop.close()


@pytest.mark.usefixtures("descriptors")
def test_closing_between_runs_of_the_loop_leaves_nothing(engine: Engine) -> None:
    """close() while the loop stands still needs no further turn of it."""
    with serving(OK) as server:
        loop = engine.loop_factory()
        transport = PoolTransport()
        loop.run_until_complete(fetch(transport, server))
        transport.close()
        loop.close()


@pytest.mark.usefixtures("descriptors")
def test_closing_after_the_loop_leaves_nothing(certificates: Any) -> None:
    """close() after the loop was closed still closes the sockets, in the clear and under TLS."""
    context = certificates.server_context()
    with serving(OK) as plain, ScriptedServer(answering(OK), tls=context) as secure:
        transport = PoolTransport(TransportOptions(verify=certificates.ca))

        async def life() -> None:
            await fetch(transport, plain)
            await fetch(transport, secure)

        loop = asyncio.SelectorEventLoop()
        loop.run_until_complete(life())
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
        transport.close()
        assert transport.stats().open == 0


def test_a_transport_moves_on_when_its_loop_is_closed() -> None:
    """Two asyncio.run in a row may share a transport."""
    with serving(OK) as server:
        transport = PoolTransport()

        async def life() -> bytes:
            return await fetch(transport, server)

        for _ in range(3):
            with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
                assert runner.run(life()) == b"ok"
        transport.close()
    assert server.connections == 3


def test_another_open_loop_is_an_error(engine: Engine, run: Run[Any]) -> None:
    """A transport that belongs to a loop says so on another one, and goes on working on its own."""

    async def life() -> None:
        transport = PoolTransport()
        await fetch(transport, server)
        errors: list[Exception] = []

        def elsewhere() -> None:
            with asyncio.Runner(loop_factory=engine.loop_factory) as runner:
                try:
                    runner.run(fetch(transport, server))
                except AWSClientException as error:
                    errors.append(error)

        await asyncio.to_thread(elsewhere)
        assert "another event loop" in str(errors[0])
        assert await fetch(transport, server) == b"ok"
        transport.close()

    with serving(OK) as server:
        run(life())


def test_close_may_be_called_in_any_thread(run: Run[Any]) -> None:
    """Another thread's close() is carried out on the loop."""

    async def life() -> None:
        transport = PoolTransport()
        call = asyncio.create_task(fetch(transport, server))
        await asyncio.sleep(0.02)
        await asyncio.to_thread(transport.close)
        with pytest.raises(ClientClosedError):
            await call

    with ScriptedServer(silent) as server:
        run(life())


@pytest.mark.usefixtures("descriptors")
def test_a_forgotten_transport_warns_and_leaks_nothing(run: Run[Any]) -> None:
    """Collected unclosed, it says so in a ResourceWarning, and its connections are closed."""
    closed = threading.Event()

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(OK)
        peer.wait_closed()
        closed.set()

    async def life() -> None:
        transport = PoolTransport()
        await fetch(transport, server)
        kept = [transport]
        del transport
        with pytest.warns(ResourceWarning, match="unclosed <PoolTransport open 1, idle 1"):
            kept.clear()
        await until(closed.is_set)

    with ScriptedServer(script) as server:
        run(life())


def test_a_forgotten_transport_without_connections_is_silent(run: Run[Any]) -> None:
    """There is nothing to complain of when nothing is open."""

    async def life() -> None:
        transport = PoolTransport()
        await fetch(transport, server)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            del transport
            gc.collect()

    with serving(response(b"ok", "200 OK", "Connection: close")) as server:
        run(life())


def test_a_running_call_keeps_its_transport(run: Run[Any]) -> None:
    """A transport that only a call refers to is not collected."""

    async def life() -> None:
        call = asyncio.create_task(fetch(PoolTransport(), server))
        await asyncio.sleep(0.02)
        gc.collect()
        server.released.set()
        with pytest.warns(ResourceWarning):
            assert await call == b"ok"
        await asyncio.sleep(0)

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.stall()
        peer.send(OK)

    with ScriptedServer(script) as server:
        run(life())


def test_no_reference_cycle_keeps_a_finished_call(run: Run[Any]) -> None:
    """Requests, responses and bodies are freed by counting, without the collector."""

    async def life() -> None:
        transport = PoolTransport()
        await fetch(transport, server)
        gc.collect()
        gc.disable()
        try:
            for _ in range(20):
                await fetch(transport, server)
            collected = gc.collect()
        finally:
            gc.enable()
        assert collected < 20
        transport.close()

    with serving(response(b"x" * 200_000)) as server:
        run(life())


def test_a_forked_child_starts_afresh(run: Run[Any]) -> None:
    """A child has connections of its own, and the parent's stay as they are."""

    async def parent() -> PoolTransport:
        transport = PoolTransport()
        assert await fetch(transport, server) == b"ok"
        return transport

    async def again(transport: PoolTransport) -> bytes:
        return await fetch(transport, server)

    async def close(transport: PoolTransport) -> None:
        transport.close()

    with serving(OK) as server:
        transport = run(parent())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of threads at a fork
            child = os.fork()
        if child == 0:
            status = 1
            try:
                with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
                    good = runner.run(again(transport)) == b"ok"
                    status = 0 if good and transport.stats().created == 1 else 2
                    runner.run(close(transport))
            finally:
                os._exit(status)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        assert run(again(transport)) == b"ok"
        assert transport.stats().created == 1
        run(close(transport))
    assert server.connections == 2


def test_nothing_is_sent_on_a_connection_that_begins_badly(
    run: Run[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A peer that hangs up or speaks at once has received nothing, so that all may be repeated."""
    monkeypatch.setattr("tornado_aws.transport.connection.Connection.is_dead", lambda _: True)

    async def life() -> None:
        transport = PoolTransport(TransportOptions(max_clients=1))
        for _ in range(2):
            with pytest.raises(ConnectError, match="before it was asked") as caught:
                await fetch(transport, server)
            assert not caught.value.sent
            assert transport.stats().open == 0
        transport.close()

    with serving(OK) as server:
        run(life())
        assert not server.requests


def test_idle_connections_are_closed_in_time(
    run: Run[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection that nobody used for its lifetime is closed by the pool."""
    monkeypatch.setattr("tornado_aws.transport.pool_engine.IDLE_LIFETIME", 0.05)

    async def life() -> None:
        transport = PoolTransport()
        await fetch(transport, server)
        assert transport.stats().open == 1
        await until(lambda: transport.stats().open == 0)
        transport.close()

    with serving(OK) as server:
        run(life())


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_loop_that_cannot_wait_for_sockets_gets_a_thread_that_does(
    scheme: str, certificates: Certificates, descriptors: None
) -> None:
    """Requests go on beside each other, and the thread ends with the transport."""
    before = set(threading.enumerate())
    body = b"x" * 3_000_000

    async def main() -> list[bytes]:
        transport = PoolTransport(TransportOptions(max_clients=3, verify=certificates.ca))
        requests = [post(server.origin, body) for _ in range(9)]
        answers = await asyncio.gather(*[transport.send(item, PATIENT) for item in requests])
        transport.close()
        return [answer.body for answer in answers]

    context = certificates.server_context() if scheme == "https" else None
    with (
        ScriptedServer(answering(response(body)), tls=context) as server,
        asyncio.Runner(loop_factory=ProactorLike) as runner,
    ):
        assert runner.run(main()) == [body] * 9
        started = {thread.name for thread in set(threading.enumerate()) - before}
        assert not [name for name in started if "elector" in name]
    assert [got.body for got in server.requests] == [body] * 9


@pytest.mark.filterwarnings("error")
def test_a_forgotten_transport_ends_its_thread(descriptors: None) -> None:
    """The loop it waited for is closed by then."""
    before = set(threading.enumerate())

    async def main() -> PoolTransport:
        transport = PoolTransport()
        assert await fetch(transport, server) == b"ok"
        return transport

    with serving(OK) as server, asyncio.Runner(loop_factory=ProactorLike) as runner:
        transport = runner.run(main())
    transport.close()
    assert not [name for name in set(threading.enumerate()) - before if "elector" in str(name)]


def test_a_tornado_without_that_thread_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what to do."""
    monkeypatch.delattr("tornado.platform.asyncio.SelectorThread")

    async def main() -> None:
        with serving(OK) as server:
            await fetch(PoolTransport(), server)

    with (
        asyncio.Runner(loop_factory=ProactorLike) as runner,
        pytest.raises(ConfigurationError, match=r"Tornado 6\.5"),
    ):
        runner.run(main())


def test_thousands_of_calls_leave_nothing_growing(run: Run[Any]) -> None:
    """No timer, task, socket or object is left behind by a call."""

    def count() -> tuple[int, int, int]:
        server.requests.clear()
        gc.collect()
        return _descriptors(), len(asyncio.all_tasks()), len(gc.get_objects())

    async def life() -> None:
        transport = PoolTransport(TransportOptions(max_clients=10))
        counts = []
        for _ in range(3):
            for _ in range(5):
                await asyncio.gather(*[fetch(transport, server) for _ in range(100)])
            counts.append(count())
        assert counts[1][:2] == counts[2][:2]
        assert counts[2][2] - counts[1][2] < 50
        assert transport.stats().created == 10
        transport.close()

    with serving(OK) as server:
        run(life())
