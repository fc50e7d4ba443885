"""Do the JMESPath expressions of paginators and waiters name members that exist?

The expression is followed through the shapes. Where its type is not known any more (after a
function, a literal or a chosen list of values) nothing is said of what comes next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from jmespath.exceptions import JMESPathError
from jmespath.parser import Parser

from .faults import nearest
from .queries import UnsupportedExpressionError, compile_query
from .wellformed import objects, referred

Json = Mapping[str, Any]
Node = Mapping[str, Any]
# A shape's name, or None where it is not known.
Known = str | None


def expression_faults(expression: str, root: Known, shapes: Json) -> Iterator[str]:
    """Yield a message for each name in `expression` that the shape `root` does not have.

    Args:
        expression: JMESPath text.
        root: name of the shape that it is applied to, None when that is not known.
        shapes: all shapes of the model.
    """
    try:
        tree = Parser().parse(expression).parsed
    except JMESPathError as error:
        yield f"{expression!r} is not JMESPath: {error}"
        return
    try:
        compile_query(expression)
    except UnsupportedExpressionError as error:
        yield f"{expression!r}: {error}"
    found: list[str] = []
    _follow(tree, root, shapes, found)
    for message in found:
        yield f"in {expression!r} {message}"


def _follow(node: Node, shape: Known, shapes: Json, found: list[str]) -> Known:
    """Apply one node to a shape; return the shape of its value and note missing names."""
    handler = _HANDLERS.get(node["type"], _each_apart)
    return handler(node, shape, shapes, found)


def _field(node: Node, shape: Known, shapes: Json, found: list[str]) -> Known:
    if shape is None:
        return None
    data, name = shapes[shape], node["value"]
    if data.get("type") == "map":
        return referred(data.get("value"), shapes)
    if data.get("document"):
        return None
    members = objects(data.get("members"))
    if name in members:
        return referred(members[name], shapes)
    kind = "" if data.get("type") == "structure" else f", a {data.get('type')},"
    found.append(f"{shape}{kind} has no member {name!r}{nearest(name, members)}")
    return None


def _in_turn(node: Node, shape: Known, shapes: Json, found: list[str]) -> Known:
    for child in node["children"]:
        shape = _follow(child, shape, shapes, found)
    return shape


def _element(_: Node, shape: Known, shapes: Json, found: list[str]) -> Known:
    if shape is None:
        return None
    data = shapes[shape]
    if data.get("type") == "list":
        return referred(data.get("member"), shapes)
    found.append(f"{shape}, a {data.get('type')}, is no list")
    return None


def _projection(node: Node, shape: Known, shapes: Json, found: list[str]) -> Known:
    """``left[*].right`` gives a list, for which its element stands here."""
    left, right, *condition = node["children"]
    source = _follow(left, shape, shapes, found)
    if left["type"] != "flatten":
        source = _element(node, source, shapes, found)
    for test in condition:
        _follow(test, source, shapes, found)
    return _follow(right, source, shapes, found)


def _flatten(node: Node, shape: Known, shapes: Json, found: list[str]) -> Known:
    """``left[]``: the element of `left`, and its element's when that is a list again."""
    (left,) = node["children"]
    source = _follow(left, shape, shapes, found)
    if not _is_projection(left):
        source = _element(node, source, shapes, found)
    if source is not None and shapes[source].get("type") == "list":
        return _element(node, source, shapes, found)
    return source


def _value_projection(node: Node, shape: Known, shapes: Json, found: list[str]) -> Known:
    left, right = node["children"]
    source = _follow(left, shape, shapes, found)
    data = shapes[source] if source is not None else {}
    value = referred(data.get("value"), shapes) if data.get("type") == "map" else None
    return _follow(right, value, shapes, found)


def _either(node: Node, shape: Known, shapes: Json, found: list[str]) -> Known:
    results = {_follow(child, shape, shapes, found) for child in node["children"]}
    return results.pop() if len(results) == 1 else None


def _each_apart(node: Node, shape: Known, shapes: Json, found: list[str]) -> Known:
    """Functions, comparisons, choices: each part sees the same value, the result is not known."""
    for child in node["children"]:
        _follow(child, shape, shapes, found)
    return None


def _itself(_: Node, shape: Known, _shapes: Json, _found: list[str]) -> Known:
    return shape


def _is_projection(node: Node) -> bool:
    """Tell whether a node's result already stands for the elements of a list."""
    last = node["children"][-1] if node["type"] == "subexpression" else node
    return last["type"] in {"projection", "flatten", "filter_projection", "value_projection"}


_HANDLERS: Mapping[str, Callable[[Node, Known, Json, list[str]], Known]] = {
    "field": _field,
    "subexpression": _in_turn,
    "index_expression": _in_turn,
    "pipe": _in_turn,
    "index": _element,
    "slice": _itself,
    "projection": _projection,
    "filter_projection": _projection,
    "flatten": _flatten,
    "value_projection": _value_projection,
    "or_expression": _either,
    "and_expression": _either,
    "current": _itself,
    "identity": _itself,
}
