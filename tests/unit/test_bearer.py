"""Bearer tokens: from the environment, from a login, and on their way to a service."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from generated.bedrock_runtime import BedrockRuntime
from tests.support.fake_services import FakeServices
from tests.support.recording_server import RecordingServer, recording_server
from tests.support.sso_home import URL, Home
from tornado_aws.bearer import Bearer, bearer, header, login_token, variable
from tornado_aws.config import Profiles, parse_profiles
from tornado_aws.credentials import Credentials
from tornado_aws.credentials.source import static
from tornado_aws.exceptions import ClientClosedError, CredentialsError, UnsupportedOperationError

TAKES = {"endpointPrefix": "x", "signingName": "my-svc", "auth": ["smithy.api#httpBearerAuth"]}
SESSION = f"[profile p]\nsso_session = s\n[sso-session s]\nsso_region = r\nsso_start_url = {URL}\n"


def login(home: Home, services: FakeServices, config: str = SESSION) -> Any:
    return login_token("p", parse_profiles(config), home.environ, services)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path, "s")


def sent(found: Bearer | None) -> tuple[str, str]:
    assert found is not None
    return asyncio.run(header(found.source))


def test_the_variable_has_the_signing_name() -> None:
    """In upper case, with underscores."""
    assert variable(TAKES) == "AWS_BEARER_TOKEN_MY_SVC"
    assert variable({"endpointPrefix": "bedrock"}) == "AWS_BEARER_TOKEN_BEDROCK"


def test_a_token_of_the_environment_goes_before_a_login() -> None:
    """It is meant for the service."""
    of_login = static(Credentials("", "", "of-login"))
    found = bearer(TAKES, {"AWS_BEARER_TOKEN_MY_SVC": "of-env"}, of_login)
    assert sent(found) == ("Authorization", "Bearer of-env")
    assert found is not None
    assert found.is_for_service
    found = bearer(TAKES, {"AWS_BEARER_TOKEN_MY_SVC": ""}, of_login)
    assert sent(found) == ("Authorization", "Bearer of-login")
    assert found is not None
    assert not found.is_for_service


def test_a_service_that_takes_no_token_gets_none() -> None:
    """Whatever there is."""
    environ = {"AWS_BEARER_TOKEN_MY_SVC": "of-env"}
    assert bearer({**TAKES, "auth": ["aws.auth#sigv4"]}, environ, None) is None
    assert bearer(TAKES, {}, None) is None


def test_a_profile_without_a_session_has_no_login() -> None:
    """Neither has a profile that does not exist."""
    assert login_token("p", Profiles(), {}, FakeServices()) is None
    assert login_token("p", parse_profiles("[profile p]\nregion = x"), {}, FakeServices()) is None


def test_a_token_is_kept_until_it_is_about_to_end(home: Home) -> None:
    """The file is read once; then the token is refreshed, and shared by way of the file."""
    services = FakeServices()
    home.login(remaining=3600)

    async def twice() -> list[str]:
        source = login(home, services)
        first = await header(source)
        home.file.unlink()
        return [first[1], (await header(source))[1]]

    assert asyncio.run(twice()) == ["Bearer hushold"] * 2
    assert not services.calls
    home.login(remaining=200)
    assert asyncio.run(header(login(home, services)))[1] == "Bearer hushnew"
    assert home.token()["accessToken"] == "hushnew"


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        (SESSION, "run: aws sso login --profile p"),
        (SESSION.replace("[sso-session s]", "[sso-session t]"), r"no section \[sso-session s\]"),
        (SESSION.replace("sso_region", "x"), r"\[sso-session s\] has no sso_region"),
    ],
)
def test_without_a_login_the_error_says_what_to_do(home: Home, config: str, reason: str) -> None:
    """Once a token is wanted, and not before."""
    source = login(home, FakeServices(), config)
    with pytest.raises(CredentialsError, match=reason):
        asyncio.run(header(source))


def call(server: RecordingServer, folder: Path, **options: Any) -> str | None:
    """Call a service that takes signatures and tokens; return the header that says who calls."""
    (folder / "config").write_text(SESSION)

    async def main() -> None:
        async with BedrockRuntime(
            region="us-east-1",
            endpoint=server.url,
            profile="p",
            config_file=str(folder / "config"),
            **options,
        ) as client:
            await client.list_async_invokes()

    asyncio.run(main())
    return server.requests[-1].header("Authorization")


def test_a_client_sends_the_token_of_a_login(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the program prefers tokens; its own keys sign otherwise."""
    monkeypatch.setenv("HOME", str(tmp_path))
    home.login()
    keys = {"access_key": "AKID", "secret_key": "hush"}
    with recording_server() as server:
        signed = call(server, tmp_path, **keys)
        assert signed is not None
        assert signed.startswith("AWS4-HMAC-SHA256 ")
        sent = call(server, tmp_path, auth_scheme_preference="httpBearerAuth", **keys)
        assert sent == "Bearer hushold"
        monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "of-env")
        assert call(server, tmp_path, **keys) == "Bearer of-env"
        assert server.requests[-1].header("X-Amz-Date") is None


def test_no_url_carries_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would be one that anybody may use and the service refuses."""
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "of-env")

    async def url(**options: Any) -> str:
        options |= {"region": "us-east-1", "access_key": "AKID", "secret_key": "hush"}
        async with BedrockRuntime(**options) as client:
            return await client.generate_presigned_url("list_async_invokes")

    with pytest.raises(UnsupportedOperationError, match="auth_scheme_preference='sigv4'"):
        asyncio.run(url())
    assert "X-Amz-Signature=" in asyncio.run(url(auth_scheme_preference="sigv4"))


def test_closing_a_client_ends_the_wait_for_its_token(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The portal may not answer for a long time."""
    home.login(remaining=1)
    begun, over = threading.Event(), threading.Event()

    class Hanging(FakeServices):
        async def __call__(self, *_: Any, **__: Any) -> dict[str, Any]:
            begun.set()
            over.wait(5)
            return {}

    async def main() -> None:
        source = login(home, Hanging())
        waiting = asyncio.create_task(header(source))
        await asyncio.to_thread(begun.wait, 5)
        source.close()
        with pytest.raises(ClientClosedError):
            await waiting

    asyncio.run(main())
    over.set()
