"""Header lines: from pairs to text and back, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tornado_aws.exceptions import RequestException
from tornado_aws.transport import Headers
from tornado_aws.transport.fields import fields_of, joined, pairs_of, with_host

names = st.text("abcXYZ-_09", min_size=1, max_size=6)
values = st.text(st.characters(exclude_characters="\r\n\0"), max_size=12)
headers = st.lists(st.tuples(names, values), max_size=6)


@given(headers)
def test_pairs_come_back_as_they_were(given: Headers) -> None:
    """Blanks, colons and other kinds of line ends within values included."""
    lines = fields_of(given)
    assert pairs_of(lines) == given
    text, found = lines
    assert text.count("\r\n") == len(given)
    assert found == {name.lower() for name, _ in given}


@given(headers, headers)
def test_the_first_ones_count_more(first: Headers, second: Headers) -> None:
    """A name that both have is in the result as the first have it, however it is spelled."""
    both = joined(fields_of(first), fields_of(second))
    taken = {name.lower() for name, _ in first}
    assert pairs_of(both) == [*first, *[pair for pair in second if pair[0].lower() not in taken]]
    assert both == fields_of(pairs_of(both))


@pytest.mark.parametrize("value", ["a\rb", "a\nb", "a\r\nX-Evil: 1", "a\0b", "\r\n"])
def test_a_value_ends_with_its_line(value: str) -> None:
    """The error names the header and does not show the value."""
    with pytest.raises(RequestException, match="header X-B holds CR, LF or NUL") as caught:
        fields_of([("X-A", "1"), ("X-B", value)])
    assert not caught.value.sent
    assert "Evil" not in str(caught.value)


@pytest.mark.parametrize("name", ["", "a b", "a:", "é", "a\r\nb", "(a)"])
def test_a_name_is_a_token(name: str) -> None:
    """RFC 9110 says which signs it may have; it is refused the second time, too."""
    for _ in range(2):
        with pytest.raises(RequestException, match="is not a header name"):
            fields_of([(name, "1")])


@pytest.mark.parametrize(
    "own", [[], [("host", "own")], [("a", "b"), ("HOST", "own"), ("Host", "c")]]
)
def test_the_host_comes_first_and_once(own: Headers) -> None:
    """The first one among the headers counts more than the other one."""
    others = [pair for pair in own if pair[0].lower() != "host"]
    assert with_host("given", own) == [("Host", "own" if own else "given"), *others]
