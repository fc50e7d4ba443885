"""Pass 6, name: what everything is called in Python, without collisions."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from .faults import Fault
from .load import SERVICE, Model
from .override import Names as Decided
from .reserved import (
    CLIENT_ANNOTATIONS,
    CLIENT_MODULE_NAMES,
    CLIENT_NAMES,
    CLIENT_PREFIXES,
    ERROR_NAMES,
    KEYWORDS,
    METHOD_NAMES,
    PAGINATOR_NAMES,
    TYPE_NAMES,
    WAITER_NAMES,
    free,
)
from .select import Selection
from .shapes import Shape
from .spelling import client_name, method_name, module_name
from .wellformed import members, objects, referred

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Names:
    """The Python names of a service.

    Attributes:
        module: of the package.
        client: of the client class.
        methods: of each operation's method.
        shadowing: operations whose method hides one of the base class.
        parameters: by operation and member, where the parameter is not called as the member.
        sent: class or alias by shape, for parameters.
        returned: class or alias by shape, for results.
        results: class of the result by operation.
        errors: class by error shape.
    """

    module: str
    client: str
    methods: Mapping[str, str]
    shadowing: frozenset[str]
    parameters: Mapping[tuple[str, str], str]
    sent: Mapping[str, str]
    returned: Mapping[str, str]
    results: Mapping[str, str]
    errors: Mapping[str, str]


def refused_names(
    model: Model, decided: Decided, wanted: Collection[str] | None = None
) -> Iterator[Fault]:
    """Yield a fault for each name that Python or the client has no place for.

    Args:
        model: a model that need not be valid.
        decided: names that corrections give.
        wanted: the operations to generate, None for all.
    """
    path, shapes = model.path(SERVICE), objects(model.service.get("shapes"))
    operations = {
        name: operation
        for name, operation in objects(model.service.get("operations")).items()
        if wanted is None or name in wanted
    }
    service = model.source.service
    waited = {str(waiter.get("operation")) for waiter in model.waiters.values()}
    findings = chain(
        _package_faults(
            module_name(service), client_name(objects(model.service).get("metadata", {}), service)
        ),
        _shape_faults(shapes),
        _method_faults(service, operations, decided),
        *(
            _parameter_faults(service, name, operation.get("input"), shapes, decided, taken)
            for name, operation in operations.items()
            for taken in [_taken(name in model.paginators, name in waited)]
        ),
    )
    for place, message in findings:
        yield Fault(path, place, message)


def _package_faults(module: str, client: str) -> Iterator[tuple[str, str]]:
    if not module.isidentifier():
        yield "", f"its folder gives the package name {module!r}, which is no Python name"
    is_name = client.isidentifier() and client not in KEYWORDS
    if not is_name or client in CLIENT_MODULE_NAMES:
        reason = "which its module needs" if is_name else "which is no Python name"
        yield (
            "metadata",
            f"serviceAbbreviation or serviceFullName gives the class name {client!r}, {reason}",
        )


def _shape_faults(shapes: Json) -> Iterator[tuple[str, str]]:
    for shape in shapes:
        if not shape.isidentifier():
            yield f"shape {shape}", f"its type would be called {shape!r}, which is no Python name"


def _method_faults(
    service: str, operations: Iterable[str], decided: Decided
) -> Iterator[tuple[str, str]]:
    first: dict[str, str] = {}
    for operation in operations:
        place, method = f"operation {operation}", _method(operation, decided)
        if method in first:
            yield place, f"its method {method} is also that of operation {first[method]}"
        first.setdefault(method, operation)
        reason = _refused_method(method, operation in decided.methods)
        if reason:
            remedy = _remedy(service, "methods", operation)
            yield place, f"its method would be called {method}, {reason}; {remedy}"


def _method(operation: str, decided: Decided) -> str:
    return decided.methods.get(operation, method_name(operation))


def _is_own(method: str) -> bool:
    return method in CLIENT_NAMES or method.startswith(CLIENT_PREFIXES)


def _remedy(service: str, table: str, name: str) -> str:
    return f'give it a name in codegen.toml: [{service}.{table}] {name} = "..."'


def _refused_method(method: str, is_decided: bool) -> str:
    """Return why a method cannot have this name, "" when it can."""
    if method in KEYWORDS:
        return "a Python keyword"
    if not method.isidentifier():
        return "which is no Python name"
    if method in CLIENT_ANNOTATIONS:
        return "which the client's annotations need"
    if _is_own(method) and (not is_decided or method.startswith("_")):
        return "a name of the client's own"
    return ""


def _parameter_faults(
    service: str,
    operation: str,
    use: object,
    shapes: Json,
    decided: Decided,
    taken: Collection[str],
) -> Iterator[tuple[str, str]]:
    first: dict[str, str] = {}
    shape = referred(use, shapes)
    for member in members(use, shapes):
        parameter = decided.parameters.get((operation, member), member)
        place = f"operation {operation}, shape {shape}, member {member}"
        if parameter in first:
            yield place, f"its parameter {parameter} is also that of member {first[parameter]}"
        first.setdefault(parameter, member)
        reason = _refused_parameter(parameter, taken)
        if reason:
            remedy = _remedy(service, f"parameters.{operation}", member)
            yield place, f"{reason}, it cannot be a parameter; {remedy}"


def _taken(has_paginator: bool, has_waiter: bool) -> Collection[str]:
    """Return the names of parameters that the methods of an operation have already."""
    pages = PAGINATOR_NAMES if has_paginator else frozenset()
    return METHOD_NAMES | pages | (WAITER_NAMES if has_waiter else frozenset())


def _refused_parameter(parameter: str, taken: Collection[str]) -> str:
    """Return why a parameter cannot have this name, "" when it can."""
    if parameter in KEYWORDS:
        return f"{parameter} is a Python keyword"
    if parameter in taken:
        return f"{parameter} is a name of the client's own"
    if parameter.startswith("__"):  # the class around the method would change it
        return f"{parameter} begins with two underscores"
    return "" if parameter.isidentifier() else f"{parameter!r} is no Python name"


def name(selection: Selection, decided: Decided) -> Names:
    """Name everything that is selected.

    Args:
        selection: the selected part of a service without refused names.
        decided: names that corrections give.
    """
    service = selection.service
    methods = {each: _method(each, decided) for each in service.operations}
    sent, returned, results = _types(selection)
    return Names(
        module_name(service.folder),
        client_name(service.metadata, service.folder),
        methods,
        frozenset(each for each, method in methods.items() if _is_own(method)),
        decided.parameters,
        sent,
        returned,
        results,
        {error: free(error, ERROR_NAMES) for error in selection.errors},
    )


def _types(
    selection: Selection,
) -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    """Name structures and enumerations: for parameters, for results, for results as a whole.

    A structure that is both sent and returned has two types, of which that of results has
    ``Output`` behind its name.
    """
    shapes = selection.service.shapes
    named = [
        each for each in sorted(selection.sent | selection.returned) if _has_name(shapes[each])
    ]
    names = {each: free(each, TYPE_NAMES) for each in named}
    taken = {*TYPE_NAMES, *names.values()}

    def another(wanted: str) -> str:
        chosen = free(wanted, taken)
        taken.add(chosen)
        return chosen

    returned = {
        each: another(f"{each}Output") if has_two_types(each, selection) else names[each]
        for each in named
        if each in selection.returned
    }
    nested = _nested(selection)
    results: dict[str, str] = {}
    whole: dict[str, str] = {}
    for operation in selection.service.operations.values():
        if operation.output is not None:
            shape = operation.output.shape
            if shape not in whole:
                whole[shape] = another(f"{shape}Result") if shape in nested else returned[shape]
            results[operation.name] = whole[shape]
    return {each: names[each] for each in named if each in selection.sent}, returned, results


def _has_name(shape: Shape) -> bool:
    if shape.type == "structure":
        return not shape.traits.get("document")
    return bool(shape.traits.get("enum"))


def has_two_types(shape: str, selection: Selection) -> bool:
    """Tell whether the type of a shape in parameters differs from that in results."""
    is_structure = selection.service.shapes[shape].type == "structure"
    return is_structure and shape in selection.sent and shape in selection.returned


def _nested(selection: Selection) -> set[str]:
    """Return the shapes that results contain below their first level."""
    shapes = selection.service.shapes
    return {use.shape for each in selection.returned for use in shapes[each].uses}
