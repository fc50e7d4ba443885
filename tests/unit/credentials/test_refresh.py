"""When credentials are refreshed and who waits: the decision alone, then with a loop."""

from __future__ import annotations

import asyncio
import logging
import time
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tornado_aws.credentials import Credentials
from tornado_aws.credentials.refresh import Clock, Refreshing, Step, decide, quiet_for
from tornado_aws.exceptions import ClientClosedError, CredentialsError

HOUR = 3600.0


@pytest.mark.parametrize(
    ("remaining", "pause", "recheck_in", "step"),
    [
        (None, 0, None, Step.USE),
        (None, 0, 1, Step.USE),
        (None, 0, 0, Step.LOOK),
        (None, 1, 0, Step.USE),
        (HOUR, 0, None, Step.USE),
        (930.1, 0, None, Step.USE),
        (930, 0, None, Step.BACKGROUND),
        (600.1, 0, None, Step.BACKGROUND),
        (600, 0, None, Step.WAIT_BRIEFLY),
        (0.1, 0, None, Step.WAIT_BRIEFLY),
        (600, 1, None, Step.USE),
        (0.1, 1, None, Step.USE),
        (0, 1, None, Step.WAIT),
        (-1, 0, None, Step.WAIT),
    ],
)
def test_what_a_caller_does(
    remaining: float | None, pause: float, recheck_in: float | None, step: Step
) -> None:
    """The windows are 15 minutes and the jitter, and 10 minutes; only an end ends a pause."""
    assert decide(remaining, 30.0, pause, recheck_in) is step


SECONDS = st.integers(-100_000, 4_000_000).map(lambda milliseconds: milliseconds / 1000)


@given(st.none() | SECONDS, st.floats(0, 60), SECONDS, st.none() | SECONDS, st.floats(0, 1))
@settings(max_examples=300, deadline=None)
def test_a_quiet_time_is_quiet(
    remaining: float | None, jitter: float, pause: float, recheck: float | None, part: float
) -> None:
    """At every moment of the time for which nothing is to be decided, nothing would be done."""
    quiet = min(quiet_for(remaining, jitter, pause, recheck), 10_000.0)
    later = quiet * part * 0.999
    if quiet == 0:
        return
    step = decide(
        None if remaining is None else remaining - later,
        jitter,
        pause - later,
        None if recheck is None else recheck - later,
    )
    assert step is Step.USE


class Timeline:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.wall = 1_000_000.0
        self.steady = 50.0

    def clock(self) -> Clock:
        return Clock(lambda: self.wall, lambda: self.steady)

    def pass_by(self, seconds: float) -> None:
        self.wall += seconds
        self.steady += seconds

    def ends_in(self, seconds: float) -> datetime:
        return datetime.fromtimestamp(self.wall + seconds, UTC)


class Source:
    """A provider that gives what it is told, and counts."""

    name = "test"

    def __init__(self, timeline: Timeline, lifetime: float | None = HOUR) -> None:
        self.timeline = timeline
        self.lifetime = lifetime
        self.recheck: float | None = None
        self.loads = 0
        self.rejected: list[Credentials | None] = []
        self.error: Exception | None = None
        self.gate: asyncio.Event | None = None
        self.same = False
        self.meanwhile: Callable[[], Awaitable[Credentials]] | None = None
        self.found: list[str] = []

    async def load(self, rejected: Credentials | None) -> Credentials:
        self.loads += 1
        self.rejected.append(rejected)
        number = 1 if self.same else self.loads
        if self.gate is not None:
            await self.gate.wait()
        if self.meanwhile is not None:
            self.found.append((await self.meanwhile()).access_key)
        if self.error is not None:
            raise self.error
        end = None if self.lifetime is None else self.timeline.ends_in(self.lifetime)
        return Credentials(f"AKID{number}", "hush", expiration=end)


Body = Callable[[Refreshing, Source, Timeline], Awaitable[None]]


