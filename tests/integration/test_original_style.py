"""Programs written for the original library: they run as they are."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from examples.local_aws import LocalAWS

COROUTINE = """
import json
from tornado import gen, ioloop
import tornado_aws
from tornado_aws import exceptions

HEADERS = {
    "Content-Type": "application/x-amz-json-1.0",
    "x-amz-target": "DynamoDB_20120810.%s",
}
_ioloop = ioloop.IOLoop.instance()

@gen.coroutine
def async_request():
    client = tornado_aws.AsyncAWSClient("dynamodb")
    try:
        response = yield client.fetch("POST", "/", headers=HEADERS, body=json.dumps(%s))
        print("answer", sorted(json.loads(response.body.decode("utf-8"))))
    except exceptions.AWSError as error:
        print("error", error.code)
    client.close()
    _ioloop.stop()

_ioloop.add_callback(async_request)
_ioloop.start()
"""

FUTURE = """
from tornado import ioloop
import tornado_aws

loop = ioloop.IOLoop.current()
client = tornado_aws.AsyncAWSClient("dynamodb", io_loop=loop)
headers = {
    "Content-Type": "application/x-amz-json-1.0",
    "x-amz-target": "DynamoDB_20120810.ListTables",
}

def on_response(future):
    print("answer", future.result().code)
    client.close()
    loop.stop()

loop.add_future(client.fetch("POST", "/", None, headers, "{}"), on_response)
loop.start()
"""

BLOCKING = """
import tornado_aws

client = tornado_aws.AWSClient("sts")
query = {"Action": "GetCallerIdentity", "Version": "2011-06-15"}
response = client.fetch("GET", "/", query)
print("answer", response.code, b"<Arn>" in response.body)
client.close()
"""


def run(program: str, aws: LocalAWS, folder: Path) -> str:
    """Run a program that finds its settings in the environment; what it prints."""
    settings = {
        "AWS_ACCESS_KEY_ID": aws.access_key,
        "AWS_SECRET_ACCESS_KEY": aws.secret_key,
        "AWS_DEFAULT_REGION": aws.region,
        "AWS_ENDPOINT_URL": aws.endpoint,
    }
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env=os.environ | settings,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_a_coroutine_yields_fetch(aws: LocalAWS, tmp_path: Path) -> None:
    """The example of the original documentation gets its answer."""
    assert run(COROUTINE % ("ListTables", {}), aws, tmp_path) == "answer ['TableNames']\n"


def test_a_coroutine_catches_an_error(aws: LocalAWS, tmp_path: Path) -> None:
    """In the same example an AWS error is caught where it is yielded."""
    printed = run(COROUTINE % ("DescribeTable", {"TableName": "nowhere"}), aws, tmp_path)
    assert printed == "error ResourceNotFoundException\n"


def test_a_future_is_given_to_the_loop(aws: LocalAWS, tmp_path: Path) -> None:
    """`IOLoop.add_future` takes what `fetch` returns, even before the loop runs."""
    assert run(FUTURE, aws, tmp_path) == "answer 200\n"


def test_the_blocking_client_runs_alone(aws: LocalAWS, tmp_path: Path) -> None:
    """`AWSClient` answers in a program without any loop."""
    assert run(BLOCKING, aws, tmp_path) == "answer 200 True\n"
