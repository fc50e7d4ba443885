"""Pass 5, resolve: what the runtime has to know, as the three texts of ``wire.py``.

Everything that changes the wire or its validation is kept, in the models' own vocabulary; what is
for readers and for type checkers only is left out by name, so that a trait that is new in a model
reaches the runtime.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .override import RETURNED_AS, SENT_AS
from .select import Selection
from .shapes import Operation, Shape, Use

# Why each is left out: texts for readers; constraints that only the service checks; an order that
# no protocol needs; types of Python's.
LEFT_OUT = frozenset(
    {
        "documentation",
        "documentationUrl",
        "deprecated",
        "deprecatedMessage",
        "deprecatedSince",
        "enum",
        "pattern",
        "max",
        "xmlOrder",
        "examples",
        SENT_AS,
        RETURNED_AS,
    }
)


@dataclass(frozen=True)
class Wire:
    """The texts of ``wire.py``.

    Attributes:
        service: one JSON object.
        operations: a line ``<Name> <JSON object>`` for each operation, in the model's order.
        shapes: a line ``<Name> <JSON object>`` for each shape, sorted.
    """

    service: str
    operations: str
    shapes: str


def resolve(selection: Selection) -> Wire:
    """Write down what the runtime has to know of the selected part of a service."""
    service = selection.service
    shapes = service.shapes
    return Wire(
        _json(_kept(service.metadata)),
        _lines((name, _operation(each)) for name, each in service.operations.items()),
        _lines((name, _shape(shapes[name])) for name in sorted(shapes)),
    )


def _operation(operation: Operation) -> dict[str, Any]:
    data = _kept(operation.traits)
    if data.get("name") == operation.name:
        del data["name"]
    for role, use in (("input", operation.input), ("output", operation.output)):
        if use is not None:
            data[role] = _use(use)
    if operation.errors:
        data["errors"] = [{"shape": error} for error in operation.errors]
    return data


def _shape(shape: Shape) -> dict[str, Any]:
    data = {"type": shape.type, **_kept(shape.traits)}
    if shape.type == "structure":
        data["members"] = {name: _use(use) for name, use in shape.members.items()}
    if shape.key is not None:
        data["key"] = _use(shape.key)
    if shape.element is not None:
        data["member" if shape.type == "list" else "value"] = _use(shape.element)
    return data


def _use(use: Use) -> dict[str, Any]:
    return {"shape": use.shape, **_kept(use.traits)}


def _kept(traits: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what no wire needs, also in what is nested (rules of client context parameters)."""
    return {
        key: _kept(value) if isinstance(value, Mapping) else value
        for key, value in traits.items()
        if key not in LEFT_OUT
    }


def _lines(items: Iterable[tuple[str, Mapping[str, Any]]]) -> str:
    return "".join(f"{name} {_json(data)}\n" for name, data in items)


def _json(data: Mapping[str, Any]) -> str:
    """Write compact ASCII; three quotes in a row cannot come up in it."""
    return json.dumps(data, separators=(",", ":"))