def play(body: Body, lifetime: float | None = HOUR, chance: float = 0.0) -> Source:
    """Run a test's body on a loop, with a source that is refreshed on a clock that stands."""
    timeline = Timeline()
    source = Source(timeline, lifetime)

    async def main() -> None:
        refreshing = Refreshing(source, clock=timeline.clock(), chance=lambda: chance)
        try:
            await body(refreshing, source, timeline)
        finally:
            refreshing.close()
            await asyncio.sleep(0)

    asyncio.run(main())
    return source


async def settle() -> None:
    """Let what runs in the background run."""
    for _ in range(10):
        await asyncio.sleep(0)


def test_credentials_are_loaded_once_and_kept() -> None:
    """Calls outside of the windows cost no load."""

    async def body(refreshing: Refreshing, source: Source, timeline: Timeline) -> None:
        first = await refreshing.get()
        timeline.pass_by(HOUR - 901)
        assert await refreshing.get() is first

    assert play(body).loads == 1


def test_a_call_outside_of_the_windows_does_not_suspend() -> None:
    """The coroutine of such a call ends at once, without a loop's help."""

    async def body(refreshing: Refreshing, source: Source, timeline: Timeline) -> None:
        await refreshing.get()
        with pytest.raises(StopIteration) as caught:
            refreshing.get().send(None)
        assert caught.value.value.access_key == "AKID1"

    play(body)


def test_nobody_waits_in_the_advisory_window() -> None:
    """One refresh runs in the background, the callers use what there is meanwhile."""

    async def body(refreshing: Refreshing, source: Source, timeline: Timeline) -> None:
        await refreshing.get()
        timeline.pass_by(HOUR - 899)
        source.gate = asyncio.Event()
        given = [(await refreshing.get()).access_key for _ in range(100)]
        await settle()
        given += [(await refreshing.get()).access_key for _ in range(100)]
        assert set(given) == {"AKID1"}
        source.gate.set()
        await settle()
        assert (await refreshing.get()).access_key == "AKID2"

    assert play(body).loads == 2


def test_the_advisory_window_begins_earlier_by_chance() -> None:
    """The jitter lengthens the window, so that many programs do not refresh at one moment."""

    async def body(refreshing: Refreshing, source: Source, timeline: Timeline) -> None:
        await refreshing.get()
        timeline.pass_by(HOUR - 941)
        await refreshing.get()
        await settle()
        assert source.loads == 1
        timeline.pass_by(2)
        await refreshing.get()
        await settle()
        assert source.loads == 2

    play(body, chance=2 / 3)


def test_everybody_waits_for_one_refresh_in_the_mandatory_window() -> None:
    """A thousand callers get the new credentials of one load."""

    async def body(refreshing: Refreshing, source: Source, timeline: Timeline) -> None:
        await refreshing.get()
        timeline.pass_by(HOUR - 599)
        given = await asyncio.gather(*(refreshing.get() for _ in range(1000)))
        assert {credentials.access_key for credentials in given} == {"AKID2"}

    assert play(body).loads == 2


def test_a_refresh_that_hangs_is_not_waited_for_while_credentials_last() -> None:
    """5 seconds after it began the callers go on with what they have, and it goes on, too."""

    async def body(refreshing: Refreshing, source: Source, timeline: Timeline) -> None:
        await refreshing.get()
        timeline.pass_by(HOUR - 599)
        source.gate = asyncio.Event()
        first = asyncio.create_task(refreshing.get())
        await settle()
        assert not first.done()
        timeline.pass_by(5.1)
        with pytest.raises(StopIteration) as caught:  # without waiting for anything
            refreshing.get().send(None)
        assert caught.value.value.access_key == "AKID1"
        source.gate.set()
        assert (await first).access_key == "AKID2"
        assert (await refreshing.get()).access_key == "AKID2"

    assert play(body).loads == 2


