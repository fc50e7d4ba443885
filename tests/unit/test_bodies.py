"""Bodies of requests: whatever a caller has becomes pieces of bytes, read off the loop."""

from __future__ import annotations

import asyncio
import io
import os
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tornado_aws.bodies import PIECE, blocking_pieces, open_body, read_short
from tornado_aws.exceptions import ParamValidationError
from tornado_aws.streams import StreamingBody

DATA = os.urandom(PIECE + 1000)


async def pieces() -> AsyncIterator[bytes]:
    """The data in two pieces."""
    yield DATA[:7]
    yield DATA[7:]


class AsyncFile:
    """What aiofiles and others look like."""

    def __init__(self) -> None:
        self.file = io.BytesIO(DATA)

    async def read(self, size: int) -> bytes:
        return self.file.read(size)


class Pipe(io.BytesIO):
    """A file that cannot seek."""

    def seekable(self) -> bool:
        return False


def generator() -> Iterator[bytes | bytearray]:
    """The data in pieces, in one buffer that is filled anew, and an empty one."""
    buffer = bytearray()
    for start in range(0, len(DATA), 1000):
        buffer[:] = DATA[start : start + 1000]
        yield buffer
    yield b""


async def read(value: Any) -> bytes:
    """Return what is sent for a value."""
    body = await open_body(value)
    return b"".join([bytes(piece) async for piece in body])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file with the data."""
    path = tmp_path / "data"
    path.write_bytes(DATA)
    return path


CASES: list[tuple[Any, int | None, bool]] = [
    (lambda: io.BytesIO(DATA), len(DATA), True),
    (lambda: [DATA[:5], bytearray(DATA[5:9]), memoryview(DATA)[9:]], len(DATA), True),
    (lambda: Pipe(DATA), None, False),
    (generator, None, False),
    (pieces, None, False),
    (AsyncFile, None, False),
]


@pytest.mark.parametrize(("make", "length", "replayable"), CASES)
def test_every_kind_of_body(make: Any, length: int | None, replayable: bool) -> None:
    """The bytes are right, the length is known where it can be, and what can be is read again."""

    async def main() -> None:
        body = await open_body(make())
        assert (body.length, body.is_replayable) == (length, replayable)
        for _ in range(2 if replayable else 1):
            assert b"".join([bytes(piece) async for piece in body]) == DATA
        if replayable:
            assert b"".join(bytes(piece) for piece in blocking_pieces(body)) == DATA

    asyncio.run(main())


def test_files_and_paths(path: Path) -> None:
    """A file is read from where it stands, a path from its beginning, both as often as needed."""

    async def main() -> None:
        with path.open("rb") as file:
            file.seek(10)
            body = await open_body(file)
            assert body.length == len(DATA) - 10
            for _ in range(2):
                assert b"".join([bytes(piece) async for piece in body]) == DATA[10:]
        by_path = await open_body(path)
        assert by_path.length == len(DATA)
        for _ in range(2):
            assert b"".join([bytes(piece) async for piece in by_path]) == DATA
        with pytest.raises(FileNotFoundError):
            await open_body(path.with_name("absent"))

    asyncio.run(main())


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="only POSIX systems have named pipes")
def test_a_named_pipe_is_opened_once(tmp_path: Path) -> None:
    """Who writes into it at once would write to nobody, and who opens it again wait for ever."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(DATA,), daemon=True)

    async def main() -> None:
        writer.start()
        body = await open_body(pipe)
        assert (body.length, body.is_replayable) == (None, False)
        assert b"".join([bytes(piece) async for piece in body]) == DATA

    asyncio.run(main())
    writer.join()


