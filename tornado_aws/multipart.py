"""Multipart uploads to S3 from their creation to their end, several parts at a time."""

from __future__ import annotations

import asyncio
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    Callable,
    Coroutine,
    Iterator,
    Mapping,
)
from contextlib import aclosing
from functools import partial
from typing import Any, TypeAlias, TypeVar

from tornado_aws import checksums
from tornado_aws.exceptions import AWSError
from tornado_aws.file_parts import FilePart
from tornado_aws.service import ServiceClient

__all__ = [
    "MultipartUpload",
    "Params",
    "Part",
    "Progress",
    "is_checksum",
    "known",
    "report",
    "run",
]

T = TypeVar("T")
Params: TypeAlias = Mapping[str, Any]
Progress: TypeAlias = Callable[[int], object]
Part: TypeAlias = bytes | FilePart
# What sends or copies one part each, and gives what completing the upload wants to know of it.
Jobs: TypeAlias = AsyncGenerator[Coroutine[Any, Any, Params], None]

# How long giving up may take: the caller has an error to hear of.
_GIVING_UP = 30.0

# Where a checksum of the whole follows from those of the parts.
_FULL = frozenset({"CRC32", "CRC32C", "CRC64NVME"})


class MultipartUpload:
    """A multipart upload, from its creation to its end.

    Args:
        s3: the client.
        params: those of the operation that would do for a small object.
        progress: is told of each part.
    """

    def __init__(self, s3: ServiceClient, params: Params, progress: Progress | None) -> None:
        self._s3 = s3
        # Checksums given are those of the whole, and no part's.
        self._checksums = {name: item for name, item in params.items() if is_checksum(name)}
        self._params = {name: item for name, item in params.items() if not is_checksum(name)}
        self._progress = progress
        self._upload: Params = {}

    async def complete(
        self,
        jobs: Callable[[], Jobs],
        concurrency: int,
    ) -> dict[str, Any]:
        """Create the upload, run the jobs that send its parts, and complete it."""
        created = await self._create()
        try:
            async with aclosing(jobs()) as parts:
                done = await run(parts, concurrency)
            parts_done = {"MultipartUpload": {"Parts": done}}
            kind = {name: created[name] for name in ("ChecksumType",) if name in created}
            stated = {**self._checksums, **kind, **parts_done}
            return await self._call("CompleteMultipartUpload", stated)
        except BaseException as error:
            await self._give_up(error)
            raise

    async def _create(self) -> Params:
        """Create the upload; one that a cancelled call has created is deleted."""
        call = self._call("CreateMultipartUpload", await self._checksum())
        creation = asyncio.ensure_future(call)
        try:
            created = await asyncio.shield(creation)
        except asyncio.CancelledError as error:
            # It may be there already, and only the answer knows its id.
            await asyncio.wait({creation}, timeout=_GIVING_UP)
            if _has_succeeded(creation):
                self._upload = {"UploadId": creation.result()["UploadId"]}
                await self._give_up(error)
            raise
        finally:
            creation.cancel()
        self._upload = {"UploadId": created["UploadId"]}
        return created

    async def send(self, parts: AsyncIterable[Part]) -> Jobs:
        """Yield what sends each part."""
        number = 0
        async for data in parts:
            number += 1
            job = self._send(number, data)
            del data  # the part is to be free when it is sent, not when the next one is read
            yield job

    async def copy(self, ranges: Iterator[tuple[int, int]]) -> Jobs:
        """Yield what copies each part."""
        for number, (start, stop) in enumerate(ranges, 1):
            yield self._copy(number, start, stop)

    async def _send(self, number: int, data: Part) -> Params:
        result = await self._call("UploadPart", {"PartNumber": number, "Body": data})
        report(self._progress, len(data))
        return self._part(number, result)

    async def _copy(self, number: int, start: int, stop: int) -> Params:
        wanted = {"PartNumber": number, "CopySourceRange": f"bytes={start}-{stop - 1}"}
        result = await self._call("UploadPartCopy", wanted)
        report(self._progress, stop - start)
        return self._part(number, result["CopyPartResult"])

    def _part(self, number: int, result: Params) -> Params:
        known = self._s3._model().shape("CompletedPart").members
        return {"PartNumber": number, **{name: result[name] for name in known if name in result}}

    async def _call(self, operation: str, more: Params) -> dict[str, Any]:
        """Call an operation with those of the parameters that it knows."""
        params = {**known(self._s3, operation, self._params), **self._upload, **more}
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


def _has_succeeded(task: asyncio.Task[Any]) -> bool:
    return task.done() and not task.cancelled() and task.exception() is None


def _is_gone(error: BaseException | None) -> bool:
    return isinstance(error, AWSError) and error.code == "NoSuchUpload"


async def run(jobs: AsyncIterable[Coroutine[Any, Any, T]], concurrency: int) -> list[T]:
    """Run jobs, at most `concurrency` at a time; return their results in order.

    The next job is asked for when there is room for it. The first that fails ends the others.
    """
    slots = asyncio.Semaphore(concurrency)
    results: list[Any] = []

    def finish(number: int, task: asyncio.Task[T]) -> None:
        slots.release()
        if _has_succeeded(task):
            results[number] = task.result()

    try:
        async with asyncio.TaskGroup() as group:
            await slots.acquire()
            async for job in jobs:
                # No task is kept: there are hundreds of thousands of some.
                group.create_task(job).add_done_callback(partial(finish, len(results)))
                results.append(None)
                await slots.acquire()
    except BaseExceptionGroup as failures:
        first = failures.exceptions[0]
        raise first from first.__cause__
    return results


def is_checksum(name: str) -> bool:
    """Tell whether a parameter is the checksum of a body."""
    return name.startswith("Checksum") and name not in ("ChecksumAlgorithm", "ChecksumType")


def known(s3: ServiceClient, operation: str, params: Params) -> dict[str, Any]:
    """Return those of the parameters that an operation has."""
    use = s3._model().operation(operation).input
    members = use.shape.members if use is not None else {}
    return {name: value for name, value in params.items() if name in members}


def report(progress: Progress | None, amount: int) -> None:
    if progress is not None:
        progress(amount)
