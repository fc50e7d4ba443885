"""Transfers in parts, against a small S3 in memory that fails where a test wants it."""

from __future__ import annotations

import asyncio
import os
import re
import threading
import tracemalloc
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from itertools import islice, repeat
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generated.dynamodb import DynamoDB
from generated.s3 import S3
from tests.support.written_transport import header
from tornado_aws import exceptions, file_download, transfers
from tornado_aws.bodies import open_body
from tornado_aws.checksums import algorithm
from tornado_aws.exceptions import ParamValidationError, ReadError
from tornado_aws.transport import PoolStats, Request, Response, Timeouts

PART = 5 << 20
DATA = bytes(range(256)) * (2 * PART // 256) + b"the end"
WHERE: Any = {"Bucket": "b", "Key": "k"}


class Stream:
    """A body in pieces; one that is no bytes breaks it off."""

    def __init__(self, *pieces: bytes | None) -> None:
        self._pieces = list(pieces)

    async def read_chunk(self) -> bytes:
        piece = self._pieces.pop(0) if self._pieces else b""
        if piece is None:
            raise ReadError("broken", error="reset")
        return piece

    def close(self) -> None:
        self._pieces.clear()


class MemoryS3:
    """One object, and one upload of it.

    Attributes:
        log: what was asked, as ``PUT 1`` (a part), ``POST`` (an upload) and the like.
        requests: the requests.
        fails: asked about each entry of the log; True refuses it.
        breaks: asked about each range; a number ends its body after so many bytes.
        together: how many parts have to be under way before any is answered.
        most: the most requests that were under way at once.
    """

    def __init__(self, data: bytes = DATA) -> None:
        self.data = data
        self.log: list[str] = []
        self.requests: list[Request] = []
        self.fails: Callable[[str], bool] = lambda _: False
        self.breaks: Callable[[str], int | None] = lambda _: None
        self.headers: list[tuple[str, str]] = []
        self.part_headers: list[tuple[str, str]] = []
        self.together = 1
        self._enough = asyncio.Event()
        self.most = 0
        self._now = 0

    async def send(self, request: Request, timeouts: Timeouts) -> Response:
        number = re.search(r"partNumber=([0-9]+)", request.target)
        entry = f"{request.method} {number[1] if number else ''}".strip()
        self.log.append(entry)
        self.requests.append(request)
        self._now += 1
        self.most = max(self.most, self._now)
        try:
            if self.most >= self.together:
                self._enough.set()
            if request.method == "PUT":
                await asyncio.wait_for(self._enough.wait(), 10)
            if self.fails(entry):
                return Response(403, "Forbidden", [], b"<Error><Code>AccessDenied</Code></Error>")
            return self._answer(request)
        finally:
            self._now -= 1

    def _answer(self, request: Request) -> Response:
        if request.method == "HEAD":
            length = ("Content-Length", str(len(self.data)))
            return Response(200, "OK", [length, ("ETag", '"e"'), *self.headers])
        if request.method == "GET":
            return self._range(header(request, "Range"))
        if request.method == "POST" and "uploads" in request.target:
            upload = b"<X><UploadId>U</UploadId><ChecksumType>FULL_OBJECT</ChecksumType></X>"
            return Response(200, "OK", [("x-amz-checksum-type", "FULL_OBJECT")], upload)
        if header(request, "x-amz-copy-source"):
            return Response(200, "OK", [], b"<X><ETag>t</ETag></X>")
        return Response(200, "OK", [("ETag", "t")], b"<X/>" if request.method == "POST" else b"")

    def _range(self, wanted: str) -> Response:
        start, last = map(int, wanted.removeprefix("bytes=").split("-"))
        data = self.data[start : last + 1]
        end = self.breaks(wanted)
        stream = Stream(data) if end is None else Stream(data[:end] or None, None)
        headers = [
            ("Content-Length", str(len(data))),
            ("Content-Range", f"bytes {start}-{last}/{len(self.data)}"),
            *self.part_headers,
        ]
        return Response(206, "Partial Content", headers, b"", stream)

    def close(self) -> None:
        """There is nothing to close."""

    def stats(self) -> PoolStats:
        raise NotImplementedError


def run(memory: MemoryS3, test: Callable[[S3], Coroutine[Any, Any, Any]], **options: Any) -> Any:
    async def main() -> Any:
        keys: Any = {"access_key": "AKID", "secret_key": "SECRET", "region": "us-east-1"}
        async with S3(transport=memory, **keys, **options) as s3:
            return await test(s3)

    return asyncio.run(main())


def upload(memory: MemoryS3, source: Any = DATA, **params: Any) -> Any:
    return run(
        memory,
        lambda s3: transfers.upload(s3, source, **{"part_size": PART, **WHERE, **params}),
        max_attempts=1,
    )


def download(memory: MemoryS3, target: Path, **params: Any) -> Any:
    return run(
        memory,
        lambda s3: transfers.download(s3, target, **{"part_size": PART, **WHERE, **params}),
        max_attempts=1,
    )


# --- uploads --------------------------------------------------------------------------------------


def test_parts_are_sent_between_the_beginning_and_the_end() -> None:
    """Each operation gets the parameters that it knows, and the whole has a checksum."""
    memory = MemoryS3()
    upload(memory, ContentType="x/y", ExpectedBucketOwner="123456789012")
    assert memory.log[0] == memory.log[-1] == "POST"
    assert sorted(memory.log[1:-1]) == ["PUT 1", "PUT 2", "PUT 3"]
    created, *parts, completed = memory.requests
    assert header(created, "Content-Type") == "x/y"
    assert header(created, "x-amz-checksum-algorithm") == "CRC32"
    assert header(created, "x-amz-checksum-type") == "FULL_OBJECT"
    assert {header(each, "Content-Type") for each in parts} == {""}
    assert {header(each, "x-amz-expected-bucket-owner") for each in memory.requests} == {
        "123456789012"
    }
    assert b"".join(bytes(each.body) for each in sorted(parts, key=lambda each: each.target)) == (  # type: ignore[arg-type]
        DATA
    )
    assert header(completed, "x-amz-checksum-type") == "FULL_OBJECT"
    assert isinstance(completed.body, bytes)
    assert re.findall(rb"<PartNumber>([0-9])", completed.body) == [b"1", b"2", b"3"]


def test_no_checksum_is_asked_for_where_none_is_wanted() -> None:
    """Servers that know none need the setting."""
    memory = MemoryS3()

    async def main(s3: S3) -> None:
        await transfers.upload(s3, DATA, part_size=PART, **WHERE)

    run(memory, main, request_checksum_calculation="when_required")
    assert header(memory.requests[0], "x-amz-checksum-algorithm") == ""
    memory = MemoryS3()
    upload(memory, ChecksumAlgorithm="SHA256")
    assert header(memory.requests[0], "x-amz-checksum-algorithm") == "SHA256"
    assert header(memory.requests[0], "x-amz-checksum-type") == ""


def test_a_checksum_given_is_that_of_the_whole() -> None:
    """Parts have their own, by the same algorithm."""
    memory = MemoryS3()
    upload(memory, ChecksumSHA1="of the whole")
    created, *parts, completed = memory.requests
    assert header(created, "x-amz-checksum-algorithm") == "SHA1"
    assert header(created, "x-amz-checksum-type") == "FULL_OBJECT"
    assert header(completed, "x-amz-checksum-sha1") == "of the whole"
    parts.sort(key=lambda each: each.target)
    assert [header(each, "x-amz-checksum-sha1") for each in parts] == [
        algorithm("SHA1").of(DATA[start : start + PART]) for start in range(0, len(DATA), PART)
    ]


@pytest.mark.parametrize("name", ["ContentMD5", "WriteOffsetBytes"])
def test_what_parts_cannot_do_is_refused(name: str) -> None:
    """It would be demanded of each part, or of none."""
    memory = MemoryS3()
    with pytest.raises(ParamValidationError, match=name):
        upload(memory, **{name: "x"})
    assert memory.log == []
    upload(memory, b"small", ContentMD5="x")
    assert header(memory.requests[0], "Content-MD5") == "x"


@pytest.mark.parametrize("concurrency", [1, 2, 3])
def test_no_more_parts_are_under_way_than_wanted(concurrency: int) -> None:
    """Memory is bounded by it: the next part is read when there is room."""
    memory = MemoryS3()
    memory.together = concurrency
    upload(memory, concurrency=concurrency)
    assert memory.most == concurrency


def peak_of_an_upload(concurrency: int) -> int:
    """Return how many bytes an upload of twelve parts holds at most."""

    async def source() -> AsyncIterator[bytes]:
        for _ in range(12 * (PART >> 18)):
            yield bytes(1 << 18)

    async def send(request: Request, timeouts: Timeouts) -> Response:
        for _ in range(3):
            await asyncio.sleep(0)
        answer = await MemoryS3.send(memory, request, timeouts)
        memory.requests.clear()
        return answer

    memory = MemoryS3()
    memory.send = send  # type: ignore[method-assign]
    tracemalloc.start()
    try:
        upload(memory, source(), concurrency=concurrency, ChecksumAlgorithm="CRC32")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert memory.log.count("POST") == 2
    assert len(memory.log) == 14
    return peak


@pytest.mark.parametrize("concurrency", [1, 3])
def test_parts_in_memory_are_bounded(concurrency: int) -> None:
    """Of a source that is no file, two parts more are held than are sent at a time."""
    upload(MemoryS3(), b"what is imported at a first upload")
    # A thread that has computed a checksum may keep its part for a moment longer.
    peak = min(peak_of_an_upload(concurrency) for _ in range(3))
    assert peak < (concurrency + 2.4) * PART


@pytest.mark.parametrize("entry", ["PUT 1", "PUT 3"])
def test_a_part_that_fails_ends_the_upload(entry: str) -> None:
    """The error is the part's own, and the other parts are deleted."""
    memory = MemoryS3()
    memory.fails = lambda asked: asked == entry
    with pytest.raises(exceptions.AWSError, match="AccessDenied") as caught:
        upload(memory)
    assert memory.log[-1] == "DELETE"
    assert "uploadId=U" in memory.requests[-1].target
    assert not hasattr(caught.value, "__notes__")


def test_parts_that_cannot_be_deleted_are_told_of() -> None:
    """The first error is raised, with a note."""
    memory = MemoryS3()
    memory.fails = lambda asked: asked in ("PUT 2", "DELETE")
    with pytest.raises(exceptions.AWSError) as caught:
        upload(memory)
    (note,) = caught.value.__notes__
    assert note.startswith("Parts of the upload U may be left: ")


def test_an_upload_that_cannot_be_completed_is_given_up() -> None:
    """What is not complete leaves nothing behind."""
    memory = MemoryS3()
    memory.fails = lambda asked: asked == "POST" and len(memory.log) > 1
    with pytest.raises(exceptions.AWSError):
        upload(memory)
    assert memory.log[-1] == "DELETE"


@pytest.mark.parametrize("fails", [False, True])
def test_an_upload_that_is_cancelled_while_it_is_created_is_deleted(fails: bool) -> None:
    """It is there when its creation is answered, and nobody else would learn its id."""
    asked, answered = asyncio.Event(), asyncio.Event()

    class Slow(MemoryS3):
        async def send(self, request: Request, timeouts: Timeouts) -> Response:
            response = await super().send(request, timeouts)
            if request.method == "POST":
                asked.set()
                await answered.wait()
            return response

    memory = Slow()
    memory.fails = lambda asked: fails

    async def main(s3: S3) -> None:
        task = asyncio.create_task(transfers.upload(s3, DATA, part_size=PART, **WHERE))
        await asked.wait()
        task.cancel()
        await asyncio.sleep(0)
        answered.set()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(memory, main, max_attempts=1)
    assert memory.log == (["POST"] if fails else ["POST", "DELETE"])


def test_an_upload_that_does_not_begin_leaves_nothing_to_give_up() -> None:
    """Nothing is deleted then."""
    memory = MemoryS3()
    memory.fails = lambda asked: True
    with pytest.raises(exceptions.AWSError):
        upload(memory)
    assert memory.log == ["POST"]


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({"part_size": PART - 1}, "part_size is 5242879"),
        ({"concurrency": 0}, "concurrency is 0"),
        ({"Metadaten": {}}, "Metadaten: there is no such parameter"),
        ({"Body": b"another"}, "Body: the source is the body"),
        (
            {"ContentLength": 7, "Range": "x"},
            ": the source says .*\n  Range: the whole",
        ),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_sent(
    params: dict[str, Any], text: str
) -> None:
    """The text says what was wrong."""
    memory = MemoryS3()
    with pytest.raises(ParamValidationError, match=text):
        upload(memory, **params)
    assert memory.log == []


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.binary(max_size=40), max_size=12),
    st.integers(min_value=1, max_value=30),
)
def test_any_pieces_become_parts_of_their_size(pieces: list[bytes], size: int) -> None:
    """Nothing is lost, only the last part may be short, and only a lone one empty."""

    async def main() -> list[bytes]:
        body = await open_body(pieces)
        return [part async for part in transfers._parts(body, repeat(size))]

    parts = asyncio.run(main())
    assert b"".join(parts) == b"".join(pieces)
    assert all(len(part) == size for part in parts[:-1])
    assert 0 < len(parts[-1]) <= size or parts == [b""]


