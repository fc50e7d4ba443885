"""Retry decisions of the standard mode."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import tiny_model
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
from tornado_aws.retries import (
    FAILURES,
    Facts,
    Kind,
    Policy,
    Quota,
    backoff,
    decide,
    facts_of,
    kind_of_failure,
    kind_of_status,
)


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
        (400, "PriorRequestNotComplete", Kind.THROTTLING),
        (400, "IDPCommunicationError", None),
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


@given(
    st.none() | st.sampled_from(Kind),
    st.integers(1, 5),
    st.integers(0, 20),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.none() | st.floats(-1, 2),
)
def test_a_decision_keeps_every_bound(
    kind: Kind | None,
    attempt: int,
    available: int,
    is_replayable: bool,
    is_safe: bool,
    is_long_poll: bool,
    remaining: float | None,
) -> None:
    """Nothing is repeated for no reason, too often, above the quota or after the deadline."""
    decision = decide(
        kind,
        Policy(),
        attempt,
        1.0,
        available=available,
        is_replayable=is_replayable,
        is_safe=is_safe,
        is_long_poll=is_long_poll,
        remaining=remaining,
    )
    if decision.repeat:
        assert kind is not None
        assert attempt < 3
        assert is_replayable
        assert is_safe
        assert decision.cost == kind.cost <= available
        assert decision.wait == backoff(kind, Policy(), attempt, 1.0)
    else:
        assert decision.cost == 0
        assert not decision.wait or is_long_poll
    assert remaining is None or decision.wait < max(remaining, 1e-9)
    assert decision.reason


def test_a_long_poll_waits_once_when_the_quota_is_used_up() -> None:
    """Its caller asks again at once, so the failed call itself slows the caller down."""
    for is_long_poll, wait in ((True, 2.0), (False, 0.0)):
        decision = decide(Kind.THROTTLING, Policy(), 2, 1.0, available=0, is_long_poll=is_long_poll)
        assert (decision.repeat, decision.wait) == (False, wait)


def test_every_failure_of_the_transport_has_its_rule_and_reason() -> None:
    """The table covers the tree, more special classes before their bases."""
    classes = list(FAILURES)
    assert classes[-1] is RequestException
    for number, cls in enumerate(classes):
        assert not any(issubclass(later, cls) for later in classes[number + 1 :])
        assert FAILURES[cls][1]


def test_the_page_of_retries_tells_every_rule_for_failures() -> None:
    """Each class that callers meet has a row, which says whether it is repeated."""
    page = (Path(__file__).parents[2] / "docs" / "retries.rst").read_text(encoding="utf-8")
    for cls, (kind, _) in FAILURES.items():
        if cls is not RequestException:
            row = re.search(rf"^``{cls.__name__}`` +(yes|no|if it is safe) ", page, re.MULTILINE)
            assert row is not None, cls
            assert (row[1] != "no") is (kind is not None)
            assert (row[1] == "if it is safe") is (kind is not None and cls().sent)


def _operation(service_id: str, name: str, **errors: dict[str, object]) -> Facts:
    shapes = {
        error: tiny_model.structure({}, exception=True, **traits)
        for error, traits in errors.items()
    }
    declared = [{"shape": error} for error in errors]
    model = tiny_model.service(shapes, {name: {"errors": declared}}, serviceId=service_id)
    return facts_of(model.operation(name))


def test_errors_that_the_model_declares_retryable_are_repeated() -> None:
    """By the error's code, or its shape's name; as throttling if the model says so."""
    facts = _operation(
        "Tiny",
        "Try",
        Conflict={"retryable": {"throttling": False}},
        Slow={"retryable": {"throttling": True}, "error": {"code": "Tiny.Slow"}},
        Final={},
    )
    assert kind_of_status(400, "Conflict", facts) is Kind.TRANSIENT
    assert kind_of_status(400, "Tiny.Slow", facts) is Kind.THROTTLING
    assert kind_of_status(503, "Tiny.Slow", facts) is Kind.THROTTLING
    assert kind_of_status(400, "Slow", facts) is None
    assert kind_of_status(400, "Final", facts) is None
    assert kind_of_status(400, "Conflict") is None


def test_sts_may_repeat_when_an_identity_provider_does_not_answer() -> None:
    """Its model does not say so, and no other service means that by the code."""
    sts = _operation("STS", "AssumeRoleWithWebIdentity")
    assert kind_of_status(400, "IDPCommunicationError", sts) is Kind.TRANSIENT
    assert kind_of_status(400, "IDPCommunicationError", _operation("Tiny", "Try")) is None


@pytest.mark.parametrize(
    ("service_id", "name", "expected"),
    [
        ("SQS", "ReceiveMessage", True),
        ("SFN", "GetActivityTask", True),
        ("SWF", "PollForDecisionTask", True),
        ("SWF", "PollForActivityTask", True),
        ("SQS", "SendMessage", False),
        ("Tiny", "ReceiveMessage", False),
    ],
)
def test_long_polls_are_known_by_service_and_operation(
    service_id: str, name: str, expected: bool
) -> None:
    """There is no trait for them in the models yet."""
    assert _operation(service_id, name).is_long_poll is expected
