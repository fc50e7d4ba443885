"""The published SigV4 examples, by header and by presigned URL.

``sigv4/cases.json`` holds the request and the signatures of each case of AWS's test suite in both
its editions (that of 2015, header signing only, and that kept with aws-c-auth). A folded header
line of the suite is a repeated header there, as the suite's own runner reads it.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tornado_aws.credentials import Credentials
from tornado_aws.signing import SigV4, hash_payload, signing_key

SUITE: dict[str, Any] = json.loads((Path(__file__).parent / "sigv4" / "cases.json").read_text())
WITH_QUERY = [case for case in SUITE["cases"] if "query_signature" in case]
TIME = datetime.strptime(SUITE["time"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)

S3 = SigV4("s3", "us-east-1", double_encode=False, normalize_path=False, sign_payload_header=True)
S3_CREDENTIALS = Credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
S3_TIME = datetime(2013, 5, 24, tzinfo=UTC)
BUCKET = "https://examplebucket.s3.amazonaws.com"


def signer(case: dict[str, Any]) -> SigV4:
    """Return the signer that a case asks for."""
    return SigV4(
        SUITE["service"],
        SUITE["region"],
        normalize_path=case.get("normalize", True),
        sign_payload_header=case.get("sign_payload_header", False),
    )


def credentials(case: dict[str, Any]) -> Credentials:
    """Return the credentials of a case."""
    access_key, secret_key = SUITE["credentials"]
    return Credentials(access_key, secret_key, case.get("token"))


def headers(case: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the caller's headers of a case."""
    return [(name, value) for name, value in case.get("headers", [])]


def url(case: dict[str, Any]) -> str:
    """Return the URL of a case."""
    return f"https://{SUITE['host']}{case['target']}"


@pytest.mark.parametrize("case", SUITE["cases"], ids=lambda case: case["name"])
def test_header_signature(case: dict[str, Any]) -> None:
    """Each case's ``Authorization`` is the suite's, and so is the date."""
    sent = signer(case).sign(
        credentials(case), case["method"], url(case), headers(case), case.get("body"), TIME
    )
    scope = f"{SUITE['time'][:8]}/{SUITE['region']}/{SUITE['service']}/aws4_request"
    assert sent["Authorization"] == (
        f"AWS4-HMAC-SHA256 Credential={SUITE['credentials'][0]}/{scope},"
        f" SignedHeaders={case['signed_headers']}, Signature={case['header_signature']}"
    )
    assert sent["X-Amz-Date"] == SUITE["time"]
    assert sent["Host"] == SUITE["host"]


@pytest.mark.parametrize("case", SUITE["cases"], ids=lambda case: case["name"])
def test_header_signature_with_suite_headers(case: dict[str, Any]) -> None:
    """The suite's own ``Host`` and ``X-Amz-Date`` headers may be given too and change nothing."""
    given = [("Host", SUITE["host"]), *headers(case), ("X-Amz-Date", SUITE["time"])]
    sent = signer(case).sign(
        credentials(case), case["method"], url(case), given, case.get("body"), TIME
    )
    assert sent["Authorization"].endswith(f"Signature={case['header_signature']}")


@pytest.mark.parametrize("case", WITH_QUERY, ids=lambda case: case["name"])
def test_query_signature(case: dict[str, Any]) -> None:
    """Each case's presigned URL carries the suite's signature."""
    given, payload_hash = headers(case), hash_payload(case.get("body"))
    if case.get("sign_payload_header"):
        given.append(("X-Amz-Content-SHA256", payload_hash))
    signed = signer(case).presign(
        credentials(case),
        case["method"],
        url(case),
        given,
        expires=SUITE["expires"],
        timestamp=TIME,
        payload_hash=payload_hash,
    )
    assert signed.endswith(f"&X-Amz-Signature={case['query_signature']}")


@pytest.mark.parametrize(
    ("method", "target", "given", "body", "signature"),
    [
        (
            "GET",
            "/test.txt",
            {"Range": "bytes=0-9"},
            None,
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
        ),
        (
            "PUT",
            "/test%24file.text",
            {
                "Date": "Fri, 24 May 2013 00:00:00 GMT",
                "x-amz-storage-class": "REDUCED_REDUNDANCY",
            },
            "Welcome to Amazon S3.",
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
        ),
        (
            "GET",
            "/?lifecycle",
            {},
            None,
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
        ),
        (
            "GET",
            "/?max-keys=2&prefix=J",
            {},
            None,
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
        ),
    ],
)
def test_s3_header_examples(
    method: str, target: str, given: dict[str, str], body: str | None, signature: str
) -> None:
    """The examples of S3's API reference give its signatures."""
    sent = S3.sign(S3_CREDENTIALS, method, BUCKET + target, given, body, S3_TIME)
    assert sent["Authorization"].endswith(f"Signature={signature}")


def test_s3_presigned_example() -> None:
    """The presigned URL of S3's API reference is reproduced whole."""
    assert S3.presign(
        S3_CREDENTIALS, "GET", f"{BUCKET}/test.txt", expires=86400, timestamp=S3_TIME
    ) == (
        f"{BUCKET}/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256"
        "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
        "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
        "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    )


def test_s3_streaming_seed() -> None:
    """A streaming payload's name given in ``X-Amz-Content-SHA256`` stands for the hash."""
    sent = S3.sign(
        S3_CREDENTIALS,
        "PUT",
        "https://s3.amazonaws.com/examplebucket/chunkObject.txt",
        {
            "x-amz-storage-class": "REDUCED_REDUNDANCY",
            "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
            "Content-Encoding": "aws-chunked",
            "x-amz-decoded-content-length": "66560",
            "Content-Length": "66824",
        },
        None,
        S3_TIME,
    )
    assert sent["Authorization"].endswith(
        "Signature=4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"
    )


def test_iam_example() -> None:
    """The ListUsers example of IAM's guide gives its signature."""
    sent = SigV4("iam", "us-east-1").sign(
        Credentials(*SUITE["credentials"]),
        "GET",
        "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08",
        {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"},
        None,
        TIME,
    )
    assert sent["Authorization"].endswith(
        "SignedHeaders=content-type;host;x-amz-date, Signature="
        "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
    )


def test_glacier_example() -> None:
    """The vault example of Glacier's guide gives its signature."""
    sent = SigV4("glacier", "us-east-1").sign(
        S3_CREDENTIALS,
        "PUT",
        "https://glacier.us-east-1.amazonaws.com/-/vaults/examplevault",
        {"x-amz-glacier-version": "2012-06-01"},
        None,
        datetime(2012, 5, 25, 0, 24, 53, tzinfo=UTC),
    )
    assert sent["Authorization"].endswith(
        "Signature=3ce5b2f2fffac9262b4da9256f8d086b4aaf42eba5f111c21681a65a127b7c2a"
    )


@pytest.mark.parametrize(
    ("date", "key"),
    [
        ("20120215", "f4780e2d9f65fa895f9c67b32ce1baf0b0d8a43505a000a1a9e090d414db404d"),
        ("20150830", "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9"),
    ],
)
def test_key_derivation_examples(date: str, key: str) -> None:
    """The two key derivation examples of AWS's general reference give its keys."""
    assert signing_key(SUITE["credentials"][1], date, "us-east-1", "iam").hex() == key
