"""What goes on the wire, on every engine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.transport.certificates import Certificates
from tests.transport.conftest import Run, TransportFactory
from tests.transport.server import Peer, ScriptedServer, response, serving
from tests.transport.simple import PATIENT, get, post
from tornado_aws.exceptions import RequestException
from tornado_aws.transport import Request, connection

OK = response(b"ok")


async def pieces(*chunks: bytes) -> AsyncIterator[bytes]:
    """Yield chunks."""
    for chunk in chunks:
        yield chunk


@pytest.mark.parametrize(
    "target",
    ["/a/../b", "/a/./b", "//a//b", "/%2e%2e/x%2Fy?b=1&a=%20~", "/*?x=[1]", "/a;b=c?d?e", "/#x"],
)
def test_the_target_is_sent_as_given(
    target: str, transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """Nothing of a target is normalised: the signature covers every byte of it."""
    with serving(OK) as server:
        run(transport_factory().send(get(server.origin, target=target), PATIENT))
    assert server.requests[0].target == target


def test_headers_are_sent_as_given(transport_factory: TransportFactory, run: Run[Any]) -> None:
    """Headers keep their order, case and values; only the length is added."""
    headers = [("host", "h"), ("X-b", "2"), ("x-A", "é"), ("X-b", "3"), ("User-Agent", "me")]

    async def send() -> None:
        request = Request(server.origin, "POST", "/", headers, b"body")
        await transport_factory().send(request, PATIENT)

    with serving(OK) as server:
        run(send())
    assert server.requests[0].headers == [*headers, ("Content-Length", "4")]


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT", "PATCH", "POST", "OPTIONS"])
def test_any_method_may_have_a_body(
    method: str, transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """A body goes with every method, and so does none."""

    async def both() -> None:
        transport = transport_factory()
        for body in (b"body", None):
            await transport.send(
                Request(server.origin, method, "/", [("Host", "h")], body), PATIENT
            )

    with serving(OK) as server:
        run(both())
    assert [(got.method, got.body) for got in server.requests] == [(method, b"body"), (method, b"")]


@pytest.mark.parametrize("size", [1, 70_000, 262_145, 3_000_000])
def test_bodies_of_any_size_arrive(
    size: int, transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """A body arrives whole, and the connection is kept."""
    body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)

    async def twice() -> None:
        transport = transport_factory()
        for _ in range(2):
            await transport.send(post(server.origin, body), PATIENT)

    with serving(OK) as server:
        run(twice())
    assert all(got.body == body for got in server.requests)
    assert server.connections == 1


def test_an_iterable_is_sent_chunked(transport_factory: TransportFactory, run: Run[Any]) -> None:
    """Without a length an iterable goes in chunks; empty pieces do not end it."""
    body = pieces(b"hello, ", b"", b"world")
    with serving(OK) as server:
        run(transport_factory().send(post(server.origin, body), PATIENT))
    assert server.requests[0].body == b"hello, world"
    assert server.requests[0].header("Transfer-Encoding") == "chunked"
    assert server.requests[0].header("Content-Length") is None


def test_an_iterable_of_stated_length_is_sent_as_it_is(
    transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """With content_length an iterable goes out unchunked, and the connection is kept."""

    async def twice() -> None:
        transport = transport_factory()
        for _ in range(2):
            body = pieces(b"hello, ", b"", b"world")
            await transport.send(post(server.origin, body, content_length=12), PATIENT)

    with serving(OK) as server:
        run(twice())
    assert [got.body for got in server.requests] == [b"hello, world"] * 2
    assert server.requests[0].header("Transfer-Encoding") is None
    assert server.connections == 1


def test_an_empty_iterable_is_an_empty_body(
    transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """No pieces are no bytes, chunked or with a length of 0."""

    async def both() -> None:
        transport = transport_factory()
        await transport.send(post(server.origin, pieces()), PATIENT)
        await transport.send(post(server.origin, pieces(), content_length=0), PATIENT)

    with serving(OK) as server:
        run(both())
    assert [got.body for got in server.requests] == [b"", b""]


@pytest.mark.parametrize("expect_continue", [False, True])
def test_an_iterable_that_must_be_empty_is_looked_at_first(
    expect_continue: bool, transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """The head alone would be a whole request, which the server executes."""

    async def both() -> None:
        transport = transport_factory()
        request = post(
            server.origin, pieces(b"", b"x"), content_length=0, expect_continue=expect_continue
        )
        with pytest.raises(RequestException, match="longer than the 0 bytes stated") as caught:
            await transport.send(request, PATIENT)
        assert not caught.value.sent
        for _ in range(2):
            request = post(
                server.origin, pieces(b""), content_length=0, expect_continue=expect_continue
            )
            await transport.send(request, PATIENT)

    with serving(OK) as server:
        run(both())
    assert [got.header("Content-Length") for got in server.requests] == ["0", "0"]
    assert server.connections == 1


def test_a_large_iterable_goes_no_faster_than_it_is_taken(
    transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """While the server does not read, the iterable is not drained."""
    yielded = 0
    chunk = b"x" * 100_000

    async def source() -> AsyncIterator[bytes]:
        nonlocal yielded
        for _ in range(500):
            yielded += 1
            yield chunk

    seen_while_stalled = []

    def script(peer: Peer) -> None:
        head = peer.read_head()
        assert head is not None
        previous = -1
        while yielded != previous:
            previous = yielded
            peer.released.wait(0.1)
        seen_while_stalled.append(yielded)
        assert len(peer.read_body(head).body) == 500 * len(chunk)
        peer.send(OK)

    with ScriptedServer(script) as server:
        run(transport_factory().send(post(server.origin, source()), PATIENT))
    assert seen_while_stalled[0] < 250


class Lent:
    """A body whose pieces all lie in the same memory."""

    is_lent = True

    def __init__(self, memory: bytearray, count: int) -> None:
        self._memory = memory
        self._count = count

    async def __aiter__(self) -> AsyncIterator[memoryview]:
        for number in range(self._count):
            self._memory[:] = bytes([number]) * len(self._memory)
            await asyncio.sleep(0)
            yield memoryview(self._memory)


class Reused(Lent):
    """The same as the caller of an earlier release may have it, without saying so."""

    is_lent = False


@pytest.mark.parametrize("kind", [Lent, Reused])
@pytest.mark.parametrize("size", [1000, 300_001, 1 << 20])
@pytest.mark.parametrize("is_secure", [False, True], ids=["plain", "tls"])
def test_memory_that_is_filled_anew_arrives_as_it_was(
    kind: type[Lent],
    size: int,
    is_secure: bool,
    transport_factory: TransportFactory,
    certificates: Certificates,
    run: Run[Any],
) -> None:
    """Also when the server takes the bytes later: none is overwritten before it is sent."""
    received = []

    def script(peer: Peer) -> None:
        while (head := peer.read_head()) is not None:
            peer.released.wait(0.02)
            received.append(peer.read_body(head).body)
            peer.send(OK)

    async def twice() -> None:
        transport = transport_factory(verify=certificates.ca)
        for length in (None, 5 * size):
            body = kind(bytearray(size), 5)
            await transport.send(post(server.origin, body, content_length=length), PATIENT)

    with ScriptedServer(script, tls=certificates.server_context() if is_secure else None) as server:
        run(twice())
    assert received == [b"".join(bytes([number]) * size for number in range(5))] * 2
    assert server.connections == 1


@pytest.mark.parametrize("chunks", [(b"hell",), (b"hello!",), (b"hello", b"!"), ()])
def test_a_body_that_is_not_as_long_as_stated_is_an_error(
    chunks: tuple[bytes, ...], transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """Too few and too many bytes are errors, and the server never has a complete request."""
    complete = []

    def script(peer: Peer) -> None:
        if peer.read_request() is not None:
            complete.append(True)

    transport = transport_factory()
    with ScriptedServer(script) as server:
        with pytest.raises(RequestException, match="5 bytes"):
            run(transport.send(post(server.origin, pieces(*chunks), content_length=5), PATIENT))
        assert transport.stats().open == 0
    assert not complete


def test_an_iterable_that_fails_is_an_error(
    transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """What the iterable raises is the cause, and the server never has a complete request."""

    async def failing() -> AsyncIterator[bytes]:
        yield b"some"
        raise OSError("the disk is gone")

    complete = []

    def script(peer: Peer) -> None:
        if peer.read_request() is not None:
            complete.append(True)

    transport = transport_factory()
    with ScriptedServer(script) as server:
        with pytest.raises(RequestException, match="the disk is gone") as caught:
            run(transport.send(post(server.origin, failing()), PATIENT))
        assert transport.stats().open == 0
    assert isinstance(caught.value.__cause__, OSError)
    assert not complete


def test_what_is_not_bytes_is_an_error(transport_factory: TransportFactory, run: Run[Any]) -> None:
    """Text must be encoded by the caller."""

    async def text() -> AsyncIterator[Any]:
        yield "text"

    def script(peer: Peer) -> None:
        peer.read_request()

    with ScriptedServer(script) as server, pytest.raises(RequestException, match="str"):
        run(transport_factory().send(post(server.origin, text()), PATIENT))


def test_a_generator_is_closed_when_the_call_fails(
    transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """The iterable is not left hanging: if it was begun, its `finally` has run."""
    begun, ended = [], []

    async def endless() -> AsyncIterator[bytes]:
        begun.append(True)
        try:
            while True:
                yield b"x" * 1000
        finally:
            ended.append(True)

    def script(peer: Peer) -> None:
        peer.read_head()
        peer.reset()

    async def send() -> None:
        with pytest.raises(RequestException):
            await transport_factory().send(post(server.origin, endless()), PATIENT)
        assert ended == begun

    with ScriptedServer(script) as server:
        run(send())


@pytest.mark.parametrize("body", [b"x" * 50, b"x" * 8_000_000])
def test_an_early_answer_is_the_answer(
    body: bytes, transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """A final response that comes before the body is sent ends the call, and the connection."""

    def refuse(peer: Peer) -> None:
        peer.read_head()
        peer.answer(b"no", "400 Bad Request")
        peer.wait_closed()

    async def send() -> None:
        transport = transport_factory()
        body_ = pieces(body[:-1]) if len(body) < 100 else pieces(*[body] * 10)
        request = post(server.origin, body_, content_length=None)
        got = await transport.send(request, PATIENT)
        assert (got.status, got.body) == (400, b"no")

    with ScriptedServer(refuse) as server:
        run(send())


def test_an_early_answer_to_a_stalled_upload_ends_it(
    transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """The server's answer is not held up by an iterable that waits."""
    steps = []

    async def stalled() -> AsyncIterator[bytes]:
        try:
            steps.append("begin")
            yield b"some"
            await asyncio.Event().wait()
        finally:
            steps.append("end")

    def refuse(peer: Peer) -> None:
        peer.read_head()
        peer.answer(b"no", "403 Forbidden")
        peer.wait_closed()

    async def send() -> None:
        transport = transport_factory()
        got = await transport.send(post(server.origin, stalled()), PATIENT)
        assert (got.status, transport.stats().idle) == (403, 0)
        assert steps in ([], ["begin", "end"])

    with ScriptedServer(refuse) as server:
        run(send())


