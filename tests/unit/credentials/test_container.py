"""Credentials from a container's endpoint."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import pytest

from tests.support.credential_sources import document, engine, keys, make_context
from tests.support.scripted_server import (
    BROKEN,
    Asked,
    Reply,
    ScriptedServer,
    scripted_server,
    silence,
)
from tornado_aws.credentials import Credentials
from tornado_aws.credentials.providers import Absent, container
from tornado_aws.credentials.providers.container import Container
from tornado_aws.exceptions import ConnectError, CredentialsError
from tornado_aws.transport import PoolStats, Request, Response, Timeouts

FULL = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
RELATIVE = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"


async def healthy(asked: Asked) -> Reply:
    return Reply(200, document())


Seen = tuple[Credentials | BaseException, ScriptedServer]


def ask(
    answer: Callable[[Asked], Awaitable[Reply]] = healthy,
    environ: Mapping[str, str] | None = None,
    timeout: float = 5.0,
) -> Seen:
    """Load from a scripted endpoint; give the credentials or the error, and the server."""

    async def main() -> Seen:
        async with scripted_server(answer) as server, engine() as transport:
            given = {FULL: f"{server.url}/creds?x=1", **(environ or {})}
            context = make_context(environ=given, transport=transport)
            provider = Container(context, timeout=timeout, pause=0.0)
            try:
                return await provider.load(None), server
            except (Absent, CredentialsError) as error:
                return error, server

    return asyncio.run(main())


class Recorder:
    """A transport that records and refuses."""

    def __init__(self) -> None:
        self.requests: list[Request] = []

    async def send(self, request: Request, timeouts: Timeouts) -> Response:
        self.requests.append(request)
        raise ConnectError(error="refused")

    def close(self) -> None:
        """There is nothing to close."""

    def stats(self) -> PoolStats:
        raise AssertionError


def attempt(environ: Mapping[str, str]) -> tuple[BaseException, list[Request]]:
    """Try to load with an engine that connects to nothing; give the error and the requests."""
    recorder = Recorder()
    provider = Container(make_context(environ=environ, transport=recorder), pause=0.0)
    with pytest.raises((Absent, CredentialsError)) as caught:
        asyncio.run(provider.load(None))
    return caught.value, recorder.requests


def test_credentials_come_from_the_full_uri() -> None:
    """Path and query are asked as given, and the answer says where it comes from."""
    found, server = ask()
    assert isinstance(found, Credentials)
    assert keys(found) == ("AKIDA", "hushA", "hushtokenA")
    assert found.source == "container"
    assert found.expiration is not None
    [asked] = server.asked
    assert (asked.method, asked.target) == ("GET", "/creds?x=1")
    assert asked.headers["accept"] == "application/json"
    assert "authorization" not in asked.headers


def test_the_relative_uri_is_on_the_hosts_own_address() -> None:
    """It counts before the full one."""
    _, requests = attempt({RELATIVE: "/v2/credentials/x?y=1", FULL: "http://localhost/z"})
    assert {(*request.origin, request.target) for request in requests} == {
        ("http", "169.254.170.2", 80, "/v2/credentials/x?y=1")
    }


def test_no_variable_is_no_source() -> None:
    """Without either variable the source is passed over, and nothing is asked."""
    error, requests = attempt({FULL: ""})
    assert isinstance(error, Absent)
    assert not requests


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.170.2/x",
        "http://169.254.170.23/x",
        "http://[fd00:ec2::23]/x",
        "http://localhost:1/x",
        "http://127.0.0.1/x",
        "http://127.9.9.9/x",
        "http://[::1]:8080/x",
        "https://example.com/x",
    ],
)
def test_hosts_that_may_be_asked(url: str) -> None:
    """Loopback, the addresses of ECS and EKS, and any host with TLS."""
    assert len(attempt({FULL: url})[1]) == container.ATTEMPTS


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/x",
        "http://169.254.169.254/x",
        "http://192.168.0.1/x",
        "http://localhost.example.com/x",
        "http://127.0.0.1@example.com/x",
        "http://[::2]/x",
        "ftp://localhost/x",
        "localhost/x",
        "http:///x",
        "http://[::1/x",
        "http://localhost:x/y",
    ],
)
def test_hosts_that_may_not_be_asked(url: str) -> None:
    """No other host ever sees the token, and the error names the variable."""
    error, requests = attempt({FULL: url, container.TOKEN: "hush"})
    assert not requests
    assert isinstance(error, CredentialsError)
    assert FULL in error.reason
    assert "hush" not in str(error)


def test_a_relative_uri_that_names_a_host_is_refused() -> None:
    """It must begin with a slash, or it would become a part of the host's name."""
    error, requests = attempt({RELATIVE: "@example.com/x"})
    assert not requests
    assert "must begin with a slash" in str(error)