def test_parts_are_put_together_off_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """That takes a millisecond for each megabyte."""

    async def source() -> AsyncIterator[bytes]:
        yield bytes(25)

    async def main() -> int:
        loop = asyncio.get_running_loop()
        steps = 0
        run_in_executor = loop.run_in_executor

        def counted(*args: Any) -> Any:
            nonlocal steps
            steps += 1
            return run_in_executor(*args)

        monkeypatch.setattr(loop, "run_in_executor", counted)
        body = await open_body(source())
        assert [len(part) async for part in transfers._parts(body, repeat(10))] == [10, 10, 5]
        return steps

    assert asyncio.run(main()) == 3


def test_a_source_is_ended_when_its_upload_fails() -> None:
    """What it holds open is not left to whoever drops it."""
    memory = MemoryS3()
    memory.fails = lambda asked: asked == "PUT 1"
    ended = False

    async def source() -> AsyncIterator[bytes]:
        nonlocal ended
        try:
            while True:
                yield bytes(PART)
        finally:
            ended = True

    async def main(s3: S3) -> None:
        kept = source()
        with pytest.raises(exceptions.AWSError):
            await transfers.upload(s3, kept, part_size=PART, **WHERE)
        assert ended

    run(memory, main)


@pytest.mark.parametrize("size", [0, 1, 8 << 20, 80 << 30, (80 << 30) + 1, 5 << 40])
def test_there_are_never_too_many_parts(size: int) -> None:
    """S3 takes 10,000 of at most 5 GiB."""
    part = transfers._fitting(size, 8 << 20)
    assert len(list(transfers._ranges(size, part))) <= 10_000
    assert 8 << 20 <= part <= 5 << 30


