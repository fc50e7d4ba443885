"""A quick yes for parameters that fit their model.

The shapes become msgspec types, against which a value is converted in C and the outcome dropped:
twice as fast as checking by compiled Python closures. The answer is one-sided. Yes is final; no
means that nobody knows, because some things are right that msgspec does not take (subclasses of
str, say), and `tornado_aws.validation` has to look.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated, Any

import msgspec

from tornado_aws import validation
from tornado_aws.model import Ref, Shape

__all__ = ["DOUBTS", "converter", "plain_acceptor"]


# What the function that `converter` returns raises when a value does not certainly fit.
DOUBTS = (msgspec.ValidationError, RecursionError, OverflowError)


def converter(root: Ref) -> Callable[[Any], object]:
    """Return a function that raises one of `DOUBTS` unless a value certainly fits `root`."""
    return _converter(_Types(_BY_TYPE).of(root), ())


def plain_acceptor(root: Ref) -> Callable[[Any], bool]:
    """Return a function that tells whether a value certainly fits and is plain.

    A plain value is one that a JSON encoder writes as the services want it when it writes bytes in
    base64: blobs are bytes, floats are finite, and there are no timestamps.
    """
    convert = _converter(_Types(_BY_TYPE | _PLAIN).of(root), (bytes,))

    def accepts(value: Any) -> bool:
        try:
            convert(value)
        except DOUBTS:
            return False
        return True

    return accepts


def _converter(kind: Any, builtin_types: tuple[type, ...]) -> Callable[[Any], object]:
    """Return the function; what is not of `builtin_types` goes to `_check` as it is."""
    return partial(msgspec.convert, type=kind, dec_hook=_check, builtin_types=builtin_types)


class _AnyInstance(type):
    """Makes ``isinstance`` true of anything, so that what `_check` returns is taken."""

    def __instancecheck__(cls, instance: object) -> bool:
        return True


class _Leaf(metaclass=_AnyInstance):
    """A type that is checked in Python."""

    fits: Callable[[object], bool]


class _Blob(_Leaf):
    fits = staticmethod(validation.is_blob)


class _StreamingBlob(_Leaf):
    fits = staticmethod(validation.is_streaming_blob)


class _Timestamp(_Leaf):
    fits = staticmethod(validation.is_timestamp)


class _Finite(_Leaf):
    fits = staticmethod(lambda value: type(value) in (int, float) and math.isfinite(value))


class _Nothing(_Leaf):
    fits = staticmethod(lambda _: False)


class _Document(_Leaf):
    fits = staticmethod(validation.is_document)


class _JSONValue(_Leaf):
    fits = staticmethod(validation.is_json_value)


def _check(leaf: type[_Leaf], value: object) -> object:
    if not leaf.fits(value):
        raise ValueError
    return value


class _Types:
    """The types of one root; each structure's is made once, so shapes may hold themselves."""

    def __init__(self, scalars: Mapping[str, Callable[[Ref], Any]]) -> None:
        self._structures: dict[Shape, type[msgspec.Struct]] = {}
        self._by_type: Mapping[str, Callable[[Ref], Any]] = {
            **scalars,
            "structure": self._structure,
            "list": self._list,
            "map": self._map,
        }

    def of(self, ref: Ref) -> Any:
        """Return the type of what fits a use of a shape."""
        if validation.takes_document(ref):
            return _Document
        if validation.takes_json_value(ref):
            return _JSONValue
        if ref.traits.get("eventstream") or ref.shape.type not in self._by_type:
            return Any
        return self._by_type[ref.shape.type](ref)

    def _list(self, ref: Ref) -> Any:
        item = self._part(ref, ref.shape.member)
        return _with_length(list[item], ref)  # type: ignore[valid-type]

    def _map(self, ref: Ref) -> Any:
        key, value = self.of(ref.shape.key), self._part(ref, ref.shape.value)
        return dict[key, value]  # type: ignore[valid-type]

    def _part(self, container: Ref, part: Ref) -> Any:
        kind = self.of(part)
        return kind | None if validation.is_sparse(container) else kind

    def _structure(self, ref: Ref) -> type[msgspec.Struct]:
        shape = ref.shape
        made = self._structures.get(shape)
        if made is None:
            # The annotations follow when the class is known, for members that lead back to it.
            made = self._structures[shape] = _bare_struct(shape)
            made.__annotations__ = {
                _field(index): self._member(member, member.name in shape.required)
                for index, member in enumerate(shape.members.values())
            }
        return made

    def _member(self, ref: Ref, required: bool) -> Any:
        kind = self.of(ref)
        return kind if required else kind | msgspec.UnsetType


def _field(index: int) -> str:
    """Return a field's name: members may be called anything, keywords included."""
    return f"m{index}"


def _bare_struct(shape: Shape) -> type[msgspec.Struct]:
    names = {_field(index): name for index, name in enumerate(shape.members)}
    fields = [
        (field, Any) if name in shape.required else (field, Any, msgspec.UNSET)
        for field, name in names.items()
    ]
    # Required fields come first in a Struct; they are only ever given by name.
    return msgspec.defstruct(
        "Accepted",
        fields,
        rename=names,
        kw_only=True,
        forbid_unknown_fields=True,
        gc=False,
        namespace={"__post_init__": _one_member} if shape.traits.get("union") else None,
    )


def _one_member(union: msgspec.Struct) -> None:
    """Refuse a union with no member or several."""
    if sum(value is not msgspec.UNSET for value in msgspec.structs.astuple(union)) != 1:
        raise ValueError


def _string(ref: Ref) -> Any:
    return _with_length(str, ref)


def _with_length(kind: Any, ref: Ref) -> Any:
    bound = validation.least(ref)
    return Annotated[kind, msgspec.Meta(min_length=int(bound))] if bound else kind


def _integer(ref: Ref) -> Any:
    return _with_bound(int, ref)


def _float(ref: Ref) -> Any:
    return _with_bound(float, ref)


def _with_bound(kind: Any, ref: Ref) -> Any:
    bound = validation.least(ref)
    return kind if bound is None else Annotated[kind, msgspec.Meta(ge=bound)]


def _blob(ref: Ref) -> Any:
    return _StreamingBlob if ref.traits.get("streaming") else _Blob


_BY_TYPE: dict[str, Callable[[Ref], Any]] = {
    "string": _string,
    "integer": _integer,
    "long": _integer,
    "float": _float,
    "double": _float,
    "boolean": lambda _: bool,
    "blob": _blob,
    "timestamp": lambda _: _Timestamp,
}
_PLAIN: dict[str, Callable[[Ref], Any]] = {
    "float": lambda _: _Finite,
    "double": lambda _: _Finite,
    "blob": lambda _: bytes,
    "timestamp": lambda _: _Nothing,
}
