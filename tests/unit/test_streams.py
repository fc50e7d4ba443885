"""Bodies that are read while they arrive: `StreamingBody`, alone and on a real connection."""

from __future__ import annotations

import asyncio
import gc
import io
from base64 import b64encode
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.tiny_client import S3
from tests.transport.server import Peer, ScriptedServer, response
from tornado_aws import AsyncAWSClient, exceptions
from tornado_aws.checksums import Verifier, algorithm
from tornado_aws.streams import StreamingBody
from tornado_aws.transport import PoolStats, Request, Response, Timeouts

KEYS: Any = {"access_key": "AKID", "secret_key": "hush", "region": "us-east-1"}
HELLO = b"hello world\nsecond line\r\nlast"


class Source:
    """A transport's stream with these pieces."""

    def __init__(self, *pieces: bytes, error: Exception | None = None) -> None:
        self.pieces = list(pieces)
        self.error = error
        self.is_closed = False

    async def read_chunk(self) -> bytes:
        await asyncio.sleep(0)
        if self.pieces:
            return self.pieces.pop(0)
        if self.error is not None:
            raise self.error
        return b""

    def close(self) -> None:
        self.is_closed = True


pieces_of = st.lists(st.binary(min_size=1, max_size=12), max_size=8)


@given(pieces_of, st.lists(st.integers(0, 15), max_size=12))
@settings(max_examples=60, deadline=None)
def test_portions_put_together_are_the_body(pieces: list[bytes], sizes: list[int]) -> None:
    """However it arrives and is read, a portion is as long as asked but for the last."""

    async def main() -> None:
        whole = b"".join(pieces)
        body = StreamingBody(Source(*pieces), len(whole))
        at = 0
        for size in sizes:
            assert await body.read(size) == whole[at : at + size]
            at = min(len(whole), at + size)
        assert await body.read() == whole[at:]
        assert await body.read() == await body.read(3) == b""

    asyncio.run(main())


@given(pieces_of, st.integers(1, 9))
@settings(max_examples=40, deadline=None)
def test_every_way_of_iterating_gives_the_whole_body(pieces: list[bytes], size: int) -> None:
    """Pieces as they come, pieces of one size, and lines with their ends."""

    async def main() -> None:
        whole = b"".join(pieces)
        assert [piece async for piece in StreamingBody(Source(*pieces))] == pieces
        chunks = [chunk async for chunk in StreamingBody(Source(*pieces)).iter_chunks(size)]
        assert chunks == [whole[at : at + size] for at in range(0, len(whole), size)]
        lines = [line async for line in StreamingBody(Source(*pieces)).iter_lines(keepends=True)]
        assert lines == io.BytesIO(whole).readlines()

    asyncio.run(main())


def test_lines_come_without_their_ends() -> None:
    """A line feed ends a line, and a carriage return before it belongs to the end."""

    async def main() -> list[bytes]:
        return [line async for line in StreamingBody(Source(HELLO[:15], HELLO[15:])).iter_lines()]

    assert asyncio.run(main()) == [b"hello world", b"second line", b"last"]


@pytest.mark.parametrize("length", [len(HELLO) - 1, len(HELLO) + 1])
def test_a_length_that_does_not_match_is_an_error(length: int) -> None:
    """The text has both lengths, and reading again raises again."""

    async def main() -> None:
        body = StreamingBody(Source(HELLO), length)
        for _ in range(2):
            with pytest.raises(exceptions.ReadError, match=f"{len(HELLO)} of {length} bytes"):
                await body.read()

    asyncio.run(main())


@pytest.mark.parametrize("length", [len(HELLO), None])
def test_a_wrong_checksum_is_an_error_instead_of_the_last_bytes(length: int | None) -> None:
    """The text tells what was promised and what came."""

    async def main() -> None:
        kind = algorithm("CRC32")
        stated = kind.of(b"something else")
        body = StreamingBody(Source(HELLO[:9], HELLO[9:]), length, Verifier(kind, stated))
        assert await body.read(9) == HELLO[:9]
        with pytest.raises(exceptions.ReadError) as caught:
            await body.read(len(HELLO))
        assert stated in str(caught.value)
        assert kind.of(HELLO) in str(caught.value)

    asyncio.run(main())


