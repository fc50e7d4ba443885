"""Transfers in parts on real servers."""

from __future__ import annotations

import asyncio
import io
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from examples.local_aws import LocalAWS
from generated.s3 import S3
from tornado_aws import exceptions, transfers

PART = 5 << 20
DATA = os.urandom(2 * PART + 12_345)


@pytest.fixture(params=["ministack", "moto"])
def server(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Options of a client of either server."""
    if request.param == "moto":
        url = request.getfixturevalue("moto_server")
        return {"endpoint": url, "region": "us-east-1", "access_key": "any", "secret_key": "key"}
    aws: LocalAWS = request.getfixturevalue("aws")
    return {
        "endpoint": aws.endpoint,
        "region": aws.region,
        "access_key": aws.access_key,
        "secret_key": aws.secret_key,
    }


def run(server: dict[str, Any], test: Callable[[S3, str], Awaitable[None]]) -> None:
    """Run a test with a client and a bucket of its own."""

    async def main() -> None:
        async with S3(**server) as s3:
            bucket = f"b{uuid4().hex}"
            await s3.create_bucket(Bucket=bucket)
            await test(s3, bucket)

    asyncio.run(main())


async def pieces() -> AsyncIterator[bytes]:
    """The data in pieces that fit no part."""
    for start in range(0, len(DATA), 999_999):
        yield DATA[start : start + 999_999]


SOURCES: dict[str, Callable[[Path], Any]] = {
    "bytes": lambda _: DATA,
    "path": lambda path: path,
    "text": str,
    "file": lambda _: io.BytesIO(DATA),
    "asynchronous": lambda _: pieces(),
}


@pytest.mark.parametrize("source", SOURCES)
def test_an_object_goes_up_and_comes_down_in_parts(
    server: dict[str, Any], source: str, tmp_path: Path
) -> None:
    """Headers are kept, progress adds up, and nothing is left beside the file."""
    path, target = tmp_path / "data", tmp_path / "copies" / "target"
    path.write_bytes(DATA)
    target.parent.mkdir()
    target.write_bytes(b"what was there before")

    async def main(s3: S3, bucket: str) -> None:
        up: list[int] = []
        down: list[int] = []
        where: Any = {"Bucket": bucket, "Key": "a b/ü"}
        done = await transfers.upload(
            s3,
            SOURCES[source](path),
            part_size=PART,
            progress=up.append,
            **where,
            ContentType="x/y",
            Metadata={"k": "v"},
        )
        assert done["ETag"].endswith('-3"')
        head = await transfers.download(s3, target, part_size=PART, progress=down.append, **where)
        assert (head["ContentType"], head["Metadata"]) == ("x/y", {"k": "v"})
        assert (sum(up), sum(down)) == (len(DATA), len(DATA))
        assert target.read_bytes() == DATA
        assert list(target.parent.iterdir()) == [target]
        assert "Uploads" not in await s3.list_multipart_uploads(Bucket=bucket)

    run(server, main)


@pytest.mark.parametrize("data", [b"", b"small"])
def test_small_objects_go_in_one_piece(server: dict[str, Any], data: bytes, tmp_path: Path) -> None:
    """There is no upload to begin or to complete."""

    async def main(s3: S3, bucket: str) -> None:
        where: Any = {"Bucket": bucket, "Key": "k"}
        done = await transfers.upload(s3, data, **where)
        assert "-" not in done["ETag"]
        await transfers.copy(s3, CopySource=where, Bucket=bucket, Key="l")
        await transfers.download(s3, tmp_path / "target", Bucket=bucket, Key="l")
        assert (tmp_path / "target").read_bytes() == data

    run(server, main)


def test_a_copy_in_parts_keeps_what_a_copy_in_one_piece_keeps(server: dict[str, Any]) -> None:
    """Content type and metadata come from the source unless they are to be replaced."""

    async def main(s3: S3, bucket: str) -> None:
        where: Any = {"Bucket": bucket, "Key": "a b+ü"}
        await s3.put_object(**where, Body=DATA, ContentType="x/y", Metadata={"k": "v"})
        done: list[int] = []
        await transfers.copy(
            s3, CopySource=where, part_size=PART, progress=done.append, Bucket=bucket, Key="kept"
        )
        await transfers.copy(
            s3,
            CopySource=where,
            part_size=PART,
            Bucket=bucket,
            Key="replaced",
            MetadataDirective="REPLACE",
            ContentType="z/z",
        )
        assert sum(done) == len(DATA)
        kept = await s3.get_object(Bucket=bucket, Key="kept")
        assert await kept["Body"].read() == DATA
        assert (kept["ContentType"], kept["Metadata"]) == ("x/y", {"k": "v"})
        replaced = await s3.head_object(Bucket=bucket, Key="replaced")
        assert (replaced["ContentType"], replaced["Metadata"]) == ("z/z", {})

    run(server, main)


def test_a_source_that_fails_leaves_no_parts(server: dict[str, Any]) -> None:
    """The error is the source's own, and the upload is gone."""

    async def breaks() -> AsyncIterator[bytes]:
        yield DATA
        raise OSError("the disk is gone")

    async def main(s3: S3, bucket: str) -> None:
        with pytest.raises(OSError, match="the disk is gone"):
            await transfers.upload(s3, breaks(), part_size=PART, Bucket=bucket, Key="k")
        assert "Uploads" not in await s3.list_multipart_uploads(Bucket=bucket)

    run(server, main)


def test_a_cancelled_upload_leaves_no_parts(server: dict[str, Any]) -> None:
    """Cancelling waits for the parts to be deleted."""

    async def main(s3: S3, bucket: str) -> None:
        arrived = asyncio.Event()

        async def stalls() -> AsyncIterator[bytes]:
            yield DATA
            await asyncio.Event().wait()

        task = asyncio.create_task(
            transfers.upload(
                s3,
                stalls(),
                part_size=PART,
                progress=lambda _: arrived.set(),
                Bucket=bucket,
                Key="k",
            )
        )
        await asyncio.wait_for(arrived.wait(), 20)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert "Uploads" not in await s3.list_multipart_uploads(Bucket=bucket)

    run(server, main)


def test_a_download_of_nothing_leaves_no_file(server: dict[str, Any], tmp_path: Path) -> None:
    """A file that was there stays as it was."""
    target = tmp_path / "target"
    target.write_bytes(b"old")

    async def main(s3: S3, bucket: str) -> None:
        with pytest.raises(exceptions.AWSError):
            await transfers.download(s3, target, Bucket=bucket, Key="none")

    run(server, main)
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]
