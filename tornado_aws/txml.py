"""XML as plain dicts, for answers that no model describes."""

from __future__ import annotations

from typing import Any

from tornado_aws.expat import MAX_DEPTH, XMLError, feed

__all__ = ["loads"]


def loads(content: str | bytes) -> dict[str, Any]:
    """Return an XML document as a dict with its root element's name for the only key.

    An element without attributes and children becomes its text without the white space around it,
    None when it is empty. Any other becomes a dict: children by name, those that repeat as a list;
    attributes by ``@name``; text before the first child as ``#text``, unless it is white space.
    Names in a namespace are written ``{uri}name``.

    Args:
        content: the document; bytes are decoded as their XML declaration says.

    Raises:
        ValueError: it is not well-formed, has a ``DOCTYPE``, or is nested too deeply.
    """
    reader = _Reader()
    feed(content, reader.start, reader.end, reader.text, namespaces=True)
    return reader.document


class _Element:
    """An element that has not ended yet."""

    __slots__ = ("members", "text")

    def __init__(self, attributes: dict[str, str]) -> None:
        self.members: dict[str, Any] = {
            f"@{_braced(name)}": value for name, value in attributes.items()
        }
        self.text: list[str] = []

    def value(self, text: str) -> Any:
        if not self.members:
            return text if self.text else None
        if text:
            self.members["#text"] = text
        return self.members


class _Reader:
    """Builds the dict from what expat reports."""

    def __init__(self) -> None:
        self.document: dict[str, Any] = {}
        self._open: list[_Element] = []
        self._texts: list[str] | None = None

    def start(self, _name: str, attributes: dict[str, str]) -> None:
        if len(self._open) >= MAX_DEPTH:
            raise XMLError(f"XML nested more than {MAX_DEPTH} levels deep")
        element = _Element(attributes)
        self._open.append(element)
        self._texts = element.text

    def text(self, text: str) -> None:
        if self._texts is not None:
            self._texts.append(text)

    def end(self, name: str) -> None:
        element = self._open.pop()
        value = element.value("".join(element.text).strip())
        parent = self._open[-1].members if self._open else self.document
        _add(parent, _braced(name), value)
        self._texts = None  # what follows is text after a child


def _add(members: dict[str, Any], name: str, value: Any) -> None:
    if name not in members:
        members[name] = value
    elif isinstance(members[name], list):
        members[name].append(value)
    else:
        members[name] = [members[name], value]


def _braced(name: str) -> str:
    return "{" + name if "}" in name else name
