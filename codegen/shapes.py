"""What the passes from `select` on work on: operations and shapes, whatever the protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Traits = Mapping[str, Any]

# Members of a shape's or an operation's entry that refer to shapes.
REFERENCES = frozenset({"members", "member", "key", "value", "input", "output", "errors"})

# Types that old models have, and what they are called today.
SYNONYMS: Mapping[str, str] = {"character": "string"}


@dataclass(frozen=True, slots=True)
class Use:
    """A use of a shape: by a member, a list, a map or an operation.

    Attributes:
        name: the member's name, "" where there is none.
        shape: the name of the shape used.
        traits: what the model says of this use alone.
    """

    name: str
    shape: str
    traits: Traits


@dataclass(frozen=True, slots=True)
class Shape:
    """A type of the model.

    Attributes:
        name: the shape's name.
        type: ``structure``, ``list``, ``map``, ``string``, ...
        traits: everything that the model says of it but its references.
        members: the members of a structure by name, in the model's order.
        required: names of the required members.
        element: the element of a list, the value of a map.
        key: the key of a map.
    """

    name: str
    type: str
    traits: Traits
    members: Mapping[str, Use]
    required: Sequence[str]
    element: Use | None
    key: Use | None

    @property
    def uses(self) -> list[Use]:
        """All uses of other shapes."""
        others = [use for use in (self.key, self.element) if use is not None]
        return [*self.members.values(), *others]


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation of a service.

    Attributes:
        name: the operation's name.
        input: the parameters' structure, None when there are none.
        output: the result's structure, None when there is none.
        errors: names of the error shapes it declares, in the model's order.
        traits: everything else that the model says of it.
    """

    name: str
    input: Use | None
    output: Use | None
    errors: Sequence[str]
    traits: Traits


@dataclass(frozen=True)
class Service:
    """A service, or the selected part of it.

    Attributes:
        folder: the name of its folder below models (``cognito-idp``).
        api_version: the version of its API.
        origin: the botocore version its model was imported from, "" when not recorded.
        metadata: what the model says of the service as a whole.
        operations: the operations by name, in the model's order.
        shapes: the shapes by name.
        available: how many operations the model has.
    """

    folder: str
    api_version: str
    origin: str
    metadata: Traits
    operations: Mapping[str, Operation]
    shapes: Mapping[str, Shape]
    available: int


def read_shape(name: str, data: Traits) -> Shape:
    """Make a shape of its entry in a model."""
    kind = SYNONYMS.get(data["type"], data["type"])
    return Shape(
        name,
        kind,
        {**{key: value for key, value in data.items() if key not in REFERENCES}, "type": kind},
        {member: read_use(member, use) for member, use in data.get("members", {}).items()},
        tuple(data.get("required", ())),
        (
            read_use("", data["member" if kind == "list" else "value"])
            if kind in {"list", "map"}
            else None
        ),
        read_use("", data["key"]) if kind == "map" else None,
    )


def read_operation(name: str, data: Traits) -> Operation:
    """Make an operation of its entry in a model."""
    return Operation(
        name,
        read_use("", data["input"]) if "input" in data else None,
        read_use("", data["output"]) if "output" in data else None,
        tuple(dict.fromkeys(error["shape"] for error in data.get("errors", ()))),
        {key: value for key, value in data.items() if key not in REFERENCES},
    )


def read_use(name: str, data: Traits) -> Use:
    """Make a use of ``{"shape": "Name", ...traits}``."""
    return Use(name, data["shape"], {key: value for key, value in data.items() if key != "shape"})
