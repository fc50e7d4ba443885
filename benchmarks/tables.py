"""What a benchmark finds: tables, and how they look in a terminal and in the documentation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

Value = float | str | None


class Column(NamedTuple):
    """A column of values.

    Attributes:
        name: what stands above it.
        format: how a number is written, as for `str.format`.
    """

    name: str
    format: str = "{:,.0f}"

    def text(self, value: Value) -> str:
        """Return a value as it is shown, a missing one as nothing."""
        return self.format.format(value) if isinstance(value, float | int) else value or ""


class Table(NamedTuple):
    """What was measured.

    Attributes:
        name: names the table in the documentation, and its chart.
        title: what was measured and under which conditions.
        columns: the columns behind that of the names.
        rows: values by name of what was measured, in the order of the columns.
        drawn: the column that a chart shows, None for no chart.
    """

    name: str
    title: str
    columns: Sequence[Column]
    rows: Mapping[str, Sequence[Value]]
    drawn: int | None = None

    def cells(self) -> list[list[str]]:
        """Return all texts, those of the head first."""
        head = ["", *[column.name for column in self.columns]]
        rows = [
            [name, *map(Column.text, self.columns, values)] for name, values in self.rows.items()
        ]
        return [head, *rows]


def as_text(table: Table) -> str:
    """Return a table for a terminal."""
    cells = table.cells()
    widths = _widths(cells)
    return "\n".join([table.title, *(_line(row, widths) for row in cells)])


def as_rst(table: Table) -> str:
    """Return a table in reStructuredText, with a line of what it shows above it."""
    (_, *names), *rows = table.cells()
    head = ["\\", *names]  # the first column may not be empty
    widths = _widths([head, *rows])
    rule = " ".join("=" * width for width in widths)
    lines = [rule, _line(head, widths, " "), rule, *(_line(row, widths, " ") for row in rows), rule]
    return "\n".join([f"{table.title}:", "", *lines])


def _widths(cells: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(len, column)) for column in zip(*cells, strict=True)]


def _line(row: Sequence[str], widths: Sequence[int], gap: str = "   ") -> str:
    name, *values = row
    numbers = [value.rjust(width) for value, width in zip(values, widths[1:], strict=True)]
    return gap.join([name.ljust(widths[0]), *numbers]).rstrip()
