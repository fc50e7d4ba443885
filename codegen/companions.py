"""Do paginators and waiters name operations and members that exist?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .expressions import expression_faults
from .faults import nearest
from .queries import UnsupportedExpressionError, compile_query
from .spelling import method_name
from .wellformed import members, objects, referred, texts

STATES = ("success", "failure", "retry")
MATCHERS = ("path", "pathAll", "pathAny", "status", "error")

_PATH = re.compile(r"\w+(\.\w+)*")

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
    yield from _page_keys(place, entry)
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


def _page_keys(place: str, entry: Json) -> Iterator[Finding]:
    for key in ("input_token", "output_token", "result_key"):
        if not texts(entry.get(key)):
            yield place, f"there should be a {key!r}{nearest(key, entry)}"
    if len(texts(entry.get("input_token"))) != len(texts(entry.get("output_token"))):
        yield place, "there should be as many input_token as output_token"
    for key in ("result_key", "non_aggregate_keys"):
        for path in texts(entry.get(key)):
            if not _PATH.fullmatch(path):
                yield f"{place}, {key}", f"{path!r} should be names with dots between them"


def waiter_faults(waiters: Json, service: Json) -> Iterator[Finding]:
    """Yield place and message of everything that is wrong with the waiters of a service."""
    operations, shapes = objects(service["operations"]), service["shapes"]
    first: dict[str, str] = {}
    for name, entry in objects(waiters).items():
        place, operation, method = f"waiter {name}", str(entry.get("operation")), method_name(name)
        if method in first:
            yield place, f"its method wait_until_{method} is also that of waiter {first[method]}"
        first.setdefault(method, name)
        yield from _waiter(place, entry)
        if operation not in operations:
            yield place, f"there is no operation {operation!r}{nearest(operation, operations)}"
            continue
        for number, acceptor in enumerate(_array(entry.get("acceptors"))):
            for message in _acceptor(acceptor, operations[operation], shapes):
                yield f"{place}, acceptor {number}", message


def _waiter(place: str, entry: Json) -> Iterator[Finding]:
    for key in ("delay", "maxAttempts"):
        if not isinstance(entry.get(key), int):
            yield place, f"there should be a number {key!r}{nearest(key, entry)}"
    if not _array(entry.get("acceptors")):
        yield place, "there should be an array 'acceptors'"


def _array(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _acceptor(acceptor: object, operation: Json, shapes: Json) -> Iterator[str]:
    if not isinstance(acceptor, dict):
        yield "should be an object"
        return
    state, matcher = str(acceptor.get("state")), str(acceptor.get("matcher"))
    if "expected" not in acceptor:
        yield f"there should be an 'expected'{nearest('expected', acceptor)}"
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
        return
    found = list(expression_faults(expression, referred(operation["output"], shapes), shapes))
    yield from found
    if not found:
        try:
            compile_query(expression)
        except UnsupportedExpressionError as error:
            yield f"{expression!r}: {error}"
