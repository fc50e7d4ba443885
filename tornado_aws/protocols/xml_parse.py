"""From an XML body to a result, with the tables that a model was made into.

Two decoders follow the same tables and give the same results:

* the plain one knows what services usually send: elements, attributes, the five named entities. It
  learns the sequences of tags that occur and then makes hardly a function call for each element. At
  anything else (a comment, CDATA, a character reference, text beside elements, another encoding
  than UTF-8, whatever is not well-formed) it gives up;
* the other then starts again with expat, which decides what is well-formed and what is not.

The plain one takes a quarter of the time of the other, for ListObjectsV2 with 1,000 keys and for
DescribeInstances with 100 instances.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tornado_aws.expat import MAX_DEPTH, XMLError, feed
from tornado_aws.protocols import garbage
from tornado_aws.protocols.xml_tables import Finish, Node, Put, Table, appender

__all__ = ["decoder", "expat_decoder", "plain_decoder"]

Decoder = Callable[[bytes], Any]


def decoder(table: Table) -> Decoder:
    """Return a function from a body to the value of its root element.

    Args:
        table: what stands inside the root element, whatever that is called.

    Returns:
        A function that takes a document, in UTF-8 or in the encoding that it declares. It raises
        `XMLError`, whose text says where, when the document is not well-formed, has a ``DOCTYPE``,
        is nested more than `MAX_DEPTH` levels deep, or holds what is not of the model's type.
    """
    plain, with_expat = plain_decoder(table), expat_decoder(table)

    def decode(body: bytes) -> Any:
        try:
            return plain(body)
        except (ValueError, OverflowError):
            return with_expat(body)

    def decode_in_peace(body: bytes) -> Any:
        is_large = len(body) >= garbage.WORTHWHILE
        return garbage.without_collecting(decode, body) if is_large else decode(body)

    return decode_in_peace


# The plain decoder cuts a document at every ``</``. What stands between two end tags consists of
# the rest of an end tag, whole start tags and tags of empty elements, and a text: as a rule that of
# the scalar opened last, else white space. All but the text is one step, looked up by place and
# wording. A step met for the first time is read tag by tag, strictly, and kept: documents
# repeat few of them.

# How long the steps kept for an operation may be together. A DescribeInstances needs 5,000
# characters; the bound is there for documents that do not repeat themselves.
_MAX_LEARNED = 200_000

_PROLOG = re.compile(
    r"""(?:<\?xml\ version=["']1\.0["']
    (?:\ encoding=["'][Uu][Tt][Ff]-8["'])?(?:\ standalone=["'](?:yes|no)["'])?\ ?\?>)?[ \t\n]*+""",
    re.X,
)
_NAME = r"[A-Za-z_][A-Za-z0-9._-]*+(?::[A-Za-z_][A-Za-z0-9._-]*+)?"
_ATTRIBUTE = rf"""[ \t\n]++({_NAME})[ \t\n]*+=[ \t\n]*+(?:"([^"<>&\t\n]*+)"|'([^'<>&\t\n]*+)')"""
_ATTRIBUTES = re.compile(_ATTRIBUTE)
_END = re.compile(rf"({_NAME})[ \t\n]*+>[ \t\n]*+")
_START = re.compile(
    rf"<(?P<name>{_NAME})(?P<attributes>(?:{_ATTRIBUTE})*+)[ \t\n]*+(?P<empty>/?)>[ \t\n]*+"
)

# No XML document may hold them, and expat says so.
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r"))
_NON_CHARACTERS = ("\ufffe", "\uffff")

# Changes what is under construction: from the current value, and the stack of those around it, to
# the new current value.
_Action = Callable[[Any, list[Any]], Any]


class _Unusual(ValueError):
    """The document needs expat."""


class _Place:
    """A place in a document: inside an element that was reached by a certain path.

    Attributes:
        name: the element's name as it is written, with its prefix.
        parent: the place around it, None outside the root element.
        depth: how many elements it is inside of.
        table: what stands inside; None for scalars.
        enter: what to do at the start tag.
        leave: what to do at the end tag.
        member: the member that the element's text is, None when it is none.
        read: with a member what converts the text, or None; without what takes the text, or None
            when white space alone is allowed.
        inner: the places inside, by name.
        steps: what to do from here on, by the tags that follow.
        latest: the tags and the step that were the last to follow, most likely to follow again;
            looking here first saves a sixth of the time.
    """

    __slots__ = (
        "depth",
        "enter",
        "inner",
        "latest",
        "leave",
        "member",
        "name",
        "parent",
        "read",
        "steps",
        "table",
    )

    def __init__(self, name: str, parent: _Place | None, table: Table | None = None) -> None:
        self.name = name
        self.parent = parent
        self.depth: int = 0 if parent is None else parent.depth + 1
        self.table = table
        self.enter: tuple[_Action, ...] = ()
        self.leave: tuple[_Action, ...] = ()
        self.member: str | None = None
        self.read: Callable[..., Any] | None = None
        self.inner: dict[str, _Place] = {}
        self.steps: dict[str, _Step] = {}
        self.latest = _NO_STEP


# What to do for the tags between two texts: whether the current value is complete and the actions,
# None for neither; then the member and reader of the text that follows, and its place.
_Work = tuple[bool, tuple[_Action, ...]] | None
_Step = tuple[_Work, str | None, Callable[..., Any] | None, _Place]

_NO_STEP: tuple[str | None, Any] = (None, None)


class _PlainDecoder:
    """Decodes the usual documents of an operation, with the steps learned from earlier ones."""

    def __init__(self, table: Table) -> None:
        self._start = _Place("", None, _outside(table))
        self._learned = 0

    # In one piece, because a call for each part would take a fifth of the time.
    def decode(self, body: bytes) -> Any:  # noqa: C901
        place = self._start
        values: list[Any] = []
        stack: list[Any] = []
        value: Any = values
        document = _checked_text(body)
        has_references = "&" in document
        text = ""
        for part in document.split("</"):
            tags, _, text = part.rpartition(">")
            known, step = place.latest
            if tags != known:
                step = place.steps.get(tags) or self._learn(place, tags)
                place.latest = (tags, step)
            work, member, read, place = step
            if work is not None:
                is_complete, actions = work
                if is_complete:
                    value = stack.pop()
                for action in actions:
                    value = action(value, stack)
            if "<" in text or (has_references and "&" in text):
                text = _unescaped(text)
            if member is not None:
                value[member] = text if read is None else read(text)
            elif read is not None:
                read(value, text)
            elif text and not text.isspace():
                raise _Unusual
        if place is not self._start or len(values) != 1 or text.strip(" \t\n"):
            raise _Unusual
        return values[0]

    def _learn(self, place: _Place, tags: str) -> _Step:
        if self._learned + len(tags) > _MAX_LEARNED:
            self._start.inner.clear()
            self._start.steps.clear()
            self._start.latest = _NO_STEP
            self._learned = 0
            raise _Unusual
        step = place.steps[tags] = _step(place, tags + ">")
        self._learned += len(tags)
        return step


def plain_decoder(table: Table) -> Decoder:
    """Return the decoder of the usual documents alone, to compare it with the other.

    The function raises ValueError or OverflowError at a document that needs the other.
    """
    return _PlainDecoder(table).decode


def _checked_text(body: bytes) -> str:
    """Return the text from the root element on, if nothing in it needs expat at first sight."""
    if _has_controls(body) or (b"]" in body and b"]]>" in body):
        raise _Unusual
    text = body.decode()
    if not body.isascii() and any(char in text for char in _NON_CHARACTERS):
        raise _Unusual
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    prolog = _PROLOG.match(text)
    return text[prolog.end() :] if prolog else text


def _has_controls(body: bytes) -> bool:
    # A search for each of them takes a third of the time of one translate(), if there is enough
    # to search.
    if len(body) > 4096:
        return any(map(body.__contains__, _CONTROLS))
    return len(body.translate(None, _CONTROLS)) != len(body)


def _outside(table: Table) -> Table:
    """Return the table of what stands around a root element."""
    outside = Table(list)
    outside.any_node = Node(appender(table.new), table)
    return outside


def _step(place: _Place, tags: str) -> _Step:
    """Read the tags that follow a text.

    Args:
        place: where the text is.
        tags: the rest of the end tag of that place's element, then start tags.
    """
    actions: list[_Action] = []
    position = 0
    if place.parent is not None:
        end = _END.match(tags)
        if end is None or end[1] != place.name:
            raise _Unusual
        actions += place.leave
        position, place = end.end(), place.parent
    while position < len(tags):
        start = _START.match(tags, position)
        if start is None:
            raise _Unusual
        position, inner = start.end(), _inside(place, start["name"])
        actions += inner.enter
        if start["attributes"]:
            actions.append(_attribute_setter(inner, start["attributes"]))
        if not start["empty"]:
            place = inner
            continue
        if inner.table is None:
            actions.append(_empty_text(inner))
        actions += inner.leave
    is_complete = actions[:1] == [_leave]
    work = (is_complete, tuple(actions[is_complete:])) if actions else None
    return work, place.member, place.read, place


def _inside(parent: _Place, name: str) -> _Place:
    place = parent.inner.get(name)
    if place is None:
        if parent.table is None or parent.depth == MAX_DEPTH:
            raise _Unusual
        place = parent.inner[name] = _Place(name, parent)
        _describe(place, parent.table, name.rpartition(":")[2])
    return place


def _describe(place: _Place, around: Table, name: str) -> None:
    put, node = around.scalar(name), around.node(name)
    if name in around.leaves:
        place.member, place.read = around.leaves[name]
    elif put is not None:
        place.read = put
    elif node is not None:
        place.table = node.table
        place.enter = (node.open,)
        finish = node.table.finish
        place.leave = (_leave if finish is None else _finisher(finish),)
    else:
        place.table = _NOTHING
        place.read = _ignore
        if around.unknown is not None:
            place.enter = (_reporter(around.unknown, name),)


_NOTHING = Table()


def _ignore(_value: Any, _text: str) -> None:
    pass


def _leave(_value: Any, stack: list[Any]) -> Any:
    return stack.pop()


def _finisher(finish: Finish) -> _Action:
    def leave(value: Any, stack: list[Any]) -> Any:
        around = stack.pop()
        finish(around, value)
        return around

    return leave


def _reporter(unknown: Callable[[Any, str], None], name: str) -> _Action:
    def report(value: Any, _stack: list[Any]) -> Any:
        unknown(value, name)
        return value

    return report


def _attribute_setter(place: _Place, text: str) -> _Action:
    found = _ATTRIBUTES.findall(text)
    attributes = {name: double or single for name, double, single in found}
    if len(attributes) != len(found):
        raise _Unusual
    table = place.table or _NOTHING

    def set_attributes(value: Any, _stack: list[Any]) -> Any:
        table.set_attributes(value, attributes)
        return value

    return set_attributes


def _empty_text(place: _Place) -> _Action:
    member, read = place.member, place.read

    def store(value: Any, _stack: list[Any]) -> Any:
        if member is not None:
            value[member] = "" if read is None else read("")
        elif read is not None:
            read(value, "")
        return value

    return store


def _unescaped(text: str) -> str:
    # Chained replacements take a third of the time of one regular expression. The ampersand comes
    # last: what it makes must not be read again.
    if "<" in text:
        raise _Unusual
    text = text.replace("&quot;", '"')
    if "&" in text:
        text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&apos;", "'")
        if text.count("&") != text.count("&amp;"):
            raise _Unusual
        text = text.replace("&amp;", "&")
    return text


def expat_decoder(table: Table) -> Decoder:
    """Return the decoder of every document alone, to compare it with the other.

    The function raises `XMLError` as that of `decoder`.
    """

    def decode(body: bytes) -> Any:
        reader = _Reader(table)
        try:
            feed(body, reader.start, reader.end, reader.text)
        except XMLError as error:
            raise XMLError(f"{reader.place()}{error}") from error
        return reader.values[0]

    return decode


class _Reader:
    """Builds the values from what expat reports."""

    def __init__(self, root: Table) -> None:
        self.values: list[Any] = []
        self._value: Any = self.values
        self._stack: list[Any] = []
        self._table = _outside(root)
        self._tables: list[Table] = []
        self._names: list[str] = []
        self._depth = 0
        self._skipped = 0
        self._put: Put | None = None
        self._texts: list[str] = []
        self._is_collecting = False

    def place(self) -> str:
        return "/".join(self._names) + ": " if self._names else ""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise XMLError(f"elements are nested more than {MAX_DEPTH} levels deep")
        self._is_collecting = False  # only the text before the first child is a scalar's
        if self._put is not None or self._skipped:
            self._skipped += 1
        else:
            self._enter(tag.rpartition(":")[2], attributes)

    def _enter(self, name: str, attributes: dict[str, str]) -> None:
        self._names.append(name)
        put, node = self._table.scalar(name), self._table.node(name)
        if put is not None:
            self._put, self._texts, self._is_collecting = put, [], True
        elif node is not None:
            self._value = node.open(self._value, self._stack)
            node.table.set_attributes(self._value, attributes)
            self._tables.append(self._table)
            self._table = node.table
        else:
            if self._table.unknown is not None:
                self._table.unknown(self._value, name)
            self._skipped = 1

    def text(self, text: str) -> None:
        if self._is_collecting:
            self._texts.append(text)

    def end(self, _tag: str) -> None:
        self._depth -= 1
        if self._skipped:
            self._skipped -= 1
            if self._skipped or self._put is not None:
                return
        elif self._put is not None:
            self._store(self._put, "".join(self._texts))
            self._put = None
        else:
            self._leave()
        self._names.pop()

    def _store(self, put: Put, text: str) -> None:
        try:
            put(self._value, text)
        except (ValueError, OverflowError) as error:
            # The text may be sensitive, so it is not shown.
            raise XMLError("the text is not of the member's type") from error

    def _leave(self) -> None:
        value, finish = self._value, self._table.finish
        self._value, self._table = self._stack.pop(), self._tables.pop()
        if finish is not None:
            finish(self._value, value)
