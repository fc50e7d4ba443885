"""What went wrong on the way to a response, as the library's own errors.

The one place where failures of the layers below get their class and text. A text says which bound
or which layer failed, where, and how far the exchange had come; never a header, a target or a
password.
"""

from __future__ import annotations

import socket
import ssl
from typing import TypeVar

from tornado_aws.exceptions import (
    ClientClosedError,
    ConnectError,
    ConnectTimeout,
    PoolTimeout,
    ReadError,
    ReadTimeout,
    RequestException,
    RequestTimeout,
    TLSTimeout,
)
from tornado_aws.transport import Origin


def place(origin: Origin) -> str:
    """Return ``host:port`` for a text, IPv6 addresses in brackets."""
    return (
        f"[{origin.host}]:{origin.port}" if ":" in origin.host else f"{origin.host}:{origin.port}"
    )


def connect_failed(origin: Origin, cause: BaseException, stage: str) -> ConnectError:
    """No connection: `stage` says in which step, `cause` why."""
    return _chained(
        ConnectError(
            f"Cannot connect to {place(origin)}: {_connect_text(cause, stage)}", error=cause
        ),
        cause,
    )


def ended_unasked(origin: Origin) -> ConnectError:
    """A new connection is of no use, and nothing was sent on it."""
    text = f"{place(origin)} ended the connection, or spoke, before it was asked anything"
    return ConnectError(text, error=text)


def _connect_text(cause: BaseException, stage: str) -> str:
    if isinstance(cause, socket.gaierror):
        return f"the name cannot be resolved ({cause.strerror or cause})"
    if isinstance(cause, UnicodeError):
        return f"the name is not a valid host name ({cause})"
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"its certificate is not valid ({cause.verify_message})"
    if isinstance(cause, ssl.SSLError):
        # Errors that Python raises itself have no such attribute.
        return f"TLS failed ({getattr(cause, 'reason', None) or cause})"
    reason = cause.strerror if isinstance(cause, OSError) else None
    return f"{stage} failed ({reason or str(cause) or type(cause).__name__})"


def connect_timed_out(origin: Origin, seconds: float, stage: str) -> ConnectTimeout:
    """The connect timeout ended while `stage` was under way."""
    text = (
        f"No connection to {place(origin)} within {seconds:g} s (connect_timeout): "
        f"{stage} was still under way; 0 bytes of a response had come"
    )
    return ConnectTimeout(text, error=text)


def tls_timed_out(origin: Origin, seconds: float) -> TLSTimeout:
    """A handshake took longer than the TLS timeout."""
    text = (
        f"The TLS handshake with {place(origin)} took longer than {seconds:g} s (tls_timeout); "
        "0 bytes of a response had come"
    )
    return TLSTimeout(text, error=text)


def pool_timed_out(origin: Origin, seconds: float, limit: int) -> PoolTimeout:
    """Every connection stayed busy for the pool timeout."""
    text = (
        f"No connection for {place(origin)} became free within {seconds:g} s (pool_timeout): "
        f"all {limit} (max_clients) are in use; 0 bytes of a response had come"
    )
    return PoolTimeout(text, error=text)


def request_timed_out(
    origin: Origin, seconds: float, doing: str, *, sent: bool, received: int
) -> RequestTimeout:
    """The whole attempt took too long."""
    text = (
        f"The request to {place(origin)} took longer than {seconds:g} s (request_timeout): "
        f"it was {doing}; {received} bytes of a response had come"
    )
    return RequestTimeout(text, error=text, sent=sent, response_started=received > 0)


def read_timed_out(origin: Origin, seconds: float, received: int) -> ReadTimeout:
    """The peer was silent for the read timeout."""
    text = (
        f"{place(origin)} was silent for {seconds:g} s (read_timeout); "
        f"{received} bytes of a response had come"
    )
    return ReadTimeout(text, error=text, response_started=received > 0)


def connection_lost(origin: Origin, cause: Exception | None, received: int) -> ReadError:
    """The connection broke before the response was complete."""
    why = f"broke ({cause})" if cause is not None else "was closed by the peer"
    text = (
        f"The connection to {place(origin)} {why} before the response was complete; "
        f"{received} bytes had come"
    )
    return _chained(ReadError(text, error=cause or text, response_started=received > 0), cause)


def malformed(origin: Origin, cause: Exception, received: int) -> ReadError:
    """What came is not acceptable HTTP."""
    return _chained(
        ReadError(
            f"{place(origin)} sent what is not valid HTTP: {cause} ({received} bytes had come)",
            error=cause,
            response_started=received > 0,
        ),
        cause,
    )


def too_large(origin: Origin, limit: int, received: int) -> ReadError:
    """The buffered body is longer than allowed."""
    text = (
        f"The response of {place(origin)} is longer than {limit} bytes (max_response_size); "
        f"{received} bytes had come"
    )
    return ReadError(text, error=text, response_started=True)


def body_failed(origin: Origin, cause: BaseException, received: int) -> RequestException:
    """The request's body could not be taken from the caller's iterable."""
    error = RequestException(
        f"The body of the request to {place(origin)} cannot be sent: "
        f"{str(cause) or type(cause).__name__}",
        error=cause,
        response_started=received > 0,
    )
    return _chained(error, cause)


def closed(*, sent: bool, received: int = 0) -> ClientClosedError:
    """The client was closed."""
    return ClientClosedError(sent=sent, response_started=received > 0)


_Error = TypeVar("_Error", bound=Exception)


def _chained(error: _Error, cause: BaseException | None) -> _Error:
    error.__cause__ = cause
    return error
