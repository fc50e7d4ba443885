"""The functions of the rules engine, by its documentation's own tables where it has them."""

from __future__ import annotations

from typing import Any

import pytest

from tornado_aws.endpoints.rules import (
    ARN,
    URL,
    Endpoint,
    aws_is_virtual_hostable_s3_bucket,
    aws_parse_arn,
    boolean,
    coalesce,
    is_valid_host_label,
    item,
    known,
    label,
    no_endpoint,
    parse_url,
    required,
    split,
    string,
    strings,
    substring,
    uri_encode,
)
from tornado_aws.exceptions import EndpointError


def test_endpoint_is_a_value() -> None:
    """Endpoints are equal by their parts and cannot be changed."""
    endpoint = Endpoint("https://a", {"backend": "S3Express"})
    assert endpoint == Endpoint("https://a", {"backend": "S3Express"}, {})
    assert Endpoint("https://a").properties is not Endpoint("https://a").properties
    with pytest.raises(AttributeError):
        endpoint.url = "https://b"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://example.com", URL("https", "example.com", "", "/", False)),
        ("https://example.com:8443?foo=bar&faz=baz", None),
        (
            "http://example.com:80/foo/bar",
            URL("http", "example.com:80", "/foo/bar", "/foo/bar/", False),
        ),
        ("https://127.0.0.1", URL("https", "127.0.0.1", "", "/", True)),
        ("https://[fe80::1]", URL("https", "[fe80::1]", "", "/", True)),
        ("https://e.com/a//b/../c d", URL("https", "e.com", "/a//b/../c d", "/a/c%20d/", False)),
        ("https://user:pass@e.com/", URL("https", "e.com", "/", "/", False)),
        ("ftp://example.com", None),
        ("https://example.com:port", None),
        ("https://[::1", None),
        ("https://", None),
        ("example.com", None),
        ("", None),
        (None, None),
    ],
)
def test_parse_url(url: str | None, expected: URL | None) -> None:
    """An http or https URL without a query has parts; user information is not one of them."""
    assert parse_url(url) == expected


@pytest.mark.parametrize(
    ("arn", "expected"),
    [
        (
            "arn:aws:s3:us-west-2:123456789012:accesspoint:my/point",
            ARN("aws", "s3", "us-west-2", "123456789012", ["accesspoint", "my", "point"]),
        ),
        ("arn:aws:s3:::bucket", ARN("aws", "s3", "", "", ["bucket"])),
        ("arn:aws:s3:::", None),
        ("arn::s3:::x", None),
        ("arn:aws::::x", None),
        ("arn:aws:s3:x", None),
        ("urn:aws:s3:::x", None),
        ("", None),
        (None, None),
    ],
)
def test_parse_arn(arn: str | None, expected: ARN | None) -> None:
    """An ARN has six parts, of which partition, service and resource may not be empty."""
    assert aws_parse_arn(arn) == expected


@pytest.mark.parametrize(
    ("value", "subdomains", "expected"),
    [
        ("a", False, True),
        ("us-east-1", False, True),
        ("a" * 63, False, True),
        ("a" * 64, False, False),
        ("a.b", False, False),
        ("a.b", True, True),
        ("a..b", True, False),
        ("-a", False, False),
        ("a-", False, False),
        ("a_b", False, False),
        ("ä", False, False),
        ("a\n", False, False),
        ("٣", False, False),
        ("", False, False),
        (None, True, False),
    ],
)
def test_host_label(value: str | None, subdomains: bool, expected: bool) -> None:
    """Labels are ASCII letters, digits and inner hyphens, 1 to 63 of them."""
    assert is_valid_host_label(value, subdomains) is expected


@pytest.mark.parametrize(
    ("bucket", "subdomains", "expected"),
    [
        ("bucket", False, True),
        ("my.bucket", False, False),
        ("my.bucket", True, True),
        ("Bucket", False, False),
        ("ab", False, False),
        ("192.168.1.1", True, False),
        ("bucket_", False, False),
        (None, False, False),
    ],
)
def test_virtual_hostable(bucket: str | None, subdomains: bool, expected: bool) -> None:
    """Small letters, three at least, and no address."""
    assert aws_is_virtual_hostable_s3_bucket(bucket, subdomains) is expected