def test_what_may_block_runs_in_another_thread() -> None:
    """Files and iterables are never touched on the loop's thread once they are sent."""
    threads = set()

    class File(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            threads.add(threading.get_ident())
            return super().read(size)

    def generate() -> Iterator[bytes]:
        threads.add(threading.get_ident())
        yield b"x"

    async def main() -> None:
        assert await read(File(b"x")) == await read(generate()) == b"x"

    asyncio.run(main())
    assert threads
    assert threading.get_ident() not in threads


def test_pieces_of_a_fast_generator_are_put_together() -> None:
    """A hundred small pieces do not cost a hundred switches of threads."""

    async def main() -> None:
        body = await open_body(iter([b"x"] * 100))
        assert len([bytes(piece) async for piece in body]) < 10

    asyncio.run(main())


def test_a_stream_of_a_result_can_be_sent_on() -> None:
    """Its length is known."""

    class Source:
        sent = False

        async def read_chunk(self) -> bytes:
            self.sent, sent = True, self.sent
            return b"" if sent else DATA

        def close(self) -> None: ...

    async def main() -> None:
        body = await open_body(StreamingBody(Source(), len(DATA)))
        assert body.length == len(DATA)
        assert b"".join([bytes(piece) async for piece in body]) == DATA

    asyncio.run(main())


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (io.StringIO("text"), "binary mode"),
        (7, "A int cannot be sent"),
        (["text"], "must be bytes, not str"),
        (iter(["text"]), "must be bytes, not str"),
    ],
)
def test_what_is_no_body_is_refused(value: Any, text: str) -> None:
    """The text says what was found and what to do."""
    with pytest.raises(ParamValidationError, match=text):
        asyncio.run(read(value))


def test_a_generator_is_ended_when_its_reader_gives_up() -> None:
    """So that it can free what it holds."""
    ended = []

    def generate() -> Iterator[bytes]:
        try:
            while True:
                yield DATA
        finally:
            ended.append(True)

    async def main() -> None:
        iterator = aiter(await open_body(generate()))
        await anext(iterator)
        await iterator.aclose()  # type: ignore[attr-defined]

    asyncio.run(main())
    assert ended


def test_files_are_read_into_the_same_memory_again_and_again(path: Path) -> None:
    """Fresh memory for each piece would cost more than reading it; `is_lent` says so."""

    async def main() -> None:
        body = await open_body(path)
        assert body.is_lent
        places = [id(piece.obj) async for piece in body if isinstance(piece, memoryview)]
        assert len(places) == 2
        assert len(set(places)) == 1
        assert not (await open_body(generator())).is_lent

    asyncio.run(main())


def test_attempts_that_overlap_do_not_disturb_each_other(path: Path) -> None:
    """Each reading of one file keeps its own place."""

    async def main() -> None:
        with path.open("rb") as file:
            body = await open_body(file)
            first, second = aiter(body), aiter(body)
            begun = [bytes(await anext(first)), bytes(await anext(second))]
            rest = [bytes(await anext(first)), bytes(await anext(second))]
            assert begun[0] + rest[0] == begun[1] + rest[1] == DATA

    asyncio.run(main())


@pytest.mark.parametrize("limit", [0, 7, 8, len(DATA) - 1, len(DATA)])
def test_a_short_body_is_read_and_a_long_one_loses_nothing(limit: int) -> None:
    """What was read to find out comes first."""

    async def main() -> None:
        read = await read_short(await open_body(pieces()), limit)
        assert isinstance(read, bytes) is (limit >= len(DATA))
        if not isinstance(read, bytes):
            assert (read.length, read.is_replayable) == (None, False)
            read = b"".join([bytes(piece) async for piece in read])
        assert read == DATA

    asyncio.run(main())


def test_a_body_that_was_begun_is_ended_when_its_reader_gives_up() -> None:
    """Also one that fails while it is looked at."""
    ended = []

    async def source(fails: bool) -> AsyncIterator[bytes]:
        try:
            yield DATA
            if fails:
                raise ZeroDivisionError
            yield DATA
        finally:
            ended.append(fails)

    async def main() -> None:
        begun = await read_short(await open_body(source(False)), 7)
        assert not isinstance(begun, bytes)
        iterator = aiter(begun)
        await anext(iterator)
        await iterator.aclose()  # type: ignore[attr-defined]
        assert ended == [False]
        with pytest.raises(ZeroDivisionError):
            await read_short(await open_body(source(True)), len(DATA))

    asyncio.run(main())
    assert ended == [False, True]
