"""What benchmarks find is shown as it is, in a terminal, in the documentation and as a chart."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks import record
from benchmarks.charts import chart
from benchmarks.tables import Column, Table, as_rst, as_text

TABLE = Table(
    "calls",
    "Ten calls",
    [Column("CPU µs/call"), Column("ratio", "{:.3f}")],
    {"another": [1234.4, 1.0], "tornado-aws": [61.7, None]},
    drawn=0,
)
SVG = "{http://www.w3.org/2000/svg}"


def test_a_table_for_a_terminal_is_aligned() -> None:
    """Numbers stand right under their column's name, a missing one is left empty."""
    assert as_text(TABLE).splitlines() == [
        "Ten calls",
        "              CPU µs/call   ratio",
        "another             1,234   1.000",
        "tornado-aws            62",
    ]


def test_a_table_for_the_documentation_is_simple_restructuredtext() -> None:
    """Rules stand above and below the head and at the end, as wide as the columns."""
    assert as_rst(TABLE).splitlines() == [
        "Ten calls:",
        "",
        "=========== =========== =====",
        "\\           CPU µs/call ratio",
        "=========== =========== =====",
        "another           1,234 1.000",
        "tornado-aws          62",
        "=========== =========== =====",
    ]


def test_bars_are_as_long_as_the_values() -> None:
    """The longest fills the chart, the others are in proportion; this library's stand out."""
    tree = ElementTree.fromstring(chart("<Calls>", "µs", {"another": 200.0, "tornado-aws": 50.0}))
    theirs, ours = tree.findall(f"{SVG}rect")
    assert float(theirs.attrib["width"]) == 4 * float(ours.attrib["width"])
    assert "class" not in theirs.attrib
    assert ours.attrib["class"] == "ours"
    assert [text.text for text in tree.findall(f"{SVG}text")] == [
        "<Calls>: µs",
        "another",
        "200",
        "tornado-aws",
        "50",
    ]


def test_recording_changes_what_stands_between_the_marks(tmp_path: Path) -> None:
    """Tables, conditions and charts are written anew; text written by hand stays."""
    page, charts = tmp_path / "page.rst", tmp_path / "charts"
    page.write_text(
        ".. begin conditions\nold\n.. end conditions\nBy hand\n.. begin calls\nold\n.. end calls\n"
    )
    record.record([TABLE], page, charts)
    text = page.read_text(encoding="utf-8")
    assert "old" not in text
    assert "\nBy hand\n" in text
    assert as_rst(TABLE) in text
    assert "CPython" in text
    assert ".. image:: charts/calls.svg" in text
    assert "tornado-aws" in (charts / "calls.svg").read_text(encoding="utf-8")


def test_a_table_without_a_place_in_the_page_is_refused() -> None:
    """A figure cannot get lost."""
    with pytest.raises(ValueError, match="0 places for calls, and must have one"):
        record.replaced("no marks here", "calls", "text")