def test_parts_of_who_knows_how_much_grow() -> None:
    """They reach S3's largest object within 10,000."""
    sizes = list(islice(transfers._growing(8 << 20), 10_000))
    assert sizes[:1000] == [8 << 20] * 1000
    assert sum(sizes) > 5 << 40
    assert max(sizes) <= 5 << 30


# --- copies ---------------------------------------------------------------------------------------


def test_a_copy_names_ranges_of_one_version() -> None:
    """A source that changes meanwhile is an error rather than a mixture."""
    memory = MemoryS3()
    source = {"Bucket": "from", "Key": "ä"}
    run(memory, lambda s3: transfers.copy(s3, CopySource=source, part_size=PART, **WHERE))
    assert memory.log[:2] == ["HEAD", "POST"]
    parts = sorted(memory.requests[2:-1], key=lambda each: each.target)
    assert [header(each, "x-amz-copy-source-range") for each in parts] == [
        "bytes=0-5242879",
        "bytes=5242880-10485759",
        "bytes=10485760-10485766",
    ]
    assert {header(each, "x-amz-copy-source") for each in parts} == {"from/%C3%A4"}
    assert {header(each, "x-amz-copy-source-if-match") for each in parts} == {'"e"'}


def copy(memory: MemoryS3, **params: Any) -> None:
    source = {"Bucket": "from", "Key": "l"}
    run(
        memory,
        lambda s3: transfers.copy(s3, CopySource=source, part_size=PART, **WHERE, **params),
        max_attempts=1,
    )


