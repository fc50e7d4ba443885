"""What only the curl engine does, or could do wrong."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import warnings
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("pycurl")

import pycurl

from tests.transport.certificates import Certificates
from tests.transport.server import Peer, ScriptedServer, chunked, response, serving
from tests.transport.simple import PATIENT, ProactorLike, get, post
from tornado_aws.exceptions import (
    ClientClosedError,
    ConfigurationError,
    CurlNotInstalledError,
    ReadError,
    ReadTimeout,
    RequestException,
)
from tornado_aws.transport import Origin, Request, Response, Timeouts, TransportOptions, curl_multi
from tornado_aws.transport.curl import CurlTransport
from tornado_aws.transport.curl_sockets import LoopWatcher
from tornado_aws.transport.http1 import request_head


async def pieces(*chunks: bytes) -> AsyncIterator[bytes]:
    """Give `chunks`, each in a turn of the loop of its own."""
    for chunk in chunks:
        await asyncio.sleep(0)
        yield chunk


def echo(peer: Peer) -> None:
    """Answer each request with the length of its body."""
    while (request := peer.read_request()) is not None:
        if request.method == "HEAD":
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n")
        else:
            peer.answer(b"%d" % len(request.body))


async def send(transport: CurlTransport, request: Request, timeouts: Any = PATIENT) -> Response:
    """Send one request and close the transport."""
    try:
        return await transport.send(request, timeouts)
    finally:
        transport.close()


# --- what goes on the wire ------------------------------------------------------------------------

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
NAMES = ["Accept", "Authorization", "Connection", "Content-Type", "Cookie", "User-Agent", "X-Amz-D"]


@st.composite
def shapes(draw: st.DrawFn) -> tuple[str, str, list[tuple[str, str]], list[bytes] | bytes | None]:
    """Give method, target, headers and body of a request; a list is a body in chunks."""
    method = draw(st.sampled_from(METHODS))
    target = draw(st.sampled_from(["/", "/a/../b", "//c", "/?q=%2f&r", "/k%20y#z", "/*"]))
    names = draw(st.sets(st.sampled_from(NAMES)))
    values = st.sampled_from(["a", "a  b", "\u00e9", "x;y", "0"])
    headers = [(name, draw(values)) for name in sorted(names)]
    some = st.binary(max_size=40)
    body = None if method == "HEAD" else draw(st.none() | some | st.lists(some, max_size=3))
    return method, target, headers, body


@settings(max_examples=30, deadline=None)
@given(st.lists(shapes(), min_size=1, max_size=6), st.booleans())
def test_a_handle_remembers_nothing(sequence: list[Any], with_length: bool) -> None:
    """Whatever a handle sent before, each request arrives as if it were the only one."""

    def make(origin: Origin, shape: Any) -> Request:
        method, target, headers, body = shape
        known = sum(map(len, body)) if with_length and isinstance(body, list) else None
        headers = [("Host", "h"), *headers]
        body = pieces(*body) if isinstance(body, list) else body
        return Request(origin, method, target, headers, body, content_length=known)

    async def main() -> None:
        with closing(CurlTransport(TransportOptions(max_clients=1))) as transport:
            for shape in sequence:
                request = make(server.origin, shape)
                head = request_head(request)
                body = b"".join(shape[3]) if isinstance(shape[3], list) else shape[3] or b""
                answer = await transport.send(request, PATIENT)
                received = server.requests[-1]
                assert received.raw.startswith(head)
                assert received.body == body
                assert answer.body == (b"" if shape[0] == "HEAD" else b"%d" % len(body))

    with ScriptedServer(echo) as server:
        asyncio.run(main())
        assert server.connections == 1


EMPTY = ("X-Empty", "")
HOST = ("Host", "h")


@pytest.mark.parametrize(
    "headers",
    [
        [EMPTY, HOST],
        [HOST, EMPTY, ("X-Blank", " "), ("X-Last", "1")],
        [HOST, EMPTY],
        [HOST, EMPTY, ("Content-Length", "2")],
        [EMPTY],
    ],
)
def test_a_header_without_a_value_is_sent(headers: list[tuple[str, str]]) -> None:
    """libcurl's way to drop a header does not drop one that was signed."""
    body = b"ab" if ("Content-Length", "2") in headers else None
    method = "GET" if body is None else "POST"
    with ScriptedServer(echo) as server:
        asyncio.run(send(CurlTransport(), Request(server.origin, method, "/", headers, body)))
    head = server.requests[0].raw.decode().partition("\r\n\r\n")[0]
    lines = [line.rstrip() for line in head.split("\r\n")[1:]]
    assert lines == [f"{name}: {value}".rstrip() for name, value in headers]


