"""What a client's first call reads and imports."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support.recording_server import RecordingServer
from tests.support.roles import ROLE, assumed
from tests.support.scripted_server import Asked, Reply, scripted_server
from tornado_aws import AsyncAWSClient
from tornado_aws.config import Profiles, parse_profiles
from tornado_aws.credentials.providers import imds
from tornado_aws.exceptions import ConfigNotFound

# Run in an interpreter of its own, where nothing is imported yet.
FIRST_CALLS = """
import asyncio, sys
from tests.support.blocking import blocking_calls
from tests.support.recording_server import Answer, recording_server
from tornado_aws.exceptions import AWSClientException
from tornado_aws.services.{module} import {name}
{more}

async def main(url):
    with blocking_calls() as blocked:
        keys = {{"access_key": "AKID", "secret_key": "hush", "region": "us-east-1"}}
        async with {name}(endpoint=url, **keys) as client:
            try:
                await {call}
            except AWSClientException as error:
                print(error, file=sys.stderr)
    return blocked

with recording_server() as server:
    server.default = Answer({status}, {answer!r}, ())
    blocked = asyncio.run(main(server.url))
    assert len(server.requests) == {requests}
    assert not blocked, blocked
"""


@pytest.mark.parametrize(
    ("module", "name", "call", "answer"),
    [
        ("dynamodb", "DynamoDB", "client.describe_table(TableName='songs')", b"{}"),
        (
            "dynamodb",
            "DynamoDB",
            "client.wait_until_table_exists(TableName='songs')",
            b'{"Table": {"TableStatus": "ACTIVE"}}',
        ),
        ("dynamodb", "DynamoDB", "client.paginate_list_tables().build_full_result()", b"{}"),
        ("s3", "S3", "client.put_object(Bucket='bucket', Key='k', Body=b'x')", b""),
        ("ec2", "EC2", "client.describe_instances()", b"<a/>"),
        ("sqs", "SQS", "client.send_message(QueueUrl='http://x/q', MessageBody='x')", b"{}"),
        ("lambda_", "Lambda", "client.list_functions()", b"{}"),
        # Signed for several regions, with the package cryptography.
        ("events", "EventBridge", "client.put_events(EndpointId='abc.def', Entries=[{}])", b"{}"),
        ("cloudwatch", "CloudWatch", "client.list_metrics()", b"\xa0"),
    ],
)
def test_the_first_call_never_blocks_the_loop(
    module: str, name: str, call: str, answer: bytes
) -> None:
    """Files are read and modules imported in threads, in a program that has done neither before."""
    _run(module=module, name=name, call=call, answer=answer)


def test_transfers_never_block_the_loop_either() -> None:
    """They look at the model before they call anything."""
    more = "from tornado_aws import transfers"
    call = "transfers.download(client, 'never', Bucket='b', Key='k')"
    _run(module="s3", name="S3", call=call, answer=b"", status=404, more=more)


@pytest.mark.parametrize(
    "call",
    [
        "client.generate_presigned_url('get_object', {'Bucket': 'b', 'Key': 'k'})",
        "client.generate_presigned_post('b', 'k')",
    ],
)
def test_urls_are_made_without_blocking_the_loop(call: str) -> None:
    """They send nothing, and import as much as a call."""
    _run(module="s3", name="S3", call=call, answer=b"", requests=0)


REGION = "/latest/meta-data/placement/region"


class Instance:
    """A metadata service that tells the region, or what else tests want."""

    def __init__(self, region: Reply) -> None:
        self.pages = {"/latest/api/token": Reply(200, b"token"), REGION: region}

    async def __call__(self, asked: Asked) -> Reply:
        return self.pages.get(asked.target, Reply(404))


async def clients(url: str, count: int) -> list[str | None]:
    """Make clients ready; return their regions."""
    given: Any = {"access_key": "AKID", "secret_key": "hush", "ec2_metadata_service_endpoint": url}

    async def region() -> str | None:
        async with AsyncAWSClient("sqs", **given) as client:
            return (await client._session.ready()).settings.region

    return await asyncio.gather(*(region() for _ in range(count)))


def test_the_clients_of_a_machine_ask_it_once_where_it_is() -> None:
    """Those that come together, and those that come later."""

    async def main() -> list[str]:
        async with scripted_server(Instance(Reply(200, b"eu-west-1"))) as server:
            assert set(await clients(server.url, 50)) == {"eu-west-1"}
            assert set(await clients(server.url, 2)) == {"eu-west-1"}
            return [asked.target for asked in server.asked]

    assert asyncio.run(main()) == ["/latest/api/token", REGION]


def test_a_machine_that_does_not_say_where_it_is_is_no_missing_configuration_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The error says why, to all clients that waited."""
    monkeypatch.setattr(imds, "PAUSE", 0.0)

    async def main() -> int:
        async with scripted_server(Instance(Reply(429, b"slow down"))) as server:
            for _ in range(2):
                with pytest.raises(ConfigNotFound, match=r"status 429\); pass region=") as caught:
                    await clients(server.url, 1)
            assert "status 429" in caught.value.reason
            return len(server.asked)

    assert asyncio.run(main()) == 1 + imds.ANSWER_ATTEMPTS


