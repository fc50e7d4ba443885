"""The token that a login with IAM Identity Center has left."""

from __future__ import annotations

import asyncio
import gc
import stat
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.utils import JSONFileCache, SSOTokenLoader

from tests.support.fake_services import FakeServices, Refusal
from tests.support.sso_home import URL, Home, written
from tests.support.threads import in_threads
from tornado_aws.credentials import Credentials, sso_token
from tornado_aws.credentials.sso_token import Portal, load_token
from tornado_aws.exceptions import (
    AWSClientException,
    AWSError,
    ConnectTimeout,
    CredentialsError,
)

PORTAL = Portal("p", URL, "eu-west-1", "s")
LOGIN = "aws sso login --profile p"


@pytest.fixture
def session(tmp_path: Path) -> Home:
    return Home(tmp_path, "s")


def load(home: Home, services: FakeServices, portal: Portal = PORTAL) -> str:
    token = asyncio.run(load_token(portal, home.environ, services))
    return str(token["accessToken"])


def test_a_token_that_is_about_to_end_is_refreshed_and_kept_for_the_cli(session: Home) -> None:
    """The new token is used, and saved where the CLI and botocore find it, for the owner only."""
    services = FakeServices()
    session.login(remaining=800)
    assert load(session, services) == "hushnew"
    [refresh] = services.calls
    assert (refresh.service, refresh.operation) == ("sso-oidc", "CreateToken")
    assert (refresh.region, refresh.credentials) == ("eu-west-1", None)
    assert refresh.params == {
        "grantType": "refresh_token",
        "clientId": "client",
        "clientSecret": "hushclient",
        "refreshToken": "hushrefresh",
    }
    saved = SSOTokenLoader(JSONFileCache(str(session.folder)))(URL, session_name="s")
    assert saved == session.token()
    assert (saved["accessToken"], saved["refreshToken"]) == ("hushnew", "hushrefresh2")
    assert saved["clientSecret"] == "hushclient"
    assert datetime.fromisoformat(saved["expiresAt"]) > datetime.now(UTC) + timedelta(minutes=59)
    assert stat.S_IMODE(session.file.stat().st_mode) == 0o600


def test_a_token_that_lasts_is_used_as_it_is(session: Home) -> None:
    """Nobody is asked in more than a quarter of an hour before its end."""
    services = FakeServices()
    session.login(remaining=1000)
    assert load(session, services) == "hushold"
    assert not services.calls


def test_the_token_of_a_profile_of_old_is_never_refreshed(tmp_path: Path) -> None:
    """It is found by the portal's URL."""
    services, legacy = FakeServices(), Home(tmp_path, URL)
    legacy.login(remaining=100)
    assert load(legacy, services, PORTAL._replace(session=None)) == "hushold"
    assert not services.calls


@pytest.mark.parametrize(
    "missing", ["refreshToken", "clientId", "clientSecret", "registrationExpiresAt"]
)
def test_a_token_that_cannot_be_refreshed_is_used_to_its_end(session: Home, missing: str) -> None:
    """Without what a refresh needs there is none."""
    services = FakeServices()
    session.login(200, **{missing: None})
    assert load(session, services) == "hushold"
    session.login(-1, **{missing: None})
    with pytest.raises(CredentialsError, match=LOGIN):
        load(session, services)
    assert not services.calls


def test_a_registration_that_has_ended_cannot_refresh(session: Home) -> None:
    """The token is used as it is; one whose end cannot be read has ended, too."""
    services = FakeServices()
    for end in (written(-1), "soon", 5):
        session.login(200, registrationExpiresAt=end)
        assert load(session, services) == "hushold"
    assert not services.calls


class Answering(FakeServices):
    """Gives this answer to the first refresh, or fails so, and goes on as it should."""

    def __init__(self, answer: dict[str, Any] | AWSClientException) -> None:
        super().__init__()
        self.answer = answer

    def _token(self, params: Mapping[str, Any]) -> dict[str, Any]:
        if len(self.calls) > 1:
            return super()._token(params)
        if isinstance(self.answer, AWSClientException):
            raise self.answer
        return self.answer


