"""Parameters as a form (``application/x-www-form-urlencoded``), for the protocols query and ec2.

A value in a tree gets its path for a name: ``Filter.1.Name=instance-id&Filter.1.Value.1=i-1``. What
the steps of a path are called is all that the two protocols differ in; a `Naming` says it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote_plus

from tornado_aws.model import Operation, Ref, Shape
from tornado_aws.protocols import (
    HTTPParts,
    Serializer,
    guard,
    host_prefix,
    idempotency,
    scalars,
    timestamps,
)

__all__ = ["Naming", "serializer"]

# Appends the pairs ``name=value`` of a list, map or structure, given its name.
Write = Callable[[Any, str, list[str]], None]
# From a scalar to its text, quoted.
ToText = Callable[[Any], str]

_HEADERS = [("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")]
_UNSAFE = re.compile("[^A-Za-z0-9_.~-]")
_needs_quoting = _UNSAFE.search
_ESCAPES = {chr(code): quote_plus(chr(code)) for code in range(128)}


class Naming(NamedTuple):
    """What the steps of a path are called.

    Attributes:
        own: the name of a member, a map's key or a map's value; from its use and the default.
        of_items: the name under which the items of a list are counted; from the list's name and
            its use.
        writes_empty_lists: whether a list without items is written, as an empty text.
    """

    own: Callable[[Ref, str], str]
    of_items: Callable[[str, Ref], str]
    writes_empty_lists: bool


def serializer(operation: Operation, naming: Naming) -> Serializer:
    """Return a function from valid parameters to the parts of a request."""
    version = operation.model.metadata["apiVersion"]
    start = f"Action={operation.name}&Version={quote_plus(version)}"
    write = _Writers(naming).root(operation.input.shape) if operation.input else None
    expand_prefix = host_prefix.expander(operation)
    fill = idempotency.filler(operation)

    def serialize(params: Mapping[str, Any]) -> HTTPParts:
        if fill:
            params = fill(params)
        pairs = [start]
        if write:
            write(params, "", pairs)
        body = "&".join(pairs).encode()
        prefix = expand_prefix(params) if expand_prefix else ""
        return HTTPParts(operation.http_method, "/", "", _HEADERS.copy(), body, prefix)

    return guard.guarded(operation, serialize)


class _Use(NamedTuple):
    """How a value is written: a scalar as text, anything else by a writer."""

    to_text: ToText | None
    write: Write


class _Writers:
    """The writers of one operation's shapes. Only a structure can lead back to itself."""

    def __init__(self, naming: Naming) -> None:
        self._naming = naming
        self._structures: dict[str, Write] = {}

    def root(self, shape: Shape) -> Write:
        """Return the writer of the parameters as a whole, whose names have nothing before them."""
        members: _Members = {}
        self._add_members(members, shape, "")
        return _structure(members)

    def _of(self, ref: Ref) -> _Use:
        kind = ref.shape.type
        if kind == "structure":
            return _Use(None, self._inner_structure(ref.shape))
        if kind == "list":
            return _Use(None, self._list(ref))
        if kind == "map":
            return _Use(None, self._map(ref))
        return _scalar(ref)

    def _inner_structure(self, shape: Shape) -> Write:
        if shape.name not in self._structures:
            members: _Members = {}
            self._structures[shape.name] = _structure(members)
            self._add_members(members, shape, ".")
        return self._structures[shape.name]

    def _add_members(self, members: _Members, shape: Shape, separator: str) -> None:
        for name, ref in shape.members.items():
            to_text, write = self._of(ref)
            members[name] = (separator + self._naming.own(ref, name), to_text, write)

    def _list(self, ref: Ref) -> Write:
        to_text, write_item = self._of(ref.shape.member)
        of_items, writes_empty = self._naming.of_items, self._naming.writes_empty_lists

        def write(value: Any, name: str, pairs: list[str]) -> None:
            if not value and writes_empty:
                pairs.append(f"{name}=")
            name = of_items(name, ref)
            for number, item in enumerate(value, 1):
                if to_text is not None:
                    pairs.append(f"{name}.{number}={to_text(item)}")
                else:
                    write_item(item, f"{name}.{number}", pairs)

        return write

    def _map(self, ref: Ref) -> Write:
        step = "" if ref.traits.get("flattened") else ".entry"
        key, value = ref.shape.key, ref.shape.value
        key_name, write_key = self._naming.own(key, "key"), self._of(key).write
        value_name, write_value = self._naming.own(value, "value"), self._of(value).write

        def write(entries: Any, name: str, pairs: list[str]) -> None:
            for number, (entry_key, entry_value) in enumerate(entries.items(), 1):
                entry = f"{name}{step}.{number}"
                write_key(entry_key, f"{entry}.{key_name}", pairs)
                write_value(entry_value, f"{entry}.{value_name}", pairs)

        return write


# A structure's members: what the path gains, and how the value is written.
_Members = dict[str, tuple[str, ToText | None, Write]]


def _structure(members: _Members) -> Write:
    def write(value: Any, name: str, pairs: list[str]) -> None:
        for member, item in value.items():
            step, to_text, write_member = members[member]
            if to_text is not None:
                pairs.append(f"{name}{step}={to_text(item)}")
            else:
                write_member(item, name + step, pairs)

    return write


def _scalar(ref: Ref) -> _Use:
    to_text = _to_text(ref)

    def write(value: Any, name: str, pairs: list[str]) -> None:
        pairs.append(f"{name}={to_text(value)}")

    return _Use(to_text, write)


def _to_text(ref: Ref) -> ToText:
    if ref.shape.type == "timestamp":
        write = timestamps.FORMATS[ref.traits.get("timestampFormat", "iso8601").lower()]
        return lambda value: _quoted(write(timestamps.to_datetime(value)))
    return _TEXTS.get(ref.shape.type, _quoted)


def _quoted(value: Any) -> str:
    text = value if type(value) is str else str(value)
    # Most texts need no quoting; finding that out takes a tenth of the time of quote_plus().
    if (text.isalnum() and text.isascii()) or not _needs_quoting(text):
        return text
    return _UNSAFE.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    char = match[0]
    return _ESCAPES.get(char) or quote_plus(char)


_TEXTS: Mapping[str, ToText] = {
    "boolean": scalars.boolean_text,
    "blob": lambda value: _quoted(scalars.blob_text(value)),
    "integer": int.__repr__,  # refuses what is not an integer
    "long": int.__repr__,
    "float": lambda value: _quoted(scalars.float_text(value)),
    "double": lambda value: _quoted(scalars.float_text(value)),
}
