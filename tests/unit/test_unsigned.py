"""What callers give to be signed, taken apart; through the signer in `test_signing`, too."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tornado_aws.exceptions import ParamValidationError
from tornado_aws.unsigned import (
    header_pairs,
    http_date,
    merged_headers,
    split_url,
    whole_second,
    without_signature,
)


def test_url_is_taken_apart() -> None:
    """Origin, host, path and query; a scheme's own port, user and fragment are no part of them."""
    target = split_url("HTTPS://user:pass@Example.COM:443/a//b?x=1&y#part")
    assert target == ("HTTPS://Example.COM:443", "example.com", "/a//b", "x=1&y")


def test_bad_url_shows_no_secret() -> None:
    """Neither user information nor a query, which may be a signature, is in the error."""
    with pytest.raises(ParamValidationError) as caught:
        split_url("ftp://user:pass@example.com/?X-Amz-Signature=secret")
    assert "pass" not in str(caught.value)
    assert "secret" not in str(caught.value)
    assert "ftp://***@example.com/" in str(caught.value)


def test_headers_of_any_kind_become_pairs() -> None:
    """Mappings, lists and nothing at all."""
    assert header_pairs({"A": "1"}) == header_pairs([("A", "1")]) == (("A", "1"),)
    assert header_pairs(None) == ()


def test_repeated_headers_are_merged() -> None:
    """The first spelling stays, the values are joined."""
    assert merged_headers([("X-A", " 1"), ("x-a", "2 ")]) == {"x-a": ("X-A", "1,2")}


def test_date_of_a_header() -> None:
    """The form of RFC 9110, in English under every locale."""
    assert http_date(784111777) == "Sun, 06 Nov 1994 08:49:37 GMT"


def test_times_of_any_kind_become_seconds() -> None:
    """Naive datetimes are UTC, fractions are dropped."""
    assert whole_second(datetime(1970, 1, 2)) == 86400
    assert whole_second(datetime(1970, 1, 2, tzinfo=UTC)) == 86400
    assert whole_second(86400.9) == 86400


def test_without_signature() -> None:
    """The headers of an earlier signature are dropped, the others stay in order."""
    assert without_signature(
        [("A", "1"), ("DATE", "x"), ("X-Amz-Date", "x"), ("authorization", "x"), ("B", "2")]
    ) == [("A", "1"), ("B", "2")]
