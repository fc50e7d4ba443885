"""Refreshing under any order of events: what holds whatever happens."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from tornado_aws.credentials import Credentials
from tornado_aws.credentials.refresh import REJECTED_PAUSE, Clock, Refreshing
from tornado_aws.exceptions import CredentialsError

CALLERS = 20

# What happens, with a number that says how much of it.
EVENTS = st.one_of(
    st.tuples(st.just("time passes"), st.sampled_from([0.1, 5.0, 59.0, 300.0, 899.0, 3700.0])),
    st.tuples(st.just("the clock is set"), st.sampled_from([-86400.0, -600.0, 600.0, 86400.0])),
    st.tuples(st.just("the source fails"), st.just(0.0)),
    st.tuples(st.just("the source works"), st.sampled_from([-1.0, 30.0, 700.0, 3600.0, 43200.0])),
    st.tuples(st.just("callers come"), st.just(0.0)),
    st.tuples(st.just("the first caller is cancelled"), st.just(0.0)),
    st.tuples(st.just("a service refuses"), st.just(0.0)),
)


class World:
    """Two clocks, a source of credentials, and what must hold."""

    def __init__(self) -> None:
        self.wall = 1.8e9
        self.steady = 7.0
        self.lifetime: float | None = 3600.0
        self.loads = 0
        self.loading = False
        self.refused_until = self.steady  # a renewal has failed, and holds for a while
        self.refreshing = Refreshing(
            self, clock=Clock(lambda: self.wall, lambda: self.steady), chance=lambda: 0.5
        )

    # The source.

    name = "test"
    recheck = None

    async def load(self, rejected: Credentials | None) -> Credentials:
        assert not self.loading, "two refreshes at a time"
        self.loading = True
        self.loads += 1
        number, lifetime = self.loads, self.lifetime
        try:
            await asyncio.sleep(0)
        finally:
            self.loading = False
        if lifetime is None:
            raise CredentialsError(source=self.name, reason="it fails")
        end = datetime.fromtimestamp(self.wall + lifetime, UTC)
        return Credentials(f"AKID{number}", "hush", expiration=end)

    # The events.

    async def happen(self, event: str, amount: float) -> None:
        before = self.loads
        if event == "time passes":
            self.wall += amount
            self.steady += amount
        elif event == "the clock is set":
            self.wall += amount
        elif event == "the source fails":
            self.lifetime = None
        elif event == "the source works":
            self.lifetime = amount
        elif event == "a service refuses":
            await self.refused()
        else:
            await self.asked(cancel=event == "the first caller is cancelled")
        await self.rest()
        assert self.loads <= before + 1, "the source is asked more often than once"

    async def rest(self) -> None:
        """Let what runs in the background end."""
        for _ in range(8):
            await asyncio.sleep(0)
        assert not self.loading

    async def asked(self, *, cancel: bool) -> None:
        callers = [asyncio.ensure_future(self.refreshing.get()) for _ in range(CALLERS)]
        await asyncio.sleep(0)
        if cancel:
            callers.pop(0).cancel()
        results = await asyncio.gather(*callers, return_exceptions=True)
        assert len(set(map(repr, results))) == 1, "callers who come together get the same"
        self.check(results[0])

    async def refused(self) -> None:
        try:
            current = await self.refreshing.get()
        except CredentialsError:
            return
        await self.rest()
        before = self.loads
        try:
            results = await asyncio.gather(
                *(self.refreshing.renew(current) for _ in range(CALLERS))
            )
        except CredentialsError:
            if self.loads > before:
                self.refused_until = self.steady + REJECTED_PAUSE
                assert not self.works()
            assert self.steady < self.refused_until
        else:
            assert all(result != current for result in results)
        await self.rest()
        assert self.loads <= before + 1
        self.loads = before  # counted here

    # What holds.

    def works(self) -> bool:
        return self.lifetime is not None and self.lifetime > 0

    def check(self, result: Credentials | BaseException) -> None:
        if isinstance(result, BaseException):
            assert isinstance(result, CredentialsError), repr(result)
            assert not self.works(), "a caller fails though the source works"
        else:
            assert result.expiration is not None
            assert result.expiration.timestamp() > self.wall, "ended credentials are given"


@given(st.lists(EVENTS, max_size=30))
@settings(max_examples=150)
def test_whatever_happens_callers_are_served(events: Sequence[tuple[str, float]]) -> None:
    """One refresh at a time and one for all callers, no ended credentials, no needless failure."""
    logger = logging.getLogger("tornado_aws.credentials")

    async def main() -> None:
        world = World()
        for event, amount in events:
            await world.happen(event, amount)
        world.lifetime = 3600.0
        world.wall += 1e6
        await world.asked(cancel=False)
        world.refreshing.close()

    _silently(logger, lambda: asyncio.run(main()))


def _silently(logger: logging.Logger, run: Callable[[], None]) -> None:
    """Keep hundreds of failures that are meant out of the log."""
    logger.disabled = True
    try:
        run()
    finally:
        logger.disabled = False
