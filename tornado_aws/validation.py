"""Parameters against the model, before anything is sent.

Nearly all parameters are right, so most calls are settled by `tornado_aws.acceptance`, which says
yes quickly or does not know. Only then the walk of this module looks at every value and gathers all
faults, each with its path. The walk alone decides what is wrong.

What is checked is what botocore checks: missing and unknown members at any depth, types, least
lengths and least values, unions with exactly one member; besides, empty path labels. Values are
never part of a fault's text when the model calls them sensitive, nor are the keys of such maps.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import AsyncIterable, Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from tornado_aws.exceptions import ParamValidationError
from tornado_aws.model import Operation, Ref, Shape
from tornado_aws.protocols import timestamps

__all__ = ["event_validator", "faults", "result_faults", "validator"]

_LISTS = (list, tuple, set, frozenset)
_BYTES = (bytes, bytearray, memoryview, str)
_MOST_NAMES = 12


def validator(subject: Operation | Ref | Shape) -> Callable[[Mapping[str, Any]], None]:
    """Return a function that checks parameters.

    Args:
        subject: the operation whose parameters are checked, or a structure.

    Returns:
        A function that raises `ParamValidationError` with every fault, or returns None.
    """
    # Its import takes as long as that of all the rest; a client that makes no call needs it not.
    from tornado_aws.acceptance import DOUBTS, converter  # noqa: PLC0415

    root = _root(subject)
    convert = converter(root)
    name = subject.name

    def validate(params: Mapping[str, Any]) -> None:
        try:
            convert(params)
        except DOUBTS:
            found = faults(root, params)
            if found:
                raise ParamValidationError(operation=name, faults=found) from None

    return validate


def event_validator(stream: Ref) -> Callable[[Mapping[str, Any]], None]:
    """Return a function that checks what goes into an event stream: a dict with one event.

    It raises `ParamValidationError` with every fault, or returns None.
    """
    traits = {name: trait for name, trait in stream.traits.items() if name != "eventstream"}
    return validator(_altered(stream.shape, traits={**traits, "union": True}))


def faults(root: Ref, value: Any) -> list[str]:
    """Return every fault of a value, in the order of the value; none when it fits."""
    return _all_faults(root, value, _Place("", hidden=False))


def result_faults(root: Ref, value: Any) -> list[str]:
    """Return every fault of what a service is said to give.

    Least lengths and values bind callers alone: Kinesis counts its failed records from 1 in its
    model, and answers 0.
    """
    return _all_faults(root, value, _Place("", hidden=False, bounded=False))


def _all_faults(root: Ref, value: Any, place: _Place) -> list[str]:
    try:
        return list(_faults(root, value, place))
    except RecursionError:
        return ["the parameters are nested too deeply, or they hold themselves"]


def _root(subject: Operation | Ref | Shape) -> Ref:
    """Return the use of a structure to check parameters against.

    Missing idempotency tokens of an operation are made up later, so they are not required.
    """
    if isinstance(subject, Ref):
        return subject
    if isinstance(subject, Shape):
        return Ref("", subject, {})
    if subject.input is None:
        return Ref("", Shape(subject.model, "", {"type": "structure"}), {})
    return Ref("", _without_tokens(subject.input.shape), {})


def _without_tokens(shape: Shape) -> Shape:
    members = shape.members
    tokens = {name for name, ref in members.items() if ref.traits.get("idempotencyToken")}
    if tokens.isdisjoint(shape.required):
        return shape
    return _altered(shape, required=tuple(each for each in shape.required if each not in tokens))


def _altered(shape: Shape, **changes: Any) -> Shape:
    """Return a copy of a shape with other attributes."""
    copy = Shape.__new__(Shape)
    copy.__dict__.update(shape.__dict__, **changes)
    return copy


class _Place(NamedTuple):
    """Where in the parameters a value stands.

    Attributes:
        path: the names and indices that lead to it.
        hidden: whether its content must not be shown.
        bounded: whether it may be too short or too small.
    """

    path: str
    hidden: bool
    bounded: bool = True

    def member(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name


def _faults(ref: Ref, value: Any, place: _Place) -> Iterator[str]:
    if ref.traits.get("sensitive"):
        place = place._replace(hidden=True)
    if takes_document(ref):
        return _document(value, place)
    if takes_json_value(ref):
        return _json_value(value, place)
    if ref.traits.get("eventstream"):
        return iter(())
    return _BY_TYPE.get(ref.shape.type, _anything)(ref, value, place)


# --- what a use of a shape takes ------------------------------------------------------------------


def takes_document(ref: Ref) -> bool:
    """Tell whether a use of a shape takes free-form JSON."""
    return bool(ref.traits.get("document")) and ref.shape.type == "structure"


def takes_json_value(ref: Ref) -> bool:
    """Tell whether a use of a shape takes anything that can be written as JSON into a header."""
    in_header = ref.traits.get("location") == "header"
    return bool(ref.traits.get("jsonvalue")) and in_header and ref.shape.type == "string"


def is_sparse(ref: Ref) -> bool:
    """Tell whether a list or map may hold None."""
    return bool(ref.traits.get("sparse"))


def is_blob(value: object) -> bool:
    """Tell whether a value can be sent as a blob: bytes-like, str, or a file."""
    return isinstance(value, _BYTES) or hasattr(value, "read")


def is_streaming_blob(value: object) -> bool:
    """Tell whether a value can be sent as a streaming blob: also paths and iterables of bytes."""
    if is_blob(value) or isinstance(value, (os.PathLike, AsyncIterable)):
        return True
    return isinstance(value, Iterable) and not isinstance(value, Mapping)


def is_timestamp(value: object) -> bool:
    """Tell whether a value can be sent as a timestamp."""
    try:
        timestamps.to_datetime(value)
    except ValueError:
        return False
    return not isinstance(value, bool)


def is_document(value: object) -> bool:
    """Tell whether a value can be sent as free-form JSON."""
    return next(_document(value, _Place("", hidden=True)), None) is None


def is_json_value(value: object) -> bool:
    """Tell whether a value can be written as JSON into a header."""
    return next(_json_value(value, _Place("", hidden=True)), None) is None


def least(ref: Ref) -> int | float | None:
    """Return the least length or value of a use of a shape, None when there is no bound."""
    bound: int | float | None = ref.traits.get("min")
    if not bound and _is_part_of_url(ref):
        return 1
    return bound


def _is_part_of_url(ref: Ref) -> bool:
    if ref.shape.type != "string":
        return False
    return bool(ref.traits.get("hostLabel")) or ref.traits.get("location") == "uri"


# --- the walk, a function for each type -----------------------------------------------------------


def _structure(ref: Ref, value: Any, place: _Place) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield _wrong_type("a dict", value, place)
        return
    members = ref.shape.members
    if ref.traits.get("union"):
        yield from _union(members, value, place)
    for name in ref.shape.required:
        if name not in value:
            yield f"{place.member(name)}: missing, and it is required"
    for name, item in value.items():
        member = members.get(name)
        if member is None:
            yield _unknown(name, members, place)
        else:
            yield from _faults(member, item, place._replace(path=place.member(name)))


def _union(members: Mapping[str, Ref], value: Mapping[Any, Any], place: _Place) -> Iterator[str]:
    if len(value) != 1:
        names = " and ".join(str(name) for name in value if name in members) or "none"
        yield f"{_name(place)}: expected exactly one of {_listed(members)}, got {names}"


def _unknown(name: Any, members: Mapping[str, Ref], place: _Place) -> str:
    # Only needed when something is wrong.
    from difflib import get_close_matches  # noqa: PLC0415

    shown = "*" if place.hidden else str(name)
    near = get_close_matches(str(name), members, n=1)
    if near:
        return f"{place.member(shown)}: unknown; did you mean {near[0]}?"
    if not members:
        return f"{place.member(shown)}: unknown; there are no members"
    return f"{place.member(shown)}: unknown; the members are {_listed(members)}"


def _list(ref: Ref, value: Any, place: _Place) -> Iterator[str]:
    if not isinstance(value, _LISTS):
        yield _wrong_type("a list", value, place)
        return
    yield from _too_short(ref, len(value), place)
    member = ref.shape.member
    for index, item in enumerate(value):
        if item is not None or not is_sparse(ref):
            yield from _faults(member, item, place._replace(path=f"{place.path}[{index}]"))


def _map(ref: Ref, value: Any, place: _Place) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield _wrong_type("a dict", value, place)
        return
    shape = ref.shape
    hidden = place.hidden or bool(shape.key.traits.get("sensitive"))
    for key, item in value.items():
        at_key = place.member("*" if hidden else str(key))
        yield from _faults(
            shape.key, key, place._replace(path=f"{at_key} (the key)", hidden=hidden)
        )
        if item is not None or not is_sparse(ref):
            yield from _faults(shape.value, item, place._replace(path=at_key))


def _string(ref: Ref, value: Any, place: _Place) -> Iterator[str]:
    if not isinstance(value, str):
        yield _wrong_type("a str", value, place)
    elif not value and _is_part_of_url(ref):
        yield f"{_name(place)}: empty, and it is part of the URL"
    else:
        yield from _too_short(ref, len(value), place)


def _integer(ref: Ref, value: Any, place: _Place) -> Iterator[str]:
    if not isinstance(value, int) or isinstance(value, bool):
        yield _wrong_type("an int", value, place)
    else:
        yield from _too_small(ref, value, place)


def _float(ref: Ref, value: Any, place: _Place) -> Iterator[str]:
    # Only needed when something is wrong, or strange.
    from decimal import Decimal  # noqa: PLC0415

    if not isinstance(value, (int, float, Decimal)) or isinstance(value, bool):
        yield _wrong_type("a float, an int or a Decimal", value, place)
    else:
        yield from _too_small(ref, value, place)


def _boolean(_ref: Ref, value: Any, place: _Place) -> Iterator[str]:
    if not isinstance(value, bool):
        yield _wrong_type("a bool", value, place)


def _blob(ref: Ref, value: Any, place: _Place) -> Iterator[str]:
    if ref.traits.get("streaming"):
        if not is_streaming_blob(value):
            expected = "bytes, a str, a binary file, a path or an (async) iterable of bytes"
            yield _wrong_type(expected, value, place)
    elif not is_blob(value):
        yield _wrong_type("bytes, a str or a binary file", value, place)


def _timestamp(_ref: Ref, value: Any, place: _Place) -> Iterator[str]:
    if not is_timestamp(value):
        yield _wrong_type("a datetime, seconds since 1970 or ISO 8601 text", value, place)


def _anything(_ref: Ref, _value: Any, _place: _Place) -> Iterator[str]:
    return iter(())


def _document(value: Any, place: _Place) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str):
                yield _wrong_type("str keys", key, place)
            name = "*" if place.hidden else str(key)
            yield from _document(item, place._replace(path=place.member(name)))
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from _document(item, place._replace(path=f"{place.path}[{index}]"))
    elif isinstance(value, float) and not math.isfinite(value):
        yield f"{_name(place)}: NaN and the infinities have no form in a JSON document"
    elif value is not None and not isinstance(value, (str, int, float)):
        yield _wrong_type("None, a bool, int, float, str, list or dict", value, place)


def _json_value(value: Any, place: _Place) -> Iterator[str]:
    try:
        json.dumps(value)
    except (TypeError, ValueError) as error:
        reason = type(error).__name__ if place.hidden else error
        yield f"{_name(place)}: cannot be written as JSON: {reason}"


_BY_TYPE: Mapping[str, Callable[[Ref, Any, _Place], Iterator[str]]] = {
    "structure": _structure,
    "list": _list,
    "map": _map,
    "string": _string,
    "integer": _integer,
    "long": _integer,
    "float": _float,
    "double": _float,
    "boolean": _boolean,
    "blob": _blob,
    "timestamp": _timestamp,
}


# --- texts ----------------------------------------------------------------------------------------


def _name(place: _Place) -> str:
    return place.path or "the parameters"


def _wrong_type(expected: str, value: Any, place: _Place) -> str:
    got = type(value).__name__
    if isinstance(value, str):
        got = "a str that is none" if "str" in expected or "text" in expected else "a str"
    return f"{_name(place)}: expected {expected}, got {'None' if value is None else got}"


def _too_short(ref: Ref, length: int, place: _Place) -> Iterator[str]:
    bound = least(ref)
    if place.bounded and bound is not None and length < bound:
        yield f"{_name(place)}: expected a length of at least {bound}, got {length}"


def _too_small(ref: Ref, value: Any, place: _Place) -> Iterator[str]:
    bound = least(ref)
    if place.bounded and bound is not None and value < bound:
        got = "" if place.hidden else f", got {value}"
        yield f"{_name(place)}: expected at least {bound}{got}"


def _listed(names: Iterable[str]) -> str:
    names = list(names)
    rest = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {rest} more" if rest > 0 else "")
