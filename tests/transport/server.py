"""A server that does exactly what a test tells it, byte by byte.

A script is a function that gets one accepted connection (`Peer`) and plays the server on it with
blocking calls, in a thread of its own::

    def script(peer):
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok")
        peer.reset()

    with ScriptedServer(script) as server:
        ... server.origin ...

What a script raises, broken connections aside, is raised again when the server ends.
"""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import pairwise
from typing import NamedTuple

from tornado_aws.transport import Origin

# No script lives longer: a test that hangs ends here, with an error.
PATIENCE = 10.0


class Received(NamedTuple):
    """A request as it arrived.

    Attributes:
        method: the method.
        target: the target, as on the wire.
        headers: (name, value) in order.
        body: the body, chunks joined.
        raw: every byte of it.
    """

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes
    raw: bytes

    def header(self, name: str) -> str | None:
        """Return the value of a header, None when it is not there."""
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        return ", ".join(values) if values else None


class Peer:
    """The server's side of one connection.

    Attributes:
        number: how many connections came before it.
        released: set by a test to let a script go on.
    """

    def __init__(self, sock: socket.socket, number: int, server: ScriptedServer) -> None:
        self.number = number
        self.released = server.released
        self._sock = sock
        self._server = server
        self._unread = bytearray()
        self._raw = bytearray()

    @property
    def alpn(self) -> str | None:
        """The protocol that both sides agreed on under TLS."""
        if isinstance(self._sock, ssl.SSLSocket):
            return self._sock.selected_alpn_protocol()
        return None

    def start_tls(self, context: ssl.SSLContext) -> None:
        """Agree on TLS, which the server does itself when it is made for that."""
        self._sock = context.wrap_socket(
            self._sock, server_side=True, do_handshake_on_connect=False
        )
        self._server.socks.append(self._sock)
        if self._server.is_closing:
            # While the server shut its sockets down, this may have been none of them.
            raise ConnectionAbortedError
        self._sock.do_handshake()

    def read_head(self) -> tuple[str, str, list[tuple[str, str]]] | None:
        """Read up to the empty line; None when the client has closed the connection."""
        self._raw.clear()
        while b"\r\n\r\n" not in self._unread:
            data = self._sock.recv(65536)
            if not data:
                return None
            self._unread += data
        start, *lines = self._take(self._unread.index(b"\r\n\r\n") + 4)[:-4].split(b"\r\n")
        method, target, _version = start.decode("latin-1").split(" ")
        pairs = [line.decode("utf-8").partition(": ")[::2] for line in lines]
        return method, target, [(name, value) for name, value in pairs]

    def read_request(self) -> Received | None:
        """Read a request; None when the client has closed the connection."""
        head = self.read_head()
        return None if head is None else self.read_body(head)

    def read_body(self, head: tuple[str, str, list[tuple[str, str]]]) -> Received:
        """Read the body that belongs to `head`."""
        names = {name.lower(): value for name, value in head[2]}
        if names.get("transfer-encoding") == "chunked":
            body = b"".join(iter(self._read_chunk, b""))
        else:
            body = self._take(int(names.get("content-length", 0)))
        request = Received(*head, body, bytes(self._raw))
        self._server.requests.append(request)
        return request

    def send(self, data: bytes) -> None:
        """Send all of `data`."""
        self._sock.sendall(data)

    def send_split(self, data: bytes, *offsets: int) -> None:
        """Send `data` in pieces cut at `offsets`, each in a segment of its own."""
        edges = [0, *offsets, len(data)]
        for start, end in pairwise(edges):
            self.send(data[start:end])
            threading.Event().wait(0.002)

    def answer(self, body: bytes = b"", status: str = "200 OK", *headers: str) -> None:
        """Send a response with a ``Content-Length``."""
        self.send(response(body, status, *headers))

    def wait_closed(self) -> bytes:
        """Wait until the client closes the connection; return what it sent before."""
        data = bytes(self._unread)
        with suppress(OSError):
            while more := self._sock.recv(65536):
                data += more
        return data

    def stall(self) -> None:
        """Do nothing until the test sets ``released`` or ends."""
        self.released.wait(PATIENCE)

    def close(self) -> None:
        """Close the connection in order (FIN)."""
        self._sock.close()

    def half_close(self) -> None:
        """Close the sending side only (FIN); the connection stays readable."""
        self._sock.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Close the connection with a reset (RST)."""
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._sock.close()

    def tunnel_to(self, origin: Origin) -> None:
        """Forward bytes both ways until one side closes, as a proxy does after CONNECT."""
        with socket.create_connection((origin.host, origin.port)) as other:
            sides = [(self._sock, other), (other, self._sock)]
            for sock, _ in sides:
                sock.settimeout(0.005)
            while all(_forward(source, target) for source, target in sides):
                pass

    def end_tls(self) -> None:
        """Say TLS's goodbye (close_notify) and close the connection, without waiting for theirs."""
        assert isinstance(self._sock, ssl.SSLSocket)
        self._sock.settimeout(0)
        with suppress(ssl.SSLWantReadError):
            self._sock.unwrap()
        self._sock.close()

    def _take(self, size: int) -> bytes:
        while len(self._unread) < size:
            data = self._sock.recv(262144)
            if not data:
                raise ConnectionResetError("the client closed the connection within a request")
            self._unread += data
        taken = bytes(self._unread[:size])
        del self._unread[:size]
        self._raw += taken
        return taken

    def _read_chunk(self) -> bytes:
        line = b""
        while not line.endswith(b"\r\n"):
            line += self._take(1)
        chunk = self._take(int(line, 16))
        assert self._take(2) == b"\r\n"
        return chunk


