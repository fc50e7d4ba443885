"""What the client and the transport engines say to each other: bytes out, bytes in.

An engine sends one `Request` and gives one `Response`; it knows nothing of AWS. Two engines exist:

* `tornado_aws.transport.pool`: kept HTTP/1.1 connections on the running asyncio loop (the default);
* `tornado_aws.transport.curl`: libcurl through pycurl (``use_curl=True``).

Rules that both keep:

* the bytes on the wire are the bytes that were signed: method, target and header values are sent
  as given; nothing is normalised, redirected or decompressed;
* the engine owns the framing: it adds ``Content-Length`` or ``Transfer-Encoding`` (unless the
  caller gives ``Content-Length`` itself, which then must be right) and nothing else;
* CR, LF and NUL in a method, target or header are refused before anything is sent;
* every failure is a `RequestException` that says whether the request can have reached the server;
* cancelling `Transport.send` frees or closes the connection at once.
"""

# Annotations are not postponed here: `typing` would compile the text of each field, 20 us a field.

from collections.abc import AsyncIterable, Mapping
from typing import NamedTuple, Protocol

from tornado_aws.transport.fields import Fields, Headers, by_name, fields_of, pairs_of

__all__ = [
    "BodyStream",
    "Fields",
    "Headers",
    "Origin",
    "PoolStats",
    "Request",
    "Response",
    "Timeouts",
    "Transport",
    "TransportOptions",
]


class Origin(NamedTuple):
    """Where a request goes.

    Attributes:
        scheme: ``http`` or ``https``.
        host: a name or an address, ASCII, IPv6 addresses without brackets.
        port: the TCP port.
    """

    scheme: str
    host: str
    port: int


class Timeouts(NamedTuple):
    """Bounds of one attempt, in seconds; None means no bound.

    Attributes:
        connect: name resolution, TCP and TLS (and a proxy's answer) together.
        read: the longest silence while sending or receiving.
        request: the whole attempt, waiting for a connection included, reading a stream excluded.
        pool: waiting for a free connection.
        tls: a TLS handshake, which `connect` bounds together with what precedes it.
    """

    connect: float | None = 10.0
    read: float | None = 60.0
    request: float | None = None
    pool: float | None = None
    tls: float | None = None


class TransportOptions(NamedTuple):
    """What an engine is made with; equal options may share one engine.

    Attributes:
        max_clients: the most connections open at once.
        verify: check certificates (True), check them against this CA file or folder (a path), or
            not at all (False).
        client_cert: a file with certificate and key, or (certificate file, key file).
        proxy: URL of a proxy for every request; "" for none; None to take ``HTTP_PROXY``,
            ``HTTPS_PROXY`` and ``NO_PROXY`` from `environ_proxies`.
        environ_proxies: the proxy variables of the environment as sorted pairs, names lower case.
        max_response_size: the longest buffered body in bytes; None for no limit.
    """

    max_clients: int = 100
    verify: bool | str = True
    client_cert: str | tuple[str, str] | None = None
    proxy: str | None = None
    environ_proxies: tuple[tuple[str, str], ...] = ()
    max_response_size: int | None = None


class Request:
    """One HTTP request, ready to be sent.

    Attributes:
        origin: where it goes.
        method: the HTTP method.
        target: path and query exactly as signed, percent-encoded ASCII.
        fields: the header lines in the order in which they are sent; ``Host`` included.
        body: all bytes, or an asynchronous iterable of chunks; None for no body. An iterable whose
            ``is_lent`` is true may use a chunk's memory again when it gives the next one.
        content_length: length of an iterable body in bytes; None sends it chunked.
        stream: whether the response body is wanted as a stream; error responses (status >= 300)
            are buffered all the same.
        expect_continue: wait for ``100 Continue`` (at most a second) before sending the body.
        may_resend: whether the engine may send it again by itself when a kept connection breaks
            before the first byte of a response. The peer has hardly seen it then, but that is not
            certain: who counts attempts says False. libcurl cannot be kept from it without a body.
        is_duplex: whether the response begins while the body is being sent, and both go on side by
            side; that needs HTTP/2, which the default engine does not speak.
        received: how many bytes of a response had come when `Transport.send` was cancelled; the
            engine tells.

    Raises:
        RequestException: a header cannot be sent as it is.
    """

    __slots__ = (
        "body",
        "content_length",
        "expect_continue",
        "fields",
        "is_duplex",
        "may_resend",
        "method",
        "origin",
        "received",
        "stream",
        "target",
    )

    def __init__(
        self,
        origin: Origin,
        method: str,
        target: str,
        headers: Fields | Headers,
        body: bytes | AsyncIterable[bytes | memoryview] | None = None,
        *,
        content_length: int | None = None,
        stream: bool = False,
        expect_continue: bool = False,
        may_resend: bool = True,
        is_duplex: bool = False,
    ) -> None:
        self.origin = origin
        self.method = method
        self.target = target
        self.fields = headers if isinstance(headers, tuple) else fields_of(headers)
        self.body = body
        self.content_length = content_length
        self.stream = stream
        self.expect_continue = expect_continue
        self.may_resend = may_resend
        self.is_duplex = is_duplex
        self.received = 0

    @property
    def headers(self) -> Headers:
        """The headers as (name, value) pairs."""
        return pairs_of(self.fields)


class BodyStream(Protocol):
    """A response body that is still arriving."""

    async def read_chunk(self) -> bytes:
        """Return the next bytes as they come, b"" at the end.

        Raises:
            ReadError: the connection broke or the body is malformed.
            ReadTimeout: nothing came for the read timeout.
        """
        ...

    def close(self) -> None:
        """Drop the rest; the connection is reused only when the body was read to its end."""


class Response:
    """One HTTP response.

    Attributes:
        status: the status code.
        reason: the reason phrase, possibly "".
        raw_headers: (name, value) pairs as received, in order; values decoded as Latin-1 or UTF-8.
        headers: values by lower-case name; repeated headers are joined with a comma and a space.
        body: the whole body, b"" when it is streamed.
        stream: the body when it was asked for as a stream, else None.
    """

    __slots__ = ("body", "headers", "raw_headers", "reason", "status", "stream")

    def __init__(
        self,
        status: int,
        reason: str,
        raw_headers: Headers,
        body: bytes = b"",
        stream: BodyStream | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.status = status
        self.reason = reason
        self.raw_headers = raw_headers
        self.body = body
        self.stream = stream
        self.headers = by_name(raw_headers) if headers is None else headers

    def __repr__(self) -> str:
        return f"<Response {self.status}, {len(self.body)} bytes>"


class PoolStats(NamedTuple):
    """Connections and callers of an engine at one moment.

    Attributes:
        open: connections open, busy or idle.
        idle: connections kept and free.
        waiting: callers waiting for a connection.
        created: connections made since the engine was; with libcurl, failed attempts too.
        requests: requests sent since the engine was made.
    """

    open: int
    idle: int
    waiting: int
    created: int
    requests: int


class Transport(Protocol):
    """A way to the network."""

    async def send(self, request: Request, timeouts: Timeouts) -> Response:
        """Send `request` and return its response, whatever its status.

        Raises:
            RequestException: no complete response came; the subclass says why.
        """
        ...

    def close(self) -> None:
        """Close every connection; calls under way end with `ClientClosedError`. Idempotent."""

    def stats(self) -> PoolStats:
        """Count connections and callers."""
        ...
