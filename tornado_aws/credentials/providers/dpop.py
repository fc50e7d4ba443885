"""Proof that a request comes from the owner of a key (RFC 9449), as AWS sign-in wants it."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from tornado_aws.exceptions import CredentialsError

__all__ = ["dpop_proof"]

# Bytes of a coordinate, and of each half of a signature, on the curve P-256.
_SIZE = 32


def dpop_proof(key_pem: str, url: str, issued_at: int, identifier: str) -> str:
    """Return the value of the ``DPoP`` header for a POST.

    Args:
        key_pem: the private key, PEM, on the curve P-256.
        url: where the request goes.
        issued_at: the time, whole seconds since 1970.
        identifier: a text that no other proof has.

    Raises:
        CredentialsError: the package ``cryptography`` is missing, or the key is no such key.
    """
    try:
        from cryptography.hazmat.primitives import hashes  # noqa: PLC0415 - an extra
        from cryptography.hazmat.primitives.asymmetric import ec, utils  # noqa: PLC0415
        from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415
            load_pem_private_key,
        )
    except ImportError:
        raise _fault("refreshing needs: pip install 'tornado-aws[login]'") from None
    try:
        key = load_pem_private_key(key_pem.encode(), password=None)
    except (ValueError, TypeError):
        # "from None": the cause may quote the key.
        raise _fault("the cached dpopKey is no private key") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
        raise _fault("the cached dpopKey is not on the curve P-256")
    point = key.public_key().public_numbers()
    coordinates = {"x": _number(point.x), "y": _number(point.y)}
    header = {
        "typ": "dpop+jwt",
        "alg": "ES256",
        "jwk": {"kty": "EC", "crv": "P-256", **coordinates},
    }
    payload = {"htm": "POST", "htu": url, "iat": issued_at, "jti": identifier}
    signed = f"{_json(header)}.{_json(payload)}"
    r, s = utils.decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{signed}.{_base64(r.to_bytes(_SIZE, 'big') + s.to_bytes(_SIZE, 'big'))}"


def _json(document: Mapping[str, Any]) -> str:
    return _base64(json.dumps(document, separators=(",", ":")).encode())


def _number(number: int) -> str:
    return _base64(number.to_bytes(_SIZE, "big"))


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _fault(reason: str) -> CredentialsError:
    return CredentialsError(source="login", reason=reason)
