"""An HTTP server on loopback that records requests and answers what it is told."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple


class Recorded(NamedTuple):
    """A request as it arrived: method, path and query as sent, headers as pairs, body."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        """Return the header's value, None without it."""
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        return ", ".join(values) if values else None


class Answer(NamedTuple):
    """What to answer; `gate` holds the answer back until it is set."""

    status: int = 200
    body: bytes = b"{}"
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/x-amz-json-1.0"),)
    gate: threading.Event | None = None


class RecordingServer:
    """Answers the queued answers in order, then `default` for ever."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.requests: list[Recorded] = []
        self.answers: deque[Answer] = deque()
        self.default = Answer()
        self.connections = 0
        self.first_request = threading.Event()

    async def arrived(self) -> None:
        """Wait until a request has arrived."""
        await asyncio.get_running_loop().run_in_executor(None, self.first_request.wait, 10)

    def queue(self, *answers: Answer) -> None:
        """Answer these next."""
        self.answers.extend(answers)


@contextmanager
def recording_server() -> Iterator[RecordingServer]:
    """Run a server; it is gone afterwards, its connections too."""
    http = _HTTPServer(("127.0.0.1", 0), _Handler)
    http.recording = RecordingServer(http.server_address[1])
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield http.recording
    finally:
        for answer in [http.recording.default, *http.recording.answers]:
            if answer.gate is not None:
                answer.gate.set()
        http.shutdown()
        thread.join()
        http.server_close()


class _HTTPServer(ThreadingHTTPServer):
    recording: RecordingServer
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is not this server's fault."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _HTTPServer
    timeout = 10
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.server.recording.connections += 1

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        length = int(self.headers.get("Content-Length") or 0)
        recording = self.server.recording
        body = self.rfile.read(length)
        recording.requests.append(
            Recorded(self.command, self.path, list(self.headers.items()), body)
        )
        recording.first_request.set()
        self._answer(recording.answers.popleft() if recording.answers else recording.default)

    def _answer(self, answer: Answer) -> None:
        if answer.gate is not None:
            answer.gate.wait(10)
        self.send_response_only(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)
        self.wfile.flush()
