"""Streams against servers that verify signatures, with both transports, and in bounded memory."""

from __future__ import annotations

import asyncio
import hashlib
import os
import resource
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from examples.local_aws import LocalAWS
from generated.bedrock_runtime import BedrockRuntime
from generated.kinesis import Kinesis
from generated.s3 import S3
from tornado_aws import exceptions

DATA = os.urandom(700_001)
_open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open


@pytest.fixture(params=["pool", "curl"])
def options(request: pytest.FixtureRequest, aws: LocalAWS) -> dict[str, Any]:
    """Options of a client of the local AWS, for each transport."""
    if request.param == "curl":
        pytest.importorskip("pycurl")
    return {
        "endpoint": aws.endpoint,
        "region": aws.region,
        "access_key": aws.access_key,
        "secret_key": aws.secret_key,
        "use_curl": request.param == "curl",
    }


async def asynchronous() -> AsyncIterator[bytes]:
    """The data in small pieces."""
    for start in range(0, len(DATA), 10_000):
        yield DATA[start : start + 10_000]


def synchronous() -> Iterator[bytes]:
    """The data in small pieces."""
    for start in range(0, len(DATA), 10_000):
        yield DATA[start : start + 10_000]


SOURCES: dict[str, Callable[[Path], Any]] = {
    "bytes": lambda _: DATA,
    "memoryview": lambda _: memoryview(DATA),
    "path": lambda path: path,
    "generator": lambda _: synchronous(),
    "list": lambda _: [DATA[:1], DATA[1:]],
    "asynchronous": lambda _: asynchronous(),
}


@pytest.mark.parametrize("source", SOURCES)
def test_objects_come_back_as_they_were_sent(
    options: dict[str, Any], source: str, tmp_path: Path
) -> None:
    """From every kind of source, with the checksum verified on both sides."""
    path = tmp_path / "data"
    path.write_bytes(DATA)

    async def main() -> None:
        async with S3(**options) as s3:
            bucket = f"b{uuid4().hex}"
            await s3.create_bucket(Bucket=bucket)
            stored = await s3.put_object(Bucket=bucket, Key="k", Body=SOURCES[source](path))
            assert stored["ETag"] == f'"{hashlib.md5(DATA).hexdigest()}"'
            result = await s3.get_object(Bucket=bucket, Key="k")
            assert await result["Body"].copy_to(tmp_path / "copy") == len(DATA)
            assert (tmp_path / "copy").read_bytes() == DATA

    asyncio.run(main())


def test_a_body_of_another_length_is_not_stored(options: dict[str, Any]) -> None:
    """Neither shorter nor longer than was said."""

    async def main() -> None:
        async with S3(**options) as s3:
            bucket = f"b{uuid4().hex}"
            await s3.create_bucket(Bucket=bucket)
            for length in (len(DATA) - 1, len(DATA) + 1):
                with pytest.raises(exceptions.AWSClientException, match="bytes stated"):
                    await s3.put_object(
                        Bucket=bucket, Key="k", Body=asynchronous(), ContentLength=length
                    )
            assert (await s3.list_objects_v2(Bucket=bucket))["KeyCount"] == 0

    asyncio.run(main())


def test_a_body_of_a_result_can_be_stored_again(options: dict[str, Any]) -> None:
    """While it arrives."""

    async def main() -> None:
        async with S3(**options) as s3:
            bucket = f"b{uuid4().hex}"
            await s3.create_bucket(Bucket=bucket)
            await s3.put_object(Bucket=bucket, Key="a", Body=DATA)
            result = await s3.get_object(Bucket=bucket, Key="a")
            await s3.put_object(Bucket=bucket, Key="b", Body=result["Body"])
            again = await s3.get_object(Bucket=bucket, Key="b")
            assert await again["Body"].read() == DATA

    asyncio.run(main())


