# ruff: noqa: PLC0415 - what is not installed is not measured
"""What whole calls cost, against other AWS clients: signed, sent, received, parsed.

The clients take turns in one process; a server in another one answers all of them at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, ExitStack
from typing import Any, NamedTuple

from benchmarks.clients import BOTO_KEYS, CLIENTS, KEYS
from benchmarks.rounds import (
    COLUMNS,
    Call,
    Costs,
    Effort,
    compared,
    interleaved,
    interleaved_functions,
)
from benchmarks.server import Server, server
from benchmarks.tables import Table


class Case(NamedTuple):
    """Calls that are compared."""

    name: str
    title: str
    answer: str
    method: str
    concurrency: int
    tls: bool = False
    loop: str = "asyncio"


CASES = (
    Case("calls", "DescribeTable, 10 calls at a time", "describe-table", "describe_table", 10),
    Case("calls-1", "DescribeTable, one call at a time", "describe-table", "describe_table", 1),
    Case("calls-50", "DescribeTable, 50 calls at a time", "describe-table", "describe_table", 50),
    Case(
        "calls-tls",
        "DescribeTable over TLS, 10 calls at a time",
        "describe-table",
        "describe_table",
        10,
        tls=True,
    ),
    Case(
        "calls-uvloop",
        "DescribeTable on uvloop, 10 calls at a time",
        "describe-table",
        "describe_table",
        10,
        loop="uvloop",
    ),
    Case("calls-100kb", "Query of 140 items, 100 KB, 10 calls at a time", "query", "query", 10),
)
PARAMS: dict[str, dict[str, Any]] = {
    "describe_table": {"TableName": "songs"},
    "query": {"TableName": "songs", "KeyConditionExpression": "pk = :pk"},
}


def tables(effort: Effort) -> Iterator[Table]:
    """Measure each case, then clients that block."""
    with server() as running:
        for case in CASES:
            make_loop = loop_factory(case.loop)
            if make_loop is None:
                continue
            with asyncio.Runner(loop_factory=make_loop) as runner:
                costs = runner.run(measure(case, running, effort))
            yield Table(case.name, case.title, COLUMNS, compared(costs), drawn=0)
        costs = blocking(running.url("describe-table"), effort)
        title = "DescribeTable by clients that block, one call at a time"
        yield Table("calls-blocking", title, COLUMNS, compared(costs), drawn=0)


def loop_factory(name: str) -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return what makes a loop, None when it is not installed."""
    if name == "asyncio":
        return asyncio.SelectorEventLoop
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


async def measure(case: Case, running: Server, effort: Effort) -> Costs:
    """Measure the clients that are installed."""
    url = running.url(case.answer, tls=case.tls)
    ca = running.ca if case.tls else None
    async with AsyncExitStack() as stack:
        calls: dict[str, Call] = {}
        for name, client in CLIENTS.items():
            try:
                calls[name] = await stack.enter_async_context(
                    client(url, ca, case.method, PARAMS[case.method])
                )
            except ImportError:
                continue
        return await interleaved(calls, effort, case.concurrency)


def blocking(url: str, effort: Effort) -> Costs:
    """Measure the clients that block, in one thread."""
    from benchmarks.json_payloads import as_json
    from tornado_aws import AWSClient

    headers = {
        "X-Amz-Target": "DynamoDB_20120810.DescribeTable",
        "Content-Type": "application/x-amz-json-1.0",
    }
    body = as_json(PARAMS["describe_table"])
    calls: dict[str, Callable[[], object]] = {}
    with ExitStack() as stack:
        try:
            import boto3
        except ImportError:
            pass
        else:
            client = boto3.client("dynamodb", endpoint_url=url, **BOTO_KEYS)
            stack.callback(client.close)
            calls["boto3"] = lambda: client.describe_table(TableName="songs")
        ours = stack.enter_context(AWSClient("dynamodb", endpoint=url, **KEYS))
        calls["tornado-aws, raw fetch"] = lambda: ours.fetch("POST", "/", None, headers, body)
        return interleaved_functions(calls, effort)
