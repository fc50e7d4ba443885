"""The canonical form of paths, queries and headers, rule by rule."""

from __future__ import annotations

import pytest

from tornado_aws.canonical import (
    EMPTY_HASH,
    UNSIGNED_HEADERS,
    canonical_headers,
    canonical_path,
    canonical_query,
    canonical_request,
    hash_payload,
    masked,
)
from tornado_aws.exceptions import ParamValidationError


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("", "/"),
        ("/", "/"),
        ("/2015-03-31/functions", "/2015-03-31/functions"),
        ("/a/../b/./c/", "/b/c/"),
        ("//a///b", "/a/b"),
        ("/../..", "/"),
        ("/a%2Fb", "/a%252Fb"),
        ("/a b+c~d", "/a%20b%2Bc~d"),
        ("/arn:aws:iam::1:role", "/arn%3Aaws%3Aiam%3A%3A1%3Arole"),
        ("/ü", "/%C3%BC"),
        ("/...", "/..."),
    ],
)
def test_path(path: str, expected: str) -> None:
    """Dots and repeated slashes are resolved, then everything but unreserved is escaped."""
    assert canonical_path(path) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("", "/"),
        ("/a/../b//c", "/a/../b//c"),
        ("/a%2Fb%20c", "/a%2Fb%20c"),
        ("/a+b(c)~!", "/a+b(c)~!"),
        ("/a b/ü", "/a%20b/%C3%BC"),
    ],
)
def test_path_of_s3(path: str, expected: str) -> None:
    """S3's path stays as it is; only what no URL may hold is escaped."""
    assert canonical_path(path, double_encode=False, normalize=False) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ""),
        ("b=2&a=1", "a=1&b=2"),
        ("a=2&a=10&a=1", "a=1&a=10&a=2"),
        ("acl", "acl="),
        ("acl=", "acl="),
        ("a=1&&b=2&", "a=1&b=2"),
        ("a=b=c", "a=b%3Dc"),
        ("prefix=a/b&x=1:2", "prefix=a%2Fb&x=1%3A2"),
        ("a=%7Eb~%2f", "a=~b~%2F"),
        ("a=b c&d=ü", "a=b%20c&d=%C3%BC"),
        ("a=100%&b=%zz", "a=100%25&b=%25zz"),
        ("a=1%2B1&b=1+1", "a=1%2B1&b=1+1"),
        ("a-b=1&a=2&aB=3&ab=4", "a=2&a-b=1&aB=3&ab=4"),
        ("%61=1", "a=1"),
    ],
)
def test_query(query: str, expected: str) -> None:
    """Pairs are escaped once, then sorted by name and value."""
    assert canonical_query(query) == expected


def test_headers_are_sorted_trimmed_and_joined() -> None:
    """Names in lower case and sorted, values trimmed and collapsed, repeated names joined."""
    assert canonical_headers(
        [("X-B", " 1  2\t 3 "), ("host", "h"), ("x-a", "1"), ("X-A", " 2"), ("x-empty", "")]
    ) == ("host:h\nx-a:1,2\nx-b:1 2 3\nx-empty:\n", "host;x-a;x-b;x-empty")


def test_names_that_differ_after_a_hyphen_keep_their_order() -> None:
    """Names are sorted as names, not together with the colon that follows them."""
    assert canonical_headers([("x-a-b", "1"), ("x-a", "2")])[1] == "x-a;x-a-b"


@pytest.mark.parametrize("name", sorted(UNSIGNED_HEADERS))
def test_hop_by_hop_headers_are_left_out(name: str) -> None:
    """What proxies and HTTP libraries change on the way is not signed, in any case of letters."""
    assert canonical_headers([("Host", "h"), (name.title(), "x")]) == ("host:h\n", "host")


@pytest.mark.parametrize("value", ["a\r\n b", "a\n\tb", "a\n   b", "a\r\n\t b"])
def test_folded_values_become_one_line(value: str) -> None:
    """A line that begins with white space continues the value, as HTTP once allowed."""
    assert canonical_headers([("x", value)]) == ("x:a b\n", "x")


@pytest.mark.parametrize("bad", ["\r", "\n", "\0", "\x1b", "\x7f", "\r\nX-Evil: 1", "\n\n"])
def test_control_characters_in_values_are_refused(bad: str) -> None:
    """A value that could begin a new line is an error that names the header, not the value."""
    with pytest.raises(ParamValidationError, match="header X-Secret holds") as caught:
        canonical_headers([("X-Secret", f"hidden{bad}hidden")])
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize("name", ["", "a b", "a:b", "a\n", "ü", "(a)"])
def test_names_that_are_no_tokens_are_refused(name: str) -> None:
    """A header name is an HTTP token."""
    with pytest.raises(ParamValidationError, match="not a valid HTTP"):
        canonical_headers([(name, "x")])


def test_values_must_be_text() -> None:
    """A number as a value is an error that names the header and the type."""
    with pytest.raises(ParamValidationError, match="header X-Count must be str, not int"):
        canonical_headers([("X-Count", 3)])  # type: ignore[list-item]


def test_payload() -> None:
    """No body, an empty one and text have the hashes of their bytes."""
    assert hash_payload(None) == hash_payload("") == hash_payload(b"") == EMPTY_HASH
    assert hash_payload("ü") == hash_payload("ü".encode())
    assert EMPTY_HASH.startswith("e3b0c44298fc1c14")


def test_request() -> None:
    """The six parts stand on lines of their own, an empty line after the headers."""
    assert canonical_request("GET", "/", "a=1", "host:h\n", "host", "UNSIGNED-PAYLOAD") == (
        "GET\n/\na=1\nhost:h\n\nhost\nUNSIGNED-PAYLOAD"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x-amz-security-token:abc==\nx-b:1", "x-amz-security-token:***\nx-b:1"),
        ("?X-Amz-Security-Token=a%2F&b=1", "?X-Amz-Security-Token=***&b=1"),
        ("x-amz-s3session-token:abc", "x-amz-s3session-token:***"),
        ("AWS4 Credential=A, Signature=0a1b", "AWS4 Credential=A, Signature=***"),
        ("?X-Amz-Signature=0a1b", "?X-Amz-Signature=***"),
    ],
)
def test_masking(text: str, expected: str) -> None:
    """Tokens and signatures are masked, the rest stays for comparison."""
    assert masked(text) == expected
