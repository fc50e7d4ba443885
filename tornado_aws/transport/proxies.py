"""Which proxy a request goes through, and how it is asked. No IO, no environment."""

from __future__ import annotations

import base64
import ipaddress
import re
from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urlsplit

from tornado_aws.exceptions import ConfigurationError
from tornado_aws.transport import Origin, TransportOptions

_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy server.

    Attributes:
        origin: where it listens; scheme ``https`` means TLS to the proxy itself.
        authorization: value of ``Proxy-Authorization``, "" when it wants none; a secret.
    """

    origin: Origin
    authorization: str = field(default="", repr=False)

    @property
    def header_lines(self) -> str:
        """The header lines that the proxy, not the server, is meant to read."""
        return f"Proxy-Authorization: {self.authorization}\r\n" if self.authorization else ""


def choose(options: TransportOptions, origin: Origin) -> Proxy | None:
    """Return the proxy for requests to `origin`, None for none.

    Args:
        options: ``proxy`` decides when it is not None; otherwise ``environ_proxies`` does, by
            ``<scheme>_proxy`` and ``no_proxy``.
        origin: where the request goes.

    Raises:
        ConfigurationError: the proxy's URL is malformed, or of a kind that is not supported.
    """
    if options.proxy is not None:
        return parse(options.proxy, "proxy=") if options.proxy else None
    environment = dict(options.environ_proxies)
    variable = f"{origin.scheme}_proxy"
    url = environment.get(variable, "")
    if not url or is_exempt(origin, environment.get("no_proxy", "")):
        return None
    return parse(url, variable.upper())


def parse(url: str, source: str) -> Proxy:
    """Parse the URL of a proxy; without a scheme it is ``http``.

    Args:
        url: the URL, possibly with user and password, percent-encoded.
        source: the setting that holds it, for the error's text.

    Raises:
        ConfigurationError: it is malformed or its scheme is neither http nor https. The text never
            repeats the URL, which may hold a password.
    """
    parts = _split(url if "://" in url else f"http://{url}")
    if parts is None:
        raise ConfigurationError(f"{source} is not a valid proxy URL")
    if parts.scheme not in _DEFAULT_PORTS:
        raise ConfigurationError(
            f"{source} names a proxy of the kind {parts.scheme!r}; http and https are supported"
        )
    host = parts.hostname
    if "@" in parts.path + parts.query + parts.fragment:
        # The host would be a part of what is meant as user and password, and errors name hosts.
        raise ConfigurationError(
            f"{source} is not a valid proxy URL: characters like / in user and password must be"
            " percent-encoded"
        )
    if not host or not _HOST.fullmatch(host):
        raise ConfigurationError(f"{source} is not a valid proxy URL: it has no valid host")
    authorization = _basic(parts.username, parts.password or "") if parts.username else ""
    port = parts.port or _DEFAULT_PORTS[parts.scheme]
    return Proxy(Origin(parts.scheme, host, port), authorization)


def _split(url: str) -> SplitResult | None:
    """Split a URL; None if it is malformed, for the parser's own errors quote a part of it."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts


_HOST = re.compile(r"[!-~]+")


def _basic(user: str, password: str) -> str:
    pair = f"{unquote(user)}:{unquote(password)}".encode()
    return f"Basic {base64.b64encode(pair).decode('ascii')}"


def is_exempt(origin: Origin, no_proxy: str) -> bool:
    """Tell whether ``NO_PROXY`` exempts `origin`.

    An entry is ``*``; a name, with or without a leading dot, for itself and all names below it; an
    address; or a network (``10.0.0.0/8``). Each may end in ``:port``. Entries are separated by
    commas or white space.
    """
    return any(_matches(origin, entry) for entry in no_proxy.replace(",", " ").split())


def _matches(origin: Origin, entry: str) -> bool:
    if entry == "*":
        return True
    name, port = _split_port(entry.lower())
    if port is not None and port != origin.port:
        return False
    host = origin.host.lower().rstrip(".")
    address, network = _address(host), _network(name)
    if address is not None and network is not None:
        return address in network
    name = name.removeprefix("*").strip(".")
    return bool(name) and (host == name or host.endswith(f".{name}"))


def _split_port(entry: str) -> tuple[str, int | None]:
    bracketed = re.fullmatch(r"\[([^]]*)\](?::([0-9]+))?", entry)
    match = bracketed or re.fullmatch(r"([^:]*):([0-9]+)", entry)
    if match is None:
        return entry, None
    return match[1], int(match[2]) if match[2] else None


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Route:
    """How requests to one origin travel.

    Attributes:
        key: connections with equal keys carry each other's requests.
        origin: where the requests go.
        proxy: the proxy on the way, None for none.
        prefix: what precedes the target of a request: "" or, for a proxy, the absolute form's
            scheme and authority.
        header_lines: what a proxy wants on each request, each line with its CRLF.
    """

    key: tuple[object, ...]
    origin: Origin
    proxy: Proxy | None = None
    prefix: str = ""
    header_lines: str = field(default="", repr=False)

    @property
    def first_hop(self) -> Origin:
        """Where the TCP connection goes."""
        return self.origin if self.proxy is None else self.proxy.origin

    @property
    def is_tunnel(self) -> bool:
        """Whether the proxy must be asked for a tunnel to the origin."""
        return self.proxy is not None and self.origin.scheme == "https"

    def tunnel_request(self) -> bytes:
        """Return the request for that tunnel."""
        target = authority(self.origin)
        lines = "" if self.proxy is None else self.proxy.header_lines
        return f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{lines}\r\n".encode()


def route(options: TransportOptions, origin: Origin) -> Route:
    """Decide how requests to `origin` travel.

    A plain request is handed to the proxy in absolute form; one for an https origin goes through a
    tunnel, which is this origin's alone.

    Raises:
        ConfigurationError: see `choose`; or the scheme is neither http nor https.
    """
    if origin.scheme not in _DEFAULT_PORTS:
        raise ConfigurationError(f"Endpoint scheme {origin.scheme!r} is neither http nor https")
    proxy = choose(options, origin)
    if proxy is None:
        return Route(origin, origin)
    if origin.scheme == "https":
        return Route((origin, proxy), origin, proxy)
    return Route(("", proxy), origin, proxy, f"http://{authority(origin)}", proxy.header_lines)


def authority(origin: Origin) -> str:
    """Return ``host:port`` as it stands in a request for a proxy."""
    host = f"[{origin.host}]" if ":" in origin.host else origin.host
    return f"{host}:{origin.port}"
