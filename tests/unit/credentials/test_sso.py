"""Credentials from IAM Identity Center."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support.credential_sources import keys, make_context
from tests.support.fake_services import FakeServices, Refusal
from tests.support.sso_home import URL, Home
from tornado_aws.credentials import Credentials
from tornado_aws.credentials.providers import Absent
from tornado_aws.credentials.providers.sso import SSO
from tornado_aws.exceptions import CredentialsError

SESSION = f"""[profile p]
sso_session = s
sso_account_id = 123456789012
sso_role_name = r
[sso-session s]
sso_region = eu-west-1
sso_start_url = {URL}
"""
LEGACY = f"""[profile p]
sso_region = eu-west-1
sso_start_url = {URL}
sso_account_id = 123456789012
sso_role_name = r
"""


@pytest.fixture
def session(tmp_path: Path) -> Home:
    return Home(tmp_path, "s")


@pytest.fixture
def legacy(tmp_path: Path) -> Home:
    return Home(tmp_path, URL)


def load(home: Home, config: str, services: FakeServices | None) -> Credentials:
    context = make_context(config, environ=home.environ, options={"profile": "p"}, call=services)
    return asyncio.run(SSO(context).load(None))


def test_a_session_gives_credentials(session: Home) -> None:
    """The portal is asked with the token, in its own region, without a signature."""
    services = FakeServices()
    session.login()
    found = load(session, SESSION, services)
    assert keys(found) == ("AKIDSSO", "hushsso", "hushssotoken")
    assert (found.source, found.account_id) == ("sso", "123456789012")
    assert found.expiration is not None
    [call] = services.calls
    assert call == (
        "sso",
        "GetRoleCredentials",
        "eu-west-1",
        {"roleName": "r", "accountId": "123456789012", "accessToken": "hushold"},
        None,
    )


def test_a_legacy_profile_gives_credentials(legacy: Home) -> None:
    """The token is found by the portal's URL, and is never refreshed."""
    services = FakeServices()
    legacy.login(remaining=100)
    assert load(legacy, LEGACY, services).access_key == "AKIDSSO"
    assert services.operations() == ["GetRoleCredentials"]


def test_a_token_that_the_portal_refuses_needs_a_login(session: Home) -> None:
    """The error says what to do."""
    services = FakeServices()
    services.refusals = [Refusal.UnauthorizedException]
    session.login()
    with pytest.raises(CredentialsError, match="aws sso login --profile p"):
        load(session, SESSION, services)


@pytest.mark.parametrize(
    "refusal", [Refusal.AccessDenied, Refusal.Throttling, Refusal.ConnectTimeout]
)
def test_another_refusal_is_told_as_it_is(session: Home, refusal: Refusal) -> None:
    """A login would not help."""
    services = FakeServices()
    services.refusals = [refusal]
    session.login()
    with pytest.raises(CredentialsError, match=refusal.name) as caught:
        load(session, SESSION, services)
    assert "login" not in str(caught.value)
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"roleCredentials": []},
        {"roleCredentials": {"accessKeyId": "AKID", "secretAccessKey": "hush"}},
        {"roleCredentials": {"expiration": 10**18}},
        {"roleCredentials": {"expiration": 10**400}},
        {"roleCredentials": {"expiration": "hush"}},
    ],
)
def test_an_incomplete_answer_is_an_error(session: Home, answer: dict[str, Any]) -> None:
    """It is of the kind that callers expect, whatever is missing."""

    class Strange(FakeServices):
        def _role_credentials(self, params: Mapping[str, Any]) -> dict[str, Any]:
            return answer

    session.login()
    with pytest.raises(CredentialsError, match="expiration is missing or impossible") as caught:
        load(session, SESSION, Strange())
    assert "hush" not in str(caught.value)


FAULTS = {
    "no session": (SESSION.replace("[sso-session s]", "[sso-session t]"), "no section"),
    "no region": (SESSION.replace("sso_region", "x"), r"\[sso-session s\] has no sso_region"),
    "a region in the profile only": (
        f"{SESSION.replace('sso_region', 'x')}[profile p]\nsso_region = eu-west-1",
        r"\[sso-session s\] has no sso_region",
    ),
    "no URL and account": (
        LEGACY.replace("sso_start_url", "x").replace("sso_account_id", "y"),
        "no sso_account_id and no sso_start_url",
    ),
    "two regions": (
        SESSION.replace("sso_session = s", "sso_session = s\nsso_region = us-east-1"),
        "sso_region differs",
    ),
}


@pytest.mark.parametrize(("config", "reason"), FAULTS.values(), ids=FAULTS)
def test_a_wrong_configuration_is_an_error(session: Home, config: str, reason: str) -> None:
    """What is missing or contradicts itself is named."""
    with pytest.raises(CredentialsError, match=reason):
        load(session, config, FakeServices())


def test_a_profile_without_sso_is_passed_over(session: Home) -> None:
    """A session alone, as for bearer tokens, is no source of credentials."""
    with pytest.raises(Absent):
        load(session, "[profile p]\nsso_session = s", FakeServices())


def test_without_a_way_to_sso_the_error_says_so(session: Home) -> None:
    """A chain can be made without one."""
    session.login()
    with pytest.raises(CredentialsError, match="no way to call SSO"):
        load(session, SESSION, None)
