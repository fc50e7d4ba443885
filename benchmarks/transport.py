# ruff: noqa: PLC0415 - what is not installed is not measured
"""CPU per call of the transport engines and of other HTTP clients, interleaved.

Run ``python benchmarks/transport.py --help``. A responder runs in a process of its own; every
client that is installed sends the same POST to it, in turns, and the CPU time of this process is
divided by the number of calls. Machines differ, ratios less: each is taken within a round, and the
median of the rounds is printed, with the first client (Tornado's curl client if it is there) as 1.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from tornado_aws.transport import Origin, Request, Timeouts, TransportOptions

Call = Callable[[], Awaitable[int]]

REQUEST_BODY = b'{"TableName": "benchmark"}'
REQUEST_HEADERS = {
    "X-Amz-Target": "DynamoDB_20120810.DescribeTable",
    "Content-Type": "application/x-amz-json-1.0",
    "User-Agent": "benchmark/1.0",
    "X-Amz-Date": "20250701T100000Z",
    "Authorization": "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20250701/us-east-1/dynamodb/"
    "aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature=" + "5" * 64,
}
RESPONSE_HEAD = (
    "HTTP/1.1 200 OK\r\nServer: Server\r\nDate: Tue, 01 Jul 2025 10:00:00 GMT\r\n"
    "Content-Type: application/x-amz-json-1.0\r\nContent-Length: %d\r\nConnection: keep-alive\r\n"
    "x-amzn-RequestId: 3VJ2KJH4K2J3H4K2J3H4KVV4KQNSO5AEMVJF66Q9ASUAAJG\r\n"
    "x-amz-crc32: 2745614147\r\n\r\n"
)


class Size(NamedTuple):
    """A response's length in bytes, and how many calls a turn makes."""

    bytes: int
    calls: int


SIZES = {"1KB": Size(1024, 2000), "100KB": Size(102_400, 600), "10MB": Size(10_485_760, 12)}


# --- the responder ------------------------------------------------------------------------------


class Responder(asyncio.Protocol):
    """Answers each request at once with a ready response."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self._unread = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def data_received(self, data: bytes) -> None:
        self._unread += data
        while (end := self._unread.find(b"\r\n\r\n")) >= 0:
            size = end + 4 + len(REQUEST_BODY)
            if len(self._unread) < size:
                return
            self._unread = self._unread[size:]
            self._transport.write(self._answer)


async def serve(size: int, certificate: str | None) -> None:
    """Serve until standard input ends; the port is the first line of the output."""
    answer = (RESPONSE_HEAD % size).encode() + b"x" * size
    context = None
    if certificate is not None:
        import ssl

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Responder(answer), "127.0.0.1", 0, ssl=context)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


# --- the clients: each makes a function that sends one request and returns the body's length ------


def pool(origin: Origin, concurrency: int, ca: str | None) -> Call:
    """The default engine."""
    from tornado_aws.transport.pool import PoolTransport

    return _engine(PoolTransport(TransportOptions(concurrency, verify=ca or True)), origin)


def curl(origin: Origin, concurrency: int, ca: str | None) -> Call:
    """The curl engine."""
    from tornado_aws.transport.curl import CurlTransport

    return _engine(CurlTransport(TransportOptions(concurrency, verify=ca or True)), origin)


def _engine(transport: Any, origin: Origin) -> Call:
    timeouts = Timeouts()
    headers = [("Host", f"{origin.host}:{origin.port}"), *REQUEST_HEADERS.items()]

    async def call() -> int:
        request = Request(origin, "POST", "/", headers, REQUEST_BODY)
        return len((await transport.send(request, timeouts)).body)

    return call


def tornado_curl(origin: Origin, concurrency: int, ca: str | None) -> Call:
    """Tornado's CurlAsyncHTTPClient."""
    from tornado.curl_httpclient import CurlAsyncHTTPClient

    return _tornado(CurlAsyncHTTPClient(force_instance=True, max_clients=concurrency), origin, ca)


def tornado_simple(origin: Origin, concurrency: int, ca: str | None) -> Call:
    """Tornado's SimpleAsyncHTTPClient."""
    from tornado.simple_httpclient import SimpleAsyncHTTPClient

    client = SimpleAsyncHTTPClient(force_instance=True, max_clients=concurrency)
    return _tornado(client, origin, ca)


def _tornado(client: Any, origin: Origin, ca: str | None) -> Call:
    url = f"{origin.scheme}://{origin.host}:{origin.port}/"
    options = {"method": "POST", "headers": REQUEST_HEADERS, "body": REQUEST_BODY, "ca_certs": ca}

    async def call() -> int:
        return len((await client.fetch(url, **options)).body)

    return call