def test_the_patience_of_a_waiting_caller_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without anybody's help: it waits no longer than the refresh may take."""
    monkeypatch.setattr("tornado_aws.credentials.refresh.MANDATORY_PATIENCE", 0.01)

    async def body(refreshing: Refreshing, source: Source, timeline: Timeline) -> None:
        await refreshing.get()
        timeline.pass_by(HOUR - 599)
        source.gate = asyncio.Event()
        given = await asyncio.gather(*(refreshing.get() for _ in range(100)))
        assert {credentials.access_key for credentials in given} == {"AKID1"}

    assert play(body).loads == 2


def test_credentials_that_end_while_a_caller_waits_are_not_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The caller then waits for the refresh as long as it takes."""
    monkeypatch.setattr("tornado_aws.credentials.refresh.MANDATORY_PATIENCE", 0.01)

    async def body(refreshing: Refreshing, source: Source, timeline: Timeline) -> None:
        await refreshing.get()
        timeline.pass_by(HOUR - 1)
        source.gate = asyncio.Event()
        waiting = asyncio.create_task(refreshing.get())
        await settle()
        timeline.pass_by(2)
        await asyncio.wait([waiting], timeout=0.1)
        assert not waiting.done()
        source.gate.set()
        assert (await waiting).access_key == "AKID2"

    play(body)


def test_who_takes_part_in_a_refresh_uses_what_there_is() -> None:
    """A function that loads credentials and calls with those that are to be replaced."""

    async def body(refreshing: Refreshing, source: Source, timeline: Timeline) -> None:
        await refreshing.get()
        timeline.pass_by(HOUR - 599)
        source.meanwhile = refreshing.get
        assert (await refreshing.get()).access_key == "AKID2"
        assert source.found == ["AKID1"]

    play(body)


def test_a_thousand_callers_at_the_end_share_one_refresh() -> None:
    """No call fails and the source is asked once when credentials have ended."""

    async def body(refreshing: Refreshing, source: Source, timeline: Timeline) -> None:
        await refreshing.get()
        timeline.pass_by(HOUR + 1)
        given = await asyncio.gather(*(refreshing.get() for _ in range(1000)))
        assert {credentials.access_key for credentials in given} == {"AKID2"}

    assert play(body).loads == 2


def test_callers_share_the_first_load() -> None:
    """Nobody asks a source that is being asked."""

    async def body(refreshing: Refreshing, source: Source, timeline: Timeline) -> None:
        given = await asyncio.gather(*(refreshing.get() for _ in range(100)))
        assert len(set(map(id, given))) == 1

    assert play(body).loads == 1


def test_a_cancelled_caller_does_not_cancel_the_refresh() -> None:
    """The others still get their credentials from it."""

    async def body(refreshing: Refreshing, source: Source, timeline: Timeline) -> None:
        source.gate = asyncio.Event()
        first = asyncio.create_task(refreshing.get())
        second = asyncio.create_task(refreshing.get())
        await settle()
        first.cancel()
        await settle()
        source.gate.set()
        assert (await second).access_key == "AKID1"
        assert first.cancelled()

    assert play(body).loads == 1


def test_a_failure_reaches_every_waiting_caller_and_costs_one_load() -> None:
    """However many wait, a source that fails is asked once."""

    async def body(refreshing: Refreshing, source: Source, timeline: Timeline) -> None:
        source.error = CredentialsError(source="test", reason="broken")
        given = await asyncio.gather(
            *(refreshing.get() for _ in range(1000)), return_exceptions=True
        )
        assert {str(error) for error in given} == {str(source.error)}

    assert play(body).loads == 1


def test_failures_are_not_kept() -> None:
    """The next call asks again, and gets what there is then."""

    async def body(refreshing: Refreshing, source: Source, timeline: Timeline) -> None:
        source.error = CredentialsError(source="test", reason="broken")
        with pytest.raises(CredentialsError):
            await refreshing.get()
        source.error = None
        assert (await refreshing.get()).access_key == "AKID2"

    play(body)


@pytest.mark.parametrize("left", [899, 599])
def test_a_failing_refresh_does_not_fail_calls_while_credentials_last(
    left: float, caplog: pytest.LogCaptureFixture
) -> None:
    """They are used on, the failure is logged, and the source is left alone for a while."""

    async def body(refreshing: Refreshing, source: Source, timeline: Timeline) -> None:
        await refreshing.get()
        timeline.pass_by(HOUR - left)
        source.error = CredentialsError(source="test", reason="broken")
        for _ in range(20):
            assert (await refreshing.get()).access_key == "AKID1"
            await settle()
        assert source.loads == 2
        timeline.pass_by(60.1)
        await refreshing.get()
        await settle()
        assert source.loads == 3
        source.error = None
        timeline.pass_by(60.1)
        await refreshing.get()
        await settle()
        assert (await refreshing.get()).access_key == "AKID4"

    play(body)
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2
    assert "broken" in caplog.text


def test_a_failing_refresh_is_tried_again_before_the_end() -> None:
    """The pause shrinks with the time that is left."""

    async def body(refreshing: Refreshing, source: Source, timeline: Timeline) -> None:
        await refreshing.get()
        timeline.pass_by(HOUR - 30)
        source.error = CredentialsError(source="test", reason="broken")
        await refreshing.get()
        timeline.pass_by(3.1)
        source.error = None
        assert (await refreshing.get()).access_key == "AKID3"

    play(body)


def test_a_failure_after_the_end_is_the_callers() -> None:
    """Ended credentials are never used."""

    async def body(refreshing: Refreshing, source: Source, timeline: Timeline) -> None:
        await refreshing.get()
        timeline.pass_by(HOUR)
        source.error = CredentialsError(source="test", reason="broken")
        with pytest.raises(CredentialsError, match="broken"):
            await refreshing.get()
        source.error = None
        assert (await refreshing.get()).access_key == "AKID3"

    play(body)


def test_credentials_that_have_ended_when_they_come_are_an_error() -> None:
    """The error names the source and the clock."""

    async def body(refreshing: Refreshing, source: Source, timeline: Timeline) -> None:
        with pytest.raises(CredentialsError, match="is the clock of this machine right") as caught:
            await refreshing.get()
        assert caught.value.source == "test"

    play(body, lifetime=-1)


def test_a_source_of_short_lives_is_asked_a_few_times_in_a_life() -> None:
    """Credentials that are in a window when they come do not cost a load for each call."""

    async def body(refreshing: Refreshing, source: Source, timeline: Timeline) -> None:
        for _ in range(300):
            await refreshing.get()
            await settle()
            timeline.pass_by(1)

    assert 2 <= play(body, lifetime=300).loads <= 8


def test_the_second_load_of_short_lives_is_not_put_off() -> None:
    """The first credentials may be the rest of what another process left in a cache."""

    async def body(refreshing: Refreshing, source: Source, timeline: Timeline) -> None:
        await refreshing.get()
        source.lifetime = HOUR
        assert (await refreshing.get()).access_key == "AKID2"

    play(body, lifetime=300)


def test_a_wall_clock_that_is_set_forward_costs_a_refresh() -> None:
    """The credentials seem to have ended, so they are fetched again."""

    async def body(refreshing: Refreshing, source: Source, timeline: Timeline) -> None:
        await refreshing.get()
        timeline.wall += 2 * HOUR
        assert (await refreshing.get()).access_key == "AKID2"

    play(body)


def test_a_wall_clock_that_is_set_back_does_not_lengthen_lives() -> None:
    """The steady clock tells the end."""

    async def body(refreshing: Refreshing, source: Source, timeline: Timeline) -> None:
        await refreshing.get()
        timeline.wall -= 2 * HOUR
        timeline.steady += HOUR
        assert (await refreshing.get()).access_key == "AKID2"

    play(body)


def test_credentials_without_an_end_are_kept() -> None:
    """Nothing is asked again, however much time passes."""

    async def body(refreshing: Refreshing, source: Source, timeline: Timeline) -> None:
        await refreshing.get()
        timeline.pass_by(1000 * HOUR)
        await refreshing.get()

    assert play(body, lifetime=None).loads == 1


def test_a_source_that_can_change_is_looked_at_every_few_seconds() -> None:
    """A change is seen by the first call after the interval, not before."""

    async def body(refreshing: Refreshing, source: Source, timeline: Timeline) -> None:
        source.recheck = 5.0
        await refreshing.get()
        timeline.pass_by(4.9)
        assert (await refreshing.get()).access_key == "AKID1"
        timeline.pass_by(0.2)
        given = await asyncio.gather(*(refreshing.get() for _ in range(100)))
        assert {credentials.access_key for credentials in given} == {"AKID2"}

    assert play(body, lifetime=None).loads == 2


def test_a_look_that_fails_leaves_what_there_was() -> None:
    """A file that is gone, or being written, takes no working credentials away."""

    async def body(refreshing: Refreshing, source: Source, timeline: Timeline) -> None:
        source.recheck = 5.0
        await refreshing.get()
        source.error = CredentialsError(source="test", reason="broken")
        for _ in range(3):
            timeline.pass_by(5.1)
            assert (await refreshing.get()).access_key == "AKID1"
        assert source.loads == 4

    play(body, lifetime=None)


def test_a_look_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network file system that stands still does not stop the calls, not even each for once."""
    monkeypatch.setattr("tornado_aws.credentials.refresh.LOOK_PATIENCE", 0.01)

    async def body(refreshing: Refreshing, source: Source, timeline: Timeline) -> None:
        source.recheck = 5.0
        await refreshing.get()
        timeline.pass_by(5.1)
        source.gate = asyncio.Event()
        assert (await refreshing.get()).access_key == "AKID1"
        timeline.pass_by(0.1)
        with pytest.raises(StopIteration):
            refreshing.get().send(None)

    play(body, lifetime=None)


