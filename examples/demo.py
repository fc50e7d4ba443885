"""Show a raw call, generated calls and two errors, against a local AWS that checks signatures.

Run it with ``make demo``. Each step prints its own source and what came of it; the exit status is 0
when everything came as it should.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import pprint
import signal
import sys
import textwrap
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from tornado_aws.services.dynamodb import DynamoDB

from examples.local_aws import LocalAWS, LocalAWSError, local_aws
from tornado_aws import AsyncAWSClient
from tornado_aws.exceptions import AWSError
from tornado_aws.options import ClientOptions


async def create(dynamodb: DynamoDB) -> Any:
    table = await dynamodb.create_table(
        TableName="songs",
        AttributeDefinitions=[{"AttributeName": "title", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "title", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return table["TableDescription"]["TableArn"]


async def raw(client: AsyncAWSClient) -> Any:
    response = await client.fetch(
        "POST",
        "/",
        headers={
            "Content-Type": "application/x-amz-json-1.0",
            "X-Amz-Target": "DynamoDB_20120810.DescribeTable",
        },
        body=json.dumps({"TableName": "songs"}),
    )
    return response.code, response.body[:60]


async def generated(dynamodb: DynamoDB) -> Any:
    result = await dynamodb.describe_table(TableName="songs")
    table = result["Table"]
    return table["TableName"], table["TableStatus"], table["CreationDateTime"]


async def typed_error(dynamodb: DynamoDB) -> Any:
    try:
        return await dynamodb.describe_table(TableName="poems")
    except dynamodb.exceptions.ResourceNotFoundException as error:
        return f"caught: {error}"


async def wrong_secret(client: AsyncAWSClient) -> Any:
    try:
        return await client.fetch("POST", "/", headers={"X-Amz-Target": "anything"}, body="{}")
    except AWSError as error:
        return f"refused: {error.code}, HTTP status {error.status_code}"


class Step(NamedTuple):
    """One thing to show.

    Attributes:
        title: what it is, in a few words.
        call: does it; what it returns is shown.
        subject: what `call` is given.
        expected: what the shown result contains when all is well.
    """

    title: str
    call: Callable[[Any], Awaitable[Any]]
    subject: Any
    expected: str


async def demo(aws: LocalAWS, show: Show) -> bool:
    """Run every step; tell whether all went as they should."""
    user: ClientOptions = {
        "endpoint": aws.endpoint,
        "region": aws.region,
        "access_key": aws.access_key,
        "secret_key": aws.secret_key,
    }
    pretender: ClientOptions = {**user, "secret_key": "a wrong secret"}
    async with (
        DynamoDB(**user) as dynamodb,
        AsyncAWSClient("dynamodb", **user) as client,
        AsyncAWSClient("dynamodb", **pretender) as impostor,
    ):
        steps = (
            Step("A table to look at", create, dynamodb, ":table/songs"),
            Step("Raw: any request, signed; an HTTPResponse back", raw, client, "(200, b'{"),
            Step("Generated: typed parameters and results", generated, dynamodb, "('songs', 'AC"),
            Step("Errors of the service are classes", typed_error, dynamodb, "caught: Resource"),
            Step("A wrong secret is refused", wrong_secret, impostor, "InvalidSignature"),
        )
        return all([await run(step, show) for step in steps])


async def run(step: Step, show: Show) -> bool:
    """Show one step's source and result; tell whether the result is as expected."""
    show.heading(step.title)
    show.code(textwrap.dedent(inspect.getsource(step.call)))
    result = await step.call(step.subject)
    text = result if isinstance(result, str) else pprint.pformat(result, width=96)
    good = step.expected in text
    show.result(text, good)
    return good


class Show:
    """Prints, in colours on a terminal only."""

    def __init__(self) -> None:
        self.coloured = sys.stdout.isatty() and "NO_COLOR" not in os.environ

    def heading(self, text: str) -> None:
        print(f"\n{self._coloured(1, text)}\n")

    def code(self, text: str) -> None:
        print(self._coloured(36, textwrap.indent(text, "    ")))

    def result(self, text: str, good: bool) -> None:
        mark = self._coloured(32, "→") if good else self._coloured(31, "not as expected:")
        print(f"  {mark} {text}")

    def _coloured(self, colour: int, text: str) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if self.coloured else text


def main() -> None:
    """Boot, show, clean up."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the server is stopped then too
    show = Show()
    try:
        with local_aws() as aws:
            print(f"A local AWS that checks signatures answers at {aws.endpoint}")
            good = asyncio.run(demo(aws, show))
    except LocalAWSError as error:
        sys.exit(f"The local AWS cannot be used: {error}")
    show.heading("All came as it should." if good else "Not everything came as it should.")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
