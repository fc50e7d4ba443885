"""Credentials in environment variables, and those in code beside them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from botocore.credentials import EnvProvider
from botocore.exceptions import PartialCredentialsError

from tests.support.credential_sources import keys, make_context
from tornado_aws.credentials import Credentials
from tornado_aws.credentials.explicit import explicit_credentials
from tornado_aws.credentials.providers import Absent
from tornado_aws.credentials.providers.environment import Environment
from tornado_aws.exceptions import CredentialsError

PAIR = {"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "hush"}


def load(environ: Mapping[str, str]) -> Credentials:
    return asyncio.run(Environment(make_context(environ=environ)).load(None))


@pytest.mark.parametrize(
    "environ",
    [
        PAIR,
        {**PAIR, "AWS_SESSION_TOKEN": "t"},
        {**PAIR, "AWS_SECURITY_TOKEN": "s"},
        {**PAIR, "AWS_SESSION_TOKEN": "t", "AWS_SECURITY_TOKEN": "s"},
        {**PAIR, "AWS_SESSION_TOKEN": "t", "AWS_SECURITY_TOKEN": ""},
        {**PAIR, "AWS_ACCOUNT_ID": "123456789012"},
        {},
        {"AWS_ACCESS_KEY_ID": ""},
        {"AWS_ACCESS_KEY_ID": "AKID"},
        {"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": ""},
        {"AWS_SECRET_ACCESS_KEY": "hush"},
        {"AWS_SESSION_TOKEN": "t"},
    ],
)
def test_variables_mean_what_they_mean_to_botocore(environ: dict[str, str]) -> None:
    """The same credentials, the same absence, the same complaint about half a pair."""
    try:
        expected = EnvProvider(environ).load()
    except PartialCredentialsError:
        with pytest.raises(CredentialsError, match="AWS_SECRET_ACCESS_KEY is not"):
            load(environ)
        return
    if expected is None:
        with pytest.raises(Absent, match="AWS_ACCESS_KEY_ID is not set"):
            load(environ)
        return
    found = load(environ)
    assert keys(found) == (expected.access_key, expected.secret_key, expected.token)
    assert found.account_id == expected.account_id
    assert found.source == "env"


def test_an_expiration_is_read() -> None:
    """Programs that start others give them temporary keys with their end."""
    found = load({**PAIR, "AWS_CREDENTIAL_EXPIRATION": "2030-01-02T03:04:05Z"})
    assert found.expiration == datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_white_space_around_values_is_no_part_of_them() -> None:
    """Files of variables with Windows line ends leave a carriage return, which breaks headers."""
    environ = {"AWS_ACCESS_KEY_ID": " AKID\r", "AWS_SECRET_ACCESS_KEY": "hush\r\n"}
    assert keys(load(environ)) == ("AKID", "hush", None)


def test_variables_are_read_again() -> None:
    """A program may replace its own temporary keys in the environment."""
    environ = dict(PAIR)
    provider = Environment(make_context(environ=environ))
    asyncio.run(provider.load(None))
    environ["AWS_ACCESS_KEY_ID"] = "OTHER"
    assert asyncio.run(provider.load(None)).access_key == "OTHER"


def test_credentials_in_code_need_both_keys() -> None:
    """A pair is taken as it is; half a pair names what is missing."""
    assert explicit_credentials("AKID", "hush", "t") == Credentials("AKID", "hush", "t")
    assert explicit_credentials("AKID", "hush") == Credentials("AKID", "hush")
    assert explicit_credentials(None, None) is None
    assert explicit_credentials("", "") is None
    for parts, missing in [
        (("AKID", None), "secret_key"),
        ((None, "hush"), "access_key"),
        ((None, None, "t"), "access_key and secret_key"),
    ]:
        with pytest.raises(CredentialsError, match=f"{missing} must be given too") as caught:
            explicit_credentials(*parts)
        assert "hush" not in str(caught.value)
