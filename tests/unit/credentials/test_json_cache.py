"""Files that are shared with the AWS CLI."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from botocore.utils import JSONFileCache

from tornado_aws.credentials.providers.json_cache import read_json, write_json


def test_botocore_reads_what_is_written(tmp_path: Path) -> None:
    """The folder is made, the file is its owner's only, and nothing else is left there."""
    folder = tmp_path / "a" / "b"
    write_json(folder / "key.json", {"x": "ü"})
    assert JSONFileCache(str(folder))["key"] == {"x": "ü"} == read_json(folder / "key.json")
    assert stat.S_IMODE((folder / "key.json").stat().st_mode) == 0o600
    assert [file.name for file in folder.iterdir()] == ["key.json"]


def test_what_botocore_writes_is_read(tmp_path: Path) -> None:
    """The format is the same in the other direction."""
    JSONFileCache(str(tmp_path))["key"] = {"x": 1}
    assert read_json(tmp_path / "key.json") == {"x": 1}


@pytest.mark.parametrize("contents", [None, b"", b"{", b"[1]", b"\xff", b"[" * 100_000])
def test_no_file_and_garbage_are_nothing(tmp_path: Path, contents: bytes | None) -> None:
    """A cache that cannot be read is an empty cache."""
    if contents is not None:
        (tmp_path / "key.json").write_bytes(contents)
    assert read_json(tmp_path / "key.json") is None


def test_a_write_that_fails_leaves_the_old_file_whole(tmp_path: Path) -> None:
    """Neither half a file nor a temporary one stays."""
    write_json(tmp_path / "key.json", {"x": 1})
    with pytest.raises(TypeError):
        write_json(tmp_path / "key.json", {"x": object()})
    assert read_json(tmp_path / "key.json") == {"x": 1}
    assert [file.name for file in tmp_path.iterdir()] == ["key.json"]
