"""Checksums: known values, their rules, and what botocore sends for the same parameters."""

from __future__ import annotations

import asyncio
import copy
from base64 import b64encode
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import botocore.session
import pytest
from botocore import UNSIGNED
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.httpchecksum import _CHECKSUM_CLS

from tests.conformance import models, oracle
from tornado_aws import checksums
from tornado_aws.downloads import download
from tornado_aws.exceptions import ParamValidationError, ReadError, UnsupportedOperationError
from tornado_aws.protocols import HTTPParts, load
from tornado_aws.routes import Route
from tornado_aws.uploads import upload
from tornado_aws.urls import parse_base

DIGITS = b"123456789"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CRC32", "cbf43926"),
        ("CRC32C", "e3069283"),
        ("CRC64NVME", "ae8b14860a799888"),
        ("MD5", "25f9e794323b453885f5181f1b624d0b"),
        ("SHA1", "f7c3bc1d808e04732adf679965ccc34ca7ae3441"),
        ("SHA256", "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225"),
    ],
)
def test_the_check_values_of_the_algorithms(name: str, value: str) -> None:
    """Of the digits one to nine, in one piece and in two."""
    kind = crt(name)
    assert kind.of(DIGITS) == b64encode(bytes.fromhex(value)).decode()
    checksum = kind.new()
    checksum.update(DIGITS[:4])
    checksum.update(memoryview(DIGITS)[4:])
    assert checksum.digest() == checksum.digest() == bytes.fromhex(value)


@pytest.mark.parametrize("name", ["XXHASH64", "XXHASH3", "XXHASH128", "SHA512"])
def test_the_other_algorithms_agree_with_botocore(name: str) -> None:
    """Where botocore has them."""
    reference = _CHECKSUM_CLS.get(name.lower())
    if reference is None:
        pytest.skip("botocore has no awscrt here")
    assert crt(name).of(DIGITS) == reference().handle(DIGITS)


def crt(name: str) -> checksums.Algorithm:
    """Return an algorithm; skip the test where awscrt is missing."""
    try:
        return checksums.algorithm(name)
    except UnsupportedOperationError:
        pytest.skip("awscrt is not installed")


def test_without_awscrt_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """The others work, and a response's checksum of that kind is passed over."""
    monkeypatch.setattr(checksums, "find_spec", lambda _: None)
    with pytest.raises(UnsupportedOperationError, match=r"tornado-aws\[crt\]"):
        checksums.algorithm("CRC64NVME")
    assert checksums.algorithm("CRC32").name == "CRC32"
    rule = checksums.ResponseRule("ChecksumMode", ["CRC64NVME", "CRC32"])
    headers = {"x-amz-checksum-crc64nvme": "AAAAAAAAAAA=", "x-amz-checksum-crc32": "AAAAAA=="}
    made = checksums.verifier(rule, headers)
    assert made is not None
    made.verify()


def test_an_unknown_algorithm_is_refused_with_the_known_ones() -> None:
    """The name comes from a caller's parameter."""
    with pytest.raises(ParamValidationError, match=r"'CRC7'.*CRC32, SHA1"):
        checksums.algorithm("CRC7")


def test_the_preferred_checksum_of_a_response_is_verified() -> None:
    """Of several the first in order; of composite ones none."""
    rule = checksums.ResponseRule("ChecksumMode", ["CRC32", "SHA256"])
    right, wrong = checksums.algorithm("CRC32").of(DIGITS), "AAAA"
    both = {"x-amz-checksum-crc32": right, "x-amz-checksum-sha256": wrong}
    made = checksums.verifier(rule, both)
    assert made is not None
    made.update(DIGITS)
    made.verify()
    second = checksums.verifier(rule, {**both, "x-amz-checksum-crc32": f"{right}-2"})
    assert second is not None
    with pytest.raises(ReadError, match="SHA256"):
        second.verify()
    assert checksums.verifier(rule, {"x-amz-checksum-sha256": f"{right}-2"}) is None


# --- what is sent, compared with botocore ---------------------------------------------------------

