"""The adaptive mode's rate beside botocore's."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from botocore.retries import adaptive, bucket, throttling
from hypothesis import given
from hypothesis import strategies as st

from tornado_aws.rate_limiter import RateLimiter

ANSWERS = st.lists(st.tuples(st.floats(0, 0.7), st.booleans()), min_size=1, max_size=150)


@given(ANSWERS)
def test_the_rate_is_the_same_after_any_run_of_answers(run: list[tuple[float, bool]]) -> None:
    """After each answer, throttled or not, at whatever moments they come."""
    clock: Any = SimpleNamespace(now=1000.0)
    clock.current_time = lambda: clock.now
    tokens = bucket.TokenBucket(max_rate=1, clock=clock)
    theirs = adaptive.ClientRateLimiter(
        throttling.CubicCalculator(starting_max_rate=0, start_time=clock.now),
        adaptive.RateClocker(clock),
        tokens,
        SimpleNamespace(is_throttling_error=lambda throttled: throttled),
        clock,
    )
    ours = RateLimiter()
    # botocore counts from the making of its clock, we from the first answer.
    for pause, throttled in [(0.0, False), *run]:
        clock.now += pause
        theirs.on_receiving_response(throttled=throttled)
        ours.update(clock.now, throttled=throttled)
        if ours.enabled:
            assert ours.rate == pytest.approx(tokens.max_rate)
