"""Roles that are assumed in code."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from tests.support.recording_server import Answer, RecordingServer, recording_server
from tests.support.roles import ROLE, assumed
from tornado_aws import AsyncAWSClient
from tornado_aws.credentials import Credentials
from tornado_aws.credentials.source import from_callable
from tornado_aws.exceptions import ConfigurationError, CredentialsError
from tornado_aws.options import ClientOptions
from tornado_aws.roles import assume_role

REFUSED = Answer(
    403,
    b"<ErrorResponse><Error><Code>AccessDenied</Code><Message>not you</Message></Error>"
    b"</ErrorResponse>",
)


@pytest.fixture
def sts() -> Iterator[RecordingServer]:
    with recording_server() as running:
        running.default = assumed(1)
        yield running


def load(role: Callable[[], Awaitable[Credentials]]) -> Credentials:
    async def main() -> Credentials:
        return await role()

    return asyncio.run(main())


def options(sts: RecordingServer) -> ClientOptions:
    return {
        "region": "eu-west-1",
        "endpoint": sts.url,
        "access_key": "BASEKEY",
        "secret_key": "hush",
    }


def test_the_role_takes_every_parameter_of_the_operation(sts: RecordingServer) -> None:
    """They go to STS as they are, and the credentials of the options sign."""
    role = assume_role(
        ROLE,
        options(sts),
        RoleSessionName="me",
        Policy='{"Version": "2012-10-17"}',
        Tags=[{"Key": "k", "Value": "v"}],
        TransitiveTagKeys=["k"],
    )

    async def main() -> None:
        async with AsyncAWSClient("sqs", region="eu-west-1", credentials=role) as client:
            found = await client.get_credentials()
            assert await client.get_credentials() is found
        assert (found.access_key, found.secret_key, found.security_token) == (
            "ROLE1",
            "hush",
            "hushtoken",
        )
        assert (found.account_id, found.source) == ("123456789012", "assume-role")

    asyncio.run(main())
    (request,) = sts.requests
    assert "Credential=BASEKEY/" in (request.header("Authorization") or "")
    form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
    assert form == {
        "Action": "AssumeRole",
        "Version": "2011-06-15",
        "RoleArn": ROLE,
        "RoleSessionName": "me",
        "Policy": '{"Version": "2012-10-17"}',
        "Tags.member.1.Key": "k",
        "Tags.member.1.Value": "v",
        "TransitiveTagKeys.member.1": "k",
    }


def test_a_role_may_assume_the_next_one(sts: RecordingServer) -> None:
    """What one call returns is an option of the other."""
    sts.queue(assumed(1), assumed(2))
    first = assume_role(ROLE, options(sts))
    second = assume_role(
        f"{ROLE}2", {"region": "eu-west-1", "endpoint": sts.url, "credentials": first}
    )
    assert load(second).access_key == "ROLE2"
    assert "Credential=ROLE1/" in (sts.requests[1].header("Authorization") or "")


def test_a_code_of_the_device_is_asked_for(
    sts: RecordingServer, caplog: pytest.LogCaptureFixture
) -> None:
    """``mfa_code`` is called with the device's serial number each time; no log has the code."""
    caplog.set_level(logging.DEBUG)
    asked = []

    def code(serial: str) -> str:
        asked.append(serial)
        return "654321"

    role = assume_role(
        ROLE, {**options(sts), "mfa_code": code}, SerialNumber="arn:aws:iam::1:mfa/me"
    )
    load(role)
    assert asked == ["arn:aws:iam::1:mfa/me"]
    assert parse_qs(sts.requests[0].body.decode())["TokenCode"] == ["654321"]
    assert "AssumeRole" in caplog.text
    assert "654321" not in caplog.text


def test_credentials_in_the_cache_are_used_unless_they_were_refused(
    sts: RecordingServer, tmp_path: Path
) -> None:
    """The folder is the AWS CLI's; what a service refused is not taken from it again."""
    sts.queue(assumed(1), assumed(2))
    shared: ClientOptions = {**options(sts), "role_cache": str(tmp_path)}
    assert load(assume_role(ROLE, shared)).access_key == "ROLE1"
    assert load(assume_role(ROLE, shared)).access_key == "ROLE1"
    (file,) = tmp_path.iterdir()
    assert json.loads(file.read_text())["Credentials"]["AccessKeyId"] == "ROLE1"
    assert file.stat().st_mode & 0o777 == 0o600

    async def main() -> None:
        source = from_callable(assume_role(ROLE, shared))
        rejected = await source.get()
        assert rejected.access_key == "ROLE1"
        fresh = await source.renew(rejected)
        assert fresh is not None
        assert fresh.access_key == "ROLE2"

    asyncio.run(main())


def test_clients_with_one_role_assume_it_once(sts: RecordingServer) -> None:
    """Whether they come together or one after another."""
    role = assume_role(ROLE, options(sts))

    async def main() -> None:
        async with AsyncExitStack() as stack:
            clients = [
                await stack.enter_async_context(AsyncAWSClient("sqs", credentials=role))
                for _ in range(10)
            ]
            found = await asyncio.gather(*(client.get_credentials() for client in clients[:5]))
            found += [await client.get_credentials() for client in clients[5:]]
            assert {credentials.access_key for credentials in found} == {"ROLE1"}

    asyncio.run(main())
    assert len(sts.requests) == 1


def test_a_role_is_assumed_once_for_clients_that_follow_one_another(sts: RecordingServer) -> None:
    """Its credentials live as long as it does."""
    role = assume_role(ROLE, options(sts))

    async def main() -> None:
        async with AsyncAWSClient("sqs", credentials=role) as client:
            assert (await client.get_credentials()).access_key == "ROLE1"

    for _ in range(3):
        asyncio.run(main())
    assert len(sts.requests) == 1


def test_a_refusal_is_an_error_that_names_role_and_reason(sts: RecordingServer) -> None:
    """Callers see what STS said, without a secret."""
    sts.default = REFUSED
    with pytest.raises(CredentialsError, match=r"role/reader.*AccessDenied.*not you") as caught:
        load(assume_role(ROLE, options(sts)))
    assert "hush" not in f"{caught.value}{caught.value!r}"


def test_bounds_among_the_options_are_for_sts(sts: RecordingServer) -> None:
    """They hold instead of those that such calls have otherwise."""
    sts.default = assumed(1)._replace(gate=threading.Event())
    with pytest.raises(CredentialsError, match=r"total_timeout=0\.2"):
        load(assume_role(ROLE, {**options(sts), "total_timeout": 0.2}))


def test_options_are_checked_at_once() -> None:
    """Before anything is read or sent."""
    with pytest.raises(ConfigurationError, match="max_attempts = 0"):
        assume_role(ROLE, {"max_attempts": 0})


def test_a_role_shows_its_name_and_no_secret() -> None:
    """Whoever logs the options of a client sees whose credentials it takes."""
    role = assume_role(ROLE, {"access_key": "A", "secret_key": "hush"}, ExternalId="hush")
    assert repr(role) == f"<assume_role {ROLE}>"