@pytest.mark.parametrize(
    ("reply", "timeout"),
    [
        (Reply(200, b"eu-west-1"), 1.1),
        (Reply(200, b"eu-west-2"), 3.1),
        (Reply(404), 3.1),
    ],
)
def test_the_automatic_mode_asks_the_machine_where_it_is(reply: Reply, timeout: float) -> None:
    """A machine that does not say it is no error."""

    async def main() -> float | None:
        async with scripted_server(Instance(reply)) as server:
            options: Any = {
                "access_key": "AKID",
                "secret_key": "hush",
                "region": "eu-west-1",
                "defaults_mode": "auto",
                "ec2_metadata_service_endpoint": server.url,
            }
            async with AsyncAWSClient("sqs", **options) as client:
                return (await client._session.ready()).limits.timeouts.connect

    assert asyncio.run(main()) == timeout


def _run(*, status: int = 200, more: str = "", requests: int = 1, **parts: object) -> None:
    script = FIRST_CALLS.format(status=status, more=more, requests=requests, **parts)
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


MFA_PROFILE = f"""
[default]
role_arn = {ROLE}
mfa_serial = arn:aws:iam::1:mfa/me
source_profile = base
{{more}}
[profile base]
aws_access_key_id = BASEKEY
aws_secret_access_key = s
"""


class Device:
    """An MFA device that counts how often it is asked, and cannot be hashed."""

    __hash__ = None  # type: ignore[assignment]

    def __init__(self) -> None:
        self.asked = 0

    def __eq__(self, other: object) -> bool:
        return self is other

    def __call__(self, serial: str) -> str:
        self.asked += 1
        return "654321"


@pytest.mark.parametrize("more", ["", "region = eu-central-1"])
@pytest.mark.parametrize(
    "differences",
    [
        [{"region": "eu-west-1"}, {"region": "us-east-1"}, {"region": "sa-east-1"}],
        [{"read_timeout": 5}, {"read_timeout": 30}, {"read_timeout": None}],
        [{"connect_timeout": 5}, {"tls_timeout": 3}, {"pool_timeout": 1}],
        [{"client_cert": ["c", "k"]}, {"client_cert": ("c", "k")}],
        [{"verify": True}, {}],
    ],
)
def test_clients_that_differ_in_what_is_not_their_credentials_share_them(
    differences: list[dict[str, Any]],
    more: str,
    server: RecordingServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The role is assumed once, and the user is asked once for the code of the device."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", server.url)
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    server.default = assumed(1)
    config = tmp_path / "config"
    config.write_text(MFA_PROFILE.format(more=more))
    device = Device()
    common: dict[str, Any] = {"config_file": str(config), "mfa_code": device}

    async def main() -> None:
        async with AsyncExitStack() as stack:
            for different in differences:
                client = AsyncAWSClient("s3", **common, **different)
                await stack.enter_async_context(client)
                assert (await client.get_credentials()).access_key == "ROLE1"

    asyncio.run(main())
    assert device.asked == 1
    (request,) = server.requests
    region = differences[0].get("region", "us-east-1") if not more else "eu-central-1"
    assert f"/{region}/sts/aws4_request" in (request.header("Authorization") or "")


def test_clients_that_follow_one_another_share_what_ends(
    server: RecordingServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client for each request asks for no code of its own, until the profile says otherwise."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", server.url)
    server.default = assumed(1)
    config = tmp_path / "config"
    device = Device()

    async def use() -> None:
        async with AsyncAWSClient("s3", config_file=str(config), mfa_code=device) as client:
            await client.get_credentials()

    def use_often(more: str) -> None:
        config.write_text(MFA_PROFILE.format(more=more))
        for _ in range(3):
            asyncio.run(use())

    use_often("")
    assert device.asked == 1
    use_often("role_session_name = another")
    assert device.asked == 2


def test_clients_of_one_configuration_parse_it_once(
    server: RecordingServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So do the clients that their credentials need; and once more when it has changed."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", server.url)
    server.default = assumed(1)
    config = tmp_path / "config"
    parsed = []

    def parse(text: str, *more: Any, **options: Any) -> Profiles:
        parsed.append(text)
        return parse_profiles(text, *more, **options)

    monkeypatch.setattr("tornado_aws.config.parse_profiles", parse)

    def write(more: str, modified: int) -> None:
        config.write_text(MFA_PROFILE.format(more=more))
        os.utime(config, (modified, modified))

    async def use() -> None:
        for _ in range(3):
            options: dict[str, Any] = {"config_file": str(config), "mfa_code": Device()}
            async with AsyncAWSClient("s3", **options) as client:
                await client.get_credentials()

    write("", 1_000_000_000)
    asyncio.run(use())
    assert len(server.requests) == 3
    assert len(parsed) == 1
    write("region = eu-west-1", 1_000_000_001)
    asyncio.run(use())
    assert len(parsed) == 2
