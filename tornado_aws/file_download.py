"""An object of S3 fetched in ranges, into a file that appears when it is complete."""

from __future__ import annotations

import asyncio
import errno
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager, suppress
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
    file = _HiddenFile(path)
    try:
        await off_loop(file.open)
        await run(_jobs(s3, params, file, ranges, progress), concurrency)
        await _verify(file, _verifier(s3, head))
        await off_loop(file.publish)
    except BaseException:
        await off_loop(file.discard)
        raise


async def _jobs(
    s3: ServiceClient,
    params: Params,
    file: _HiddenFile,
    ranges: Iterable[tuple[int, int]],
    progress: Progress | None,
) -> AsyncGenerator[Coroutine[Any, Any, None], None]:
    for start, stop in ranges:
        yield _fetch(s3, params, file, start, stop, progress)


class _HiddenFile:
    """A new file beside the one that it becomes; several write into it, each at its own place.

    Its methods block. What a cancelled caller has begun may go on in its thread beside `discard`.

    Args:
        path: the file that it becomes.

    Attributes:
        turn: who writes has it, so that on a slow disk one thread waits and not all that there are.
    """

    def __init__(self, path: Path) -> None:
        self.turn = asyncio.Lock()
        self._path = path
        # The name of the target is told, but may be as long as names can be.
        self._temporary = path.parent / f".{path.name[:50]}.{uuid4().hex}"
        self._lock = threading.Lock()
        self._file: IO[bytes] | None = None
        self._is_discarded = False

    def open(self) -> None:
        """Make it.

        Raises:
            OSError: it cannot be made, or become the other.
        """
        with self._lock:
            if self._is_discarded:
                return
            if self._path.exists() and not self._path.is_file():
                reason = "Only regular files are replaced"
                raise FileExistsError(errno.EEXIST, reason, str(self._path))
            self._file = self._temporary.open("x+b")

    def write(self, position: int, pieces: list[bytes]) -> int:
        """Write pieces and return how many bytes they are."""
        with self._at(position) as file:
            file.writelines(pieces)
        return sum(map(len, pieces))

    def check(self, position: int, verifier: checksums.Verifier) -> int:
        """Let a block be verified; return how many bytes it has, 0 at the end."""
        with self._at(position) as file:
            data = file.read(_READ)
        verifier.update(data)
        return len(data)

    @contextmanager
    def _at(self, position: int) -> Iterator[IO[bytes]]:
        with self._lock:
            assert self._file is not None  # noqa: S101 - `open` comes first
            self._file.seek(position)
            yield self._file

    def publish(self) -> None:
        """Let it take its name, in place of another file."""
        with self._lock:
            if self._file is not None and not self._is_discarded:
                self._file.close()
                self._temporary.replace(self._path)

    def discard(self) -> None:
        """Delete it, unless it has its name already, and let nothing begun later make it."""
        with self._lock:
            self._is_discarded = True
            if self._file is None:
                return
            with suppress(OSError):  # what is written behind its back fits on no disk
                self._file.close()
            self._temporary.unlink(missing_ok=True)


async def _fetch(
    s3: ServiceClient,
    params: Params,
    file: _HiddenFile,
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
                    async with file.turn:
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


async def _verify(file: _HiddenFile, verifier: checksums.Verifier | None) -> None:
    """Read a file again, a block in each step: nobody could end a thread that reads all of it."""
    if verifier is None:
        return
    position = 0
    while size := await off_loop(file.check, position, verifier):
        position += size
    verifier.verify()


async def off_loop(function: Callable[..., T], *arguments: Any) -> T:
    return await asyncio.get_running_loop().run_in_executor(None, function, *arguments)