def test_what_a_copy_demands_of_its_source_is_demanded_of_it() -> None:
    """Beside the ETag that every part asks for the other conditions count no more."""
    memory = MemoryS3()
    memory.fails = lambda asked: asked == "HEAD"
    with pytest.raises(exceptions.AWSError):
        copy(
            memory,
            CopySourceIfMatch='"other"',
            CopySourceIfUnmodifiedSince=0,
            CopySourceSSECustomerAlgorithm="AES256",
            ExpectedBucketOwner="1" * 12,
            ExpectedSourceBucketOwner="2" * 12,
            RequestPayer="requester",
        )
    (head,) = memory.requests
    assert header(head, "If-Match") == '"other"'
    assert header(head, "If-Unmodified-Since") == "Thu, 01 Jan 1970 00:00:00 GMT"
    assert header(head, "x-amz-server-side-encryption-customer-algorithm") == "AES256"
    assert header(head, "x-amz-expected-bucket-owner") == "2" * 12
    assert header(head, "x-amz-request-payer") == "requester"


def test_what_is_none_is_as_if_it_were_not_given() -> None:
    """None is not sent; nor does it stand for another choice."""
    memory = MemoryS3()
    memory.headers = [("Content-Type", "x/y")]
    copy(memory, MetadataDirective=None, ChecksumAlgorithm=None)
    assert header(memory.requests[1], "Content-Type") == "x/y"
    assert header(memory.requests[1], "x-amz-checksum-type") == "FULL_OBJECT"