def test_rejected_credentials_are_replaced_once_for_all() -> None:
    """Callers whose requests were refused together share one load, and later ones its result."""

    async def body(refreshing: Refreshing, source: Source, timeline: Timeline) -> None:
        old = await refreshing.get()
        given = await asyncio.gather(*(refreshing.renew(old) for _ in range(100)))
        assert {credentials and credentials.access_key for credentials in given} == {"AKID2"}
        late = await refreshing.renew(old)
        assert late is not None
        assert late.access_key == "AKID2"
        assert source.rejected == [None, old]

    assert play(body).loads == 2


def test_unchanged_credentials_fail_at_once() -> None:
    """A source that still has the rejected ones gives None, and is not asked by every caller."""

    async def body(refreshing: Refreshing, source: Source, timeline: Timeline) -> None:
        source.same = True
        old = await refreshing.get()
        assert {await refreshing.renew(old) for _ in range(100)} == {None}
        assert source.loads == 2
        source.same = False
        timeline.pass_by(5.1)
        fresh = await refreshing.renew(old)
        assert fresh is not None
        assert fresh.access_key == "AKID3"

    play(body)


def test_credentials_with_another_end_are_the_same_credentials() -> None:
    """A source that only states a later end has nothing new."""

    async def body(refreshing: Refreshing, source: Source, timeline: Timeline) -> None:
        source.same = True
        old = await refreshing.get()
        source.lifetime = 2 * HOUR
        assert await refreshing.renew(old) is None

    play(body)


