"""Do paginators and waiters name operations and members that exist?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .expressions import expression_faults
from .faults import nearest
from .wellformed import members, objects, referred, texts

STATES = ("success", "failure", "retry")
MATCHERS = ("path", "pathAll", "pathAny", "status", "error")

Json = Mapping[str, Any]
Finding = tuple[str, str]


def paginator_faults(paginators: Json, service: Json) -> Iterator[Finding]:
    """Yield place and message of everything that is wrong with the paginators of a service."""
    operations, shapes = objects(service["operations"]), service["shapes"]
    for name, entry in objects(paginators).items():
        place = f"paginator {name}"
        if name in operations:
            yield from _paginator(place, entry, operations[name], shapes)
        else:
            yield place, f"there is no operation {name!r}{nearest(name, operations)}"


def _paginator(place: str, entry: Json, operation: Json, shapes: Json) -> Iterator[Finding]:
    sent = members(operation.get("input"), shapes)
    for key in ("input_token", "limit_key"):
        for member in texts(entry.get(key)):
            if member not in sent:
                missing = f"the input has no member {member!r}{nearest(member, sent)}"
                yield f"{place}, {key}", missing
    for key in ("output_token", "result_key", "more_results", "non_aggregate_keys"):
        for expression in texts(entry.get(key)):
            for message in _output_faults(expression, operation, shapes):
                yield f"{place}, {key}", message


def waiter_faults(waiters: Json, service: Json) -> Iterator[Finding]:
    """Yield place and message of everything that is wrong with the waiters of a service."""
    operations, shapes = objects(service["operations"]), service["shapes"]
    for name, entry in objects(waiters).items():
        place, operation = f"waiter {name}", str(entry.get("operation"))
        if operation not in operations:
            yield place, f"there is no operation {operation!r}{nearest(operation, operations)}"
            continue
        acceptors = entry.get("acceptors")
        for number, acceptor in enumerate(acceptors if isinstance(acceptors, list) else []):
            for message in _acceptor(acceptor, operations[operation], shapes):
                yield f"{place}, acceptor {number}", message


def _acceptor(acceptor: object, operation: Json, shapes: Json) -> Iterator[str]:
    if not isinstance(acceptor, dict):
        yield "should be an object"
        return
    state, matcher = str(acceptor.get("state")), str(acceptor.get("matcher"))
    if state not in STATES:
        yield f"state {state!r} should be one of {', '.join(STATES)}{nearest(state, STATES)}"
    if matcher not in MATCHERS:
        known = ", ".join(MATCHERS)
        yield f"matcher {matcher!r} should be one of {known}{nearest(matcher, MATCHERS)}"
    elif matcher.startswith("path"):
        yield from _output_faults(str(acceptor.get("argument", "")), operation, shapes)


def _output_faults(expression: str, operation: Json, shapes: Json) -> Iterator[str]:
    if "output" not in operation:
        yield f"{expression!r} has nothing to look at: the operation has no output"
    else:
        yield from expression_faults(expression, referred(operation["output"], shapes), shapes)
