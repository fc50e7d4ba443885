"""Pass 2, validate: every value is of the right form, every reference of a model leads somewhere.

Each check yields faults and goes on, so that one run shows all of them. Later passes rely on what
is checked here and look nothing up twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tornado_aws.protocols import PROTOCOLS, choose

from .bindings import binding_faults
from .companions import paginator_faults, waiter_faults
from .cycles import alias_cycles, required_cycles
from .faults import Fault, Finding, nearest
from .form import form_faults
from .load import PAGINATORS, SERVICE, WAITERS, Model
from .wellformed import Json, elements, objects, referred, texts

# What a protocol needs of the metadata besides what all of them do.
NEEDED: Mapping[str, tuple[str, ...]] = {
    "json": ("jsonVersion", "targetPrefix"),
    "smithy-rpc-v2-cbor": ("targetPrefix",),
}


def validate(model: Model) -> list[Fault]:
    """Return everything that is wrong with a model, nothing for a sound one.

    The endpoint rule set is of the right form then; `codegen.rules` finds what else is wrong.
    """
    found = {kind: list(form_faults(kind, data)) for kind, data in model.contents.items()}
    found[SERVICE] += _service(model)
    for kind, findings in (
        (PAGINATORS, paginator_faults(model.paginators, model.service)),
        (WAITERS, waiter_faults(model.waiters, model.service)),
    ):
        found.setdefault(kind, []).extend(findings)
    return [
        Fault(model.path(kind), place, message)
        for kind, findings in found.items()
        for place, message in findings
    ]


def _service(model: Model) -> Iterator[Finding]:
    shapes = objects(model.service.get("shapes"))
    yield from _protocols(objects(model.service).get("metadata", {}))
    for name, operation in objects(model.service.get("operations")).items():
        yield from _operation(f"operation {name}", operation, shapes)
        yield from binding_faults(f"operation {name}", operation, shapes, model.rule_set)
    for name, shape in shapes.items():
        yield from _shape(f"shape {name}", shape, shapes)
    yield from required_cycles(shapes)
    yield from alias_cycles(shapes)


def _protocols(metadata: Json) -> Iterator[Finding]:
    offered = texts(metadata.get("protocols") or metadata.get("protocol"))
    if PROTOCOLS.keys().isdisjoint(offered):
        if offered:
            known = ", ".join(sorted(PROTOCOLS))
            yield "metadata", f"protocol {', '.join(offered)} is not one of {known}"
        return
    chosen = choose({"protocols": offered, "protocol": offered[0]})
    for key in NEEDED.get(chosen, ()):
        if key not in metadata:
            near = nearest(key, metadata)
            yield "metadata", f"there should be {key!r}, which the protocol {chosen} needs{near}"


def _operation(place: str, operation: Json, shapes: Json) -> Iterator[Finding]:
    for role in ("input", "output"):
        yield from _structure_reference(f"{place}, {role}", operation.get(role), shapes)
    for error in elements(operation.get("errors")):
        yield from _structure_reference(f"{place}, errors", error, shapes)


def _structure_reference(place: str, use: object, shapes: Json) -> Iterator[Finding]:
    yield from _reference(place, use, shapes)
    name = referred(use, shapes)
    if name is not None and shapes[name].get("type") != "structure":
        kind = shapes[name].get("type")
        yield place, f"shape {name} should be a structure, it is {kind!r}"


def _reference(place: str, use: object, shapes: Json) -> Iterator[Finding]:
    name = use.get("shape") if isinstance(use, dict) else None
    if isinstance(name, str) and name not in shapes:
        yield place, f"there is no shape {name!r}{nearest(name, shapes)}"


def _shape(place: str, shape: Json, shapes: Json) -> Iterator[Finding]:
    members = shape.get("members")
    uses = members if isinstance(members, dict) else {}
    for name, use in uses.items():
        yield from _reference(f"{place}, member {name}", use, shapes)
    for role in ("member", "key", "value"):
        yield from _reference(f"{place}, {role}", shape.get(role), shapes)
    key = referred(shape.get("key"), shapes)
    if key is not None and shapes[key].get("type") != "string":
        yield f"{place}, key", f"shape {key} should be a string, it is {shapes[key].get('type')!r}"
    if shape.get("type") == "structure":
        for role in ("required", "payload"):
            for name in texts(shape.get(role)):
                if name not in uses:
                    yield f"{place}, {role}", f"there is no member {name!r}{nearest(name, uses)}"
