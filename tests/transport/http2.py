"""The server's side of an HTTP/2 connection, for scripts of `tests.transport.server`.

::

    def script(peer):
        http2 = Http2Peer(peer)
        for request in http2.requests():
            http2.answer(request.id, b"ok")

    with ScriptedServer(script, tls=http2_context(certificates)) as server:
        ...
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from typing import NamedTuple

import h2.config
import h2.connection
import h2.events

from tests.transport.certificates import Certificates
from tests.transport.server import Peer


def http2_context(certificates: Certificates) -> ssl.SSLContext:
    """Return a context that agrees on HTTP/2 with clients who offer it."""
    context = certificates.server_context()
    context.set_alpn_protocols(["h2", "http/1.1"])
    return context


class Stream(NamedTuple):
    """A request as it arrived.

    Attributes:
        id: the stream's number.
        headers: pseudo headers included, in order.
        body: all of its data.
    """

    id: int
    headers: list[tuple[str, str]]
    body: bytes


class Http2Peer:
    """The server's side of one HTTP/2 connection.

    Attributes:
        connection: h2's state of it.
    """

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        config = h2.config.H2Configuration(client_side=False, header_encoding="utf-8")
        self.connection = h2.connection.H2Connection(config)
        self.connection.initiate_connection()
        self.flush()

    def events(self) -> Iterator[h2.events.Event]:
        """Give what the client does, until it closes the connection."""
        while data := self._peer._sock.recv(65536):
            for event in self.connection.receive_data(data):
                if isinstance(event, h2.events.DataReceived):
                    size = event.flow_controlled_length or 0
                    self.connection.acknowledge_received_data(size, event.stream_id or 0)
                yield event
            self.flush()

    def requests(self) -> Iterator[Stream]:
        """Give each request when it is whole."""
        heads: dict[int, list[tuple[str, str]]] = {}
        bodies: dict[int, bytes] = {}
        for event in self.events():
            if isinstance(event, h2.events.RequestReceived):
                number = event.stream_id or 0
                heads[number] = [(str(name), str(value)) for name, value in event.headers or ()]
                bodies[number] = b""
            elif isinstance(event, h2.events.DataReceived):
                bodies[event.stream_id or 0] += event.data or b""
            elif isinstance(event, h2.events.StreamEnded):
                number = event.stream_id or 0
                yield Stream(number, heads[number], bodies[number])

    def answer(self, number: int, body: bytes, *headers: tuple[str, str]) -> None:
        """Answer a request whole."""
        self.connection.send_headers(number, [(":status", "200"), *headers])
        self.connection.send_data(number, body, end_stream=True)
        self.flush()

    def flush(self) -> None:
        """Send what the state machine has to say."""
        self._peer.send(self.connection.data_to_send())
