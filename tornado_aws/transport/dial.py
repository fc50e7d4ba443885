"""Making a connection: name, TCP, the proxy's tunnel, TLS."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Sequence

from tornado_aws.transport import Origin, Timeouts, TransportOptions, addresses, errors
from tornado_aws.transport.descriptors import DescriptorTable
from tornado_aws.transport.http1 import ProtocolError, ResponseParser
from tornado_aws.transport.line import Line, SocketLine, TLSLine
from tornado_aws.transport.loops import Waiter
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
    """Makes connections with one set of options, on one loop.

    Attributes:
        resolver: finds the addresses of names.

    Args:
        options: how.
        loop: the loop.
        waiter: what waits for sockets there.
        buffer: where all connections receive into.
    """

    def __init__(
        self,
        options: TransportOptions,
        loop: asyncio.AbstractEventLoop,
        waiter: Waiter,
        buffer: memoryview,
    ) -> None:
        self.loop = loop
        self._options = options
        self._waiter = waiter
        self._buffer = buffer
        self._context: asyncio.Future[ssl.SSLContext] | None = None
        self._descriptors = DescriptorTable(loop)
        self.resolver = addresses.Resolver(loop)

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
        attempt = _Attempt(self, route, timeouts)
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
            self._context = self.loop.run_in_executor(
                None, load_context, self._options.verify, self._options.client_cert
            )
            self._context.add_done_callback(self._forget_failure)
        return await asyncio.shield(self._context)

    async def open(self, found: Sequence[addresses.AddressInfo]) -> SocketLine:
        """Return a TCP connection to one of some addresses."""
        sock = await addresses.connect(self._descriptors, found)
        try:
            _set_options(sock)
        except OSError:
            sock.close()
            raise
        return SocketLine(self._waiter, sock, self._buffer)

    def _forget_failure(self, made: asyncio.Future[ssl.SSLContext]) -> None:
        if made.cancelled() or made.exception() is not None:
            self._context = None


class _Attempt:
    """One attempt to connect; `stage` and `place` say for errors how far it has come."""

    def __init__(self, dialer: Dialer, route: Route, timeouts: Timeouts) -> None:
        self._dialer = dialer
        self._route = route
        self._timeouts = timeouts
        self._line: Line | None = None
        self.place = route.first_hop
        self.stage = "reading the certificates"

    async def run(self) -> Line:
        route = self._route
        if "https" in (route.first_hop.scheme, route.origin.scheme):
            # Before there is a connection, which need not wait for it then.
            await self._dialer.context()
        self.stage = "resolving the name"
        found = await self._dialer.resolver.resolve(route.first_hop.host, route.first_hop.port)
        self.stage = "the TCP connection"
        line: Line
        line = self._line = await self._dialer.open(found)
        if route.first_hop.scheme == "https":
            line = await self._secure(line, route.first_hop)
        if route.is_tunnel:
            await self._tunnel(line)
            line = await self._secure(line, route.origin)
        return line

    def abort(self) -> None:
        if self._line is not None:
            self._line.abort()

    async def _secure(self, line: Line, peer: Origin) -> Line:
        self.stage, self.place = "the TLS handshake", peer
        context = await self._dialer.context()
        secured = TLSLine(self._dialer.loop, line, context, peer.host)
        seconds = self._timeouts.tls
        bound = asyncio.timeout(seconds)
        try:
            async with bound:
                await secured.shake_hands()
        except TimeoutError as error:
            if bound.expired() and seconds is not None:
                raise errors.tls_timed_out(peer, seconds) from error
            raise
        return secured

    async def _tunnel(self, line: Line) -> None:
        self.stage = f"the proxy's tunnel to {errors.place(self._route.origin)}"
        answered: asyncio.Future[None] = self._dialer.loop.create_future()
        line.listen(_Tunnel(line.target, answered))
        line.write(self._route.tunnel_request())
        await answered


class _Tunnel:
    """Waits for a proxy's answer to CONNECT."""

    def __init__(self, buffer: memoryview, answered: asyncio.Future[None]) -> None:
        self._buffer = buffer
        self._answered = answered
        self._parser = ResponseParser("CONNECT")

    def bytes_received(self, nbytes: int) -> None:
        try:
            self._parser.feed(self._buffer[:nbytes])
        except ProtocolError as error:
            self._settle(error)
            return
        head = self._parser.head
        if head is not None:
            refusal = ConnectionRefusedError(f"the proxy answered {head.status} {head.reason}")
            self._settle(None if 200 <= head.status < 300 else refusal)

    def line_ended(self, cause: Exception | None) -> None:
        self._settle(cause or ConnectionResetError("the proxy closed the connection"))

    def line_drained(self) -> None:
        """Do nothing: the request for a tunnel is all that is written."""

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
