"""The types of members as annotations, for parameters and for results.

Parameters accept what callers have (``Sequence``, ``Mapping``, blobs of every kind, what a result
holds); results say what the parsers make (``list``, ``dict``, ``bytes``, ``datetime``). Values that
an enumeration does not have yet pass in results.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .name import Names, has_two_types
from .override import RETURNED_AS, SENT_AS
from .select import Selection
from .shapes import Shape, Use


@dataclass(frozen=True)
class Annotator:
    """Gives the annotation of a use of a shape.

    Attributes:
        selection: the selected part of a service.
        names: the names of its types.
        prefix: what stands before them (``types.`` outside the module that defines them).
    """

    selection: Selection
    names: Names
    prefix: str = ""

    def sent(self, use: Use) -> str:
        """Return the type of a member of parameters."""
        shape = self.selection.service.shapes[use.shape]
        if decided := _decided(SENT_AS, use, shape):
            return decided
        if _is_json(use, shape):
            return "Document"
        return _SENT.get(shape.type, _sent_scalar)(self, use, shape)

    def returned(self, use: Use) -> str:
        """Return the type of a member of results."""
        shape = self.selection.service.shapes[use.shape]
        if decided := _decided(RETURNED_AS, use, shape):
            return decided
        if _is_json(use, shape):
            return "Document"
        return _RETURNED.get(shape.type, _returned_scalar)(self, use, shape)


_Rule = Callable[[Annotator, Use, Shape], str]

_SENT_SCALARS: Mapping[str, str] = {
    "string": "str",
    "integer": "int",
    "long": "int",
    "float": "float",
    "double": "float",
    "boolean": "bool",
    "blob": "Blob",
    "timestamp": "Timestamp",
}
_RETURNED_SCALARS: Mapping[str, str] = {**_SENT_SCALARS, "blob": "bytes", "timestamp": "datetime"}


def _decided(trait: str, use: Use, shape: Shape) -> str:
    """Return what a correction says, "" where there is none."""
    return str(use.traits.get(trait) or shape.traits.get(trait) or "")


def _is_json(use: Use, shape: Shape) -> bool:
    return bool(
        shape.traits.get("document") or use.traits.get("jsonvalue") or shape.traits.get("jsonvalue")
    )


def is_streaming(use: Use, shape: Shape) -> bool:
    """Tell whether a blob is sent or received piece by piece."""
    return bool(use.traits.get("streaming") or shape.traits.get("streaming"))


def _sent_scalar(at: Annotator, use: Use, shape: Shape) -> str:
    if shape.name in at.names.sent:
        return at.prefix + at.names.sent[shape.name]
    if shape.type == "blob" and is_streaming(use, shape):
        return "StreamingBlob"
    return _SENT_SCALARS[shape.type]


def _sent_structure(at: Annotator, _: Use, shape: Shape) -> str:
    name = at.prefix + at.names.sent[shape.name]
    if shape.traits.get("eventstream"):
        return f"AsyncIterable[{name}]"
    if has_two_types(shape.name, at.selection):
        return f"{name} | {at.prefix}{at.names.returned[shape.name]}"
    return name


def _sent_list(at: Annotator, _: Use, shape: Shape) -> str:
    assert shape.element is not None  # noqa: S101 - validated
    element = at.sent(shape.element)
    return "StringList" if element == "str" else f"Sequence[{element}]"


def _sent_map(at: Annotator, _: Use, shape: Shape) -> str:
    assert shape.key is not None and shape.element is not None  # noqa: S101, PT018 - validated
    return f"Mapping[{at.sent(shape.key)}, {at.sent(shape.element)}]"


def _returned_scalar(at: Annotator, use: Use, shape: Shape) -> str:
    if shape.name in at.names.returned:
        return f"{at.prefix}{at.names.returned[shape.name]} | str"
    if shape.type == "blob" and is_streaming(use, shape):
        return "StreamingBody"
    return _RETURNED_SCALARS[shape.type]


def _returned_structure(at: Annotator, _: Use, shape: Shape) -> str:
    name = at.prefix + at.names.returned[shape.name]
    return f"AsyncEventStream[{name}]" if shape.traits.get("eventstream") else name


def _returned_list(at: Annotator, _: Use, shape: Shape) -> str:
    assert shape.element is not None  # noqa: S101 - validated
    return f"list[{at.returned(shape.element)}]"


def _returned_map(at: Annotator, _: Use, shape: Shape) -> str:
    assert shape.element is not None  # noqa: S101 - validated
    return f"dict[str, {at.returned(shape.element)}]"


_SENT: Mapping[str, _Rule] = {
    "structure": _sent_structure,
    "list": _sent_list,
    "map": _sent_map,
}
_RETURNED: Mapping[str, _Rule] = {
    "structure": _returned_structure,
    "list": _returned_list,
    "map": _returned_map,
}
