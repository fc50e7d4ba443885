"""S3 on real servers: awkward keys, copies, parts, conditions, metadata."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from generated.s3 import S3
from tests.integration.conftest import Server
from tornado_aws import exceptions

KEYS = [
    *("plain", "a//b", "//double", "a/../b", "..", "./a", "trailing/", "/leading"),
    *("a+b", "a%20b", "a%2Fb", "100%", "a b", " around ", "a&b=c?d#e", "a;b:c@d,e$f!g"),
    *("grüße/東京/🚀", "e\u0301", "'single'\"double\"", "(a)*~_-.", "<xml>&amp;", "back\\slash"),
    *("^[caret]{brace}|`", "x" * 200),
]


def run(server: Server, test: Callable[[S3, str], Awaitable[None]], **options: Any) -> None:
    """Run a test with a client and a bucket of its own."""

    async def main() -> None:
        async with S3(**{**server, **options}) as s3:
            bucket = f"b{uuid4().hex}"
            await s3.create_bucket(Bucket=bucket)
            await test(s3, bucket)

    asyncio.run(main())


async def read(s3: S3, **params: Any) -> bytes:
    result = await s3.get_object(**params)
    return await result["Body"].read()


def test_keys_come_back_as_they_were_given(server: Server) -> None:
    """Whatever is in a key: put, found in the listing, read, copied and deleted."""

    async def main(s3: S3, bucket: str) -> None:
        for key in KEYS:
            await s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
        listed = await s3.list_objects_v2(Bucket=bucket)
        assert sorted(item["Key"] for item in listed["Contents"]) == sorted(KEYS)
        for key in KEYS:
            assert await read(s3, Bucket=bucket, Key=key) == key.encode(), key
            source: Any = {"Bucket": bucket, "Key": key}
            await s3.copy_object(Bucket=bucket, Key=f"copies/{key}", CopySource=source)
            assert await read(s3, Bucket=bucket, Key=f"copies/{key}") == key.encode(), key
            await s3.delete_object(Bucket=bucket, Key=key)
            with pytest.raises(S3.exceptions.NoSuchKey):
                await s3.get_object(Bucket=bucket, Key=key)

    run(server, main)


def test_many_keys_are_deleted_in_one_request(server: Server) -> None:
    """The keys are in the body, with a checksum of it in a header."""

    async def main(s3: S3, bucket: str) -> None:
        for key in KEYS:
            await s3.put_object(Bucket=bucket, Key=key, Body=b"x")
        objects: Any = [{"Key": key} for key in KEYS]
        result = await s3.delete_objects(Bucket=bucket, Delete={"Objects": objects})
        assert sorted(item["Key"] for item in result["Deleted"]) == sorted(KEYS)
        assert "Contents" not in await s3.list_objects_v2(Bucket=bucket)

    run(server, main)


def test_listings_have_pages_and_prefixes(server: Server) -> None:
    """A prefix, a delimiter and a token may hold what keys hold."""

    async def main(s3: S3, bucket: str) -> None:
        keys = [f"ü +%/{number:02}/&" for number in range(7)]
        for key in keys:
            await s3.put_object(Bucket=bucket, Key=key, Body=b"")
        found = []
        pages = s3.paginate_list_objects_v2(
            Bucket=bucket, Prefix="ü +%/", PaginationConfig={"PageSize": 3}
        )
        async for page in pages:
            found += [item["Key"] for item in page["Contents"]]
        assert found == keys
        listed = await s3.list_objects_v2(Bucket=bucket, Delimiter="/")
        assert [each["Prefix"] for each in listed["CommonPrefixes"]] == ["ü +%/"]

    run(server, main)


def test_metadata_and_headers_come_back(server: Server) -> None:
    """Names of metadata are lower case, as S3 keeps them."""

    async def main(s3: S3, bucket: str) -> None:
        await s3.put_object(
            Bucket=bucket,
            Key="k",
            Body=b"data",
            ContentType="text/x-test; charset=utf-8",
            CacheControl="no-store",
            ContentDisposition='attachment; filename="a b.txt"',
            Metadata={"one": "1", "two-words": "a, b  c"},
        )
        head = await s3.head_object(Bucket=bucket, Key="k")
        assert head["Metadata"] == {"one": "1", "two-words": "a, b  c"}
        assert head["ContentType"] == "text/x-test; charset=utf-8"
        assert head["CacheControl"] == "no-store"
        assert head["ContentDisposition"] == 'attachment; filename="a b.txt"'
        assert head["ContentLength"] == 4
        assert head["ETag"] == f'"{hashlib.md5(b"data").hexdigest()}"'
        assert abs(head["LastModified"] - datetime.now(UTC)) < timedelta(minutes=5)

    run(server, main)


def test_metadata_must_be_ascii(ministack: Server) -> None:
    """It is refused here, since headers cannot carry it."""

    async def main(s3: S3, bucket: str) -> None:
        with pytest.raises(exceptions.ParamValidationError, match="Metadata"):
            await s3.put_object(Bucket=bucket, Key="k", Body=b"", Metadata={"a": "ü"})

    run(ministack, main)


def test_conditions_are_sent_and_their_refusals_raised(server: Server) -> None:
    """A 304 is an error with the status for its code, as botocore has it."""

    async def main(s3: S3, bucket: str) -> None:
        stored = await s3.put_object(Bucket=bucket, Key="k", Body=b"data")
        assert await read(s3, Bucket=bucket, Key="k", IfMatch=stored["ETag"]) == b"data"
        with pytest.raises(exceptions.AWSError) as caught:
            await s3.get_object(Bucket=bucket, Key="k", IfNoneMatch=stored["ETag"])
        assert (caught.value.code, caught.value.status_code) == ("304", 304)
        with pytest.raises(exceptions.AWSError) as caught:
            await s3.get_object(Bucket=bucket, Key="k", IfMatch='"other"')
        assert (caught.value.code, caught.value.status_code) == ("PreconditionFailed", 412)
        with pytest.raises(exceptions.AWSError) as caught:
            await s3.put_object(Bucket=bucket, Key="k", Body=b"", IfNoneMatch="*")
        assert caught.value.code == "PreconditionFailed"

    run(server, main)


def test_ranges_are_read(server: Server) -> None:
    """Only the range comes, and the result tells which it is."""

    async def main(s3: S3, bucket: str) -> None:
        await s3.put_object(Bucket=bucket, Key="k", Body=b"0123456789")
        result = await s3.get_object(Bucket=bucket, Key="k", Range="bytes=2-4")
        assert await result["Body"].read() == b"234"
        assert result["ContentRange"] == "bytes 2-4/10"

    run(server, main)


def test_errors_without_a_body_are_errors(server: Server) -> None:
    """The answer to HEAD cannot say more than its status."""

    async def main(s3: S3, bucket: str) -> None:
        with pytest.raises(exceptions.AWSError) as caught:
            await s3.head_object(Bucket=bucket, Key="none")
        assert (caught.value.code, caught.value.status_code) == ("404", 404)
        with pytest.raises(S3.exceptions.NoSuchBucket):
            await s3.list_objects_v2(Bucket=f"b{uuid4().hex}")

    run(server, main)


def test_parts_become_an_object(server: Server) -> None:
    """An upload in parts, one of them a copy, is completed, and another is given up."""
    data = bytes(5 << 20)

    async def main(s3: S3, bucket: str) -> None:
        key = "a b/ü+%"
        await s3.put_object(Bucket=bucket, Key="source +", Body=data)
        upload: dict[str, Any] = {
            "Bucket": bucket,
            "Key": key,
            "UploadId": (await s3.create_multipart_upload(Bucket=bucket, Key=key))["UploadId"],
        }
        first = await s3.upload_part(**upload, PartNumber=1, Body=data)
        second = await s3.upload_part_copy(**upload, PartNumber=2, CopySource=f"{bucket}/source +")
        third = await s3.upload_part(**upload, PartNumber=3, Body=b"end")
        tags = [first["ETag"], second["CopyPartResult"]["ETag"], third["ETag"]]
        parts: Any = [{"PartNumber": number, "ETag": tag} for number, tag in enumerate(tags, 1)]
        listed = await s3.list_parts(**upload)
        assert [part["PartNumber"] for part in listed["Parts"]] == [1, 2, 3]
        done = await s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
        assert done["Key"] == key
        head = await s3.head_object(Bucket=bucket, Key=key)
        assert head["ContentLength"] == 2 * len(data) + 3
        other = await s3.create_multipart_upload(Bucket=bucket, Key=key)
        await s3.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=other["UploadId"])
        assert "Uploads" not in await s3.list_multipart_uploads(Bucket=bucket)

    run(server, main)


def test_the_region_of_a_bucket_is_found_in_its_location(server: Server) -> None:
    """None stands for us-east-1."""

    async def main(s3: S3, bucket: str) -> None:
        assert (await s3.get_bucket_location(Bucket=bucket))["LocationConstraint"] is None

    run(server, main)


def test_documents_of_buckets_are_sent_with_their_checksum(server: Server) -> None:
    """Tags and life cycles are XML, and S3 wants a checksum of it."""

    async def main(s3: S3, bucket: str) -> None:
        tags: Any = {"TagSet": [{"Key": "a & b", "Value": "<ü>"}]}
        await s3.put_bucket_tagging(Bucket=bucket, Tagging=tags)
        assert (await s3.get_bucket_tagging(Bucket=bucket))["TagSet"] == tags["TagSet"]

    run(server, main)