def test_a_head_request_has_no_body() -> None:
    """What libcurl would not send is refused instead of promised to the server."""
    with ScriptedServer(echo) as server:
        request = Request(server.origin, "HEAD", "/", [("Host", "h")], b"body")
        with pytest.raises(RequestException, match="no body with HEAD") as caught:
            asyncio.run(send(CurlTransport(), request))
    assert not caught.value.sent
    assert server.connections == 0


def test_the_environment_is_not_asked_for_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the options name proxies; libcurl would read the environment by itself."""
    with ScriptedServer(echo) as server:
        for name in ("http_proxy", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:1")
        answer = asyncio.run(send(CurlTransport(), get(server.origin)))
        for name in ("http_proxy", "all_proxy", "ALL_PROXY"):
            monkeypatch.delenv(name)
    assert answer.status == 200


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    """Neither headers nor anything else of a request reaches the terminal."""
    with ScriptedServer(echo) as server:
        headers = [("Host", "h"), ("Authorization", "secret")]
        asyncio.run(send(CurlTransport(), Request(server.origin, "GET", "/", headers)))
    assert capfd.readouterr() == ("", "")


# --- HTTP/2 ---------------------------------------------------------------------------------------


def test_http2_is_spoken_only_where_it_is_needed(certificates: Certificates) -> None:
    """Other requests keep to HTTP/1.1, where none suffers from the end of another's connection."""
    http2 = pytest.importorskip("tests.transport.http2", exc_type=ImportError)
    spoken: list[str | None] = []

    def script(peer: Peer) -> None:
        spoken.append(peer.alpn)
        if peer.alpn != "h2":
            echo(peer)
            return
        connection = http2.Http2Peer(peer)
        for request in connection.requests():
            connection.answer(request.id, b"%d" % len(request.body), ("x-amzn-requestid", "1"))

    async def main() -> list[Response]:
        transport = CurlTransport(TransportOptions(verify=certificates.ca))
        before = await transport.send(post(server.origin, b"x"), PATIENT)
        duplex = post(server.origin, pieces(b"abc", b"d"), is_duplex=True)
        during = await transport.send(duplex, PATIENT)
        after = await transport.send(post(server.origin, pieces(b"ab")), PATIENT)
        transport.close()
        return [before, during, after]

    with ScriptedServer(script, tls=http2.http2_context(certificates)) as server:
        answers = asyncio.run(main())
    assert [answer.body for answer in answers] == [b"1", b"4", b"2"]
    assert answers[1].headers == {"x-amzn-requestid": "1"}
    assert sorted(map(str, spoken)) == ["h2", "http/1.1"]


# --- connections ----------------------------------------------------------------------------------