def test_a_cancelled_read_loses_nothing() -> None:
    """The next one gives what the cancelled one had got."""

    async def main() -> None:
        body = StreamingBody(Source(*[b"ab"] * 50))
        task = asyncio.ensure_future(body.read())
        for _ in range(10):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert await body.read() == b"ab" * 50

    asyncio.run(main())


def test_copies_go_to_paths_files_and_asynchronous_files(tmp_path: Path) -> None:
    """Each has the rest of the body, and the count is returned."""

    class AsyncFile:
        def __init__(self) -> None:
            self.data = b""

        async def write(self, data: bytes) -> None:
            self.data += data

    async def main() -> None:
        path, file, other = tmp_path / "copy", io.BytesIO(), AsyncFile()
        body = StreamingBody(Source(HELLO))
        await body.read(6)
        assert await body.copy_to(path) == len(HELLO) - 6
        assert path.read_bytes() == HELLO[6:]
        assert await StreamingBody(Source(HELLO)).copy_to(str(path)) == len(HELLO)
        await StreamingBody(Source(HELLO)).copy_to(file)
        await StreamingBody(Source(HELLO)).copy_to(other)  # type: ignore[arg-type]
        assert path.read_bytes() == file.getvalue() == other.data == HELLO
        with pytest.raises(OSError, match="absent"):
            await StreamingBody(Source(HELLO)).copy_to(tmp_path / "absent" / "copy")

    asyncio.run(main())


def test_leaving_the_context_closes_the_stream() -> None:
    """A body that was read to its end has nothing left to close."""

    async def main() -> None:
        source = Source(HELLO)
        async with StreamingBody(source) as body:
            assert await anext(body) == HELLO
        assert source.is_closed
        over = Source(HELLO)
        async with StreamingBody(over) as body:
            await body.read()
        assert not over.is_closed

    asyncio.run(main())


@pytest.mark.parametrize("amount", [0, 5])
@pytest.mark.parametrize("length", [None, len(HELLO)])
def test_what_was_closed_unread_is_not_taken_for_the_end(length: int | None, amount: int) -> None:
    """Although all of it had come."""

    async def main() -> None:
        body = StreamingBody(Source(HELLO), length)
        await body.read(amount)
        body.close()
        with pytest.raises(exceptions.ReadError, match="closed before its end"):
            await body.read()

    asyncio.run(main())


def test_chunk_sizes_are_positive() -> None:
    """Zero would iterate for ever."""

    async def main() -> None:
        with pytest.raises(ValueError, match="chunk_size is 0"):
            await anext(StreamingBody(Source(HELLO)).iter_chunks(0))

    asyncio.run(main())


# --- on a connection ------------------------------------------------------------------------------

CRC32 = b64encode(crc32(HELLO).to_bytes(4, "big")).decode()


def get_object(
    script: Callable[[Peer], None],
    use: Callable[[StreamingBody, Any], Awaitable[None]],
    **options: Any,
) -> ScriptedServer:
    """Call GetObject and use its body; everything else of the client is asserted here."""

    async def main() -> None:
        url = f"http://127.0.0.1:{server.origin.port}"
        async with S3(endpoint=url, max_attempts=1, **KEYS, **options) as s3:
            result = await s3.call("GetObject", Bucket="b", Key="k")
            assert isinstance(result["Body"], StreamingBody)
            await use(result.pop("Body"), s3)
            del result
            gc.collect()
            await s3.call("CreateBucket", Bucket="b")

    with ScriptedServer(script) as server:
        asyncio.run(main())
    return server


def serve(*headers: str, body: bytes = HELLO) -> Callable[[Peer], None]:
    """Answer every request of a connection like this, or with nothing to a PUT."""

    def script(peer: Peer) -> None:
        while (request := peer.read_request()) is not None:
            if request.method == "PUT":
                peer.answer()
            else:
                peer.answer(body, "200 OK", *headers)

    return script


def test_a_body_that_was_read_leaves_its_connection_for_the_next_call() -> None:
    """It is asked for with its checksum, which is verified."""

    async def use(body: StreamingBody, _: Any) -> None:
        assert await body.read(5) == b"hello"
        assert await body.read() == HELLO[5:]

    server = get_object(serve(f"x-amz-checksum-crc32: {CRC32}"), use)
    assert server.connections == 1
    assert server.requests[0].header("x-amz-checksum-mode") == "ENABLED"


