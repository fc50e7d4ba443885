"""When are credentials refreshed, and who waits for it?

`decide` answers that without a clock or a loop; `Refreshing` does what it says. Its rules:

* more than 15 minutes before the end (a little more, by chance, so that a fleet does not refresh at
  one moment; all of it less for credentials that never live that long) nothing happens;
* then one refresh runs in the background, and nobody waits for it;
* within 10 minutes of the end everybody waits for one refresh, until 5 seconds after it began: then
  the credentials that have not ended are used on, and it goes on in the background;
* they are used on as well when a refresh fails, and the source is left alone for a while;
* once they have ended everybody waits as long as it takes, a failure is what the callers get, and
  the next call asks again;
* one refresh runs at a time, and goes on when the caller that began it is cancelled.

The two windows are those of botocore/credentials.py (RefreshableCredentials).
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable
from enum import Enum
from typing import NamedTuple, Protocol

from tornado_aws import own_wait
from tornado_aws.credentials import Credentials
from tornado_aws.exceptions import AWSClientException, ClientClosedError, CredentialsError

__all__ = ["Clock", "Provider", "Refreshing", "Step", "Windows", "decide", "told"]

logger = logging.getLogger("tornado_aws.credentials")


class Windows(NamedTuple):
    """How long before credentials end they are refreshed, in seconds.

    Attributes:
        advisory: from then on, in the background.
        mandatory: from then on while the callers wait for some seconds.
        jitter: by how much the advisory window is longer at most, by chance.
    """

    advisory: float = 15 * 60.0
    mandatory: float = 10 * 60.0
    jitter: float = 60.0


WINDOWS = Windows()

# For how long since its beginning callers wait for a look at a file, seconds: far more than a
# healthy disk needs.
LOOK_PATIENCE = 1.0

# For how long since its beginning callers wait for a refresh that they can do without, seconds: far
# more than a healthy source needs.
MANDATORY_PATIENCE = 5.0

# After which part of their life credentials are asked for anew that never live longer than the
# advisory window.
SHARE_OF_LIFE = 1 / 4

# How long a source that had no others for rejected credentials is not asked again, seconds.
REJECTED_PAUSE = 5.0


class Step(Enum):
    """What a caller does before it uses credentials."""

    USE = "nothing"
    BACKGROUND = "begin a refresh, wait for nothing"
    LOOK = "wait a moment for a look at the source"
    WAIT_BRIEFLY = "wait a few seconds for a refresh"
    WAIT = "wait for a refresh"


class Provider(Protocol):
    """A place that credentials come from.

    Attributes:
        name: short name, as in `Credentials.source`.
        recheck: how often to look for a change, in seconds; None for sources that cannot change
            before their credentials end.
    """

    @property
    def name(self) -> str: ...

    @property
    def recheck(self) -> float | None: ...

    async def load(self, rejected: Credentials | None) -> Credentials:
        """Fetch credentials.

        Args:
            rejected: credentials that a service refused: to be fetched again rather than taken from
                a cache. None for an ordinary refresh.

        Raises:
            CredentialsError: the source is broken.
        """
        ...


class Clock(NamedTuple):
    """Where the time comes from; both in seconds.

    Attributes:
        wall: time since 1970. It jumps when somebody sets the clock.
        steady: time from any start. It does not count while a laptop sleeps.
    """

    wall: Callable[[], float] = time.time
    steady: Callable[[], float] = time.monotonic


def decide(
    remaining: float | None,
    jitter: float,
    pause: float,
    recheck_in: float | None = None,
    windows: Windows = WINDOWS,
) -> Step:
    """Say what to do before using credentials.

    Args:
        remaining: seconds until they end; None for never.
        jitter: seconds by which the advisory window is longer.
        pause: seconds for which the source is to be left alone; zero or less for not at all.
        recheck_in: seconds until the source should be looked at; None for never.
        windows: how long before the end a refresh begins.
    """
    if remaining is not None and remaining <= 0:
        return Step.WAIT
    if pause > 0:
        return Step.USE
    if remaining is not None and remaining <= windows.mandatory:
        return Step.WAIT_BRIEFLY
    if remaining is not None and remaining <= windows.advisory + jitter:
        return Step.BACKGROUND
    return Step.LOOK if recheck_in is not None and recheck_in <= 0 else Step.USE


def quiet_for(
    remaining: float | None,
    jitter: float,
    pause: float,
    recheck_in: float | None = None,
    windows: Windows = WINDOWS,
) -> float:
    """Return for how many seconds `decide` will go on to say USE; its arguments."""
    until_look = float("inf") if recheck_in is None else max(recheck_in, pause, 0.0)
    if remaining is None:
        return until_look
    until_refresh = max(remaining - windows.advisory - jitter, pause)
    return max(0.0, min(until_refresh, until_look, remaining))


class Refreshing:
    """A `CredentialSource` that loads from a provider, keeps the result and refreshes it.

    Used on one loop at a time; a refresh that another loop left behind is begun again.

    Args:
        provider: where the credentials come from.
        clock: where the time comes from.
        chance: gives numbers from 0 to 1.
        windows: how long before the end a refresh begins.
    """

    def __init__(
        self,
        provider: Provider,
        *,
        clock: Clock | None = None,
        chance: Callable[[], float] = random.random,
        windows: Windows = WINDOWS,
    ) -> None:
        self._provider = provider
        self._clock = clock or Clock()
        self._chance = chance
        self._windows = windows
        self._credentials: Credentials | None = None
        self._flight: asyncio.Task[Credentials] | None = None
        self._begun = 0.0  # steady: the flight
        self._closed = False
        self._jitter = 0.0
        self._told = ""  # of the last failure
        self._end = Moment.never()
        self._pause_end = 0.0  # steady
        self._looked = 0.0  # steady
        self._in_vain: InVain | None = None
        self._quiet = Moment(0.0, 0.0)

    async def get(self) -> Credentials:
        """Return the credentials in force; see `CredentialSource`."""
        quiet = self._quiet
        clock = self._clock
        if clock.steady() < quiet.steady and clock.wall() < quiet.wall:
            credentials = self._credentials
            if credentials is not None:
                return credentials
        return await self._get_with_care()

    async def renew(self, rejected: Credentials) -> Credentials | None:
        """Return other credentials than those that were rejected; see `CredentialSource`."""
        current = self._credentials
        if current is not None and current != rejected:
            return current
        last = self._in_vain
        if last is not None and last.holds(rejected, self._clock):
            last.repeat()
            return None
        try:
            fresh = await self._join(self._fly(rejected))
        except ClientClosedError:
            raise
        except Exception as failure:
            self._in_vain = InVain.now(rejected, failure, self._clock)
            raise
        if fresh != rejected:
            return fresh
        self._in_vain = InVain.now(rejected, None, self._clock)
        return None

    def close(self) -> None:
        """Cancel a refresh that is under way."""
        self._closed = True
        flight = self._flight
        if flight is not None and not flight.done() and not flight.get_loop().is_closed():
            flight.cancel()

    async def _get_with_care(self) -> Credentials:
        credentials = self._credentials
        if credentials is None:
            return await self._join(self._fly())
        times = self._times()
        step = decide(*times)
        if step is Step.USE:
            self._quiet = Moment.after(quiet_for(*times), self._clock)
            return credentials
        flight = self._fly()
        if step is Step.BACKGROUND:
            return credentials
        if step is Step.LOOK:
            await self._wait_briefly(flight, LOOK_PATIENCE)
        elif step is Step.WAIT_BRIEFLY:
            await self._wait_briefly(flight, MANDATORY_PATIENCE)
        return self._usable() or await self._join(flight)

    def _times(self) -> tuple[float | None, float, float, float | None, Windows]:
        now = self._clock.steady()
        recheck = self._provider.recheck
        recheck_in = None if recheck is None else self._looked + recheck - now
        remaining = self._end.remaining(self._clock)
        return remaining, self._jitter, self._pause_end - now, recheck_in, self._windows

    def _fly(self, rejected: Credentials | None = None) -> asyncio.Task[Credentials]:
        """Return the refresh that is under way, or begin one."""
        if self._closed:
            raise ClientClosedError(sent=False)
        loop = asyncio.get_running_loop()
        flight = self._flight
        if flight is None or flight.done() or flight.get_loop() is not loop:
            flight = self._flight = loop.create_task(self._refresh(rejected))
            flight.add_done_callback(_mark_seen)
            self._begun = self._clock.steady()
        return flight

    async def _join(self, flight: asyncio.Task[Credentials]) -> Credentials:
        own_wait.check(flight)
        try:
            return await asyncio.shield(flight)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if flight.cancelled() and not (task and task.cancelling()):
                raise ClientClosedError(sent=False) from None
            raise

    async def _wait_briefly(self, flight: asyncio.Task[Credentials], patience: float) -> None:
        """Wait until a refresh has ended, or for so many seconds since it began.

        Since it began, not since a caller came: many callers one after another would all wait.
        """
        left = self._begun + patience - self._clock.steady()
        if left > 0 and not own_wait.is_part_of(flight):
            await asyncio.wait([flight], timeout=left)

    def _usable(self) -> Credentials | None:
        """Return the credentials there are, None when they have ended."""
        remaining = self._end.remaining(self._clock)
        return self._credentials if remaining is None or remaining > 0 else None

    async def _refresh(self, rejected: Credentials | None) -> Credentials:
        flight = asyncio.current_task()
        assert flight is not None  # noqa: S101 - for type checkers: this is a coroutine
        own_wait.enter(flight)
        try:
            fresh = await self._provider.load(rejected)
            end = Moment.of(fresh, self._clock)
            remaining = end.remaining(self._clock)
            if remaining is not None and remaining <= 0:
                raise CredentialsError(
                    source=self._provider.name,
                    reason=f"they ended at {fresh.expiration}; is the clock of this machine right?",
                )
        except Exception as error:
            self._note_failure(error)
            raise
        self._keep(fresh, end, remaining)
        return fresh

    def _keep(self, fresh: Credentials, end: Moment, remaining: float | None) -> None:
        now = self._clock.steady()
        self._told = ""
        jitter = self._windows.jitter * self._chance()
        again = self._credentials is not None and self._end.wall < float("inf")
        self._pause_end = now
        if again and remaining is not None and remaining <= self._windows.advisory + jitter:
            # The source gives nothing that lives longer: ask a few times in a life, not at each
            # call. The first credentials may be what another process left in a cache.
            self._pause_end = now + remaining * SHARE_OF_LIFE
        self._credentials, self._end, self._jitter, self._looked = fresh, end, jitter, now
        self._quiet = Moment.after(quiet_for(*self._times()), self._clock)

    def _note_failure(self, error: Exception) -> None:
        now = self._clock.steady()
        self._looked = now
        if self._credentials is None:
            return
        remaining = self._end.remaining(self._clock)
        if remaining is not None:
            self._pause_end = now + min(60.0, remaining / 10)
        text = told(error)
        if remaining is None and text == self._told:
            return  # a file that is looked at every few seconds, and is still as it was
        self._told = text
        logger.warning("Refreshing credentials from %s failed: %s", self._provider.name, text)


class Moment(NamedTuple):
    """A point of time on both clocks; the earlier of the two counts."""

    wall: float
    steady: float

    @classmethod
    def never(cls) -> Moment:
        return cls(float("inf"), float("inf"))

    @classmethod
    def after(cls, seconds: float, clock: Clock) -> Moment:
        return cls(clock.wall() + seconds, clock.steady() + seconds)

    @classmethod
    def of(cls, credentials: Credentials, clock: Clock) -> Moment:
        """Return when `credentials` end."""
        if credentials.expiration is None:
            return cls.never()
        return cls.after(credentials.expiration.timestamp() - clock.wall(), clock)

    def remaining(self, clock: Clock) -> float | None:
        """Return the seconds until then, None for never."""
        if self.wall == float("inf"):
            return None
        return min(self.wall - clock.wall(), self.steady - clock.steady())


class InVain(NamedTuple):
    """A source was asked for others than rejected credentials, and had none.

    Attributes:
        rejected: the rejected ones.
        failure: why it had none; None when it still has the same.
        until: how long that holds, steady.
    """

    rejected: Credentials
    failure: Exception | None
    until: float

    @classmethod
    def now(cls, rejected: Credentials, failure: Exception | None, clock: Clock) -> InVain:
        return cls(rejected, failure, clock.steady() + REJECTED_PAUSE)

    def holds(self, rejected: Credentials, clock: Clock) -> bool:
        """Tell whether the source need not be asked again."""
        return rejected == self.rejected and clock.steady() < self.until

    def repeat(self) -> None:
        """Tell another caller what came of it."""
        if self.failure is not None:
            # Each raising would add to the traceback, which holds on to its frames.
            raise self.failure.with_traceback(None)


def told(error: Exception) -> str:
    """Return what a log says of a failure: only our own texts are known to be free of secrets."""
    return str(error) if isinstance(error, AWSClientException) else type(error).__name__


def _mark_seen(flight: asyncio.Task[Credentials]) -> None:
    """Look at a refresh's error: it has been logged, and perhaps nobody waited for it."""
    if not flight.cancelled():
        flight.exception()
