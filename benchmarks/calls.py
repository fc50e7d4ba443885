# ruff: noqa: PLC0415 - what is not installed is not measured
"""CPU per whole call: ours, generated and raw, and other AWS clients, interleaved.

Run ``python -m benchmarks.calls --help``. A responder in a process of its own answers every
request with the same DescribeTable result. The clients take turns; the CPU time of this process is
divided by the number of calls. Ratios are taken within a round, and their median is printed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import time
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from tornado_aws.services.dynamodb import DynamoDB

from tornado_aws import AsyncAWSClient, AWSClient

Call = Callable[[], Awaitable[object]]

KEYS: dict[str, Any] = {"region": "us-east-1", "access_key": "AKID", "secret_key": "SECRET"}
BOTO_KEYS = {
    "region_name": "us-east-1",
    "aws_access_key_id": "AKID",
    "aws_secret_access_key": "SECRET",
}
TABLE = {
    "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in "pst"],
    "CreationDateTime": 1.7e9,
    "GlobalSecondaryIndexes": [
        {
            "IndexArn": f"arn:aws:dynamodb:us-east-1:123456789012:table/songs/index/{name}",
            "IndexName": name,
            "IndexStatus": "ACTIVE",
            "ItemCount": 12345,
            "KeySchema": [{"AttributeName": "t", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"},
        }
        for name in ("by_title", "by_artist")
    ],
    "ItemCount": 12345,
    "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}],
    "ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5},
    "TableArn": "arn:aws:dynamodb:us-east-1:123456789012:table/songs",
    "TableId": "0a1b2c3d-0000-4444-8888-0123456789ab",
    "TableName": "songs",
    "TableSizeBytes": 987654,
    "TableStatus": "ACTIVE",
}
BODY = json.dumps({"Table": TABLE}).encode()
ANSWER = (
    b"HTTP/1.1 200 OK\r\nServer: Server\r\nDate: Tue, 01 Jul 2025 10:00:00 GMT\r\n"
    b"Content-Type: application/x-amz-json-1.0\r\nContent-Length: %d\r\nConnection: keep-alive\r\n"
    b"x-amzn-RequestId: 3VJ2KJH4K2J3H4K2J3H4KVV4KQNSO5AEMVJF66Q9ASUAAJG\r\nx-amz-crc32: %d\r\n\r\n"
) % (len(BODY), zlib.crc32(BODY)) + BODY


class Responder(asyncio.Protocol):
    """Answers each request at once."""

    def __init__(self) -> None:
        self._unread = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def data_received(self, data: bytes) -> None:
        self._unread += data
        while (end := self._unread.find(b"\r\n\r\n")) >= 0:
            head = self._unread[:end].lower()
            at = head.find(b"content-length:")
            length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self._unread) < end + 4 + length:
                return
            self._unread = self._unread[end + 4 + length :]
            self._transport.write(ANSWER)


async def serve() -> None:
    """Serve until standard input ends; the port is the first line of the output."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Responder, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


# --- the clients --------------------------------------------------------------------------------


@asynccontextmanager
async def aiobotocore(url: str, _: ThreadPoolExecutor) -> AsyncIterator[Call]:
    """The client that most asynchronous programs use."""
    from aiobotocore.config import AioConfig
    from aiobotocore.session import get_session

    config = AioConfig(max_pool_connections=50)
    make = get_session().create_client
    async with make("dynamodb", endpoint_url=url, config=config, **BOTO_KEYS) as client:
        yield lambda: client.describe_table(TableName="songs")


@asynccontextmanager
async def boto3(url: str, threads: ThreadPoolExecutor) -> AsyncIterator[Call]:
    """AWS's own client, in threads."""
    import boto3 as library
    from botocore.config import Config

    config = Config(max_pool_connections=50)
    client = library.client("dynamodb", endpoint_url=url, config=config, **BOTO_KEYS)
    loop = asyncio.get_running_loop()
    yield lambda: loop.run_in_executor(threads, lambda: client.describe_table(TableName="songs"))
    client.close()


@asynccontextmanager
async def generated(url: str, _: ThreadPoolExecutor) -> AsyncIterator[Call]:
    """Our generated client."""
    async with DynamoDB(endpoint=url, **KEYS) as client:
        yield lambda: client.describe_table(TableName="songs")


