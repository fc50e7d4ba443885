"""What libcurl's error codes mean in terms of this library's errors. Pure: needs no pycurl."""

from __future__ import annotations

from typing import NamedTuple

from tornado_aws.exceptions import RequestException
from tornado_aws.transport import Origin, Timeouts, errors

# The step of connecting that fails with each code (curl/curl.h, CURLcode).
_STAGES = {
    5: "resolving the name of the proxy",
    6: "resolving the name",
    7: "TCP",
    35: "TLS",
    53: "TLS",
    54: "TLS",
    58: "TLS: the client certificate",
    59: "TLS",
    60: "TLS: checking the certificate",
    64: "TLS",
    66: "TLS",
    77: "TLS: reading the CA certificates",
    80: "TLS",
    82: "TLS",
    83: "TLS",
    90: "TLS: checking the certificate",
    91: "TLS: checking the certificate",
    97: "the proxy",
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
        received: how many bytes of a response had come.
    """

    sent: bool
    received: int


def translate(
    code: int, text: str, origin: Origin, timeouts: Timeouts, progress: Progress
) -> RequestException:
    """Return the error for a transfer that libcurl ended.

    Args:
        code: libcurl's code.
        text: libcurl's explanation, "" for none.
        origin: where the request went.
        timeouts: its bounds; libcurl watches the one for connecting.
        progress: how far it had come.
    """
    cause = CurlError(code, text)
    if not progress.sent:
        if code == _TIMED_OUT and timeouts.connect is not None:
            return errors.connect_timed_out(origin, timeouts.connect, "connecting")
        return errors.connect_failed(origin, cause, _STAGES.get(code, "connecting"))
    if code in _MALFORMED:
        error = errors.malformed(origin, cause, progress.received)
        error.response_started = True  # libcurl counts complete header lines only
        return error
    return errors.connection_lost(origin, cause, progress.received)
