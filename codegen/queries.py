"""JMESPath expressions as Python source text.

An expression becomes nested calls of the functions of `tornado_aws.queries`; what they are applied
to is the variable of the lambda around them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from jmespath.exceptions import JMESPathError
from jmespath.parser import Parser

from .source import literal

Node = Mapping[str, Any]

# Functions of JMESPath that the models use, with their number of arguments.
FUNCTIONS: Mapping[str, int] = {"contains": 2, "keys": 1, "length": 1}
ORDERS: Mapping[str, str] = {"gt": "gt", "gte": "ge", "lt": "lt", "lte": "le"}


class UnsupportedExpressionError(Exception):
    """An expression cannot be compiled; the text says why."""


def compile_query(expression: str) -> str:
    """Return the source text of a function that applies `expression`.

    Raises:
        UnsupportedExpressionError: it is not JMESPath, or it uses what models have not used yet.
    """
    try:
        tree = Parser().parse(expression).parsed
    except JMESPathError as error:
        raise UnsupportedExpressionError(f"{expression!r} is not JMESPath: {error}") from None
    return _function(tree)


def _function(node: Node) -> str:
    return f"lambda r: {_value(node, 'r')}"


def _value(node: Node, of: str) -> str:
    """Return the text of a node's value when it is applied to what the text `of` gives."""
    writer = _WRITERS.get(node["type"])
    if writer is None:
        raise UnsupportedExpressionError(f"JMESPath's {node['type']} cannot be compiled yet")
    return writer(node, of)


def _field(node: Node, of: str) -> str:
    return f"q.field({of}, {literal(node['value'])})"


def _index(node: Node, of: str) -> str:
    return f"q.index({of}, {node['value']})"


def _slice(node: Node, of: str) -> str:
    start, stop, step = node["children"]
    return f"q.cut({of}, {start}, {stop}, {step})"


def _chain(node: Node, of: str) -> str:
    for child in node["children"]:
        of = _value(child, of)
    return of


def _identity(_: Node, of: str) -> str:
    return of


def _literal(node: Node, _: str) -> str:
    return repr(node["value"]) if not isinstance(node["value"], str) else literal(node["value"])


def _projection(node: Node, of: str) -> str:
    left, right = node["children"]
    base = _value(left, of)
    # A projection of nothing more than its elements still drops those that are null.
    return f"q.project({base}, {_function(right)})"


def _value_projection(node: Node, of: str) -> str:
    left, right = node["children"]
    return f"q.project_values({_value(left, of)}, {_function(right)})"


def _filter_projection(node: Node, of: str) -> str:
    left, right, condition = node["children"]
    return f"q.project_where({_value(left, of)}, {_function(condition)}, {_function(right)})"


def _flatten(node: Node, of: str) -> str:
    return f"q.flatten({_value(node['children'][0], of)})"


def _multi_select_list(node: Node, of: str) -> str:
    return f"q.choose({of}, {', '.join(map(_function, node['children']))})"


def _multi_select_dict(node: Node, of: str) -> str:
    pairs = (
        f"{literal(each['value'])}: {_function(each['children'][0])}" for each in node["children"]
    )
    return f"q.choose_named({of}, {{{', '.join(pairs)}}})"


_IN_PARENTHESES = frozenset({"or_expression", "and_expression", "not_expression"})


def _or(node: Node, of: str) -> str:
    left, right = (_value(child, of) for child in node["children"])
    return f"(v if q.is_true(v := {left}) else {right})"


def _and(node: Node, of: str) -> str:
    left, right = (_value(child, of) for child in node["children"])
    return f"({right} if q.is_true(v := {left}) else v)"


def _not(node: Node, of: str) -> str:
    (child,) = node["children"]
    value = _value(child, of)
    bare = value[1:-1] if child["type"] in _IN_PARENTHESES else value
    return f"(not q.is_true({bare}))"


def _comparator(node: Node, of: str) -> str:
    left, right = (_value(child, of) for child in node["children"])
    kind = node["value"]
    if kind == "eq":
        return f"q.equal({left}, {right})"
    if kind == "ne":
        return f"(not q.equal({left}, {right}))"
    return f"q.ordered({left}, {right}, operator.{ORDERS[kind]})"


def _call(node: Node, of: str) -> str:
    name, arguments = node["value"], node["children"]
    if FUNCTIONS.get(name) != len(arguments):
        raise UnsupportedExpressionError(f"JMESPath's function {name}() cannot be compiled yet")
    return f"q.{name}({', '.join(_value(argument, of) for argument in arguments)})"


_WRITERS: Mapping[str, Callable[[Node, str], str]] = {
    "and_expression": _and,
    "comparator": _comparator,
    "current": _identity,
    "field": _field,
    "filter_projection": _filter_projection,
    "flatten": _flatten,
    "function_expression": _call,
    "identity": _identity,
    "index": _index,
    "index_expression": _chain,
    "literal": _literal,
    "multi_select_dict": _multi_select_dict,
    "multi_select_list": _multi_select_list,
    "not_expression": _not,
    "or_expression": _or,
    "pipe": _chain,
    "projection": _projection,
    "slice": _slice,
    "subexpression": _chain,
    "value_projection": _value_projection,
}
