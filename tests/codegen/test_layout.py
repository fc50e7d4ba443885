"""Long annotations are broken as black breaks them."""

from __future__ import annotations

from collections.abc import Callable

import black
import pytest
from black.mode import Mode, TargetVersion
from hypothesis import given, settings
from hypothesis import strategies as st

from codegen.format import format_text
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


LONG = "x: Alias = (\n    Sequence[int]\n)\ny: Alias = " + " | ".join(["Alias"] * 30) + "\n"


def test_black_is_not_asked_twice_for_the_same_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is on disk is taken over when it is what black made of this very text."""
    text = f"# A header.\n{LONG}"
    first = format_text(text)
    assert first.startswith("# A header.\n# Laid out by black: ")
    assert black.format_str(first, mode=MODE) == first
    monkeypatch.setattr(black, "format_str", None)
    assert format_text(text, previous=first) is first


@pytest.mark.parametrize(
    "edit",
    [
        lambda text: text.replace("Alias\n", "Alias \n", 1),
        lambda text: text.replace("became ", "became 0", 1),
        lambda text: text.replace("# A header.", "# Another header."),
        lambda text: "",
    ],
)
def test_an_edited_file_is_laid_out_again(edit: Callable[[str], str]) -> None:
    """Any edit is undone, whether of the text or of the comment about it."""
    text = f"# A header.\n{LONG}"
    first = format_text(text)
    assert edit(first) != first
    assert format_text(text, previous=edit(first)) == first


def test_a_changed_text_is_laid_out_again() -> None:
    """What was made of another text does not count."""
    first = format_text(f"# A header.\n{LONG}")
    second = format_text(f"# A header.\n{LONG}z = 1\n", previous=first)
    assert second.endswith("z = 1\n")
