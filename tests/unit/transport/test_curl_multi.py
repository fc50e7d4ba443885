"""The lazy timer of the curl engine."""

from __future__ import annotations

import asyncio

import pytest

pytest.importorskip("pycurl")

from tornado_aws.transport.curl_multi import LazyTimer

STEP = 0.01


def fired(*moments: float | None) -> list[int]:
    """Set a timer to each of `moments`, in steps from now; return in which steps it fired."""

    async def main() -> list[int]:
        loop = asyncio.get_running_loop()
        start = loop.time()
        steps: list[int] = []
        timer = LazyTimer(loop, lambda: steps.append(round((loop.time() - start) / STEP)))
        for moment in moments:
            timer.at(None if moment is None else start + moment * STEP)
        await asyncio.sleep(8 * STEP)
        return steps

    return asyncio.run(main())


@pytest.mark.parametrize(
    ("moments", "count"),
    [((2,), 1), ((2, 4), 1), ((4, 2), 1), ((2, None), 0), ((2, None, 4), 1), ((0,), 1)],
)
def test_only_the_last_choice_counts(moments: tuple[float | None, ...], count: int) -> None:
    """However often it is moved, the timer fires once, never before the last choice."""
    steps = fired(*moments)
    assert len(steps) == count
    assert all(step >= (moments[-1] or 0) for step in steps)


def test_by_moves_a_timer_forward_only() -> None:
    """`by` asks for a moment at the latest."""

    async def main() -> list[float]:
        loop = asyncio.get_running_loop()
        start, times = loop.time(), list[float]()
        timer = LazyTimer(loop, lambda: times.append(loop.time() - start))
        for moment in (6, 2, 4):
            timer.by(start + moment * STEP)
        await asyncio.sleep(8 * STEP)
        return times

    (moment,) = asyncio.run(main())
    assert moment >= 2 * STEP - 0.002


def test_a_cancelled_timer_leaves_nothing() -> None:
    """`cancel` takes the timer off the loop."""

    async def main() -> bool:
        loop = asyncio.get_running_loop()
        timer = LazyTimer(loop, lambda: None)
        timer.at(loop.time() + 60)
        timer.cancel()
        return all(handle.cancelled() for handle in loop._scheduled)  # type: ignore[attr-defined]

    assert asyncio.run(main())
