"""Raw fetches from a server that records them, and answers for it to give."""

from __future__ import annotations

import asyncio
from typing import Any

from tornado.httpclient import HTTPResponse

from tests.support.recording_server import Answer, RecordingServer
from tornado_aws import AsyncAWSClient

KEYS: Any = {"access_key": "AKID", "secret_key": "SECRET", "region": "us-east-1"}
LIST_TABLES = {"X-Amz-Target": "DynamoDB_20120810.ListTables"}
THROTTLED = Answer(400, b'{"__type":"ThrottlingException","message":"slow"}')
EXPIRED = Answer(400, b'{"__type":"ExpiredTokenException","message":"expired"}')
MISSING = Answer(
    400,
    b'{"__type":"x#ResourceNotFoundException","message":"no table"}',
    (("x-amzn-RequestId", "R1"), ("Content-Type", "application/x-amz-json-1.0; charset=utf-8")),
)


def fetch(server: RecordingServer, *args: Any, **kwargs: Any) -> HTTPResponse:
    """Fetch once with a client of its own."""
    client_options = kwargs.pop("client", {})

    async def main() -> HTTPResponse:
        options = {**KEYS, "endpoint": server.url, **client_options}
        async with AsyncAWSClient("dynamodb", **options) as client:
            response: HTTPResponse = await client.fetch(*args, **kwargs)
            return response

    return asyncio.run(main())