def test_sockets_can_be_left_to_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no epoll, the loop itself watches every socket."""
    monkeypatch.setattr(curl_multi, "make_watcher", LoopWatcher)

    async def main() -> None:
        transport = CurlTransport(TransportOptions(max_clients=3))
        for size in (0, 3_000_000):
            sending = (transport.send(post(server.origin, b"x" * size), PATIENT) for _ in range(9))
            assert {answer.body for answer in await asyncio.gather(*sending)} == {b"%d" % size}
        assert transport.stats()[:3] == (3, 3, 0)
        transport.close()
        transport.close()

    with ScriptedServer(echo) as server:
        asyncio.run(main())


def test_other_origins_make_room_for_each_other() -> None:
    """With every connection kept for one origin, another origin gets one all the same."""

    async def main() -> None:
        transport = CurlTransport(TransportOptions(max_clients=2))
        for server in (one, other, one, other):
            both = (transport.send(get(server.origin), PATIENT) for _ in range(2))
            await asyncio.gather(*both)
            assert transport.stats().open <= 2
        transport.close()

    with ScriptedServer(echo) as one, ScriptedServer(echo) as other:
        asyncio.run(main())


def test_a_connection_with_a_doubtful_answer_is_given_up() -> None:
    """After an answer that can be read in two ways the next request takes a fresh connection."""
    doubtful = (
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    )

    async def main() -> Response:
        transport = CurlTransport()
        with pytest.raises(ReadError, match="both Transfer-Encoding and Content-Length"):
            await transport.send(get(server.origin), PATIENT)
        return await send(transport, get(server.origin))

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(doubtful)
        peer.wait_closed()

    with ScriptedServer(script, echo) as server:
        assert asyncio.run(main()).status == 200
    assert server.connections == 2


def test_the_files_of_tls_are_looked_at_before_libcurl_does(certificates: Certificates) -> None:
    """What is wrong with a file is a setting's fault and names it; nothing is sent."""
    origin = Origin("https", "127.0.0.1", 1)
    for options in ({"verify": "/nowhere.pem"}, {"client_cert": certificates.ca}):
        transport = CurlTransport(TransportOptions(**options))  # type: ignore[arg-type]
        with pytest.raises(ConfigurationError, match=next(iter(options.values()))):
            asyncio.run(send(transport, get(origin)))


# --- beginning and ending -------------------------------------------------------------------------


def counting(calls: list[tuple[int, ...]]) -> type:
    """Return a `pycurl.CurlMulti` that notes with what it is asked to act."""

    class Counting:
        def __init__(self) -> None:
            self._real = make_real()

        def __getattr__(self, name: str) -> Any:
            return getattr(self._real, name)

        def socket_action(self, *arguments: int) -> Any:
            calls.append(arguments)
            return self._real.socket_action(*arguments)

    make_real = pycurl.CurlMulti
    return Counting


def test_requests_of_one_round_begin_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """libcurl is called once for all that was asked for in a round of the loop."""
    calls: list[tuple[int, ...]] = []
    monkeypatch.setattr(pycurl, "CurlMulti", counting(calls))
    all_ten = threading.Barrier(10, timeout=10)

    def script(peer: Peer) -> None:
        while peer.read_request() is not None:
            all_ten.wait()
            peer.answer(b"ok")

    async def main() -> None:
        async def ten() -> None:
            await asyncio.gather(*[transport.send(get(server.origin), PATIENT) for _ in range(10)])

        with closing(CurlTransport()) as transport:
            await ten()
            calls.clear()
            await ten()

    with ScriptedServer(script) as server:
        asyncio.run(main())
    assert calls.count((pycurl.SOCKET_TIMEOUT, 0)) == 1


def test_what_has_not_begun_was_not_sent() -> None:
    """A request that ends before its round does leaves no trace; its handle's last one neither."""

    async def main() -> None:
        with closing(CurlTransport(TransportOptions(max_clients=2))) as transport:
            await transport.send(get(server.origin), PATIENT)
            dropped = asyncio.create_task(transport.send(get(server.origin), PATIENT))
            await asyncio.sleep(0)
            dropped.cancel()
            with pytest.raises(asyncio.CancelledError):
                await dropped
            assert (await transport.send(get(server.origin), PATIENT)).status == 200
            closed = asyncio.create_task(transport.send(get(server.origin), PATIENT))
            await asyncio.sleep(0)
            transport.close()
            with pytest.raises(ClientClosedError) as caught:
                await closed
            assert (caught.value.sent, caught.value.response_started) == (False, False)

    with ScriptedServer(echo) as server:
        asyncio.run(main())
        assert (len(server.requests), server.connections) == (2, 1)


