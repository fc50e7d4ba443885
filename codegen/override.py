"""Pass 3, override: corrections of models as data, each with a precondition and a reason.

A correction whose precondition does not hold is a fault: the model was mended (or changed) at its
source, and whoever updates it has to look at the correction again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from .faults import Fault, FaultyModel, nearest
from .load import SERVICE, Json, Model


@dataclass(frozen=True)
class Parameter:
    """Give a parameter another name in Python; on the wire it keeps its own.

    Precondition: the operation's input has the member.
    """

    service: str
    operation: str
    member: str
    name: str
    reason: str


@dataclass(frozen=True)
class Method:
    """Name an operation's method, also where the client has a method of this name itself.

    Precondition: the service has the operation.
    """

    service: str
    operation: str
    name: str
    reason: str


@dataclass(frozen=True)
class Optional:
    """Let callers leave out a member that the runtime fills in, in every operation's input.

    Precondition: some operation requires it.
    """

    service: str
    member: str
    reason: str


Override = Parameter | Method | Optional


@dataclass(frozen=True)
class Names:
    """Names that the corrections decide.

    Attributes:
        methods: method by operation.
        parameters: parameter by operation and member.
    """

    methods: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[tuple[str, str], str] = field(default_factory=dict)


def override(model: Model, overrides: Iterable[Override]) -> tuple[Model, Names]:
    """Apply the corrections of one service.

    Args:
        model: a valid model; it is not changed.
        overrides: corrections of any services.

    Returns:
        The corrected model and the names that are decided by corrections.

    Raises:
        FaultyModel: a precondition does not hold.
    """
    mine = [each for each in overrides if each.service == model.source.service]
    data = model.service
    faults = [
        Fault(model.path(SERVICE), "", f"{message}: look again at the correction ({each.reason})")
        for each in mine
        if (message := _obsolete(each, data))
    ]
    if faults:
        raise FaultyModel(faults)
    names = Names(
        {each.operation: each.name for each in mine if isinstance(each, Method)},
        {(each.operation, each.member): each.name for each in mine if isinstance(each, Parameter)},
    )
    members = {each.member for each in mine if isinstance(each, Optional)}
    shapes = {**data["shapes"], **_relaxed(data, members)}
    return replace(model, service={**data, "shapes": shapes}), names


def _obsolete(each: Override, data: Json) -> str:
    """Return why a correction does not apply, "" when it does."""
    if isinstance(each, Optional):
        required = any(each.member in shape.get("required", ()) for shape in _inputs(data).values())
        return "" if required else f"no operation requires {each.member!r}"
    operations = data["operations"]
    if each.operation not in operations:
        near = nearest(each.operation, operations)
        return f"there is no operation {each.operation!r}{near}"
    if isinstance(each, Parameter):
        use = operations[each.operation].get("input", {})
        members = data["shapes"].get(use.get("shape"), {}).get("members", {})
        if each.member not in members:
            near = nearest(each.member, members)
            return f"operation {each.operation} has no member {each.member!r}{near}"
    return ""


def _relaxed(data: Json, members: set[str]) -> Json:
    return {
        name: {**shape, "required": [each for each in shape["required"] if each not in members]}
        for name, shape in _inputs(data).items()
        if members.intersection(shape.get("required", ()))
    }


def _inputs(data: Json) -> Json:
    """Return the input structures of all operations by name."""
    uses = (operation.get("input") for operation in data["operations"].values())
    return {use["shape"]: data["shapes"][use["shape"]] for use in uses if use}
