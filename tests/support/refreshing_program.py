"""A program: 200 callers of a generated client, in whose middle the credentials are refreshed.

    python -m tests.support.refreshing_program [sleeps | computes | locks]

Its environment says where credentials and service are; or they come from a function that blocks the
loop. What it prints is JSON: what kept the loop busy, and what blocked it.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from tornado_aws.services.dynamodb import DynamoDB

from tests.support.blocking import blocking_calls
from tests.support.slow_callbacks import slow_callbacks
from tornado_aws.credentials import Credentials

CALLERS = 200
CALLS = 1
FOUND = Credentials("AKIDFUNCTION", "hush")

# How long the functions block, seconds.
PAUSE = 0.02


async def sleeps() -> Credentials:
    """Block as ``requests`` or any other blocking client would."""
    await asyncio.sleep(0)
    time.sleep(PAUSE)  # noqa: ASYNC251 - what must be found
    return FOUND


async def computes() -> Credentials:
    """Block without waiting for anything; what other programs take of the time is no fault."""
    await asyncio.sleep(0)
    end = time.thread_time() + PAUSE
    while time.thread_time() < end:
        pass
    return FOUND


async def locks() -> Credentials:
    """Block until another thread is done."""
    lock, held, wanted = threading.Lock(), threading.Event(), threading.Event()

    def hold() -> None:
        with lock:
            held.set()
            wanted.wait()
            time.sleep(PAUSE)

    threading.Thread(target=hold).start()
    await asyncio.to_thread(held.wait)
    wanted.set()
    with lock:
        return FOUND


FUNCTIONS: dict[str, Callable[[], Awaitable[Credentials]]] = {
    function.__name__: function for function in (sleeps, computes, locks)
}


async def call_all(function: Callable[[], Awaitable[Credentials]] | None) -> None:
    """Make a client and all calls, of each caller in order: before a refresh and after."""

    async def caller() -> None:
        while not _will_last(await client.get_credentials()):
            await client.describe_table(TableName="t")
        for _ in range(CALLS):
            await client.describe_table(TableName="t")

    async with DynamoDB(credentials=function) as client:
        await asyncio.gather(*(caller() for _ in range(CALLERS)))


def _will_last(credentials: Credentials) -> bool:
    end = credentials.expiration
    return end is None or end - datetime.now(UTC) > timedelta(minutes=30)


def main(name: str | None = None) -> None:
    """Run it all under observation."""
    with slow_callbacks() as slow, blocking_calls() as blocked:
        asyncio.run(call_all(FUNCTIONS[name] if name else None))
    json.dump({"slow": slow, "blocked": blocked}, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
