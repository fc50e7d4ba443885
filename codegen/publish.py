"""Pass 9, publish: the difference between what is generated and what is on disk, shown or made.

Only files that carry the generator's mark are ever changed or deleted. New texts are written beside
the output first and moved into place when all of them are there.
"""

from __future__ import annotations

import difflib
import shutil
import tempfile
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from .faults import Fault, FaultyModel
from .render import MARK

# package -> file name -> text
Packages = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Changes:
    """What it takes to make a folder what it should be.

    Attributes:
        output: the folder of packages.
        write: text of each file that is missing or differs.
        delete: generated files that are no longer generated.
    """

    output: Path
    write: Mapping[Path, str]
    delete: Collection[Path]

    def __bool__(self) -> bool:
        return bool(self.write or self.delete)


def compare(packages: Packages, output: Path, complete: bool) -> Changes:
    """Find what differs.

    Args:
        packages: everything that was generated.
        output: the folder of packages.
        complete: whether packages that were not generated should not be there.

    Raises:
        FaultyModel: a file that was written by hand stands where one should be generated.
    """
    wanted = {
        output / package / name: text
        for package, files in packages.items()
        for name, text in files.items()
    }
    folders = _folders(output) if complete else [output / package for package in packages]
    present = {path: read_text(path) for folder in folders for path in sorted(folder.glob("*.py"))}
    foreign = [path for path in wanted if not _is_generated(present.get(path, MARK))]
    if foreign:
        raise FaultyModel(
            Fault(path, "", "was not generated and would be overwritten; move it away")
            for path in foreign
        )
    return Changes(
        output,
        {path: text for path, text in wanted.items() if present.get(path) != text},
        [path for path, text in present.items() if path not in wanted and _is_generated(text)],
    )


def _folders(output: Path) -> list[Path]:
    return sorted(path for path in output.iterdir() if path.is_dir()) if output.is_dir() else []


def read_text(path: Path) -> str:
    """Read a file as it is: other line ends and other encodings are differences, too."""
    with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        return file.read()


def _is_generated(text: str) -> bool:
    return text.startswith(MARK)


def diff(changes: Changes) -> Iterator[str]:
    """Yield the lines of a unified diff from what is on disk to what should be."""
    for path in sorted([*changes.write, *changes.delete]):
        old = read_text(path) if path.exists() else ""
        new = changes.write.get(path, "")
        name = path.as_posix()
        yield from difflib.unified_diff(
            old.splitlines(keepends=True),
            new.splitlines(keepends=True),
            name if path.exists() else "/dev/null",
            name if path in changes.write else "/dev/null",
        )


def publish(changes: Changes) -> None:
    """Make the changes: all texts are written aside before the first file is replaced."""
    if changes.write:
        changes.output.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".codegen-", dir=changes.output) as staging:
            _replace(changes.write, Path(staging))
    for path in changes.delete:
        path.unlink()
    for folder in sorted({path.parent for path in changes.delete}):
        _remove_if_empty(folder)


def _replace(texts: Mapping[Path, str], staging: Path) -> None:
    staged = {path: staging / str(number) for number, path in enumerate(texts)}
    for path, temporary in staged.items():
        temporary.write_text(texts[path], encoding="utf-8", newline="\n")
    for path, temporary in staged.items():
        path.parent.mkdir(exist_ok=True)
        temporary.replace(path)


def _remove_if_empty(folder: Path) -> None:
    """Remove a package's folder when nothing but compiled files is left in it."""
    left = [path for path in folder.iterdir() if path.name != "__pycache__"]
    if not left:
        shutil.rmtree(folder)
