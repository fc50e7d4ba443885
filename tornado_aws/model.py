"""A service's wire data at run time: operations and shapes, read when first used.

A generated package carries its wire data in ``wire.py`` as three texts in the vocabulary of the
service models (``locationName``, ``flattened``, ``timestampFormat``, ...), documentation and unused
shapes left out:

* ``SERVICE``: one JSON object, the metadata of the service;
* ``OPERATIONS``: a line for each operation, ``<Name> <JSON object>``;
* ``SHAPES``: a line for each shape, ``<Name> <JSON object>``.

The module is imported at a client's first call, and costs one string each. A line is parsed when
its operation is first called, which is why a service with 800 operations is ready as fast as one
with ten.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from typing import Any

_REFERENCES = frozenset({"members", "member", "key", "value", "required"})
_NOTHING: Mapping[str, Any] = {}


class Ref:
    """A use of a shape: by a member, a list, a map or an operation.

    Attributes:
        name: the member's name, "" where there is none.
        shape: the shape used.
        traits: the shape's traits overlaid with those of this use.
    """

    __slots__ = ("name", "shape", "traits")

    def __init__(self, name: str, shape: Shape, own: Mapping[str, Any]) -> None:
        self.name = name
        self.shape = shape
        self.traits = {**shape.traits, **own} if own else shape.traits

    @property
    def payload(self) -> Ref | None:
        """The member that is the whole body, None when the body is the structure's own."""
        name = self.traits.get("payload")
        return self.shape.members[name] if name else None

    def __repr__(self) -> str:
        return f"<Ref {self.name or '-'} -> {self.shape.name}>"


class Shape:
    """A type of the model.

    Attributes:
        name: the shape's name.
        type: ``structure``, ``list``, ``map``, ``string``, ``integer``, ``long``, ``float``,
            ``double``, ``boolean``, ``blob``, ``timestamp`` (or another scalar of the models).
        traits: everything that the model says of the shape but its references.
        required: names of the required members, in order.
    """

    def __init__(self, model: ServiceModel, name: str, data: Mapping[str, Any]) -> None:
        self._model = model
        self._data = data
        self.name = name
        self.type: str = data["type"]
        self.traits = {key: value for key, value in data.items() if key not in _REFERENCES}
        self.required: tuple[str, ...] = tuple(data.get("required", ()))

    @cached_property
    def members(self) -> dict[str, Ref]:
        """The members of a structure by name, in the model's order."""
        members = self._data.get("members", _NOTHING)
        return {name: self._model.ref(name, use) for name, use in members.items()}

    @cached_property
    def member(self) -> Ref:
        """The element of a list."""
        return self._model.ref("member", self._data["member"])

    @cached_property
    def key(self) -> Ref:
        """The key of a map."""
        return self._model.ref("key", self._data["key"])

    @cached_property
    def value(self) -> Ref:
        """The value of a map."""
        return self._model.ref("value", self._data["value"])

    def __repr__(self) -> str:
        return f"<Shape {self.name} ({self.type})>"


class Operation:
    """An operation of a service.

    Attributes:
        model: the service it belongs to.
        name: the operation's name.
        http_method: ``POST``, ``GET``, ...
        request_uri: the path template, with its fixed query (``/{Bucket}?acl``).
        input: the parameters' structure, None when there are none.
        output: the result's structure, None when there is none.
        errors: names of the error shapes it declares.
        traits: everything else that the model says of it (``authtype``, ``endpoint``,
            ``httpChecksum``, ``idempotent``, ...).
    """

    def __init__(self, model: ServiceModel, name: str, data: Mapping[str, Any]) -> None:
        http = data.get("http", _NOTHING)
        self.model = model
        self.name = name
        self.http_method: str = http.get("method", "POST")
        self.request_uri: str = http.get("requestUri", "/")
        self.input = model.ref("input", data["input"]) if "input" in data else None
        self.output = model.ref("output", data["output"]) if "output" in data else None
        self.errors = tuple(error["shape"] for error in data.get("errors", ()))
        self.traits = data

    def __repr__(self) -> str:
        return f"<Operation {self.model.metadata.get('serviceId')}.{self.name}>"


class ServiceModel:
    """The wire data of one service.

    Args:
        service: text of the metadata, a JSON object.
        operations: text with a line for each operation.
        shapes: text with a line for each shape.
    """

    def __init__(self, service: str, operations: str, shapes: str) -> None:
        self._service = service
        self._texts = (operations, shapes)
        self._shapes: dict[str, Shape] = {}

    @cached_property
    def metadata(self) -> dict[str, Any]:
        """What the model says of the service as a whole."""
        metadata: dict[str, Any] = json.loads(self._service)
        return metadata

    @cached_property
    def _operation_lines(self) -> dict[str, str]:
        return _lines(self._texts[0])

    @cached_property
    def _shape_lines(self) -> dict[str, str]:
        return _lines(self._texts[1])

    @property
    def operation_names(self) -> list[str]:
        """The names of all operations, in the model's order."""
        return list(self._operation_lines)

    def operation(self, name: str) -> Operation:
        """Parse and return the operation `name`; `KeyError` when the service has none of it."""
        return Operation(self, name, json.loads(self._operation_lines[name]))

    def has_shape(self, name: str) -> bool:
        """Tell whether there is a shape of this name."""
        return name in self._shape_lines

    def shape(self, name: str) -> Shape:
        """Return the shape `name`, always the same object; `KeyError` when there is none."""
        shape = self._shapes.get(name)
        if shape is None:
            shape = Shape(self, name, json.loads(self._shape_lines[name]))
            self._shapes[name] = shape
        return shape

    @cached_property
    def error_shapes(self) -> dict[str, Shape]:
        """The modelled errors, by the code that a response has and by the shape's own name."""
        errors = [
            self.shape(name) for name, line in self._shape_lines.items() if '"exception"' in line
        ]
        by_name = {shape.name: shape for shape in errors}
        codes = {shape.traits.get("error", _NOTHING).get("code"): shape for shape in errors}
        codes.pop(None, None)
        return by_name | codes

    def ref(self, name: str, use: Mapping[str, Any]) -> Ref:
        """Return the use of a shape that a model writes as ``{"shape": "Name", ...traits}``."""
        own = {key: value for key, value in use.items() if key != "shape"}
        return Ref(name, self.shape(use["shape"]), own)


def _lines(text: str) -> dict[str, str]:
    return dict(line.split(" ", 1) for line in text.splitlines() if line)
