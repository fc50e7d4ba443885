"""What the module of exceptions says: a class for each error that the service models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .name import Names
from .select import Selection
from .shapes import Shape
from .source import escaped, literal, one_line


@dataclass(frozen=True)
class Error:
    """A class of the module of exceptions."""

    name: str
    summary: str


def exceptions_context(selection: Selection, names: Names) -> Mapping[str, object]:
    """Return what the template of the module of exceptions prints."""
    shapes = selection.service.shapes
    errors = [Error(names.errors[each], _summary(shapes[each])) for each in selection.errors]
    # Of several shapes with one code the last counts, as in botocore.
    by_code = {
        _code(shape): names.errors[name] for name, shape in shapes.items() if name in names.errors
    }
    codes = [(literal(code), by_code[code]) for code in sorted(by_code)]
    return {"errors": errors, "codes": codes}


def _code(shape: Shape) -> str:
    return str(shape.traits.get("error", {}).get("code", shape.name))


def _summary(shape: Shape) -> str:
    status = shape.traits.get("error", {}).get("httpStatusCode")
    code = escaped(one_line(_code(shape)))
    return f"Error ``{code}``" + (f", HTTP status {status}." if status else ".")
