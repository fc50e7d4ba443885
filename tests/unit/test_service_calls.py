"""Credentials that other services give, through this library's own clients."""

from __future__ import annotations

import asyncio
import hashlib
import json
import threading
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from tests.support.recording_server import Answer, RecordingServer
from tornado_aws import AsyncAWSClient, exceptions
from tornado_aws.credentials import Credentials

ROLE = "arn:aws:iam::123456789012:role/reader"
ASSUMED = Answer(
    200,
    b"<AssumeRoleResponse xmlns='https://sts.amazonaws.com/doc/2011-06-15/'><AssumeRoleResult>"
    b"<Credentials><AccessKeyId>ROLEKEY</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
    b"<SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>"
    b"<AssumedRoleUser><Arn>arn:aws:sts::123456789012:assumed-role/reader/x</Arn>"
    b"<AssumedRoleId>A:x</AssumedRoleId></AssumedRoleUser></AssumeRoleResult>"
    b"<ResponseMetadata><RequestId>R</RequestId></ResponseMetadata></AssumeRoleResponse>",
    (("Content-Type", "text/xml"),),
)


def credentials(tmp_path: Path, config: str, **options: Any) -> Credentials:
    """Write a configuration file and return the credentials of a client that uses it."""
    path = tmp_path / "config"
    path.write_text(config)

    async def main() -> Credentials:
        files: dict[str, Any] = {
            "config_file": str(path),
            "credentials_file": str(tmp_path / "none"),
        }
        async with AsyncAWSClient("dynamodb", region="eu-west-1", **files, **options) as client:
            return await client.get_credentials()

    return asyncio.run(main())


def test_a_role_is_assumed_with_the_keys_of_its_source_profile(
    server: RecordingServer, tmp_path: Path
) -> None:
    """STS is asked where the profile's own endpoint setting says, signed with the source's keys."""
    server.default = ASSUMED
    found = credentials(
        tmp_path,
        f"""
[profile role]
role_arn = {ROLE}
source_profile = base
role_session_name = me
services = local
[profile base]
aws_access_key_id = BASEKEY
aws_secret_access_key = s
[services local]
sts =
  endpoint_url = {server.url}
""",
        profile="role",
    )
    assert (found.access_key, found.account_id) == ("ROLEKEY", "123456789012")
    (request,) = server.requests
    assert "Credential=BASEKEY/" in (request.header("Authorization") or "")
    assert "/eu-west-1/sts/aws4_request" in (request.header("Authorization") or "")
    form = parse_qs(request.body.decode())
    assert (form["Action"], form["RoleArn"], form["RoleSessionName"]) == (
        ["AssumeRole"],
        [ROLE],
        ["me"],
    )


def test_a_web_identity_is_exchanged_without_a_signature(
    server: RecordingServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The token is all that STS wants."""
    token = tmp_path / "token"
    token.write_text("the-token")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(token))
    monkeypatch.setenv("AWS_ROLE_ARN", ROLE)
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", server.url)
    body = ASSUMED.body.replace(b"AssumeRoleRes", b"AssumeRoleWithWebIdentityRes")
    server.default = ASSUMED._replace(body=body)
    assert credentials(tmp_path, "").access_key == "ROLEKEY"
    (request,) = server.requests
    assert request.header("Authorization") is None
    assert parse_qs(request.body.decode())["WebIdentityToken"] == ["the-token"]


def test_a_refusal_names_the_role_and_the_reason(server: RecordingServer, tmp_path: Path) -> None:
    """STS's own words are in the error; the chain stops there."""
    server.default = Answer(
        403,
        b"<ErrorResponse><Error><Code>AccessDenied</Code><Message>not you</Message></Error>"
        b"</ErrorResponse>",
    )
    config = f"""
[profile role]
role_arn = {ROLE}
credential_source = Environment
endpoint_url = {server.url}
"""
    with pytest.raises(exceptions.CredentialsError):
        credentials(tmp_path, config, profile="role")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "ENVKEY")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "s")
        with pytest.raises(exceptions.CredentialsError, match=r"reader.*AccessDenied.*not you"):
            credentials(tmp_path, config, profile="role")


