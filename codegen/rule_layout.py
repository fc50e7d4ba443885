"""How the lines of compiled rules are laid out: as black would, at a hundredth of its time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from .rule_values import Test, Value
from .source import WIDTH

# An expression, or a list or an object of them, which may be laid out in several lines.
Tree = str | list[Any] | dict[str, Any]

INDENT = "    "

_ANNOTATIONS = {"list": "Sequence[str]"}


def function_head(name: str, values: Iterable[Value], ends: bool) -> list[str]:
    """Return the first line of a function for a list of rules."""
    arguments = [("", f"{value.code}: {_annotation(value)}") for value in values]
    result = "Endpoint" if ends else "Endpoint | None"
    return laid_out(f"def {name}", "(", arguments, f") -> {result}:", 0)


def _annotation(value: Value) -> str:
    kind = _ANNOTATIONS.get(value.type, value.type)
    return f"{kind} | None" if value.optional else kind


def nested(steps: Sequence[Test | str], body: Sequence[str], level: int) -> list[str]:
    """Return the lines of a body below its conditions; those side by side are one line."""
    lines: list[str] = []
    depth = 0
    tests: list[str] = []
    for step in [*steps, ""]:
        if isinstance(step, Test):
            if tests and tests[-1] == f"{step.code} is not None":
                tests.pop()  # what is true is not None
            tests.append(step.code)
            continue
        if tests:
            lines += indented(_if(tests, level + depth), depth)
            depth, tests = depth + 1, []
        if step:
            lines.append(f"{INDENT * depth}{step}")
    return [*lines, *indented(body, depth)]


def _if(tests: Sequence[str], level: int) -> list[str]:
    """Return a condition; one that is too long as black does it, if it has more than two parts."""
    condition = " and ".join(tests)
    room = WIDTH - len(INDENT) * level
    if len(f"if {condition}:") <= room or len(tests) < 3:
        return [f"if {condition}:"]
    if len(INDENT + condition) <= room:
        return ["if (", INDENT + condition, "):"]
    first, *others = tests
    return ["if (", INDENT + first, *[f"{INDENT}and {other}" for other in others], "):"]


def levels(steps: Sequence[Test | str]) -> int:
    """Return how many levels `nested` indents the body."""
    kinds = [isinstance(step, Test) for step in steps]
    return sum(now and not then for then, now in zip([False, *kinds], kinds, strict=False))


def indented(lines: Sequence[str], depth: int = 1) -> list[str]:
    """Return lines with an indentation of so many levels before them."""
    return [f"{INDENT * depth}{line}" for line in lines]


def laid_out(
    before: str, opening: str, items: Sequence[tuple[str, Tree]], closing: str, level: int
) -> list[str]:
    """Lay out something in brackets as black does: in one line if it fits, else in several.

    Args:
        before: what stands before the bracket.
        opening: the bracket.
        items: what stands in it, each with what stands before it (``name=``).
        closing: the bracket and what follows.
        level: how deep the line is indented.

    Returns:
        The lines, indented only as to each other.
    """
    inside = ", ".join(before_item + _one_line(item) for before_item, item in items)
    room = WIDTH - len(INDENT) * level
    if len(before + opening + inside + closing) <= room:
        return [before + opening + inside + closing]
    one_below = len(items) == 1 or opening == "("
    if one_below and len(INDENT + inside) <= room:
        return [before + opening, INDENT + inside, closing]
    comma = "," if len(items) > 1 else ""
    lines = []
    for before_item, item in items:
        lines += _item(before_item, item, comma, level + 1)
    return [before + opening, *indented(lines), closing]


def _item(before: str, item: Tree, after: str, level: int) -> list[str]:
    if isinstance(item, str) or not item:
        return [f"{before}{_one_line(item)}{after}"]
    if isinstance(item, list):
        return laid_out(before, "[", [("", each) for each in item], f"]{after}", level)
    pairs = [(f"{key}: " if each else key, each) for key, each in item.items()]
    return laid_out(before, "{", pairs, f"}}{after}", level)


def _one_line(item: Tree) -> str:
    if isinstance(item, str):
        return item
    if isinstance(item, list):
        return f"[{', '.join(map(_one_line, item))}]"
    pairs = (f"{key}: {_one_line(each)}" if each else key for key, each in item.items())
    return f"{{{', '.join(pairs)}}}"


def import_lines(module: str, names: Sequence[str]) -> list[str]:
    """Return the lines that import names from a module."""
    line = f"from {module} import {', '.join(names)}"
    if len(line) <= WIDTH:
        return [line]
    return [f"from {module} import (", *(f"{INDENT}{name}," for name in names), ")"]


def import_order(name: str) -> tuple[int, str]:
    """Constants, classes, functions: the order that ruff wants."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)
