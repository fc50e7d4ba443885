"""What the elements of a result mean: tables made from the model's shapes.

A `Table` says what each element found inside another one is: a scalar to convert and store, or a
structure, list or map with a table of its own. The decoders of `tornado_aws.protocols.xml_parse`
follow the tables; what an element means is decided here alone. The rules are botocore's:

* an element is known by its local name; namespaces are ignored;
* a member is found under its ``locationName``, a list that is flattened everywhere under that of
  its element;
* every child of a list is an item and every child of a map an entry, whatever its name;
* unknown elements are skipped, but in a union they are reported as ``SDK_UNKNOWN_MEMBER``;
* the text of a string counts with its white space;
* members that travel in headers are not looked for in the body.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from tornado_aws.expat import XMLError
from tornado_aws.model import Ref, Shape
from tornado_aws.protocols import timestamps

__all__ = ["CONVERTERS", "Leaf", "Node", "Put", "Table", "Tables", "appender"]

Convert = Callable[[str], Any]
# Stores the text of an element in the value around it.
Put = Callable[[Any, str], None]
# Puts a new value into the one around it, which goes onto the stack, and returns the new one.
Open = Callable[[Any, list[Any]], Any]
# Called at an element's end with the value around it and its own.
Finish = Callable[[Any, Any], None]

_ENTRY_KEY, _ENTRY_VALUE = "key", "value"
_UNKNOWN_MEMBER = "SDK_UNKNOWN_MEMBER"
_OUTSIDE_BODY = frozenset({"header", "headers", "statusCode"})


def _timestamp(text: str) -> datetime:
    # Nearly every timestamp in XML is of this form, and this is three times as fast as `parse`.
    if text[-1:] == "Z" and text[4:5] == "-":
        return datetime.fromisoformat(text)
    return timestamps.parse(text)


# A shape's type -> what makes a value of an element's text; None for the text itself.
CONVERTERS: Mapping[str, Convert | None] = {
    "string": None,
    "character": None,
    "boolean": "true".__eq__,
    "byte": int,
    "short": int,
    "integer": int,
    "long": int,
    "bigInteger": int,
    "float": float,
    "double": float,
    "bigDecimal": float,
    "blob": b64decode,
    "timestamp": _timestamp,
}


class Leaf(NamedTuple):
    """A scalar that is a member of a structure.

    Attributes:
        member: the member's name.
        convert: makes its value of the element's text; None for the text itself.
    """

    member: str
    convert: Convert | None

    def put(self, structure: Any, text: str) -> None:
        """Store the text's value in a structure."""
        structure[self.member] = text if self.convert is None else self.convert(text)


class Node(NamedTuple):
    """An element with elements inside.

    Attributes:
        open: makes its value, still empty.
        table: what stands inside.
    """

    open: Open
    table: Table


class Table:
    """What can stand inside one element.

    Attributes:
        leaves: by name, the scalars that are members of a structure.
        scalars: by name, what takes the text of other scalars, those that are collected.
        nodes: by name, the elements with elements inside.
        any_scalar: what takes the text of an element that is in none of the three.
        any_node: how to read an element that is in none of them.
        attributes: members that are attributes, by (has a prefix, local name).
        unknown: called with the value and the name of an element inside that is skipped.
        finish: completes the value at the element's end.
        new: makes the value, empty.
    """

    __slots__ = (
        "any_node",
        "any_scalar",
        "attributes",
        "finish",
        "leaves",
        "new",
        "nodes",
        "scalars",
        "unknown",
    )

    def __init__(self, new: Callable[[], Any] = dict) -> None:
        self.leaves: dict[str, Leaf] = {}
        self.scalars: dict[str, Put] = {}
        self.nodes: dict[str, Node] = {}
        self.any_scalar: Put | None = None
        self.any_node: Node | None = None
        self.attributes: dict[tuple[bool, str], str] = {}
        self.unknown: Callable[[Any, str], None] | None = None
        self.finish: Finish | None = None
        self.new = new

    def scalar(self, name: str) -> Put | None:
        """Return what takes the text of the element `name`, None when it is not a scalar."""
        if name in self.leaves:
            return self.leaves[name].put
        return None if name in self.nodes else self.scalars.get(name, self.any_scalar)

    def node(self, name: str) -> Node | None:
        """Return how to read the element `name`, None when it has no elements inside."""
        return self.nodes.get(name, self.any_node)

    def set_attributes(self, value: Any, attributes: Mapping[str, str]) -> None:
        """Store those of an element's attributes that are members."""
        for name, text in attributes.items():
            prefix, colon, local = name.rpartition(":")
            member = self.attributes.get((bool(colon), local))
            if member is not None and prefix != "xmlns":
                value[member] = text

    def add_text(self, name: str, member: str) -> None:
        """Make the element `name` a text that is stored as `member`."""
        self.leaves[name] = Leaf(member, None)

    def add_member(self, name: str, member: str, table: Table) -> None:
        """Make the element `name` a structure, list or map that is stored as `member`."""
        self.nodes[name] = Node(_setter(member, table.new), table)


