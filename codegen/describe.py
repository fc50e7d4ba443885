"""Docstrings of generated methods, made of the model's structure and constraints."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from .name import Names
from .select import Selection
from .shapes import Operation, Shape, Use

# Enumerations up to this length are written out.
FEW = 8
WIDTH = 100
INDENT = " " * 8
REFERENCE = "https://docs.aws.amazon.com/goto/WebAPI"


def method_docstring(
    operation: Operation, parameters: Sequence[tuple[str, Use]], selection: Selection, names: Names
) -> str:
    """Return the text between the quotes of a method's docstring, indented.

    Args:
        operation: the operation.
        parameters: its parameters in order, each with its member.
        selection: the selected part of the service.
        names: its Python names.
    """
    deprecated = " (deprecated)" if operation.traits.get("deprecated") else ""
    sections = [
        [f"Call {operation.name}{deprecated}."],
        _arguments(parameters, selection),
        _returns(operation, selection),
        _raises(operation, names),
        _see(operation, selection),
    ]
    text = "\n\n".join("\n".join(lines) for lines in sections if lines)
    if "\n" not in text:
        return text
    return textwrap.indent(text, INDENT).lstrip() + "\n" + INDENT


def _arguments(parameters: Sequence[tuple[str, Use]], selection: Selection) -> list[str]:
    shapes = selection.service.shapes
    notes = [
        (name, "; ".join(_notes(use, shapes[use.shape], selection))) for name, use in parameters
    ]
    lines = [line for name, note in notes if note for line in wrapped(f"{name}: {note}.")]
    return ["Args:", *lines] if lines else []


def _notes(use: Use, shape: Shape, selection: Selection) -> Iterator[str]:
    """Yield what there is to know of a parameter besides its type."""
    if use.traits.get("deprecated") or shape.traits.get("deprecated"):
        yield "deprecated"
    if use.traits.get("idempotencyToken"):
        yield "made up when it is not given"
    bounds = _bounds(shape)
    if bounds:
        yield bounds
    values = shape.traits.get("enum", ())
    if values:
        yield _one_of(values)
    if shape.element is not None:
        element = selection.service.shapes[shape.element.shape]
        inner = [note for note in (_bounds(element), _values(element)) if note]
        if inner:
            yield f"each {', '.join(inner)}"


def _values(shape: Shape) -> str:
    values = shape.traits.get("enum", ())
    return _one_of(values) if values else ""


def _one_of(values: Sequence[str]) -> str:
    if len(values) == 1:
        return f"always {values[0]}"
    if len(values) <= FEW:
        return f"one of {', '.join(values)}"
    return f"one of {len(values)} values ({', '.join(values[:3])}, ...)"


_UNITS = {"string": "character", "blob": "byte", "list": "element", "map": "entry"}


def _bounds(shape: Shape) -> str:
    """Return the range of a number or of a length, "" without one."""
    low, high = shape.traits.get("min"), shape.traits.get("max")
    if low is None and high is None:
        return ""
    unit = _UNITS.get(shape.type, "")
    if unit:
        low = low or None
        last = high if high is not None else low
        unit = f" {unit if last == 1 else _plural(unit)}"
    if high is None:
        return f"at least {low}{unit}" if low is not None else ""
    if low is None:
        return f"at most {high}{unit}"
    return f"{low}{unit}" if low == high else f"{low} to {high}{unit}"


def _plural(unit: str) -> str:
    return "entries" if unit == "entry" else f"{unit}s"


def _returns(operation: Operation, selection: Selection) -> list[str]:
    if operation.output is None:
        return []
    members = selection.service.shapes[operation.output.shape].members
    return ["Returns:", *wrapped(f"A dict with {', '.join(members)}.")] if members else []


def _raises(operation: Operation, names: Names) -> list[str]:
    errors = [names.errors[error] for error in operation.errors]
    return ["Raises:", *wrapped(f"exceptions: {', '.join(errors)}.")] if errors else []


def _see(operation: Operation, selection: Selection) -> list[str]:
    uid = selection.service.metadata.get("uid")
    return [f"See {REFERENCE}/{uid}/{operation.name}"] if uid else []


def wrapped(text: str) -> list[str]:
    """Break a text into the lines of a section of a docstring."""
    return textwrap.wrap(
        text,
        WIDTH - len(INDENT),
        initial_indent="    ",
        subsequent_indent="        ",
        break_long_words=False,
        break_on_hyphens=False,
    )
