"""Presigned URLs and forms, compared with botocore's for the same parameters and time."""

from __future__ import annotations

import asyncio
import json
from base64 import b64decode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

import botocore.auth
import botocore.session
import pytest
from botocore.config import Config

from generated.dynamodb import DynamoDB
from generated.ec2 import EC2
from generated.kinesis import Kinesis
from generated.lambda_ import Lambda
from generated.s3 import S3
from generated.sts import STS
from tests.conformance import models
from tests.support.written_transport import WrittenTransport
from tornado_aws import presigning
from tornado_aws.credentials import Credentials
from tornado_aws.exceptions import (
    ParamValidationError,
    UnsupportedOperationError,
)
from tornado_aws.protocols import rest_json
from tornado_aws.routes import Route
from tornado_aws.service import ServiceClient
from tornado_aws.signing import SigV4
from tornado_aws.transport import Response
from tornado_aws.urls import parse_base

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
KEY = {"Bucket": "bucket", "Key": "a b/ü+%.txt"}
CLIENTS: Mapping[str, type[ServiceClient]] = {
    "dynamodb": DynamoDB,
    "ec2": EC2,
    "kinesis": Kinesis,
    "lambda": Lambda,
    "s3": S3,
    "sts": STS,
}


@pytest.fixture(autouse=True)
def _one_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let both sides have the same time, and botocore sign in Python, which knows it."""
    monkeypatch.setattr("time.time", NOW.timestamp)
    for name, kind in (
        ("v4-query", botocore.auth.SigV4QueryAuth),
        ("s3v4-query", botocore.auth.S3SigV4QueryAuth),
        ("s3v4-presign-post", botocore.auth.S3SigV4PostAuth),
    ):
        monkeypatch.setitem(botocore.auth.AUTH_TYPE_MAPS, name, kind)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: NOW.replace(tzinfo=None))
    monkeypatch.setattr("botocore.signers.get_current_datetime", lambda: NOW.replace(tzinfo=None))


@lru_cache
def theirs(service: str, token: str | None = None) -> Any:
    """Return botocore's client."""
    session = botocore.session.Session()
    session.set_credentials("AKID", "secret", token)
    version = "s3v4" if service == "s3" else "v4"
    # With another style botocore signs for the global host of S3, which redirects.
    config = Config(signature_version=version, s3={"addressing_style": "virtual"})
    return session.create_client(service, region_name="eu-west-1", config=config)


def parsed(url: str) -> tuple[str, list[tuple[str, str]]]:
    """Return what a URL says: the order of a query's parameters has no meaning."""
    bare, _, query = url.partition("?")
    return bare, sorted(parse_qsl(query, keep_blank_values=True))


def ours(service: str, method: str, *args: Any, **options: Any) -> Any:
    """Return what a method of this library's client gives."""

    async def main() -> Any:
        credentials = options.pop("credentials", Credentials("AKID", "secret"))
        kind = CLIENTS[service]
        async with kind(region="eu-west-1", credentials=credentials, **options) as client:
            return await getattr(client, method)(*args)

    return asyncio.run(main())


CASES: list[tuple[str, str, Mapping[str, Any], int, str | None]] = [
    ("s3", "get_object", KEY, 3600, None),
    ("s3", "get_object", {**KEY, "ResponseContentType": "a/b c", "VersionId": "v"}, 60, None),
    ("s3", "get_object", {"Bucket": "not.a.host_", "Key": "//x/../y"}, 60, None),
    ("s3", "put_object", KEY, 3600, None),
    ("s3", "put_object", {**KEY, "ContentType": "x/y", "Metadata": {"a": "b"}}, 60, None),
    ("s3", "put_object", {**KEY, "ChecksumSHA256": "given"}, 60, None),
    ("s3", "head_object", KEY, 604800, "GET"),
    ("s3", "upload_part", {**KEY, "PartNumber": 7, "UploadId": "u/+="}, 60, None),
    ("s3", "list_objects_v2", {"Bucket": "bucket", "Prefix": "a b"}, 60, None),
    ("s3", "delete_object", KEY, 60, None),
    ("sts", "get_caller_identity", {}, 60, None),
    ("sts", "get_caller_identity", {}, 60, "GET"),
    ("sts", "assume_role", {"RoleArn": "arn:aws:iam::1:role/r", "RoleSessionName": "me"}, 1, None),
    ("ec2", "describe_instances", {"InstanceIds": ["i-1", "i-2"]}, 60, "GET"),
    ("ec2", "copy_snapshot", {"SourceRegion": "us-east-1", "SourceSnapshotId": "s"}, 60, None),
    ("lambda", "get_function", {"FunctionName": "f", "Qualifier": "q"}, 60, None),
]