# --- bodies in motion -----------------------------------------------------------------------------


def test_an_unread_stream_stops_its_server() -> None:
    """No more than a buffer's worth is held of a stream that nobody reads."""
    piece, count = b"x" * 100_000, 100
    written: list[int] = []

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (len(piece) * count))
        for _ in range(count):
            peer.send(piece)
            written.append(len(piece))
        peer.wait_closed()

    async def main() -> None:
        transport = CurlTransport()
        answer = await transport.send(get(server.origin, stream=True), PATIENT)
        assert answer.stream is not None
        before = -1
        while before != len(written):
            before = len(written)
            await asyncio.sleep(0.05)
        assert len(written) < count
        total = 0
        while data := await answer.stream.read_chunk():
            total += len(data)
        assert total == len(piece) * count
        assert transport.stats()[:2] == (1, 1)
        transport.close()

    with ScriptedServer(script) as server:
        asyncio.run(main())


def test_silence_counts_while_somebody_listens() -> None:
    """A reader that takes its time is no silent server; a silent server is, once he listens."""

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(chunked([b"hello"])[:-5])
        peer.stall()

    async def main() -> None:
        transport = CurlTransport()
        timeouts = Timeouts(connect=10, read=0.08)
        answer = await transport.send(get(server.origin, stream=True), timeouts)
        assert answer.stream is not None
        assert await answer.stream.read_chunk() == b"hello"
        await asyncio.sleep(0.2)
        began = asyncio.get_running_loop().time()
        with pytest.raises(ReadTimeout, match=r"silent for 0\.08 s"):
            await answer.stream.read_chunk()
        assert asyncio.get_running_loop().time() - began >= 0.08
        assert transport.stats().open == 0
        transport.close()

    with ScriptedServer(script) as server:
        asyncio.run(main())


def test_a_slow_source_is_no_silent_server() -> None:
    """While the caller's own iterable gives nothing, no read timeout ends the request."""

    async def slow() -> AsyncIterator[bytes]:
        yield b"a"
        await asyncio.sleep(0.2)
        yield b"b"

    with ScriptedServer(echo) as server:
        timeouts = Timeouts(connect=10, read=0.08)
        answer = asyncio.run(send(CurlTransport(), post(server.origin, slow()), timeouts))
    assert answer.body == b"2"


def test_an_iterable_survives_a_dead_connection() -> None:
    """A kept connection that its server closed costs a body nothing of which was taken nothing."""

    closed = threading.Event()

    def once(peer: Peer) -> None:
        peer.read_request()
        peer.answer(b"once")
        peer.close()
        closed.set()

    async def main() -> list[bytes]:
        with closing(CurlTransport()) as transport:
            first = await transport.send(post(server.origin, pieces(b"a")), PATIENT)
            await asyncio.to_thread(closed.wait, 10)
            second = await transport.send(post(server.origin, pieces(b"b", b"c")), PATIENT)
            return [first.body, second.body]

    with ScriptedServer(once, echo) as server:
        assert asyncio.run(main()) == [b"once", b"2"]


def test_an_answer_may_come_before_the_body_is_sent() -> None:
    """A server that refuses early is heard, and the source is closed before the caller goes on."""
    closed: list[bool] = []

    async def endless() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"x" * 10_000
                await asyncio.sleep(0.001)
        finally:
            closed.append(True)

    def script(peer: Peer) -> None:
        peer.read_head()
        peer.answer(b"no", "403 Forbidden", "Connection: close")
        peer.wait_closed()

    async def main() -> None:
        transport = CurlTransport()
        answer = await transport.send(post(server.origin, endless()), PATIENT)
        assert (answer.status, answer.body, closed) == (403, b"no", [True])
        transport.close()

    with ScriptedServer(script) as server:
        asyncio.run(main())


