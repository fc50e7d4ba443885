"""One refresh for all loops of a process, whatever becomes of the loop that makes it."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
from collections.abc import Awaitable, Callable

import pytest

from tests.support.credential_sources import ends_in
from tests.support.threads import in_threads
from tornado_aws.credentials import Credentials
from tornado_aws.credentials.exchange import (
    _RECENT,
    Exchange,
    Exchanging,
    exchange_of,
    exchange_of_function,
)
from tornado_aws.credentials.refresh import Clock, Moment, Refreshing
from tornado_aws.exceptions import ClientClosedError, CredentialsError


class Source:
    """A provider that many loops use, and that counts what it is asked for."""

    name = "test"
    recheck = None

    def __init__(self, answer: Callable[[int], Awaitable[Credentials]] | None = None) -> None:
        self.loads = 0
        self.rejected: list[Credentials | None] = []
        self.begun = threading.Event()
        self.go_on = threading.Event()
        self._answer = answer or self._usual
        self._lock = threading.Lock()

    async def load(self, rejected: Credentials | None) -> Credentials:
        with self._lock:
            self.loads += 1
            number = self.loads
        self.rejected.append(rejected)
        self.begun.set()
        return await self._answer(number)

    async def _usual(self, number: int) -> Credentials:
        while not self.go_on.is_set():  # noqa: ASYNC110 - of another thread
            await asyncio.sleep(0.001)
        return keys(number)


def keys(number: int = 1, seconds: float | None = 3600) -> Credentials:
    """Make credentials that end, or with None do not."""
    end = None if seconds is None else ends_in(seconds)
    return Credentials(f"AKID{number}", "hush", "token", end)


def test_a_thousand_callers_on_many_loops_make_one_refresh() -> None:
    """No call fails, and all get the same credentials."""
    source, exchange = Source(), Exchange()

    async def main(number: int) -> set[str]:
        refreshing = Refreshing(Exchanging(source, exchange))
        calls = [asyncio.ensure_future(refreshing.get()) for _ in range(200)]
        await asyncio.sleep(0.05)
        source.go_on.set()
        return {found.access_key for found in await asyncio.gather(*calls)}

    assert in_threads(5, main) == [{"AKID1"}] * 5
    assert source.loads == 1


@pytest.mark.parametrize(
    ("seconds", "youth", "loads"),
    [(3600, 900, 0), (1000, -1, 0), (950, -1, 1), (900, 225, 0), (650, -1, 1), (-1, 1, 1)],
)
def test_a_loop_that_comes_later_takes_what_another_one_has(
    seconds: float, youth: float, loads: int
) -> None:
    """Credentials that need no refresh are not fetched again; roles may live for 15 minutes."""

    async def answer(number: int) -> Credentials:
        return keys(2)

    source, exchange = Source(answer), Exchange()
    exchange.latest, exchange.youth_end = keys(1, seconds), Moment.after(youth, Clock())
    found = asyncio.run(Exchanging(source, exchange).load(None))
    assert source.loads == loads
    assert found == keys(1 + loads)


def test_a_loop_that_comes_later_knows_how_long_they_live() -> None:
    """It is told by the one that has fetched them."""

    async def answer(number: int) -> Credentials:
        return keys(number, 900)

    source, exchange = Source(answer), Exchange()

    async def main() -> None:
        refreshing = Refreshing(Exchanging(source, exchange))
        for _ in range(3):
            await refreshing.get()
            await asyncio.sleep(0.01)  # for a refresh in the background

    for _ in range(3):
        asyncio.run(main())
    # The first ones may have come from a cache; the second ones tell that none live longer.
    assert source.loads == 2


@pytest.mark.parametrize("error", [CredentialsError(source="s", reason="down"), ValueError("hush")])
def test_what_another_one_has_is_used_to_its_end_when_the_source_fails(
    caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    """A client that comes later fares no better and no worse than one that has been there."""

    async def answer(number: int) -> Credentials:
        raise error

    source, exchange = Source(answer), Exchange()
    exchange.latest = keys(1, 300)

    async def main(rejected: Credentials | None = None) -> Credentials:
        return await Exchanging(source, exchange).load(rejected)

    assert asyncio.run(main()) == keys(1)
    assert ("down" if isinstance(error, CredentialsError) else "ValueError") in caplog.text
    assert "hush" not in caplog.text
    with pytest.raises(type(error)):
        asyncio.run(main(rejected=keys(1)))
    exchange.latest = keys(1, -1)
    with pytest.raises(type(error)):
        asyncio.run(main())


def test_a_failure_is_told_to_one_that_has_them_already() -> None:
    """It has rules of its own for that."""

    async def answer(number: int) -> Credentials:
        if number > 1:
            raise CredentialsError(source="test", reason="down")
        return keys(number, 300)

    async def main() -> None:
        exchange = Exchange()
        exchanging = Exchanging(Source(answer), exchange)
        await exchanging.load(None)
        exchange.youth_end = Moment.after(-1, Clock())
        with pytest.raises(CredentialsError):
            await exchanging.load(None)

    asyncio.run(main())


def test_no_load_slips_between_the_end_of_one_and_the_beginning_of_another() -> None:
    """Many loops ask at once, again and again, and each time one of them asks the source."""

    async def answer(number: int) -> Credentials:
        return keys(number)

    async def main(number: int) -> list[Credentials]:
        return [await Exchanging(source, exchange).load(None) for source, exchange in rounds]

    rounds = [(Source(answer), Exchange()) for _ in range(300)]
    assert in_threads(4, main) == [[keys(1)] * 300] * 4
    assert {source.loads for source, _ in rounds} == {1}


def test_what_does_not_end_is_read_by_each_loop() -> None:
    """A file is looked at again by its own source, which must have found it."""

    async def answer(number: int) -> Credentials:
        await asyncio.sleep(0.02)
        return keys(1, None)

    source, exchange = Source(answer), Exchange()

    async def main(number: int) -> Credentials:
        return await Exchanging(source, exchange).load(None)

    assert in_threads(3, main) == [keys(1, None)] * 3
    assert source.loads == 3
    assert exchange.latest is None


def test_a_failure_goes_to_all_who_wait_and_is_not_kept() -> None:
    """The next call asks again."""

    async def answer(number: int) -> Credentials:
        await asyncio.sleep(0.1)
        if number == 1:
            raise CredentialsError(source="test", reason="down")
        return keys(number)

    source, exchange = Source(answer), Exchange()

    async def main(number: int) -> Credentials:
        return await Exchanging(source, exchange).load(None)

    found = in_threads(4, main)
    assert [str(error) for error in found] == [str(found[0])] * 4
    assert "down" in str(found[0])
    assert source.loads == 1
    assert asyncio.run(main(0)) == keys(2)


@pytest.mark.parametrize("way", ["cancelled", "closed"])
def test_others_go_on_when_the_one_that_fetches_is_gone(way: str) -> None:
    """Its cancellation, or the end of its client, is its own."""

    async def answer(number: int) -> Credentials:
        if number == 1:
            await asyncio.sleep(0.1)
            if way == "closed":
                raise ClientClosedError(sent=False)
            await asyncio.sleep(60)
        return keys(number)

    source, exchange = Source(answer), Exchange()

    async def main(number: int) -> Credentials:
        if number == 0:
            task = asyncio.ensure_future(Exchanging(source, exchange).load(None))
            await asyncio.sleep(0.1)
            if way == "cancelled":
                task.cancel()
            try:
                return await task
            except asyncio.CancelledError:
                raise ValueError("cancelled") from None
        await asyncio.to_thread(source.begun.wait, 5)
        return await Exchanging(source, exchange).load(None)

    first, *others = in_threads(3, main)
    assert isinstance(first, ValueError if way == "cancelled" else ClientClosedError)
    assert others == [keys(2)] * 2
    assert source.loads == 2


def test_a_loop_that_stops_in_the_middle_is_not_waited_for() -> None:
    """Nobody cancels what it left behind; the others see that it runs no more."""
    source, exchange = Source(), Exchange()
    loop = asyncio.new_event_loop()
    try:
        left = loop.create_task(Exchanging(source, exchange).load(None))
        loop.run_until_complete(asyncio.sleep(0))
        source.go_on.set()
        assert asyncio.run(Exchanging(source, exchange).load(None)) == keys(2)
        loop.run_until_complete(left)
    finally:
        loop.close()


def test_a_loop_that_stops_while_others_wait_is_noticed() -> None:
    """They look from time to time."""
    source, exchange = Source(), Exchange()
    stop = threading.Event()

    def begin_and_stop() -> None:
        loop = asyncio.new_event_loop()
        task = loop.create_task(Exchanging(source, exchange).load(None))
        loop.run_until_complete(asyncio.sleep(0.2))
        stop.wait(5)
        task.cancel()
        loop.run_until_complete(asyncio.gather(task, return_exceptions=True))
        loop.close()

    async def main() -> Credentials:
        await asyncio.to_thread(source.begun.wait, 5)
        waiting = asyncio.ensure_future(Exchanging(source, exchange).load(None))
        await asyncio.sleep(0.3)
        source.go_on.set()
        return await waiting

    thread = threading.Thread(target=begin_and_stop)
    thread.start()
    try:
        assert asyncio.run(main()) == keys(2)
    finally:
        stop.set()
        thread.join()


@pytest.mark.filterwarnings("error")
def test_a_waiter_may_be_cancelled_and_its_loop_closed(caplog: pytest.LogCaptureFixture) -> None:
    """The fetch goes on for the others, and nothing is called back on a closed loop."""
    source, exchange = Source(), Exchange()

    async def impatient() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await Exchanging(source, exchange).load(None)

    async def fetch() -> Credentials:
        fetching = asyncio.ensure_future(Exchanging(source, exchange).load(None))
        await asyncio.to_thread(source.begun.wait, 5)
        await asyncio.to_thread(asyncio.run, impatient())
        source.go_on.set()
        return await fetching

    assert asyncio.run(fetch()) == keys(1)
    gc.collect()
    assert source.loads == 1
    assert not caplog.records


def test_rejected_credentials_are_replaced_once_for_all() -> None:
    """A fetch that began before the refusal is not trusted to know of it."""

    async def answer(number: int) -> Credentials:
        await asyncio.sleep(0.1)
        return keys(number)

    source, exchange = Source(answer), Exchange()
    old = asyncio.run(Exchanging(source, exchange).load(None))

    async def main(number: int) -> Credentials:
        return await Exchanging(source, exchange).load(old)

    assert in_threads(4, main) == [keys(2)] * 4
    assert source.rejected == [None, old]


def test_a_source_that_still_has_the_rejected_ones_is_asked_once() -> None:
    """All who wait learn that nothing has changed."""

    async def answer(number: int) -> Credentials:
        await asyncio.sleep(0.1)
        return keys(1)

    source, exchange = Source(answer), Exchange()
    old = asyncio.run(Exchanging(source, exchange).load(None))

    async def main(number: int) -> Credentials | None:
        return await Refreshing(Exchanging(source, exchange)).renew(old)

    assert in_threads(4, main) == [None] * 4
    assert source.loads == 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_forked_child_waits_for_nobody() -> None:
    """The loop that fetches is its parent's, and so is whoever holds the lock."""
    source, exchange = Source(), Exchange()

    async def main() -> int:
        task = asyncio.ensure_future(Exchanging(source, exchange).load(None))
        await asyncio.sleep(0.01)
        with exchange.fetch._lock:
            child = os.fork()
            if child == 0:
                source.go_on.set()
                found: list[Credentials] = []
                thread = threading.Thread(
                    target=lambda: found.append(
                        asyncio.run(Exchanging(source, exchange).load(None))
                    )
                )
                thread.start()
                thread.join(5)
                os._exit(0 if found == [keys(2)] else 1)
        source.go_on.set()
        await task
        _, status = await asyncio.to_thread(os.waitpid, child, 0)
        return os.waitstatus_to_exitcode(status)

    assert asyncio.run(main()) == 0


def test_an_exchange_outlives_its_users_while_it_is_recent() -> None:
    """Clients that follow one another share it; the secrets of many configurations do not stay."""
    exchange = exchange_of("configuration")
    exchange.latest = keys()
    assert exchange_of("another") is not exchange
    del exchange
    gc.collect()
    latest = exchange_of("configuration").latest
    assert latest is not None
    assert latest.access_key == "AKID1"
    for number in range(_RECENT):
        exchange_of(number)
    gc.collect()
    assert exchange_of("configuration").latest is None


def test_a_function_s_exchange_goes_with_its_users() -> None:
    """It may return something else the next time."""
    exchange = exchange_of_function("function")
    exchange.latest = keys()
    assert exchange_of_function("function") is exchange
    assert exchange_of("function") is not exchange
    del exchange
    gc.collect()
    assert exchange_of_function("function").latest is None