def test_a_renewal_that_fails_says_why() -> None:
    """The source's own error reaches the caller."""

    async def body(refreshing: Refreshing, source: Source, timeline: Timeline) -> None:
        old = await refreshing.get()
        source.error = CredentialsError(source="test", reason="broken")
        with pytest.raises(CredentialsError, match="broken"):
            await refreshing.renew(old)

    play(body)


def test_a_renewal_that_fails_is_not_tried_by_every_caller() -> None:
    """They are told the same failure for a few seconds, then the source is asked again."""

    async def body(refreshing: Refreshing, source: Source, timeline: Timeline) -> None:
        old = await refreshing.get()
        source.error = CredentialsError(source="test", reason="broken")
        for _ in range(50):
            with pytest.raises(CredentialsError, match="broken") as caught:
                await refreshing.renew(old)
        frames = list(traceback.walk_tb(caught.value.__traceback__))
        assert len(frames) < 10
        assert source.loads == 2
        source.error = None
        timeline.pass_by(5.1)
        fresh = await refreshing.renew(old)
        assert fresh is not None
        assert fresh.access_key == "AKID3"

    play(body)


def test_other_rejected_credentials_are_asked_about_anew() -> None:
    """What came of asking about earlier ones says nothing of them."""

    async def body(refreshing: Refreshing, source: Source, timeline: Timeline) -> None:
        old = await refreshing.get()
        source.error = CredentialsError(source="test", reason="broken")
        with pytest.raises(CredentialsError):
            await refreshing.renew(old)
        source.error = None
        timeline.pass_by(2.0)
        timeline.wall += HOUR
        second = await refreshing.get()
        assert second != old
        assert await refreshing.renew(second) is not None

    play(body)


