"""Sources whose client is closed meanwhile."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support.credential_sources import engine, make_context
from tornado_aws.credentials import Credentials
from tornado_aws.credentials.providers.container import Container
from tornado_aws.credentials.providers.imds import InstanceMetadata
from tornado_aws.credentials.providers.login import Login
from tornado_aws.credentials.providers.sso import SSO
from tornado_aws.exceptions import ClientClosedError


async def closed(
    service: str,
    operation: str,
    region: str,
    params: Mapping[str, Any],
    credentials: Credentials | None,
    **more: Any,
) -> dict[str, Any]:
    """Stand for a client that is closed."""
    raise ClientClosedError(sent=False)


@pytest.mark.parametrize("kind", [Container, InstanceMetadata])
def test_a_closed_engine_is_told_as_such(kind: Any) -> None:
    """It is neither an absent source nor a broken one, and is not tried again."""

    async def main() -> None:
        async with engine() as transport:
            pass
        environ = {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:1",
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:1",
        }
        provider = kind(make_context(environ=environ, transport=transport))
        with pytest.raises(ClientClosedError):
            await provider.load(None)

    asyncio.run(main())


PROFILE = """[default]
sso_account_id = 1
sso_role_name = r
sso_session = s
login_session = l
[sso-session s]
sso_start_url = y
sso_region = x
"""
SSO_TOKEN = {
    "accessToken": "hush",
    "refreshToken": "hush",
    "clientId": "c",
    "clientSecret": "hush",
}
LOGIN = {
    "accessToken": {
        "accessKeyId": "A",
        "secretAccessKey": "hush",
        "sessionToken": "hush",
        "expiresAt": "2000-01-01T00:00:00Z",
    },
    "refreshToken": "hush",
    "clientId": "c",
}


@pytest.mark.parametrize("expires", ["2100-01-01T00:00:00Z", "2000-01-01T00:00:00Z"])
def test_a_closed_client_is_told_as_such_by_sso(tmp_path: Path, expires: str) -> None:
    """In the call for credentials, and in the refresh of the token."""
    folder = tmp_path / ".aws" / "sso" / "cache"
    folder.mkdir(parents=True)
    document = {**SSO_TOKEN, "expiresAt": expires, "registrationExpiresAt": "2100-01-01T00:00:00Z"}
    # The name is the SHA-1 of the session's.
    (folder / "a0f1490a20d0211c997b44bc357e1972deab8ae3.json").write_text(json.dumps(document))
    context = make_context(PROFILE, environ={"HOME": str(tmp_path)}, call=closed)
    with pytest.raises(ClientClosedError):
        asyncio.run(SSO(context).load(None))


def test_a_closed_client_is_told_as_such_by_a_login(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The login itself is fine."""
    folder = tmp_path / ".aws" / "login" / "cache"
    folder.mkdir(parents=True)
    monkeypatch.setattr("tornado_aws.credentials.providers.login.dpop_proof", lambda *_: "proof")
    # The name is the SHA-256 of the session's.
    name = "acac86c0e609ca906f632b0e2dacccb2b77d22b0621f20ebece1a4835b93f6f0.json"
    (folder / name).write_text(json.dumps({**LOGIN, "dpopKey": "key"}))
    environ = {"HOME": str(tmp_path), "AWS_REGION": "eu-west-1"}
    context = make_context(PROFILE, environ=environ, call=closed)
    with pytest.raises(ClientClosedError):
        asyncio.run(Login(context).load(None))