def test_an_unknown_parameter_of_a_copy_is_refused() -> None:
    """Whatever the size of the object."""
    memory = MemoryS3()
    with pytest.raises(ParamValidationError, match="Metadaten: there is no such parameter"):
        copy(memory, Metadaten={})
    assert memory.log == []


def test_only_clients_of_s3_transfer() -> None:
    """Any client of a service is one to a type checker."""
    with pytest.raises(ParamValidationError, match="<DynamoDB dynamodb open> is no client of S3"):
        asyncio.run(transfers.upload(DynamoDB(), DATA, **WHERE))


# --- downloads ------------------------------------------------------------------------------------


def test_a_range_that_breaks_off_is_resumed(tmp_path: Path) -> None:
    """What has come is not fetched again."""
    memory = MemoryS3()
    memory.breaks = lambda wanted: 1000 if wanted.startswith("bytes=0-") else None
    amounts: list[int] = []
    download(memory, tmp_path / "f", progress=amounts.append)
    assert (tmp_path / "f").read_bytes() == DATA
    assert sum(amounts) == len(DATA)
    ranges = [header(each, "Range") for each in memory.requests if each.method == "GET"]
    assert sorted(ranges) == [
        "bytes=0-5242879",
        "bytes=1000-5242879",
        "bytes=10485760-10485766",
        "bytes=5242880-10485759",
    ]
    assert {header(each, "If-Match") for each in memory.requests[1:]} == {'"e"'}


def test_a_range_that_gives_nothing_is_given_up(tmp_path: Path) -> None:
    """Three times without a byte are enough, and no file is left."""
    memory = MemoryS3()
    memory.breaks = lambda wanted: 0 if wanted.startswith("bytes=0-") else None
    with pytest.raises(ReadError, match="broken"):
        download(memory, tmp_path / "f", concurrency=1)
    assert memory.log == ["HEAD", "GET", "GET", "GET"]
    assert list(tmp_path.iterdir()) == []


