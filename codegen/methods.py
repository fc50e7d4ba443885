"""A method for each operation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .annotate import Annotator
from .describe import method_docstring
from .layout import annotated
from .name import Names
from .select import Selection
from .shapes import Operation, Shape, Use
from .source import WIDTH, escaped, literal


@dataclass(frozen=True)
class Parameter:
    """A parameter of a method: its Python name, the member it becomes, whether it must be given."""

    name: str
    use: Use
    is_required: bool


@dataclass(frozen=True)
class Method:
    """A method of the client; its parts are source text."""

    signature: str
    docstring: str
    call: str
    annotations: Sequence[str]


def methods_of(selection: Selection, names: Names) -> list[Method]:
    """Return a method for each operation."""
    return [_method(each, selection, names) for each in selection.service.operations.values()]


def _method(operation: Operation, selection: Selection, names: Names) -> Method:
    at = Annotator(selection, names, "types.")
    parameters = parameters_of(operation, selection, names)
    annotations = [annotation_of(at, parameter) for parameter in parameters]
    result = names.results.get(operation.name)
    returned = f"types.{result}" if result else "EmptyResult"
    docstring = method_docstring(
        operation, [(each.name, each.use) for each in parameters], selection, names
    )
    name, shadows = names.methods[operation.name], operation.name in names.shadowing
    return Method(
        _signature(name, parameters, annotations, returned, shadows),
        escaped(docstring),
        _call(operation.name, parameters),
        [*annotations, returned],
    )


def parameters_of(operation: Operation, selection: Selection, names: Names) -> list[Parameter]:
    """Return the parameters of an operation, the required ones first."""
    if operation.input is None:
        return []
    shape = selection.service.shapes[operation.input.shape]
    found = [
        Parameter(names.parameters.get((operation.name, name), name), use, is_required(use, shape))
        for name, use in shape.members.items()
    ]
    return sorted(found, key=lambda parameter: not parameter.is_required)


def is_required(use: Use, shape: Shape) -> bool:
    """Tell whether callers have to give a member: a token the runtime makes up they need not."""
    return use.name in shape.required and not use.traits.get("idempotencyToken")


def annotation_of(at: Annotator, parameter: Parameter) -> str:
    """Return the annotation of a parameter."""
    annotation = at.sent(parameter.use)
    return annotation if parameter.is_required else f"{annotation} | None"


# For the rare operation that is called as a method of the base class.
_SHADOWS = "  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]"


def _signature(
    name: str,
    parameters: Sequence[Parameter],
    annotations: Sequence[str],
    result: str,
    shadows: bool,
) -> str:
    items = [
        (each.name, annotation, "" if each.is_required else " = None")
        for each, annotation in zip(parameters, annotations, strict=True)
    ]
    written = [f"{name}: {annotation}{default}" for name, annotation, default in items]
    between = ", ".join(["self", "*", *written] if written else ["self"])
    line = f"    async def {name}({between}) -> {result}:"
    if len(line) <= WIDTH and not shadows:
        return line
    star = ["        *,"] if items else []
    lines = [
        f"    async def {name}({_SHADOWS if shadows else ''}",
        "        self,",
        *star,
        *(annotated(" " * 8, name, text, f"{default},") for name, text, default in items),
        f"    ) -> {result}:",
    ]
    return "\n".join(lines)


def _call(operation: str, parameters: Sequence[Parameter]) -> str:
    items = [f"{literal(each.use.name)}: {each.name}" for each in parameters]
    line = f"        return await self._call({literal(operation)}, {{{', '.join(items)}}})"
    if len(line) <= WIDTH:
        return line
    members = "".join(f"                {item},\n" for item in items)
    return (
        "        return await self._call(\n"
        f"            {literal(operation)},\n"
        f"            {{\n{members}            }},\n"
        "        )"
    )