def test_without_bounds_no_timer_is_set() -> None:
    """With every bound switched off a request sets no timer of ours."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        unbounded = Timeouts(None, None, None, None)
        with closing(CurlTransport()) as transport:
            assert (await transport.send(get(server.origin), unbounded)).status == 200
            timers = [handle.when() for handle in loop._scheduled]  # type: ignore[attr-defined]
            assert float("inf") not in timers

    with ScriptedServer(echo) as server:
        asyncio.run(main())


# --- loops, processes, the end --------------------------------------------------------------------


def test_without_pycurl_nothing_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what to install."""
    for name in [name for name in sys.modules if name.startswith("tornado_aws.transport.curl_")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr("tornado_aws.transport.curl_engine")
    monkeypatch.setitem(sys.modules, "pycurl", None)
    with pytest.raises(CurlNotInstalledError, match="pip install"):
        CurlTransport()


def test_an_old_pycurl_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pycurl without what the engine needs is named, with what to do."""
    monkeypatch.delattr("pycurl.SIZE_UPLOAD_T")
    with pytest.raises(CurlNotInstalledError, match=r"this is PycURL/.*--upgrade"):
        CurlTransport()


def test_a_libcurl_that_would_block_the_loop_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Name resolution is never done on the loop."""
    info: list[Any] = list(pycurl.version_info())
    info[4] &= ~pycurl.VERSION_ASYNCHDNS
    monkeypatch.setattr("pycurl.version_info", lambda: tuple(info))
    with pytest.raises(CurlNotInstalledError, match="AsynchDNS"):
        CurlTransport()


@pytest.mark.filterwarnings("error")
def test_a_loop_that_cannot_wait_for_sockets_gets_a_thread_that_does() -> None:
    """Requests go on beside each other, and the thread ends with the transport."""
    before = set(threading.enumerate())

    async def main() -> list[bytes]:
        transport = CurlTransport(TransportOptions(max_clients=3))
        requests = [post(server.origin, b"x" * 100_000) for _ in range(9)]
        answers = await asyncio.gather(*[transport.send(item, PATIENT) for item in requests])
        transport.close()
        return [answer.body for answer in answers]

    with ScriptedServer(echo) as server, asyncio.Runner(loop_factory=ProactorLike) as runner:
        assert runner.run(main()) == [b"100000"] * 9
        started = {thread.name for thread in set(threading.enumerate()) - before}
        assert not [name for name in started if "elector" in name]


def test_a_tornado_without_that_thread_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what to do."""
    monkeypatch.delattr("tornado.platform.asyncio.SelectorThread")

    async def main() -> None:
        await CurlTransport().send(get(Origin("http", "127.0.0.1", 1)), PATIENT)

    with (
        asyncio.Runner(loop_factory=ProactorLike) as runner,
        pytest.raises(ConfigurationError, match=r"Tornado 6\.5"),
    ):
        runner.run(main())


DOUBTFUL = {
    "length": b"1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nhello",
    "coding": b"1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "head": b"1.1 200 OK\r\nContent-Length: 5\r\nX: " + b"x" * 70_000 + b"\r\n\r\nhello",
}


@pytest.mark.parametrize("case", DOUBTFUL)
def test_what_the_other_engine_refuses_is_refused(case: str) -> None:
    """Heads that libcurl takes are held against the same rules."""

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(b"HTTP/" + DOUBTFUL[case])

    with ScriptedServer(script) as server, pytest.raises(ReadError, match="not valid HTTP"):
        asyncio.run(send(CurlTransport(), get(server.origin)))


def test_a_transport_closed_meanwhile_sends_nothing(certificates: Certificates) -> None:
    """A request that was still being prepared when its client was closed ends as the others do."""

    async def main() -> None:
        transport = CurlTransport(TransportOptions(verify=certificates.ca))
        origin = Origin("https", "127.0.0.1", 1)
        sending = asyncio.create_task(transport.send(get(origin), PATIENT))
        await asyncio.sleep(0)
        transport.close()
        with pytest.raises(ClientClosedError) as caught:
            await sending
        assert not caught.value.sent

    asyncio.run(main())


def test_when_libcurl_gives_up_nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure that stops libcurl ends the requests under way; the next one starts afresh."""

    class Failing:
        def __init__(self) -> None:
            self._real = make_real()

        def __getattr__(self, name: str) -> Any:
            return getattr(self._real, name)

        def socket_action(self, *_arguments: int) -> None:
            raise pycurl.error(11, "out of order")

    async def main() -> None:
        transport = CurlTransport(TransportOptions(max_clients=1))
        with monkeypatch.context() as patch:
            patch.setattr(pycurl, "CurlMulti", Failing)
            sending = (transport.send(get(server.origin), PATIENT) for _ in range(3))
            failures = await asyncio.gather(*sending, return_exceptions=True)
        assert ["libcurl stopped working" in str(failure) for failure in failures] == [True] * 3
        assert all(isinstance(failure, RequestException) for failure in failures)
        assert (await send(transport, get(server.origin))).status == 200

    make_real = pycurl.CurlMulti
    with ScriptedServer(echo) as server:
        asyncio.run(main())


def test_a_dropped_transport_warns_and_leaves_nothing() -> None:
    """Without `close` there is a ResourceWarning, and the connections end all the same."""

    async def main() -> None:
        transport = CurlTransport()
        await transport.send(get(server.origin), PATIENT)
        with pytest.warns(ResourceWarning, match="unclosed <CurlTransport open 1"):
            del transport
        await asyncio.sleep(0)

    with serving(response(b"ok")) as server:
        before = open_files()
        asyncio.run(main())
        # One is the server's side, in this process too.
        assert open_files() <= before + 1


def open_files() -> int:
    """Return how many descriptors this process has, 0 where that cannot be asked."""
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.exists() else 0


def test_uploads_end_with_a_loop_that_stands_still() -> None:
    """`close` on a loop that is not running lets the sources of bodies end."""
    closed: list[bool] = []

    async def endless() -> AsyncIterator[bytes]:
        try:
            yield b"x"
            await asyncio.Event().wait()
        finally:
            closed.append(True)

    def script(peer: Peer) -> None:
        peer.read_head()
        peer.wait_closed()

    loop = asyncio.new_event_loop()
    transport = CurlTransport()
    with ScriptedServer(script) as server:
        sending = loop.create_task(transport.send(post(server.origin, endless()), PATIENT))
        loop.run_until_complete(asyncio.sleep(0.05))
        transport.close()
        assert closed == [True]
        with pytest.raises(ClientClosedError):
            loop.run_until_complete(sending)
        loop.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_fork_leaves_its_parents_connections_alone(certificates: Certificates) -> None:
    """A child that closes what it inherited says no goodbye on the parent's TLS connections."""

    def in_child(transport: CurlTransport) -> int:
        pid = os.fork()
        if pid == 0:
            try:
                transport.close()
            finally:
                os._exit(0)
        return os.waitpid(pid, 0)[1]

    async def main() -> None:
        transport = CurlTransport(TransportOptions(verify=certificates.ca))
        await transport.send(get(server.origin), PATIENT)
        with warnings.catch_warnings():
            # Python 3.12 warns of forks in processes with threads, as the server's here.
            warnings.simplefilter("ignore", DeprecationWarning)
            assert in_child(transport) == 0
        await transport.send(get(server.origin), PATIENT)
        assert transport.stats().created == 1
        transport.close()

    with ScriptedServer(echo, tls=certificates.server_context()) as server:
        asyncio.run(main())
