"""What comes back for what a server sends, on every engine."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

import pytest

from tests.transport.conftest import Run, TransportFactory
from tests.transport.server import Peer, ScriptedServer, answering, chunked, response, serving
from tests.transport.simple import PATIENT, get
from tornado_aws.exceptions import ReadError
from tornado_aws.transport import Response


@pytest.fixture
def fetch(transport_factory: TransportFactory) -> Any:
    """Send one request with a transport of the test's options."""

    def fetch(
        server: ScriptedServer, method: str = "GET", **options: Any
    ) -> Coroutine[Any, Any, Response]:
        return transport_factory(**options).send(get(server.origin, method), PATIENT)

    return fetch


OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
EARLY_HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </>\r\n\r\n"

FRAMINGS = {
    "length": (response(b"hello"), 200, b"hello"),
    "empty": (response(b""), 200, b""),
    "chunked": (chunked([b"hel", b"lo"]), 200, b"hello"),
    "chunk extensions": (CHUNKED + b"5;a=b;c\r\nhello\r\n0;d\r\n\r\n", 200, b"hello"),
    "trailers": (chunked([b"hello"], trailers="x-amz-checksum-crc32: A\r\n"), 200, b"hello"),
    "interim": (EARLY_HINTS + response(b"hello"), 200, b"hello"),
    "no content": (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
    "not modified": (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 304, b""),
    "no reason": (b"HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nhello", 200, b"hello"),
}


@pytest.mark.parametrize("case", FRAMINGS)
def test_a_body_ends_where_its_framing_says(
    case: str, transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """Each framing gives its body, whole, and leaves the connection for the next request."""
    answer, status, body = FRAMINGS[case]

    async def twice() -> list[Response]:
        transport = transport_factory()
        return [await transport.send(get(server.origin), PATIENT) for _ in range(2)]

    with serving(answer) as server:
        responses = run(twice())
    assert [(got.status, got.body) for got in responses] == [(status, body)] * 2
    assert server.connections == 1


def test_a_body_without_length_ends_with_the_connection(fetch: Any, run: Run[Any]) -> None:
    """A response without framing is read to the end of the connection."""

    def script(peer: Any) -> None:
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\n\r\nhel")
        peer.send(b"lo")
        peer.close()

    with ScriptedServer(script) as server:
        assert run(fetch(server)).body == b"hello"


def test_a_head_request_gets_no_body(transport_factory: TransportFactory, run: Run[Any]) -> None:
    """The length in the answer to HEAD is that of a GET; the connection goes on without a body."""
    head = OK + b"Content-Length: 5\r\n\r\n"

    async def both() -> tuple[Response, Response]:
        transport = transport_factory()
        first = await transport.send(get(server.origin, "HEAD"), PATIENT)
        return first, await transport.send(get(server.origin), PATIENT)

    with serving(head, response(b"next")) as server:
        first, second = run(both())
    assert (first.body, first.headers["content-length"], second.body) == (b"", "5", b"next")
    assert server.connections == 1


@pytest.mark.parametrize("case", ["length", "chunk extensions", "trailers", "interim"])
def test_any_split_of_the_bytes_gives_the_same_response(
    case: str, transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """Wherever the bytes of a response are cut, the response is the same."""
    answer, _, body = FRAMINGS[case]

    def script(peer: Any) -> None:
        for offset in range(1, len(answer)):
            peer.read_request()
            peer.send_split(answer, offset)

    async def all_of_them() -> set[tuple[int, bytes]]:
        transport = transport_factory()
        return {
            (got.status, got.body)
            for _ in range(1, len(answer))
            for got in [await transport.send(get(server.origin), PATIENT)]
        }

    with ScriptedServer(script) as server:
        assert run(all_of_them()) == {(200, body)}
    assert server.connections == 1


def test_headers_keep_order_case_and_repetition(fetch: Any, run: Run[Any]) -> None:
    """Headers are given as they came; by name they are joined."""
    answer = response(b"", "200 OK", "X-B: 1", "x-a:2 ", "X-B:  3")
    with serving(answer) as server:
        got = run(fetch(server))
    assert got.raw_headers == [("Content-Length", "0"), ("X-B", "1"), ("x-a", "2"), ("X-B", "3")]
    assert got.headers["x-b"] == "1, 3"


@pytest.mark.parametrize("size", [100_000, 3_000_000])
def test_large_bodies_arrive_whole(size: int, fetch: Any, run: Run[Any]) -> None:
    """A large body is the same, with a length and in chunks."""
    body = bytes(range(256)) * (size // 256)
    pieces = [body[start : start + 7001] for start in range(0, len(body), 7001)]
    with serving(response(body)) as server:
        assert run(fetch(server)).body == body
    with serving(chunked(pieces)) as server:
        assert run(fetch(server)).body == body


GARBAGE = {
    "not HTTP": b"SSH-2.0-OpenSSH_9.2\r\n",
    "half a head": OK + b"Content-Le",
    "half a body": OK + b"Content-Length: 10\r\n\r\nhello",
    "half a chunk": CHUNKED + b"a\r\nhello",
    "no last chunk": CHUNKED + b"5\r\nhello\r\n",
    "chunk size": CHUNKED + b"xyz\r\nhello\r\n0\r\n\r\n",
    "status": b"HTTP/1.1 2x0 OK\r\n\r\n",
    "nothing": b"",
}


@pytest.mark.parametrize("case", GARBAGE)
def test_what_is_not_a_response_is_a_read_error(
    case: str, transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """Garbage and half responses end in an error that says so, and close the connection."""

    def script(peer: Any) -> None:
        peer.read_request()
        peer.send(GARBAGE[case])
        peer.half_close()
        peer.wait_closed()

    transport = transport_factory()
    with ScriptedServer(script) as server:
        with pytest.raises(ReadError) as caught:
            run(transport.send(get(server.origin), PATIENT))
        assert transport.stats().open == 0
    assert caught.value.sent
    assert caught.value.response_started is bool(GARBAGE[case])
    assert f"127.0.0.1:{server.origin.port}" in str(caught.value)


SMUGGLING = {
    "both lengths": "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    "negative length": "Content-Length: -5\r\n\r\nhello",
    "another coding": "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("case", SMUGGLING)
def test_ambiguous_framing_is_refused(case: str, fetch: Any, run: Run[Any]) -> None:
    """A response whose end two readers could see in two places is an error."""
    with serving(OK + SMUGGLING[case].encode()) as server, pytest.raises(ReadError):
        run(fetch(server))


def ended_by(answer: bytes) -> ScriptedServer:
    """Return a server that gives this answer and closes the connection."""

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(answer)
        peer.half_close()
        peer.wait_closed()

    return ScriptedServer(script)


HINT = b"HTTP/1.1 103 Early Hints\r\n\r\n"

NO_ANSWERS = {
    "a flood": (HINT * 8000 + response(b"ok"), "more than 16 interim responses"),
    "one too many": (HINT * 17 + response(b"ok"), "more than 16 interim responses"),
    "another protocol": (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n" + response(b"ok"),
        "switched to another protocol, unasked",
    ),
    "switched later": (HINT + b"HTTP/1.1 101 S\r\n\r\nbytes", "another protocol, unasked"),
    "version": (b"HTTP/2 200\r\nContent-Length: 2\r\n\r\nok", "not an HTTP/1.x response"),
    "another version": (b"HTTP/3 200\r\nContent-Length: 2\r\n\r\nok", "not valid HTTP"),
    "bare LF": (b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok", "not valid HTTP"),
}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("case", NO_ANSWERS)
def test_what_no_client_asks_for_is_no_answer(
    case: str, stream: bool, transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """Interim responses without end, other protocols and versions end in an error that says so."""
    answer, text = NO_ANSWERS[case]
    with ended_by(answer) as server, pytest.raises(ReadError, match=text):
        run(transport_factory().send(get(server.origin, stream=stream), PATIENT))


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_some_interim_responses_are_passed_over(
    stream: bool, transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """Each request may have as many of them, on one connection."""

    async def twice() -> None:
        transport = transport_factory()
        for _ in range(2):
            got = await transport.send(get(server.origin, stream=stream), PATIENT)
            assert (got.status, got.headers["content-length"]) == (200, "5")
            if got.stream is not None:
                while await got.stream.read_chunk():
                    pass

    with serving(HINT * 16 + response(b"hello")) as server:
        run(twice())
    assert server.connections == 1


def test_a_body_over_the_limit_is_refused(fetch: Any, run: Run[Any]) -> None:
    """With max_response_size a longer body is an error that names the limit."""
    for answer in (response(b"x" * 2000), chunked([b"x" * 100] * 20)):
        with serving(answer) as server, pytest.raises(ReadError, match="1000 bytes"):
            run(fetch(server, max_response_size=1000))
        with serving(answer) as server:
            assert len(run(fetch(server, max_response_size=2000)).body) == 2000


def test_nothing_is_redirected_or_decompressed(fetch: Any, run: Run[Any]) -> None:
    """A redirect and a compressed body are handed over as they came."""
    answer = response(b"\x1f\x8b", "302 Found", "Location: /next", "Content-Encoding: gzip")
    with serving(answer) as server:
        got = run(fetch(server))
    assert (got.status, got.body, len(server.requests)) == (302, b"\x1f\x8b", 1)


def test_a_server_that_wants_to_close_is_obeyed(
    transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """After ``Connection: close``, and after HTTP/1.0, the next request has a new connection."""
    answers = [
        response(b"a", "200 OK", "Connection: close"),
        b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nb",
    ]

    async def thrice() -> list[bytes]:
        transport = transport_factory()
        return [(await transport.send(get(server.origin), PATIENT)).body for _ in range(3)]

    with ScriptedServer(*map(answering, answers), answering(response(b"c"))) as server:
        assert run(thrice()) == [b"a", b"b", b"c"]
    assert server.connections == 3
