"""JSON documents with credentials."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tornado_aws.credentials import Credentials
from tornado_aws.credentials.document import (
    explanation,
    load_object,
    parse_credentials,
    parse_lifetime,
    parse_milliseconds,
    parse_time,
)
from tornado_aws.exceptions import CredentialsError

WHOLE = {
    "AccessKeyId": "AKID",
    "SecretAccessKey": "hush",
    "Token": "hushtoken",
    "Expiration": "2030-01-02T03:04:05Z",
    "AccountId": "123456789012",
}


def test_a_whole_document_becomes_credentials() -> None:
    """Every key has its place."""
    found = parse_credentials(WHOLE, "test", temporary=True)
    assert found == Credentials("AKID", "hush", "hushtoken")
    assert found.expiration == datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert (found.account_id, found.source) == ("123456789012", "test")


def test_the_token_has_two_names() -> None:
    """Endpoints and processes call it differently; without one the credentials are static."""
    document = {"AccessKeyId": "A", "SecretAccessKey": "hush", "SessionToken": "hushtoken"}
    assert parse_credentials(document, "test").security_token == "hushtoken"
    del document["SessionToken"]
    assert parse_credentials(document, "test") == Credentials("A", "hush")


@pytest.mark.parametrize("key", ["AccessKeyId", "SecretAccessKey", "Token", "Expiration"])
@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_key_is_named(key: str, value: str | None) -> None:
    """The error names the key and shows no other value."""
    with pytest.raises(CredentialsError) as caught:
        parse_credentials({**WHOLE, key: value}, "test", temporary=True)
    assert key in caught.value.reason
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("key", ["AccessKeyId", "SecretAccessKey", "Token", "AccountId"])
def test_a_value_of_another_type_is_named(key: str) -> None:
    """Numbers and objects are no keys."""
    with pytest.raises(CredentialsError, match=f"{key} must be text"):
        parse_credentials({**WHOLE, key: {"x": "hush"}}, "test")


@pytest.mark.parametrize(
    ("value", "account"), [(123456789012, "123456789012"), (12345678901, "012345678901")]
)
def test_an_account_may_be_a_number(value: int, account: str) -> None:
    """As some programs print it, without the zeros at its beginning."""
    assert parse_credentials({**WHOLE, "AccountId": value}, "test").account_id == account


@pytest.mark.parametrize("value", [True, -1, 1.5, [1]])
def test_an_impossible_account_is_an_error(value: Any) -> None:
    """The error names the key."""
    with pytest.raises(CredentialsError, match="AccountId must be text"):
        parse_credentials({**WHOLE, "AccountId": value}, "test")


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2030-01-02T03:04:05Z", datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2030-01-02T03:04:05.678Z", datetime(2030, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)),
        (
            "2030-01-02T03:04:05+02:00",
            datetime(2030, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=2))),
        ),
        ("2030-01-02T03:04:05", datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2030-01-02T03:04:05UTC", datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)),
        (datetime(2030, 1, 2, tzinfo=UTC), datetime(2030, 1, 2, tzinfo=UTC)),
        ("", None),
        (None, None),
    ],
)
def test_times_are_aware(text: Any, time: datetime | None) -> None:
    """A time without a zone is UTC."""
    assert parse_time(text, "test") == time


@pytest.mark.parametrize("value", ["soon", 5, ["x"]])
def test_an_impossible_time_is_an_error(value: Any) -> None:
    """The error says what was expected."""
    with pytest.raises(CredentialsError, match="ISO 8601"):
        parse_time(value, "test")


@pytest.mark.parametrize("text", [b"", b"{", b"hush", b"\xff", b"[1]", b"1", b"[" * 100_000])
def test_what_is_no_json_object_is_an_error_without_the_text(text: bytes) -> None:
    """The text may be a secret: neither the error nor its causes hold it."""
    with pytest.raises(CredentialsError) as caught:
        load_object(text, "test")
    assert "hush" not in f"{caught.value}{caught.value.__cause__!r}"
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


IMPOSSIBLE: list[Any] = [
    None,
    "",
    "900",
    [],
    {},
    0,
    -1,
    10**16,
    10**400,
    float("inf"),
    float("nan"),
]


@pytest.mark.parametrize("value", IMPOSSIBLE)
def test_an_impossible_number_is_an_error(value: Any) -> None:
    """Nothing else comes of it, however large it is."""
    with pytest.raises(CredentialsError, match="expiresIn is missing or impossible"):
        parse_lifetime(value, "test")
    with pytest.raises(CredentialsError, match="expiration is missing or impossible"):
        parse_milliseconds(value, "test")


def test_numbers_become_times() -> None:
    """Seconds from now, and milliseconds since 1970."""
    left = parse_lifetime(900, "test") - datetime.now(UTC)
    assert timedelta(0) < left <= timedelta(seconds=900)
    assert parse_milliseconds(1893553445000, "test") == datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ({"code": "AccessDenied", "message": "No such role."}, "AccessDenied: No such role."),
        ({"Code": "Failed", "Message": "Try again."}, "Failed: Try again."),
        ({"code": "AccessDenied"}, "AccessDenied"),
        ({"message": "No such role."}, "No such role."),
        ({"code": 5, "message": ["x"]}, ""),
        ({"Code": "Success", "Message": "x"}, ""),
        ({}, ""),
        ({"message": "a\x1b[31m\r\nb\tc\0\u2028d"}, "a[31m b c d"),
        ({"message": "x" * 1000}, "x" * 300),
    ],
)
def test_an_explanation_is_one_short_line(document: dict[str, Any], text: str) -> None:
    """What could deceive the reader of a log or a terminal is left out."""
    assert explanation(document) == text


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda children: st.lists(children, max_size=3),
    max_leaves=3,
)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(WHOLE, JSON)), st.booleans())
@settings(max_examples=100, deadline=None)
def test_any_object_gives_credentials_or_our_error(
    document: dict[str, Any], temporary: bool
) -> None:
    """No document makes the parser fail in another way."""
    try:
        found = parse_credentials(load_object(json.dumps(document).encode(), "t"), "t")
    except CredentialsError:
        return
    assert found.access_key
    assert found.secret_key
