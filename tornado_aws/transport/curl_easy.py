"""One libcurl easy handle: set up once, given a request, asked for its response.

What never changes is set when the handle is made; what may differ is set when it differs from what
the handle was last given. Nothing is ever reset: resetting and setting 25 options again was the
largest part of what a request through Tornado's curl client cost.

libcurl is kept from adding, changing or following anything: the lines of the head are those of
`tornado_aws.transport.http1.request_head`, for both engines the same.
"""

from __future__ import annotations

from asyncio import Future, Task
from collections.abc import AsyncIterable, Callable
from typing import Any

import pycurl

from tornado_aws.exceptions import RequestException
from tornado_aws.transport import Request, Response, Timeouts
from tornado_aws.transport.curl_body import Inbox, SingleUse, Upload
from tornado_aws.transport.curl_errors import Progress
from tornado_aws.transport.curl_head import Heads
from tornado_aws.transport.curl_options import http_version
from tornado_aws.transport.curl_sockets import is_connected
from tornado_aws.transport.http1 import (
    Head,
    ProtocolError,
    body_framing,
    framing_lines,
    request_line,
)
from tornado_aws.transport.proxies import Route, authority

# libcurl takes 0 for "my default", which is 300 s; this is its longest time, 24 days.
_NO_TIMEOUT_MS = 2**31 - 1

# Lines by which libcurl is told not to send what it would send of its own accord. The one for the
# host comes first: libcurl then leaves the caller's as it is, and where it is.
_NO_HOST = b"Host:"
_UNASKED = [b"Accept:", b"Content-Type:", b"Expect:", b"Proxy-Connection:"]

# Lines that libcurl must find by themselves: it does something else when they are there.
_HEEDED = frozenset({"content-length", "expect", "transfer-encoding"})

_METHODS_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})

# Silence is measured by looking at counters now and then, often enough to be a quarter late.
_LOOKS_PER_BOUND = 4

# libcurl takes heads whose lines end with LF alone; they are refused where they end.
_EMPTY_LINES = frozenset({b"\r\n", b"\n"})

# A body longer than this is not kept until the handle's next request.
_SMALL_BODY = 65536

NEVER = float("inf")


def header_lines(request: Request, route: Route) -> list[bytes]:
    """Return the header lines of `request` as libcurl wants them.

    Raises:
        RequestException: the request cannot be sent as it is.
    """
    if request.method == "HEAD" and request.body:
        raise RequestException(
            "The request was not sent: libcurl sends no body with HEAD",
            error="refused: a body with HEAD",
            sent=False,
        )
    request_line(request, route.prefix)
    text, names = request.fields
    has_value = bool(text.partition("\r\n")[0].partition(":")[2].strip())
    if has_value and not request.is_duplex and names.isdisjoint(_HEEDED):
        # libcurl looks at the first line of an item and sends it as it is given, line ends within
        # included. To give it all lines as one takes 7 % off a whole request with six.
        lines = [text[:-2].encode()]
    else:
        lines = [_keep_empty(line) for line in text.encode().split(b"\r\n")[:-1]]
    added = f"{framing_lines(request)}{route.header_lines}"
    if added:
        lines += added[:-2].encode().split(b"\r\n")
    return [_NO_HOST, *lines, *_UNASKED]


def _keep_empty(line: bytes) -> bytes:
    """Return a line without a value in the form by which libcurl does not drop it."""
    name, _, value = line.partition(b":")
    return line if value.strip() else name + b";"


