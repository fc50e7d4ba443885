"""Requests through a proxy, on every engine."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.transport.certificates import Certificates
from tests.transport.conftest import Engine, Run, TransportFactory
from tests.transport.server import Peer, ScriptedServer, answering, response, serving
from tests.transport.simple import PATIENT, get
from tornado_aws.exceptions import (
    ConfigurationError,
    ConnectError,
    ConnectTimeout,
    ReadError,
    TLSTimeout,
)
from tornado_aws.transport import Origin
from tornado_aws.transport.curl import CurlTransport

OK = response(b"ok")
BASIC = "Basic dXNlcjpzM2NyZXQ="


def url(proxy: ScriptedServer, credentials: str = "user:s3cret@") -> str:
    """Return the proxy's URL."""
    origin = proxy.origin
    return f"{origin.scheme}://{credentials}{origin.host}:{origin.port}"


class Tunnels:
    """The script of a proxy that opens tunnels, and notes what was asked of it."""

    def __init__(self, target: Origin) -> None:
        self.target = target
        self.asked: list[tuple[str, str, dict[str, str]]] = []

    def __call__(self, peer: Peer) -> None:
        head = peer.read_head()
        if head is not None:
            method, authority, headers = head
            self.asked.append((method, authority, dict(headers)))
            peer.send(b"HTTP/1.1 200 Connection established\r\nX-Via: test\r\n\r\n")
            peer.tunnel_to(self.target)


