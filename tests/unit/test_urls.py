"""URLs of raw requests."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tornado_aws.exceptions import EndpointError
from tornado_aws.transport import Origin
from tornado_aws.urls import encode_path, encode_query, join_query, parse_base, split_path


@pytest.mark.parametrize(
    ("url", "origin", "host", "path"),
    [
        ("https://x.amazonaws.com", Origin("https", "x.amazonaws.com", 443), "x.amazonaws.com", ""),
        ("https://x:443/", Origin("https", "x", 443), "x", ""),
        (
            "http://localhost:8000/base/",
            Origin("http", "localhost", 8000),
            "localhost:8000",
            "/base",
        ),
        ("http://[::1]:8000", Origin("http", "::1", 8000), "[::1]:8000", ""),
        ("HTTP://Local:80/a b", Origin("http", "local", 80), "local", "/a%20b"),
    ],
)
def test_endpoints_are_taken_apart(url: str, origin: Origin, host: str, path: str) -> None:
    """Default ports leave the Host header, base paths lose their last slash."""
    assert parse_base(url) == (origin, host, path)


@pytest.mark.parametrize(
    "url",
    [
        "localhost:8000",
        "ftp://x",
        "https://",
        "https://user:secret@x",
        "https://x?a=b",
        "https://x/#f",
        "https://x:99999",
        "https://a b/",
        "https://a\r\nb/",
    ],
)
def test_what_is_no_endpoint_is_refused_without_showing_a_password(url: str) -> None:
    """The error is an EndpointError and does not repeat user information."""
    with pytest.raises(EndpointError) as caught:
        parse_base(url)
    assert "secret" not in str(caught.value)


def test_query_arguments_of_every_kind_are_encoded() -> None:
    """Lists repeat the name, None has no value, booleans are lower case, names are encoded too."""
    args: dict[str, Any] = {
        "a b": "c&d",
        "n": 3,
        "flag": True,
        "acl": None,
        "id": ["x", 2, None],
        "empty": "",
    }
    assert encode_query(args) == "a%20b=c%26d&n=3&flag=true&acl&id=x&id=2&id&empty="
    assert encode_query(None) == encode_query({}) == ""


def test_a_query_in_the_path_is_kept_beside_the_arguments() -> None:
    """The path ends at the question mark, and both queries are joined."""
    path, query = split_path("bucket/key?list-type=2&prefix=a/b c")
    assert (path, query) == ("/bucket/key", "list-type=2&prefix=a/b%20c")
    assert join_query(query, "x=1") == "list-type=2&prefix=a/b%20c&x=1"
    assert join_query("", "x=1") == "x=1"
    assert join_query("acl", "") == "acl"


def test_escaped_paths_stay_and_stray_percent_signs_are_escaped() -> None:
    """What a caller has encoded is not encoded again."""
    assert encode_path("/a%20b/ü/100%/x+y") == "/a%20b/%C3%BC/100%25/x+y"


@given(st.text())
def test_an_encoded_path_is_ascii_and_encoding_it_again_changes_nothing(text: str) -> None:
    """The result can be sent as it is."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    once = encode_path(text)
    assert once.isascii()
    assert not set(once) & set(' \r\n\0"<>')
    assert encode_path(once) == once
    if "%" not in text:
        assert unquote(once) == text
