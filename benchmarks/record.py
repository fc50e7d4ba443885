"""Writes what was measured into docs/performance.rst, and draws charts beside it.

In that page a table stands between ``.. begin NAME`` and ``.. end NAME``; what is outside of these
marks is written by hand.
"""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.charts import chart
from benchmarks.tables import Table, as_rst

DOCS = Path(__file__).parent.parent / "docs"
PAGE = DOCS / "performance.rst"
CHARTS = DOCS / "performance"

COMPARED = ("tornado", "msgspec", "pycurl", "uvloop", "botocore", "boto3", "aiobotocore", "aiohttp")


def record(tables: Sequence[Table], page: Path = PAGE, charts: Path = CHARTS) -> None:
    """Put tables and conditions into the page, and write the charts."""
    text = replaced(page.read_text(encoding="utf-8"), "conditions", conditions())
    charts.mkdir(exist_ok=True)
    for table in tables:
        section = as_rst(table)
        if table.drawn is not None:
            path = charts / f"{table.name}.svg"
            path.write_text(drawing(table), encoding="utf-8")
            section += f"\n\n.. image:: {charts.name}/{path.name}\n   :alt: the same as bars"
        text = replaced(text, table.name, section)
    page.write_text(text, encoding="utf-8")


def replaced(text: str, name: str, section: str) -> str:
    """Return the page with another text between the marks of `name`.

    Raises:
        ValueError: the page has no such marks.
    """
    marks = re.compile(rf"(?s)(\.\. begin {re.escape(name)}\n).*?(\.\. end {re.escape(name)}\n)")
    found, count = marks.subn(lambda match: f"{match[1]}\n{section}\n\n{match[2]}", text)
    if count != 1:
        raise ValueError(f"The page has {count} places for {name}, and must have one")
    return found


def drawing(table: Table) -> str:
    """Return the chart of the column that is drawn."""
    values = {name: row[table.drawn or 0] for name, row in table.rows.items()}
    lengths = {name: value for name, value in values.items() if isinstance(value, float | int)}
    return chart(table.title, table.columns[table.drawn or 0].name, lengths)


def conditions() -> str:
    """Say on what was measured."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    versions = ", ".join(f"{name} {found}" for name in COMPARED if (found := _version(name)))
    return f"{processor()}; {platform.system()}; {python}; {versions}."


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def processor() -> str:
    """Return the processor's name as the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or sys.platform
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{models[0]}, {len(models)} cores" if models else platform.machine()
