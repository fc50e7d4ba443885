"""How the parts of a transfer run; the rest of the module is tested by `test_transfers`."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import AsyncIterator, Coroutine
from typing import Any

import pytest

from tornado_aws.multipart import run


def test_results_are_in_the_order_of_the_jobs() -> None:
    """However they end."""

    async def job(number: int) -> int:
        for _ in range(10 - number):
            await asyncio.sleep(0)
        return number

    async def jobs() -> AsyncIterator[Coroutine[Any, Any, int]]:
        for number in range(10):
            yield job(number)

    async def main() -> list[int]:
        return await run(jobs(), 4)

    assert asyncio.run(main()) == list(range(10))


def test_nothing_is_kept_of_a_job_but_its_result() -> None:
    """A download of terabytes has hundreds of thousands."""
    tasks: list[weakref.ref[Any]] = []
    most = 0

    async def job() -> None:
        tasks.append(weakref.ref(asyncio.current_task()))

    async def jobs() -> AsyncIterator[Coroutine[Any, Any, None]]:
        nonlocal most
        for _ in range(20):
            yield job()
            most = max(most, sum(task() is not None for task in tasks))

    asyncio.run(run(jobs(), 2))
    assert len(tasks) == 20
    assert most <= 4


def test_an_error_where_jobs_come_from_is_raised_as_it_is() -> None:
    """Nobody has to look into a group of errors."""

    async def jobs() -> AsyncIterator[Coroutine[Any, Any, int]]:
        yield asyncio.sleep(0, 1)
        raise KeyError("x")

    with pytest.raises(KeyError):
        asyncio.run(run(jobs(), 2))
