"""Bare sockets on the running loop: what any client pays at least, in the clear and over TLS.

A request is ready bytes, and of the answer only the end of its head is looked for: there is no
queue, no deadline and no check of anything. Bodies are received into memory of their own length.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import Any

_BUFFER = 262144


class BareSockets:
    """Connections to one server, which sends answers of one known length.

    Args:
        host: the server's address.
        port: its port.
        count: how many connections, all made at once.
        size: the length of an answer's body in bytes.
        wire: the request.
        ca: a file with the server's certificate for TLS, None for none.
    """

    def __init__(
        self, host: str, port: int, count: int, size: int, wire: bytes, ca: str | None
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._size = size
        self._wire = wire
        self._view = memoryview(bytearray(_BUFFER))
        self._idle = [_Exchange(_connected(host, port, ca)) for _ in range(count)]
        for exchange in self._idle:
            self._loop.add_reader(exchange.sock.fileno(), self._readable, exchange)

    async def call(self) -> memoryview:
        """Send the request and return the answer's body."""
        exchange = self._idle.pop()
        exchange.answer = self._loop.create_future()
        exchange.sock.send(self._wire)
        try:
            return await exchange.answer
        finally:
            self._idle.append(exchange)

    def close(self) -> None:
        """Close the connections; no call is under way."""
        for exchange in self._idle:
            self._loop.remove_reader(exchange.sock.fileno())
            exchange.sock.close()

    def _readable(self, exchange: _Exchange) -> None:
        try:
            if exchange.body is None:
                self._begin(exchange, exchange.sock.recv_into(self._view))
            else:
                exchange.filled += exchange.sock.recv_into(exchange.body[exchange.filled :])
        except (BlockingIOError, ssl.SSLWantReadError):
            return
        if exchange.body is not None and exchange.filled == self._size:
            exchange.answer.set_result(exchange.body)
            exchange.body = None

    def _begin(self, exchange: _Exchange, nbytes: int) -> None:
        start = bytes(self._view[:8192]).index(b"\r\n\r\n") + 4
        exchange.body = memoryview(bytearray(self._size))
        exchange.filled = nbytes - start
        exchange.body[: exchange.filled] = self._view[start:nbytes]


class _Exchange:
    """A connection, and where its answer stands."""

    answer: asyncio.Future[memoryview]
    body: memoryview | None = None
    filled = 0

    def __init__(self, sock: Any) -> None:
        self.sock = sock


def _connected(host: str, port: int, ca: str | None) -> socket.socket:
    sock = socket.create_connection((host, port))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if ca is not None:
        sock = ssl.create_default_context(cafile=ca).wrap_socket(sock, server_hostname=host)
    sock.setblocking(False)
    return sock
