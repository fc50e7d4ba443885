"""Signatures equal botocore's, and the fast way equals the plain one, for any request."""

from __future__ import annotations

import random
import string
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import botocore_signing
from tornado_aws.credentials import Credentials
from tornado_aws.signing import (
    SigV4,
    canonical_headers,
    canonical_path,
    canonical_query,
    canonical_request,
    credential_scope,
    hash_payload,
    signature,
    signing_key,
    string_to_sign,
)
from tornado_aws.transport.fields import pairs_of

METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"]
SERVICES = ["dynamodb", "s3", "execute-api", "iam"]
HOSTS = [
    "dynamodb.us-east-1.amazonaws.com",
    "Bucket.S3.amazonaws.com",
    "localhost:4566",
    "api.example.com:443",
    "api.example.com:80",
    "127.0.0.1:8000",
    "[::1]:9000",
    "[2001:db8::1]",
]
HEADERS = [
    "Content-Type",
    "content-md5",
    "X-Amz-Target",
    "x-amz-meta-a",
    "X-Amz-Meta-B",
    "Range",
    "If-Match",
    "User-Agent",
    "Connection",
    "Expect",
    "TE",
    "X-Amzn-Trace-Id",
    "Baggage",
    "Accept",
    "Cookie",
]
VALUES = [
    "a",
    "a, b",
    "  padded  ",
    "in  ner   runs",
    "",
    "é ü",
    '"a   b"',
    "x" * 70,
    "text/plain;q=1",
]
# What RFC 3986 allows in a segment of a path, besides letters and digits.
PATH_PUNCTUATION = "-._~!$&'()*+,;=:@"

Case = dict[str, Any]


def random_case(rng: random.Random) -> Case:
    """Return a request with all that a URL, headers and credentials may hold."""
    names = rng.sample(HEADERS, rng.randint(0, 6))
    headers = [(name, rng.choice(VALUES)) for name in names]
    headers += [(rng.choice([name, name.upper()]), "again") for name in names if rng.random() < 0.1]
    return {
        "credentials": Credentials(
            "AKIDEXAMPLE",
            "secret" * rng.randint(1, 9),
            rng.choice([None, None, "t0ken/with+signs==" * 4]),
        ),
        "method": rng.choice(METHODS),
        "service": rng.choice(SERVICES),
        "scheme": rng.choice(["https", "http"]),
        "host": rng.choice(HOSTS),
        "path": random_path(rng),
        "query": [
            (random_word(rng, string.printable.strip() + " ü"), random_word(rng, "ab/ ~+&=%é"))
            for _ in range(rng.randint(0, 4))
        ],
        "headers": headers,
        "body": rng.choice([None, b"", b"{}", rng.randbytes(200)]),
        "when": datetime(2015, 1, 1, tzinfo=UTC) + timedelta(seconds=rng.randrange(10**9)),
        "expires": rng.randint(1, 604800),
    }


def random_path(rng: random.Random) -> str:
    """Return a path of empty, dotted, escaped and legal unescaped segments."""
    legal = string.ascii_letters + string.digits + PATH_PUNCTUATION
    segments = [
        rng.choice(
            [random_word(rng, legal), quote(random_word(rng, "ab é/%~"), safe="~"), ".", "..", ""]
        )
        for _ in range(rng.randint(0, 4))
    ]
    return "/" + "/".join(segments)


def random_word(rng: random.Random, letters: str) -> str:
    """Return up to eight of these letters."""
    return "".join(rng.choices(letters, k=rng.randint(0, 8)))


def url(case: Case) -> str:
    """Return the URL of a case, a pair without value written in one of the two ways."""
    pairs = [
        f"{quote(name, safe='~')}={quote(value, safe='~')}" if value else quote(name, safe="~")
        for name, value in case["query"]
        if name
    ]
    query = f"?{'&'.join(pairs)}" if pairs else ""
    return f"{case['scheme']}://{case['host']}{case['path']}{query}"


def assert_signed_as_botocore(case: Case, signer: SigV4) -> None:
    """Sign a case twice (the second time from what is kept) and compare with botocore."""
    request = (case["credentials"], case["method"], url(case), case["headers"], case["body"])
    expected = botocore_signing.sign(signer, *request, case["when"])
    for _ in range(2):
        sent = signer.sign(*request, case["when"])
        assert sent["Authorization"] == expected["Authorization"]
        assert sent["X-Amz-Date"] == expected["X-Amz-Date"]
        assert sent.get("X-Amz-Security-Token") == expected.get("X-Amz-Security-Token")
        assert sent.get("X-Amz-Content-SHA256") == expected.get("X-Amz-Content-SHA256")