KEY = {"Bucket": "bucket", "Key": "key"}
TAGS = {"TagSet": [{"Key": "a", "Value": "b"}]}
CASES: list[tuple[str, str, Mapping[str, Any]]] = [
    ("s3", "PutObject", {**KEY, "Body": b"body"}),
    ("s3", "PutObject", {**KEY, "Body": "ü"}),
    ("s3", "PutObject", KEY),
    ("s3", "PutObject", {**KEY, "Body": b"body", "ChecksumAlgorithm": "SHA256"}),
    ("s3", "PutObject", {**KEY, "Body": b"body", "ChecksumAlgorithm": "CRC64NVME"}),
    ("s3", "PutObject", {**KEY, "Body": b"body", "ChecksumSHA1": "given"}),
    ("s3", "PutObject", {**KEY, "Body": b"body", "ContentMD5": "given"}),
    ("s3", "UploadPart", {**KEY, "Body": b"part", "PartNumber": 1, "UploadId": "u"}),
    ("s3", "DeleteObjects", {"Bucket": "bucket", "Delete": {"Objects": [{"Key": "k"}]}}),
    ("s3", "PutBucketTagging", {"Bucket": "bucket", "Tagging": TAGS}),
    ("s3", "PutObjectTagging", {**KEY, "Tagging": TAGS, "ChecksumAlgorithm": "SHA1"}),
    ("s3", "CreateMultipartUpload", KEY),
    ("s3", "CopyObject", {**KEY, "CopySource": "bucket/other"}),
    ("s3", "GetObject", KEY),
    ("s3", "HeadObject", KEY),
    (
        "s3control",
        "PutJobTagging",
        {"AccountId": "123456789012", "JobId": "12345", "Tags": [{"Key": "a", "Value": "b"}]},
    ),
    ("lambda", "Invoke", {"FunctionName": "f", "Payload": b"{}"}),
]


def prepared(service: str, name: str, params: Mapping[str, Any], **settings: str) -> HTTPParts:
    """Return what is sent over plain HTTP, unsigned, as `sent_by_botocore` does it."""
    operation = models.ours(service).operation(name)
    given = dict(params)
    protocol = load(models.ours(service).metadata)
    if (receiving := download(operation, protocol)) is not None:
        given = dict(receiving.ask(given, settings.get("validation", "when_supported")))
    parts = protocol.serializer(operation)(given)
    sending = upload(operation, protocol)
    if sending is None:
        return parts
    route = Route(parse_base(oracle.ENDPOINT), None, [])
    when = settings.get("calculation", "when_supported")
    return asyncio.run(sending.prepare(parts, given, route, when))


@pytest.mark.parametrize(("service", "name", "params"), CASES)
def test_checksum_headers_are_those_of_botocore(
    service: str, name: str, params: Mapping[str, Any]
) -> None:
    """By default, by name and given by the caller; the body is the same, too."""
    headers, body = sent_by_botocore(service, name, params)
    ours = prepared(service, name, params)
    assert about_checksums(dict(ours.headers)) == about_checksums(headers)
    assert (ours.body or b"") == body


def sent_by_botocore(
    service: str, name: str, params: Mapping[str, Any]
) -> tuple[dict[str, str], bytes]:
    """Return headers and body of what botocore's client sends over plain HTTP, unsigned."""
    client = botocore_client(service)
    caught: list[AWSPreparedRequest] = []

    def answer(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        caught.append(request)
        return AWSResponse(request.url, 500, {}, oracle.RawBody())

    client.meta.events.register("before-send", answer)
    try:
        with pytest.raises(ClientError):
            client._make_api_call(name, copy.deepcopy(dict(params)))
    finally:
        client.meta.events.unregister("before-send", answer)
    return oracle.own_headers(caught[0].headers.items()), oracle.body_bytes(caught[0].body)


@lru_cache
def botocore_client(service: str) -> Any:
    return botocore.session.Session().create_client(
        service,
        region_name="us-east-1",
        endpoint_url=oracle.ENDPOINT,
        config=Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1}),
    )


def about_checksums(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that are about checksums."""
    lower = {name.lower(): value for name, value in headers.items()}
    return {
        name: value
        for name, value in lower.items()
        if "checksum" in name or name in ("content-md5", "x-amz-trailer")
    }


def test_checksums_only_where_they_are_required() -> None:
    """With both settings at when_required."""
    settings = {"calculation": "when_required", "validation": "when_required"}
    put = prepared("s3", "PutObject", {**KEY, "Body": b"body"}, **settings)
    assert about_checksums(dict(put.headers)) == {}
    assert about_checksums(dict(prepared("s3", "GetObject", KEY, **settings).headers)) == {}
    asked = {**KEY, "ChecksumMode": "ENABLED"}
    assert about_checksums(dict(prepared("s3", "GetObject", asked, **settings).headers)) == {
        "x-amz-checksum-mode": "ENABLED"
    }
    delete = prepared("s3", "DeleteObjects", {"Bucket": "b", "Delete": {"Objects": []}}, **settings)
    assert "x-amz-checksum-crc32" in about_checksums(dict(delete.headers))
