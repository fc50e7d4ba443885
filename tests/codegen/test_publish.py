"""From texts to files: what is written, deleted, left alone, refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from codegen.faults import FaultyModel
from codegen.publish import Changes, compare, diff, publish
from codegen.render import MARK

OLD = f"{MARK} old\n"
NEW = f"{MARK} new\n"


def put(path: Path, text: str) -> Path:
    """Write a file and the folders around it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def identity(path: Path) -> tuple[int, int]:
    """Return what changes when a file is written or replaced."""
    status = path.stat()
    return status.st_ino, status.st_mtime_ns


def test_a_new_package_is_written(tmp_path: Path) -> None:
    """Missing folders are made, the output folder too, and nothing else is left in it."""
    output = tmp_path / "deep" / "generated"
    publish(compare({"pets": {"client.py": NEW}}, output, complete=True))
    assert (output / "pets" / "client.py").read_text() == NEW
    assert [path.name for path in output.iterdir()] == ["pets"]


def test_nothing_is_touched_when_nothing_has_changed(tmp_path: Path) -> None:
    """A second run finds nothing to do."""
    path = put(tmp_path / "pets" / "client.py", NEW)
    before = identity(path)
    changes = compare({"pets": {"client.py": NEW}}, tmp_path, complete=True)
    assert not changes
    publish(changes)
    assert identity(path) == before


def test_only_what_differs_is_written(tmp_path: Path) -> None:
    """Files that are as they should be keep their times."""
    same, other = put(tmp_path / "pets" / "a.py", NEW), put(tmp_path / "pets" / "b.py", OLD)
    changes = compare({"pets": {"a.py": NEW, "b.py": NEW}}, tmp_path, complete=True)
    assert list(changes.write) == [other]
    before = identity(same)
    publish(changes)
    assert other.read_text() == NEW
    assert identity(same) == before


def test_stale_files_go_and_hand_written_ones_stay(tmp_path: Path) -> None:
    """What is no longer generated is deleted; a file without the mark is nobody's business."""
    put(tmp_path / "pets" / "client.py", NEW)
    stale = put(tmp_path / "pets" / "paginators.py", OLD)
    own = put(tmp_path / "pets" / "helpers.py", "mine\n")
    gone = put(tmp_path / "zoos" / "client.py", OLD)
    put(tmp_path / "zoos" / "__pycache__" / "client.pyc", "compiled")
    put(tmp_path / "farms" / "client.py", OLD)
    farm = put(tmp_path / "farms" / "own.py", "mine\n")
    top = put(tmp_path / "__init__.py", "")
    publish(compare({"pets": {"client.py": NEW}}, tmp_path, complete=True))
    assert not stale.exists()
    assert not gone.parent.exists()
    assert own.read_text() == farm.read_text() == "mine\n"
    assert sorted(path.name for path in farm.parent.iterdir()) == ["own.py"]
    assert top.exists()


def test_other_packages_stay_when_only_some_are_generated(tmp_path: Path) -> None:
    """A run for named services says nothing of the others."""
    other = put(tmp_path / "zoos" / "client.py", OLD)
    publish(compare({"pets": {"client.py": NEW}}, tmp_path, complete=False))
    assert other.exists()


def test_a_hand_written_file_is_never_overwritten(tmp_path: Path) -> None:
    """Where one stands in the way, nothing is written."""
    put(tmp_path / "pets" / "client.py", "mine\n")
    with pytest.raises(FaultyModel, match="was not generated and would be overwritten"):
        compare({"pets": {"client.py": NEW}}, tmp_path, complete=True)


def test_a_failure_while_writing_leaves_everything_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All texts are on disk before the first file is replaced."""
    first, second = put(tmp_path / "pets" / "a.py", OLD), put(tmp_path / "pets" / "b.py", OLD)
    changes = compare({"pets": {"a.py": NEW, "b.py": NEW}}, tmp_path, complete=True)
    write_text = Path.write_text
    calls = []

    def failing(self: Path, *args: object, **options: object) -> int:
        calls.append(self)
        if len(calls) == 2:
            raise OSError("the disk is full")
        return write_text(self, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "write_text", failing)
    with pytest.raises(OSError, match="the disk is full"):
        publish(changes)
    assert first.read_text() == second.read_text() == OLD
    assert [path.name for path in tmp_path.iterdir()] == ["pets"]


def test_the_difference_is_a_unified_diff(tmp_path: Path) -> None:
    """Changed, new and stale files are shown as patch would read them."""
    changed = put(tmp_path / "a.py", OLD)
    stale = put(tmp_path / "c.py", OLD)
    changes = Changes(tmp_path, {changed: NEW, tmp_path / "b.py": NEW}, [stale])
    lines = [line.rstrip("\n").replace(tmp_path.as_posix(), "") for line in diff(changes)]
    assert lines == [
        "--- /a.py",
        "+++ /a.py",
        "@@ -1 +1 @@",
        f"-{MARK} old",
        f"+{MARK} new",
        "--- /dev/null",
        "+++ /b.py",
        "@@ -0,0 +1 @@",
        f"+{MARK} new",
        "--- /c.py",
        "+++ /dev/null",
        "@@ -1 +0,0 @@",
        f"-{MARK} old",
    ]


@pytest.mark.parametrize("content", [NEW.replace("\n", "\r\n").encode(), NEW.encode() + b"\xff"])
def test_other_line_ends_and_bytes_are_differences(tmp_path: Path, content: bytes) -> None:
    """A file is compared as it is, whatever it holds."""
    path = put(tmp_path / "pets" / "a.py", "")
    path.write_bytes(content)
    assert list(compare({"pets": {"a.py": NEW}}, tmp_path, complete=True).write) == [path]
