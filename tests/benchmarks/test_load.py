"""Under load nothing grows: neither connections nor files, tasks, timers or memory."""

from __future__ import annotations

import asyncio

import pytest
from tornado_aws.services.dynamodb import DynamoDB

from benchmarks.clients import KEYS
from benchmarks.load import Call, Held, at_once, in_a_row
from benchmarks.server import Server

CONNECTIONS = 10
CALLERS = 100
CALLS = 500


def _bound(dynamodb: DynamoDB) -> Call:
    async def call() -> object:
        return await dynamodb.describe_table(TableName="songs")

    return call


@pytest.mark.parametrize("use_curl", [False, True])
def test_many_calls_leave_what_they_found(running: Server, use_curl: bool) -> None:
    """Ten callers a connection are all served, by no more connections than allowed, and a second
    round of calls, at once and in a row, leaves the process holding what it held after the first.
    """

    async def load() -> None:
        async with DynamoDB(
            endpoint=running.url("describe-table"),
            max_clients=CONNECTIONS,
            use_curl=use_curl,
            **KEYS,
        ) as dynamodb:
            call = _bound(dynamodb)
            await at_once(call, CALLERS, 0.1)
            await in_a_row(call, CALLS)
            before = Held.now()
            took = await at_once(call, CALLERS, 0.2)
            assert len(took) >= CALLERS
            del took
            await in_a_row(call, CALLS)
            after = Held.now()
            stats = dynamodb.pool_stats()
        assert stats.created == stats.open == CONNECTIONS
        assert stats.waiting == 0
        assert (after.files, after.tasks) == (before.files, before.tasks)
        assert after.timers <= before.timers + 1
        assert after.blocks - before.blocks < CALLS / 10

    asyncio.run(load())


def test_what_is_held_is_counted() -> None:
    """A task, its timer and an open file are seen."""

    async def hold() -> None:
        before = Held.now()
        task = asyncio.create_task(asyncio.sleep(60))
        await asyncio.sleep(0)
        with open(__file__, "rb"):  # noqa: PTH123, ASYNC230 - a file is what is counted
            held = Held.now()
        task.cancel()
        assert held.tasks == before.tasks + 1
        assert held.timers == before.timers + 1
        assert held.files == before.files + 1 or before.files == 0
        assert held.blocks > before.blocks

    asyncio.run(hold())