def test_the_token_is_sent_and_its_file_counts_first(tmp_path: Path) -> None:
    """A token comes from the variable or from the file."""
    file = tmp_path / "token"
    file.write_text("hush file")
    _, server = ask(environ={container.TOKEN: "hush variable"})
    assert server.asked[0].headers["authorization"] == "hush variable"
    _, server = ask(environ={container.TOKEN: "hush variable", container.TOKEN_FILE: str(file)})
    assert server.asked[0].headers["authorization"] == "hush file"


def test_the_tokens_file_is_read_for_each_load(tmp_path: Path) -> None:
    """EKS replaces it while the program runs."""
    file = tmp_path / "token"

    async def main() -> list[str]:
        async with scripted_server(healthy) as server, engine() as transport:
            environ = {FULL: server.url, container.TOKEN_FILE: str(file)}
            provider = Container(make_context(environ=environ, transport=transport))
            for token in ("one", "two"):
                file.write_text(token)
                await provider.load(None)
            return [asked.headers["authorization"] for asked in server.asked]

    assert asyncio.run(main()) == ["one", "two"]


@pytest.mark.parametrize("token", ["hush\r\nX: y", "hush\n", "hush\0"])
def test_a_token_with_line_breaks_is_refused(token: str) -> None:
    """Nothing is sent, and the token is not shown."""
    error, requests = attempt({FULL: "http://localhost/x", container.TOKEN: token})
    assert not requests
    assert "line break" in str(error)
    assert "hush" not in str(error)


def test_a_tokens_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    """The error names variable, file and reason."""
    environ = {FULL: "http://localhost/x", container.TOKEN_FILE: str(tmp_path / "none")}
    error, _ = attempt(environ)
    assert container.TOKEN_FILE in str(error)
    assert "No such file" in str(error)


FAULTS = {
    "refusal": (Reply(401, b"hush"), 1, "status 401"),
    "not found": (Reply(404), 1, "status 404"),
    "throttling": (Reply(429), 3, "status 429"),
    "failure": (Reply(500, b"hush"), 3, "status 500"),
    "garbage": (Reply(200, b"hush"), 3, "not JSON"),
    "half of JSON": (Reply(200, document()[:-5]), 3, "not JSON"),
    "a key is missing": (Reply(200, document(SecretAccessKey=None)), 3, "no SecretAccessKey"),
    "a broken body": (BROKEN, 3, ""),
}


@pytest.mark.parametrize(("reply", "times", "reason"), FAULTS.values(), ids=FAULTS)
def test_faults_are_tried_again_where_that_can_help(reply: Reply, times: int, reason: str) -> None:
    """The error tells what came, without its body; requests that are wrong are not repeated."""

    async def answer(asked: Asked) -> Reply:
        return reply

    error, server = ask(answer)
    assert isinstance(error, CredentialsError)
    assert error.source == "container"
    assert reason in error.reason
    assert "hush" not in str(error)
    assert len(server.asked) == times


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (
            Reply(403, b'{"code": "AccessDeniedException", "message": "No\\r\\nrole.\\u001b"}'),
            "the endpoint answered with status 403: AccessDeniedException: No role.",
        ),
        (Reply(404, b'{"message": "No such task."}'), "answered with status 404: No such task."),
        (
            Reply(200, b'{"code": "NoRole", "message": "The pod has none."}'),
            "the endpoint gave none: NoRole: The pod has none.",
        ),
        (Reply(200, b'{"Code": "Success"}'), "no AccessKeyId and no SecretAccessKey"),
    ],
)
def test_the_endpoints_own_explanation_is_told(reply: Reply, reason: str) -> None:
    """ECS and EKS say what is wrong with a role, by code and message."""

    async def answer(asked: Asked) -> Reply:
        return reply

    error, _ = ask(answer)
    assert isinstance(error, CredentialsError)
    assert error.reason.endswith(reason)


def test_a_passing_fault_passes() -> None:
    """Two failures and a success are a success."""
    replies = [Reply(500), Reply(200, b"{"), Reply(200, document())]

    async def answer(asked: Asked) -> Reply:
        return replies.pop(0)

    found, _ = ask(answer)
    assert isinstance(found, Credentials)


def test_silence_has_a_bound() -> None:
    """An endpoint that accepts and never answers is given up."""

    async def answer(asked: Asked) -> Reply:
        return await silence()

    error, server = ask(answer, timeout=0.05)
    assert isinstance(error, CredentialsError)
    assert len(server.asked) == container.ATTEMPTS


def test_everything_together_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """However the attempts add up, they end."""
    monkeypatch.setattr(container, "BOUND", 0.1)

    async def answer(asked: Asked) -> Reply:
        return await silence()

    error, _ = ask(answer, timeout=60)
    assert "no answer within 0.1 seconds" in str(error)


def test_static_keys_of_a_container_are_accepted() -> None:
    """Some local agents give keys without token and end."""

    async def answer(asked: Asked) -> Reply:
        return Reply(200, document(Token=None, Expiration=None))

    found, _ = ask(answer)
    assert isinstance(found, Credentials)
    assert (found.security_token, found.expiration) == (None, None)
