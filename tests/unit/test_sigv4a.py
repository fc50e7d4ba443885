"""Signatures for several regions: those of awscrt must be of the same key and text."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from typing import Any
from unittest import mock
from urllib.parse import parse_qsl

import pytest
from awscrt import auth, http
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given
from hypothesis import strategies as st

from generated.s3 import S3
from tests.support.written_transport import WrittenTransport, header
from tornado_aws.canonical import (
    canonical_headers,
    canonical_path,
    canonical_query,
    canonical_request,
)
from tornado_aws.credentials import Credentials
from tornado_aws.exceptions import ParamValidationError, UnsupportedOperationError
from tornado_aws.signing import hash_payload, string_to_sign
from tornado_aws.sigv4a import ALGORITHM, SigV4A, private_number
from tornado_aws.transport import Response

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
STAMP = "20260102T030405Z"
KEYS = Credentials("AKISORANDOMAASORANDOM", "q+jcrXGc+0zWN6uzclKVhvMmUsIfRPa4rlRandom")
TEMPORARY = Credentials("AKID", "secret", "to/ken+=")
ACCESS_POINT = "arn:aws:s3::123456789012:accesspoint:mine.mrap"
URL = "https://mine.mrap.accesspoint.s3-global.amazonaws.com"
S3_GLOBAL = SigV4A("s3", ["*"], True)
EVENTS = SigV4A("events", ["us-east-1", "eu-west-1"], False)
SIGNED = re.compile(r"(\S+) Credential=([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]+)")


def verify(credentials: Credentials, signature: str, text: str) -> None:
    """Raise `InvalidSignature` if a signature is not one of this text by these credentials."""
    number = private_number(credentials.access_key, credentials.secret_key)
    public = ec.derive_private_key(number, ec.SECP256R1()).public_key()
    public.verify(bytes.fromhex(signature), text.encode(), ec.ECDSA(SHA256()))


def text_of(signer: SigV4A, path: str, sent: dict[str, str], body: bytes) -> str:
    """Return the string to sign for headers that were signed, their signature left out."""
    lines, names = canonical_headers(list(signed_only(sent).items()))
    payload = sent.get("X-Amz-Content-SHA256", hash_payload(body))
    shown = canonical_path(
        path, double_encode=signer.double_encode, normalize=signer.normalize_path
    )
    request = canonical_request("PUT", shown, "", lines, names, payload)
    return string_to_sign(STAMP, f"20260102/{signer.service}/aws4_request", request, ALGORITHM)


def signed_only(sent: dict[str, str]) -> dict[str, str]:
    found = SIGNED.fullmatch(sent["Authorization"])
    assert found is not None
    return {name: value for name, value in sent.items() if name.lower() in found[3].split(";")}


def by_awscrt(
    signer: SigV4A,
    credentials: Credentials,
    path: str,
    headers: dict[str, str],
    body: bytes,
    **more: Any,
) -> http.HttpRequest:
    """Return a request signed by awscrt."""
    request = http.HttpRequest(
        "PUT", path, http.HttpHeaders([("Host", URL.partition("//")[2]), *headers.items()])
    )
    kind = auth.AwsSignedBodyHeaderType
    config = auth.AwsSigningConfig(
        algorithm=auth.AwsSigningAlgorithm.V4_ASYMMETRIC,
        credentials_provider=auth.AwsCredentialsProvider.new_static(
            credentials.access_key, credentials.secret_key, credentials.security_token
        ),
        region=signer.region,
        service=signer.service,
        date=NOW,
        use_double_uri_encode=signer.double_encode,
        should_normalize_uri_path=signer.normalize_path,
        signed_body_value=hash_payload(body),
        signed_body_header_type=(
            kind.X_AMZ_CONTENT_SHA_256 if signer.sign_payload_header else kind.NONE
        ),
        **more,
    )
    auth.aws_sign_request(request, config).result(10)
    return request


@pytest.mark.parametrize(
    "credentials", [KEYS, Credentials("AKID", "secret"), Credentials("a", "b")]
)
def test_the_key_is_the_one_that_awscrt_derives(credentials: Credentials) -> None:
    """A signature of awscrt is one of the key that is derived here."""
    signed = by_awscrt(EVENTS, credentials, "/", {}, b"")
    sent = dict(signed.headers)
    found = SIGNED.fullmatch(sent["Authorization"])
    assert found is not None
    verify(credentials, found[4], text_of(EVENTS, "/", sent, b""))
    with pytest.raises(InvalidSignature):
        verify(Credentials("AKID", "other"), found[4], text_of(EVENTS, "/", sent, b""))


@given(
    path=st.from_regex(r"(/[a-z.%~ +]{0,4}){1,4}", fullmatch=True).map(
        lambda text: text.replace("%", "%25").replace(" ", "%20")
    ),
    name=st.sampled_from(["X-A", "Content-Type"]),
    value=st.from_regex(r"[!-~]( ?[!-~]){0,8}", fullmatch=True),
    body=st.binary(max_size=20),
    signer=st.sampled_from([S3_GLOBAL, EVENTS]),
    credentials=st.sampled_from([KEYS, TEMPORARY]),
)
def test_what_is_signed_is_what_awscrt_signs(
    path: str, name: str, value: str, body: bytes, signer: SigV4A, credentials: Credentials
) -> None:
    """The same headers are sent, and either signature is one of the same text."""
    ours = signer.sign(credentials, "PUT", URL + path, {name: value}, body, NOW)
    theirs = dict(by_awscrt(signer, credentials, path, {name: value}, body).headers)
    assert {key.lower(): item for key, item in ours.items() if key != "Authorization"} == {
        key.lower(): item for key, item in theirs.items() if key != "Authorization"
    }
    heads = [SIGNED.fullmatch(each["Authorization"]) for each in (ours, theirs)]
    assert heads[0] is not None
    assert heads[1] is not None
    assert heads[0].groups()[:3] == heads[1].groups()[:3]
    for head in heads:
        verify(credentials, head[4], text_of(signer, path, ours, body))  # type: ignore[index]


def test_urls_say_what_awscrts_say() -> None:
    """They carry the set of regions, and their signature is one of the same request."""
    ours = S3_GLOBAL.presign(TEMPORARY, "PUT", f"{URL}/a%20b", None, 60, NOW)
    theirs = by_awscrt(
        S3_GLOBAL,
        TEMPORARY,
        "/a%20b",
        {},
        b"",
        signature_type=auth.AwsSignatureType.HTTP_REQUEST_QUERY_PARAMS,
        expiration_in_seconds=60,
    ).path
    queries = [dict(parse_qsl(url.partition("?")[2])) for url in (ours, theirs)]
    signatures = [query.pop("X-Amz-Signature") for query in queries]
    assert queries[0] == queries[1]
    assert queries[0]["X-Amz-Region-Set"] == "*"
    unsigned = ours.partition("?")[2].partition("&X-Amz-Signature")[0]
    request = "\n".join(
        [
            "PUT",
            "/a%20b",
            canonical_query(unsigned),
            f"host:{URL[8:]}\n",
            "host",
            "UNSIGNED-PAYLOAD",
        ]
    )
    text = string_to_sign(STAMP, "20260102/s3/aws4_request", request, ALGORITHM)
    verify(TEMPORARY, signatures[0], text)


def test_multi_region_access_points_are_signed_for_all_regions() -> None:
    """Calls and URLs are; forms cannot be, and say so."""
    transport = WrittenTransport(Response(200, "OK", []))

    async def main() -> str:
        async with S3(region="us-west-2", transport=transport, credentials=TEMPORARY) as s3:
            await s3.put_object(Bucket=ACCESS_POINT, Key="k", Body=b"x")
            with pytest.raises(UnsupportedOperationError, match="forms cannot have"):
                await s3.generate_presigned_post(ACCESS_POINT, "k")
            return await s3.generate_presigned_url(
                "get_object", {"Bucket": ACCESS_POINT, "Key": "k"}
            )

    url = asyncio.run(main())
    assert url.startswith(f"{URL}/k?")
    assert "X-Amz-Region-Set=%2A" in url
    (request,) = transport.requests
    assert request.origin.host == "mine.mrap.accesspoint.s3-global.amazonaws.com"
    assert header(request, "x-amz-region-set") == "*"
    assert header(request, "authorization").startswith(f"{ALGORITHM} Credential=AKID/")


def test_without_the_package_the_error_names_it() -> None:
    """Nobody is left to find out what is missing."""
    with (
        mock.patch("tornado_aws.sigv4a.find_spec", return_value=None),
        pytest.raises(UnsupportedOperationError, match=r"tornado-aws\[sigv4a\]"),
    ):
        SigV4A("s3", ["*"], True)


@pytest.mark.parametrize("regions", [["a b"], ["us-east-1", "a,b"], [""]])
def test_what_is_no_region_is_refused(regions: list[str]) -> None:
    """It would become part of a header."""
    with pytest.raises(ParamValidationError, match="not a region"):
        SigV4A("events", regions, False)


def test_chunks_are_refused() -> None:
    """The error says what to do instead."""
    with pytest.raises(UnsupportedOperationError, match="use https"):
        S3_GLOBAL.chunk_signer(KEYS, "", 0.0)


def test_secrets_are_not_shown() -> None:
    """Neither the key nor what it is derived from."""
    S3_GLOBAL.sign(KEYS, "GET", URL, {}, None, NOW)
    assert repr(S3_GLOBAL) == "<SigV4A s3 *>"
