# ruff: noqa: PLC0415 - what is not installed is not measured
"""What the two engines of the transport cost, against other HTTP clients.

All send the same POST of ready bytes and get the same answer; nothing is signed or parsed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, closing
from typing import Any

from benchmarks.bare import BareSockets
from benchmarks.rounds import COLUMNS, Call, Costs, Effort, compared, interleaved
from benchmarks.server import Server, server
from benchmarks.tables import Table
from tornado_aws.transport import Origin, Request, Timeouts, Transport, TransportOptions
from tornado_aws.transport.fields import fields_of
from tornado_aws.transport.http1 import request_head

CONCURRENCY = 10
SIZES = {"1KB": 1 << 10, "100KB": 100 << 10, "10MB": 10 << 20}
TITLES = {"1KB": "1 KB", "100KB": "100 KB", "10MB": "10 MB"}

BODY = b'{"TableName": "benchmark"}'
HEADERS = {
    "X-Amz-Target": "DynamoDB_20120810.DescribeTable",
    "Content-Type": "application/x-amz-json-1.0",
    "User-Agent": "benchmark/1.0",
    "X-Amz-Date": "20250701T100000Z",
    "Authorization": "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20250701/us-east-1/dynamodb/"
    "aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature=" + "5" * 64,
}


def tables(effort: Effort) -> Iterator[Table]:
    """Measure each size, in the clear and over TLS."""
    with server() as running:
        for tls in (False, True):
            for name, size in SIZES.items():
                costs = asyncio.run(measure(running, name, size, effort, tls=tls))
                title = f"An answer of {TITLES[name]}{' over TLS' if tls else ''}, 10 at a time"
                mark = f"transport-{name.lower()}{'-tls' if tls else ''}"
                yield Table(mark, title, COLUMNS, compared(costs), drawn=0)


async def measure(running: Server, name: str, size: int, effort: Effort, *, tls: bool) -> Costs:
    """Measure the clients that are installed."""
    origin = Origin("https" if tls else "http", "127.0.0.1", running.ports[_port(name, tls)])
    ca = running.ca if tls else None
    async with AsyncExitStack() as stack:
        calls: dict[str, Call] = {}
        for client_name, client in CLIENTS.items():
            try:
                calls[client_name] = await stack.enter_async_context(client(origin, size, ca))
            except ImportError:
                continue
        return await interleaved(calls, effort, CONCURRENCY)


def _port(name: str, tls: bool) -> str:
    return f"{name}+tls" if tls else name


# --- the clients: each gives a function that sends one request and checks the length of the answer


@asynccontextmanager
async def pool(origin: Origin, size: int, ca: str | None) -> AsyncIterator[Call]:
    """The default engine."""
    from tornado_aws.transport.pool import PoolTransport

    transport = PoolTransport(TransportOptions(CONCURRENCY, verify=ca or True))
    with closing(transport):
        yield _engine(transport, origin, size)


@asynccontextmanager
async def bare(origin: Origin, size: int, ca: str | None) -> AsyncIterator[Call]:
    """Bare sockets, the least that any of these can cost."""
    host = f"{origin.host}:{origin.port}"
    lines = fields_of([("Host", host), *HEADERS.items()])
    wire = request_head(Request(origin, "POST", "/", lines, BODY)) + BODY
    sockets = BareSockets(origin.host, origin.port, CONCURRENCY, size, wire, ca)

    async def call() -> None:
        _check(len(await sockets.call()), size)

    with closing(sockets):
        yield call


@asynccontextmanager
async def curl(origin: Origin, size: int, ca: str | None) -> AsyncIterator[Call]:
    """The curl engine."""
    from tornado_aws.transport.curl import CurlTransport

    transport = CurlTransport(TransportOptions(CONCURRENCY, verify=ca or True))
    with closing(transport):
        yield _engine(transport, origin, size)


def _engine(transport: Transport, origin: Origin, size: int) -> Call:
    timeouts = Timeouts()
    lines = fields_of([("Host", f"{origin.host}:{origin.port}"), *HEADERS.items()])

    async def call() -> None:
        request = Request(origin, "POST", "/", lines, BODY)
        _check(len((await transport.send(request, timeouts)).body), size)

    return call


@asynccontextmanager
async def tornado_curl(origin: Origin, size: int, ca: str | None) -> AsyncIterator[Call]:
    """Tornado's CurlAsyncHTTPClient."""
    from tornado.curl_httpclient import CurlAsyncHTTPClient

    client = CurlAsyncHTTPClient(force_instance=True, max_clients=CONCURRENCY)
    with closing(client):
        yield _tornado(client, origin, size, ca)


@asynccontextmanager
async def tornado_simple(origin: Origin, size: int, ca: str | None) -> AsyncIterator[Call]:
    """Tornado's SimpleAsyncHTTPClient."""
    from tornado.simple_httpclient import SimpleAsyncHTTPClient

    client = SimpleAsyncHTTPClient(force_instance=True, max_clients=CONCURRENCY)
    with closing(client):
        yield _tornado(client, origin, size, ca)


def _tornado(client: Any, origin: Origin, size: int, ca: str | None) -> Call:
    url = f"{origin.scheme}://{origin.host}:{origin.port}/"
    options = {"method": "POST", "headers": HEADERS, "body": BODY, "ca_certs": ca}

    async def call() -> None:
        _check(len((await client.fetch(url, **options)).body), size)

    return call


@asynccontextmanager
async def aiohttp(origin: Origin, size: int, ca: str | None) -> AsyncIterator[Call]:
    """aiohttp."""
    import ssl

    from aiohttp import ClientSession, TCPConnector

    context: Any = ssl.create_default_context(cafile=ca) if ca else True
    url = f"{origin.scheme}://{origin.host}:{origin.port}/"
    async with ClientSession(connector=TCPConnector(limit=CONCURRENCY, ssl=context)) as session:

        async def call() -> None:
            async with session.post(url, data=BODY, headers=HEADERS) as response:
                _check(len(await response.read()), size)

        yield call


def _check(got: int, size: int) -> None:
    if got != size:
        raise AssertionError(f"{got} bytes instead of {size}")


Client = Callable[[Origin, int, str | None], AbstractAsyncContextManager[Call]]

CLIENTS: dict[str, Client] = {
    "Tornado, libcurl": tornado_curl,
    "Tornado, simple": tornado_simple,
    "aiohttp": aiohttp,
    "tornado-aws": pool,
    "tornado-aws, libcurl": curl,
    "bare sockets": bare,
}
