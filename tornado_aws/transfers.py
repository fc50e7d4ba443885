"""Objects of S3 of any size: uploaded, downloaded and copied in parts, several at a time.

Memory is bounded by `part_size` times `concurrency` and two parts more for an upload of what is no
file on a disk, and by a few megabytes for everything else. What cannot be completed leaves nothing
behind: no parts in the bucket, no half file.

Every function takes a client of S3 and, as keywords, the parameters of the operation that would do
the same for a small object (``PutObject``, ``GetObject``, ``CopyObject``); each part gets those of
them that its own operation knows.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Callable,
    Coroutine,
    Iterator,
    Mapping,
)
from contextlib import aclosing
from itertools import count, repeat
from pathlib import Path
from typing import IO, Any, TypeVar
from uuid import uuid4

from tornado_aws import checksums
from tornado_aws.bodies import Body, open_body
from tornado_aws.exceptions import (
    AWSError,
    ParamValidationError,
    ReadError,
)
from tornado_aws.file_parts import FilePart, open_file
from tornado_aws.service import ServiceClient

__all__ = ["copy", "download", "upload"]

T = TypeVar("T")
Params = Mapping[str, Any]
Progress = Callable[[int], object]
Part = bytes | FilePart
# What sends or copies one part each, and gives what completing the upload wants to know of it.
Jobs = AsyncGenerator[Coroutine[Any, Any, Params], None]

MIB = 1 << 20

# Limits of S3 ("Amazon S3 multipart upload limits" in its user guide).
_MOST_PARTS = 10_000
_LEAST_PART = 5 * MIB

# The sizes of botocore's transfers; copies move no bytes through here.
_PART = 8 * MIB
_COPIED_PART = 64 * MIB
_CONCURRENCY = 4

# How often a range may break off without a byte in between.
_ATTEMPTS = 3

# How long giving up may take: the caller has an error to hear of.
_GIVING_UP = 30.0

_READ = 4 * MIB
# Where a checksum of the whole follows from those of the parts.
_FULL = frozenset({"CRC32", "CRC32C", "CRC64NVME"})
# What a copy in one piece keeps by itself.
_KEPT = (
    "CacheControl",
    "ContentDisposition",
    "ContentEncoding",
    "ContentLanguage",
    "ContentType",
    "Expires",
    "Metadata",
    "WebsiteRedirectLocation",
)


async def upload(
    s3: ServiceClient,
    source: object,
    *,
    part_size: int = _PART,
    concurrency: int = _CONCURRENCY,
    progress: Progress | None = None,
    **params: Any,
) -> dict[str, Any]:
    """Store an object of any size, known or not.

    Args:
        s3: a client of S3.
        source: bytes, a path (a str, too), a file open in binary mode, or a synchronous or
            asynchronous iterable of bytes.
        part_size: bytes of a part, at least 5 MiB; more is taken where 10,000 parts would not do.
        concurrency: how many parts are sent at a time.
        progress: is called with the number of bytes of each part that has arrived.
        **params: the parameters of ``PutObject``: ``Bucket``, ``Key``, ``ContentType``, ...

    Returns:
        The result of ``PutObject``, or that of ``CompleteMultipartUpload``.

    Raises:
        ParamValidationError: a parameter does not fit, or the source cannot be read.
        AWSClientException: a call failed. The parts that had been sent are deleted; a note of the
            error tells when even that failed.
        OSError: the file cannot be read.
    """
    _check(part_size, concurrency)
    source = _as_source(source)
    file = await _off_loop(open_file, source)
    if file is None:
        return await _upload(s3, await _pieces(source, part_size), concurrency, progress, params)
    try:
        parts = _asynchronous(file.parts(_fitting(file.length, part_size)))
        return await _upload(s3, parts, concurrency, progress, params)
    finally:
        await _off_loop(file.close)


async def copy(
    s3: ServiceClient,
    *,
    CopySource: Params,  # noqa: N803 - the API's own name
    source: ServiceClient | None = None,
    part_size: int = _COPIED_PART,
    concurrency: int = _CONCURRENCY,
    progress: Progress | None = None,
    **params: Any,
) -> dict[str, Any]:
    """Copy an object of any size within S3.

    Tags are copied with an object of one part, as S3 does it, and not with others.

    Args:
        s3: a client of S3, for the region of the bucket that is copied to.
        CopySource: ``Bucket``, ``Key`` and perhaps ``VersionId`` of the object.
        source: a client that can see the object, where `s3` cannot.
        part_size: bytes of a part, at least 5 MiB; more is taken where 10,000 parts would not do.
        concurrency: how many parts are copied at a time.
        progress: is called with the number of bytes of each part that has been copied.
        **params: the parameters of ``CopyObject``: ``Bucket``, ``Key``, ...

    Returns:
        The result of ``CopyObject``, or that of ``CompleteMultipartUpload``.

    Raises:
        AWSClientException: as for `upload`; also when the object changes meanwhile.
    """
    _check(part_size, concurrency)
    head = await _head(source or s3, {**CopySource, **_source_key(params)})
    size: int = head["ContentLength"]
    params = {**params, "CopySource": CopySource, "CopySourceIfMatch": head["ETag"]}
    if size <= part_size:
        result: dict[str, Any] = await s3._call("CopyObject", params)
        _report(progress, size)
        return result
    if params.pop("MetadataDirective", "COPY") == "COPY":
        params |= {name: head[name] for name in _KEPT if name in head}
    sending = _Sending(s3, params, progress)
    ranges = _ranges(size, _fitting(size, part_size))
    return await sending.complete(lambda: sending.copy(ranges), concurrency)


async def download(
    s3: ServiceClient,
    target: str | os.PathLike[str],
    *,
    part_size: int = _PART,
    concurrency: int = _CONCURRENCY,
    progress: Progress | None = None,
    **params: Any,
) -> dict[str, Any]:
    """Write an object of any size into a file.

    The file appears when it is complete and its checksum is right, in place of one of that name;
    until then the bytes are in a hidden file beside it, which goes when anything fails.

    Args:
        s3: a client of S3.
        target: the path.
        part_size: bytes of a part, at least 5 MiB.
        concurrency: how many parts are fetched at a time.
        progress: is called with the number of bytes written, again and again.
        **params: the parameters of ``GetObject``: ``Bucket``, ``Key``, ``VersionId``, ...

    Returns:
        The result of ``HeadObject``.

    Raises:
        AWSClientException: a call failed; also when the object changes meanwhile.
        ReadError: a part broke off again and again, or the file is not what its checksum says.
        OSError: the file cannot be written.
    """
    _check(part_size, concurrency)
    head = await _head(s3, params)
    params = {"IfMatch": head["ETag"], **params}
    path = Path(target)
    temporary = path.with_name(f".{path.name}.{uuid4().hex}")
    file = await _off_loop(_Positioned, temporary)
    try:
        try:
            jobs = (
                _fetch(s3, params, file, start, stop, progress)
                for start, stop in _ranges(head["ContentLength"], part_size)
            )
            await _run(_asynchronous(jobs), concurrency)
        finally:
            await _off_loop(file.close)
        await _off_loop(_verify, temporary, _verifier(s3, head))
        await _off_loop(os.replace, temporary, path)
    except BaseException:
        await _off_loop(temporary.unlink)
        raise
    return head


# --- uploads --------------------------------------------------------------------------------------


class _Sending:
    """A multipart upload, from its creation to its end.

    Args:
        s3: the client.
        params: those of the operation that would do for a small object.
        progress: is told of each part.
    """

    def __init__(self, s3: ServiceClient, params: Params, progress: Progress | None) -> None:
        self._s3 = s3
        self._params = params
        self._progress = progress
        self._upload: Params = {}

    async def complete(
        self,
        jobs: Callable[[], Jobs],
        concurrency: int,
    ) -> dict[str, Any]:
        """Create the upload, run the jobs that send its parts, and complete it."""
        created = await self._call("CreateMultipartUpload", await self._checksum())
        self._upload = {"UploadId": created["UploadId"]}
        try:
            async with aclosing(jobs()) as parts:
                done = await _run(parts, concurrency)
            parts_done = {"MultipartUpload": {"Parts": done}}
            kind = {name: created[name] for name in ("ChecksumType",) if name in created}
            return await self._call("CompleteMultipartUpload", {**kind, **parts_done})
        except BaseException as error:
            await self._give_up(error)
            raise

    async def send(self, parts: AsyncIterable[Part]) -> Jobs:
        """Yield what sends each part."""
        number = 0
        async for data in parts:
            number += 1
            yield self._send(number, data)

    async def copy(self, ranges: Iterator[tuple[int, int]]) -> Jobs:
        """Yield what copies each part."""
        for number, (start, stop) in enumerate(ranges, 1):
            yield self._copy(number, start, stop)

    async def _send(self, number: int, data: Part) -> Params:
        result = await self._call("UploadPart", {"PartNumber": number, "Body": data})
        _report(self._progress, len(data))
        return self._part(number, result)

    async def _copy(self, number: int, start: int, stop: int) -> Params:
        wanted = {"PartNumber": number, "CopySourceRange": f"bytes={start}-{stop - 1}"}
        result = await self._call("UploadPartCopy", wanted)
        _report(self._progress, stop - start)
        return self._part(number, result["CopyPartResult"])

    def _part(self, number: int, result: Params) -> Params:
        known = self._s3._model.shape("CompletedPart").members
        return {"PartNumber": number, **{name: result[name] for name in known if name in result}}

    async def _call(self, operation: str, more: Params) -> dict[str, Any]:
        """Call an operation with those of the parameters that it knows."""
        params = {**_known(self._s3, operation, self._params), **self._upload, **more}
        result: dict[str, Any] = await self._s3._call(operation, params)
        return result

    async def _checksum(self) -> Params:
        """Return what asks for a checksum of the whole object, where there can be one."""
        settings = (await self._s3._session.ready()).settings
        default = "CRC32" if settings.request_checksum_calculation == checksums.ALWAYS else None
        name = self._params.get("ChecksumAlgorithm", default)
        if name not in _FULL or "ChecksumType" in self._params:
            return {}
        return {"ChecksumAlgorithm": name, "ChecksumType": "FULL_OBJECT"}

    async def _give_up(self, error: BaseException) -> None:
        """Delete the parts that were sent; note in `error` if that fails."""
        abort = asyncio.ensure_future(self._call("AbortMultipartUpload", {}))
        await asyncio.wait({abort}, timeout=_GIVING_UP)
        if not abort.done():
            abort.cancel()
            reason = f"deleting them took more than {_GIVING_UP:g} seconds"
        elif abort.exception() is None or _is_gone(abort.exception()):
            return
        else:
            reason = str(abort.exception())
        error.add_note(f"Parts of the upload {self._upload['UploadId']} may be left: {reason}")


def _is_gone(error: BaseException | None) -> bool:
    return isinstance(error, AWSError) and error.code == "NoSuchUpload"


def _as_source(source: object) -> object:
    if isinstance(source, str):
        return Path(source)
    return [source] if isinstance(source, (bytes, bytearray, memoryview)) else source


async def _upload(
    s3: ServiceClient,
    source: AsyncGenerator[Part, None],
    concurrency: int,
    progress: Progress | None,
    params: Params,
) -> dict[str, Any]:
    """Store an object that comes in parts, at least one."""
    async with aclosing(source) as parts:
        first = await anext(parts)
        second = await anext(parts, None)
        if second is None:
            result: dict[str, Any] = await s3._call("PutObject", {**params, "Body": first})
            _report(progress, len(first))
            return result
        await _refuse_unknown(s3, params)
        sending = _Sending(s3, params, progress)
        return await sending.complete(
            lambda: sending.send(_chained(first, second, parts)), concurrency
        )


async def _pieces(source: object, size: int) -> AsyncGenerator[Part, None]:
    """Return the parts of what is no file on a disk, held in memory one by one."""
    body = await open_body(source)
    if body.length is None:
        return _parts(body, _growing(size))
    return _parts(body, repeat(_fitting(body.length, size)))


async def _parts(body: Body, sizes: Iterator[int]) -> AsyncGenerator[bytes, None]:
    """Yield the bytes of a body in parts of these sizes, the last one shorter, at least one.

    Raises:
        ParamValidationError: there are more or fewer bytes than the body said.
    """
    begun: list[memoryview] = []
    missing = next(sizes)
    total = 0
    async for piece in body:
        rest = memoryview(piece)
        total += len(rest)
        while len(rest) > missing:
            yield b"".join([*begun, rest[:missing]])
            rest, begun, missing = rest[missing:], [], next(sizes)
        begun.append(rest)
        missing -= len(rest)
    if body.length not in (None, total):
        raise ParamValidationError(f"The source has {total} bytes, but it said {body.length}")
    yield b"".join(begun)


def _growing(size: int) -> Iterator[int]:
    """Yield sizes of parts for who knows how much: doubled every thousand, 10,000 are enough."""
    for number in count():
        yield size << (number // 1000)


async def _chained(first: Part, second: Part, others: AsyncIterator[Part]) -> AsyncIterator[Part]:
    yield first
    yield second
    async for data in others:
        yield data


# --- downloads ------------------------------------------------------------------------------------


class _Positioned:
    """A new file that several write into, each at its own place; its methods block."""

    def __init__(self, path: Path) -> None:
        self._file: IO[bytes] = path.open("xb")
        self._lock = threading.Lock()
        self.close = self._file.close

    def write(self, position: int, data: bytes) -> None:
        with self._lock:
            self._file.seek(position)
            self._file.write(data)


async def _fetch(
    s3: ServiceClient,
    params: Params,
    file: _Positioned,
    start: int,
    stop: int,
    progress: Progress | None,
) -> None:
    """Fetch a range, the rest of it again when it breaks off."""
    failures = 0
    while start < stop:
        wanted = {**params, "Range": f"bytes={start}-{stop - 1}"}
        result: dict[str, Any] = await s3._call("GetObject", wanted)
        if not result.get("ContentRange", "").startswith(f"bytes {start}-{stop - 1}/"):
            raise ReadError(
                f"Bytes {start} to {stop - 1} were asked for, and"
                f" {result.get('ContentRange', 'others')} came",
                error="wrong range",
            )
        try:
            async with result["Body"] as body:
                async for data in body:
                    await _off_loop(file.write, start, data)
                    start += len(data)
                    failures = 0
                    _report(progress, len(data))
        except ReadError:
            failures += 1
            if failures >= _ATTEMPTS:
                raise


def _verifier(s3: ServiceClient, head: Params) -> checksums.Verifier | None:
    """Return what verifies an object as a whole, None if its head says nothing of that."""
    rule = checksums.response_rule(s3._model.operation("GetObject"))
    return checksums.verifier(rule, head["ResponseMetadata"]["HTTPHeaders"]) if rule else None


def _verify(path: Path, verifier: checksums.Verifier | None) -> None:
    if verifier is None:
        return
    with path.open("rb") as file:
        while data := file.read(_READ):
            verifier.update(data)
    verifier.verify()


# --- all of them ----------------------------------------------------------------------------------


async def _run(jobs: AsyncIterable[Coroutine[Any, Any, T]], concurrency: int) -> list[T]:
    """Run jobs, at most `concurrency` at a time; return their results in order.

    The next job is asked for when there is room for it. The first that fails ends the others.
    """
    slots = asyncio.Semaphore(concurrency)
    tasks: list[asyncio.Task[T]] = []
    try:
        async with asyncio.TaskGroup() as group:
            await slots.acquire()
            async for job in jobs:
                task = group.create_task(job)
                task.add_done_callback(lambda _: slots.release())
                tasks.append(task)
                await slots.acquire()
    except BaseExceptionGroup as failures:
        first = failures.exceptions[0]
        raise first from first.__cause__
    return [task.result() for task in tasks]


async def _asynchronous(items: Iterator[T]) -> AsyncGenerator[T, None]:
    for item in items:
        yield item


async def _head(s3: ServiceClient, params: Params) -> dict[str, Any]:
    wanted = {"ChecksumMode": "ENABLED", **_known(s3, "HeadObject", params)}
    result: dict[str, Any] = await s3._call("HeadObject", wanted)
    return result


def _known(s3: ServiceClient, operation: str, params: Params) -> dict[str, Any]:
    """Return those of the parameters that an operation has."""
    use = s3._model.operation(operation).input
    members = use.shape.members if use is not None else {}
    return {name: value for name, value in params.items() if name in members}


async def _refuse_unknown(s3: ServiceClient, params: Params) -> None:
    """Refuse what a small object would have been refused for, too."""
    unknown = sorted(params.keys() - _known(s3, "PutObject", params).keys())
    if unknown:
        faults = [f"{name}: there is no such parameter" for name in unknown]
        raise ParamValidationError(operation="PutObject", faults=faults)


def _source_key(params: Params) -> Params:
    """Return the key that the source of a copy is encrypted with, under its own names."""
    prefix = "CopySource"
    return {
        name.removeprefix(prefix): value
        for name, value in params.items()
        if name.startswith(f"{prefix}SSECustomer")
    }


def _check(part_size: int, concurrency: int) -> None:
    if part_size < _LEAST_PART:
        raise ParamValidationError(f"part_size is {part_size}; S3 wants at least {_LEAST_PART}")
    if concurrency < 1:
        raise ParamValidationError(f"concurrency is {concurrency}; it must be at least 1")


def _fitting(size: int, part_size: int) -> int:
    """Return the size of parts with which there are few enough of them."""
    return max(part_size, -(-size // _MOST_PARTS))


def _ranges(size: int, part_size: int) -> Iterator[tuple[int, int]]:
    """Yield start and stop of each part."""
    for start in range(0, size, part_size):
        yield start, min(start + part_size, size)


def _report(progress: Progress | None, amount: int) -> None:
    if progress is not None:
        progress(amount)


async def _off_loop(function: Callable[..., T], *arguments: Any) -> T:
    return await asyncio.get_running_loop().run_in_executor(None, function, *arguments)
