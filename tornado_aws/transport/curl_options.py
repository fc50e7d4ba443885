"""What never changes in the handles of a curl engine: how libcurl behaves on and below HTTP.

libcurl is kept from following, changing, and finding out by itself: no redirects, no path rules, no
proxies of the environment, no user agent of its own. TLS is 1.2 at least; certificates are checked
against the same CAs as those of Python.
"""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pycurl

from tornado_aws.transport import Origin, TransportOptions

# Seconds. Probes begin well before NAT gateways and network load balancers forget a silent
# connection (350 s).
_KEEPALIVE_IDLE = 60
_KEEPALIVE_INTERVAL = 30

# Bytes for one read. With libcurl's own 16 KiB a response of 100 KB takes a third more CPU.
_BUFFER_SIZE = 131072

# Seconds that a kept connection may be idle, as in `tornado_aws.transport.pool_engine`.
_IDLE_LIFETIME = 60

_SUPPRESS_CONNECT_HEADERS = 265  # curl/curl.h; pycurl has no name for it


def fixed_options(options: TransportOptions) -> list[tuple[int, Any]]:
    """Return what is set once in every handle of an engine."""
    return [
        (pycurl.NOSIGNAL, 1),
        (pycurl.PATH_AS_IS, 1),
        (pycurl.FOLLOWLOCATION, 0),
        (pycurl.USERAGENT, ""),
        (pycurl.NOPROXY, ""),
        (pycurl.HEADEROPT, pycurl.HEADER_SEPARATE),
        (_SUPPRESS_CONNECT_HEADERS, 1),
        (pycurl.BUFFERSIZE, _BUFFER_SIZE),
        (pycurl.TCP_KEEPALIVE, 1),
        (pycurl.TCP_KEEPIDLE, _KEEPALIVE_IDLE),
        (pycurl.TCP_KEEPINTVL, _KEEPALIVE_INTERVAL),
        (pycurl.MAXAGE_CONN, _IDLE_LIFETIME),
        (pycurl.SSLVERSION, pycurl.SSLVERSION_TLSv1_2),
        (pycurl.PROXY_SSLVERSION, pycurl.SSLVERSION_TLSv1_2),
        *_verification(options.verify),
        *_client_cert(options.client_cert),
    ]


def speaks_http2() -> bool:
    """Whether libcurl was built with HTTP/2."""
    features: int = pycurl.version_info()[4]
    return bool(features & pycurl.VERSION_HTTP2)


def http_version(origin: Origin, *, is_duplex: bool) -> int:
    """Return the version to speak.

    HTTP/1.1 wherever it will do: a server that ends an HTTP/2 connection, as all do after so many
    requests, ends every request on it, and libcurl does not tell which of them it refused.

    Args:
        origin: where to. Without TLS it must be known to speak HTTP/2.
        is_duplex: whether the request needs HTTP/2.
    """
    if not is_duplex:
        return pycurl.CURL_HTTP_VERSION_1_1
    if origin.scheme == "https":
        return pycurl.CURL_HTTP_VERSION_2TLS
    return pycurl.CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE


def _verification(verify: bool | str) -> list[tuple[int, Any]]:
    if verify is False:
        return [
            (pycurl.SSL_VERIFYPEER, 0),
            (pycurl.SSL_VERIFYHOST, 0),
            (pycurl.PROXY_SSL_VERIFYPEER, 0),
            (pycurl.PROXY_SSL_VERIFYHOST, 0),
        ]
    file, folder = _default_cas() if verify is True else _cas(verify)
    if file is None and folder is None:
        return []
    # None as well: what libcurl was built with would be trusted besides.
    return [
        (pycurl.CAINFO, file),
        (pycurl.CAPATH, folder),
        (pycurl.PROXY_CAINFO, file),
        (pycurl.PROXY_CAPATH, folder),
    ]


def _default_cas() -> tuple[str | None, str | None]:
    """Return where Python's OpenSSL looks: a libcurl from a wheel has the paths of its builder."""
    paths = ssl.get_default_verify_paths()
    return paths.cafile, paths.capath


def _cas(name: str) -> tuple[str | None, str | None]:
    return (None, name) if Path(name).is_dir() else (name, None)


def _client_cert(client_cert: str | tuple[str, str] | None) -> list[tuple[int, Any]]:
    if client_cert is None:
        return []
    certificate, key = (client_cert, client_cert) if isinstance(client_cert, str) else client_cert
    return [(pycurl.SSLCERT, certificate), (pycurl.SSLKEY, key)]