@pytest.mark.parametrize("seed", range(4))
def test_signs_as_botocore(seed: int) -> None:
    """1000 random requests are signed as botocore's ``SigV4Auth`` and ``S3SigV4Auth`` sign them."""
    rng = random.Random(seed)
    signers = {
        service: botocore_signing.header_signer(service, "eu-west-1") for service in SERVICES
    }
    for _ in range(250):
        case = random_case(rng)
        assert_signed_as_botocore(case, signers[case["service"]])


@pytest.mark.parametrize("seed", range(4))
def test_presigns_as_botocore(seed: int) -> None:
    """1000 random URLs are presigned as botocore's query signers do it, to the letter."""
    rng = random.Random(f"presign {seed}")
    for _ in range(250):
        case = random_case(rng)
        case["query"] = list(dict(case["query"]).items())  # botocore drops repeated names
        case["path"] = quote(case["path"], safe="/%~!$&'()*+,;=:@")
        signer = botocore_signing.header_signer(case["service"], "ap-south-1")
        request = (case["credentials"], case["method"], url(case), case["headers"])
        assert signer.presign(
            *request, expires=case["expires"], timestamp=case["when"]
        ) == botocore_signing.presign(signer, *request, case["expires"], case["when"])


@settings(max_examples=150, deadline=None)
@given(
    path=st.text(st.characters(codec="utf-8", exclude_characters="?#\r\n\t\0"), max_size=20),
    values=st.lists(
        st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"])), max_size=3
    ),
    body=st.binary(max_size=300),
    token=st.none() | st.text(string.ascii_letters, min_size=1),
)
def test_any_text_signs_as_botocore(
    path: str, values: list[str], body: bytes, token: str | None
) -> None:
    """Whatever text a path or header holds, a service's request is signed as by botocore."""
    case = {
        "credentials": Credentials("AKIDEXAMPLE", "secret", token),
        "method": "POST",
        "scheme": "https",
        "host": "sts.amazonaws.com",
        "path": "/" + "".join(letter for letter in path if letter.isprintable()),
        "query": [],
        "headers": [(f"x-amz-meta-{at}", value) for at, value in enumerate(values)],
        "body": body,
        "when": datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC),
    }
    assert_signed_as_botocore(case, SigV4("sts", "us-east-1"))


@settings(max_examples=100, deadline=None)
@given(
    seed=st.integers(0, 2**32), names=st.lists(st.sampled_from(HEADERS), unique=True, max_size=5)
)
def test_fast_way_equals_plain_steps(seed: int, names: list[str]) -> None:
    """`SigV4.authorize` gives what the specification's steps give one after the other."""
    rng = random.Random(seed)
    case = random_case(rng)
    headers = [(name, rng.choice(VALUES)) for name in names]
    query = url(case).partition("?")[2]
    credentials, when, host = case["credentials"], case["when"], "sts.amazonaws.com"
    signer = SigV4("sts", "us-east-1", sign_payload_header=rng.random() < 0.5)
    for _ in range(2):
        signed_fields = signer.authorize(
            credentials,
            case["method"],
            host,
            case["path"],
            query,
            headers,
            case["body"],
            when.timestamp(),
        )
    sent = pairs_of(signed_fields)
    lines, signed = canonical_headers([pair for pair in sent if pair[0] != "Authorization"])
    request = canonical_request(
        case["method"],
        canonical_path(case["path"]),
        canonical_query(query),
        lines,
        signed,
        hash_payload(case["body"]),
    )
    stamp = when.strftime("%Y%m%dT%H%M%SZ")
    scope = credential_scope(stamp[:8], "us-east-1", "sts")
    key = signing_key(credentials.secret_key, stamp[:8], "us-east-1", "sts")
    assert sent[: 1 + len(headers)] == [("Host", host), *headers]
    assert dict(sent)["Authorization"] == (
        f"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/{scope}, SignedHeaders={signed},"
        f" Signature={signature(key, string_to_sign(stamp, scope, request))}"
    )


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=30))
def test_canonical_query_is_stable(query: str) -> None:
    """A canonical query is its own canonical form, and ASCII."""
    once = canonical_query(query)
    assert canonical_query(once) == once
    assert once.isascii()