def test_a_plain_request_is_given_to_the_proxy(
    transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """It goes in absolute form, with the proxy's credentials, and connections are kept."""
    origin = Origin("http", "example.invalid", 8080)

    async def several() -> None:
        transport = transport_factory(proxy=url(proxy))
        for _ in range(2):
            got = await transport.send(get(origin, target="/a//b?c=%20"), PATIENT)
            assert got.body == b"ok"

    with serving(OK) as proxy:
        run(several())
    request = proxy.requests[0]
    assert request.target == "http://example.invalid:8080/a//b?c=%20"
    assert request.header("Host") == "example.invalid:8080"
    assert request.header("Proxy-Authorization") == BASIC
    assert proxy.connections == 1


def test_errors_name_the_host_that_was_asked_for(
    transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """Though the connection to the proxy was made for another one."""

    async def both() -> None:
        transport = transport_factory(proxy=url(proxy))
        await transport.send(get(Origin("http", "first.invalid", 80)), PATIENT)
        with pytest.raises(ReadError, match=r"^second.invalid:80 sent what is not valid HTTP"):
            await transport.send(get(Origin("http", "second.invalid", 80)), PATIENT)

    with serving(OK, b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n") as proxy:
        run(both())
    assert proxy.connections == 1


def test_a_secure_request_goes_through_a_tunnel(
    certificates: Certificates, transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """CONNECT carries the credentials; the origin never sees them, and its name is checked."""
    context = certificates.server_context()
    with ScriptedServer(answering(OK), tls=context) as server:
        script = Tunnels(server.origin)
        with ScriptedServer(script) as proxy:

            async def several() -> None:
                transport = transport_factory(proxy=url(proxy), verify=certificates.ca)
                for _ in range(3):
                    got = await transport.send(get(Origin("https", "localhost", 9)), PATIENT)
                    assert got.body == b"ok"
                transport.close()

            run(several())
    assert proxy.connections == 1
    method, authority, headers = script.asked[0]
    assert (method, authority) == ("CONNECT", "localhost:9")
    assert headers["Host"] == "localhost:9"
    assert headers["Proxy-Authorization"] == BASIC
    assert [request.header("Proxy-Authorization") for request in server.requests] == [None] * 3
    assert server.requests[0].target == "/"


def test_the_name_behind_a_tunnel_is_checked(
    certificates: Certificates, transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """A tunnel to a server of another name is refused."""
    context = certificates.server_context()
    request = get(Origin("https", "other.invalid", 443))
    with (
        ScriptedServer(answering(OK), tls=context) as server,
        ScriptedServer(Tunnels(server.origin)) as proxy,
    ):
        transport = transport_factory(proxy=url(proxy), verify=certificates.ca)
        with pytest.raises(ConnectError, match="certificate"):
            run(transport.send(request, PATIENT))
    assert not server.requests


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_way_to_the_proxy_may_be_secure(
    scheme: str,
    engine: Engine,
    certificates: Certificates,
    transport_factory: TransportFactory,
    run: Run[Any],
) -> None:
    """An https:// proxy is spoken to under TLS; a tunnel through it is TLS within TLS."""
    context = certificates.server_context()
    tls = context if scheme == "https" else None
    with ScriptedServer(answering(response(b"x" * 300_000)), tls=tls) as server:
        script = answering(OK) if scheme == "http" else Tunnels(server.origin)
        with ScriptedServer(script, tls=context) as proxy:

            async def several() -> None:
                transport = transport_factory(proxy=url(proxy), verify=certificates.ca)
                for _ in range(2):
                    got = await transport.send(get(Origin(scheme, "localhost", 9)), PATIENT)
                    assert len(got.body) == (2 if scheme == "http" else 300_000)
                transport.close()

            run(several())
    # libcurl keeps no connection to a proxy under TLS that is no tunnel.
    is_spent = scheme == "http" and engine.make is CurlTransport
    assert proxy.connections == (2 if is_spent else 1)


def test_the_environment_names_the_proxy(
    transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """HTTP_PROXY is used, except for the hosts of NO_PROXY."""

    async def both() -> None:
        variables = (("http_proxy", url(proxy)), ("no_proxy", "127.0.0.1"))
        transport = transport_factory(environ_proxies=variables)
        there = await transport.send(get(Origin("http", "example.invalid", 80)), PATIENT)
        here = await transport.send(get(server.origin), PATIENT)
        assert (there.body, here.body) == (b"proxy", b"server")

    with serving(response(b"proxy")) as proxy, serving(response(b"server")) as server:
        run(both())


@pytest.mark.parametrize(
    "answer",
    [
        response(b"who?", "407 Proxy Authentication Required"),
        response(b"no", "502 Bad Gateway"),
        b"garbage\r\n\r\n",
        b"",
    ],
)
def test_a_proxy_that_refuses_is_a_connect_error(
    answer: bytes, transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """A tunnel that is not made is no connection: nothing was sent, and no password is told."""

    def refuse(peer: Peer) -> None:
        peer.read_head()
        peer.send(answer)
        peer.close()

    with ScriptedServer(refuse) as proxy:
        transport = transport_factory(proxy=url(proxy))
        with pytest.raises(ConnectError) as caught:
            run(transport.send(get(Origin("https", "example.invalid", 443)), PATIENT))
    assert not caught.value.sent
    assert "s3cret" not in str(caught.value)
    assert f"127.0.0.1:{proxy.origin.port}" in str(caught.value)
    if answer.startswith(b"HTTP"):
        assert answer.split()[1].decode() in str(caught.value)
    assert transport.stats().open == 0


def test_a_proxy_that_stalls_is_a_connect_timeout(
    transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """The proxy's answer belongs to connecting, and to no TLS handshake; the error says so."""

    def stall(peer: Peer) -> None:
        peer.read_head()
        peer.stall()

    with ScriptedServer(stall) as proxy:
        transport = transport_factory(proxy=url(proxy))
        request = get(Origin("https", "example.invalid", 443))
        with pytest.raises(ConnectTimeout, match="tunnel") as caught:
            run(transport.send(request, PATIENT._replace(connect=0.3, tls=0.05)))
    assert "TLS" not in str(caught.value)


def test_a_handshake_within_a_tunnel_is_told_from_the_tunnel(
    transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """When the tunnel is there it is the origin that is waited for."""

    def tunnel(peer: Peer) -> None:
        peer.read_head()
        peer.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
        peer.wait_closed()

    with ScriptedServer(tunnel) as proxy:
        transport = transport_factory(proxy=url(proxy))
        request = get(Origin("https", "example.invalid", 443))
        with pytest.raises(
            ConnectTimeout, match=r"the TLS handshake .*was still under way"
        ) as caught:
            run(transport.send(request, PATIENT._replace(connect=0.3)))
        assert "tunnel" not in str(caught.value)
        with pytest.raises(TLSTimeout, match=r"with example\.invalid:443 took"):
            run(transport.send(request, PATIENT._replace(tls=0.1)))


def test_one_tunnel_is_not_taken_for_another(
    certificates: Certificates, transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """What is said of a tunnel that does not come owes nothing to one that came before."""

    def stall(peer: Peer) -> None:
        peer.read_head()
        peer.stall()

    async def both() -> None:
        transport = transport_factory(proxy=url(proxy), verify=certificates.ca)
        for _ in range(2):
            await transport.send(get(Origin("https", "localhost", 1)), PATIENT)
        request = get(Origin("https", "localhost", 2))
        with pytest.raises(ConnectTimeout, match="tunnel"):
            await transport.send(request, PATIENT._replace(connect=0.3, tls=0.05))
        transport.close()

    context = certificates.server_context()
    with (
        ScriptedServer(answering(OK), tls=context) as server,
        ScriptedServer(Tunnels(server.origin), stall) as proxy,
    ):
        run(both())


def test_a_bad_proxy_url_is_a_configuration_error(
    transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """It is named, without its password."""

    request = get(Origin("http", "example.invalid", 80))

    async def send() -> None:
        transport = transport_factory(proxy="socks4a://user:s3cret@localhost:1")
        await transport.send(request, PATIENT)

    with pytest.raises(ConfigurationError, match="proxy=") as caught:
        run(send())
    assert "s3cret" not in str(caught.value)


def test_tunnels_are_not_shared_between_origins(
    certificates: Certificates, transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """Each secure origin has a tunnel of its own."""
    context = certificates.server_context()
    with ScriptedServer(answering(OK), tls=context) as server:
        script = Tunnels(server.origin)
        with ScriptedServer(script) as proxy:

            async def both() -> None:
                transport = transport_factory(proxy=url(proxy), verify=certificates.ca)
                origins = [Origin("https", "localhost", port) for port in (1, 2)]
                await asyncio.gather(*[transport.send(get(it), PATIENT) for it in origins])
                transport.close()

            run(both())
    assert sorted(authority for _, authority, _ in script.asked) == ["localhost:1", "localhost:2"]
