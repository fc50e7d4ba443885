"""Bearer tokens against botocore: who calls, who was asked for that, what the CLI finds then."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import botocore.session
import botocore.tokens
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from tests.conformance.routes import client_class
from tests.support.recording_server import Answer, RecordingServer, recording_server
from tests.support.sso_home import URL, Home
from tornado_aws.exceptions import CredentialsError

REGION = "us-west-2"
SESSION = f"""[profile p]
sso_session = s
[sso-session s]
sso_region = eu-west-1
sso_start_url = {URL}
"""
KEYS = ("AKID", "secret")
FRESH = {
    "accessToken": "hushnew",
    "expiresIn": 3600,
    "refreshToken": "hushrefresh2",
    "tokenType": "x",
}
REFUSED = {"error": "invalid_grant", "error_description": "no"}


class Case(NamedTuple):
    """A call, and what there is to find a token.

    Attributes:
        service: the service.
        remaining: seconds that the token of a login has left, None for no login.
        config: the configuration file.
        preferred: the ways to sign that the program prefers.
        environ: variables.
        answer: what SSO OIDC answers.
        lacks: keys that the login's token has not.
    """

    service: str
    remaining: float | None = 3600
    config: str = SESSION
    preferred: str | None = None
    environ: Mapping[str, str] = {}
    answer: Answer = Answer(200, json.dumps(FRESH).encode())
    lacks: tuple[str, ...] = ()


class Seen(NamedTuple):
    """What a call came to: who the service was told calls, what was asked for, the token kept."""

    authorization: str | None
    asked: list[dict[str, Any]]
    kept: dict[str, Any]


OPERATIONS = {"codecatalyst": "ListSpaces", "bedrock": "ListFoundationModels"}
SCOPED = {"AWS_BEARER_TOKEN_CODECATALYST": "hushenv", "AWS_BEARER_TOKEN_BEDROCK": "hushenv"}
NO = Answer(400, json.dumps(REFUSED).encode())
BROKEN = SESSION.replace("[sso-session s]", "[sso-session t]")

CASES = {
    "a login": Case("codecatalyst"),
    "a login, refreshed": Case("codecatalyst", 800),
    "a login, refreshed, the last minute": Case("codecatalyst", 30),
    "a login that has ended, refreshed": Case("codecatalyst", -60),
    "no refresh so early": Case("codecatalyst", 1000),
    "a refresh refused": Case("codecatalyst", 800, answer=NO),
    "a refresh refused, and the token ended": Case("codecatalyst", -60, answer=NO),
    "no refresh token": Case("codecatalyst", 800, lacks=("refreshToken",)),
    "no registration": Case("codecatalyst", 800, lacks=("clientSecret",)),
    "no refresh token, and the token ended": Case("codecatalyst", -60, lacks=("refreshToken",)),
    "no login": Case("codecatalyst", None),
    "no session in the profile": Case("codecatalyst", config="[profile p]\n"),
    "no section of the session": Case("codecatalyst", config=BROKEN),
    "no URL in the section": Case("codecatalyst", config=SESSION.replace("sso_start_url", "x")),
    "the environment first": Case("codecatalyst", environ=SCOPED),
    "the environment alone": Case("codecatalyst", None, "[profile p]\n", environ=SCOPED),
    "keys before a login": Case("bedrock"),
    "a login that is preferred": Case("bedrock", preferred="httpBearerAuth"),
    "a login that is preferred, refreshed": Case("bedrock", 800, preferred="httpBearerAuth"),
    "preferred, but no login": Case("bedrock", None, preferred="httpBearerAuth"),
    "the environment before keys": Case("bedrock", environ=SCOPED),
    "keys, by preference": Case("bedrock", environ=SCOPED, preferred="sigv4"),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_tokens_are_found_refreshed_and_kept_as_botocore_does(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both send the same token, or none; what they asked for and what they kept is the same."""
    seen = []
    for name, run in (("theirs", theirs), ("ours", ours)):
        folder = tmp_path / name
        folder.mkdir()
        home = Home(folder, "s")
        if case.remaining is not None:
            home.login(case.remaining, **dict.fromkeys(case.lacks))
        (folder / "config").write_text(case.config)
        environ = {"HOME": str(folder), "AWS_CONFIG_FILE": str(folder / "config"), **case.environ}
        with recording_server() as server, monkeypatch.context() as patch:
            server.default = Answer(200, b"{}")
            if case.answer is not None:
                server.queue(case.answer)
            for variable, value in environ.items():
                patch.setenv(variable, value)
            patch.setenv("AWS_ENDPOINT_URL_SSO_OIDC", f"{server.url}/oidc")
            is_refused = run(case, server, home)
            seen.append((is_refused, found(server, home)))
    assert seen[0] == seen[1]


def found(server: RecordingServer, home: Home) -> Seen:
    """Return what a server and a home folder have seen."""
    asked = [json.loads(each.body) for each in server.requests if each.target.startswith("/oidc")]
    others = [each for each in server.requests if not each.target.startswith("/oidc")]
    authorization = others[-1].header("Authorization") if others else None
    kept = home.token() if home.file.exists() else {}
    kept.pop("expiresAt", None)  # a moment later for who comes second
    kept.pop("registrationExpiresAt", None)
    return Seen(authorization and authorization.split(", ")[0].split("/")[0], asked, kept)


def theirs(case: Case, server: RecordingServer, home: Home) -> bool:
    """Make a call with botocore; tell whether it had no token."""
    cache = mock.patch.object(
        botocore.tokens.SSOTokenProvider, "_SSO_TOKEN_CACHE_DIR", str(home.folder)
    )
    session = botocore.session.Session(profile="p")
    session.set_credentials(*KEYS)
    options = Config(retries={"max_attempts": 0}, auth_scheme_preference=case.preferred)
    try:
        with cache:
            client = session.create_client(
                case.service, REGION, endpoint_url=server.url, config=options
            )
            client._make_api_call(OPERATIONS[case.service], {})
    except BotoCoreError:
        return True
    return False


def ours(case: Case, server: RecordingServer, _: Home) -> bool:
    """Make a call with this library; tell whether it had no token."""
    make: Any = client_class(case.service)
    preferred = {} if case.preferred is None else {"auth_scheme_preference": case.preferred}

    async def call() -> None:
        async with make(
            region=REGION,
            profile="p",
            endpoint=server.url,
            access_key=KEYS[0],
            secret_key=KEYS[1],
            max_attempts=1,
            **preferred,
        ) as client:
            await client._call(OPERATIONS[case.service], {})

    try:
        asyncio.run(call())
    except CredentialsError:
        return True
    return False