class Tables:
    """The tables of one operation's shapes, each made once: shapes can be recursive."""

    def __init__(self) -> None:
        self._made: dict[str, Table] = {}

    def structure(self, shape: Shape) -> Table:
        """Return the table of a structure."""
        table = self._made.get(shape.name)
        if table is None:
            table = self._made[shape.name] = Table()
            for name, ref in shape.members.items():
                self._add_member(table, name, ref)
            if shape.traits.get("union"):
                table.unknown = _report_unknown
                table.finish = _union_check(shape.name)
        return table

    def copy_of_structure(self, shape: Shape) -> Table:
        """Return a table of a structure that can be added to without changing the others."""
        original, table = self.structure(shape), Table()
        for kind in ("leaves", "scalars", "nodes", "attributes"):
            getattr(table, kind).update(getattr(original, kind))
        table.unknown, table.finish = original.unknown, original.finish
        return table

    def value(self, shape: Shape) -> Table:
        """Return the table of a structure, list or map."""
        if shape.type == "structure":
            return self.structure(shape)
        table = self._made.get(shape.name)
        if table is None:
            table = self._made[shape.name] = Table(list if shape.type == "list" else dict)
            fill = self._fill_list if shape.type == "list" else self._fill_map
            fill(table, shape)
        return table

    def _add_member(self, table: Table, name: str, ref: Ref) -> None:
        traits, kind = ref.traits, ref.shape.type
        if traits.get("location") in _OUTSIDE_BODY or traits.get("eventstream"):
            return
        element = _element_name(name, ref)
        if traits.get("xmlAttribute"):
            _, colon, local = element.rpartition(":")
            table.attributes[bool(colon), local] = name
        if kind in CONVERTERS:
            _add_leaf(table, element, Leaf(name, CONVERTERS[kind]))
        elif kind == "structure" or not traits.get("flattened"):
            table.add_member(element, name, self.value(ref.shape))
        elif kind == "list":
            self._add_flattened_list(table, name, element, ref.shape.member)
        else:
            entry = self._entry(ref.shape, _entry_collector(name))
            table.nodes[element] = Node(_new_entry, entry)

    def _add_flattened_list(self, table: Table, name: str, element: str, item: Ref) -> None:
        if item.shape.type in CONVERTERS:
            collect = _text_collector(name, CONVERTERS[item.shape.type])
            leaf = table.leaves.pop(element, None)
            table.scalars[element] = collect if leaf is None else _both(leaf.put, collect)
        else:
            inner = self.value(item.shape)
            table.nodes[element] = Node(_collector(name, inner.new), inner)

    def _fill_list(self, table: Table, shape: Shape) -> None:
        item = shape.member
        if item.shape.type in CONVERTERS:
            table.any_scalar = _text_appender(CONVERTERS[item.shape.type])
        else:
            inner = self.value(item.shape)
            table.any_node = Node(appender(inner.new), inner)

    def _fill_map(self, table: Table, shape: Shape) -> None:
        table.any_node = Node(_new_entry, self._entry(shape, _store_entry))

    def _entry(self, shape: Shape, finish: Finish) -> Table:
        table = Table()
        table.finish = finish
        for ref, default in ((shape.key, _ENTRY_KEY), (shape.value, _ENTRY_VALUE)):
            element = ref.traits.get("locationName", default)
            if ref.shape.type in CONVERTERS:
                table.leaves[element] = Leaf(default, CONVERTERS[ref.shape.type])
            else:
                table.add_member(element, default, self.value(ref.shape))
        return table


def _element_name(member: str, ref: Ref) -> str:
    own = ref.traits.get("locationName", member)
    # Where a list is flattened by its use, the name of the use counts (Smithy, xmlFlattened).
    if ref.shape.type == "list" and ref.shape.traits.get("flattened"):
        own = ref.shape.member.traits.get("locationName", own)
    return str(own)


def _text_appender(convert: Convert | None) -> Put:
    def append(items: Any, text: str) -> None:
        items.append(text if convert is None else convert(text))

    return append


def _text_collector(member: str, convert: Convert | None) -> Put:
    def collect(structure: Any, text: str) -> None:
        structure.setdefault(member, []).append(text if convert is None else convert(text))

    return collect


def _add_leaf(table: Table, element: str, leaf: Leaf) -> None:
    # S3's notifications have one element for a deprecated member and for the list that replaced it.
    if element in table.scalars:
        table.scalars[element] = _both(leaf.put, table.scalars[element])
    else:
        table.leaves[element] = leaf


def _both(first: Put, second: Put) -> Put:
    def put(value: Any, text: str) -> None:
        first(value, text)
        second(value, text)

    return put


def _setter(member: str, new: Callable[[], Any]) -> Open:
    def open_member(structure: Any, stack: list[Any]) -> Any:
        stack.append(structure)
        value = structure[member] = new()
        return value

    return open_member


def appender(new: Callable[[], Any]) -> Open:
    """Return what opens items of a list."""

    def open_item(items: Any, stack: list[Any]) -> Any:
        stack.append(items)
        value = new()
        items.append(value)
        return value

    return open_item


def _collector(member: str, new: Callable[[], Any]) -> Open:
    def open_item(structure: Any, stack: list[Any]) -> Any:
        stack.append(structure)
        value = new()
        if member in structure:
            structure[member].append(value)
        else:
            structure[member] = [value]
        return value

    return open_item


def _new_entry(surrounding: Any, stack: list[Any]) -> dict[str, Any]:
    stack.append(surrounding)
    return {}


def _store_entry(entries: Any, entry: Any) -> None:
    if len(entry) != 2:
        raise XMLError("a map entry without key or value")
    entries[entry[_ENTRY_KEY]] = entry[_ENTRY_VALUE]


def _entry_collector(member: str) -> Finish:
    def collect(structure: Any, entry: Any) -> None:
        _store_entry(structure.setdefault(member, {}), entry)

    return collect


def _report_unknown(union: Any, name: str) -> None:
    union[_UNKNOWN_MEMBER] = {"name": name}


def _union_check(name: str) -> Finish:
    def check(_surrounding: Any, union: Any) -> None:
        if len(union) != 1:
            raise XMLError(f"the union {name} has {len(union)} members, must have one")

    return check
