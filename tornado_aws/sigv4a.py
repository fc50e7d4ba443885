"""Signature Version 4A: one signature for several regions, by a key pair instead of a secret.

Multi-region access points of S3 and global endpoints of EventBridge take no other. The key pair
follows from the access key, so that the service can derive it, too. "Signature Version 4A"
in AWS's IAM user guide describes it. ECDSA comes from the package cryptography.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, NoReturn

from tornado_aws.credentials import Credentials
from tornado_aws.exceptions import ParamValidationError, UnsupportedOperationError
from tornado_aws.signature import check_access_key
from tornado_aws.signed_heads import Head, Moment
from tornado_aws.signing import SigV4

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

__all__ = ["ALGORITHM", "SigV4A", "private_number"]

ALGORITHM = "AWS4-ECDSA-P256-SHA256"

# How many points the curve P-256 has (FIPS 186-4, D.1.2.3).
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def private_number(access_key: str, secret_key: str) -> int:
    """Return the private key on the curve P-256 that an access key stands for.

    Numbers are derived until one is small enough, as NIST SP 800-108 (counter mode) and FIPS 186-4
    (B.4.2) have it; one in four thousand millions is not.
    """
    secret = f"AWS4A{secret_key}".encode()
    for counter in range(1, 255):
        text = b"\0\0\0\1%b\0%b%c\0\0\1\0" % (ALGORITHM.encode(), access_key.encode(), counter)
        number = int.from_bytes(hmac.digest(secret, text, "sha256"), "big")
        if number <= _ORDER - 2:
            return number + 1
    raise ParamValidationError("No key follows from this access key")


class SigV4A(SigV4):
    """Signs requests for one service in several regions.

    Args:
        service: the signing name.
        regions: the regions that may take the request; ``*`` for all.
        is_s3: whether S3's rules hold: the path as it is, and the payload's hash in a header.

    Raises:
        UnsupportedOperationError: the package cryptography is missing.
        ParamValidationError: service or region is empty or has characters that are not of a name.
    """

    algorithm = ALGORITHM

    # What signing imports at first, in the end; it takes ten milliseconds.
    needs = "cryptography.hazmat.backends.openssl.backend"

    def __init__(self, service: str, regions: Sequence[str], is_s3: bool) -> None:
        if find_spec("cryptography") is None:
            raise UnsupportedOperationError(
                "Signatures for several regions (sigv4a) need the package cryptography:"
                " pip install 'tornado-aws[sigv4a]'"
            )
        for region in regions:
            super().__init__(
                service,
                region,
                double_encode=not is_s3,
                normalize_path=not is_s3,
                sign_payload_header=is_s3,
            )
        self.region = ",".join(regions)
        self.extra = {"X-Amz-Region-Set": self.region}
        self._pairs: dict[tuple[str, str], EllipticCurvePrivateKey] = {}

    def chunk_signer(
        self, credentials: Credentials, authorization: str, timestamp: float
    ) -> NoReturn:
        """Refuse what only bodies without TLS need.

        Raises:
            UnsupportedOperationError: always.
        """
        raise UnsupportedOperationError(
            "Chunks cannot be signed for several regions: use https, or a body that can be read"
            " more than once"
        )

    def _begin(self, credentials: Credentials, second: int) -> Moment:
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(second))
        scope = f"{stamp[:8]}/{self.service}/aws4_request"
        self._moment = Moment(second, credentials, stamp, scope, b"", None, None, {})
        return self._moment

    def _signed(self, moment: Moment, head: Head, payload: str) -> str:
        request = head.start.copy()
        request.update(payload.join(head.rest).encode())
        to_sign = f"{ALGORITHM}\n{moment.stamp}\n{moment.scope}\n{request.hexdigest()}"
        return self._signature(moment, to_sign)

    def _signature(self, moment: Moment, to_sign: str) -> str:
        from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 - an extra
        from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415 - as above

        pair = self._pair(moment.credentials)
        return pair.sign(to_sign.encode(), ec.ECDSA(SHA256())).hex()

    def _pair(self, credentials: Credentials) -> EllipticCurvePrivateKey:
        """Return the private key of credentials; deriving it takes as long as ten signatures."""
        from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 - an extra

        name = (credentials.access_key, credentials.secret_key)
        pair = self._pairs.get(name)
        if pair is None:
            check_access_key(credentials)
            if len(self._pairs) >= self._MOST_KEYS:
                self._pairs.clear()
            pair = ec.derive_private_key(private_number(*name), ec.SECP256R1())
            self._pairs[name] = pair
        return pair