def aiohttp(origin: Origin, concurrency: int, ca: str | None) -> Call:
    """aiohttp."""
    import ssl

    from aiohttp import ClientSession, TCPConnector

    context: Any = ssl.create_default_context(cafile=ca) if ca else True
    session = ClientSession(connector=TCPConnector(limit=concurrency, ssl=context))
    url = f"{origin.scheme}://{origin.host}:{origin.port}/"

    async def call() -> int:
        async with session.post(url, data=REQUEST_BODY, headers=REQUEST_HEADERS) as response:
            return len(await response.read())

    return call


CLIENTS: dict[str, Callable[[Origin, int, str | None], Call]] = {
    "tornado-curl": tornado_curl,
    "tornado-simple": tornado_simple,
    "aiohttp": aiohttp,
    "pool": pool,
    "curl": curl,
}


# --- measuring ----------------------------------------------------------------------------------


async def turn(call: Call, calls: int, concurrency: int, size: int) -> float:
    """Make `calls` calls; return the CPU time of one in microseconds."""
    left = calls

    async def work() -> None:
        nonlocal left
        while left > 0:
            left -= 1
            got = await call()
            assert got == size, f"{got} bytes instead of {size}"

    gc.collect()
    started = time.process_time()
    await asyncio.gather(*[work() for _ in range(concurrency)])
    return (time.process_time() - started) / calls * 1e6


async def measure(
    size: Size, names: list[str], rounds: int, concurrency: int, origin: Origin, ca: str | None
) -> dict[str, list[float]]:
    """Give each client its turn in each round, after one that is not counted."""
    calls = {}
    for name in names:
        with suppress(ImportError):
            calls[name] = CLIENTS[name](origin, concurrency, ca)
    costs: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(rounds + 1):
        for name, call in calls.items():
            count = size.calls if number else min(size.calls, 5 * concurrency)
            cost = await turn(call, count, concurrency, size.bytes)
            if number:
                costs[name].append(cost)
    return costs


def report(title: str, costs: dict[str, list[float]]) -> None:
    """Print medians, and ratios to the first client by round."""
    first, *_ = costs.values()
    print(f"\n{title}\n{'client':<16}{'us/call':>10}{'ratio':>8}{'range':>16}")
    for name, values in costs.items():
        ratios = [value / base for value, base in zip(values, first, strict=True)]
        spread = f"{min(ratios):.3f}-{max(ratios):.3f}"
        median = statistics.median(ratios)
        print(f"{name:<16}{statistics.median(values):>10.1f}{median:>8.3f}{spread:>16}")


def make_certificate(folder: str) -> str:
    """Make a certificate for 127.0.0.1 with the openssl command."""
    path = str(Path(folder) / "server.pem")
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", path, "-out", f"{path}.crt"]
    subprocess.run([*command.split(), *names, *files], check=True, capture_output=True)
    with Path(path).open("a") as file:
        file.write(Path(f"{path}.crt").read_text())
    return path


def loop_factory(name: str) -> Callable[[], asyncio.AbstractEventLoop]:
    """Return what makes the loop of that name."""
    if name == "uvloop":
        import uvloop

        return uvloop.new_event_loop
    return asyncio.SelectorEventLoop


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--sizes", nargs="+", default=list(SIZES), choices=list(SIZES))
    parser.add_argument("--clients", nargs="+", default=list(CLIENTS), choices=list(CLIENTS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--concurrency", type=int, default=10)
    parser.add_argument("--loop", choices=["asyncio", "uvloop"], default="asyncio")
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--certificate", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve is not None:
        asyncio.run(serve(options.serve, options.certificate))
        return
    with tempfile.TemporaryDirectory() as folder:
        ca = make_certificate(folder) if options.tls else None
        for name in options.sizes:
            run_size(name, options, ca)


def run_size(name: str, options: argparse.Namespace, ca: str | None) -> None:
    """Measure one size against a responder of its own."""
    size = SIZES[name]
    command = [sys.executable, __file__, "--serve", str(size.bytes)]
    command += ["--certificate", ca] if ca else []
    with subprocess.Popen(
        command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as responder:
        assert responder.stdin is not None
        assert responder.stdout is not None
        port = int(responder.stdout.readline())
        origin = Origin("https" if ca else "http", "127.0.0.1", port)
        arguments = (options.clients, options.rounds, options.concurrency, origin, ca)
        with asyncio.Runner(loop_factory=loop_factory(options.loop)) as runner:
            costs = runner.run(measure(size, *arguments))
        responder.stdin.close()
    kind = "TLS" if ca else "plain"
    report(f"{name}, {kind}, {options.loop}, concurrency {options.concurrency}", costs)


if __name__ == "__main__":
    main()
