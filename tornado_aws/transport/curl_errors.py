"""What libcurl's error codes mean in terms of this library's errors. Pure: needs no pycurl."""

from __future__ import annotations

from typing import NamedTuple

from tornado_aws.exceptions import ConnectError, RequestException
from tornado_aws.transport import Timeouts, errors
from tornado_aws.transport.proxies import Route

# The step of connecting that fails with each code (curl/curl.h, CURLcode).
_TLS = "the TLS handshake"
_TUNNEL = "the tunnel"
_STAGES = {
    5: "resolving the name of the proxy",
    6: "resolving the name",
    7: "the TCP connection",
    35: _TLS,
    53: _TLS,
    54: _TLS,
    55: "sending the request",
    58: "the TLS handshake, with this client certificate,",
    59: _TLS,
    60: "checking the certificate",
    64: _TLS,
    66: _TLS,
    77: "reading the CA certificates",
    80: _TLS,
    82: _TLS,
    83: _TLS,
    90: "checking the certificate",
    91: "checking the certificate",
    97: _TUNNEL,
}
_TIMED_OUT = 28

# An answer that is not HTTP, as against a connection that broke: another protocol or version, a
# malformed head, a transfer coding, a head that is too long.
_MALFORMED = frozenset({1, 8, 61, 100})


class CurlError(Exception):
    """libcurl's own account of a failure.

    Attributes:
        code: its number in libcurl.
    """

    def __init__(self, code: int, text: str) -> None:
        super().__init__(code, text)
        self.code = code

    def __str__(self) -> str:
        code, text = self.args
        return f"curl {code}: {text}" if text else f"curl {code}"


class Progress(NamedTuple):
    """How far a transfer had come.

    Attributes:
        sent: whether a connection was ready and any byte of the request was written.
        received: how many bytes of a response had come; of a head only whole lines count.
        has_address: whether the name was resolved.
        has_tcp: whether there was a TCP connection.
        has_tunnel: whether a proxy had opened a tunnel.
    """

    sent: bool
    received: int
    has_address: bool = False
    has_tcp: bool = False
    has_tunnel: bool = False

    def connecting(self, way: Route) -> str:
        """Say what was under way before the request could be sent."""
        if self.has_tunnel:
            return _TLS
        if not self.has_address and not self.has_tcp:
            return "resolving the name"
        # Before 8.20 libcurl told of TCP when TLS was complete, too.
        steps = [] if self.has_tcp else ["the TCP connection"]
        if way.first_hop.scheme == "https":
            steps.append(_TLS)
        if way.is_tunnel:
            steps.append(_TUNNEL)
        return " or ".join(steps) or "connecting"


def translate(
    code: int, text: str, way: Route, timeouts: Timeouts, progress: Progress
) -> RequestException:
    """Return the error for a transfer that libcurl ended.

    Args:
        code: libcurl's code.
        text: libcurl's explanation, "" for none.
        way: how the request travelled.
        timeouts: its bounds; libcurl watches the one for connecting.
        progress: how far it had come.
    """
    cause = CurlError(code, text)
    if not progress.sent:
        return _not_connected(cause, way, timeouts, progress)
    if code in _MALFORMED:
        error = errors.malformed(way.origin, cause, progress.received)
        error.response_started = True  # libcurl counts complete header lines only
        return error
    return errors.connection_lost(way.origin, cause, progress.received)


def _not_connected(
    cause: CurlError, way: Route, timeouts: Timeouts, progress: Progress
) -> ConnectError:
    by = "" if way.proxy is None else f" by way of the proxy {errors.place(way.first_hop)}"
    if cause.code == _TIMED_OUT and timeouts.connect is not None:
        stage = progress.connecting(way) + by
        return errors.connect_timed_out(way.origin, timeouts.connect, stage)
    is_tunnel = way.is_tunnel and "CONNECT" in str(cause)
    stage = _TUNNEL if is_tunnel else _STAGES.get(cause.code, "connecting")
    return errors.connect_failed(way.origin, cause, stage + by)
