"""Signatures of the events that a program sends, each over the signature before it. No IO.

Every event travels as the payload of another message, whose two headers are the time and the
signature; one with an empty payload ends the stream. The head of the request is signed as always,
with `PAYLOAD` in place of a hash, and its signature is the one before the first.
"""

from __future__ import annotations

import hashlib
import time
from datetime import UTC, datetime

from tornado_aws.credentials import Credentials
from tornado_aws.event_stream import encode, encode_headers
from tornado_aws.signature import ALGORITHM, credential_scope, signature, signing_key
from tornado_aws.signing import SigV4

__all__ = ["PAYLOAD", "EventSigner"]

PAYLOAD = "STREAMING-AWS4-HMAC-SHA256-EVENTS"


class EventSigner:
    """Signs the events of one request.

    Args:
        signer: what signed the request's head.
        credentials: what it was signed with.
        authorization: its ``Authorization`` header.
        timestamp: when it was signed, in seconds since 1970.
    """

    def __init__(
        self, signer: SigV4, credentials: Credentials, authorization: str, timestamp: float
    ) -> None:
        self._service, self._region = signer.service, signer.region
        self._credentials = credentials
        self._began = timestamp
        self._last = authorization.rpartition("Signature=")[2]
        self._key = ("", b"")

    def frame(self, event: bytes, elapsed: float) -> bytes:
        """Return the message that carries an event.

        Args:
            event: the event as a message; b"" ends the stream.
            elapsed: seconds since the request's head was signed.
        """
        second = int(self._began + elapsed)
        date = {":date": datetime.fromtimestamp(second, UTC)}
        signed = self.sign(encode_headers(date), event, second)
        return encode({**date, ":chunk-signature": signed}, event)

    def sign(self, headers: bytes, payload: bytes, second: int) -> bytes:
        """Return the signature of a message.

        Args:
            headers: those of its headers that are signed, as they stand in a message.
            payload: its payload.
            second: when it is sent, in whole seconds since 1970.
        """
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(second))
        date = stamp[:8]
        text = "\n".join(
            (
                f"{ALGORITHM}-PAYLOAD",
                stamp,
                credential_scope(date, self._region, self._service),
                self._last,
                hashlib.sha256(headers).hexdigest(),
                hashlib.sha256(payload).hexdigest(),
            )
        )
        self._last = signature(self._key_of(date), text)
        return bytes.fromhex(self._last)

    def _key_of(self, date: str) -> bytes:
        if self._key[0] != date:
            key = signing_key(self._credentials.secret_key, date, self._region, self._service)
            self._key = (date, key)
        return self._key[1]

    def __repr__(self) -> str:
        return "<EventSigner>"