@pytest.mark.parametrize("way", ["break", "close", "drop", "cancel", "error"])
def test_a_body_that_is_given_up_frees_its_connection(way: str) -> None:
    """The next call gets through although the pool has one connection only."""

    def script(peer: Peer) -> None:
        request = peer.read_request()
        while request is not None:
            if request.method == "PUT":
                peer.answer()
            else:
                peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + HELLO)
            request = peer.read_request()

    async def use(body: StreamingBody, _: Any) -> None:
        if way == "break":
            async with body:
                async for _piece in body:
                    break
        elif way == "close":
            body.close()
            with pytest.raises(exceptions.ReadError):
                await body.read()
        elif way == "cancel":
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05), body:
                    await body.read()
        elif way == "error":
            with pytest.raises(ZeroDivisionError):
                async with body:
                    raise ZeroDivisionError

    server = get_object(script, use, max_clients=1, pool_timeout=5)
    assert server.connections == 2


def test_a_connection_that_breaks_is_an_error_that_tells_how_far_it_came() -> None:
    """What had come can be read first."""

    def script(peer: Peer) -> None:
        request = peer.read_request()
        if request is not None and request.method == "PUT":
            peer.answer()
        else:
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + HELLO)

    async def use(body: StreamingBody, _: Any) -> None:
        assert await body.read(len(HELLO)) == HELLO
        with pytest.raises(exceptions.ReadError):
            await body.read()

    get_object(script, use)


def test_the_read_timeout_counts_for_a_stream_and_the_request_timeout_does_not() -> None:
    """A stream may take as long as it likes, if it does not fall silent."""

    def script(peer: Peer) -> None:
        request = peer.read_request()
        if request is not None and request.method == "PUT":
            peer.answer()
            return
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
        for _ in range(5):
            peer.send(b"x")
            peer.released.wait(0.1)
        peer.wait_closed()

    async def use(body: StreamingBody, _: Any) -> None:
        assert await body.read(5) == b"xxxxx"
        with pytest.raises(exceptions.ReadTimeout):
            await body.read()

    get_object(script, use, request_timeout=0.2, read_timeout=0.3, total_timeout=0.3)


def test_closing_the_client_ends_its_streams() -> None:
    """Reading on is an error of this library."""

    async def main() -> None:
        url = f"http://127.0.0.1:{server.origin.port}"
        s3 = S3(endpoint=url, **KEYS)
        result = await s3.call("GetObject", Bucket="b", Key="k")
        s3.close()
        with pytest.raises(exceptions.ClientClosedError):
            await result["Body"].read()

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
        peer.wait_closed()

    with ScriptedServer(script) as server:
        asyncio.run(main())


@pytest.mark.parametrize(
    ("header", "setting", "asked", "fails"),
    [
        ("x-amz-checksum-crc32: AAAAAA==", "when_supported", "ENABLED", True),
        ("x-amz-checksum-crc32: AAAAAA==-3", "when_supported", "ENABLED", False),
        ("x-amz-checksum-crc32: AAAAAA==", "when_required", None, False),
        ("x-amz-checksum-new: AAAAAA==", "when_supported", "ENABLED", False),
    ],
)
def test_checksums_of_responses(header: str, setting: str, asked: str | None, fails: bool) -> None:
    """A wrong one is an error; a composite or unknown one, or one not asked for, is left alone."""

    async def use(body: StreamingBody, _: Any) -> None:
        if fails:
            with pytest.raises(exceptions.ReadError, match="CRC32"):
                await body.read()
        else:
            assert await body.read() == HELLO

    server = get_object(serve(header), use, response_checksum_validation=setting)
    assert server.requests[0].header("x-amz-checksum-mode") == asked


