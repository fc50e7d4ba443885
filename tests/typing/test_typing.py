"""Programs that use generated clients of the installed wheel, judged by mypy and by pyright.

``# error`` marks each line that has to be refused; all others have to pass.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PROGRAMS = ("good.py", "bad.py")

Lines = set[tuple[str, int]]


def marked() -> Lines:
    """Return the lines that have to be refused."""
    return {
        (name, number)
        for name in PROGRAMS
        for number, line in enumerate((HERE / name).read_text().splitlines(), 1)
        if line.endswith("# error")
    }


def run(folder: Path, module: str, *options: str) -> str:
    """Run a type checker in a folder with the programs and return what it prints."""
    result = subprocess.run(
        [sys.executable, "-m", module, *options],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stderr == ""
    return result.stdout


def mypy(folder: Path, installed: Path) -> Lines:
    """Return the lines that ``mypy --strict`` refuses."""
    settings = f"[mypy]\nstrict = true\nmypy_path = {installed}\nfollow_imports = silent\n"
    (folder / "mypy.ini").write_text(settings)
    found = re.findall(r"^(.+?):(\d+): error: ", run(folder, "mypy", *PROGRAMS), re.MULTILINE)
    return {(path, int(line)) for path, line in found}


def pyright(folder: Path, installed: Path) -> Lines:
    """Return the lines that pyright refuses, as it is when nobody has configured it."""
    settings = {"include": PROGRAMS, "extraPaths": [str(installed)]}
    (folder / "pyrightconfig.json").write_text(json.dumps(settings))
    output = run(folder, "pyright", "--outputjson", "--pythonpath", sys.executable)
    diagnostics = json.loads(output)["generalDiagnostics"]
    return {
        (Path(each["file"]).name, each["range"]["start"]["line"] + 1)
        for each in diagnostics
        if each["severity"] == "error"
    }


@pytest.mark.parametrize("checker", [mypy, pyright], ids=["mypy", "pyright"])
def test_wrong_uses_are_refused_and_right_ones_pass(
    checker: Callable[[Path, Path], Lines], installed: Path, tmp_path: Path
) -> None:
    """A type checker finds errors on exactly the marked lines."""
    for name in PROGRAMS:
        shutil.copy(HERE / name, tmp_path)
    assert checker(tmp_path, installed) == marked()
