"""Where S3's requests go, and what its errors say of a bucket's region."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conformance import models
from tornado_aws import errors
from tornado_aws.customizations import Moved, s3_addressing
from tornado_aws.transport import Response

ARN = "arn:aws:s3:us-west-2:123456789012:accesspoint:mine"
MALFORMED = (
    b"<Error><Code>AuthorizationHeaderMalformed</Code><Message>The region 'us-east-1' is wrong;"
    b" expecting 'eu-west-1'</Message><Region>eu-west-1</Region></Error>"
)
HEADER = [("x-amz-bucket-region", "eu-west-1")]


def error(code: str) -> bytes:
    return f"<Error><Code>{code}</Code><Message>m</Message></Error>".encode()


def moved(operation: str, response: Response, **params: Any) -> Moved | None:
    return s3_addressing.moved_to(operation, params, response, errors.parse(response))


def test_the_bucket_is_taken_out_of_every_path() -> None:
    """The operation itself stays as it was; those without a bucket have no other."""
    model = models.ours("s3")
    for name in model.operation_names:
        operation = model.operation(name)
        changed = s3_addressing.without_bucket(operation)
        if "{Bucket}" in operation.request_uri:
            assert changed is not None
            assert operation.request_uri == "/{Bucket}" + changed.request_uri
            assert changed.input is operation.input
        else:
            assert changed is None


def test_addressing_is_the_clients_business_but_for_arns_and_locations() -> None:
    """An ARN is no part of a path; a bucket's location is asked at no bucket's own host."""
    ask = s3_addressing.endpoint_params
    assert ask("GetObject", {"Bucket": "b"}) == {}
    assert ask("ListBuckets", {}) == {}
    assert ask("GetObject", {"Bucket": ARN}) == {"ForcePathStyle": False}
    assert ask("GetBucketLocation", {"Bucket": "b"}) == {"ForcePathStyle": True}


@pytest.mark.parametrize(
    ("operation", "response", "region"),
    [
        ("GetObject", Response(301, "Moved", HEADER, error("PermanentRedirect")), "eu-west-1"),
        ("GetObject", Response(301, "Moved", [], error("PermanentRedirect")), None),
        ("GetObject", Response(307, "Moved", HEADER, error("TemporaryRedirect")), "eu-west-1"),
        ("GetObject", Response(400, "Bad", [], MALFORMED), "eu-west-1"),
        ("HeadObject", Response(301, "Moved", HEADER), "eu-west-1"),
        ("HeadObject", Response(400, "Bad", []), None),
        ("HeadBucket", Response(400, "Bad", HEADER), "eu-west-1"),
        (
            "PutObject",
            Response(400, "Bad", HEADER, error("IllegalLocationConstraintException")),
            "eu-west-1",
        ),
    ],
)
def test_errors_that_tell_of_another_region(
    operation: str, response: Response, region: str | None
) -> None:
    """What the answer does not say, a HEAD of the bucket will."""
    expected = Moved(region, "HeadBucket", {"Bucket": "b"}, "x-amz-bucket-region")
    assert moved(operation, response, Bucket="b") == expected


@pytest.mark.parametrize(
    ("operation", "response", "params"),
    [
        ("GetObject", Response(404, "Not Found", HEADER, error("NoSuchKey")), {"Bucket": "b"}),
        ("GetObject", Response(304, "Not Modified", HEADER), {"Bucket": "b"}),
        ("GetObject", Response(400, "Bad", HEADER), {"Bucket": "b"}),
        ("HeadBucket", Response(400, "Bad", []), {"Bucket": "b"}),
        ("GetObject", Response(301, "Moved", HEADER), {"Bucket": ARN}),
        ("ListBuckets", Response(301, "Moved", HEADER), {}),
        (
            "GetObject",
            Response(400, "Bad", HEADER, error("AuthorizationHeaderMalformed")),
            {"Bucket": "b"},
        ),
        (
            "CreateBucket",
            Response(400, "Bad", HEADER, error("IllegalLocationConstraintException")),
            {"Bucket": "b"},
        ),
    ],
)
def test_errors_that_do_not(operation: str, response: Response, params: dict[str, Any]) -> None:
    """An ARN says its region itself, and most errors are about something else."""
    assert moved(operation, response, **params) is None
