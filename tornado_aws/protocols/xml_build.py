"""From parameters to the XML of a request's body, by joining strings.

Elements come in the order of the caller's parameters. What botocore writes raw and an XML reader
would change or refuse is written as a character reference: carriage returns and, though XML 1.0 has
no way at all to say them, the other control characters, with which S3 keys can be named.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from tornado_aws.model import Ref, Shape
from tornado_aws.protocols import scalars, timestamps

__all__ = ["writer"]

# From a value to its element.
Write = Callable[[Any], str]
# From a value to what its element holds.
Content = Callable[[Any], str]

_CONTROLS = "".join(chr(code) for code in range(32) if chr(code) not in "\t\n\r")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}
_IN_TEXT = re.compile(f"[&<>\r{_CONTROLS}]")
_IN_ATTRIBUTE = re.compile(f'[&<>"\t\n\r{_CONTROLS}]')


def writer(ref: Ref) -> Callable[[Any], bytes]:
    """Return a function from a value to a document.

    Args:
        ref: the use of the structure that is the root element, with the element's name.
    """
    write = _Writers().element(ref, ref.traits.get("locationName", ref.shape.name))
    return lambda value: write(value).encode()


def escape_text(text: str) -> str:
    """Return text as it stands between tags."""
    return _IN_TEXT.sub(_reference, text)


def escape_attribute(text: str) -> str:
    """Return text as it stands in double quotes."""
    return _IN_ATTRIBUTE.sub(_reference, text)


def _reference(match: re.Match[str]) -> str:
    char = match[0]
    return _ENTITIES.get(char) or f"&#x{ord(char):X};"


class _Writers:
    """The writers of one operation's shapes. Only a structure can lead back to itself."""

    def __init__(self) -> None:
        self._members: dict[str, dict[str, Write]] = {}

    def element(self, ref: Ref, name: str) -> Write:
        """Return what writes the element or, if it is flattened, the elements of a value."""
        kind, namespace = ref.shape.type, _namespace(ref)
        if kind == "structure":
            return self._structure(ref.shape, name, namespace)
        if kind == "list":
            return self._list(ref, name, namespace)
        if kind == "map":
            return self._map(ref, name, namespace)
        if kind in ("string", "character"):
            return _text(name, namespace)
        return _wrapped(name, namespace, _scalar(ref))

    def _structure(self, shape: Shape, name: str, namespace: str) -> Write:
        members = self._members_of(shape)
        attributes = _attribute_members(shape)
        start, end, empty = _tags(name, namespace)

        def write(value: Any) -> str:
            inside = "".join([members[member](item) for member, item in value.items()])
            return f"{start}{inside}{end}" if inside else empty

        def write_with_attributes(value: Any) -> str:
            given = "".join(
                f' {attributes[member]}="{escape_attribute(text)}"'
                for member, text in value.items()
                if member in attributes
            )
            inside = "".join([members[member](item) for member, item in value.items()])
            start, end, empty = _tags(name, namespace + given)
            return f"{start}{inside}{end}" if inside else empty

        return write_with_attributes if attributes else write

    def _members_of(self, shape: Shape) -> Mapping[str, Write]:
        if shape.name not in self._members:
            members = self._members[shape.name] = {}
            for name, ref in shape.members.items():
                is_attribute = ref.traits.get("xmlAttribute")
                element = ref.traits.get("locationName", name)
                members[name] = _nothing if is_attribute else self.element(ref, element)
        return self._members[shape.name]

    def _list(self, ref: Ref, name: str, namespace: str) -> Write:
        item = ref.shape.member
        if ref.traits.get("flattened"):
            return _each(self.element(item, name))
        write = self.element(item, item.traits.get("locationName", "member"))
        return _wrapped(name, namespace, _each(write))

    def _map(self, ref: Ref, name: str, namespace: str) -> Write:
        if ref.traits.get("flattened"):
            return self._entries(ref.shape, name)
        return _wrapped(name, namespace, self._entries(ref.shape, "entry"))

    def _entries(self, shape: Shape, name: str) -> Write:
        write_key = self.element(shape.key, shape.key.traits.get("locationName", "key"))
        write_value = self.element(shape.value, shape.value.traits.get("locationName", "value"))

        def write(entries: Any) -> str:
            return "".join(
                [
                    f"<{name}>{write_key(key)}{write_value(value)}</{name}>"
                    for key, value in entries.items()
                ]
            )

        return write


def _nothing(_value: Any) -> str:
    return ""


def _wrapped(name: str, namespace: str, content: Content) -> Write:
    start, end, empty = _tags(name, namespace)

    def write(value: Any) -> str:
        inside = content(value)
        return f"{start}{inside}{end}" if inside else empty

    return write


def _text(name: str, namespace: str) -> Write:
    start, end, empty = _tags(name, namespace)
    is_special = _IN_TEXT.search

    def write(value: Any) -> str:
        text = str(value)
        if is_special(text):
            text = escape_text(text)
        return f"{start}{text}{end}" if text else empty

    return write


def _each(write: Write) -> Write:
    return lambda items: "".join([write(item) for item in items])


def _tags(name: str, attributes: str) -> tuple[str, str, str]:
    return f"<{name}{attributes}>", f"</{name}>", f"<{name}{attributes} />"


def _namespace(ref: Ref) -> str:
    namespace = ref.traits.get("xmlNamespace")
    if not namespace:
        return ""
    if isinstance(namespace, str):
        namespace = {"uri": namespace}
    prefix = f":{namespace['prefix']}" if namespace.get("prefix") else ""
    return f' xmlns{prefix}="{escape_attribute(namespace["uri"])}"'


def _attribute_members(shape: Shape) -> Mapping[str, str]:
    """Return the members of a structure that are attributes, with the attributes' names."""
    return {
        name: ref.traits["locationName"]
        for name, ref in shape.members.items()
        if ref.traits.get("xmlAttribute")
    }


def _scalar(ref: Ref) -> Content:
    kind = ref.shape.type
    if kind == "timestamp":
        write = timestamps.FORMATS[ref.traits.get("timestampFormat", "iso8601").lower()]
        return lambda value: str(write(timestamps.to_datetime(value)))
    return _CONTENTS.get(kind, str)


_CONTENTS: Mapping[str, Content] = {
    "boolean": scalars.boolean_text,
    "blob": scalars.blob_text,
    "float": scalars.float_text,
    "double": scalars.float_text,
}
