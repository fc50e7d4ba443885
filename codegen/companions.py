"""Do paginators and waiters name operations and members that exist?"""

from __future__ import annotations

import re
from collections.abc import Iterator

from .expressions import expression_faults
from .faults import Finding, nearest
from .queries import UnsupportedExpressionError, compile_query
from .spelling import method_name
from .wellformed import Json, elements, members, objects, referred, texts

_PATH = re.compile(r"\w+(\.\w+)*")


def paginator_faults(paginators: Json, service: Json) -> Iterator[Finding]:
    """Yield place and message of everything that is wrong with the paginators of a service."""
    operations, shapes = objects(service.get("operations")), objects(service.get("shapes"))
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
    tokens = [texts(entry.get(key)) for key in ("input_token", "output_token")]
    if all(tokens) and len(tokens[0]) != len(tokens[1]):
        yield place, "there should be as many input_token as output_token"
    for key in ("result_key", "non_aggregate_keys"):
        for path in texts(entry.get(key)):
            if not _PATH.fullmatch(path):
                yield f"{place}, {key}", f"{path!r} should be names with dots between them"


def waiter_faults(waiters: Json, service: Json) -> Iterator[Finding]:
    """Yield place and message of everything that is wrong with the waiters of a service."""
    operations, shapes = objects(service.get("operations")), objects(service.get("shapes"))
    first: dict[str, str] = {}
    for name, entry in objects(waiters).items():
        place, operation, method = f"waiter {name}", str(entry.get("operation")), method_name(name)
        if method in first:
            yield place, f"its method wait_until_{method} is also that of waiter {first[method]}"
        elif not method.isidentifier():
            yield place, f"its method wait_until_{method} would have no Python name"
        first.setdefault(method, name)
        if operation not in operations:
            if isinstance(entry.get("operation"), str):
                yield place, f"there is no operation {operation!r}{nearest(operation, operations)}"
            continue
        for number, acceptor in enumerate(elements(entry.get("acceptors"))):
            for message in _acceptor(acceptor, operations[operation], shapes):
                yield f"{place}, acceptor {number}", message


def _acceptor(acceptor: object, operation: Json, shapes: Json) -> Iterator[str]:
    entry = acceptor if isinstance(acceptor, dict) else {}
    if str(entry.get("matcher")).startswith("path"):
        yield from _output_faults(str(entry.get("argument", "")), operation, shapes)


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