def expecting(peer: Peer) -> None:
    """Ask for the body, then answer."""
    head = peer.read_head()
    assert head is not None
    peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")
    peer.read_body(head)
    peer.send(OK)


@pytest.mark.parametrize("body", [b"hello", b"x" * 1_000_000])
def test_the_body_waits_for_continue(
    body: bytes, transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """With expect_continue the body follows the server's 100."""
    with ScriptedServer(expecting) as server:
        request = post(server.origin, body, expect_continue=True)
        assert run(transport_factory().send(request, PATIENT)).body == b"ok"
    assert server.requests[0].body == body
    assert server.requests[0].header("Expect") == "100-continue"


def test_a_refusal_instead_of_continue_spares_the_body(
    transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """When the server answers at once, the body is never sent."""
    seen = []

    def refuse(peer: Peer) -> None:
        peer.read_head()
        peer.answer(b"no", "403 Forbidden")
        seen.append(peer.wait_closed())

    with ScriptedServer(refuse) as server:
        request = post(server.origin, b"secret body", expect_continue=True)
        assert run(transport_factory().send(request, PATIENT)).status == 403
        run(asyncio.sleep(0.01))  # the loop closes what has been closed
    assert seen == [b""]


def test_a_refusal_that_comes_slowly_spares_the_body(
    transport_factory: TransportFactory, run: Run[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The beginning of an answer ends the wait for 100."""
    monkeypatch.setattr(connection, "CONTINUE_WAIT", 0.2)
    seen = []

    def refuse(peer: Peer) -> None:
        peer.read_head()
        peer.send(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nn")
        peer.released.wait(0.5)
        peer.send(b"o")
        seen.append(peer.wait_closed())

    with ScriptedServer(refuse) as server:
        request = post(server.origin, b"secret body", expect_continue=True)
        got = run(transport_factory().send(request, PATIENT))
        assert (got.status, got.body) == (403, b"no")
        run(asyncio.sleep(0.01))  # the loop closes what has been closed
    assert seen == [b""]


def test_a_server_that_does_not_say_continue_gets_the_body(
    transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """After a second of silence the body is sent all the same."""
    with serving(OK) as server:
        request = post(server.origin, b"hello", expect_continue=True)
        assert run(transport_factory().send(request, PATIENT)).body == b"ok"
    assert server.requests[0].body == b"hello"


@pytest.mark.parametrize("header", ["x-a\r\nx-b", "x a", ""])
def test_an_unsafe_header_is_never_sent(
    header: str, transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """A header that would be another one is refused, and no connection is made for it."""
    transport = transport_factory()
    with serving(OK) as server:

        async def send() -> None:
            request = Request(server.origin, "GET", "/", [("Host", "h"), (header, "1")])
            await transport.send(request, PATIENT)

        with pytest.raises(RequestException) as caught:
            run(send())
        assert not caught.value.sent
    assert server.connections == 0
