"""Which proxy a request goes through."""

from __future__ import annotations

import pytest

from tornado_aws.exceptions import ConfigurationError
from tornado_aws.transport import Origin, TransportOptions
from tornado_aws.transport.proxies import Proxy, choose, is_exempt, parse, route

PLAIN = Origin("http", "s3.example.com", 80)
SECURE = Origin("https", "s3.example.com", 443)


def environment(**variables: str) -> TransportOptions:
    """Make options with these proxy variables."""
    return TransportOptions(environ_proxies=tuple(sorted(variables.items())))


def test_without_settings_there_is_no_proxy() -> None:
    """Nothing is guessed."""
    assert choose(TransportOptions(), SECURE) is None


def test_each_scheme_has_its_variable() -> None:
    """http_proxy is for http, https_proxy for https."""
    options = environment(http_proxy="http://a:1", https_proxy="http://b:2")
    assert choose(options, PLAIN) == Proxy(Origin("http", "a", 1))
    assert choose(options, SECURE) == Proxy(Origin("http", "b", 2))


def test_an_explicit_proxy_beats_the_environment() -> None:
    """proxy= is for every request, whatever NO_PROXY says; "" means none."""
    variables = (("http_proxy", "http://a:1"), ("no_proxy", "*"))
    options = TransportOptions(proxy="http://c:3", environ_proxies=variables)
    assert choose(options, PLAIN) == Proxy(Origin("http", "c", 3))
    assert choose(TransportOptions(proxy="", environ_proxies=variables), PLAIN) is None


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://proxy:3128", Origin("http", "proxy", 3128)),
        ("proxy:3128", Origin("http", "proxy", 3128)),
        ("http://proxy", Origin("http", "proxy", 80)),
        ("https://proxy/", Origin("https", "proxy", 443)),
        ("http://[::1]:3128", Origin("http", "::1", 3128)),
    ],
)
def test_a_url_gives_host_and_port(url: str, expected: Origin) -> None:
    """Scheme and port have the usual defaults."""
    assert parse(url, "proxy=").origin == expected


def test_user_and_password_become_basic_authentication() -> None:
    """They are percent-decoded, and shown nowhere."""
    proxy = parse("http://us%40er:p%3Ass%C3%A9@proxy:1", "proxy=")
    assert proxy.authorization == "Basic dXNAZXI6cDpzc8Op"
    assert "dXNA" not in repr(proxy)
    assert "dXNA" not in repr(route(TransportOptions(proxy="http://us%40er:p@proxy:1"), PLAIN))


@pytest.mark.parametrize(
    "url",
    [
        "socks5://u:secret@h:1",
        "http://u:secret@",
        "http://u:secret@h:port",
        "http://u:sec/secret@h:1",
        "http://u:secret/ret@h:1",
        "http://u:secret?@h:1",
        "http://u:1/secret@h:1",
        "u:secret#@h:1",
        "http://[u:secret@h",
        "http://u:secret@h:99999",
    ],
)
def test_a_bad_url_is_a_configuration_error_without_its_password(url: str) -> None:
    """The error names the setting, and never repeats the URL."""
    with pytest.raises(ConfigurationError, match="HTTPS_PROXY") as caught:
        choose(environment(https_proxy=url), SECURE)
    error = caught.value
    assert "secret" not in f"{error}{error.__cause__!r}{error.__context__!r}"


@pytest.mark.parametrize(
    ("no_proxy", "host"),
    [
        ("*", "anything.example"),
        ("example.com", "example.com"),
        ("example.com", "s3.example.com"),
        (".example.com", "s3.example.com"),
        ("*.example.com", "s3.example.com"),
        ("EXAMPLE.com", "S3.Example.COM"),
        ("other.org, example.com", "example.com"),
        ("other.org example.com", "example.com"),
        ("example.com:8080", "example.com"),
        ("169.254.169.254", "169.254.169.254"),
        ("169.254.0.0/16", "169.254.169.254"),
        ("[::1]:8080", "::1"),
        ("::1", "::1"),
        ("fd00::/8", "fd00:ec2::254"),
        ("localhost", "localhost"),
    ],
)
def test_no_proxy_exempts(no_proxy: str, host: str) -> None:
    """Names, suffixes, addresses and networks are exempt as they are in curl, Go and requests."""
    assert is_exempt(Origin("http", host, 8080), no_proxy)


@pytest.mark.parametrize(
    ("no_proxy", "host"),
    [
        ("", "example.com"),
        (",", "example.com"),
        ("example.com", "notexample.com"),
        ("example.com", "example.com.evil"),
        ("s3.example.com", "example.com"),
        ("example.com:80", "example.com"),
        ("169.254.0.0/16", "10.0.0.1"),
        ("10.0.0.1", "10.0.0.10"),
        ("fd00::/8", "::1"),
        ("10.0.0.0/8", "10.example.com"),
    ],
)
def test_no_proxy_does_not_exempt(no_proxy: str, host: str) -> None:
    """What only looks alike goes through the proxy."""
    assert not is_exempt(Origin("http", host, 8080), no_proxy)


def test_exempt_hosts_are_reached_directly() -> None:
    """NO_PROXY takes a host out of the environment's proxies."""
    options = environment(https_proxy="http://b:2", no_proxy="example.com")
    assert choose(options, SECURE) is None


def test_a_plain_request_is_handed_to_the_proxy() -> None:
    """The proxy gets the absolute form, on connections that all plain origins share."""
    options = TransportOptions(proxy="http://u:p@proxy:3128")
    way, other = route(options, PLAIN), route(options, Origin("http", "::1", 81))
    assert (way.prefix, other.prefix) == ("http://s3.example.com:80", "http://[::1]:81")
    assert way.header_lines == "Proxy-Authorization: Basic dTpw\r\n"
    assert way.key == other.key != route(TransportOptions(), PLAIN).key
    assert (way.first_hop, way.is_tunnel) == (Origin("http", "proxy", 3128), False)


def test_a_secure_request_goes_through_a_tunnel_of_its_own() -> None:
    """The proxy is asked for a tunnel; it never sees the request."""
    options = TransportOptions(proxy="http://u:p@proxy:3128")
    way = route(options, SECURE)
    assert way.tunnel_request() == (
        b"CONNECT s3.example.com:443 HTTP/1.1\r\nHost: s3.example.com:443\r\n"
        b"Proxy-Authorization: Basic dTpw\r\n\r\n"
    )
    assert (way.is_tunnel, way.prefix, way.header_lines) == (True, "", "")
    assert way.key != route(options, SECURE._replace(port=444)).key


def test_an_unknown_scheme_is_refused() -> None:
    """Only http and https are spoken."""
    with pytest.raises(ConfigurationError, match="ftp"):
        route(TransportOptions(), Origin("ftp", "h", 21))
