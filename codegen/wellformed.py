"""Readers of models that may be anything: what is not of the right form is passed over.

Its faults are reported where it is checked; here it must not keep other checks from going on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Json = Mapping[str, Any]


def objects(value: object) -> dict[str, dict[str, Any]]:
    """Return the members of an object that are objects."""
    if not isinstance(value, dict):
        return {}
    return {str(name): item for name, item in value.items() if isinstance(item, dict)}


def elements(value: object) -> list[Any]:
    """Return the elements of an array, none of anything else."""
    return value if isinstance(value, list) else []


def texts(value: object) -> list[str]:
    """Return the texts of an array, or a text as an array."""
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, str)]


def referred(use: object, shapes: Json) -> str | None:
    """Return the name of the shape that ``{"shape": "Name"}`` refers to, None without one."""
    name = use.get("shape") if isinstance(use, dict) else None
    return name if isinstance(name, str) and isinstance(shapes.get(name), dict) else None


def members(use: object, shapes: Json) -> dict[str, dict[str, Any]]:
    """Return the members of the structure that is referred to."""
    name = referred(use, shapes)
    return objects(shapes[name].get("members")) if name else {}
