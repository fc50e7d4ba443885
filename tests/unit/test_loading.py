"""What a client's first call reads and imports."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

# Run in an interpreter of its own, where nothing is imported yet.
FIRST_CALLS = """
import asyncio, os, sys
from tests.support.blocking import blocking_calls
from tests.support.recording_server import Answer, recording_server
from tornado_aws.exceptions import AWSClientException
from tornado_aws.services.{module} import {name}

async def main(url):
    with blocking_calls() as blocked:
        keys = {{"access_key": "AKID", "secret_key": "hush", "region": "us-east-1"}}
        async with {name}(endpoint=url, **keys) as client:
            try:
                await client.{call}
            except AWSClientException as error:
                print(error, file=sys.stderr)
    return blocked

with recording_server() as server:
    server.default = Answer(200, {answer!r}, ())
    blocked = asyncio.run(main(server.url))
    assert len(server.requests) == 1
    assert not blocked, blocked
"""


@pytest.mark.parametrize(
    ("module", "name", "call", "answer"),
    [
        ("dynamodb", "DynamoDB", "describe_table(TableName='songs')", b"{}"),
        ("s3", "S3", "put_object(Bucket='bucket', Key='k', Body=b'x')", b""),
        ("ec2", "EC2", "describe_instances()", b"<a/>"),
        ("sqs", "SQS", "send_message(QueueUrl='http://x/q', MessageBody='x')", b"{}"),
        ("lambda_", "Lambda", "list_functions()", b"{}"),
        # Signed for several regions, with the package cryptography.
        ("events", "EventBridge", "put_events(EndpointId='abc.def', Entries=[{}])", b"{}"),
        ("cloudwatch", "CloudWatch", "list_metrics()", b"\xa0"),
    ],
)
def test_the_first_call_never_blocks_the_loop(
    module: str, name: str, call: str, answer: bytes
) -> None:
    """Files are read and modules imported in threads, in a program that has done neither before."""
    script = FIRST_CALLS.format(module=module, name=name, call=call, answer=answer)
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
