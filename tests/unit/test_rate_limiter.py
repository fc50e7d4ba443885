"""The rate limiter of the adaptive retry mode."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tornado_aws.rate_limiter import BETA, LOWEST_RATE, RateLimiter


def run(limiter: RateLimiter, start: float, seconds: float, rate: float) -> float:
    """Let `rate` answers a second come for some seconds; return the time after them."""
    for number in range(int(seconds * rate)):
        limiter.update(start + number / rate, throttled=False)
    return start + seconds


def test_nothing_is_limited_before_the_first_throttling() -> None:
    """A client that is never throttled never waits."""
    limiter = RateLimiter()
    run(limiter, 0, 5, 100)
    assert not limiter.enabled
    assert limiter.acquire(5.0) == 0


def test_throttling_cuts_the_rate_below_what_was_sent() -> None:
    """The new rate is BETA of the measured one."""
    limiter = RateLimiter()
    now = run(limiter, 0, 5, 100)
    limiter.update(now, throttled=True)
    assert limiter.enabled
    assert limiter.rate == pytest.approx(100 * BETA, rel=0.02)


def test_callers_wait_in_turn_when_the_bucket_is_empty() -> None:
    """At 70 a second the waits grow by a seventieth of a second."""
    limiter = RateLimiter()
    now = run(limiter, 0, 5, 100)
    limiter.update(now, throttled=True)
    while not limiter.acquire(now):
        pass
    waits = [limiter.wait(now, before) for before in range(4)]
    assert waits[0] == limiter.acquire(now)
    steps = [later - earlier for earlier, later in pairwise(waits)]
    assert steps == [pytest.approx(1 / limiter.rate)] * 3


def test_the_rate_grows_back_and_beyond_while_nothing_is_throttled() -> None:
    """Some seconds after the cut the old rate is reached again."""
    limiter = RateLimiter()
    now = run(limiter, 0, 5, 100)
    limiter.update(now, throttled=True)
    cut = limiter.rate
    now = run(limiter, now, 4, 70)
    assert limiter.rate > cut
    run(limiter, now, 8, 100)
    assert limiter.rate > 100


def test_a_storm_of_throttling_leaves_a_lowest_rate() -> None:
    """However often it is cut, the client goes on sending."""
    limiter = RateLimiter()
    for number in range(200):
        limiter.update(number * 0.3, throttled=True)
    assert limiter.rate == LOWEST_RATE
    assert limiter.acquire(60.0) <= 1 / LOWEST_RATE
