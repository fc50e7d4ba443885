"""A server in a process of its own: a port for each of `answers`, and another one for TLS.

It answers whatever request at once with that answer, and verifies nothing. While requests come it
does not sleep: to wake it is work of who sends on the same machine, and of nobody who sends over a
network.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.answers import answers


class Server(NamedTuple):
    """A server that runs.

    Attributes:
        ports: the ports by name of the answer, that for TLS by ``name+tls``.
        ca: the file with its certificate.
    """

    ports: dict[str, int]
    ca: str

    def url(self, name: str, *, tls: bool = False) -> str:
        """Return the URL that gives an answer."""
        port = self.ports[f"{name}+tls" if tls else name]
        return f"{'https' if tls else 'http'}://127.0.0.1:{port}"


@contextmanager
def server() -> Iterator[Server]:
    """Run a server."""
    with tempfile.TemporaryDirectory() as folder:
        certificate = _make_certificate(Path(folder))
        command = [sys.executable, "-m", "benchmarks.server", certificate]
        with subprocess.Popen(
            command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                yield Server(json.loads(process.stdout.readline()), certificate)
            finally:
                process.stdin.close()


def _make_certificate(folder: Path) -> str:
    """Make a certificate for 127.0.0.1 with the openssl command."""
    path, certificate = folder / "server.pem", folder / "certificate.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(path), "-out", str(certificate)]
    subprocess.run([*command.split(), *names, *files], check=True, capture_output=True)
    with path.open("a") as file:
        file.write(certificate.read_text())
    return str(path)


# For how long after a request the server looks for the next one without sleeping, seconds.
_AWAKE = 0.5


class _Wakefulness:
    """Keeps a loop from sleeping."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._until = 0.0
        self._is_awake = False

    def prolong(self) -> None:
        """Stay awake for a while from now."""
        self._until = self._loop.time() + _AWAKE
        if not self._is_awake:
            self._stay()

    def _stay(self) -> None:
        self._is_awake = self._loop.time() < self._until
        if self._is_awake:
            self._loop.call_soon(self._stay)


class _Responder(asyncio.Protocol):
    """Answers the requests of a connection."""

    def __init__(self, answer: bytes, wakefulness: _Wakefulness) -> None:
        self._answer = answer
        self._wakefulness = wakefulness
        self._unread = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def data_received(self, data: bytes) -> None:
        self._wakefulness.prolong()
        self._unread += data
        while (end := self._unread.find(b"\r\n\r\n")) >= 0:
            head = self._unread[:end].lower()
            at = head.find(b"content-length:")
            length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self._unread) < end + 4 + length:
                return
            self._unread = self._unread[end + 4 + length :]
            self._transport.write(self._answer)


async def _serve(certificate: str) -> None:
    """Serve until standard input ends; the ports are the first line of the output."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    loop = asyncio.get_running_loop()
    wakefulness = _Wakefulness(loop)
    listening, ports = [], {}
    for name, answer in answers().items():
        for suffix, tls in (("", None), ("+tls", context)):
            listener = await loop.create_server(
                lambda answer=answer: _Responder(answer, wakefulness),
                "127.0.0.1",
                0,
                ssl=tls,
                backlog=1024,
            )
            listening.append(listener)
            ports[f"{name}{suffix}"] = listener.sockets[0].getsockname()[1]
    sys.stdout.write(f"{json.dumps(ports)}\n")
    sys.stdout.flush()
    await loop.run_in_executor(None, sys.stdin.read)
    for listener in listening:
        listener.close()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1]))
