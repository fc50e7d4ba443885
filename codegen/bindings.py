"""Do operations bind members that exist, to path and host, checksums and endpoint rules?"""

from __future__ import annotations

import re
from collections.abc import Iterator

from .expressions import expression_faults
from .faults import Finding, nearest
from .wellformed import Json, members, objects, referred

_LABEL = re.compile(r"\{(.*?)\+?\}")
_CHECKSUM_MEMBERS = ("requestAlgorithmMember", "requestValidationModeMember")


def binding_faults(
    place: str, operation: Json, shapes: Json, rule_set: Json | None
) -> Iterator[Finding]:
    """Yield place and message of everything that an operation binds and that is not there.

    Args:
        place: where the operation is.
        operation: its entry in the model.
        shapes: all shapes of the model.
        rule_set: the endpoint rule set, None without one.
    """
    sent = members(operation.get("input"), shapes)
    for message in _path_faults(_text(operation, "http", "requestUri") or "/", sent):
        yield f"{place}, http, requestUri", message
    for label in _LABEL.findall(_text(operation, "endpoint", "hostPrefix")):
        if label not in sent:
            yield f"{place}, endpoint, hostPrefix", _missing(label, sent)
    for key in _CHECKSUM_MEMBERS:
        member = _text(operation, "httpChecksum", key)
        if member and member not in sent:
            yield f"{place}, httpChecksum, {key}", _missing(member, sent)
    yield from _rule_faults(place, operation, sent, shapes, rule_set)


def _text(entry: Json, key: str, name: str) -> str:
    value = objects(entry).get(key, {}).get(name)
    return value if isinstance(value, str) else ""


def _missing(member: str, sent: Json) -> str:
    return f"the input has no member {member!r}{nearest(member, sent)}"


def _path_faults(template: str, sent: Json) -> Iterator[str]:
    if not template.startswith("/"):
        yield f"{template!r} should begin with a slash"
    located = {
        str(use.get("locationName", name)): name
        for name, use in sent.items()
        if use.get("location") == "uri"
    }
    labels = _LABEL.findall(template)
    for label in labels:
        if label not in located:
            near = nearest(label, located)
            yield f"{{{label}}} is no member of the input whose location is uri{near}"
    for label, name in located.items():
        if label not in labels:
            yield f"there is no place for member {name}: {{{label}}}"


def _rule_faults(
    place: str, operation: Json, sent: Json, shapes: Json, rule_set: Json | None
) -> Iterator[Finding]:
    """Yield what is wrong with the values that an operation gives to the endpoint rules."""
    root = referred(operation.get("input"), shapes)
    context = objects(operation.get("operationContextParams"))
    for name, entry in context.items():
        for message in expression_faults(str(entry.get("path", "")), root, shapes):
            yield f"{place}, operationContextParams {name}", message
    parameters = rule_set.get("parameters") if rule_set is not None else None
    if not isinstance(parameters, dict):
        return
    static = objects(operation.get("staticContextParams"))
    given = {
        **{f"member {name}": _text(use, "contextParam", "name") for name, use in sent.items()},
        **{f"staticContextParams {name}": name for name in static},
        **{f"operationContextParams {name}": name for name in context},
    }
    for where, name in given.items():
        if name and name not in parameters:
            near = nearest(name, parameters)
            yield f"{place}, {where}", f"the endpoint rules have no parameter {name!r}{near}"
