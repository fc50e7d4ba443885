"""Functions that take part in loading credentials, and call clients meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.support.credential_sources import ends_in
from tests.support.raw_fetch import KEYS
from tests.support.recording_server import RecordingServer
from tornado_aws import AsyncAWSClient, AWSClient
from tornado_aws.credentials import Credentials
from tornado_aws.exceptions import UnsupportedOperationError

CALLS: dict[str, Callable[[AWSClient], object]] = {
    "credentials": lambda client: client.get_credentials(),
    "a call": lambda client: client.fetch("POST"),
    "a call of a view": lambda client: client.with_options(max_attempts=1).fetch("POST"),
}

MFA = """[default]
region = eu-west-1
role_arn = arn:aws:iam::1:role/r
source_profile = keys
mfa_serial = device
[profile keys]
aws_access_key_id = AKIDPROFILE
aws_secret_access_key = hush
"""


@pytest.fixture
def endpoint(server: RecordingServer, monkeypatch: pytest.MonkeyPatch) -> str:
    """Configure a server for all services, and a region."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    return server.url


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_function_that_calls_its_own_blocking_client_is_told_so(
    endpoint: str, server: RecordingServer, call: Callable[[AWSClient], object]
) -> None:
    """It runs in a thread, where nothing else would keep it from waiting for ever."""

    def give() -> Credentials:
        call(client)
        raise AssertionError

    with AWSClient("dynamodb", credentials=give) as client:
        for _ in range(2):
            with pytest.raises(UnsupportedOperationError, match="use a client with other cred"):
                client.fetch("POST")
    assert not server.requests


def test_so_is_one_that_awaits_its_own_client(endpoint: str, server: RecordingServer) -> None:
    """Itself, in a task, or from a thread."""
    client: Any = None

    async def give(way: Callable[[AsyncAWSClient], Awaitable[object]]) -> Credentials:
        await way(client)
        raise AssertionError

    def in_thread(client: AsyncAWSClient) -> Awaitable[object]:
        loop = asyncio.get_running_loop()
        return asyncio.to_thread(
            lambda: asyncio.run_coroutine_threadsafe(client.get_credentials(), loop).result(10)
        )

    ways: list[Callable[[AsyncAWSClient], Awaitable[object]]] = [
        lambda client: client.get_credentials(),
        lambda client: asyncio.create_task(client.get_credentials()),
        lambda client: client.fetch("POST"),
        in_thread,
    ]

    async def main() -> None:
        nonlocal client
        for way in ways:
            async with AsyncAWSClient("sqs", credentials=partial(give, way)) as client:
                with pytest.raises(UnsupportedOperationError, match="wait for itself"):
                    await client.fetch("POST")

    asyncio.run(main())
    assert not server.requests


def test_two_clients_whose_functions_call_each_other_are_told_so(endpoint: str) -> None:
    """However long the way round is."""

    def of_second() -> Credentials:
        return second.get_credentials()

    with (
        AWSClient("sts", credentials=of_second) as first,
        AWSClient("sts", credentials=first.get_credentials) as second,
        pytest.raises(UnsupportedOperationError),
    ):
        first.fetch("POST")


@pytest.mark.parametrize("blocking", [True, False])
def test_a_code_that_needs_the_credentials_it_is_for_is_told_so(
    endpoint: str,
    server: RecordingServer,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    blocking: bool,
) -> None:
    """Another client of the same configuration shares them, on whatever loop."""
    (tmp_path / "config").write_text(MFA)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))

    def ask(serial: str) -> str:
        with AWSClient("ssm", mfa_code=ask) as another:
            another.fetch("POST")
        raise AssertionError

    async def call_async() -> None:
        async with AsyncAWSClient("dynamodb", mfa_code=ask) as client:
            await client.fetch("POST")

    def call() -> None:
        with AWSClient("dynamodb", mfa_code=ask) as client:
            client.fetch("POST")

    with pytest.raises(UnsupportedOperationError):
        call() if blocking else asyncio.run(call_async())
    assert not server.requests


def test_a_function_may_call_another_client(endpoint: str, server: RecordingServer) -> None:
    """A blocking one too, which has credentials of its own."""

    def give() -> Credentials:
        with AWSClient("secretsmanager", **KEYS) as another:
            body = another.fetch("POST").body
        return Credentials(f"AKID{len(body)}", "hush")

    with AWSClient("dynamodb", credentials=give) as client:
        client.fetch("POST")
    signers = [str(request.header("Authorization")) for request in server.requests]
    assert ["AKID/" in signers[0], "AKID2/" in signers[1]] == [True, True]


def test_a_function_may_use_its_own_client_while_its_old_credentials_last(
    endpoint: str, server: RecordingServer
) -> None:
    """Nothing waits then: they sign the call."""
    given: list[Credentials] = []

    def give() -> Credentials:
        if given:
            client.fetch("POST")
        given.append(Credentials(f"AKID{len(given)}", "hush", expiration=ends_in(400)))
        return given[-1]

    with AWSClient("dynamodb", credentials=give) as client:
        assert client.get_credentials().access_key == "AKID0"
        assert client.get_credentials().access_key == "AKID1"
    [request] = server.requests
    assert "AKID0/" in str(request.header("Authorization"))


def test_what_a_function_began_may_use_the_client_later(endpoint: str) -> None:
    """A task that outlives the loading is no part of the next one."""
    client: Any = None
    lives = [400, 3600]
    tasks: list[asyncio.Task[Credentials]] = []
    go_on = asyncio.Event()

    async def later() -> Credentials:
        await go_on.wait()
        found: Credentials = await client.get_credentials()
        return found

    async def give() -> Credentials:
        if not tasks:
            tasks.append(asyncio.create_task(later()))
        return Credentials(f"AKID{len(lives)}", "hush", expiration=ends_in(lives.pop(0)))

    async def main() -> None:
        nonlocal client
        async with AsyncAWSClient("dynamodb", credentials=give) as client:
            assert (await client.get_credentials()).access_key == "AKID2"
            go_on.set()
            assert (await tasks[0]).access_key == "AKID1"

    asyncio.run(main())
