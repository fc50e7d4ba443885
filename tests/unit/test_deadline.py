"""The deadline of a call: it holds for what comes before the request, too."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from generated.dynamodb import DynamoDB
from tests.support.recording_server import Answer, RecordingServer
from tests.support.scripted_server import Asked, Reply, scripted_server, silence
from tornado_aws import AsyncAWSClient
from tornado_aws.credentials import Credentials
from tornado_aws.deadline import Deadline, within
from tornado_aws.exceptions import RequestTimeout
from tornado_aws.raw import fetch as raw_fetch
from tornado_aws.raw import raw_parts
from tornado_aws.session import Session, Target

KEYS: Any = {"access_key": "AKID", "secret_key": "SECRET"}
# Far longer than any test.
PATIENCE = {"metadata_service_timeout": 60}


async def hang(asked: Asked) -> Reply:
    return await silence()


async def raw(**options: Any) -> None:
    async with AsyncAWSClient("dynamodb", **options) as client:
        await client.fetch("POST")


async def generated(**options: Any) -> None:
    async with DynamoDB(**options) as dynamodb:
        await dynamodb.list_tables()


def late(call: Callable[..., Awaitable[None]], **options: Any) -> RequestTimeout:
    async def main() -> None:
        async with scripted_server(hang) as server:
            await call(ec2_metadata_service_endpoint=server.url, total_timeout=0.1, **options)

    with pytest.raises(RequestTimeout, match=r"total_timeout=0\.1 seconds") as caught:
        asyncio.run(main())
    return caught.value


@pytest.mark.parametrize(("call", "operation"), [(raw, None), (generated, "ListTables")])
def test_looking_for_the_region_is_a_part_of_the_call(
    call: Callable[..., Awaitable[None]], operation: str | None
) -> None:
    """A metadata service that is silent does not prolong it; nothing was sent."""
    error = late(call, **PATIENCE, **KEYS)
    assert (error.service, error.operation, error.sent) == ("dynamodb", operation, False)
    assert "before it was sent" in error.msg


def test_credentials_that_the_endpoint_depends_on_are_a_part_of_the_call() -> None:
    """DynamoDB's has the account's number in it, which comes with them."""

    async def never() -> Credentials:
        await asyncio.Event().wait()
        raise AssertionError

    assert "before it was sent" in late(generated, region="us-east-1", credentials=never).msg


def test_the_time_before_the_request_is_taken_from_the_attempts(server: RecordingServer) -> None:
    """They are given what is left of it."""
    server.default = Answer(gate=threading.Event())

    async def main() -> None:
        async with AsyncAWSClient("sqs", endpoint=server.url, region="us-east-1", **KEYS) as client:
            ready = await client._session.ready()
            parts = raw_parts("POST", "/", None, None, None)
            deadline = Deadline("sqs", 3600, time.monotonic() + 0.1)
            await raw_fetch(ready, parts, True, deadline, False)

    with pytest.raises(RequestTimeout, match="total_timeout=3600 seconds; attempts begun: 1"):
        asyncio.run(main())


def test_a_timeout_of_somebody_else_is_left_as_it_is() -> None:
    """A function that gives credentials may have bounds of its own."""

    async def fails() -> None:
        raise TimeoutError("its own")

    async def main() -> None:
        deadline = Session(Target("sqs", "SQS"), {"total_timeout": 60, **KEYS}).deadline()
        assert deadline is not None
        await within(deadline, fails())

    with pytest.raises(TimeoutError, match="its own"):
        asyncio.run(main())


def test_what_is_late_after_the_request_says_that_it_was_sent() -> None:
    """The service answered that it belongs elsewhere, and finding out where took too long."""

    async def main() -> None:
        deadline = Session(Target("s3", "S3"), {"total_timeout": 0.01, **KEYS}).deadline()
        await within(deadline, asyncio.Event().wait(), "GetObject", sent=True)

    with pytest.raises(RequestTimeout, match="another endpoint") as caught:
        asyncio.run(main())
    assert caught.value.sent


@pytest.mark.parametrize(("total", "seconds"), [(None, None), ("2.5", 2.5), (3, 3.0)])
def test_only_an_option_makes_a_deadline(total: Any, seconds: float | None) -> None:
    """A view may have another one, or none."""
    session = Session(Target("sqs", "SQS"), {"total_timeout": 9}).view({"total_timeout": total})
    deadline = session.deadline()
    assert (deadline and deadline.total) == seconds
    assert Session(Target("sqs", "SQS"), {}).deadline() is None
