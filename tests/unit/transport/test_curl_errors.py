"""libcurl's codes as this library's errors."""

from __future__ import annotations

import pickle

import pytest

from tornado_aws.exceptions import ConnectError, ConnectTimeout, ReadError, RequestException
from tornado_aws.transport import Origin, Timeouts
from tornado_aws.transport.curl_errors import CurlError, Progress, translate
from tornado_aws.transport.proxies import Proxy, Route

ORIGIN = Origin("https", "sts.amazonaws.com", 443)
WAY = Route((), ORIGIN)
NOTHING_SENT = Progress(sent=False, received=0)
SENT = Progress(sent=True, received=0)
CUT_OFF = Progress(sent=True, received=120)

CASES = {
    "name": (6, NOTHING_SENT, ConnectError, "resolving the name failed"),
    "proxy's name": (5, NOTHING_SENT, ConnectError, "resolving the name of the proxy failed"),
    "refused": (7, NOTHING_SENT, ConnectError, "the TCP connection failed"),
    "handshake": (35, NOTHING_SENT, ConnectError, "the TLS handshake failed"),
    "certificate": (60, NOTHING_SENT, ConnectError, "checking the certificate failed"),
    "sending": (55, NOTHING_SENT, ConnectError, "sending the request failed"),
    "unknown": (199, NOTHING_SENT, ConnectError, "connecting failed"),
    "connect timeout": (28, NOTHING_SENT, ConnectTimeout, "within 3 s (connect_timeout)"),
    "reset": (56, SENT, ReadError, "before the response was complete; 0 bytes had come"),
    "cut off": (18, CUT_OFF, ReadError, "120 bytes had come"),
    "reconnecting": (7, SENT, ReadError, "before the response was complete"),
    "not HTTP": (1, SENT, ReadError, "not valid HTTP"),
    "coding": (61, CUT_OFF, ReadError, "not valid HTTP"),
}


@pytest.mark.parametrize("case", CASES)
def test_each_code_has_its_error(case: str) -> None:
    """The class says what failed, the text where, and how far it had come."""
    code, progress, expected, text = CASES[case]
    error = translate(code, "because", WAY, Timeouts(connect=3), progress)
    assert type(error) is expected
    assert text in str(error)
    assert "sts.amazonaws.com:443" in str(error)
    assert error.sent is progress.sent


RESOLVED = Progress(False, 0, has_address=True)
CONNECTED = RESOLVED._replace(has_tcp=True)
TUNNELED = CONNECTED._replace(has_tunnel=True)


@pytest.mark.parametrize(
    ("scheme", "proxy", "progress", "doing"),
    [
        ("https", None, NOTHING_SENT, "resolving the name"),
        ("http", None, RESOLVED, "the TCP connection"),
        ("https", None, RESOLVED, "the TCP connection or the TLS handshake"),
        ("http", None, CONNECTED, "connecting"),
        ("https", None, CONNECTED, "the TLS handshake"),
        ("http", "http", RESOLVED, "the TCP connection"),
        ("http", "https", CONNECTED, "the TLS handshake"),
        ("https", "http", NOTHING_SENT, "resolving the name"),
        ("https", "http", RESOLVED, "the TCP connection or the tunnel"),
        ("https", "http", CONNECTED, "the tunnel"),
        ("https", "http", TUNNELED, "the TLS handshake"),
        ("https", "https", CONNECTED, "the TLS handshake or the tunnel"),
        ("https", "https", TUNNELED, "the TLS handshake"),
    ],
)
def test_what_took_too_long_is_named(
    scheme: str, proxy: str | None, progress: Progress, doing: str
) -> None:
    """A connect timeout says which step was under way, as far as libcurl tells them apart."""
    through = None if proxy is None else Proxy(Origin(proxy, "inner", 3128), "")
    by = "" if proxy is None else " by way of the proxy inner:3128"
    way = Route((), ORIGIN._replace(scheme=scheme), through)
    error = translate(28, "", way, Timeouts(connect=3), progress)
    assert f": {doing}{by} was still under way" in str(error)


@pytest.mark.parametrize(
    ("code", "text", "said"),
    [
        (
            7,
            "CONNECT tunnel failed, response 407",
            "the tunnel by way of the proxy inner:3128 failed",
        ),
        (7, "Failed to connect", "the TCP connection by way of the proxy inner:3128 failed"),
        (28, "", "resolving the name by way of the proxy inner:3128 was still under way"),
    ],
)
def test_the_proxy_is_named(code: int, text: str, said: str) -> None:
    """Where a proxy is on the way, the error of a connection names it, and not its password."""
    proxy = Proxy(Origin("http", "inner", 3128), "Basic c2VjcmV0")
    error = translate(code, text, Route((), ORIGIN, proxy), Timeouts(connect=3), NOTHING_SENT)
    assert said in str(error)
    assert "sts.amazonaws.com:443" in str(error)
    assert "c2VjcmV0" not in repr(error)


def test_whether_a_response_began_is_said() -> None:
    """Bytes that came are the beginning of a response, also when they are no HTTP."""

    def started(code: int, progress: Progress) -> bool:
        return translate(code, "", WAY, Timeouts(), progress).response_started

    assert [started(56, SENT), started(18, CUT_OFF), started(1, SENT)] == [False, True, True]


def test_libcurls_account_is_kept() -> None:
    """The cause is in the error, its text and its pickle."""
    error = translate(60, "self-signed", WAY, Timeouts(), NOTHING_SENT)
    copy = pickle.loads(pickle.dumps(error))
    for each in (error, copy):
        assert isinstance(each, RequestException)
        assert isinstance(each.error, CurlError)
        assert each.error.code == 60
        assert "curl 60: self-signed" in str(each)