def test_sso_credentials_come_from_the_cached_token(
    server: RecordingServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The role's credentials are asked with the token of an earlier login."""
    home = tmp_path / "home"
    cache = home / ".aws" / "sso" / "cache"
    cache.mkdir(parents=True)
    start = "https://d-1.awsapps.com/start"
    name = hashlib.sha1(start.encode()).hexdigest() + ".json"
    token = {"accessToken": "TOKEN", "expiresAt": "2099-01-01T00:00:00Z", "startUrl": start}
    (cache / name).write_text(json.dumps(token))
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("AWS_ENDPOINT_URL_SSO", server.url)
    role = {"accessKeyId": "SSOKEY", "secretAccessKey": "s", "sessionToken": "t"}
    body = json.dumps({"roleCredentials": {**role, "expiration": 4102444800000}})
    server.default = Answer(200, body.encode(), (("Content-Type", "application/json"),))
    config = f"""
[default]
sso_start_url = {start}
sso_region = eu-west-1
sso_account_id = 123456789012
sso_role_name = reader
"""
    assert credentials(tmp_path, config).access_key == "SSOKEY"
    (request,) = server.requests
    assert request.header("x-amz-sso_bearer_token") == "TOKEN"
    assert request.header("Authorization") is None
    assert request.target == "/federation/credentials?role_name=reader&account_id=123456789012"


ROLE_PROFILE = f"""
[default]
role_arn = {ROLE}
source_profile = base
[profile base]
aws_access_key_id = BASEKEY
aws_secret_access_key = s
"""


def test_a_service_that_is_silent_is_not_waited_for_for_ever(
    server: RecordingServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The calls have a bound of their own, whatever the client's are."""
    monkeypatch.setattr("tornado_aws.service_calls.BOUNDS", {"total_timeout": 0.2})
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", server.url)
    server.default = ASSUMED._replace(gate=threading.Event())
    with pytest.raises(exceptions.CredentialsError, match=r"total_timeout=0\.2"):
        credentials(tmp_path, ROLE_PROFILE, read_timeout=None, total_timeout=None)


def test_the_clients_timeouts_are_for_its_own_calls(
    server: RecordingServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client of an impatient program has credentials nevertheless."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", server.url)
    server.default = ASSUMED
    timeouts = dict.fromkeys(("connect_timeout", "read_timeout", "total_timeout"), 1e-9)
    assert credentials(tmp_path, ROLE_PROFILE, **timeouts).access_key == "ROLEKEY"


def test_configured_endpoints_are_ignored_as_the_client_ignores_them(
    server: RecordingServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Code that trusts no configured endpoint sends no credentials there."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", "http://configured.invalid")
    server.default = Answer(403)
    options: dict[str, Any] = {"ignore_configured_endpoint_urls": True, "proxy": server.url}
    with pytest.raises(exceptions.CredentialsError):
        credentials(tmp_path, ROLE_PROFILE, **options)
    asked = {(request.method, request.target) for request in server.requests}
    assert asked == {("CONNECT", "sts.eu-west-1.amazonaws.com:443")}


def test_clients_of_one_configuration_ask_once(server: RecordingServer, tmp_path: Path) -> None:
    """Ten clients that start together share one flight; the last to close forgets it."""
    server.default = ASSUMED
    path = tmp_path / "config"
    path.write_text(
        f"[default]\nrole_arn = {ROLE}\nsource_profile = base\nendpoint_url = {server.url}\n"
        "[profile base]\naws_access_key_id = K\naws_secret_access_key = s\n"
    )

    async def main() -> set[str]:
        files: dict[str, Any] = {
            "config_file": str(path),
            "credentials_file": str(tmp_path / "none"),
        }
        clients = [AsyncAWSClient("sqs", region="eu-west-1", **files) for _ in range(10)]
        found = await asyncio.gather(*(client.get_credentials() for client in clients))
        for client in clients:
            client.close()
        return {each.access_key for each in found}

    assert asyncio.run(main()) == {"ROLEKEY"}
    assert len(server.requests) == 1
