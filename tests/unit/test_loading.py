"""What a client's first call reads and imports."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

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


def _run(*, status: int = 200, more: str = "", requests: int = 1, **parts: object) -> None:
    script = FIRST_CALLS.format(status=status, more=more, requests=requests, **parts)
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