@pytest.mark.parametrize(
    ("value", "start", "stop", "reverse", "expected"),
    [
        ("abcdefg", 0, 4, False, "abcd"),
        ("abcdefg", 0, 4, True, "defg"),
        ("abcdefg", 1, 3, True, "ef"),
        ("abc", 0, 4, False, None),
        ("abc", 2, 2, False, None),
        ("äbc", 0, 2, False, None),
        (None, 0, 1, False, None),
    ],
)
def test_substring(
    value: str | None, start: int, stop: int, reverse: bool, expected: str | None
) -> None:
    """The part is whole or there is none; other than ASCII there is none either."""
    assert substring(value, start, stop, reverse) == expected


@pytest.mark.parametrize(
    ("value", "delimiter", "limit", "expected"),
    [
        ("a--b--c", "--", 0, ["a", "b", "c"]),
        ("a--b--c", "--", 2, ["a", "b--c"]),
        ("a--b--c", "--", 1, ["a--b--c"]),
        ("", "--", 0, [""]),
        ("--", "--", 0, ["", ""]),
        ("----", "--", 0, ["", "", ""]),
        ("--b--", "--", 0, ["", "b", ""]),
        ("--x-s3--azid--suffix", "--", 0, ["", "x-s3", "azid", "suffix"]),
        ("--x-s3--azid--suffix", "--", 2, ["", "x-s3--azid--suffix"]),
        ("abc", "x", 0, ["abc"]),
        ("mybucket", "--", 1, ["mybucket"]),
    ],
)
def test_split(value: str, delimiter: str, limit: int, expected: list[str]) -> None:
    """The parts are those of the engine's documentation."""
    assert split(value, delimiter, limit) == expected


def test_of_nothing_comes_nothing() -> None:
    """Functions of a value that is not set give none."""
    assert split(None, "-", 0) is None
    assert uri_encode(None) is None
    assert item(None, 0) is None
    assert coalesce(None, None) is None


def test_coalesce_takes_the_first_that_is_set() -> None:
    """False and an empty text are set."""
    assert coalesce(None, False, True) is False
    assert coalesce(None, "", "a") == ""


@pytest.mark.parametrize(
    ("index", "expected"), [(0, "a"), (1, "b"), (2, None), (-1, "b"), (-2, "a"), (-3, None)]
)
def test_item(index: int, expected: str | None) -> None:
    """Elements are counted from either end; those that are not there are not set."""
    assert item(["a", "b"], index) == expected


def test_uri_encode() -> None:
    """All but unreserved characters are escaped."""
    assert uri_encode("a/b c~-._ü%") == "a%2Fb%20c~-._%C3%BC%25"


@pytest.mark.parametrize("value", ["us-east-1", "a.b", "a_b", "op-01"])
def test_label_lets_pass(value: str) -> None:
    """What can be part of a host name is left as it is."""
    assert label(value) == value


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        ".",
        "a.",
        ".a",
        "a/b",
        "a#",
        "a?b",
        "a@b",
        "a:b",
        "a b",
        "a\n",
        "a\\b",
        "ä",
        "[::1]",
    ],
)
def test_label_refuses(value: str | None) -> None:
    """What could end the host name is an error."""
    with pytest.raises(EndpointError, match="cannot be part of the host name"):
        label(value)


def test_parameters_have_types() -> None:
    """Values of the right type are taken, None counts as not given."""
    params: dict[str, Any] = {"t": "x", "f": False, "l": ["a"], "n": None}
    assert (string(params, "t"), boolean(params, "f"), strings(params, "l")) == ("x", False, ["a"])
    assert (string(params, "n", "d"), boolean(params, "n", True)) == ("d", True)
    assert strings(params, "missing", ["d"]) == ["d"]
    assert (string(params, "n"), boolean(params, "n"), strings(params, "n")) == (None, None, None)
    for wrong in (lambda: string(params, "f"), lambda: boolean(params, "t")):
        with pytest.raises(EndpointError, match="endpoint parameter"):
            wrong()
    for value in ("x", [1]):
        with pytest.raises(EndpointError, match="list of str"):
            strings({"l": value}, "l")


def test_unknown_parameters_are_refused() -> None:
    """The error names what is unknown and what there is."""
    known({"Region": "x"}, frozenset({"Region", "UseFIPS"}))
    with pytest.raises(EndpointError, match="no parameter Regoin; they have Region, UseFIPS"):
        known({"Regoin": "x"}, frozenset({"Region", "UseFIPS"}))


def test_required_parameters() -> None:
    """A parameter that must be given is missed by its name."""
    assert required("Region", "") == ""
    with pytest.raises(EndpointError, match="need the parameter Region"):
        required("Region", None)


def test_no_rule_fits() -> None:
    """The error says what was asked."""
    assert "Region='x'" in str(no_endpoint({"Region": "x"}))
