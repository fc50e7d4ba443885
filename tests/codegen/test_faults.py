"""Faulty models: one case is one folder with ``models`` and the ``stderr.txt`` they must give."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from codegen.cli import main

CASES = sorted(path for path in (Path(__file__).parent / "cases").iterdir() if path.is_dir())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_fault_is_reported_and_nothing_is_written(
    case: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Faulty models end with status 1, all their faults and no output."""
    monkeypatch.chdir(case)
    result = CliRunner().invoke(main, ["generate", "--output", str(tmp_path / "generated")])
    assert result.exit_code == 1, result.output
    assert result.stderr == (case / "stderr.txt").read_text()
    assert not (tmp_path / "generated").exists()


@pytest.mark.parametrize("case", CASES[:1], ids=lambda case: case.name)
def test_check_reports_faults_as_generate_does(case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``check`` does all that ``generate`` does but writing."""
    monkeypatch.chdir(case)
    result = CliRunner().invoke(main, ["check"])
    assert result.exit_code == 1
    assert result.stderr == (case / "stderr.txt").read_text()
