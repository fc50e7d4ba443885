"""What a package says of its paginators and waiters: their data, and the methods that use it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .annotate import Annotator
from .layout import annotated
from .methods import Method, Parameter, annotation_of, parameters_of
from .name import Names
from .queries import compile_query
from .reserved import free
from .select import Selection
from .shapes import Operation, Shape
from .source import WIDTH, literal
from .spelling import method_name

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Constant:
    """A value of the module of paginators or of waiters, as source text."""

    name: str
    value: str


def paginator_constants(selection: Selection) -> list[Constant]:
    """Return the data of the paginators."""
    service, constants = selection.service, constant_names(selection.paginators)
    return [
        Constant(constants[name], _pages(name, entry, service.operations[name], service.shapes))
        for name, entry in selection.paginators.items()
    ]


def waiter_constants(selection: Selection) -> list[Constant]:
    """Return the data of the waiters."""
    constants = constant_names(selection.waiters)
    return [
        Constant(constants[name], _waiter(name, entry)) for name, entry in selection.waiters.items()
    ]


def conveniences(selection: Selection, names: Names) -> list[Method]:
    """Return the methods for paginators and waiters."""
    paginators, waiters = constant_names(selection.paginators), constant_names(selection.waiters)
    return [
        *(_paginate(name, paginators[name], selection, names) for name in paginators),
        *(_wait(name, waiters[name], selection, names) for name in waiters),
    ]


def constant_names(names: Iterable[str]) -> dict[str, str]:
    """Return the constant of each paginator or waiter; names may differ in their case only."""
    constants: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        constants[name] = free(method_name(name).upper(), taken)
        taken.add(constants[name])
    return constants


def _texts(value: str | Sequence[str] | None) -> list[str]:
    return [value] if isinstance(value, str) else list(value or ())


def _tuple(items: Sequence[str]) -> str:
    return f"({items[0]},)" if len(items) == 1 else f"({', '.join(items)})"


def _path(expression: str) -> str:
    return _tuple([literal(name) for name in expression.split(".")])


def _pages(name: str, entry: Json, operation: Operation, shapes: Mapping[str, Shape]) -> str:
    arguments = [
        literal(name),
        _tuple([literal(each) for each in _texts(entry["input_token"])]),
        _tuple([compile_query(each) for each in _texts(entry["output_token"])]),
        _tuple([_path(each) for each in _texts(entry["result_key"])]),
    ]
    limit = entry.get("limit_key")
    if limit:
        arguments.append(f"limit_key={literal(limit)}")
        if _is_text(limit, operation, shapes):
            arguments.append("limit_is_text=True")
    if "more_results" in entry:
        arguments.append(f"more_results={compile_query(entry['more_results'])}")
    others = [_path(each) for each in _texts(entry.get("non_aggregate_keys"))]
    if others:
        arguments.append(f"other_keys={_tuple(others)}")
    return _called("Pages", arguments)


def _is_text(member: str, operation: Operation, shapes: Mapping[str, Shape]) -> bool:
    if operation.input is None:
        return False
    use = shapes[operation.input.shape].members.get(member)
    return use is not None and shapes[use.shape].type == "string"


def _waiter(name: str, entry: Json) -> str:
    acceptors = [_acceptor(each) for each in entry["acceptors"]]
    return _called(
        "Waiter",
        [
            literal(name),
            literal(entry["operation"]),
            repr(entry["delay"]),
            repr(entry["maxAttempts"]),
            _tuple(acceptors),
        ],
    )


def _acceptor(entry: Json) -> str:
    expected = entry["expected"]
    arguments = [
        literal(entry["state"]),
        literal(entry["matcher"]),
        literal(expected) if isinstance(expected, str) else repr(expected),
    ]
    if "argument" in entry:
        arguments += [compile_query(entry["argument"]), literal(entry["argument"])]
    return _called("Acceptor", arguments)


def _called(name: str, arguments: Sequence[str]) -> str:
    return f"{name}({', '.join(arguments)})"


def _paginate(name: str, constant: str, selection: Selection, names: Names) -> Method:
    entry, operation = selection.paginators[name], selection.service.operations[name]
    tokens = _texts(entry["input_token"])
    parameters = [
        each for each in parameters_of(operation, selection, names) if each.use.name not in tokens
    ]
    result, item = _result(operation, names), _item(entry, operation, selection, names)
    method, key = names.methods[name], _texts(entry["result_key"])[0]
    return _convenience(
        f"def paginate_{method}",
        parameters,
        ("PaginationConfig", "PaginationConfig"),
        f"Paginator[{result}, {item}]",
        f"Iterate over the pages of {name}; the items are those of {key}.",
        f"self._paginate(paginators.{constant}, ",
        Annotator(selection, names, "types."),
    )


def _result(operation: Operation, names: Names) -> str:
    result = names.results.get(operation.name)
    return f"types.{result}" if result else "EmptyResult"


def _item(entry: Json, operation: Operation, selection: Selection, names: Names) -> str:
    """Return the type of the elements of the first result key."""
    at = Annotator(selection, names, "types.")
    shapes = selection.service.shapes
    use = operation.output
    for name in _texts(entry["result_key"])[0].split("."):
        use = shapes[use.shape].members.get(name) if use else None
    if use is None:
        return "Any"
    shape = shapes[use.shape]
    if shape.type == "list" and shape.element is not None:
        return at.returned(shape.element)
    return "str" if shape.type in {"map", "string"} else "Any"


def _wait(name: str, constant: str, selection: Selection, names: Names) -> Method:
    entry = selection.waiters[name]
    operation = selection.service.operations[entry["operation"]]
    method, seconds = names.methods[operation.name], entry["delay"]
    waits_for_error = any(
        each["state"] == "success" and each["matcher"] == "error" for each in entry["acceptors"]
    )
    result = _result(operation, names) + (" | dict[str, Any]" if waits_for_error else "")
    return _convenience(
        f"async def wait_until_{method_name(name)}",
        parameters_of(operation, selection, names),
        ("WaiterConfig", "WaiterConfig"),
        result,
        f"Call {method} every {seconds} seconds, {entry['maxAttempts']} times at most, until"
        f" {name} is reached; return the last response.",
        f"await self._wait({literal(constant)}, ",
        Annotator(selection, names, "types."),
    )


def _convenience(
    start: str,
    parameters: Sequence[Parameter],
    config: tuple[str, str],
    returned: str,
    summary: str,
    call: str,
    at: Annotator,
) -> Method:
    annotations = [annotation_of(at, each) for each in parameters]
    lines = [
        annotated(" " * 8, each.name, text, "," if each.is_required else " = None,")
        for each, text in zip(parameters, annotations, strict=True)
    ]
    name, kind = config
    signature = "\n".join(
        [
            f"    {start}(",
            "        self,",
            "        *,",
            *lines,
            f"        {name}: {kind} | None = None,",
            *_ending(returned),
        ]
    )
    given = [f"{literal(each.use.name)}: {each.name}" for each in parameters]
    return Method(
        signature,
        _docstring(summary),
        _returning(call, given, name),
        [*annotations, returned, kind],
    )


def _ending(returned: str) -> list[str]:
    line = f"    ) -> {returned}:"
    if len(line) <= WIDTH:
        return [line]
    outer, inner = returned[:-1].split("[", 1)
    return [f"    ) -> {outer}[", f"        {inner}", "    ]:"]


def _docstring(summary: str) -> str:
    lines = textwrap.wrap(summary, WIDTH - 12, break_long_words=False, break_on_hyphens=False)
    if len(lines) == 1:
        return lines[0]
    return textwrap.indent("\n".join(lines), " " * 8).lstrip() + "\n" + " " * 8


def _returning(call: str, given: Sequence[str], config: str) -> str:
    line = f"        return {call}{{{', '.join(given)}}}, {config})"
    if len(line) <= WIDTH:
        return line
    start, constant_name = call.removesuffix(", ").split("(", 1)
    members = "".join(f"                {each},\n" for each in given)
    return (
        f"        return {start}(\n"
        f"            {constant_name},\n"
        f"            {{\n{members}            }},\n"
        f"            {config},\n"
        "        )"
    )
