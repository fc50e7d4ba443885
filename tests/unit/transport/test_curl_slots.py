"""The queue for transfers of the curl engine."""

from __future__ import annotations

import asyncio

import pytest

from tornado_aws.transport.curl_slots import Slots


def test_who_comes_first_is_served_first() -> None:
    """Slots go to waiting callers in the order in which they came."""

    async def main() -> list[int]:
        slots = Slots(1, asyncio.get_running_loop())
        served: list[int] = []

        async def caller(number: int) -> None:
            if not slots.take():
                await slots.wait(None)
            served.append(number)
            await asyncio.sleep(0)
            slots.give_back()

        await asyncio.gather(*(caller(number) for number in range(5)))
        assert (slots.free, slots.waiting) == (1, 0)
        return served

    assert asyncio.run(main()) == [0, 1, 2, 3, 4]


def test_waiting_ends_in_time() -> None:
    """A caller gives up at its time, leaves the queue and takes no slot."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        slots = Slots(1, loop)
        assert slots.take()
        with pytest.raises(TimeoutError):
            await slots.wait(loop.time() + 0.01)
        assert slots.waiting == 0
        slots.give_back()
        assert slots.free == 1

    asyncio.run(main())


@pytest.mark.parametrize("when", ["before", "after", "long before"])
def test_a_cancelled_caller_takes_no_slot(when: str) -> None:
    """Whether a caller is cancelled before or after a slot became free, the slot stays free."""

    async def main() -> None:
        slots = Slots(1, asyncio.get_running_loop())
        assert slots.take()
        caller = asyncio.create_task(slots.wait(None))
        await asyncio.sleep(0)
        if when == "after":
            slots.give_back()
        caller.cancel()
        if when == "before":
            slots.give_back()
        with pytest.raises(asyncio.CancelledError):
            await caller
        if when == "long before":
            slots.give_back()
        assert (slots.free, slots.waiting) == (1, 0)

    asyncio.run(main())


def test_everybody_can_be_sent_home() -> None:
    """`fail` ends every wait with its error."""

    async def main() -> list[object]:
        slots = Slots(1, asyncio.get_running_loop())
        assert slots.take()
        callers = [asyncio.create_task(slots.wait(None)) for _ in range(3)]
        await asyncio.sleep(0)
        slots.fail(ValueError("closed"))
        assert slots.waiting == 0
        return list(await asyncio.gather(*callers, return_exceptions=True))

    assert [str(error) for error in asyncio.run(main())] == ["closed"] * 3
