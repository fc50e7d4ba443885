"""Parts of files: their bytes, and what counts as a file."""

from __future__ import annotations

import gzip
import io
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tornado_aws.file_parts import open_file

pytestmark = pytest.mark.skipif(not hasattr(os, "pread"), reason="the system has no pread")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=50), start=st.integers(0, 60), size=st.integers(1, 20))
def test_parts_put_together_are_the_rest_of_the_file(
    data: bytes, start: int, size: int, tmp_path: Path
) -> None:
    """An open file counts from where it stands, and stays there, open."""
    path = tmp_path / "file"
    path.write_bytes(data)
    with path.open("rb") as file:
        file.seek(start)
        found = open_file(file)
        assert found is not None
        parts = list(found.parts(size))
        assert b"".join(part.read() for part in parts) == data[start:]
        assert sum(map(len, parts)) == found.length == len(data[start:])
        assert all(len(part) == size for part in parts[:-1])
        assert len(parts) >= 1
        found.close()
        assert file.tell() == start


def test_a_part_is_read_like_a_file(tmp_path: Path) -> None:
    """Each has a position of its own, and ends where the next one begins."""
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    file = open_file(path)
    assert file is not None
    one, two, _ = file.parts(4)
    assert (one.read(3), two.read(1), one.read(3), one.read(3)) == (b"012", b"4", b"3", b"")
    assert (one.seek(0, os.SEEK_END), one.tell(), one.seek(-2, os.SEEK_CUR)) == (4, 4, 2)
    assert (one.read(), one.seek(9), one.read()) == (b"23", 9, b"")
    assert one.seekable()
    file.close()
    with pytest.raises(ValueError, match="closed"):
        two.read()


def test_what_is_no_file_on_a_disk_is_none(tmp_path: Path) -> None:
    """A decompressed file is not the bytes that its descriptor gives, a pipe has no places."""
    packed = tmp_path / "packed"
    packed.write_bytes(gzip.compress(b"text"))
    reader, writer = os.pipe()
    with (
        gzip.open(packed) as plain,
        io.BufferedReader(plain) as buffered,
        os.fdopen(reader, "rb") as pipe,
        os.fdopen(writer, "wb"),
        packed.open("r+b") as both,
    ):
        for source in (plain, buffered, pipe, both, io.BytesIO(b"x"), [b"x"], tmp_path):
            assert open_file(source) is None


def test_a_path_that_is_missing_is_left_to_the_body(tmp_path: Path) -> None:
    """Its error is that of every other body."""
    assert open_file(tmp_path / "missing") is None
