"""Values that are made once."""

from __future__ import annotations

import asyncio

import pytest

from tornado_aws.flight import Flight


class Maker:
    """Makes numbers, and fails as often as it is told to."""

    def __init__(self, failures: int = 0) -> None:
        self.calls = 0
        self.failures = failures

    async def __call__(self) -> int:
        self.calls += 1
        await asyncio.sleep(0)
        if self.calls <= self.failures:
            raise ValueError(f"failure {self.calls}")
        return self.calls


def test_all_who_ask_at_once_get_the_same() -> None:
    """One makes it, whoever comes at whatever moment of the making."""
    maker = Maker()

    async def late(flight: Flight[int], turns: int) -> int:
        for _ in range(turns):
            await asyncio.sleep(0)
        return await flight.get(maker)

    async def main() -> list[int]:
        flight = Flight[int]()
        return await asyncio.gather(*(late(flight, turns) for turns in range(12)))

    assert asyncio.run(main()) == [1] * 12
    assert maker.calls == 1


def test_a_failure_goes_to_all_who_wait_and_is_not_kept() -> None:
    """The next caller tries again."""
    maker = Maker(failures=1)

    async def main() -> int:
        flight = Flight[int]()
        failed = await asyncio.gather(
            *(flight.get(maker) for _ in range(5)), return_exceptions=True
        )
        assert [str(error) for error in failed] == ["failure 1"] * 5
        return await flight.get(maker)

    assert asyncio.run(main()) == 2


@pytest.mark.parametrize("failures", [0, 1])
def test_a_cancelled_caller_leaves_it_to_the_others(failures: int) -> None:
    """Cancelling whoever came first neither stops the making nor loses a failure."""
    maker = Maker(failures)

    async def main() -> int:
        flight = Flight[int]()
        first = asyncio.create_task(flight.get(maker))
        await asyncio.sleep(0)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        await asyncio.sleep(0.01)
        return await flight.get(maker)

    assert asyncio.run(main()) == 1 + failures
    assert maker.calls == 1 + failures


def test_what_a_dead_loop_left_behind_is_made_anew() -> None:
    """A program that calls asyncio.run twice is not held up by the first run."""
    maker = Maker()
    flight = Flight[int]()

    async def leave() -> None:
        task = asyncio.create_task(flight.get(maker))
        await asyncio.sleep(0)
        task.cancel()

    asyncio.run(leave())
    assert asyncio.run(flight.get(maker)) in {1, 2}
