"""Credentials for an identity provider's token."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest

from tests.support.credential_sources import keys, make_context
from tests.support.fake_services import FakeServices, Refusal
from tornado_aws.credentials.providers import Absent
from tornado_aws.credentials.providers.web_identity import WebIdentity
from tornado_aws.exceptions import CredentialsError

ROLE = "arn:aws:iam::123456789012:role/r"


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    file = tmp_path / "token"
    file.write_text("hush.token\n")
    return file


def variables(file: Path, **more: str) -> dict[str, str]:
    return {"AWS_WEB_IDENTITY_TOKEN_FILE": str(file), "AWS_ROLE_ARN": ROLE, **more}


def load(services: FakeServices, config: str = "", **more: Any) -> Any:
    provider = WebIdentity(make_context(config, call=services, **more))
    return asyncio.run(provider.load(None))


def test_variables_name_token_and_role(token_file: Path) -> None:
    """STS is asked without a signature, with the token, in the region that is configured."""
    services = FakeServices()
    environ = variables(token_file, AWS_ROLE_SESSION_NAME="me", AWS_REGION="eu-west-1")
    found = load(services, environ=environ)
    assert keys(found) == ("AKID1", "hush1", "hushtoken1")
    assert (found.source, found.account_id) == ("web-identity", "123456789012")
    [call] = services.calls
    assert (call.service, call.operation, call.region) == (
        "sts",
        "AssumeRoleWithWebIdentity",
        "eu-west-1",
    )
    assert call.credentials is None
    assert call.params == {
        "RoleArn": ROLE,
        "RoleSessionName": "me",
        "WebIdentityToken": "hush.token",
    }


def test_the_profile_names_token_and_role(token_file: Path) -> None:
    """A session gets a name of ours when none is given."""
    services = FakeServices()
    config = f"[default]\nweb_identity_token_file = {token_file}\nrole_arn = {ROLE}"
    load(services, config)
    assert services.calls[0].params["RoleSessionName"].startswith("tornado-aws-")


def test_variables_do_not_count_when_the_profile_is_named_in_code(token_file: Path) -> None:
    """Who names a profile means it."""
    services = FakeServices()
    with pytest.raises(Absent):
        load(services, "[profile p]", environ=variables(token_file), options={"profile": "p"})
    assert not services.calls


def test_the_token_is_read_for_each_load(token_file: Path) -> None:
    """EKS replaces it while the program runs."""
    services = FakeServices()
    provider = WebIdentity(make_context(environ=variables(token_file), call=services))
    asyncio.run(provider.load(None))
    token_file.write_text("hush.other")
    asyncio.run(provider.load(None))
    assert services.calls[1].params["WebIdentityToken"] == "hush.other"


def test_a_token_file_needs_a_role(token_file: Path) -> None:
    """Half a configuration is an error."""
    with pytest.raises(CredentialsError, match="AWS_ROLE_ARN"):
        load(FakeServices(), environ={"AWS_WEB_IDENTITY_TOKEN_FILE": str(token_file)})


def test_no_token_file_is_no_source() -> None:
    """A role alone is another provider's."""
    with pytest.raises(Absent):
        load(FakeServices(), environ={"AWS_ROLE_ARN": ROLE})


@pytest.mark.parametrize(
    ("contents", "reason"),
    [(None, "No such file"), (b"", "is empty"), (b"\xff", "not UTF-8")],
)
def test_a_token_file_without_a_token_is_an_error(
    tmp_path: Path, contents: bytes | None, reason: str
) -> None:
    """The error names the file."""
    file = tmp_path / "token"
    if contents is not None:
        file.write_bytes(contents)
    with pytest.raises(CredentialsError, match=reason) as caught:
        load(FakeServices(), environ=variables(file))
    assert str(file) in str(caught.value)


@pytest.mark.parametrize("refusal", list(Refusal))
def test_a_refusal_is_told_without_the_token(
    token_file: Path, refusal: Refusal, caplog: pytest.LogCaptureFixture
) -> None:
    """The error holds the role and what STS said."""
    caplog.set_level(logging.DEBUG)
    services = FakeServices()
    services.refusals = [refusal]
    with pytest.raises(CredentialsError, match=refusal.name) as caught:
        load(services, environ=variables(token_file))
    assert ROLE in str(caught.value)
    assert "hush" not in f"{caught.value}{caplog.text}"


def test_without_a_way_to_sts_the_error_says_so(token_file: Path) -> None:
    """A chain can be made without one."""
    provider = WebIdentity(make_context(environ=variables(token_file)))
    with pytest.raises(CredentialsError, match="a way to call STS"):
        asyncio.run(provider.load(None))
