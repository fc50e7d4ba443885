"""What compiled JMESPath expressions are made of.

The generator writes the expressions of paginators, waiters and endpoint parameters as Python that
calls these functions; each does what the JMESPath specification says of one kind of node, and gives
None where that says ``null``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

Query: TypeAlias = Callable[[Any], Any]


def field(value: Any, name: str) -> Any:
    """Return the member `name` of an object."""
    return value.get(name) if isinstance(value, dict) else None


def index(value: Any, position: int) -> Any:
    """Return an element of a list; negative positions count from its end."""
    if not isinstance(value, list) or not -len(value) <= position < len(value):
        return None
    return value[position]


def cut(value: Any, start: int | None, stop: int | None, step: int | None) -> Any:
    """Return a slice of a list."""
    return value[start:stop:step] if isinstance(value, list) else None


def project(value: Any, query: Query) -> Any:
    """Apply `query` to each element of a list and keep what is not None."""
    return _kept(value, query) if isinstance(value, list) else None


def project_values(value: Any, query: Query) -> Any:
    """Apply `query` to each value of an object and keep what is not None."""
    return _kept(value.values(), query) if isinstance(value, dict) else None


def project_where(value: Any, condition: Query, query: Query) -> Any:
    """Apply `query` to each element of a list for which `condition` holds."""
    if not isinstance(value, list):
        return None
    return _kept((each for each in value if is_true(condition(each))), query)


def _kept(values: Iterable[Any], query: Query) -> list[Any]:
    return [found for value in values if (found := query(value)) is not None]


def flatten(value: Any) -> Any:
    """Put the elements of a list's lists in their place."""
    if not isinstance(value, list):
        return None
    flat: list[Any] = []
    for each in value:
        if isinstance(each, list):
            flat.extend(each)
        else:
            flat.append(each)
    return flat


def choose(value: Any, *queries: Query) -> Any:
    """Apply several queries to one value."""
    return None if value is None else [query(value) for query in queries]


def choose_named(value: Any, queries: dict[str, Query]) -> Any:
    """Apply several queries to one value and name what they give."""
    return None if value is None else {name: query(value) for name, query in queries.items()}


def is_true(value: Any) -> bool:
    """Tell whether JMESPath takes a value for true: numbers always are, what is empty never."""
    if value is None or value is False:
        return False
    return not (isinstance(value, str | list | dict) and not value)


def equal(left: Any, right: Any) -> bool:
    """Compare as JSON does: true is not 1."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return bool(left == right)


def ordered(left: Any, right: Any, holds: Callable[[Any, Any], bool]) -> bool | None:
    """Compare two numbers or two texts; anything else has no order.

    Raises:
        TypeError: one is a number and the other a text, as the jmespath library has it.
    """
    return holds(left, right) if _has_order(left) and _has_order(right) else None


def _has_order(value: Any) -> bool:
    return isinstance(value, int | float | str) and not isinstance(value, bool)


def length(value: Any) -> int:
    """Return the length of a text, list or object.

    Raises:
        TypeError: it is something else, for which JMESPath has no length.
    """
    if not isinstance(value, str | list | dict):
        raise TypeError(f"length() of {type(value).__name__}")
    return len(value)


def keys(value: Any) -> list[str]:
    """Return the names of an object's members.

    Raises:
        TypeError: it is something else.
    """
    if not isinstance(value, dict):
        raise TypeError(f"keys() of {type(value).__name__}")
    return list(value)


def contains(value: Any, searched: Any) -> bool:
    """Tell whether a text or list contains something.

    Raises:
        TypeError: `value` is something else.
    """
    if isinstance(value, str):
        return isinstance(searched, str) and searched in value
    if not isinstance(value, list):
        raise TypeError(f"contains() of {type(value).__name__}")
    return any(equal(each, searched) for each in value)
