"""The line of those who wait in the adaptive retry mode."""

from __future__ import annotations

import asyncio
import time
from functools import partial

import pytest

from tornado_aws.rate_limiter import RateLimiter
from tornado_aws.turns import Turns, TurnTooLate


class Limiter(RateLimiter):
    """Gives as many tokens a second as a test says; the bucket is empty at first."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.enabled = True
        self.set_rate(rate)

    def set_rate(self, rate: float) -> None:
        self._set_rate(time.monotonic(), rate)


async def in_line(turns: Turns, number: int) -> list[asyncio.Task[None]]:
    """Let callers wait, all of them."""
    tasks = [asyncio.ensure_future(turns.take(None)) for _ in range(number)]
    await asyncio.sleep(0)
    return tasks


def test_a_rate_that_rises_does_so_for_all_who_wait() -> None:
    """A thousand callers who came at the lowest rate do not wait for half an hour."""

    async def main() -> None:
        limiter = Limiter(10)
        tasks = await in_line(Turns(limiter), 1000)
        limiter.set_rate(1_000_000)
        await asyncio.wait_for(asyncio.gather(*tasks), 20)

    asyncio.run(main())


def test_callers_go_as_they_came() -> None:
    """One who was cancelled makes nobody wait."""
    gone: list[int] = []

    def note(number: int, _: object) -> None:
        gone.append(number)

    async def main() -> None:
        limiter = Limiter(10)
        tasks = await in_line(Turns(limiter), 10)
        for number, task in enumerate(tasks):
            task.add_done_callback(partial(note, number))
        for task in tasks[::2]:
            task.cancel()
        limiter.set_rate(1000)
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(main())
    assert gone == [0, 2, 4, 6, 8, 1, 3, 5, 7, 9]


def test_nobody_waits_for_a_turn_that_comes_too_late() -> None:
    """Those before count."""

    async def main() -> None:
        turns = Turns(Limiter(0.5))
        with pytest.raises(TurnTooLate):
            await turns.take(1.5)
        first, second, _ = tasks = await in_line(turns, 3)
        with pytest.raises(TurnTooLate):
            await turns.take(7.5)
        first.cancel()
        second.cancel()
        await asyncio.gather(first, second, return_exceptions=True)
        waiting = asyncio.ensure_future(turns.take(7.5))
        await asyncio.sleep(0)
        assert not waiting.done()
        for task in (*tasks, waiting):
            task.cancel()

    asyncio.run(main())


def test_who_waited_on_a_loop_that_has_ended_is_forgotten() -> None:
    """He will never go on."""
    limiter = Limiter(0.5)
    turns = Turns(limiter)
    loop = asyncio.new_event_loop()
    abandoned = loop.create_task(turns.take(None))
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()

    async def main() -> None:
        limiter.set_rate(1_000_000)
        await asyncio.wait_for(turns.take(10.0), 20)

    asyncio.run(main())
    assert not abandoned.done()
    abandoned._log_destroy_pending = False  # type: ignore[attr-defined]
