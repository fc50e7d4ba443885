"""Paths, queries and base URLs of raw requests, brought into the form that is signed and sent."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from tornado_aws.exceptions import EndpointError
from tornado_aws.options import QueryArgs, QueryValue
from tornado_aws.transport import Origin

DEFAULT_PORTS = {"http": 80, "https": 443}
# Everything that RFC 3986 allows in a path or a query, so that only what is illegal is escaped.
_PATH_SAFE = "/~!$&'()*+,;=:@%"
_QUERY_SAFE = "/~!$'()*+,;=:@%?&"
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_IPV4 = re.compile(r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}")
_HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+")


class BaseURL(NamedTuple):
    """An endpoint's URL, taken apart.

    Attributes:
        origin: where requests go.
        host: the ``Host`` header: the port left out when it is the scheme's own.
        path: base path that every request's path is appended to, without a slash at its end.
    """

    origin: Origin
    host: str
    path: str

    @property
    def is_ip(self) -> bool:
        """Whether the host is an address, which nothing can be put in front of."""
        return ":" in self.origin.host or _IPV4.fullmatch(self.origin.host) is not None

    @property
    def url(self) -> str:
        """The whole, without a slash at its end."""
        return f"{self.origin.scheme}://{self.host}{self.path}"


def parse_base(url: str) -> BaseURL:
    """Take an endpoint's URL apart.

    Raises:
        EndpointError: it is not an absolute http or https URL, or it has user information, a query
            or a fragment.
    """
    if not url.isprintable():
        raise EndpointError(f"Endpoint {url!r} has control characters in it")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise EndpointError(f"Endpoint {url!r} is not a valid URL: {error}") from None
    scheme, host = parts.scheme.lower(), parts.hostname
    if scheme not in DEFAULT_PORTS or not host:
        raise EndpointError(f"Endpoint {url!r} must begin with http:// or https:// and a host")
    if parts.username is not None or parts.query or parts.fragment:
        raise EndpointError(
            f"Endpoint {scheme}://{host} must not have user information, a query or a fragment"
        )
    # Python before 3.13 reads ``label.[::1]`` as ``[::1]``.
    if not _HOST.fullmatch(host) or "[" in parts.netloc[1:]:
        raise EndpointError(f"Endpoint {url!r} has an invalid host name")
    shown = f"[{host}]" if ":" in host else host
    if port is not None and port != DEFAULT_PORTS[scheme]:
        shown = f"{shown}:{port}"
    origin = Origin(scheme, host, port or DEFAULT_PORTS[scheme])
    return BaseURL(origin, shown, encode_path(parts.path).rstrip("/"))


def encode_path(path: str) -> str:
    """Percent-encode what may not stand in a path; what is escaped already stays as it is."""
    return quote(_STRAY_PERCENT.sub("%25", path), safe=_PATH_SAFE)


def split_path(path: str) -> tuple[str, str]:
    """Return the encoded path, beginning with a slash, and the encoded query of ``/path?query``."""
    bare, _, query = path.partition("?")
    if not bare.startswith("/"):
        bare = f"/{bare}"
    return encode_path(bare), quote(_STRAY_PERCENT.sub("%25", query), safe=_QUERY_SAFE)


def encode_query(args: QueryArgs | None) -> str:
    """Encode query arguments: a list repeats its name, None gives the name without a value."""
    if not args:
        return ""
    return "&".join(_pair(name, value) for name, values in args.items() for value in _each(values))


def join_query(first: str, second: str) -> str:
    """Join two encoded queries, either of which may be empty."""
    return f"{first}&{second}" if first and second else first or second


def _each(values: QueryValue | Iterable[QueryValue]) -> Iterable[QueryValue]:
    if values is None or isinstance(values, str | int | float):
        return (values,)
    if isinstance(values, bytes):
        return (values.decode(),)
    return values


def _pair(name: str, value: QueryValue) -> str:
    key = quote(name, safe="-_.~")
    if value is None:
        return key
    if isinstance(value, bool):
        value = "true" if value else "false"
    return f"{key}={quote(str(value), safe='-_.~')}"
