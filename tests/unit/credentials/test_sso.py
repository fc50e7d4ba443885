"""Credentials from IAM Identity Center."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import stat
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.utils import JSONFileCache, SSOTokenLoader

from tests.support.credential_sources import keys, make_context
from tests.support.fake_services import FakeServices, Refusal
from tornado_aws.credentials import Credentials
from tornado_aws.credentials.providers import Absent
from tornado_aws.credentials.providers.sso import SSO
from tornado_aws.exceptions import CredentialsError

URL = "https://x.awsapps.com/start"
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


def written(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


class Home:
    """A home folder with a token as ``aws sso login`` leaves it."""

    def __init__(self, folder: Path, key: str) -> None:
        self.folder = folder / ".aws" / "sso" / "cache"
        self.folder.mkdir(parents=True)
        self.file = self.folder / f"{hashlib.sha1(key.encode()).hexdigest()}.json"
        self.environ = {"HOME": str(folder)}

    def login(self, remaining: float = 3600, **more: Any) -> None:
        document = {
            "startUrl": URL,
            "region": "eu-west-1",
            "accessToken": "hushold",
            "expiresAt": written(remaining),
            "clientId": "client",
            "clientSecret": "hushclient",
            "registrationExpiresAt": written(86400),
            "refreshToken": "hushrefresh",
            **more,
        }
        self.file.write_text(json.dumps({k: v for k, v in document.items() if v is not None}))

    def token(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.file.read_text())
        return document


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


def test_a_token_that_is_about_to_end_is_refreshed_and_kept_for_the_cli(session: Home) -> None:
    """The new token is used, and saved where the CLI and botocore find it, for the owner only."""
    services = FakeServices()
    session.login(remaining=200)
    load(session, SESSION, services)
    refresh, get = services.calls
    assert refresh.service == "sso-oidc"
    assert refresh.operation == "CreateToken"
    assert refresh.params == {
        "grantType": "refresh_token",
        "clientId": "client",
        "clientSecret": "hushclient",
        "refreshToken": "hushrefresh",
    }
    assert get.params["accessToken"] == "hushnew"
    saved = SSOTokenLoader(JSONFileCache(str(session.folder)))(URL, session_name="s")
    assert saved == session.token()
    assert (saved["accessToken"], saved["refreshToken"]) == ("hushnew", "hushrefresh2")
    assert saved["clientSecret"] == "hushclient"
    assert datetime.fromisoformat(saved["expiresAt"]) > datetime.now(UTC) + timedelta(minutes=59)
    assert stat.S_IMODE(session.file.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "missing", ["refreshToken", "clientId", "clientSecret", "registrationExpiresAt"]
)
def test_a_token_that_cannot_be_refreshed_is_used_to_its_end(session: Home, missing: str) -> None:
    """Without what a refresh needs there is none."""
    services = FakeServices()
    session.login(200, **{missing: None})
    load(session, SESSION, services)
    assert services.operations() == ["GetRoleCredentials"]
    session.login(-1, **{missing: None})
    with pytest.raises(CredentialsError, match="aws sso login --profile p"):
        load(session, SESSION, services)


def test_a_registration_that_has_ended_cannot_refresh(session: Home) -> None:
    """The token is used as it is."""
    services = FakeServices()
    session.login(200, registrationExpiresAt=written(-1))
    load(session, SESSION, services)
    assert services.operations() == ["GetRoleCredentials"]


def test_a_refresh_that_fails_is_no_error_while_the_token_lasts(
    session: Home, caplog: pytest.LogCaptureFixture
) -> None:
    """The old token is used; when it has ended the user is told to log in."""
    caplog.set_level(logging.DEBUG)
    services = FakeServices()
    session.login(200)
    services.refusals = [Refusal.AccessDenied]
    assert load(session, SESSION, services).access_key == "AKIDSSO"
    session.login(-1)
    services.refusals = [Refusal.AccessDenied]
    with pytest.raises(CredentialsError, match="aws sso login --profile p") as caught:
        load(session, SESSION, services)
    assert "hush" not in f"{caught.value}{caplog.text}"


def test_a_token_that_another_process_has_refreshed_is_used(session: Home) -> None:
    """A refresh token is good once; who comes second finds the new token in the file."""
    session.login(-1)

    class Slow(FakeServices):
        def _token(self, params: Mapping[str, Any]) -> dict[str, Any]:
            session.login(3600, accessToken="hush-of-another")
            raise Refusal.AccessDenied.error()

    services = Slow()
    assert load(session, SESSION, services).access_key == "AKIDSSO"
    assert services.calls[-1].params["accessToken"] == "hush-of-another"


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


@pytest.mark.parametrize("contents", [None, "", "{}", '{"accessToken": "hush"}', "[1]"])
def test_no_token_needs_a_login(session: Home, contents: str | None) -> None:
    """No file, garbage and half a token are the same to the user."""
    if contents is not None:
        session.file.write_text(contents)
    with pytest.raises(CredentialsError, match="aws sso login --profile p") as caught:
        load(session, SESSION, FakeServices())
    assert "hush" not in str(caught.value)


def test_times_as_old_versions_of_the_cli_wrote_them_are_read(session: Home) -> None:
    """They end in UTC rather than Z."""
    session.login(expiresAt=written(3600).replace("Z", "UTC"))
    assert load(session, SESSION, FakeServices()).access_key == "AKIDSSO"


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


def test_a_folder_that_cannot_be_written_fails_no_call(
    session: Home, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new token is used all the same, and the trouble logged without it."""

    def refuse(path: Path, document: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tornado_aws.credentials.providers.sso.write_json", refuse)
    session.login(remaining=200)
    assert load(session, SESSION, FakeServices()).access_key == "AKIDSSO"
    assert "Permission denied" in caplog.text
    assert "hush" not in caplog.text
