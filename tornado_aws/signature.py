"""From a canonical request to its signature: the last steps of Signature Version 4.

The functions carry the names of the specification ("Create a signed AWS API request" in AWS's
Identity and Access Management guide), so that a mismatch is found at its step.
"""

from __future__ import annotations

import hashlib
import hmac
import re

from tornado_aws.canonical import EMPTY_HASH
from tornado_aws.credentials import Credentials
from tornado_aws.exceptions import ParamValidationError

__all__ = [
    "ALGORITHM",
    "MAX_EXPIRES",
    "ChunkSigner",
    "bounded_expires",
    "check_access_key",
    "check_scope",
    "credential_scope",
    "signature",
    "signing_key",
    "string_to_sign",
]

ALGORITHM = "AWS4-HMAC-SHA256"
MAX_EXPIRES = 604_800  # a week in seconds: as long as a signing key is valid

_NAME = re.compile(r"[!-+\-.0-~]+")  # printable, without what separates the parts of a scope


def credential_scope(date: str, region: str, service: str) -> str:
    """Return the scope: ``20150830/us-east-1/iam/aws4_request``."""
    return f"{date}/{region}/{service}/aws4_request"


def string_to_sign(stamp: str, scope: str, request: str, algorithm: str = ALGORITHM) -> str:
    """Return the string to sign.

    Args:
        stamp: the time as ``20150830T123600Z``.
        scope: what `credential_scope` made.
        request: what `canonical_request` made.
        algorithm: the name of the algorithm.
    """
    return f"{algorithm}\n{stamp}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"


def signing_key(secret_key: str, date: str, region: str, service: str) -> bytes:
    """Derive the key of a day, given as ``20150830``, from a secret access key."""
    key = f"AWS4{secret_key}".encode()
    for step in (date, region, service, "aws4_request"):
        key = hmac.digest(key, step.encode(), "sha256")
    return key


def signature(key: bytes, text: str) -> str:
    """Return the signature of a string to sign in hexadecimal."""
    return hmac.digest(key, text.encode(), "sha256").hex()


class ChunkSigner:
    """Signs the chunks of a body, each over the signature before it.

    Args:
        key: what `signing_key` made.
        stamp: the time as the request's head was signed.
        scope: what `credential_scope` made.
        seed: the signature of the request's head.
    """

    def __init__(self, key: bytes, stamp: str, scope: str, seed: str) -> None:
        self._key = key
        self._when = f"{stamp}\n{scope}"
        self._last = seed

    def chunk(self, data: bytes | memoryview) -> str:
        """Return the signature of the next chunk; the last one is empty."""
        hashed = hashlib.sha256(data).hexdigest()
        return self._sign(f"{ALGORITHM}-PAYLOAD", f"{EMPTY_HASH}\n{hashed}")

    def trailer(self, line: str) -> str:
        """Return the signature of a trailer of one line, given without its end."""
        return self._sign(f"{ALGORITHM}-TRAILER", hashlib.sha256(f"{line}\n".encode()).hexdigest())

    def _sign(self, kind: str, what: str) -> str:
        self._last = signature(self._key, f"{kind}\n{self._when}\n{self._last}\n{what}")
        return self._last

    def __repr__(self) -> str:
        return "<ChunkSigner>"


def check_access_key(credentials: Credentials) -> None:
    """Refuse an access key that could change the header that it stands in."""
    if not _NAME.fullmatch(credentials.access_key):
        raise ParamValidationError("The access key holds characters that no access key has")


def check_scope(service: str, region: str) -> None:
    """Refuse a service or a region that could change the scope that it stands in."""
    for what, name in (("service", service), ("region", region)):
        if not _NAME.fullmatch(name):
            raise ParamValidationError(f"{name!r} is not a {what} that can be signed for")


def bounded_expires(expires: int, credentials: Credentials, now: float) -> int:
    """Return for how many seconds a presigned request is valid: not longer than its credentials.

    Args:
        expires: for how many it is wanted to be.
        credentials: what it is signed with.
        now: seconds since 1970.

    Raises:
        ParamValidationError: `expires` is not 1 to 604800 seconds.
    """
    if not 1 <= expires <= MAX_EXPIRES:
        raise ParamValidationError(
            f"ExpiresIn is {expires!r}; it must be 1 to {MAX_EXPIRES} seconds (a week)"
        )
    if credentials.expiration is None:
        return expires
    return max(1, min(expires, int(credentials.expiration.timestamp() - now)))
