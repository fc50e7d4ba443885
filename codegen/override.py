"""Pass 3, override: corrections of models as data, each with a precondition and a reason.

A correction whose precondition does not hold is a fault: the model was mended (or changed) at its
source, and whoever updates it has to look at the correction again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from .faults import Fault, nearest
from .load import SERVICE, Json, Model
from .wellformed import members, objects, texts

# Traits with which corrections say what a shape, or one use of it, is in Python.
SENT_AS = "sentAs"
RETURNED_AS = "returnedAs"


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


@dataclass(frozen=True)
class Type:
    """Say what a value is in Python, where the runtime takes or makes what its model does not say.

    Precondition: the service has the shape, and the shape has the member.

    Attributes:
        member: of the shape, which is a structure; "" for the shape wherever it is used.
        sent: the annotation of a parameter; "" for what the model says.
        returned: the annotation in results, likewise.
    """

    service: str
    shape: str
    member: str
    reason: str
    sent: str = ""
    returned: str = ""

    @property
    def traits(self) -> dict[str, str]:
        """What `codegen.annotate` is to find in the model."""
        given = {SENT_AS: self.sent, RETURNED_AS: self.returned}
        return {name: annotation for name, annotation in given.items() if annotation}


Override = Parameter | Method | Optional | Type


@dataclass(frozen=True)
class Names:
    """Names that the corrections decide.

    Attributes:
        methods: method by operation.
        parameters: parameter by operation and member.
    """

    methods: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[tuple[str, str], str] = field(default_factory=dict)


def decided_names(overrides: Iterable[Override]) -> Names:
    """Return the names that the corrections of one service decide."""
    each_override = list(overrides)
    return Names(
        {each.operation: each.name for each in each_override if isinstance(each, Method)},
        {
            (each.operation, each.member): each.name
            for each in each_override
            if isinstance(each, Parameter)
        },
    )


def obsolete(model: Model, overrides: Iterable[Override]) -> Iterator[Fault]:
    """Yield a fault for each correction of a service whose precondition does not hold."""
    for each in overrides:
        reason = _obsolete(each, model.service)
        if reason:
            yield Fault(
                model.path(SERVICE), "", f"a correction ({each.reason}) does not apply: {reason}"
            )


def _obsolete(each: Override, data: Json) -> str:
    operations, shapes = objects(data.get("operations")), objects(data.get("shapes"))
    if isinstance(each, Optional):
        required = any(each.member in texts(shape.get("required")) for shape in shapes.values())
        return "" if required else f"no shape requires {each.member!r}"
    if isinstance(each, Type):
        return _without_type(each, shapes)
    if each.operation not in operations:
        near = nearest(each.operation, operations)
        return f"there is no operation {each.operation!r}{near}"
    if isinstance(each, Parameter):
        present = members(operations[each.operation].get("input"), shapes)
        if each.member not in present:
            near = nearest(each.member, present)
            return f"operation {each.operation} has no member {each.member!r}{near}"
    return ""


def _without_type(each: Type, shapes: Mapping[str, Json]) -> str:
    if each.shape not in shapes:
        return f"there is no shape {each.shape!r}{nearest(each.shape, shapes)}"
    present = objects(shapes[each.shape].get("members"))
    if each.member and each.member not in present:
        return f"shape {each.shape} has no member {each.member!r}{nearest(each.member, present)}"
    return ""


def override(model: Model, overrides: Iterable[Override]) -> Model:
    """Return the corrected model; the given one is not changed.

    Args:
        model: a valid model.
        overrides: corrections of its service whose preconditions hold.
    """
    given = list(overrides)
    optional = {each.member for each in given if isinstance(each, Optional)}
    types = [each for each in given if isinstance(each, Type)]
    if not optional and not types:
        return model
    data = model.service
    shapes = {**data["shapes"], **_relaxed(data, optional)}
    for each in types:
        shapes[each.shape] = _typed(shapes[each.shape], each)
    return replace(model, contents={**model.contents, SERVICE: {**data, "shapes": shapes}})


def _typed(shape: Json, each: Type) -> Json:
    if not each.member:
        return {**shape, **each.traits}
    use = {**shape["members"][each.member], **each.traits}
    return {**shape, "members": {**shape["members"], each.member: use}}


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
