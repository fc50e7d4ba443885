"""Long annotations are broken as black breaks them."""

from __future__ import annotations

import black
from black.mode import Mode, TargetVersion
from hypothesis import given, settings
from hypothesis import strategies as st

from codegen.layout import annotated
from codegen.source import literal

NAMES = st.builds(
    lambda first, rest: first + rest,
    st.sampled_from("ABCxyz"),
    st.text("abcdefgh", min_size=2, max_size=45),
)


def _unions(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(inner, min_size=1, max_size=3).map(" | ".join)


ANNOTATIONS = st.recursive(
    NAMES,
    lambda inner: st.one_of(
        inner.map(lambda each: f"Sequence[{each}]"),
        st.tuples(NAMES, _unions(inner)).map(lambda pair: f"Mapping[{pair[0]}, {pair[1]}]"),
        _unions(inner).map(lambda each: f"NotRequired[{each}]"),
    ),
    max_leaves=5,
)
MODE = Mode(line_length=100, target_versions={TargetVersion.PY311})


@settings(max_examples=150, deadline=None)
@given(NAMES, ANNOTATIONS)
def test_fields_are_laid_out_as_black_does(name: str, annotation: str) -> None:
    """The text of a class with a field is what black makes of it."""
    if "[" not in annotation:
        return  # a single name that is too long is left to black
    text = f"class A:\n{annotated('    ', name, annotation)}\n"
    assert text == black.format_str(f"class A:\n    {name}: {annotation}\n", mode=MODE)


@settings(max_examples=150, deadline=None)
@given(NAMES, _unions(ANNOTATIONS))
def test_parameters_are_laid_out_as_black_does(name: str, annotation: str) -> None:
    """The text of a function with an optional parameter is what black makes of it."""
    optional = f"{annotation} | None"
    text = f"def f(\n    *,\n{annotated('    ', name, optional, ' = None,')}\n): ...\n"
    line = f"def f(\n    *,\n    {name}: {optional} = None,\n): ...\n"
    assert text == black.format_str(line, mode=MODE)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=30))
def test_literals_mean_their_text_and_black_leaves_them_alone(text: str) -> None:
    """Any text comes back from its literal, in the quotes that black chooses."""
    source = f"x = {literal(text)}\n"
    assert eval(literal(text)) == text
    assert black.format_str(source, mode=MODE) == source
