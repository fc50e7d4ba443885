"""Retry decisions of the standard mode."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tornado_aws.exceptions import (
    ClientClosedError,
    ConnectError,
    ConnectTimeout,
    PoolTimeout,
    ReadError,
    ReadTimeout,
    RequestException,
    RequestTimeout,
)
from tornado_aws.retries import Kind, Policy, Quota, backoff, kind_of_failure, kind_of_status


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "ThrottlingException", Kind.THROTTLING),
        (503, "SlowDown", Kind.THROTTLING),
        (429, "429", Kind.THROTTLING),
        (500, "InternalServerError", Kind.TRANSIENT),
        (502, "502", Kind.TRANSIENT),
        (400, "RequestTimeout", Kind.TRANSIENT),
        (400, "ValidationException", None),
        (404, "404", None),
        (501, "NotImplemented", None),
        (301, "PermanentRedirect", None),
    ],
)
def test_service_errors_are_classified_by_code_and_status(
    status: int, code: str, kind: Kind | None
) -> None:
    """A throttling code wins over the status; client errors are not repeated."""
    assert kind_of_status(status, code) is kind


@pytest.mark.parametrize("cls", [ConnectError, ConnectTimeout, ReadError, ReadTimeout])
def test_broken_connections_are_transient(cls: type[RequestException]) -> None:
    """Another connection may fare better."""
    assert kind_of_failure(cls()) is Kind.TRANSIENT


@pytest.mark.parametrize("cls", [PoolTimeout, RequestTimeout, ClientClosedError, RequestException])
def test_failures_of_our_own_side_are_final(cls: type[RequestException]) -> None:
    """A full pool, a spent deadline and a closed client do not change by asking again."""
    assert kind_of_failure(cls()) is None


def test_waits_double_up_to_twenty_seconds() -> None:
    """With the largest random number the waits are base, 2 base, 4 base ... 20 seconds."""
    waits = [backoff(Kind.THROTTLING, Policy(), attempt, 1.0) for attempt in range(1, 8)]
    assert waits == [1, 2, 4, 8, 16, 20, 20]
    assert backoff(Kind.TRANSIENT, Policy(), 1, 1.0) == 0.05
    assert backoff(Kind.TRANSIENT, Policy(transient_base=0.025), 2, 0.5) == 0.025


@given(
    st.sampled_from(Kind),
    st.integers(1, 2000),
    st.floats(0, 1),
    st.none() | st.floats(0, 1e6),
)
def test_no_wait_is_negative_or_longer_than_twenty_five_seconds(
    kind: Kind, attempt: int, random: float, retry_after: float | None
) -> None:
    """Whatever the service asks for, the wait stays within five seconds above our own."""
    plain = backoff(kind, Policy(), attempt, random)
    wait = backoff(kind, Policy(), attempt, random, retry_after)
    assert 0 <= plain <= 20
    assert plain <= wait <= plain + 5


def test_the_quota_refuses_when_it_is_drained_and_fills_up_to_its_capacity() -> None:
    """Refusing takes nothing; releasing never goes above the capacity."""
    quota = Quota(20)
    assert quota.acquire(14)
    assert not quota.acquire(14)
    assert quota.available == 6
    quota.release(100)
    assert quota.available == 20
