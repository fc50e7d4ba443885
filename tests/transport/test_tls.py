"""TLS: certificates and host names are checked, settings are shared and their faults clear."""

from __future__ import annotations

import asyncio
import ssl
import warnings
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from tests.transport.certificates import Certificates
from tests.transport.conftest import Run, TransportFactory
from tests.transport.server import Peer, ScriptedServer, answering, chunked, response
from tests.transport.simple import PATIENT, get, post
from tornado_aws.exceptions import ConfigurationError, ConnectError, ReadError
from tornado_aws.transport import Origin, tls

OK = response(b"ok")


def test_a_trusted_server_is_spoken_to(
    certificates: Certificates, transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """With its CA a server is trusted, by name and by address, and connections are kept."""

    async def several() -> None:
        transport = transport_factory(verify=certificates.ca)
        by_name = server.origin._replace(host="localhost")
        for origin in (server.origin, by_name) * 2:
            assert (await transport.send(get(origin), PATIENT)).body == b"ok"

    with ScriptedServer(answering(OK), tls=certificates.server_context()) as server:
        run(several())
    assert server.connections == 2


def test_a_folder_of_cas_is_one_way_to_name_them(
    certificates: Certificates, transport_factory: TransportFactory, run: Run[Any], tmp_path: Path
) -> None:
    """verify= may be a folder in OpenSSL's layout."""
    context = ssl.create_default_context(cafile=certificates.ca)
    assert context.cert_store_stats()["x509_ca"] == 1
    name = certificates.ca_hash + ".0"
    (tmp_path / name).write_text(Path(certificates.ca).read_text())
    with ScriptedServer(answering(OK), tls=certificates.server_context()) as server:
        transport = transport_factory(verify=str(tmp_path))
        assert run(transport.send(get(server.origin), PATIENT)).body == b"ok"


def test_an_unknown_ca_is_refused(
    certificates: Certificates, transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """A certificate of a CA that the system does not know is a ConnectError that says so."""
    transport, context = transport_factory(), certificates.server_context()
    with (
        ScriptedServer(answering(OK), tls=context) as server,
        pytest.raises(ConnectError, match="certificate") as caught,
    ):
        run(transport.send(get(server.origin), PATIENT))
    assert not caught.value.sent
    assert not server.requests


def test_another_hosts_certificate_is_refused(
    certificates: Certificates, transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """A certificate for another name is refused, though its CA is trusted."""
    context = certificates.server_context(name="stranger")
    with ScriptedServer(answering(OK), tls=context) as server:
        transport = transport_factory(verify=certificates.ca)
        with pytest.raises(ConnectError, match=r"certificate"):
            run(transport.send(get(server.origin), PATIENT))
        assert transport.stats().open == 0


def test_old_tls_is_refused(
    certificates: Certificates, transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """TLS 1.2 is the least."""
    context = certificates.server_context()
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    transport = transport_factory(verify=certificates.ca)
    with (
        ScriptedServer(answering(OK), tls=context) as server,
        pytest.raises(ConnectError, match="TLS"),
    ):
        run(transport.send(get(server.origin), PATIENT))


def test_a_server_that_speaks_no_tls_is_a_connect_error(
    transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """Plain HTTP on the port is told apart from a certificate that is not trusted."""

    def plain(peer: Peer) -> None:
        peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        peer.wait_closed()

    with ScriptedServer(plain) as server:
        request = get(server.origin._replace(scheme="https"))
        with pytest.raises(ConnectError, match="TLS"):
            run(transport_factory().send(request, PATIENT))


def test_a_server_that_wants_a_certificate_gets_it(
    certificates: Certificates, transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """client_cert is one file, or a file and a key."""
    context = certificates.server_context(wants_client=True)
    for client_cert in (certificates.client, (certificates.client, certificates.client)):
        with ScriptedServer(answering(OK), tls=context) as server:
            transport = transport_factory(verify=certificates.ca, client_cert=client_cert)
            assert run(transport.send(get(server.origin), PATIENT)).body == b"ok"


def test_a_missing_client_certificate_is_an_error(
    certificates: Certificates, transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """A server that insists on a certificate refuses; TLS 1.3 learns it with the answer only."""
    context = certificates.server_context(wants_client=True)
    with ScriptedServer(answering(OK), tls=context) as server:
        transport = transport_factory(verify=certificates.ca)
        with pytest.raises((ConnectError, ReadError)):
            run(transport.send(get(server.origin), PATIENT))


def test_checks_can_be_switched_off_by_name_and_with_a_warning(
    certificates: Certificates, transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """verify=False trusts anybody, and every client says so."""
    context = certificates.server_context(name="stranger")
    with ScriptedServer(answering(OK), tls=context) as server:
        for _ in range(2):
            transport = transport_factory(verify=False)
            with pytest.warns(tls.InsecureTLSWarning, match="verify=False"):
                assert run(transport.send(get(server.origin), PATIENT)).body == b"ok"


@pytest.mark.parametrize("tickets", [0, 1, 2, 9])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_connections_are_kept_from_the_first_moment(
    version: ssl.TLSVersion,
    tickets: int,
    certificates: Certificates,
    transport_factory: TransportFactory,
    run: Run[Any],
) -> None:
    """A session ticket that waits to be read is not taken for the end of the connection."""

    async def several() -> None:
        transport = transport_factory(verify=certificates.ca)
        for number in range(20):
            request = post(server.origin, b"x", may_resend=False)
            assert (await transport.send(request, PATIENT)).body == b"ok"
            if number % 5 == 0:
                await asyncio.sleep(0.005)  # the loop may look at what waits, if anything does

    context = certificates.server_context()
    context.maximum_version = version
    context.num_tickets = tickets
    with ScriptedServer(answering(OK), tls=context) as server:
        run(several())
    assert server.connections == 1


def test_a_key_with_a_password_is_a_configuration_error(
    certificates: Certificates, transport_factory: TransportFactory, run: Run[Any], tmp_path: Path
) -> None:
    """Nobody is asked for the password on the terminal; the error says what is not supported."""
    key = load_pem_private_key(Path(certificates.client).read_bytes(), None)
    path = tmp_path / "key.pem"
    secret = BestAvailableEncryption(b"secret")
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, secret))
    transport = transport_factory(client_cert=(certificates.client, str(path)))
    expected = r"key\.pem .*cannot be used: the key is encrypted"
    with pytest.raises(ConfigurationError, match=expected):
        run(transport.send(get(Origin("https", "127.0.0.1", 1)), PATIENT))


@pytest.mark.parametrize("option", ["verify", "client_cert"])
@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_bad_file_is_a_configuration_error(
    option: str,
    content: str | None,
    transport_factory: TransportFactory,
    run: Run[Any],
    tmp_path: Path,
) -> None:
    """A file that is missing or holds nothing of use is named, with its setting."""
    path = tmp_path / "file.pem"
    if content is not None:
        path.write_text(content)

    def script(peer: Peer) -> None:
        peer.wait_closed()

    with ScriptedServer(script) as server:
        transport = transport_factory(**{option: str(path)})
        origin = server.origin._replace(scheme="https")
        with pytest.raises(ConfigurationError) as caught:
            run(transport.send(get(origin), PATIENT))
    assert str(path) in str(caught.value)
    assert f"{option}=" in str(caught.value)


def test_large_bodies_go_both_ways(
    certificates: Certificates, transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """Bodies of megabytes pass through TLS, with lengths and in chunks."""
    body = bytes(range(256)) * 8000
    answers = [response(body), chunked([body[at : at + 9999] for at in range(0, len(body), 9999)])]

    async def both() -> None:
        transport = transport_factory(verify=certificates.ca)
        for _ in answers:
            assert (await transport.send(post(server.origin, body), PATIENT)).body == body

    with ScriptedServer(answering(*answers), tls=certificates.server_context()) as server:
        run(both())
    assert [got.body for got in server.requests] == [body, body]
    assert server.connections == 1


def test_a_cut_off_tls_connection_does_not_end_a_body(
    certificates: Certificates, transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """A body that ends with the connection needs TLS's own goodbye: without it, it may be cut."""

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\n\r\nhalf of it")
        peer.close()

    transport, context = transport_factory(verify=certificates.ca), certificates.server_context()
    with ScriptedServer(script, tls=context) as server, pytest.raises(ReadError):
        run(transport.send(get(server.origin), PATIENT))


def test_tls_s_own_goodbye_ends_a_body(
    certificates: Certificates, transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """A body without a length is whole when TLS was ended in order."""

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\n\r\nall of it")
        peer.end_tls()

    transport, context = transport_factory(verify=certificates.ca), certificates.server_context()
    with ScriptedServer(script, tls=context) as server:
        assert run(transport.send(get(server.origin), PATIENT)).body == b"all of it"


def test_many_handshakes_at_once_share_one_context(
    certificates: Certificates, transport_factory: TransportFactory, run: Run[Any]
) -> None:
    """Calls that begin together all get their connection."""

    async def many() -> None:
        transport = transport_factory(verify=certificates.ca)
        calls = [transport.send(get(server.origin), PATIENT) for _ in range(20)]
        assert {got.body for got in await asyncio.gather(*calls)} == {b"ok"}

    with ScriptedServer(answering(OK), tls=certificates.server_context()) as server:
        run(many())
