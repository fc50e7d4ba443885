"""Compiled JMESPath against the jmespath library."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from random import Random
from typing import Any

import jmespath
import pytest

from codegen.load import find, load
from codegen.queries import UnsupportedExpressionError, compile_query
from tests.conformance.models import DATA
from tornado_aws import queries

SEED = 20261122
# Kinds of nodes that few models use.
OTHERS = [
    "a[1:3]",
    "a[::2]",
    "a[-1].b || c",
    "{x: a, y: b}",
    "a[?b>`1`]|[0]",
    "a[?b<=`2` && c!='x']",
    "!(a)||b&&c",
    "a.*.b",
    "contains(a,'x')",
    "keys(a)",
    "length(a[?b=='x'])",
    "@",
    "a[*].[b, c][]",
]


def every_expression() -> set[str]:
    """Return the expressions of paginators, waiters and endpoint parameters of all services."""
    found: set[str] = set(OTHERS)
    for source in find(DATA):
        model = load(source)
        for entry in model.paginators.values():
            for key in ("output_token", "more_results", "result_key", "non_aggregate_keys"):
                value = entry.get(key, [])
                found.update([value] if isinstance(value, str) else value)
        for entry in model.waiters.values():
            found.update(each["argument"] for each in entry["acceptors"] if "argument" in each)
        for operation in model.service["operations"].values():
            params = operation.get("operationContextParams", {})
            found.update(each["path"] for each in params.values())
    return found


def random_data(rng: Random, names: list[str], depth: int) -> Any:
    """Make a value of what the names of an expression could be members of."""
    choice = rng.random()
    if depth == 0 or choice < 0.25:
        return rng.choice([None, True, False, 0, 1, 2.5, "", "x", "ACTIVE", [], {}, *names[-1:]])
    if choice < 0.6:
        members = [name for name in names if rng.random() < 0.8]
        return {name: random_data(rng, names, depth - 1) for name in members}
    return [random_data(rng, names, depth - 1) for _ in range(rng.randint(0, 3))]


def outcome(function: Callable[[Any], Any], data: Any) -> str:
    """Return what a function gives, told apart by type (true is not 1), or that it fails."""
    try:
        return repr(function(data))
    except (TypeError, jmespath.exceptions.JMESPathTypeError):
        return "a type error"


def test_every_expression_of_every_model_means_the_same() -> None:
    """On random data the compiled form and the library agree, errors included."""
    rng = Random(SEED)
    expressions = sorted(every_expression())
    assert len(expressions) > 2000
    for expression in expressions:
        function = eval(compile_query(expression), {"q": queries, "operator": operator})
        library = jmespath.compile(expression)
        names = re.findall(r"[A-Za-z_]\w*", expression)
        for _ in range(12):
            data = {name: random_data(rng, names, 4) for name in names}
            assert outcome(function, data) == outcome(library.search, data), (expression, data)


@pytest.mark.parametrize(
    ("expression", "message"),
    [("a.", "is not JMESPath"), ("sort_by(a, &b)", "cannot be compiled"), ("max(a)", "max()")],
)
def test_what_cannot_be_compiled_is_refused_with_a_reason(expression: str, message: str) -> None:
    """The generator stops rather than write something else."""
    with pytest.raises(UnsupportedExpressionError) as caught:
        compile_query(expression)
    assert message in str(caught.value)