def test_other_bytes_than_those_asked_for_are_refused(tmp_path: Path) -> None:
    """A server that does not know ranges would fill the file with the wrong bytes."""

    class Whole(MemoryS3):
        def _range(self, wanted: str) -> Response:
            return Response(200, "OK", [], b"", Stream(self.data))

    with pytest.raises(ReadError, match="Bytes 0 to 5242879 were asked for, and others came"):
        download(Whole(), tmp_path / "f", concurrency=1)
    assert list(tmp_path.iterdir()) == []


def test_a_range_that_is_not_what_its_checksum_says_is_an_error(tmp_path: Path) -> None:
    """To go on where it stopped would leave the wrong bytes before that in the file."""
    memory = MemoryS3()
    memory.part_headers = [("x-amz-checksum-crc32", algorithm("CRC32").of(b"others"))]
    with pytest.raises(ReadError, match="CRC32"):
        download(memory, tmp_path / "f", concurrency=1)
    assert memory.log == ["HEAD", "GET"]
    assert list(tmp_path.iterdir()) == []


def test_a_slow_disk_keeps_one_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Others are wanted: to look up a host, for example."""
    may_write = threading.Event()
    write = file_download._HiddenFile.write

    def write_late(*args: Any) -> int:
        may_write.wait(10)
        return write(*args)

    async def main(s3: S3) -> None:
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(2))
        work = transfers.download(s3, tmp_path / "f", part_size=PART, **WHERE)
        task = asyncio.create_task(work)
        while memory.log.count("GET") < 3:  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0)
        for _ in range(10):
            await asyncio.sleep(0)
        try:
            await asyncio.wait_for(loop.run_in_executor(None, int), 5)
        finally:
            may_write.set()
            await task

    memory = MemoryS3()
    monkeypatch.setattr(file_download._HiddenFile, "write", write_late)
    run(memory, main)
    assert (tmp_path / "f").read_bytes() == DATA


@pytest.mark.parametrize("name", ["Range", "PartNumber"])
def test_a_part_of_an_object_is_no_download(name: str, tmp_path: Path) -> None:
    """Ranges of the whole object are asked for: others than these would be in the file."""
    memory = MemoryS3()
    with pytest.raises(ParamValidationError, match=f"{name}: the whole object is fetched"):
        download(memory, tmp_path / "f", **{name: 1})
    assert memory.log == []


@pytest.mark.parametrize("is_right", [True, False])
def test_the_whole_is_verified(tmp_path: Path, is_right: bool) -> None:
    """A file whose checksum is wrong does not appear."""
    memory = MemoryS3()
    memory.headers = [("x-amz-checksum-crc32", algorithm("CRC32").of(DATA if is_right else b"x"))]
    if is_right:
        download(memory, tmp_path / "f")
        assert crc32((tmp_path / "f").read_bytes()) == crc32(DATA)
    else:
        with pytest.raises(ReadError, match="CRC32"):
            download(memory, tmp_path / "f")
        assert list(tmp_path.iterdir()) == []


def test_a_condition_that_is_none_does_not_let_the_object_change(tmp_path: Path) -> None:
    """None means not given."""
    memory = MemoryS3()
    download(memory, tmp_path / "f", IfMatch=None)
    assert [header(each, "If-Match") for each in memory.requests] == ["", *['"e"'] * 3]


def test_nothing_is_verified_where_that_is_not_wanted(tmp_path: Path) -> None:
    """Servers whose checksums are of no use need the setting."""
    memory = MemoryS3()

    async def main(s3: S3) -> None:
        await transfers.download(s3, tmp_path / "f", part_size=PART, **WHERE)

    run(memory, main, response_checksum_validation="when_required")
    assert {header(each, "x-amz-checksum-mode") for each in memory.requests} == {""}
    run(memory, main)
    assert header(memory.requests[-4], "x-amz-checksum-mode") == "ENABLED"


def test_a_checksum_of_checksums_is_left_alone(tmp_path: Path) -> None:
    """It is computed of the parts of an upload, which nobody knows any more."""
    memory = MemoryS3()
    memory.headers = [("x-amz-checksum-crc32", "AAAAAA==-3")]
    download(memory, tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == DATA


def test_a_cancelled_download_leaves_no_file(tmp_path: Path) -> None:
    """The hidden file goes, too."""
    memory = MemoryS3()

    async def main(s3: S3) -> None:
        task: asyncio.Task[Any]

        def stop(_: int) -> None:
            task.cancel()

        work = transfers.download(s3, tmp_path / "f", part_size=PART, progress=stop, **WHERE)
        task = asyncio.create_task(work)
        with pytest.raises(asyncio.CancelledError):
            await task

    run(memory, main)
    assert list(tmp_path.iterdir()) == []


def test_a_download_that_is_cancelled_while_its_file_is_made_leaves_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread makes it, which nobody can stop."""
    make = Path.open

    async def main(s3: S3) -> None:
        loop = asyncio.get_running_loop()
        task = asyncio.create_task(transfers.download(s3, tmp_path / "f", part_size=PART, **WHERE))

        def make_late(*args: Any, **options: Any) -> Any:
            loop.call_soon_threadsafe(task.cancel)
            return make(*args, **options)

        monkeypatch.setattr(Path, "open", make_late)
        with pytest.raises(asyncio.CancelledError):
            await task

    run(MemoryS3(), main)
    assert list(tmp_path.iterdir()) == []