@pytest.mark.parametrize(("service", "method", "params", "expires", "verb"), CASES)
@pytest.mark.parametrize("token", [None, "to/ken+"])
def test_urls_are_those_of_botocore(
    service: str,
    method: str,
    params: Mapping[str, Any],
    expires: int,
    verb: str | None,
    token: str | None,
) -> None:
    """With and without a session token."""
    expected = theirs(service, token).generate_presigned_url(method, dict(params), expires, verb)
    credentials = Credentials("AKID", "secret", token)
    made = ours(
        service, "generate_presigned_url", method, params, expires, verb, credentials=credentials
    )
    assert parsed(made) == parsed(expected)


def test_speech_of_polly_can_be_asked_for_by_url() -> None:
    """Parameters of a JSON body stand in the URL, a list once for each element."""
    params = {
        "OutputFormat": "mp3",
        "VoiceId": "Joanna",
        "Text": "a b/ü",
        "LexiconNames": ["x", "y"],
    }
    expected = theirs("polly").generate_presigned_url("synthesize_speech", params, 60, "GET")
    model = models.ours("polly")
    operation = model.operation(
        presigning.operation_named("synthesize_speech", list(model.operation_names))
    )
    made = presigning.presigned_url(
        Route(parse_base("https://polly.eu-west-1.amazonaws.com"), SigV4("polly", "eu-west-1"), []),
        rest_json.serializer(operation)(params),
        Credentials("AKID", "secret"),
        60,
        NOW.timestamp(),
        "GET",
    )
    assert parsed(made) == parsed(expected)


@pytest.mark.parametrize(
    ("fields", "conditions", "key"),
    [
        (None, None, "key"),
        ({"acl": "public-read"}, [{"acl": "public-read"}], "a/${filename}"),
        (None, [["content-length-range", 1, 9]], "ü"),
    ],
)
@pytest.mark.parametrize("token", [None, "token"])
def test_forms_are_those_of_botocore(
    fields: dict[str, str] | None, conditions: list[Any] | None, key: str, token: str | None
) -> None:
    """The policy may have its conditions in another order; then its signature is another one."""
    mutable = list(conditions) if conditions else None
    expected = theirs("s3", token).generate_presigned_post("bucket", key, fields, mutable, 60)
    credentials = Credentials("AKID", "secret", token)
    made = ours(
        "s3",
        "generate_presigned_post",
        *("bucket", key, fields, conditions, 60),
        credentials=credentials,
    )
    assert (made["url"], decoded(made)) == (expected["url"], decoded(expected))
    assert made == expected


def decoded(form: Any) -> Any:
    """Return the policy of a form."""
    return json.loads(b64decode(form["fields"]["policy"]))


def test_no_checksum_and_no_validation_is_asked_of_the_holder() -> None:
    """He does not know the body's when the URL is made."""
    for method in ("get_object", "put_object"):
        url = ours("s3", "generate_presigned_url", method, KEY)
        assert "SignedHeaders=host&" in url


def test_a_clock_that_is_known_to_be_wrong_is_corrected() -> None:
    """A URL made by it would be over when it begins, or not yet valid."""
    date = [("Date", formatdate((NOW + timedelta(hours=2)).timestamp(), usegmt=True))]
    skewed = Response(403, "", date, b"<Error><Code>RequestTimeTooSkewed</Code></Error>")
    transport = WrittenTransport(skewed, Response(200, "", []))

    async def main() -> tuple[str, str]:
        credentials = Credentials("AKID", "secret")
        async with S3(region="eu-west-1", credentials=credentials, transport=transport) as s3:
            await s3.delete_object(Bucket="bucket", Key="k")
            url = await s3.generate_presigned_url("get_object", KEY)
            form = await s3.generate_presigned_post("bucket", "k")
            return url, form["fields"]["x-amz-date"]

    url, stamp = asyncio.run(main())
    assert "X-Amz-Date=20260102T050405Z" in url
    assert stamp == "20260102T050405Z"


def test_a_url_ends_with_its_credentials() -> None:
    """What it says of its end is true."""
    soon = Credentials("AKID", "secret", "t", expiration=NOW + timedelta(seconds=90))
    url = ours("s3", "generate_presigned_url", "get_object", KEY, credentials=soon)
    assert "X-Amz-Expires=90&" in url


def test_arguments_that_do_not_fit_are_refused() -> None:
    """By name or by range; parameters are checked as for a call."""
    for arguments, text in (
        (("get_objekt", KEY), "no method 'get_objekt'"),
        (("GetObject", KEY), "no method 'GetObject'"),
        (("get_object", {"Bucket": "b"}), "Key"),
        (("get_object", KEY, 0), "1 to 604800"),
        (("get_object", KEY, 604801), "1 to 604800"),
    ):
        with pytest.raises(ParamValidationError, match=text):
            ours("s3", "generate_presigned_url", *arguments)


def test_only_s3_takes_forms() -> None:
    """Another client says so."""
    with pytest.raises(UnsupportedOperationError, match="STS takes no forms"):
        ours("sts", "generate_presigned_post", "bucket", "key")
    with pytest.raises(UnsupportedOperationError, match="Directory buckets take no forms"):
        ours("s3", "generate_presigned_post", "films--euw1-az1--x-s3", "key")
