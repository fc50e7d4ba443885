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

# Appends the pairs ``name=value`` of a value, given the name.
Write = Callable[[Any, str, list[str]], None]

_HEADERS = [("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")]
_needs_quoting = re.compile("[^A-Za-z0-9_.~-]").search


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
        prefix = expand_prefix(params)
        return HTTPParts(operation.http_method, "/", "", _HEADERS.copy(), body, prefix)

    return guard.guarded(operation, serialize)


class _Writers:
    """The writers of one operation's shapes. Only a structure can lead back to itself."""

    def __init__(self, naming: Naming) -> None:
        self._naming = naming
        self._structures: dict[str, Write] = {}

    def root(self, shape: Shape) -> Write:
        """Return the writer of the parameters as a whole, whose names have nothing before them."""
        return _structure(
            {
                name: (self._naming.own(ref, name), self.of(ref))
                for name, ref in shape.members.items()
            }
        )

    def of(self, ref: Ref) -> Write:
        """Return the writer for a use of a shape."""
        kind = ref.shape.type
        if kind == "structure":
            return self._inner_structure(ref.shape)
        if kind == "list":
            return self._list(ref)
        if kind == "map":
            return self._map(ref)
        return _scalar(_to_text(ref))

    def _inner_structure(self, shape: Shape) -> Write:
        if shape.name not in self._structures:
            members: dict[str, tuple[str, Write]] = {}
            self._structures[shape.name] = _structure(members)
            for name, ref in shape.members.items():
                members[name] = ("." + self._naming.own(ref, name), self.of(ref))
        return self._structures[shape.name]

    def _list(self, ref: Ref) -> Write:
        write_item = self.of(ref.shape.member)
        of_items, writes_empty = self._naming.of_items, self._naming.writes_empty_lists

        def write(value: Any, name: str, pairs: list[str]) -> None:
            if not value and writes_empty:
                pairs.append(f"{name}=")
            name = of_items(name, ref)
            for number, item in enumerate(value, 1):
                write_item(item, f"{name}.{number}", pairs)

        return write

    def _map(self, ref: Ref) -> Write:
        step = "" if ref.traits.get("flattened") else ".entry"
        key, value = ref.shape.key, ref.shape.value
        key_name, write_key = self._naming.own(key, "key"), self.of(key)
        value_name, write_value = self._naming.own(value, "value"), self.of(value)

        def write(entries: Any, name: str, pairs: list[str]) -> None:
            for number, (entry_key, entry_value) in enumerate(entries.items(), 1):
                entry = f"{name}{step}.{number}"
                write_key(entry_key, f"{entry}.{key_name}", pairs)
                write_value(entry_value, f"{entry}.{value_name}", pairs)

        return write


def _structure(members: Mapping[str, tuple[str, Write]]) -> Write:
    def write(value: Any, name: str, pairs: list[str]) -> None:
        for member, item in value.items():
            step, write_member = members[member]
            write_member(item, name + step, pairs)

    return write


def _scalar(to_text: Callable[[Any], str]) -> Write:
    def write(value: Any, name: str, pairs: list[str]) -> None:
        text = to_text(value)
        # Most values need no quoting, and finding that out takes a fifth of the time of quoting.
        pairs.append(f"{name}={quote_plus(text) if _needs_quoting(text) else text}")

    return write


def _to_text(ref: Ref) -> Callable[[Any], str]:
    if ref.shape.type == "timestamp":
        write = timestamps.FORMATS[ref.traits.get("timestampFormat", "iso8601").lower()]
        return lambda value: str(write(timestamps.to_datetime(value)))
    return _TEXTS.get(ref.shape.type, str)


_TEXTS: Mapping[str, Callable[[Any], str]] = {
    "boolean": scalars.boolean_text,
    "blob": scalars.blob_text,
    "float": scalars.float_text,
    "double": scalars.float_text,
}
