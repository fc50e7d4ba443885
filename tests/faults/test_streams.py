"""Streams that are killed: at every byte by the service, at any moment by who reads them."""

from __future__ import annotations

import asyncio
import gc
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from importlib.util import find_spec
from typing import Any

import pytest

from generated.bedrock_runtime import BedrockRuntime
from generated.kinesis import Kinesis
from generated.lambda_ import Lambda
from generated.logs import CloudWatchLogs
from generated.s3 import S3
from tests.transport.server import Peer, ScriptedServer, response
from tornado_aws import exceptions
from tornado_aws.event_stream import encode
from tornado_aws.service import ServiceClient

ENGINES = [False, *([True] if find_spec("pycurl") is not None else [])]
KEYS: Any = {"region": "us-east-1", "access_key": "AKID", "secret_key": "secret"}
DATA = bytes(range(256))
EXPLAINED = (exceptions.ReadError, exceptions.ConnectError, exceptions.ResponseParserError)


def event(kind: str, payload: bytes, content: str = "application/json") -> bytes:
    """Return an event as a message."""
    return encode(
        {":message-type": "event", ":event-type": kind, ":content-type": content}, payload
    )


def fault(kind: str, payload: bytes) -> bytes:
    """Return a modelled exception as a message."""
    headers = {":message-type": "exception", ":exception-type": kind}
    return encode({**headers, ":content-type": "application/json"}, payload)


async def tokens(client: Any) -> AsyncIterator[object]:
    """Yield what a model says."""
    result = await client.converse_stream(modelId="m")
    async with result["stream"] as stream:
        async for each in stream:
            yield each


async def tails(client: Any) -> AsyncIterator[object]:
    """Yield what is logged."""
    result = await client.start_live_tail(logGroupIdentifiers=["arn"])
    async with result["responseStream"] as stream:
        async for each in stream:
            yield each


async def records(client: Any) -> AsyncIterator[object]:
    """Yield a shard's records."""
    start: Any = {"Type": "LATEST"}
    result = await client.subscribe_to_shard(ConsumerARN="arn", ShardId="s", StartingPosition=start)
    async with result["EventStream"] as stream:
        async for each in stream:
            yield each


async def answers(client: Any) -> AsyncIterator[object]:
    """Yield what a function answers."""
    result = await client.invoke_with_response_stream(FunctionName="f")
    async with result["EventStream"] as stream:
        async for each in stream:
            yield each


async def rows(client: Any) -> AsyncIterator[object]:
    """Yield what a query finds."""
    result = await client.select_object_content(
        Bucket="b",
        Key="k",
        Expression="s",
        ExpressionType="SQL",
        InputSerialization={"CSV": {}},
        OutputSerialization={"JSON": {}},
    )
    async with result["Payload"] as stream:
        async for each in stream:
            yield each


async def pieces(client: Any) -> AsyncIterator[object]:
    """Yield the pieces of an object."""
    async with (await client.get_object(Bucket="b", Key="k"))["Body"] as body:
        async for each in body:
            yield each


Read = Callable[[Any], AsyncIterator[object]]
STREAM = "Content-Type: application/vnd.amazon.eventstream"
# A client, what reads its stream, the response's body, and what comes of it.
STREAMS: dict[str, tuple[type[ServiceClient], Read, bytes, list[object]]] = {
    "ConverseStream": (
        BedrockRuntime,
        tokens,
        event("messageStart", b'{"role":"assistant"}')
        + event("aNewKind", b"{}")
        + event("contentBlockDelta", b'{"contentBlockIndex":0,"delta":{"text":"hi"}}'),
        [
            {"messageStart": {"role": "assistant"}},
            {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "hi"}}},
        ],
    ),
    "StartLiveTail": (
        CloudWatchLogs,
        tails,
        event("initial-response", b"{}")
        + event("sessionStart", b'{"requestId":"r"}')
        + event("sessionUpdate", b'{"sessionResults":[{"message":"m"}]}'),
        [
            {"sessionStart": {"requestId": "r"}},
            {"sessionUpdate": {"sessionResults": [{"message": "m"}]}},
        ],
    ),
    "SubscribeToShard": (
        Kinesis,
        records,
        event("initial-response", b"{}")
        + event("SubscribeToShardEvent", b'{"Records":[{"Data":"aGk="}],"MillisBehindLatest":0}'),
        [{"SubscribeToShardEvent": {"Records": [{"Data": b"hi"}], "MillisBehindLatest": 0}}],
    ),
    "InvokeWithResponseStream": (
        Lambda,
        answers,
        event("PayloadChunk", b"hello", "application/octet-stream")
        + event("InvokeComplete", b'{"LogResult":"l"}'),
        [{"PayloadChunk": {"Payload": b"hello"}}, {"InvokeComplete": {"LogResult": "l"}}],
    ),
    "SelectObjectContent": (
        S3,
        rows,
        event("Records", b"a,b\n", "application/octet-stream")
        + event("Stats", b"<Stats><BytesScanned>4</BytesScanned></Stats>", "text/xml")
        + event("End", b""),
        [
            {"Records": {"Payload": b"a,b\n"}},
            {"Stats": {"Details": {"BytesScanned": 4}}},
            {"End": {}},
        ],
    ),
}


def run(
    kind: type[ServiceClient],
    script: Callable[[Peer], None],
    test: Callable[[Any], Awaitable[None]],
    use_curl: bool,
) -> ScriptedServer:
    """Run a test with a client of a scripted server; no connection may be left in use."""

    async def main() -> None:
        url = f"http://127.0.0.1:{server.origin.port}"
        options: Any = {"endpoint": url, "max_attempts": 1, "max_clients": 2, "pool_timeout": 5}
        async with kind(use_curl=use_curl, read_timeout=5, **options, **KEYS) as client:
            await test(client)
            gc.collect()
            for _ in range(5):
                await asyncio.sleep(0)
            stats = client.pool_stats()
            assert (stats.open - stats.idle, stats.waiting) == (0, 0)

    with ScriptedServer(script) as server:
        asyncio.run(main())
    return server


