"""Signature Version 2: parameters of the form, one of which is the signature (SimpleDB).

"Signing AWS requests with Signature Version 2" in Amazon SimpleDB's developer guide describes it.
"""

from __future__ import annotations

import hmac
import time
from base64 import b64encode
from typing import Any, NoReturn
from urllib.parse import parse_qsl, quote, urlencode

from tornado_aws.credentials import Credentials
from tornado_aws.exceptions import UnsupportedOperationError
from tornado_aws.signing import SigV4
from tornado_aws.transport import Fields, Headers
from tornado_aws.transport.fields import fields_of, with_host

__all__ = ["SigV2"]


class SigV2(SigV4):
    """Signs forms for one service; headers have no part in it.

    Args:
        service: the signing name.
        region: the region; neither of them is signed.
    """

    def signed_form(
        self,
        credentials: Credentials,
        method: str,
        host: str,
        path: str,
        form: bytes,
        timestamp: float,
    ) -> bytes:
        """Return a form with the parameters that sign it.

        Args:
            credentials: what to sign with.
            method: the HTTP method in upper case.
            host: the ``Host`` header as sent.
            path: the path as sent.
            form: the parameters, encoded.
            timestamp: when the request is made, in seconds since 1970.
        """
        added = {
            "AWSAccessKeyId": credentials.access_key,
            "SignatureVersion": "2",
            "SignatureMethod": "HmacSHA256",
            "Timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(timestamp)),
        }
        if credentials.security_token:
            added["SecurityToken"] = credentials.security_token
        pairs = sorted([*parse_qsl(form.decode(), keep_blank_values=True), *added.items()])
        text = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs)
        to_sign = f"{method}\n{host.lower()}\n{path or '/'}\n{text}"
        digest = hmac.digest(credentials.secret_key.encode(), to_sign.encode(), "sha256")
        added["Signature"] = b64encode(digest).decode()
        return b"&".join([form, urlencode(added).encode()])

    def authorize(
        self,
        credentials: Credentials,
        method: str,
        host: str,
        path: str,
        query: str,
        headers: Headers,
        payload: bytes | str | None,
        timestamp: float,
    ) -> Fields:
        """Return the lines of the headers as they are: the form has the signature."""
        return fields_of(with_host(host, headers))

    def presign(self, *_arguments: Any, **_named: Any) -> NoReturn:
        """Refuse what this version is not used for.

        Raises:
            UnsupportedOperationError: always.
        """
        raise UnsupportedOperationError(
            f"There are no presigned URLs for {self.service}, which takes signatures of version 2"
        )