def test_closing_ends_the_waiting_of_callers() -> None:
    """They get what is still good; what has ended is not refreshed any more."""

    async def body(refreshing: Refreshing, source: Source, timeline: Timeline) -> None:
        await refreshing.get()
        timeline.pass_by(HOUR - 899)
        source.gate = asyncio.Event()
        assert (await refreshing.get()).access_key == "AKID1"
        await settle()
        timeline.pass_by(600)
        waiting = asyncio.create_task(refreshing.get())
        await settle()
        refreshing.close()
        refreshing.close()
        assert (await waiting).access_key == "AKID1"
        timeline.pass_by(HOUR)
        with pytest.raises(ClientClosedError):
            await refreshing.get()

    play(body)


def test_closing_during_the_first_load_is_our_error() -> None:
    """There is nothing to give, so the waiting caller is told that the client is closed."""

    async def body(refreshing: Refreshing, source: Source, timeline: Timeline) -> None:
        source.gate = asyncio.Event()
        waiting = asyncio.create_task(refreshing.get())
        await settle()
        refreshing.close()
        with pytest.raises(ClientClosedError):
            await waiting

    play(body)


def test_a_loop_that_went_away_leaves_nothing_to_wait_for() -> None:
    """A source serves another loop after one that ended in the middle of a refresh."""
    timeline = Timeline()
    source = Source(timeline)
    refreshing = Refreshing(source, clock=timeline.clock())

    async def begin() -> None:
        source.gate = asyncio.Event()
        task = asyncio.create_task(refreshing.get())
        await settle()
        task.cancel()

    async def use() -> str:
        source.gate = None
        return (await refreshing.get()).access_key

    asyncio.run(begin())
    assert asyncio.run(use()) == "AKID2"
    refreshing.close()


def test_errors_of_others_are_logged_without_their_text(caplog: pytest.LogCaptureFixture) -> None:
    """A text that is not ours may hold a secret."""

    async def body(refreshing: Refreshing, source: Source, timeline: Timeline) -> None:
        await refreshing.get()
        timeline.pass_by(HOUR - 100)
        source.error = RuntimeError("hush")
        await refreshing.get()

    play(body)
    assert "RuntimeError" in caplog.text
    assert "hush" not in caplog.text


def test_the_usual_call_is_cheap() -> None:
    """A call outside of the windows costs about a microsecond; ten on a busy machine will do."""

    async def body(refreshing: Refreshing, source: Source, timeline: Timeline) -> None:
        real = Refreshing(source)
        source.lifetime = None
        await real.get()
        best = min([await _time_of(real.get, 1000) for _ in range(20)])
        assert best < 10e-6

    play(body)


async def _time_of(call: Callable[[], Awaitable[Any]], times: int) -> float:
    begin = time.perf_counter()
    for _ in range(times):
        await call()
    return (time.perf_counter() - begin) / times


def test_equal_credentials_are_equal_whatever_their_end() -> None:
    """Renewing relies on it: end, account and source do not make other credentials."""
    credentials = Credentials("a", "b", "c")
    assert credentials == replace(credentials, expiration=datetime.now(UTC), source="x")
    assert credentials != replace(credentials, security_token="d")
