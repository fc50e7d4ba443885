"""botocore's signers, as functions of a request and a time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from unittest import mock

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials

from tornado_aws.credentials import Credentials
from tornado_aws.signing import SigV4

Pairs = Iterable[tuple[str, str]]


def header_signer(service: str, region: str) -> SigV4:
    """Return our signer with the rules of a service."""
    s3 = service == "s3"
    return SigV4(
        service, region, double_encode=not s3, normalize_path=not s3, sign_payload_header=s3
    )


def sign(
    signer: SigV4,
    credentials: Credentials,
    method: str,
    url: str,
    headers: Pairs,
    body: bytes | None,
    when: datetime,
) -> dict[str, str]:
    """Return the headers that botocore's signer for the same service leaves."""
    kind = botocore.auth.S3SigV4Auth if signer.service == "s3" else botocore.auth.SigV4Auth
    request = _request(method, url, headers, body)
    _run(kind(_credentials(credentials), signer.service, signer.region), request, when)
    return dict(request.headers.items())


def presign(
    signer: SigV4,
    credentials: Credentials,
    method: str,
    url: str,
    headers: Pairs,
    expires: int,
    when: datetime,
) -> str:
    """Return the URL that botocore's signer for the same service makes."""
    s3 = signer.service == "s3"
    kind = botocore.auth.S3SigV4QueryAuth if s3 else botocore.auth.SigV4QueryAuth
    request = _request(method, url, headers, None)
    auth = kind(_credentials(credentials), signer.service, signer.region, expires=expires)
    _run(auth, request, when)
    signed: str = request.url
    return signed


def _request(method: str, url: str, headers: Pairs, body: bytes | None) -> AWSRequest:
    request = AWSRequest(method=method, url=url, data=body)
    for name, value in headers:
        request.headers.add_header(name, value)
    return request


def _credentials(credentials: Credentials) -> BotocoreCredentials:
    return BotocoreCredentials(
        credentials.access_key, credentials.secret_key, credentials.security_token
    )


def _run(auth: Any, request: AWSRequest, when: datetime) -> None:
    now = when.astimezone(UTC).replace(tzinfo=None)
    with mock.patch("botocore.auth.get_current_datetime", return_value=now):
        auth.add_auth(request)