FINAL = [
    "AccessDeniedException",
    "ExpiredTokenException",
    "InvalidClientException",
    "InvalidGrantException",
    "UnauthorizedClientException",
]
PASSING = ["InternalServerException", "SlowDownException", "ConnectTimeout"]


def _failure(name: str) -> AWSClientException:
    if name == "ConnectTimeout":
        return ConnectTimeout(error="ConnectTimeout after 10 seconds")
    return AWSError(name, "no", 400)


@pytest.mark.parametrize("name", [*FINAL, *PASSING])
def test_a_refresh_that_fails_is_no_error_while_the_token_lasts(
    session: Home, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    """The old token is used, and the failure logged."""
    session.login(200)
    assert load(session, Answering(_failure(name))) == "hushold"
    assert name in caplog.text
    assert "hush" not in caplog.text


@pytest.mark.parametrize("name", FINAL)
def test_a_refusal_that_is_final_needs_a_login(session: Home, name: str) -> None:
    """The service takes the refresh token no more."""
    session.login(-1)
    with pytest.raises(CredentialsError, match=f"{name}.*{LOGIN}") as caught:
        load(session, Answering(_failure(name)))
    assert isinstance(caught.value.__cause__, AWSError)


@pytest.mark.parametrize("name", PASSING)
def test_a_failure_that_may_pass_is_told_as_it_is(session: Home, name: str) -> None:
    """A login would not help: the service fails, or there is no way to it."""
    session.login(-1)
    with pytest.raises(CredentialsError, match=f"cannot be refreshed: .*{name}") as caught:
        load(session, Answering(_failure(name)))
    assert "login" not in str(caught.value)
    assert isinstance(caught.value.__cause__, AWSClientException)


INCOMPLETE = [
    {},
    {"accessToken": None, "expiresIn": 3600},
    {"accessToken": "", "expiresIn": 3600},
    {"accessToken": 5, "expiresIn": 3600},
    {"accessToken": "hushnew"},
    {"accessToken": "hushnew", "expiresIn": 10**16},
    {"accessToken": "hushnew", "expiresIn": "hush"},
]


@pytest.mark.parametrize("answer", INCOMPLETE)
def test_an_incomplete_answer_is_no_new_token(session: Home, answer: dict[str, Any]) -> None:
    """The old one is used to its end; then the error is of the kind that callers expect."""
    session.login(200)
    before = session.token()
    assert load(session, Answering(answer)) == "hushold"
    assert session.token() == before
    session.login(-1)
    with pytest.raises(CredentialsError, match=r"accessToken|expiresIn") as caught:
        load(session, Answering(answer))
    assert "hush" not in str(caught.value)


def test_the_refresh_token_of_an_incomplete_answer_is_not_lost(session: Home) -> None:
    """The one that was sent is used up; the next load goes on with the new one."""
    session.login(200)
    before = session.token()
    services = Answering({"refreshToken": "hushnext"})
    assert load(session, services) == "hushold"
    assert session.token() == {**before, "refreshToken": "hushnext"}
    assert load(session, services) == "hushnew"
    assert services.calls[1].params["refreshToken"] == "hushnext"


def test_a_token_that_another_process_has_refreshed_is_used(session: Home) -> None:
    """A refresh token is good once; who comes second finds the new token in the file."""
    session.login(-1)

    class Slow(FakeServices):
        def _token(self, params: Mapping[str, Any]) -> dict[str, Any]:
            session.login(3600, accessToken="hush-of-another")
            raise Refusal.AccessDenied.error()

    assert load(session, Slow()) == "hush-of-another"


class Gated(FakeServices):
    """Answers when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        # Of threads: a refresh runs in one of its own.
        self.asked, self.gate = threading.Event(), threading.Event()

    async def __call__(
        self,
        service: str,
        operation: str,
        region: str,
        params: Mapping[str, Any],
        credentials: Credentials | None,
        *,
        headers: Callable[[str], Mapping[str, str]] | None = None,
    ) -> dict[str, Any]:
        self.asked.set()
        self.gate.wait(5)
        return await super().__call__(service, operation, region, params, credentials)


class OnceOnly(FakeServices):
    """Refuses a refresh token that was used before."""

    def __init__(self) -> None:
        super().__init__()
        self.used: list[str] = []

    async def __call__(self, *arguments: Any, **more: Any) -> dict[str, Any]:
        answer = await super().__call__(*arguments, **more)
        await asyncio.sleep(0.05)
        return answer

    def _token(self, params: Mapping[str, Any]) -> dict[str, Any]:
        given = params["refreshToken"]
        if given in self.used:
            raise Refusal.AccessDenied.error()
        self.used.append(given)
        return {
            "accessToken": f"token of {given}",
            "expiresIn": 3600,
            "refreshToken": f"hush{len(self.used)}",
        }


def test_one_refresh_is_for_all_who_want_the_token(session: Home) -> None:
    """Credentials and tokens may be wanted at once, and a refresh token is good once."""
    session.login(remaining=100)

    async def main() -> tuple[Gated, list[Mapping[str, Any]]]:
        services = Gated()
        tasks = [
            asyncio.create_task(load_token(PORTAL, session.environ, services)) for _ in range(5)
        ]
        await asyncio.to_thread(services.asked.wait, 5)
        services.gate.set()
        return services, await asyncio.gather(*tasks)

    services, tokens = asyncio.run(main())
    assert services.operations() == ["CreateToken"]
    assert {token["accessToken"] for token in tokens} == {"hushnew"}


def test_a_refresh_that_has_begun_is_finished_and_saved(session: Home) -> None:
    """Whoever wanted it is gone, and its loop; who comes meanwhile uses no token twice."""
    session.login(remaining=100)
    services = Gated()

    async def give_up() -> None:
        task = asyncio.create_task(load_token(PORTAL, session.environ, services))
        await asyncio.to_thread(services.asked.wait, 5)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()

    async def come_meanwhile() -> Mapping[str, Any]:
        task = asyncio.create_task(load_token(PORTAL, session.environ, services))
        await asyncio.sleep(0.1)
        services.gate.set()
        return await task

    asyncio.run(give_up())
    assert asyncio.run(come_meanwhile())["accessToken"] == "hushnew"
    assert session.token()["refreshToken"] == "hushrefresh2"
    assert services.operations() == ["CreateToken"]
    gc.collect()
    assert session.file not in sso_token._REFRESHES._things


def test_one_refresh_is_for_all_loops_and_profiles(session: Home) -> None:
    """Programs may have several loops; a second use of the refresh token would be refused."""
    session.login(remaining=100)
    services = OnceOnly()

    async def main(number: int) -> str:
        portal = PORTAL._replace(profile=f"p{number}")
        tokens = [load_token(portal, session.environ, services) for _ in range(3)]
        found = {token["accessToken"] for token in await asyncio.gather(*tokens)}
        return ", ".join(found)

    for last in ("hushrefresh", "hush1", "hush2"):
        assert in_threads(4, main) == [f"token of {last}"] * 4
        session.login(100, refreshToken=session.token()["refreshToken"])
    assert len(services.calls) == 3


@pytest.mark.parametrize(
    "contents",
    [
        None,
        "",
        "{}",
        '{"accessToken": "hush"}',
        '{"accessToken": "hush", "expiresAt": "soon"}',
        '{"accessToken": 5, "expiresAt": "2030-01-02T03:04:05Z"}',
        "[1]",
    ],
)
def test_no_token_needs_a_login(session: Home, contents: str | None) -> None:
    """No file, garbage and half a token are the same to the user."""
    if contents is not None:
        session.file.write_text(contents)
    with pytest.raises(CredentialsError, match=LOGIN) as caught:
        load(session, FakeServices())
    assert "hush" not in str(caught.value)


def test_times_as_old_versions_of_the_cli_wrote_them_are_read(session: Home) -> None:
    """They end in UTC rather than Z."""
    session.login(expiresAt=written(3600).replace("Z", "UTC"))
    assert load(session, FakeServices()) == "hushold"


def test_a_folder_that_cannot_be_written_fails_no_call(
    session: Home, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new token is used all the same, and the trouble logged without it."""

    def refuse(path: Path, document: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(sso_token, "write_json", refuse)
    session.login(remaining=200)
    assert load(session, FakeServices()) == "hushnew"
    assert "Permission denied" in caplog.text
    assert "hush" not in caplog.text
