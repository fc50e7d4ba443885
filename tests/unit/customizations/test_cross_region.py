"""Copies from other regions; tests/conformance/test_wire.py compares their URLs with botocore's."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from generated.ec2 import EC2
from generated.rds import RDS
from tests.support.written_transport import WrittenTransport
from tornado_aws.exceptions import ParamValidationError
from tornado_aws.transport import Response

EC2_DONE = b"<CopySnapshotResponse><snapshotId>snap-2</snapshotId></CopySnapshotResponse>"
RDS_DONE = b"<CopyDBSnapshotResponse><CopyDBSnapshotResult/></CopyDBSnapshotResponse>"
OPTIONS: dict[str, Any] = {"region": "us-west-2", "access_key": "AKID", "secret_key": "secret"}


def sent(transport: WrittenTransport) -> dict[str, str]:
    """Return the form that was sent."""
    body = transport.requests[0].body
    assert isinstance(body, bytes)
    return dict(parse_qsl(body.decode()))


def copy_snapshot(**params: Any) -> dict[str, str]:
    """Return what EC2 is sent to copy a snapshot."""
    transport = WrittenTransport(Response(200, "OK", [], EC2_DONE))

    async def call() -> None:
        async with EC2(transport=transport, **OPTIONS) as ec2:
            await ec2.copy_snapshot(SourceSnapshotId="snap-1", **params)

    asyncio.run(call())
    return sent(transport)


def copy_db_snapshot(**params: Any) -> dict[str, str]:
    """Return what RDS is sent to copy a snapshot."""
    transport = WrittenTransport(Response(200, "OK", [], RDS_DONE))

    async def call() -> None:
        async with RDS(transport=transport, **OPTIONS) as rds:
            await rds.copy_db_snapshot(
                SourceDBSnapshotIdentifier="a", TargetDBSnapshotIdentifier="b", **params
            )

    asyncio.run(call())
    return sent(transport)


def test_a_snapshot_of_ec2_is_copied_with_a_url_of_its_region() -> None:
    """The URL asks the source's region for the same, signed there; the destination is sent too."""
    form = copy_snapshot(SourceRegion="eu-west-1", DestinationRegion="other")
    url = urlsplit(form["PresignedUrl"])
    asked = dict(parse_qsl(url.query))
    assert (url.netloc, form["DestinationRegion"]) == ("ec2.eu-west-1.amazonaws.com", "us-west-2")
    assert "/eu-west-1/ec2/aws4_request" in asked["X-Amz-Credential"]
    assert {name: asked[name] for name in form if name != "PresignedUrl"} == {
        name: value for name, value in form.items() if name != "PresignedUrl"
    }


def test_a_snapshot_of_rds_is_copied_without_its_region_in_the_request() -> None:
    """The region is not sent; the URL says where the copy goes."""
    form = copy_db_snapshot(SourceRegion="eu-west-1")
    asked = dict(parse_qsl(urlsplit(form["PreSignedUrl"]).query))
    assert "SourceRegion" not in {**form, **asked}
    assert asked["DestinationRegion"] == "us-west-2"


def test_a_url_that_is_given_is_sent() -> None:
    """Nothing is made anew, and nothing else is added."""
    given = {"SourceRegion": "eu-west-1", "PresignedUrl": "https://x", "DestinationRegion": "d"}
    form = copy_snapshot(**given)
    assert {name: form[name] for name in given} == given
    assert copy_db_snapshot(SourceRegion="eu-west-1", PreSignedUrl="x")["PreSignedUrl"] == "x"


def test_a_copy_within_the_region_needs_no_url() -> None:
    """Without a source region there is nothing to permit."""
    assert "PreSignedUrl" not in copy_db_snapshot()


def test_what_is_no_region_is_refused() -> None:
    """No URL is signed for another host."""
    with pytest.raises(ParamValidationError, match="SourceRegion: 'evil"):
        copy_snapshot(SourceRegion="evil.com/")
