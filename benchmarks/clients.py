# ruff: noqa: PLC0415 - what is not installed is not measured
"""DescribeTable, or another call, by whichever AWS clients are installed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from tornado_aws.services.dynamodb import DynamoDB

from benchmarks.rounds import Call
from tornado_aws import AsyncAWSClient

KEYS: dict[str, Any] = {"region": "us-east-1", "access_key": "AKID", "secret_key": "SECRET"}
BOTO_KEYS = {
    "region_name": "us-east-1",
    "aws_access_key_id": "AKID",
    "aws_secret_access_key": "SECRET",
}

Params = dict[str, Any]
Client = Callable[[str, str | None, str, Params], AbstractAsyncContextManager[Call]]

TARGETS = {"describe_table": "DescribeTable", "query": "Query"}


@asynccontextmanager
async def aiobotocore(url: str, ca: str | None, method: str, params: Params) -> AsyncIterator[Call]:
    """The client that most asynchronous programs use."""
    from aiobotocore.config import AioConfig
    from aiobotocore.session import get_session

    config = AioConfig(max_pool_connections=100)
    make = get_session().create_client
    async with make("dynamodb", endpoint_url=url, verify=ca, config=config, **BOTO_KEYS) as client:
        call = getattr(client, method)
        yield lambda: call(**params)


@asynccontextmanager
async def boto3(url: str, ca: str | None, method: str, params: Params) -> AsyncIterator[Call]:
    """AWS's own client, in threads."""
    import boto3 as library
    from botocore.config import Config

    config = Config(max_pool_connections=100)
    client = library.client("dynamodb", endpoint_url=url, verify=ca, config=config, **BOTO_KEYS)
    call = getattr(client, method)
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(50) as threads:
        yield lambda: loop.run_in_executor(threads, lambda: call(**params))
    client.close()


def generated(
    *, use_curl: bool
) -> Callable[[str, str | None, str, Params], AbstractAsyncContextManager[Call]]:
    """Return this library's generated client, over one of the engines."""

    @asynccontextmanager
    async def client(url: str, ca: str | None, method: str, params: Params) -> AsyncIterator[Call]:
        options = {"endpoint": url, "verify": ca or True, "use_curl": use_curl}
        async with DynamoDB(**KEYS, **options) as dynamodb:
            call = getattr(dynamodb, method)
            yield lambda: call(**params)

    return client


@asynccontextmanager
async def raw(url: str, ca: str | None, method: str, params: Params) -> AsyncIterator[Call]:
    """This library's raw fetch, with Tornado's response, nothing parsed."""
    from benchmarks.json_payloads import as_json

    headers = {
        "X-Amz-Target": f"DynamoDB_20120810.{TARGETS[method]}",
        "Content-Type": "application/x-amz-json-1.0",
    }
    body = as_json(params)
    async with AsyncAWSClient("dynamodb", endpoint=url, verify=ca or True, **KEYS) as client:
        yield lambda: client.fetch("POST", headers=headers, body=body)


CLIENTS: dict[str, Client] = {
    "aiobotocore": aiobotocore,
    "boto3, in threads": boto3,
    "tornado-aws": generated(use_curl=False),
    "tornado-aws, libcurl": generated(use_curl=True),
    "tornado-aws, raw fetch": raw,
}
