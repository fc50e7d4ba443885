"""Many calls at once, and many in a row: does anything grow, and how long does a call wait?

Run ``python -m benchmarks.load --help``. Generated DescribeTable calls go to a server in another
process. Counted are, before and after: resident memory, blocks that the interpreter has allocated,
open files, tasks and timers of the loop.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median, quantiles
from typing import NamedTuple

from tornado_aws.services.dynamodb import DynamoDB

from benchmarks.clients import KEYS
from benchmarks.server import server

Call = Callable[[], Awaitable[object]]


class Held(NamedTuple):
    """What a process holds.

    Attributes:
        memory: resident memory in MiB; 0 where the system does not tell.
        blocks: blocks of memory that the interpreter has allocated.
        files: open files, sockets among them; 0 where the system does not tell.
        tasks: tasks of the running loop.
        timers: timers of the running loop.
    """

    memory: float
    blocks: int
    files: int
    tasks: int
    timers: int

    @classmethod
    def now(cls) -> Held:
        """Count, garbage put aside."""
        gc.collect()
        statm, descriptors = Path("/proc/self/statm"), Path("/proc/self/fd")
        pages = int(statm.read_text().split()[1]) if statm.exists() else 0
        timers = getattr(asyncio.get_running_loop(), "_scheduled", ())
        return cls(
            pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20),
            sys.getallocatedblocks(),
            len(list(descriptors.iterdir())) if descriptors.exists() else 0,
            len(asyncio.all_tasks()),
            len([timer for timer in timers if not timer.cancelled()]),
        )

    def __str__(self) -> str:
        return (
            f"{self.memory:.1f} MiB, {self.blocks:,} blocks, {self.files} files,"
            f" {self.tasks} tasks, {self.timers} timers"
        )


async def at_once(call: Call, callers: int, seconds: float) -> list[float]:
    """Let many callers make calls for a while; return how long each call took, in seconds."""
    took: list[float] = []
    end = time.perf_counter() + seconds

    async def work() -> None:
        while (begun := time.perf_counter()) < end:
            await call()
            took.append(time.perf_counter() - begun)

    await asyncio.gather(*[work() for _ in range(callers)])
    return took


async def in_a_row(call: Call, calls: int) -> list[float]:
    """Make calls one after the other; return how long each took, in seconds."""
    took = []
    for _ in range(calls):
        begun = time.perf_counter()
        await call()
        took.append(time.perf_counter() - begun)
    return took


def waiting(took: list[float]) -> str:
    """Say how long calls took."""
    p99 = quantiles(took, n=100)[98]
    times = f"median {_ms(median(took))}, p99 {_ms(p99)}, longest {_ms(max(took))}"
    return f"{len(took):,} calls; {times}"


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:.2f} ms"


async def measure(url: str, options: argparse.Namespace) -> None:
    """Do both, and print what is held before, between and after."""
    async with DynamoDB(
        endpoint=url, max_clients=options.connections, use_curl=options.curl, **KEYS
    ) as dynamodb:

        async def call() -> object:
            return await dynamodb.describe_table(TableName="songs")

        await at_once(call, options.callers, min(2.0, options.seconds))
        print(f"before:    {Held.now()}", flush=True)
        for number in range(2):  # what grows grows twice
            took = await at_once(call, options.callers, options.seconds / 2)
            print(f"at once:   {waiting(took)}, {len(took) / options.seconds * 2:,.0f} calls/s")
            del took
            print(f"{'after' if number else 'half'}:".ljust(11) + str(Held.now()), flush=True)
        print(f"           {dynamodb.pool_stats()}")
        for number in range(2):
            print(f"in a row:  {waiting(await in_a_row(call, options.calls // 2))}")
            print(f"{'after' if number else 'half'}:".ljust(11) + str(Held.now()), flush=True)


def main() -> None:
    """Measure what the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--callers", type=int, default=1000, help="calls at once")
    parser.add_argument("--connections", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=60.0, help="of calls at once")
    parser.add_argument("--calls", type=int, default=100_000, help="in a row")
    parser.add_argument("--curl", action="store_true", help="through libcurl")
    with server() as running:
        asyncio.run(measure(running.url("describe-table"), parser.parse_args()))


if __name__ == "__main__":
    main()
