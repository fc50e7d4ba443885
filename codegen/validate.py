"""Pass 2, validate: every reference of a model leads somewhere and every type is known.

Each check yields faults and goes on, so that one run shows all of them. Later passes rely on what
is checked here and look nothing up twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .cycles import required_cycles
from .expressions import expression_faults
from .faults import Fault, nearest
from .load import PAGINATORS, SERVICE, WAITERS, Model

TYPES = frozenset(
    [
        "structure",
        "list",
        "map",
        "string",
        "integer",
        "long",
        "float",
        "double",
        "boolean",
        "blob",
        "timestamp",
    ]
)
# The references that a shape of a type has besides its members.
REFERENCES: Mapping[str, tuple[str, ...]] = {"list": ("member",), "map": ("key", "value")}
METADATA = ("apiVersion", "endpointPrefix", "protocol", "serviceId")
PROTOCOLS = frozenset(["json", "rest-json", "rest-xml", "query", "ec2", "smithy-rpc-v2-cbor"])

Json = Mapping[str, Any]


def validate(model: Model) -> list[Fault]:
    """Return everything that is wrong with a model, nothing for a sound one."""
    path = model.path(SERVICE)
    faults = [Fault(path, place, message) for place, message in _service(model.service)]
    if faults:  # what refers to a broken model cannot be judged
        return faults
    found = {
        PAGINATORS: _paginators(model.paginators, model.service),
        WAITERS: _waiters(model.waiters, model.service),
    }
    return [
        Fault(model.path(kind), place, message)
        for kind, items in found.items()
        for place, message in items
    ]


Finding = tuple[str, str]


def _service(service: Json) -> list[Finding]:
    found = list(_sections(service))
    if found:
        return found
    found += _metadata(service["metadata"])
    shapes = service["shapes"]
    for name, operation in service["operations"].items():
        found += _operation(name, operation, shapes)
    for name, shape in shapes.items():
        found += _shape(name, shape, shapes)
    if not found:
        found += required_cycles(shapes)
    return found


def _sections(service: Json) -> Iterator[Finding]:
    for section in ("metadata", "operations", "shapes"):
        if not isinstance(service.get(section), dict):
            yield "", f"there should be an object {section!r}{nearest(section, service)}"


def _metadata(metadata: Json) -> Iterator[Finding]:
    for key in METADATA:
        if not isinstance(metadata.get(key), str):
            yield "metadata", f"there should be a text {key!r}{nearest(key, metadata)}"
    offered = metadata.get("protocols") or [metadata.get("protocol")]
    if not PROTOCOLS.intersection(offered):
        known = ", ".join(sorted(PROTOCOLS))
        yield "metadata", f"protocol {', '.join(map(str, offered))} is not one of {known}"


def _operation(name: str, operation: object, shapes: Json) -> Iterator[Finding]:
    place = f"operation {name}"
    if not isinstance(operation, dict):
        yield place, "should be an object"
        return
    http = operation.get("http", {})
    if not isinstance(http, dict) or not isinstance(http.get("requestUri", "/"), str):
        yield place, "http should be an object with the texts method and requestUri"
    for role in ("input", "output"):
        if role in operation:
            yield from _structure_reference(f"{place}, {role}", operation[role], shapes)
    errors = operation.get("errors", [])
    if not isinstance(errors, list):
        yield f"{place}, errors", "should be an array"
        return
    for error in errors:
        yield from _structure_reference(f"{place}, errors", error, shapes)


def _structure_reference(place: str, use: object, shapes: Json) -> Iterator[Finding]:
    found = list(_reference(place, use, shapes))
    yield from found
    if not found and isinstance(use, dict):
        kind = _type(shapes[use["shape"]])
        if kind != "structure":
            yield place, f"shape {use['shape']} should be a structure, it is {kind!r}"


def _reference(place: str, use: object, shapes: Json) -> Iterator[Finding]:
    name = use.get("shape") if isinstance(use, dict) else None
    if not isinstance(name, str):
        yield place, 'should refer to a shape: {"shape": "Name"}'
    elif name not in shapes:
        yield place, f"there is no shape {name!r}{nearest(name, shapes)}"


def _type(shape: object) -> object:
    return shape.get("type") if isinstance(shape, dict) else None


def _shape(name: str, shape: object, shapes: Json) -> Iterator[Finding]:
    place = f"shape {name}"
    if not isinstance(shape, dict):
        yield place, "should be an object"
        return
    kind = shape.get("type")
    if str(kind) not in TYPES:
        yield place, f"type {kind!r} is not known{nearest(str(kind), TYPES)}"
    for role in REFERENCES.get(str(kind), ()):
        yield from _reference(f"{place}, {role}", shape.get(role), shapes)
    if kind == "structure":
        yield from _structure(place, shape, shapes)
    yield from _enum(place, shape)


def _structure(place: str, shape: Json, shapes: Json) -> Iterator[Finding]:
    members = shape.get("members", {})
    if not isinstance(members, dict):
        yield place, "members should be an object"
        return
    for name, use in members.items():
        yield from _reference(f"{place}, member {name}", use, shapes)
    required = shape.get("required", [])
    if not isinstance(required, list):
        yield f"{place}, required", "should be an array"
        return
    payload = [shape["payload"]] if "payload" in shape else []
    for role, names in (("required", required), ("payload", payload)):
        for name in names:
            if str(name) not in members:
                missing = f"there is no member {name!r}{nearest(str(name), members)}"
                yield f"{place}, {role}", missing


def _enum(place: str, shape: Json) -> Iterator[Finding]:
    values = shape.get("enum", [])
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        yield f"{place}, enum", "should be an array of texts"


def _paginators(paginators: object, service: Json) -> Iterator[Finding]:
    for name, entry, operation in _entries("paginator", paginators, service):
        if isinstance(operation, str):
            yield name, operation
            continue
        yield from _paginator(name, entry, operation, service["shapes"])


def _paginator(place: str, entry: Json, operation: Json, shapes: Json) -> Iterator[Finding]:
    sent = _members(operation, "input", shapes)
    for key in ("input_token", "limit_key"):
        for member in _texts(entry.get(key)):
            if member not in sent:
                yield (
                    f"{place}, {key}",
                    f"the input has no member {member!r}{nearest(member, sent)}",
                )
    output = operation.get("output", {}).get("shape")
    for key in ("output_token", "result_key", "more_results", "non_aggregate_keys"):
        for expression in _texts(entry.get(key)):
            for message in expression_faults(expression, output, shapes):
                yield f"{place}, {key}", message


def _waiters(waiters: object, service: Json) -> Iterator[Finding]:
    for place, entry, operation in _entries("waiter", waiters, service, key="operation"):
        if isinstance(operation, str):
            yield place, operation
            continue
        for number, acceptor in enumerate(entry.get("acceptors", ())):
            for message in _acceptor(acceptor, operation, service["shapes"]):
                yield f"{place}, acceptor {number}", message


def _acceptor(acceptor: object, operation: Json, shapes: Json) -> Iterator[str]:
    if not isinstance(acceptor, dict):
        yield "should be an object"
        return
    states = ("success", "failure", "retry")
    state = acceptor.get("state")
    if state not in states:
        yield f"state {state!r} should be one of {', '.join(states)}{nearest(str(state), states)}"
    matchers = ("path", "pathAll", "pathAny", "status", "error")
    matcher = acceptor.get("matcher")
    if matcher not in matchers:
        one_of = ", ".join(matchers)
        yield f"matcher {matcher!r} should be one of {one_of}{nearest(str(matcher), matchers)}"
    elif str(matcher).startswith("path"):
        output = operation.get("output", {}).get("shape")
        yield from expression_faults(str(acceptor.get("argument", "")), output, shapes)


def _entries(
    what: str, entries: object, service: Json, key: str = ""
) -> Iterator[tuple[str, Json, Json | str]]:
    """Yield place, entry and operation (or the fault's text) of each paginator or waiter."""
    if not isinstance(entries, dict):
        yield "", {}, f"should hold an object of {what}s"
        return
    operations = service["operations"]
    for name, entry in entries.items():
        place = f"{what} {name}"
        if not isinstance(entry, dict):
            yield place, {}, "should be an object"
            continue
        operation = str(entry.get(key)) if key else name
        if operation in operations:
            yield place, entry, operations[operation]
        else:
            missing = f"there is no operation {operation!r}{nearest(operation, operations)}"
            yield place, entry, missing


def _members(operation: Json, role: str, shapes: Json) -> Json:
    shape = shapes[operation[role]["shape"]] if role in operation else {}
    members: Json = shape.get("members", {})
    return members


def _texts(value: object) -> Iterable[str]:
    if isinstance(value, list):
        return [str(item) for item in value]
    return [] if value is None else [str(value)]
