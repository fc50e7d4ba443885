"""Pass 4, select: the operations to generate and the shapes reachable from them, by direction."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .faults import Fault, nearest
from .load import SERVICE, Model
from .shapes import Service, Shape, read_operation, read_shape
from .wellformed import objects


@dataclass(frozen=True)
class Selection:
    """The part of a service that is generated.

    Attributes:
        service: its operations and the shapes reachable from them.
        sent: names of the shapes that parameters are made of.
        returned: names of the shapes that results are made of.
        errors: names of the error shapes.
        paginators: the model's entries for its operations.
        waiters: the model's entries that call its operations, by name.
    """

    service: Service
    sent: frozenset[str]
    returned: frozenset[str]
    errors: tuple[str, ...]
    paginators: Mapping[str, Any]
    waiters: Mapping[str, Any]


def unknown_operations(model: Model, wanted: Collection[str] | None) -> Iterator[Fault]:
    """Yield a fault for each wanted operation that the service does not have."""
    operations = objects(model.service.get("operations"))
    for name in wanted or ():
        if name not in operations:
            near = nearest(name, operations)
            yield Fault(model.path(SERVICE), "", f"there is no operation {name!r}{near}")


def select(model: Model, wanted: Collection[str] | None = None) -> Selection:
    """Choose operations and what belongs to them.

    Args:
        model: a valid model.
        wanted: names of operations that it has; None for all.
    """
    data = model.service
    names = [name for name in data["operations"] if wanted is None or name in wanted]
    operations = {name: read_operation(name, data["operations"][name]) for name in names}
    shapes = {name: read_shape(name, shape) for name, shape in data["shapes"].items()}
    errors = {error for operation in operations.values() for error in operation.errors}
    if wanted is None:
        errors.update(name for name, shape in shapes.items() if shape.traits.get("exception"))
    used = list(operations.values())
    sent = _reachable(shapes, (each.input.shape for each in used if each.input))
    returned = _reachable(shapes, (each.output.shape for each in used if each.output))
    reachable = sent | returned | _reachable(shapes, errors)
    service = Service(
        model.source.service,
        model.source.api_version,
        model.origin,
        _metadata(data),
        operations,
        {name: shape for name, shape in shapes.items() if name in reachable},
        len(data["operations"]),
    )
    return Selection(
        service,
        sent,
        returned,
        tuple(sorted(errors)),
        {name: entry for name, entry in model.paginators.items() if name in operations},
        {n: entry for n, entry in model.waiters.items() if entry["operation"] in operations},
    )


def _metadata(service: Mapping[str, Any]) -> dict[str, Any]:
    context = service.get("clientContextParams")
    return {**service["metadata"], **({"clientContextParams": context} if context else {})}


def _reachable(shapes: Mapping[str, Shape], roots: Iterable[str]) -> frozenset[str]:
    seen: set[str] = set()
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting.extend(use.shape for use in shapes[name].uses)
    return frozenset(seen)
