"""What `codegen explain` says of an operation: all that is decided about it, in one place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .addresses import endpoint, wire_name
from .faults import Fault, FaultyModel, nearest
from .load import SERVICE, Source, load
from .manifest import Wishes
from .methods import methods_of, parameters_of
from .name import name
from .override import Names, Optional, Override, Type
from .overrides import corrections
from .pipeline import prepare
from .report import demand
from .resolve import resolve
from .select import Selection, select
from .shapes import Use


def explain(
    source: Source, operation: str, wishes: Wishes, params: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Yield what there is to know of an operation as pairs of topic and text.

    Args:
        source: the model of its service.
        operation: the operation's name in the model.
        wishes: what is wanted of the service.
        params: parameters of the endpoint rules, by name.

    Raises:
        FaultyModel: something is wrong with the model, or it has no such operation.
    """
    model, decided = prepare(load(source), wishes)
    operations = model.service["operations"]
    if operation not in operations:
        missing = f"there is no operation {operation!r}{nearest(operation, operations)}"
        raise FaultyModel([Fault(model.path(SERVICE), "", missing)])
    selection = select(model, [operation])
    yield from _surface(selection, operation, decided)
    yield from _wire(selection, operation)
    yield from endpoint(model, selection.service.operations[operation], params)
    overrides = [*corrections(source.service), *wishes.overrides]
    reasons = [each.reason for each in overrides if _concerns(each, selection, operation)]
    yield "corrections", "; ".join(reasons) or "none"
    is_wanted = wishes.operations is None or operation in wishes.operations
    yield "generated", "yes" if is_wanted else "no: codegen.toml leaves it out"
    yield "model", str(model.path(SERVICE))


def _surface(selection: Selection, operation: str, decided: Names) -> Iterator[tuple[str, str]]:
    """Yield what callers see."""
    names = name(selection, decided)
    data = selection.service.operations[operation]
    (method,) = methods_of(selection, names)
    parameters = [each.name for each in parameters_of(data, selection, names)]
    result = names.results.get(operation, "EmptyResult")
    lines = f"{method.signature}\n{method.docstring}\n{method.call}".count("\n") + 1
    yield "method", f"{names.module}.{names.client}.{names.methods[operation]}, {lines} lines"
    yield "parameters", ", ".join(parameters) or "none"
    yield "result", f"{names.module}.types.{result}" if data.output else result
    yield "errors", ", ".join(data.errors) or "none"
    yield "paginator", _paginator(selection.paginators.get(operation))
    yield "waiters", ", ".join(selection.waiters) or "none"


def _paginator(entry: Mapping[str, Any] | None) -> str:
    """Return what is paged, and how."""
    if entry is None:
        return "none"
    keys = {
        name: [value] if isinstance(value, str) else value
        for name, value in entry.items()
        if name in ("input_token", "output_token", "result_key")
    }
    tokens = zip(keys["input_token"], keys["output_token"], strict=True)
    parts = [
        f"items of {keys['result_key'][0]}",
        *(f"{sent} from {given}" for sent, given in tokens),
        *([f"page size {entry['limit_key']}"] if entry.get("limit_key") else []),
    ]
    return ", ".join(parts)


def _wire(selection: Selection, operation: str) -> Iterator[tuple[str, str]]:
    """Yield what goes over the wire, and what the runtime has to know for it."""
    service = selection.service
    data, wire = service.operations[operation], resolve(selection)
    http = data.traits.get("http", {})
    size = len(wire.operations) + len(wire.shapes)
    yield "protocol", ", ".join(service.metadata.get("protocols") or [service.metadata["protocol"]])
    yield "request", f"{http.get('method', 'POST')} {http.get('requestUri', '/')}"
    yield "wire name", wire_name(service.metadata, data)
    yield "shapes", f"{len(service.shapes)}, {size} bytes of wire data"
    yield "sends", ", ".join(_reached(selection, data.input)) or "nothing"
    yield "gives", ", ".join(_reached(selection, data.output)) or "nothing"
    yield "needs", demand(data, service.shapes) or "nothing special"


def _reached(selection: Selection, use: Use | None) -> list[str]:
    """Return the shapes that a use leads to, in the order of finding them."""
    shapes = selection.service.shapes
    found = [use.shape] if use is not None else []
    for reached in found:
        shape = shapes[reached]
        uses = (*shape.members.values(), shape.key, shape.element)
        found += dict.fromkeys(each.shape for each in uses if each and each.shape not in found)
    return found


def _concerns(each: Override, selection: Selection, operation: str) -> bool:
    if isinstance(each, Optional):
        use = selection.service.operations[operation].input
        return use is not None and each.member in selection.service.shapes[use.shape].members
    if isinstance(each, Type):
        data = selection.service.operations[operation]
        return each.shape in {*_reached(selection, data.input), *_reached(selection, data.output)}
    return each.operation == operation