def test_a_transport_that_cannot_stream_does() -> None:
    """The result is the same, from one that gives whole bodies: a fake of a test, say."""

    class Whole:
        async def send(self, request: Request, timeouts: Timeouts) -> Response:
            return Response(200, "OK", [("Content-Length", str(len(HELLO)))], HELLO)

        def close(self) -> None: ...

        def stats(self) -> PoolStats:
            return PoolStats(0, 0, 0, 0, 0)

    async def main() -> None:
        async with S3(endpoint="http://s3.invalid", transport=Whole(), **KEYS) as s3:
            result = await s3.call("GetObject", Bucket="b", Key="k")
            async with result["Body"] as body:
                assert await body.read() == HELLO
            unread = await s3.call("GetObject", Bucket="b", Key="k")
            unread["Body"].close()
            with pytest.raises(exceptions.ReadError):
                await unread["Body"].read()

    asyncio.run(main())


def test_an_error_instead_of_a_stream_is_raised_as_usual() -> None:
    """Its body is read whole."""

    def script(peer: Peer) -> None:
        while peer.read_request() is not None:
            peer.send(response(b"<Error><Code>NoSuchKey</Code></Error>", "404 Not Found"))

    async def main() -> None:
        async with S3(endpoint=f"http://127.0.0.1:{server.origin.port}", **KEYS) as s3:
            with pytest.raises(exceptions.AWSError) as caught:
                await s3.call("GetObject", Bucket="b", Key="k")
            assert caught.value.code == "NoSuchKey"

    with ScriptedServer(script) as server:
        asyncio.run(main())


def test_a_raw_fetch_hands_its_body_out_as_a_stream() -> None:
    """The body of the response is empty; an error's is not."""

    def script(peer: Peer) -> None:
        request = peer.read_request()
        while request is not None:
            peer.answer(HELLO, "200 OK" if request.target == "/" else "404 Not Found")
            request = peer.read_request()

    async def main() -> None:
        url = f"http://127.0.0.1:{server.origin.port}"
        async with AsyncAWSClient("s3", endpoint=url, **KEYS) as client:
            streamed = await client.fetch("GET", stream=True)
            assert (streamed.body, streamed.stream.content_length) == (b"", len(HELLO))
            assert await streamed.stream.read() == HELLO
            whole = await client.fetch("GET", "/absent", stream=True, raise_error=False)
            assert (whole.code, whole.body) == (404, HELLO)

    with ScriptedServer(script) as server:
        asyncio.run(main())
    assert server.connections == 1


@pytest.mark.parametrize("raw", [False, True])
def test_an_error_of_a_stream_tells_which_call_it_ended(raw: bool) -> None:
    """As every error does, though the call itself has returned long ago."""

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(response(HELLO)[:-1])
        peer.close()

    async def read(url: str) -> None:
        if raw:
            async with AsyncAWSClient("s3", endpoint=url, **KEYS) as client:
                answer: Any = await client.fetch("GET", "/b/k", stream=True)
                await answer.stream.read()
        async with S3(endpoint=url, **KEYS) as s3:
            result = await s3.call("GetObject", Bucket="b", Key="k")
            await result["Body"].read()

    with ScriptedServer(script) as server, pytest.raises(exceptions.ReadError) as caught:
        asyncio.run(read(f"http://127.0.0.1:{server.origin.port}"))
    error = caught.value
    assert (error.service, error.region) == ("s3", "us-east-1")
    assert error.operation == (None if raw else "GetObject")
    assert error.host == f"127.0.0.1:{server.origin.port}"
    assert str(error).count("when calling GetObject") == (0 if raw else 1)


def test_pieces_are_given_as_they_lie_there() -> None:
    """At least as many bytes as wanted, nothing joined or cut, nothing at the end."""

    async def main() -> None:
        body = StreamingBody(Source(b"abc", b"de", b"f", b"gh"))
        assert await body.read_pieces(4) == [b"abc", b"de"]
        assert await body.read_pieces(100) == [b"f", b"gh"]
        assert await body.read_pieces(1) == []

    asyncio.run(main())


def test_pieces_that_came_before_the_break_are_given_first() -> None:
    """Who goes on from there must not ask for them again."""

    class Broken(Source):
        async def read_chunk(self) -> bytes:
            piece = await super().read_chunk()
            if not piece:
                raise exceptions.ReadError("broken", error="reset")
            return piece

    async def main() -> None:
        body = StreamingBody(Broken(b"abc"))
        assert await body.read_pieces(4) == [b"abc"]
        for _ in range(2):
            with pytest.raises(exceptions.ReadError, match="broken"):
                await body.read_pieces(4)

    asyncio.run(main())