def test_memory_stays_bounded(options: dict[str, Any]) -> None:
    """Many times the bound goes through it, in both directions; the server is another process."""
    size, bound = 96 << 20, 16 << 20

    async def main() -> None:
        piece = os.urandom(1 << 20)

        async def pieces() -> AsyncIterator[bytes]:
            for _ in range(size >> 20):
                yield piece

        async with S3(**options, read_timeout=60) as s3:
            bucket = f"b{uuid4().hex}"
            await s3.create_bucket(Bucket=bucket)
            await s3.put_object(Bucket=bucket, Key="warm", Body=[piece])
            before = peak()
            await s3.put_object(Bucket=bucket, Key="k", Body=pieces(), ContentLength=size)
            result = await s3.get_object(Bucket=bucket, Key="k")
            assert sum([len(chunk) async for chunk in result["Body"]]) == size
            assert peak() - before < bound

    asyncio.run(main())


def peak() -> int:
    """Return the most memory that this process had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def test_presigned_urls_and_forms_are_accepted(options: dict[str, Any]) -> None:
    """By a server that checks their signatures, from a client that knows nothing of AWS."""

    async def main() -> tuple[str, str, Any]:
        async with S3(**options) as s3:
            bucket = f"b{uuid4().hex}"
            await s3.create_bucket(Bucket=bucket)
            params = {"Bucket": bucket, "Key": "a b/ü+%"}
            put = await s3.generate_presigned_url("put_object", params)
            get = await s3.generate_presigned_url("get_object", params, 60)
            form = await s3.generate_presigned_post(bucket, "by-form", ExpiresIn=60)
            return put, get, form

    put, get, form = asyncio.run(main())
    with _open(urllib.request.Request(put, DATA, method="PUT")) as response:
        assert response.status == 200
    with _open(get) as response:
        assert response.read() == DATA
    broken = get.replace("X-Amz-Expires=60", "X-Amz-Expires=61")
    with pytest.raises(urllib.error.HTTPError, match="403"):
        _open(broken)
    with _open(posted(form["url"], {**form["fields"], "file": "content"})) as response:
        assert response.status in (200, 204)


def posted(url: str, fields: dict[str, str]) -> urllib.request.Request:
    """Return a form as a browser posts it."""
    parts = [
        f'--x\r\nContent-Disposition: form-data; name="{name}"'
        f"{'; filename=f' if name == 'file' else ''}\r\n\r\n{value}\r\n"
        for name, value in fields.items()
    ]
    body = f"{''.join(parts)}--x--\r\n".encode()
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    return urllib.request.Request(url, body, headers)


def test_tokens_come_as_they_are_made(options: dict[str, Any]) -> None:
    """A conversation is a stream of events."""

    async def main() -> None:
        async with BedrockRuntime(**options) as bedrock:
            result = await bedrock.converse_stream(
                modelId="anthropic.claude-3-haiku-20240307-v1:0",
                messages=[{"role": "user", "content": [{"text": "hello"}]}],
            )
            kinds = [next(iter(event)) async for event in result["stream"]]
            assert (kinds[0], kinds[-1]) == ("messageStart", "metadata")
            assert "contentBlockDelta" in kinds

    asyncio.run(main())


def test_records_of_a_shard_come_as_events(options: dict[str, Any]) -> None:
    """The stream begins with an initial response; leaving it early ends it."""

    async def main() -> None:
        async with Kinesis(**options) as kinesis:
            name = f"s{uuid4().hex}"
            await kinesis.create_stream(StreamName=name, ShardCount=1)
            await kinesis.wait_until_stream_exists(
                StreamName=name, WaiterConfig={"Delay": 0.05, "MaxAttempts": 100}
            )
            described = await kinesis.describe_stream(StreamName=name)
            await kinesis.put_record(StreamName=name, Data=b"hello", PartitionKey="p")
            consumer = await kinesis.register_stream_consumer(
                StreamARN=described["StreamDescription"]["StreamARN"], ConsumerName="c"
            )
            result = await kinesis.subscribe_to_shard(
                ConsumerARN=consumer["Consumer"]["ConsumerARN"],
                ShardId=described["StreamDescription"]["Shards"][0]["ShardId"],
                StartingPosition={"Type": "TRIM_HORIZON"},
            )
            async with asyncio.timeout(20), result["EventStream"] as events:
                async for event in events:
                    if records := event["SubscribeToShardEvent"]["Records"]:
                        assert records[0]["Data"] == b"hello"
                        break

    asyncio.run(main())