def _forward(source: socket.socket, target: socket.socket) -> bool:
    """Forward what there is; tell whether there may be more."""
    try:
        data = source.recv(65536)
    except TimeoutError:
        return True
    target.sendall(data)
    return bool(data)


Script = Callable[[Peer], object]


def response(body: bytes = b"", status: str = "200 OK", *headers: str) -> bytes:
    """Return a response with a ``Content-Length``."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def answering(*answers: bytes) -> Script:
    """Return a script that answers each request with the next of `answers`, the last for ever."""

    def script(peer: Peer) -> None:
        rest = iter(answers)
        answer = next(rest)
        while peer.read_request() is not None:
            peer.send(answer)
            answer = next(rest, answer)

    return script


class ScriptedServer:
    """Runs a script on each connection, on a port of its own.

    Args:
        *scripts: the first is played on the first connection, and so on; the last on all others.
        tls: how to speak TLS; None for plain HTTP.
        host: the address to listen on.

    Attributes:
        origin: where it listens.
        requests: every request that a script has read.
        connections: how many connections have been accepted.
        released: see `Peer.stall`.
        socks: every socket of the server's side.
        is_closing: whether it shuts them down.
    """

    def __init__(
        self, *scripts: Script, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
    ) -> None:
        self.requests: list[Received] = []
        self.connections = 0
        self.released = threading.Event()
        self._scripts = scripts
        self._tls = tls
        self._faults: list[BaseException] = []
        self.socks: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self.is_closing = False
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, 0), family=family, backlog=512)
        port = self._listener.getsockname()[1]
        self.origin = Origin("https" if tls else "http", host, port)

    def __enter__(self) -> ScriptedServer:
        self._spawn(self._accept)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_rest: object) -> None:
        self.is_closing = True
        self.released.set()
        with suppress(OSError):
            # Wakes the accepting thread, which close() alone does not.
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in self.socks:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(PATIENCE)
            assert not thread.is_alive(), "a script does not end"
        for sock in self.socks:
            sock.close()
        if self._faults and kind is None:
            raise self._faults[0]

    def _spawn(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                if self.is_closing:
                    sock.close()
                    return
                sock.settimeout(PATIENCE)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.socks.append(sock)
                number, self.connections = self.connections, self.connections + 1
                self._spawn(lambda sock=sock, number=number: self._play(sock, number))  # type: ignore[misc]

    def _play(self, sock: socket.socket, number: int) -> None:
        script = self._scripts[min(number, len(self._scripts) - 1)]
        peer = Peer(sock, number, self)
        try:
            if self._tls is not None:
                peer.start_tls(self._tls)
            script(peer)
        except OSError:
            pass  # the client, or the end of the test, broke the connection
        except BaseException as error:
            self._faults.append(error)
        finally:
            peer.close()


@contextmanager
def serving(*answers: bytes) -> Iterator[ScriptedServer]:
    """Run a server that gives these answers on every connection."""
    with ScriptedServer(answering(*answers)) as server:
        yield server


def chunked(pieces: Iterable[bytes], *headers: str, trailers: str = "") -> bytes:
    """Return a chunked response."""
    lines = ["HTTP/1.1 200 OK", "Transfer-Encoding: chunked", *headers, "", ""]
    body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return "\r\n".join(lines).encode() + body + b"0\r\n" + trailers.encode() + b"\r\n"
