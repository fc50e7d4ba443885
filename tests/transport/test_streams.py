"""Responses that are read as they arrive, on every engine."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest

from tests.transport.conftest import Run, TransportFactory
from tests.transport.server import Peer, ScriptedServer, answering, chunked, response, serving
from tests.transport.simple import PATIENT, get, post, until
from tornado_aws.exceptions import ClientClosedError, ReadError, ReadTimeout
from tornado_aws.transport import BodyStream, Response

PIECE = b"0123456789" * 10_000


def stream_of(got: Response) -> BodyStream:
    """Return the response's stream."""
    assert got.stream is not None
    assert got.body == b""
    return got.stream


async def read_all(stream: BodyStream) -> bytes:
    """Read to the end."""
    parts = []
    while part := await stream.read_chunk():
        parts.append(part)
    return b"".join(parts)


def endless(peer: Peer) -> None:
    """Send a body that does not end."""
    peer.read_request()
    peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        peer.send(b"%x\r\n%s\r\n" % (len(PIECE), PIECE))


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (response(b"hello"), b"hello"),
        (response(b""), b""),
        (response(PIECE * 20), PIECE * 20),
        (chunked([PIECE] * 20), PIECE * 20),
    ],
)
def test_a_stream_gives_the_whole_body(
    answer: bytes, body: bytes, transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """All bytes come, then b"" for ever; then the connection is used again."""

    async def twice() -> None:
        transport = transport_factory()
        for _ in range(2):
            stream = stream_of(await transport.send(get(server.origin, stream=True), PATIENT))
            assert await read_all(stream) == body
            assert await stream.read_chunk() == b""
            assert transport.stats().idle == 1

    with serving(answer) as server:
        run(twice())
    assert server.connections == 1


def test_a_stream_begins_before_the_body_has_come(
    transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """The response is given when its head is there, and bytes when they are."""

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")
        peer.stall()
        peer.send(b"hello")
        peer.send(b"world")

    async def read() -> None:
        transport = transport_factory()
        stream = stream_of(await transport.send(get(server.origin, stream=True), PATIENT))
        server.released.set()
        assert await read_all(stream) == b"helloworld"

    with ScriptedServer(script) as server:
        run(read())


def test_a_stream_may_begin_before_the_request_is_sent(
    transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """The rest of the request goes out while the response is read."""
    body = b"x" * 8_000_000

    def script(peer: Peer) -> None:
        head = peer.read_head()
        assert head is not None
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
        peer.stall()
        peer.read_body(head)
        peer.send(b"world")

    async def send() -> None:
        transport = transport_factory()
        got = await transport.send(post(server.origin, body, stream=True), PATIENT)
        server.released.set()
        assert await read_all(stream_of(got)) == b"helloworld"

    with ScriptedServer(script) as server:
        run(send())
    assert server.requests[0].body == body


def test_a_source_that_ends_slowly_does_not_end_the_stream(
    transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """The response may be there before the body's iterable has been closed."""

    class Source:
        def __init__(self) -> None:
            self.pieces = [b"world", b"hello"]

        def __aiter__(self) -> Source:
            return self

        async def __anext__(self) -> bytes:
            if not self.pieces:
                raise StopAsyncIteration
            return self.pieces.pop()

        async def aclose(self) -> None:
            await asyncio.sleep(0.05)
            server.released.set()

    async def send() -> None:
        transport = transport_factory()
        request = post(server.origin, Source(), content_length=10, stream=True)
        got = await transport.send(request, PATIENT)
        assert await read_all(stream_of(got)) == b"helloworld"

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
        peer.stall()
        peer.send(b"world")

    with ScriptedServer(script) as server:
        run(send())


def test_an_error_response_is_not_streamed(
    transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """A status of 300 or more comes with its body, whatever was asked."""
    with serving(response(b"why", "404 Not Found")) as server:
        got = run(transport_factory().send(get(server.origin, stream=True), PATIENT))
    assert (got.stream, got.body) == (None, b"why")


def test_the_size_limit_is_for_buffered_bodies(
    transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """A stream may be longer than max_response_size."""

    async def read() -> None:
        transport = transport_factory(max_response_size=10)
        stream = stream_of(await transport.send(get(server.origin, stream=True), PATIENT))
        assert len(await read_all(stream)) == 1000

    with serving(response(b"x" * 1000)) as server:
        run(read())


def test_a_stream_is_no_faster_than_its_reader(
    transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """While nobody reads, the server is held back, and the memory is bounded."""
    sent = 0

    def script(peer: Peer) -> None:
        nonlocal sent
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (len(PIECE) * 500))
        for _ in range(500):
            peer.send(PIECE)
            sent += 1

    async def read() -> None:
        transport = transport_factory()
        stream = stream_of(await transport.send(get(server.origin, stream=True), PATIENT))
        before = -1
        while sent != before:
            before = sent
            await asyncio.sleep(0.1)
        assert sent < 250
        assert len(await read_all(stream)) == len(PIECE) * 500

    with ScriptedServer(script) as server:
        run(read())


def test_closing_a_stream_early_closes_its_connection(
    transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """A stream that is closed unread frees its connection at once, and cannot be read."""

    async def read() -> None:
        transport = transport_factory(max_clients=1)
        for _ in range(3):
            stream = stream_of(await transport.send(get(server.origin, stream=True), PATIENT))
            assert await stream.read_chunk()
            stream.close()
            stream.close()
            assert transport.stats().open == 0
            with pytest.raises(ReadError, match="closed"):
                await stream.read_chunk()

    with ScriptedServer(endless) as server:
        run(read())
    assert server.connections == 3


def test_closing_a_stream_at_its_end_keeps_the_connection(
    transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """A body that has come whole needs no reading for its connection to be free."""

    async def read() -> None:
        transport = transport_factory()
        for _ in range(3):
            stream = stream_of(await transport.send(get(server.origin, stream=True), PATIENT))
            assert await read_all(stream) == b"hello"
            stream.close()

    with serving(response(b"hello")) as server:
        run(read())
    assert server.connections == 1


def test_dropping_a_stream_unread_frees_its_connection(
    transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """A stream that nobody refers to any more frees its connection, without a word."""

    async def drop() -> None:
        transport = transport_factory(max_clients=1)
        for _ in range(3):
            got = await transport.send(get(server.origin, stream=True), PATIENT)
            assert stream_of(got)
            del got
            gc.collect()
        await until(lambda: transport.stats().open == 0)

    with ScriptedServer(endless) as server:
        run(drop())


def test_a_stream_that_breaks_off_is_a_read_error(
    transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """What came is given, then the error."""

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
        peer.stall()
        peer.close()

    async def read() -> None:
        transport = transport_factory()
        stream = stream_of(await transport.send(get(server.origin, stream=True), PATIENT))
        assert await stream.read_chunk() == b"hello"
        server.released.set()
        for _ in range(2):
            with pytest.raises(ReadError) as caught:
                await stream.read_chunk()
            assert caught.value.response_started
        assert transport.stats().open == 0

    with ScriptedServer(script) as server:
        run(read())


def test_a_malformed_stream_is_a_read_error(
    transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """A bad chunk in the middle of a body is an error to its reader."""
    bad = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n"

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(bad)
        peer.wait_closed()

    async def read() -> None:
        transport = transport_factory()
        with pytest.raises(ReadError):
            await read_all(
                stream_of(await transport.send(get(server.origin, stream=True), PATIENT))
            )
        assert transport.stats().open == 0

    with ScriptedServer(script) as server:
        run(read())


def test_silence_counts_while_somebody_reads(
    transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """A reader that waits too long gets ReadTimeout; a slow reader gets its bytes."""

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
        peer.stall()

    async def read() -> None:
        transport = transport_factory()
        request = get(server.origin, stream=True)
        stream = stream_of(await transport.send(request, PATIENT._replace(read=0.1)))
        await asyncio.sleep(0.3)
        assert await stream.read_chunk() == b"hello"
        with pytest.raises(ReadTimeout, match=r"0\.1 s"):
            await stream.read_chunk()
        assert transport.stats().open == 0

    with ScriptedServer(script) as server:
        run(read())


def test_the_whole_attempt_ends_where_the_stream_begins(
    transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """Reading a stream may take longer than the request timeout."""

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
        peer.stall()
        peer.send(b"world")

    async def read() -> None:
        transport = transport_factory()
        request = get(server.origin, stream=True)
        stream = stream_of(await transport.send(request, PATIENT._replace(request=0.2)))
        await asyncio.sleep(0.4)
        server.released.set()
        assert await read_all(stream) == b"helloworld"

    with ScriptedServer(script) as server:
        run(read())


def test_a_cancelled_read_loses_nothing(transport_factory: TransportFactory, run: Run[Any]) -> None:
    """After a read is cancelled, the next one gives the bytes."""

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
        peer.stall()
        peer.send(b"hello")

    async def read() -> None:
        transport = transport_factory()
        stream = stream_of(await transport.send(get(server.origin, stream=True), PATIENT))
        reading = asyncio.create_task(stream.read_chunk())
        await asyncio.sleep(0.01)
        reading.cancel()
        server.released.set()
        assert await read_all(stream) == b"hello"

    with ScriptedServer(script) as server:
        run(read())


def test_closing_the_transport_ends_its_streams(
    transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """A reader that waits is told that the client was closed."""

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")
        peer.stall()

    async def read() -> None:
        transport = transport_factory()
        stream = stream_of(await transport.send(get(server.origin, stream=True), PATIENT))
        reading = asyncio.create_task(stream.read_chunk())
        await asyncio.sleep(0.01)
        transport.close()
        with pytest.raises(ClientClosedError):
            await reading

    with ScriptedServer(script) as server:
        run(read())


def test_a_stream_keeps_its_transport(transport_factory: TransportFactory, run: Run[Any]) -> None:
    """A body can be read to its end when the client that asked for it is forgotten."""

    async def read() -> None:
        got = await transport_factory().send(get(server.origin, stream=True), PATIENT)
        gc.collect()
        assert await read_all(stream_of(got)) == PIECE * 20

    with ScriptedServer(answering(response(PIECE * 20))) as server:
        run(read())
