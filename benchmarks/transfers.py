# ruff: noqa: PLC0415 - what is not installed is not measured
"""CPU, time and memory of moving one large object: `tornado_aws.transfers`, aioboto3 and boto3.

Run ``python benchmarks/transfers.py --help``. A server that keeps nothing runs in a process of its
own on loopback, with and without TLS. Each client moves the object in a process of its own as well,
in turns: up from a file in parts of 8 MiB, and down into a file. Printed is the median of the
rounds: seconds, seconds of CPU (of the client's process) and the growth of its resident memory,
after a first small call. TLS is what S3 is used with: the payload's checksum is in the trailer
then and its hash is not signed, which without TLS it is. ``--peer-python``
names an interpreter that has aioboto3 or boto3 where this one has not (aioboto3
wants an older botocore).
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import resource
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
import zlib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

MIB = 1 << 20
PART = 8 * MIB
OPTIONS: dict[str, Any] = {"Bucket": "bucket", "Key": "key"}

# --- the server -----------------------------------------------------------------------------------

RESULTS = {
    "uploads": b"<CreateMultipartUploadResult><UploadId>u</UploadId></CreateMultipartUploadResult>",
    "uploadId": b"<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>",
}


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, size: int) -> None:
    """Answer the requests of one connection."""
    zeros = bytes(MIB)
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            method, target, _ = head[0].split(" ")
            lines = (line.partition(":") for line in head[1:] if line)
            headers = {name.lower(): value.strip() for name, _, value in lines}
            if headers.get("expect"):
                writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            await skip(reader, int(headers.get("content-length", 0)))
            if headers.get("transfer-encoding"):
                while size_of_chunk := int(await reader.readuntil(b"\r\n"), 16):
                    await skip(reader, size_of_chunk + 2)
                while await reader.readuntil(b"\r\n") != b"\r\n":
                    pass
            start, stop = 0, size
            if "range" in headers:
                first, _, last = headers["range"].removeprefix("bytes=").partition("-")
                start, stop = int(first), min(int(last or size - 1) + 1, size)
            body = RESULTS["uploads" if "uploads" in target else "uploadId"]
            length = len(body) if method == "POST" else stop - start
            length = 0 if method == "PUT" else length
            status = "206 Partial Content" if "range" in headers else "200 OK"
            span = (
                f"Content-Range: bytes {start}-{stop - 1}/{size}\r\n" if "range" in headers else ""
            )
            writer.write(
                f"HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{span}"
                'ETag: "e"\r\nContent-Type: application/xml\r\n\r\n'.encode()
            )
            if method == "POST":
                writer.write(body)
            while method == "GET" and start < stop:
                writer.write(zeros[: stop - start])
                start += len(zeros)
                await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def skip(reader: asyncio.StreamReader, rest: int) -> None:
    """Read so many bytes."""
    while rest:
        rest -= len(await reader.read(min(rest, MIB)))


async def serve(size: int, certificate: str) -> None:
    """Run the server until it is killed; print its port."""
    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    server = await asyncio.start_server(
        lambda reader, writer: answer(reader, writer, size),
        "127.0.0.1",
        0,
        limit=4 * MIB,
        ssl=context,
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


# --- the clients ----------------------------------------------------------------------------------


async def with_tornado_aws(endpoint: str, ca: str, up: bool, path: str) -> None:
    """Move the object with this library."""
    from tornado_aws.services.s3 import S3

    from tornado_aws import transfers

    keys = {"access_key": "AKID", "secret_key": "secret"}
    async with S3(region="us-east-1", endpoint=endpoint, verify=ca or True, **keys) as s3:
        await s3.head_object(**OPTIONS)
        with measured():
            if up:
                await transfers.upload(s3, path, part_size=PART, **OPTIONS)
            else:
                await transfers.download(s3, path, part_size=PART, **OPTIONS)


def peer_options(endpoint: str, ca: str) -> dict[str, Any]:
    """Return the options of a client of boto3 or aioboto3."""
    from botocore.config import Config

    return {
        "endpoint_url": endpoint,
        "verify": ca or None,
        "region_name": "us-east-1",
        "aws_access_key_id": "AKID",
        "aws_secret_access_key": "secret",
        "config": Config(s3={"addressing_style": "path"}),
    }


async def with_aioboto3(endpoint: str, ca: str, up: bool, path: str) -> None:
    """Move the object with aioboto3."""
    import aioboto3
    from boto3.s3.transfer import TransferConfig

    config = TransferConfig(multipart_chunksize=PART, max_concurrency=4)
    async with aioboto3.Session().client("s3", **peer_options(endpoint, ca)) as s3:
        await s3.head_object(**OPTIONS)
        with measured():
            if up:
                await s3.upload_file(path, "bucket", "key", Config=config)
            else:
                await s3.download_file("bucket", "key", path, Config=config)


async def with_boto3(endpoint: str, ca: str, up: bool, path: str) -> None:
    """Move the object with boto3, which blocks and uses threads."""
    import boto3
    from boto3.s3.transfer import TransferConfig

    config = TransferConfig(multipart_chunksize=PART, max_concurrency=4)
    s3 = boto3.client("s3", **peer_options(endpoint, ca))
    s3.head_object(**OPTIONS)
    with measured():
        if up:
            s3.upload_file(path, "bucket", "key", Config=config)
        else:
            s3.download_file("bucket", "key", path, Config=config)


async def with_a_socket(endpoint: str, ca: str, up: bool, path: str) -> None:
    """Move the object with nothing but a socket: what any client has to pay at least."""
    await asyncio.get_running_loop().run_in_executor(None, bare, endpoint, ca, up, path)


def bare(endpoint: str, ca: str, up: bool, path: str) -> None:
    """Move the object and block.

    Nothing is signed, retried, or done at once with anything else.
    """
    url = urlsplit(endpoint)
    assert url.hostname
    assert url.port
    connection: Any = socket.create_connection((url.hostname, url.port))
    if ca:
        context = ssl.create_default_context(cafile=ca)
        connection = context.wrap_socket(connection, server_hostname=url.hostname)
    with connection, measured(), Path(path).open("rb" if up else "wb", buffering=0) as file:
        (send_parts if up else receive_object)(connection, file)


def send_parts(connection: Any, file: Any) -> None:
    """Send a file in parts, each with its checksum under TLS, without TLS with what is signed."""
    is_secure = isinstance(connection, ssl.SSLSocket)
    buffer = memoryview(bytearray(PART))
    while size := file.readinto(buffer):
        part = buffer[:size]
        proof = zlib.crc32(part) if is_secure else hashlib.sha256(part).hexdigest()
        head = f"PUT /?proof={proof} HTTP/1.1\r\nContent-Length: {size}\r\n\r\n"
        connection.sendall(head.encode())
        connection.sendall(part)
        connection.recv(65536)


def receive_object(connection: Any, file: Any) -> None:
    """Receive an object, and write it to a file."""
    buffer = memoryview(bytearray(MIB // 4))
    connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
    head, _, start = connection.recv(65536).partition(b"\r\n\r\n")
    rest = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]) - file.write(start)
    while rest:
        rest -= file.write(buffer[: connection.recv_into(buffer)])


CLIENTS = {
    "tornado-aws": with_tornado_aws,
    "aioboto3": with_aioboto3,
    "boto3": with_boto3,
    "bare": with_a_socket,
}


OURS = ("tornado-aws", "bare")


class measured:  # noqa: N801 - a context manager, used like a function
    """Prints what the block costs: seconds, seconds of CPU, growth of the memory in MiB."""

    def __enter__(self) -> None:
        self._start = (time.perf_counter(), time.process_time(), _peak())

    def __exit__(self, *_: object) -> None:
        end = (time.perf_counter(), time.process_time(), _peak())
        print(json.dumps([after - before for before, after in zip(self._start, end, strict=True)]))


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


# --- the rounds -----------------------------------------------------------------------------------


def run(python: str, *arguments: str) -> list[float]:
    """Run one transfer in a process of its own; return what it measured."""
    command = [python, __file__, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stderr}")
    figures: list[float] = json.loads(done.stdout)
    return figures


def rounds(options: argparse.Namespace, folder: str, certificate: str) -> None:
    """Measure the clients in turns and print the medians."""
    size = options.mib * MIB
    command = [sys.executable, __file__, "--serve", str(size), "--certificate", certificate]
    scheme = "https" if certificate else "http"
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        endpoint = f"{scheme}://127.0.0.1:{server.stdout.readline().strip()}"
        try:
            for way in ("up", "down"):
                found = measure(options, [way, endpoint, certificate, str(Path(folder, way))])
                for name, figures in found.items():
                    seconds, cpu, memory = map(statistics.median, zip(*figures, strict=True))
                    print(
                        f"{scheme:6}{way:5}{name:12}"
                        f"{seconds:7.2f} s{cpu:8.2f} s CPU{memory:8.1f} MiB",
                        flush=True,
                    )
        finally:
            server.kill()


def measure(options: argparse.Namespace, arguments: list[str]) -> dict[str, list[list[float]]]:
    """Give each client its turn in each round; return what they measured."""
    found: dict[str, list[list[float]]] = {name: [] for name in options.clients or CLIENTS}
    for _ in range(options.rounds):
        for name, figures in found.items():
            python = sys.executable if name in OURS else options.peer_python
            figures.append(run(python, "--move", name, *arguments))
    return found


def make_certificate(folder: str) -> str:
    """Make a certificate for 127.0.0.1 with the openssl command."""
    path = Path(folder, "server.pem")
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(path), "-out", f"{path}.crt"]
    subprocess.run([*command.split(), *names, *files], check=True, capture_output=True)
    with path.open("a") as file:
        file.write(Path(f"{path}.crt").read_text())
    return str(path)


def main() -> None:
    """Measure what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clients", nargs="*", help=f"of {', '.join(CLIENTS)}; default: all")
    parser.add_argument("--mib", type=int, default=256, help="size of the object")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peer-python", default=sys.executable, metavar="PATH")
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--schemes", nargs="+", default=["http", "https"])
    parser.add_argument("--certificate", default="", help=argparse.SUPPRESS)
    parser.add_argument("--move", nargs=5, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve is not None:
        asyncio.run(serve(options.serve, options.certificate))
    elif options.move is not None:
        name, way, endpoint, ca, path = options.move
        asyncio.run(CLIENTS[name](endpoint, ca, way == "up", path))
    else:
        with tempfile.TemporaryDirectory() as folder:
            with Path(folder, "up").open("wb") as file:
                for _ in range(options.mib):
                    file.write(bytes(MIB))
            for scheme in options.schemes:
                rounds(options, folder, make_certificate(folder) if scheme == "https" else "")


if __name__ == "__main__":
    main()
