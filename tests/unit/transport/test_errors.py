"""What goes wrong below gets one class and one text."""

from __future__ import annotations

import errno
import pickle
import socket
import ssl
from typing import Any

import pytest

from tornado_aws import exceptions
from tornado_aws.exceptions import RequestException
from tornado_aws.transport import Origin, errors
from tornado_aws.transport.http1 import ProtocolError

ORIGIN = Origin("https", "s3.example.com", 443)
REFUSED = ConnectionRefusedError(errno.ECONNREFUSED, "10.0.0.1: Connection refused")
RESET = ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")
UNKNOWN_NAME = socket.gaierror(socket.EAI_NONAME, "Name or service not known")


def certificate_error() -> ssl.SSLCertVerificationError:
    """Make what a failed check raises."""
    error = ssl.SSLCertVerificationError(1, "CERTIFICATE_VERIFY_FAILED")
    error.verify_message = "unable to get local issuer certificate"
    return error


# The error, its class, what its text says, whether the request was sent, whether a response began.
TABLE: list[tuple[RequestException, str, list[str], bool, bool]] = [
    (
        errors.connect_failed(ORIGIN, REFUSED, "the TCP connection"),
        "ConnectError",
        ["s3.example.com:443", "the TCP connection", "Connection refused"],
        False,
        False,
    ),
    (
        errors.connect_failed(ORIGIN, UNKNOWN_NAME, "the TCP connection"),
        "ConnectError",
        ["s3.example.com:443", "name cannot be resolved", "Name or service not known"],
        False,
        False,
    ),
    (
        errors.connect_failed(ORIGIN, certificate_error(), "the TLS handshake"),
        "ConnectError",
        ["certificate is not valid", "unable to get local issuer certificate"],
        False,
        False,
    ),
    (
        errors.connect_failed(ORIGIN, ssl.SSLError(1, "[SSL] x"), "the TLS handshake"),
        "ConnectError",
        ["TLS failed"],
        False,
        False,
    ),
    (
        errors.connect_timed_out(ORIGIN, 1.5, "the TLS handshake"),
        "ConnectTimeout",
        ["1.5 s", "connect_timeout", "the TLS handshake", "0 bytes"],
        False,
        False,
    ),
    (
        errors.ended_unasked(ORIGIN),
        "ConnectError",
        ["before it was asked"],
        False,
        False,
    ),
    (
        errors.tls_timed_out(ORIGIN, 0.5),
        "TLSTimeout",
        ["0.5 s", "tls_timeout", "0 bytes"],
        False,
        False,
    ),
    (
        errors.pool_timed_out(ORIGIN, 3, 100),
        "PoolTimeout",
        ["3 s", "pool_timeout", "100 (max_clients)"],
        False,
        False,
    ),
    (
        errors.request_timed_out(ORIGIN, 30, "waiting", sent=True, received=17),
        "RequestTimeout",
        ["30 s", "request_timeout", "17 bytes"],
        True,
        True,
    ),
    (
        errors.read_timed_out(ORIGIN, 60, 0),
        "ReadTimeout",
        ["60 s", "read_timeout", "0 bytes"],
        True,
        False,
    ),
    (
        errors.connection_lost(ORIGIN, RESET, 9),
        "ReadError",
        ["reset by peer", "9 bytes"],
        True,
        True,
    ),
    (errors.connection_lost(ORIGIN, None, 0), "ReadError", ["closed by the peer"], True, False),
    (
        errors.malformed(ORIGIN, ProtocolError("bad chunk"), 5),
        "ReadError",
        ["not valid HTTP", "bad chunk", "5 bytes"],
        True,
        True,
    ),
    (
        errors.too_large(ORIGIN, 1000, 2000),
        "ReadError",
        ["1000 bytes", "max_response_size", "2000 bytes"],
        True,
        True,
    ),
    (
        errors.body_failed(ORIGIN, OSError("the disk is gone"), 0),
        "RequestException",
        ["cannot be sent", "the disk is gone"],
        True,
        False,
    ),
    (errors.closed(sent=False), "ClientClosedError", ["closed"], False, False),
]


@pytest.mark.parametrize(("error", "name", "texts", "sent", "started"), TABLE)
def test_an_error_says_what_where_and_how_far(
    error: RequestException, name: str, texts: list[str], sent: bool, started: bool
) -> None:
    """Class, text and attributes are those of the table, and survive pickling."""
    assert type(error) is getattr(exceptions, name)
    assert (error.sent, error.response_started) == (sent, started)
    for text in texts:
        assert text in str(error)
    copy: Any = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy), copy.sent) == (type(error), str(error), sent)


def test_every_class_of_the_layer_has_its_maker() -> None:
    """Each subclass of RequestException comes from this module."""

    def below(cls: type[RequestException]) -> set[str]:
        return {cls.__name__}.union(*[below(sub) for sub in cls.__subclasses__()])

    assert {name for _, name, *_ in TABLE} == below(RequestException)


def test_the_cause_is_chained() -> None:
    """The exception of the layer below is the cause, and the `error` attribute."""
    error = errors.connect_failed(ORIGIN, REFUSED, "the TCP connection")
    assert error.__cause__ is REFUSED
    assert error.error is REFUSED


def test_ipv6_addresses_have_brackets() -> None:
    """host:port can be told apart."""
    assert errors.place(Origin("http", "::1", 80)) == "[::1]:80"
