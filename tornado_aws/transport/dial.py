"""Making a connection: name, TCP, the proxy's tunnel, TLS."""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import cast

from tornado_aws.exceptions import ConnectError
from tornado_aws.transport import Origin, TransportOptions, errors
from tornado_aws.transport.connection import Connection
from tornado_aws.transport.http1 import ProtocolError, ResponseParser
from tornado_aws.transport.proxies import Route, authority
from tornado_aws.transport.tls import load_context

# RFC 8305 section 5 recommends 250 ms before the next address is tried beside the first.
HAPPY_EYEBALLS_DELAY = 0.25

# Probes begin well before NAT gateways and network load balancers forget a silent connection
# (350 s), so that an answer that takes minutes (a long Lambda invocation) still finds its way.
_KEEPALIVE = (
    ("TCP_KEEPIDLE", 60),
    ("TCP_KEEPALIVE", 60),
    ("TCP_KEEPINTVL", 30),
    ("TCP_KEEPCNT", 4),
)


class Dialer:
    """Makes connections with one set of options, on one loop."""

    def __init__(self, options: TransportOptions, loop: asyncio.AbstractEventLoop) -> None:
        self._options = options
        self._loop = loop
        self._context: asyncio.Future[ssl.SSLContext] | None = None

    async def connect(self, connection: Connection, route: Route, seconds: float | None) -> None:
        """Connect `connection` along `route`.

        Args:
            connection: the protocol to attach.
            route: where to go.
            seconds: bound of the whole; None for none.

        Raises:
            ConnectError: it failed; everything is closed.
            ConnectTimeout: it took longer than `seconds`.
            ConfigurationError: the TLS settings cannot be used.
        """
        attempt = _Attempt(self, connection, route)
        try:
            async with asyncio.timeout(seconds) as bound:
                await attempt.run(self._loop)
        except BaseException as error:
            attempt.abort()
            if isinstance(error, TimeoutError) and bound.expired() and seconds is not None:
                raise errors.connect_timed_out(route.first_hop, seconds, attempt.stage) from error
            if isinstance(error, OSError | ProtocolError):
                raise errors.connect_failed(attempt.place, error, attempt.stage) from error
            raise

    async def context(self) -> ssl.SSLContext:
        """Return the TLS context, made in a thread at first use, once for all who wait for it."""
        if self._context is None:
            self._context = self._loop.run_in_executor(
                None, load_context, self._options.verify, self._options.client_cert
            )
            self._context.add_done_callback(self._forget_failure)
        return await asyncio.shield(self._context)

    def _forget_failure(self, made: asyncio.Future[ssl.SSLContext]) -> None:
        if made.cancelled() or made.exception() is not None:
            self._context = None


class _Attempt:
    """One attempt to connect; `stage` and `place` say for errors how far it has come."""

    def __init__(self, dialer: Dialer, connection: Connection, route: Route) -> None:
        self._dialer = dialer
        self._connection = connection
        self._route = route
        self._tcp: asyncio.Transport | None = None
        self.place = route.first_hop
        self.stage = "the TCP connection"

    async def run(self, loop: asyncio.AbstractEventLoop) -> None:
        route = self._route
        transport = await self._open(loop, route.first_hop)
        if route.proxy is not None and route.proxy.origin.scheme == "https":
            transport = await self._secure(loop, transport, route.proxy.origin)
        if route.proxy is not None and not route.prefix:
            await self._tunnel(loop, transport)
        if not route.prefix and route.origin.scheme == "https":
            transport = await self._secure(loop, transport, route.origin)
        transport.set_protocol(self._connection)
        assert self._tcp is not None
        self._connection.attach(transport, self._tcp)

    async def _open(self, loop: asyncio.AbstractEventLoop, hop: Origin) -> asyncio.Transport:
        # uvloop has no such argument and tries one address after the other.
        delay = HAPPY_EYEBALLS_DELAY if isinstance(loop, asyncio.BaseEventLoop) else None
        options = {} if delay is None else {"happy_eyeballs_delay": delay}
        transport, _ = await loop.create_connection(
            asyncio.Protocol, hop.host, hop.port, **options  # type: ignore[arg-type]
        )
        self._tcp = transport
        _set_options(transport.get_extra_info("socket"))
        return transport

    async def _secure(
        self, loop: asyncio.AbstractEventLoop, transport: asyncio.Transport, peer: Origin
    ) -> asyncio.Transport:
        self.stage, self.place = "the TLS handshake", peer
        context = await self._dialer.context()
        secured = await loop.start_tls(
            transport, self._connection, context, server_hostname=peer.host
        )
        return cast(asyncio.Transport, secured)

    async def _tunnel(self, loop: asyncio.AbstractEventLoop, transport: asyncio.Transport) -> None:
        self.stage = "the proxy's tunnel"
        proxy = self._route.proxy
        assert proxy is not None
        answered: asyncio.Future[None] = loop.create_future()
        transport.set_protocol(_Tunnel(answered))
        target = authority(self._route.origin)
        lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
        lines += [f"{name}: {value}" for name, value in proxy.headers]
        transport.write("\r\n".join([*lines, "", ""]).encode())
        await answered

    def abort(self) -> None:
        if self._tcp is not None:
            self._tcp.abort()


class _Tunnel(asyncio.Protocol):
    """Waits for a proxy's answer to CONNECT."""

    def __init__(self, answered: asyncio.Future[None]) -> None:
        self._answered = answered
        self._parser = ResponseParser("CONNECT")

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed(memoryview(data))
        except ProtocolError as error:
            self._settle(error)
            return
        head = self._parser.head
        if head is not None:
            refusal = ConnectionRefusedError(f"the proxy answered {head.status} {head.reason}")
            self._settle(None if 200 <= head.status < 300 else refusal)

    def connection_lost(self, exc: Exception | None) -> None:
        self._settle(exc or ConnectionResetError("the proxy closed the connection"))

    def _settle(self, error: Exception | None) -> None:
        if self._answered.done():
            return
        if error is None:
            self._answered.set_result(None)
        else:
            self._answered.set_exception(error)


def _set_options(sock: socket.socket) -> None:
    """Send small requests at once, and notice a peer that has vanished."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE:
        option = getattr(socket, name, None)
        if option is not None:
            sock.setsockopt(socket.IPPROTO_TCP, option, value)