class Handle:
    """An easy handle and the request it carries.

    Attributes:
        curl: the easy handle.
        waiter: settled with the response or an error; None once it was.
        request: what it carries.
        route: how it travels.
        timeouts: the bounds of the request.
        look_every: after how many seconds its bounds must be looked at again; infinity for never.
        expires: when the whole attempt must have ended, on the loop's clock.
        has_begun: whether libcurl was given it.
        upload: the body that is being sent, when it comes from an iterable.
        feed: the task that moves it from the iterable.
        inbox: the body that is being received, when it is wanted as a stream.
        failure: why a callback made libcurl give up.
    """

    __slots__ = (
        "_body_mode",
        "_chunks",
        "_connect_ms",
        "_connected_at",
        "_heads",
        "_last_count",
        "_max_size",
        "_method",
        "_moved_at",
        "_on_socket",
        "_on_stream",
        "_opened",
        "_plain",
        "_size",
        "_target",
        "_version",
        "curl",
        "expires",
        "failure",
        "feed",
        "has_begun",
        "inbox",
        "look_every",
        "request",
        "route",
        "timeouts",
        "upload",
        "waiter",
    )

    def __init__(
        self,
        fixed: list[tuple[int, Any]],
        on_socket: Callable[[int, int], int],
        max_size: int | None,
    ) -> None:
        self.curl = curl = pycurl.Curl()
        for option, value in fixed:
            curl.setopt(option, value)
        curl.setopt(pycurl.SOCKOPTFUNCTION, self._take_socket)
        self._on_socket = on_socket
        self._opened: list[int] = []
        self._max_size = max_size
        self._heads = Heads()
        self._chunks: list[bytes] = []
        self._size = 0
        self._plain = False
        self.route: Route | None = None
        self._target = self._method = self._body_mode = ""
        self._connect_ms = self._version = 0
        self._on_stream: Callable[[Handle, Head], None] | None = None
        self.upload: Upload | None = None
        self.feed: Task[None] | None = None
        self.inbox: Inbox | None = None
        self.failure: Exception | None = None
        self.waiter: Future[Response] | None = None
        self.request: Request
        self.timeouts: Timeouts
        self.look_every = self.expires = NEVER
        self.has_begun = False
        self._connected_at = self._moved_at = 0.0
        self._last_count = 0
        self._set_timeouts(Timeouts())

    # --- the request -----------------------------------------------------------------------

    def prepare(
        self,
        request: Request,
        lines: list[bytes],
        route: Route,
        timeouts: Timeouts,
        on_stream: Callable[[Handle, Head], None],
    ) -> None:
        """Set everything that differs from the handle's last request.

        Args:
            request: what to send.
            lines: its header lines.
            route: where it goes.
            timeouts: its bounds.
            on_stream: called within libcurl with the head of a response that is to be streamed; it
                gives the handle its `inbox`.
        """
        curl = self.curl
        self.request = request
        if timeouts is not self.timeouts:
            self._set_timeouts(timeouts)
        self._on_stream = on_stream
        if route is not self.route:
            self._set_route(route)
        target = route.prefix + request.target
        if target != self._target:
            curl.setopt(pycurl.REQUEST_TARGET, target)
            self._target = target
        if request.method != self._method:
            curl.setopt(pycurl.CUSTOMREQUEST, request.method)
            self._method = request.method
        version = http_version(route.origin, is_duplex=request.is_duplex)
        if version != self._version:
            curl.setopt(pycurl.HTTP_VERSION, version)
            curl.setopt(pycurl.FRESH_CONNECT, request.is_duplex)  # no kept one of HTTP/1.1
            self._version = version
        curl.setopt(pycurl.HTTPHEADER, lines)
        self._set_body(request)
        self._set_sinks(plain=not request.stream and self._max_size is None)

    def _set_timeouts(self, timeouts: Timeouts) -> None:
        self.timeouts = timeouts
        bounds = [bound for bound in (timeouts.read, timeouts.tls) if bound is not None]
        self.look_every = min(bounds, default=NEVER) / _LOOKS_PER_BOUND
        connect = timeouts.connect
        connect_ms = _NO_TIMEOUT_MS if connect is None else max(1, round(connect * 1000))
        if connect_ms != self._connect_ms:
            self.curl.setopt(pycurl.CONNECTTIMEOUT_MS, connect_ms)
            self._connect_ms = connect_ms

    def _set_route(self, route: Route) -> None:
        curl, proxy = self.curl, route.proxy
        curl.setopt(pycurl.URL, f"{route.origin.scheme}://{authority(route.origin)}/")
        if proxy is None:
            curl.setopt(pycurl.PROXY, "")
            curl.setopt(pycurl.FORBID_REUSE, 0)
        else:
            # libcurl never uses again a connection to a proxy under TLS that is no tunnel.
            is_spent = proxy.origin.scheme == "https" and not route.is_tunnel
            curl.setopt(pycurl.FORBID_REUSE, is_spent)
            curl.setopt(pycurl.PROXY, f"{proxy.origin.scheme}://{authority(proxy.origin)}")
            # In absolute form the proxy reads the request's own headers, which have it already.
            lines = proxy.header_lines.splitlines() if route.is_tunnel else []
            curl.setopt(pycurl.PROXYHEADER, [*lines, "Proxy-Connection:"])
        self.route = route

    def _set_body(self, request: Request) -> None:
        body = request.body
        if (body is None or body == b"") and request.method not in _METHODS_WITH_BODY:
            self._set_body_mode("head" if request.method == "HEAD" else "none")
        elif isinstance(body, bytes) and body and not request.may_resend:
            self._set_body_mode("upload")
            self._set_reader(SingleUse(body), len(body))
        elif body is None or isinstance(body, bytes):
            self._set_body_mode("bytes")
            self.curl.setopt(pycurl.POSTFIELDS, body or b"")
        else:
            self._set_upload(body, request.content_length)

    def _set_upload(self, body: AsyncIterable[bytes | memoryview], length: int | None) -> None:
        self.upload = Upload(body, length, self.resume)
        self._set_body_mode("upload")
        self._set_reader(self.upload, -1 if length is None else length)

    def _set_reader(self, body: Upload | SingleUse, length: int) -> None:
        self.curl.setopt(pycurl.READFUNCTION, body.read)
        self.curl.setopt(pycurl.SEEKFUNCTION, body.rewind)
        self.curl.setopt(pycurl.INFILESIZE_LARGE, length)

    def _set_body_mode(self, mode: str) -> None:
        if mode == self._body_mode:
            return
        # Each of these undoes the others in libcurl itself, but UPLOAD.
        option = {
            "none": pycurl.HTTPGET,
            "head": pycurl.NOBODY,
            "bytes": pycurl.POST,
            "upload": pycurl.UPLOAD,
        }[mode]
        if self._body_mode == "upload":
            self.curl.setopt(pycurl.UPLOAD, 0)
        self.curl.setopt(option, 1)
        self._body_mode = mode

    # --- the response ----------------------------------------------------------------------

    def _set_sinks(self, *, plain: bool) -> None:
        """Choose what libcurl calls with what comes: most responses need no function of ours."""
        if plain and not self._plain:
            self.curl.setopt(pycurl.HEADERFUNCTION, self._heads.lines.append)
            self.curl.setopt(pycurl.WRITEFUNCTION, self._chunks.append)
        elif not plain:
            self.curl.setopt(pycurl.HEADERFUNCTION, self._take_line)
            self.curl.setopt(pycurl.WRITEFUNCTION, self._take_chunk)
        self._plain = plain

    def _take_line(self, line: bytes) -> int | None:
        self._heads.lines.append(line)
        if line not in _EMPTY_LINES or self.inbox is not None or not self.request.stream:
            return None
        try:
            head = self._final_head()
        except ProtocolError as error:
            self.failure = error
            return -1
        if head is not None and head.status < 300 and self._on_stream is not None:
            self._on_stream(self, head)
        return None

    def _take_chunk(self, data: bytes) -> int | None:
        if self.inbox is not None:
            return self.inbox.write(data)
        self._size += len(data)
        if self._max_size is not None and self._size > self._max_size:
            self.failure = BodyTooLargeError(self._max_size)
            return -1
        self._chunks.append(data)
        return None

    def response(self) -> Response:
        """Return the response that has come.

        Raises:
            ProtocolError: its head is not acceptable.
        """
        head = self._final_head()
        if head is None:
            raise ProtocolError("only interim responses have come")
        body = b"".join(self._chunks)
        return Response(head.status, head.reason, head.pairs, body, headers=head.headers)

    def _final_head(self) -> Head | None:
        head = self._heads.final(is_http2=self.request.is_duplex)
        if head is not None:
            body_framing(self.request.method, head)
        return head

    # --- where it stands -------------------------------------------------------------------

    def resume(self) -> None:
        """Go on with what a callback paused."""
        if self.upload is not None or self.inbox is not None:
            self.curl.pause(pycurl.PAUSE_CONT)

    @property
    def received(self) -> int:
        """How many bytes of a response have come."""
        return self._count(pycurl.HEADER_SIZE, pycurl.SIZE_DOWNLOAD_T)

    @property
    def is_sent(self) -> bool:
        """Whether a connection was ready and any byte of the request was written.

        Under TLS libcurl writes up to 64 KiB before it counts them: a part of a request, never all
        of it, may have been sent when it breaks off there.
        """
        return self._count(pycurl.REQUEST_SIZE) > 0

    @property
    def is_wanted(self) -> bool:
        """Whether somebody waits for a response that has not begun."""
        return self.waiter is not None and not self.waiter.done()

    def is_untouched(self, code: int) -> bool:
        """Tell whether the transfer ended because a kept connection was dead from the beginning.

        libcurl would go on by itself, but not with a body that it cannot read again.
        """
        in_memory = isinstance(self.request.body, bytes)
        could = code == pycurl.E_SEND_FAIL_REWIND and in_memory
        return could and self.is_wanted and not self.is_sent

    def rearm(self, now: float) -> None:
        """Make the request ready to begin again, as nothing of it has been sent."""
        self._set_body(self.request)
        self.begin_watch(now)

    @property
    def progress(self) -> Progress:
        """How far it has come."""
        return Progress(
            self.is_sent,
            self.received,
            self.curl.getinfo(pycurl.NAMELOOKUP_TIME) > 0,
            self.curl.getinfo(pycurl.CONNECT_TIME) > 0,
            self.has_tunnel,
        )

    @property
    def has_tunnel(self) -> bool:
        """Whether a connection was made for it through a tunnel, which the proxy has opened."""
        return self._count(pycurl.HTTP_CONNECTCODE) // 100 == 2

    @property
    def _awaits_tunnel(self) -> bool:
        """Whether there is no TLS yet for want of a tunnel."""
        way = self.route
        if way is None or not way.is_tunnel or way.first_hop.scheme == "https":
            return False
        return not self.has_tunnel

    @property
    def socket(self) -> int:
        """The descriptor of the connection it was on, -1 for none."""
        fd: int = self.curl.getinfo(pycurl.LASTSOCKET) if self.has_begun else -1
        return fd

    def is_streaming_on(self, fd: int) -> bool:
        """Whether its response is being streamed from this socket."""
        return self.inbox is not None and self.socket == fd

    def begin_watch(self, now: float) -> None:
        """Note that the request begins at `now`."""
        self.has_begun = True
        self._connected_at = self._moved_at = now
        self._last_count = 0
        self._opened.clear()

    def _take_socket(self, fd: int, purpose: int) -> int:
        self._opened.append(fd)
        return self._on_socket(fd, purpose)

    def handshake(self, now: float) -> float:
        """Return for how many seconds there has been a TCP connection without a request on it.

        libcurl tells of a handshake when it is over only, so that the sockets are asked. A proxy's
        tunnel is none of it, but for that of a proxy under TLS, which cannot be told apart.
        """
        is_connecting = any(map(is_connected, self._opened)) and not self._awaits_tunnel
        if self.is_sent or not is_connecting:
            self._connected_at = now
        return now - self._connected_at

    def silence(self, now: float) -> float:
        """Return for how many seconds the peer has been silent, to about a quarter of a bound.

        Connecting, and waiting for the caller's side of a stream, are no silence of the peer.
        """
        count = self._count(
            pycurl.HEADER_SIZE, pycurl.SIZE_DOWNLOAD_T, pycurl.REQUEST_SIZE, pycurl.SIZE_UPLOAD_T
        )
        if count != self._last_count or self._waits_for_caller or not self.is_sent:
            self._last_count = count
            self._moved_at = now
        listening = self.inbox.awaited_since if self.inbox is not None else None
        return now - max(self._moved_at, listening or 0.0)

    @property
    def _waits_for_caller(self) -> bool:
        if self.inbox is not None:
            return self.inbox.awaited_since is None
        return self.upload is not None and self.upload.starved

    def _count(self, *infos: int) -> int:
        if not self.has_begun:
            return 0  # libcurl still counts the handle's last request
        return sum(int(self.curl.getinfo(info)) for info in infos)

    def clear(self) -> None:
        """Forget the request and its response."""
        self._heads.clear()
        self._chunks.clear()
        self._opened.clear()
        self._size = 0
        self.has_begun = False
        self._on_stream = None
        self.waiter = self.inbox = self.failure = None
        if self._body_mode == "upload":
            self.curl.setopt(pycurl.READFUNCTION, _no_more)
            self.curl.setopt(pycurl.SEEKFUNCTION, _no_seek)
            self.upload = None
        elif isinstance(self.request.body, bytes) and len(self.request.body) > _SMALL_BODY:
            self.curl.setopt(pycurl.POSTFIELDS, b"")


class BodyTooLargeError(Exception):
    """The buffered body is longer than allowed."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.limit = limit


def _no_more(_size: int) -> bytes:
    return b""


def _no_seek(_offset: int, _origin: int) -> int:
    return pycurl.SEEKFUNC_FAIL
