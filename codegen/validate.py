"""Pass 2, validate: every reference of a model leads somewhere and every type is known.

Each check yields faults and goes on, so that one run shows all of them. Later passes rely on what
is checked here and look nothing up twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .companions import paginator_faults, waiter_faults
from .cycles import required_cycles
from .faults import Fault, nearest
from .load import PAGINATORS, SERVICE, WAITERS, Model

TYPES = frozenset(
    {
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
    }
)
# The references that a shape of a type has besides its members.
REFERENCES: Mapping[str, tuple[str, ...]] = {"list": ("member",), "map": ("key", "value")}
METADATA = ("apiVersion", "endpointPrefix", "protocol", "serviceId")
PROTOCOLS = frozenset({"json", "rest-json", "rest-xml", "query", "ec2", "smithy-rpc-v2-cbor"})

Json = Mapping[str, Any]
# Where in the file, and what is wrong there.
Finding = tuple[str, str]


def validate(model: Model) -> list[Fault]:
    """Return everything that is wrong with a model, nothing for a sound one."""
    service = model.service
    found = {
        SERVICE: [*_sections(service), *_metadata(service.get("metadata"))],
        PAGINATORS: [],
        WAITERS: [],
    }
    if isinstance(service.get("operations"), dict) and isinstance(service.get("shapes"), dict):
        found[SERVICE] += _service(service["operations"], service["shapes"])
        found[PAGINATORS] += paginator_faults(model.paginators, service)
        found[WAITERS] += waiter_faults(model.waiters, service)
    return [
        Fault(model.path(kind), place, message)
        for kind, findings in found.items()
        for place, message in findings
    ]


def _sections(service: Json) -> Iterator[Finding]:
    for section in ("metadata", "operations", "shapes"):
        if not isinstance(service.get(section), dict):
            yield "", f"there should be an object {section!r}{nearest(section, service)}"


def _metadata(metadata: object) -> Iterator[Finding]:
    if not isinstance(metadata, dict):
        return
    for key in METADATA:
        if not isinstance(metadata.get(key), str):
            yield "metadata", f"there should be a text {key!r}{nearest(key, metadata)}"
    offered = [str(each) for each in metadata.get("protocols") or [metadata.get("protocol")]]
    if not PROTOCOLS.intersection(offered):
        known = ", ".join(sorted(PROTOCOLS))
        yield "metadata", f"protocol {', '.join(offered)} is not one of {known}"


def _service(operations: Json, shapes: Json) -> Iterator[Finding]:
    for name, operation in operations.items():
        yield from _operation(f"operation {name}", operation, shapes)
    for name, shape in shapes.items():
        yield from _shape(f"shape {name}", shape, shapes)
    yield from required_cycles(shapes)


def _operation(place: str, operation: object, shapes: Json) -> Iterator[Finding]:
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
        shape = shapes[use["shape"]]
        kind = shape.get("type") if isinstance(shape, dict) else None
        if kind != "structure":
            yield place, f"shape {use['shape']} should be a structure, it is {kind!r}"


def _reference(place: str, use: object, shapes: Json) -> Iterator[Finding]:
    name = use.get("shape") if isinstance(use, dict) else None
    if not isinstance(name, str):
        yield place, 'should refer to a shape: {"shape": "Name"}'
    elif name not in shapes:
        yield place, f"there is no shape {name!r}{nearest(name, shapes)}"


def _shape(place: str, shape: object, shapes: Json) -> Iterator[Finding]:
    if not isinstance(shape, dict):
        yield place, "should be an object"
        return
    kind = str(shape.get("type"))
    if kind not in TYPES:
        yield place, f"type {kind!r} is not known{nearest(kind, TYPES)}"
    for role in REFERENCES.get(kind, ()):
        yield from _reference(f"{place}, {role}", shape.get(role), shapes)
    if kind == "structure":
        yield from _structure(place, shape, shapes)
    values = shape.get("enum", [])
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        yield f"{place}, enum", "should be an array of texts"


def _structure(place: str, shape: Json, shapes: Json) -> Iterator[Finding]:
    members = shape.get("members", {})
    if not isinstance(members, dict):
        yield f"{place}, members", "should be an object"
        return
    for name, use in members.items():
        yield from _reference(f"{place}, member {name}", use, shapes)
    required = shape.get("required", [])
    if not isinstance(required, list):
        yield f"{place}, required", "should be an array"
        return
    payload = [shape["payload"]] if "payload" in shape else []
    for role, names in (("required", required), ("payload", payload)):
        for name in map(str, names):
            if name not in members:
                yield f"{place}, {role}", f"there is no member {name!r}{nearest(name, members)}"