async def collected(items: AsyncIterator[object]) -> list[object]:
    """Return all of them."""
    return [item async for item in items]


async def into(seen: list[object], items: AsyncIterator[object]) -> None:
    """Keep what comes before the end or an error."""
    async for item in items:
        seen.append(item)


@pytest.mark.parametrize("use_curl", ENGINES)
@pytest.mark.parametrize("name", STREAMS)
def test_events_of_each_service_come_typed(name: str, use_curl: bool) -> None:
    """They come in bits; a kind of event that the model does not know is passed over."""
    kind, read, body, expected = STREAMS[name]

    def script(peer: Peer) -> None:
        while peer.read_request() is not None:
            answer = response(body, "200 OK", STREAM)
            peer.send_split(answer, *range(40, len(answer), 40))

    async def test(client: Any) -> None:
        for _ in range(2):
            assert await collected(read(client)) == expected

    assert run(kind, script, test, use_curl).connections == 1


@pytest.mark.parametrize("use_curl", ENGINES)
@pytest.mark.parametrize("name", ["GetObject", "StartLiveTail", "InvokeWithResponseStream"])
def test_a_stream_that_is_cut_at_any_byte_is_an_error(name: str, use_curl: bool) -> None:
    """It never passes for the whole, and what had come is right."""
    kind, read, body, expected = STREAMS.get(name, (S3, pieces, DATA, [DATA]))
    whole = response(body, "200 OK", STREAM)
    cuts = range(1, len(whole)) if not use_curl else range(1, len(whole), 7)

    def script(peer: Peer) -> None:
        if peer.read_request() is not None:
            peer.send(whole[: cuts[peer.number]])
            if peer.number % 2:
                peer.reset()

    async def test(client: Any) -> None:
        for _ in cuts:
            seen: list[object] = []
            with pytest.raises(EXPLAINED):
                await into(seen, read(client))
            if name == "GetObject":
                assert DATA.startswith(b"".join(seen))  # type: ignore[arg-type]
            else:
                assert seen == expected[: len(seen)]

    assert run(kind, script, test, use_curl).connections == len(cuts)


@pytest.mark.parametrize("use_curl", ENGINES)
def test_an_upload_that_is_cut_at_any_place_is_an_error(use_curl: bool) -> None:
    """And its source is closed."""
    size, ended = 300_000, []
    places = random.Random(7).sample(range(1, size), 40)

    def script(peer: Peer) -> None:
        if peer.read_head() is not None:
            with suppress(ConnectionResetError):
                peer._take(places[peer.number])
            peer.reset()

    async def source() -> AsyncIterator[bytes]:
        try:
            for _ in range(size // 1000):
                yield bytes(1000)
                await asyncio.sleep(0)
        finally:
            ended.append(True)

    async def test(client: Any) -> None:
        for _ in places:
            with pytest.raises(EXPLAINED):
                await client.put_object(Bucket="b", Key="k", Body=source(), ContentLength=size)

    assert run(S3, script, test, use_curl).connections == len(places)
    assert len(ended) == len(places)


@pytest.mark.parametrize("use_curl", ENGINES)
@pytest.mark.parametrize("way", ["leave", "close", "drop", "cancel", "raise"])
@pytest.mark.parametrize("name", ["GetObject", "ConverseStream"])
def test_a_stream_may_be_left_at_any_moment(name: str, way: str, use_curl: bool) -> None:
    """After any number of items, whatever the way: its connection is free for the next call."""
    kind, read, body, _ = STREAMS.get(name, (S3, pieces, DATA, []))
    endless = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n" + f"{STREAM}\r\n\r\n".encode()

    def script(peer: Peer) -> None:
        if peer.read_request() is not None:
            peer.send(endless + body)
            peer.wait_closed()

    async def use(client: Any, count: int) -> None:
        items = read(client)
        for _ in range(count):
            await anext(items)
        if way == "raise":
            with pytest.raises(ZeroDivisionError):
                await items.athrow(ZeroDivisionError())  # type: ignore[attr-defined]
        elif way == "cancel":
            task = asyncio.ensure_future(collected(items))
            await asyncio.sleep(0.002 * count)
            task.cancel()
            await asyncio.wait([task])
            assert task.cancelled()
        elif way == "close":
            await items.aclose()  # type: ignore[attr-defined]

    async def test(client: Any) -> None:
        for count in (0, 1, 1, 0, 1):
            await use(client, count)
            gc.collect()
            await asyncio.sleep(0)

    run(kind, script, test, use_curl)


@pytest.mark.parametrize("use_curl", ENGINES)
def test_an_error_within_a_stream_ends_it(use_curl: bool) -> None:
    """It is raised as its class, after what came before it, and frees the connection."""
    first = event("messageStart", b'{"role":"assistant"}')
    body = first + fault("throttlingException", b'{"message":"slow"}') + first

    def script(peer: Peer) -> None:
        while peer.read_request() is not None:
            peer.send(response(body, "200 OK", STREAM))

    async def test(client: Any) -> None:
        for _ in range(3):
            seen: list[object] = []
            with pytest.raises(BedrockRuntime.exceptions.ThrottlingException, match="slow"):
                await into(seen, tokens(client))
            assert len(seen) == 1

    run(BedrockRuntime, script, test, use_curl)
