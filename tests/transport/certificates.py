"""Certificates made for one test run: a CA, a server, a client."""

from __future__ import annotations

import datetime
import hashlib
import ipaddress
import ssl
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_DAY = datetime.timedelta(days=1)


class Certificates(NamedTuple):
    """Paths of PEM files, key and certificate in one.

    Attributes:
        ca: the CA's certificate.
        ca_hash: the CA's name as OpenSSL hashes it for a folder of CAs.
        server: for ``localhost``, 127.0.0.1 and ::1.
        stranger: for another host name.
        client: for a client.
    """

    ca: str
    ca_hash: str
    server: str
    stranger: str
    client: str

    def server_context(self, *, name: str = "server", wants_client: bool = False) -> ssl.SSLContext:
        """Return a context that serves with the certificate of that name."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(getattr(self, name))
        if wants_client:
            context.load_verify_locations(self.ca)
            context.verify_mode = ssl.CERT_REQUIRED
        return context


def make_certificates(folder: Path) -> Certificates:
    """Make the files in `folder`."""
    ca_key = ec.generate_private_key(ec.SECP256R1())
    ca = _certificate("test ca", ca_key, ca_key, "test ca", is_ca=True)
    ca_file = folder / "ca.pem"
    ca_file.write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    names = {"server": "localhost", "stranger": "elsewhere.invalid", "client": "client.invalid"}
    paths = {}
    for file_name, host in names.items():
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _certificate(host, key, ca_key, "test ca", is_ca=False)
        path = folder / f"{file_name}.pem"
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        paths[file_name] = str(path)
    return Certificates(str(ca_file), _openssl_hash(ca), **paths)


def _certificate(
    subject: str,
    key: ec.EllipticCurvePrivateKey,
    issuer_key: ec.EllipticCurvePrivateKey,
    issuer: str,
    *,
    is_ca: bool,
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    names: list[x509.GeneralName] = [x509.DNSName(subject)]
    if subject == "localhost":
        names += [x509.IPAddress(ipaddress.ip_address(ip)) for ip in ("127.0.0.1", "::1")]
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _DAY)
        .not_valid_after(now + _DAY)
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(issuer_key, hashes.SHA256())
    )


def _openssl_hash(certificate: x509.Certificate) -> str:
    """Return what ``openssl x509 -hash`` prints, for a name in lower case."""
    without_outer_sequence = certificate.subject.public_bytes()[2:]
    digest = hashlib.sha1(without_outer_sequence, usedforsecurity=False).digest()
    return digest[3::-1].hex()


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
