"""The credential chain as a client runs it, against endpoints that answer by a script."""

from __future__ import annotations

import asyncio
import logging
import os
import pickle
import re
import traceback
from collections.abc import Mapping
from pathlib import Path
from unittest import mock
from urllib.parse import parse_qs

import pytest

from tests.support.blocking import blocking_calls
from tests.support.scripted_server import Asked, Reply, ScriptedServer, scripted_server
from tornado_aws import AsyncAWSClient
from tornado_aws.credentials import Credentials
from tornado_aws.credentials.providers import imds
from tornado_aws.exceptions import AWSClientException

from .machine_scenarios import MACHINE_SCENARIOS
from .scenarios import HOME, SCENARIOS, SERVER, Fails, Found, Scenario

ALL = {**SCENARIOS, **MACHINE_SCENARIOS}

ENDPOINTS = (
    "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    "AWS_ENDPOINT_URL_SIGNIN",
    "AWS_ENDPOINT_URL_SSO",
    "AWS_ENDPOINT_URL_SSO_OIDC",
    "AWS_ENDPOINT_URL_STS",
)


class Endpoints:
    """Answers as a scenario says, and notes what it was asked."""

    def __init__(self, scenario: Scenario) -> None:
        self.notes: list[str] = []
        self._answers = {
            name: [reply] if isinstance(reply, Reply) else list(reply)
            for name, reply in scenario.answers.items()
        }

    async def __call__(self, asked: Asked) -> Reply:
        name, signer = _named(asked)
        self.notes.append(f"{name}{signer}")
        replies = self._answers.get(name, [Reply(404)])
        return replies.pop(0) if len(replies) > 1 else replies[0]


def _named(asked: Asked) -> tuple[str, str]:
    """Return the name of a request, and who has signed it where that is of interest."""
    operation = parse_qs(asked.body.decode()).get("Action")
    authorization = asked.headers.get("authorization", "")
    if operation:
        signer = re.search(r"Credential=(\w+)/", authorization)
        return operation[0], f" as {signer[1] if signer else 'nobody'}"
    token = f" with {authorization}" if authorization else ""
    return f"{asked.method} {asked.target}{token}", ""


def written(scenario: Scenario, home: Path, server: ScriptedServer) -> dict[str, str]:
    """Put a scenario's files into a home folder; return its environment variables."""

    def filled_in(text: str) -> str:
        return text.replace(SERVER, server.url).replace(HOME, str(home))

    files = {".aws/config": scenario.config, ".aws/credentials": scenario.credentials}
    for name, text in {**files, **scenario.files}.items():
        if text is not None:
            (home / name).parent.mkdir(parents=True, exist_ok=True)
            (home / name).write_text(filled_in(text))
    endpoints = dict.fromkeys(ENDPOINTS, server.url)
    variables = {name: filled_in(value) for name, value in scenario.environ.items()}
    return {**endpoints, **variables, "HOME": str(home)}


async def outcome(
    scenario: Scenario, environ: Mapping[str, str]
) -> tuple[Credentials, str] | AWSClientException:
    """Return the credentials and the region of a client in this environment, or its error."""
    with mock.patch.dict(os.environ, environ):
        async with AsyncAWSClient("sqs", profile=scenario.profile) as client:
            try:
                credentials = await client.get_credentials()
                ready = await client._session.ready()
            except AWSClientException as error:
                return error
            return credentials, str(ready.settings.region)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imds, "PAUSE", 0.0)


@pytest.mark.parametrize("scenario", ALL.values(), ids=ALL)
def test_a_scenario_ends_as_it_must(
    scenario: Scenario, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Source, keys, account and region, or the error; and what was asked.

    Nothing blocks the loop meanwhile, and no secret is in a log, a text or a pickled error.
    """
    caplog.set_level(logging.DEBUG)
    endpoints = Endpoints(scenario)
    expected = scenario.expected

    async def main() -> str:
        async with scripted_server(endpoints) as server:
            environ = written(scenario, tmp_path, server)
            with blocking_calls() as blocked:
                result = await outcome(scenario, environ)
        assert not blocked
        if isinstance(result, Exception):
            assert isinstance(expected, Fails), shown(result)
            assert type(result) is expected.kind
            assert re.search(expected.text, str(result))
            return shown(result)
        found, region = result
        assert isinstance(expected, Found), repr(found)
        assert (found.source, found.access_key) == (expected.source, expected.access_key)
        assert expected.account in {None, found.account_id}
        assert expected.region in {None, region}
        return repr(found)

    text = asyncio.run(main())
    assert endpoints.notes == list(scenario.asked)
    assert "hush" not in text + caplog.text


def shown(error: Exception) -> str:
    """Return all that may be seen of an error: texts, its causes' too, and its pickled form."""
    return f"{error!r}{''.join(traceback.format_exception(error))}{pickle.dumps(error)!r}"