def test_a_download_that_is_cancelled_while_it_is_verified_reads_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that ends waits for its threads, and a file may be large."""
    updates: list[int] = []

    async def main(s3: S3) -> None:
        loop = asyncio.get_running_loop()
        task = asyncio.create_task(transfers.download(s3, tmp_path / "f", part_size=PART, **WHERE))

        class Cancelling:
            def update(self, data: bytes) -> None:
                updates.append(len(data))
                loop.call_soon_threadsafe(task.cancel)

            def verify(self) -> None:
                raise AssertionError

        monkeypatch.setattr(file_download, "_verifier", lambda *_: Cancelling())
        with pytest.raises(asyncio.CancelledError):
            await task

    run(MemoryS3(), main)
    assert len(updates) == 1
    assert list(tmp_path.iterdir()) == []


def make_device(path: Path) -> None:
    if os.name == "nt":
        pytest.skip("devices are no files there")
    path.symlink_to(os.devnull)


@pytest.mark.parametrize("make", [Path.mkdir, make_device])
def test_only_a_file_is_replaced(make: Callable[[Path], object], tmp_path: Path) -> None:
    """Nobody means a device, and a folder cannot be; that is known before anything has come."""
    memory = MemoryS3()
    make(tmp_path / "f")
    with pytest.raises(FileExistsError, match="Only regular files"):
        download(memory, tmp_path / "f")
    assert memory.log == ["HEAD"]
    assert [path.name for path in tmp_path.iterdir()] == ["f"]


def test_a_file_may_have_the_longest_name(tmp_path: Path) -> None:
    """The hidden one has room beside it."""
    download(MemoryS3(), tmp_path / ("ä" * 127))
    assert (tmp_path / ("ä" * 127)).read_bytes() == DATA


def test_a_download_that_is_cancelled_at_its_end_is_cancelled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file may appear all the same, since another thread gives it its name."""
    replaced = threading.Event()
    replace = os.replace

    async def main(s3: S3) -> None:
        loop = asyncio.get_running_loop()
        task = asyncio.create_task(transfers.download(s3, tmp_path / "f", part_size=PART, **WHERE))

        def replace_late(*paths: Any) -> None:
            loop.call_soon_threadsafe(task.cancel)
            replace(*paths)
            replaced.set()

        def unlink_late(path: Path, **options: Any) -> None:
            replaced.wait(10)
            unlink(path, **options)

        unlink = Path.unlink
        monkeypatch.setattr(os, "replace", replace_late)
        monkeypatch.setattr(Path, "unlink", unlink_late)
        with pytest.raises(asyncio.CancelledError):
            await task

    run(MemoryS3(), main)
    assert [path.name for path in tmp_path.iterdir()] == ["f"]
