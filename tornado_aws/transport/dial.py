"""Making a connection: name, TCP, the proxy's tunnel, TLS."""

from __future__ import annotations

import asyncio
import socket
import ssl

from tornado_aws.transport import Origin, Timeouts, TransportOptions, addresses, errors
from tornado_aws.transport.connection import Line
from tornado_aws.transport.http1 import ProtocolError, ResponseParser
from tornado_aws.transport.proxies import Route
from tornado_aws.transport.tls import load_context

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

    async def connect(self, route: Route, timeouts: Timeouts) -> Line:
        """Make a connection along `route`.

        Args:
            route: where to go.
            timeouts: ``connect`` bounds the whole, ``tls`` each handshake.

        Raises:
            ConnectError: it failed; everything is closed.
            ConnectTimeout: it took too long; `TLSTimeout` when a handshake did.
            ConfigurationError: the TLS settings cannot be used.
        """
        attempt = _Attempt(self, route, timeouts, self._loop)
        seconds = timeouts.connect
        bound = asyncio.timeout(seconds)
        try:
            async with bound:
                return await attempt.run()
        except BaseException as error:
            attempt.abort()
            if bound.expired() and isinstance(error, TimeoutError) and seconds is not None:
                raise errors.connect_timed_out(route.first_hop, seconds, attempt.stage) from error
            # ValueError: Python cannot encode the name, or TLS not check it.
            if isinstance(error, OSError | ProtocolError | ValueError):
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

    def __init__(
        self, dialer: Dialer, route: Route, timeouts: Timeouts, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._dialer = dialer
        self._route = route
        self._timeouts = timeouts
        self._loop = loop
        self._tcp: asyncio.Transport | None = None
        self._early = _Early()
        self.place = route.first_hop
        self.stage = "the TCP connection"

    async def run(self) -> Line:
        route = self._route
        if "https" in (route.first_hop.scheme, route.origin.scheme):
            # Before there is a connection: what a peer says before TLS would be lost.
            await self._dialer.context()
        tcp = transport = await self._open(route.first_hop)
        if route.first_hop.scheme == "https":
            transport = await self._secure(transport, route.first_hop)
        if route.is_tunnel:
            await self._tunnel(transport)
            transport = await self._secure(transport, route.origin)
        if transport.is_closing():
            raise ConnectionResetError("the peer closed the connection")
        return Line(transport, tcp)

    def abort(self) -> None:
        if self._tcp is not None:
            self._tcp.abort()

    async def _open(self, hop: Origin) -> asyncio.Transport:
        sock = await addresses.connect(self._loop, hop.host, hop.port)
        _set_options(sock)
        try:
            self._tcp, self._early = await self._loop.create_connection(_Early, sock=sock)
        except BaseException:
            sock.close()
            raise
        return self._tcp

    async def _secure(self, transport: asyncio.Transport, peer: Origin) -> asyncio.Transport:
        self.stage, self.place = "the TLS handshake", peer
        context = await self._dialer.context()
        if self._early.has_spoken:
            raise ConnectionAbortedError("the peer spoke first, which is not TLS")
        secured = await self._handshake(transport, peer, context)
        if secured is None:
            raise ConnectionResetError("the peer closed the connection")
        return secured

    async def _handshake(
        self, transport: asyncio.Transport, peer: Origin, context: ssl.SSLContext
    ) -> asyncio.Transport | None:
        seconds = self._timeouts.tls
        # asyncio has a bound of its own, 60 s or what it is told: it must not be the first.
        known = [given for given in (seconds, self._timeouts.connect) if given is not None]
        latest = min(known) + 1 if known else None
        bound = asyncio.timeout(seconds)
        try:
            async with bound:
                return await self._loop.start_tls(
                    transport,
                    asyncio.Protocol(),
                    context,
                    server_hostname=peer.host,
                    ssl_handshake_timeout=latest,
                )
        except TimeoutError as error:
            if bound.expired() and seconds is not None:
                raise errors.tls_timed_out(peer, seconds) from error
            raise

    async def _tunnel(self, transport: asyncio.Transport) -> None:
        self.stage = "the proxy's tunnel"
        answered: asyncio.Future[None] = self._loop.create_future()
        transport.set_protocol(_Tunnel(answered))
        transport.write(self._route.tunnel_request())
        await answered


class _Early(asyncio.Protocol):
    """Notes what comes before anything was asked."""

    has_spoken = False

    def data_received(self, data: bytes) -> None:
        self.has_spoken = True


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
