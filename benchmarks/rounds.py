"""How everything is measured: in short turns, one after the other, again and again.

Whatever else the machine does falls on all alike, and the ratio of two costs is taken within a
round. Costs are CPU time of this process, which waiting and other processes do not add to; medians
of the rounds are given.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable, Mapping
from statistics import median
from typing import NamedTuple

from benchmarks.tables import Column, Value

Call = Callable[[], Awaitable[object]]


class Effort(NamedTuple):
    """How much is measured.

    Attributes:
        rounds: how often everything has its turn.
        seconds: how long a turn takes, about.
    """

    rounds: int
    seconds: float


class Cost(NamedTuple):
    """What a call costs, in seconds: CPU time of this process, and time passed."""

    cpu: float
    wall: float


Costs = dict[str, list[Cost]]

COLUMNS = [
    Column("CPU µs/call"),
    Column("ratio", "{:.3f}"),
    Column("calls/s"),
    Column("ratio", "{:.1f}"),
]


async def interleaved(candidates: Mapping[str, Call], effort: Effort, concurrency: int) -> Costs:
    """Give each candidate a turn in each round; a first turn is not counted."""
    counts = {}
    for name, call in candidates.items():
        await _turn(call, 2 * concurrency, concurrency)
        first = await _turn(call, 2 * concurrency, concurrency)
        counts[name] = max(2 * concurrency, int(effort.seconds / first.wall))
    costs: Costs = {name: [] for name in candidates}
    for _ in range(effort.rounds):
        for name, call in candidates.items():
            costs[name].append(await _turn(call, counts[name], concurrency))
    return costs


async def _turn(call: Call, calls: int, concurrency: int) -> Cost:
    left = calls

    async def work() -> None:
        nonlocal left
        while left > 0:
            left -= 1
            await call()

    gc.collect()
    cpu, wall = time.process_time(), time.perf_counter()
    await asyncio.gather(*[work() for _ in range(concurrency)])
    return Cost((time.process_time() - cpu) / calls, (time.perf_counter() - wall) / calls)


def interleaved_functions(candidates: Mapping[str, Callable[[], object]], effort: Effort) -> Costs:
    """Do the same for functions, one call at a time."""
    counts = {}
    for name, call in candidates.items():
        call()
        counts[name] = max(1, int(effort.seconds / _repeated(call, 2).wall))
    costs: Costs = {name: [] for name in candidates}
    for _ in range(effort.rounds):
        for name, call in candidates.items():
            costs[name].append(_repeated(call, counts[name]))
    return costs


def _repeated(call: Callable[[], object], times: int) -> Cost:
    cpu, wall = time.process_time(), time.perf_counter()
    for _ in range(times):
        call()
    return Cost((time.process_time() - cpu) / times, (time.perf_counter() - wall) / times)


def cpu_us(costs: list[Cost]) -> float:
    """Return the median CPU time of a call in microseconds."""
    return median(cost.cpu for cost in costs) * 1e6


def cpu_ratio(costs: list[Cost], base: list[Cost]) -> float:
    """Return the median of the ratios of CPU time, each within a round."""
    return median(cost.cpu / other.cpu for cost, other in zip(costs, base, strict=True))


def compared(costs: Costs) -> dict[str, list[Value]]:
    """Return the rows of a table with `COLUMNS`; ratios are to the first candidate."""
    base = next(iter(costs.values()))
    return {
        name: [
            cpu_us(found),
            cpu_ratio(found, base),
            1 / median(cost.wall for cost in found),
            median(other.wall / cost.wall for cost, other in zip(found, base, strict=True)),
        ]
        for name, found in costs.items()
    }
