"""An object of S3 fetched in ranges, into a file that appears when it is complete."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable
from functools import partial
from pathlib import Path
from typing import IO, Any, TypeVar
from uuid import uuid4

from tornado_aws import checksums
from tornado_aws.exceptions import ReadError
from tornado_aws.multipart import Params, Progress, report, run
from tornado_aws.service import ServiceClient

__all__ = ["fetch_into", "off_loop"]

T = TypeVar("T")

# How often a range may break off without a byte in between.
_ATTEMPTS = 3

# What one step takes off the connection and to the disk: a step costs a switch of threads.
_BLOCK = 1 << 20

_READ = 4 << 20


async def fetch_into(
    path: Path,
    s3: ServiceClient,
    params: Params,
    head: Params,
    ranges: Iterable[tuple[int, int]],
    concurrency: int,
    progress: Progress | None,
) -> None:
    """Write an object into a file; until it is complete, into a hidden one beside it.

    Args:
        path: the file.
        s3: the client.
        params: of ``GetObject``.
        head: the result of ``HeadObject``.
        ranges: start and stop of each part.
        concurrency: how many parts are fetched at a time.
        progress: is told of the bytes written.

    Raises:
        AWSClientException: a call failed, or the file is not what its checksum says.
        OSError: the file cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{uuid4().hex}")
    file = await off_loop(_Positioned, temporary)
    try:
        try:
            await run(_jobs(s3, params, file, ranges, progress), concurrency)
        finally:
            await off_loop(file.close)
        await off_loop(_verify, temporary, _verifier(s3, head))
        await off_loop(os.replace, temporary, path)
    except BaseException:
        # A thread may have renamed it meanwhile, when the call was cancelled just then.
        await off_loop(partial(temporary.unlink, missing_ok=True))
        raise


async def _jobs(
    s3: ServiceClient,
    params: Params,
    file: _Positioned,
    ranges: Iterable[tuple[int, int]],
    progress: Progress | None,
) -> AsyncGenerator[Coroutine[Any, Any, None], None]:
    for start, stop in ranges:
        yield _fetch(s3, params, file, start, stop, progress)


class _Positioned:
    """A new file that several write into, each at its own place; its methods block."""

    def __init__(self, path: Path) -> None:
        self._file: IO[bytes] = path.open("xb")
        self._lock = threading.Lock()
        self.close = self._file.close

    def write(self, position: int, pieces: list[bytes]) -> int:
        with self._lock:
            self._file.seek(position)
            self._file.writelines(pieces)
        return sum(map(len, pieces))


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
                while pieces := await body.read_pieces(_BLOCK):
                    size = await off_loop(file.write, start, pieces)
                    start += size
                    failures = 0
                    report(progress, size)
        except ReadError as error:
            failures += 1
            # Which of the bytes are wrong nobody knows, and those before the last are written.
            if failures >= _ATTEMPTS or error.error == checksums.MISMATCH:
                raise


def _verifier(s3: ServiceClient, head: Params) -> checksums.Verifier | None:
    """Return what verifies an object as a whole, None if its head says nothing of that."""
    rule = checksums.response_rule(s3._model().operation("GetObject"))
    return checksums.verifier(rule, head["ResponseMetadata"]["HTTPHeaders"]) if rule else None


def _verify(path: Path, verifier: checksums.Verifier | None) -> None:
    if verifier is None:
        return
    with path.open("rb") as file:
        while data := file.read(_READ):
            verifier.update(data)
    verifier.verify()


async def off_loop(function: Callable[..., T], *arguments: Any) -> T:
    return await asyncio.get_running_loop().run_in_executor(None, function, *arguments)
