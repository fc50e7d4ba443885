"""Stories of every service on a real server, lived by a client of ours and watched by boto3.

A story is a list of steps. Writes are done once, by the client under test; reads by both clients,
and what they return must be equal. `$name` in a parameter stands for what an earlier step kept.
"""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import Any

import boto3
import jmespath
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.integration.conftest import Server
from tests.integration.stories import STORIES, Step
from tornado_aws import exceptions
from tornado_aws.streams import StreamingBody

# Stories of which ministack knows too little.
UNKNOWN_TO_MINISTACK = {"cloudwatch", "elbv2", "sesv2"}

MODULES = {"lambda": "lambda_", "cognito-idp": "cognito_idp"}


def ours(service: str, server: Server) -> Any:
    """Make a generated client."""
    package = import_module(f"generated.{MODULES.get(service, service)}")
    return getattr(package, package.__all__[0])(**server)


def theirs(service: str, server: Server) -> Any:
    """Make boto3's client."""
    return boto3.client(
        service,
        region_name=server["region"],
        endpoint_url=server["endpoint"],
        aws_access_key_id=server["access_key"],
        aws_secret_access_key=server["secret_key"],
        config=Config(retries={"total_max_attempts": 1}, inject_host_prefix=False),
    )


def filled(value: Any, kept: dict[str, Any]) -> Any:
    """Return `value` with each `$name` replaced."""
    if isinstance(value, dict):
        return {filled(key, kept): filled(each, kept) for key, each in value.items()}
    if isinstance(value, list):
        return [filled(each, kept) for each in value]
    if isinstance(value, str):
        for name, each in kept.items():
            if value == f"${name}":
                return each
            if f"${name}" in value:
                value = value.replace(f"${name}", each)
    return value


async def answer_of(client: Any, step: Step, params: dict[str, Any]) -> dict[str, Any]:
    """Take a step, and return what it gave in a form that can be compared."""
    try:
        result = await getattr(client, step.operation)(**params)
    except exceptions.AWSError as error:
        return {"error": error.code, "message": error.message}
    return {
        name: await value.read() if isinstance(value, StreamingBody) else value
        for name, value in result.items()
        if name != "ResponseMetadata"
    }


def their_answer(client: Any, step: Step, params: dict[str, Any]) -> dict[str, Any]:
    """Take a step with boto3, and return what it gave in the same form."""
    try:
        result = getattr(client, step.operation)(**params)
    except ClientError as error:
        details = error.response["Error"]
        return {"error": details["Code"], "message": details["Message"]}
    return {
        name: value.read() if hasattr(value, "read") else value
        for name, value in result.items()
        if name != "ResponseMetadata"
    }


@pytest.mark.parametrize("service", STORIES)
def test_a_story_reads_the_same(server: Server, service: str, ministack: Server) -> None:
    """Whatever is written through a generated client, it and boto3 read the same."""
    if server is ministack and service in UNKNOWN_TO_MINISTACK:
        pytest.skip("ministack knows too little of it")

    async def main() -> None:
        kept: dict[str, Any] = {}
        async with ours(service, server) as client:
            for step in STORIES[service]:
                params = filled(step.params, kept)
                answer = await answer_of(client, step, params)
                assert answer.get("error") == step.fails, (step.operation, answer)
                for name, expression in step.keep.items():
                    kept[name] = jmespath.search(expression, answer)
                    assert kept[name], (step.operation, expression, answer)
                for expression, value in step.expect.items():
                    assert jmespath.search(expression, answer) == value, (step.operation, answer)
                if step.is_read:
                    other = await asyncio.to_thread(their_answer, boto, step, params)
                    assert answer == other, step.operation

    boto = theirs(service, server)
    try:
        asyncio.run(main())
    finally:
        boto.close()