@asynccontextmanager
async def generated_over_curl(url: str, _: ThreadPoolExecutor) -> AsyncIterator[Call]:
    """Our generated client with libcurl below it."""
    async with DynamoDB(endpoint=url, use_curl=True, **KEYS) as client:
        yield lambda: client.describe_table(TableName="songs")


HEADERS = {
    "X-Amz-Target": "DynamoDB_20120810.DescribeTable",
    "Content-Type": "application/x-amz-json-1.0",
}


@asynccontextmanager
async def raw(url: str, _: ThreadPoolExecutor) -> AsyncIterator[Call]:
    """Our raw fetch, with Tornado's response."""
    async with AsyncAWSClient("dynamodb", endpoint=url, **KEYS) as client:
        yield lambda: client.fetch("POST", headers=HEADERS, body=b'{"TableName":"songs"}')


@asynccontextmanager
async def blocking_raw(url: str, threads: ThreadPoolExecutor) -> AsyncIterator[Call]:
    """Our blocking client, in threads as boto3."""
    loop = asyncio.get_running_loop()
    with AWSClient("dynamodb", endpoint=url, **KEYS) as client:
        yield lambda: loop.run_in_executor(
            threads, lambda: client.fetch("POST", "/", None, HEADERS, b'{"TableName":"songs"}')
        )


CLIENTS = {
    client.__name__: client
    for client in (aiobotocore, boto3, generated, generated_over_curl, raw, blocking_raw)
}


# --- the measurement ----------------------------------------------------------------------------


async def turn(call: Call, calls: int, concurrency: int) -> tuple[float, float]:
    """Return CPU and wall time per call of one client's turn, in microseconds."""

    async def worker() -> None:
        for _ in range(calls // concurrency):
            await call()

    cpu, wall = time.process_time(), time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(concurrency)))
    done = calls // concurrency * concurrency
    return (
        (time.process_time() - cpu) / done * 1e6,
        (time.perf_counter() - wall) / done * 1e6,
    )


async def measure(url: str, rounds: int, calls: int, concurrency: int) -> None:
    """Print a line for each client that is installed."""
    cpu: dict[str, list[float]] = {}
    wall: dict[str, list[float]] = {}
    async with AsyncExitStack() as stack:
        threads = stack.enter_context(ThreadPoolExecutor(concurrency))
        ready: dict[str, Call] = {}
        for name, client in CLIENTS.items():
            try:
                ready[name] = await stack.enter_async_context(client(url, threads))
                await turn(ready[name], concurrency * 2, concurrency)
            except ImportError as error:
                print(f"{name}: left out, {error}")
        for _ in range(rounds):
            for name, call in ready.items():
                found = await turn(call, calls, concurrency)
                cpu.setdefault(name, []).append(found[0])
                wall.setdefault(name, []).append(found[1])
    first = next(iter(cpu))
    print(f"DescribeTable, {concurrency} at a time, {rounds} rounds of {calls}; ratios to {first}")
    print(f"{'client':22}{'CPU us/call':>12}{'ratio':>8}{'calls/s':>10}{'ratio':>8}")
    for name, found in cpu.items():
        ratios = [mine / other for mine, other in zip(found, cpu[first], strict=True)]
        speeds = [other / mine for mine, other in zip(wall[name], wall[first], strict=True)]
        print(
            f"{name:22}{statistics.median(found):12.0f}{statistics.median(ratios):8.3f}"
            f"{1e6 / statistics.median(wall[name]):10.0f}{statistics.median(speeds):8.1f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--calls", type=int, default=500, help="of each client in a round")
    parser.add_argument("--concurrency", type=int, default=10)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve())
        return
    command = [sys.executable, "-m", "benchmarks.calls", "--serve"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as responder:
        assert responder.stdin is not None
        assert responder.stdout is not None
        url = f"http://127.0.0.1:{int(responder.stdout.readline())}"
        try:
            asyncio.run(measure(url, options.rounds, options.calls, options.concurrency))
        finally:
            responder.stdin.close()


if __name__ == "__main__":
    main()
