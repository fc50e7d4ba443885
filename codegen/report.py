"""What `codegen list` says of each service."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from .faults import FaultyModel
from .load import Source, load
from .select import select
from .shapes import Operation, Shape
from .validate import validate


@dataclass(frozen=True)
class Row:
    """What there is to know of a service at a glance.

    Attributes:
        service: the name of its folder.
        api_version: the version of its API.
        protocol: the protocols that it speaks.
        operations: how many operations it has.
        demanding: name of each operation that needs more than the default transport, and what.
    """

    service: str
    api_version: str
    protocol: str
    operations: int
    demanding: Sequence[tuple[str, str]]


def rows(sources: Iterable[Source]) -> Iterator[Row]:
    """Yield a row for each service.

    Raises:
        FaultyModel: something is wrong with a model.
    """
    for source in sources:
        model = load(source)
        faults = validate(model)
        if faults:
            raise FaultyModel(faults)
        service = select(model).service
        offered = service.metadata.get("protocols") or [service.metadata["protocol"]]
        demands = (
            (name, demand(operation, service.shapes))
            for name, operation in service.operations.items()
        )
        yield Row(
            source.service,
            source.api_version,
            ", ".join(offered),
            len(service.operations),
            [(name, what) for name, what in demands if what],
        )


def demand(operation: Operation, shapes: Mapping[str, Shape]) -> str:
    """Return what an operation needs beyond the default transport, "" for nothing."""
    members = shapes[operation.input.shape].members.values() if operation.input else ()
    if any(shapes[member.shape].traits.get("eventstream") for member in members):
        return "HTTP/2 (use_curl=True), since it sends events"
    return ""
