"""Retry decisions beside botocore's, with the rules that it calls those of 2026."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError
from botocore.model import ServiceModel as BotocoreModel
from botocore.retries import quota, standard
from hypothesis import given
from hypothesis import strategies as st

from tests.support import tiny_model
from tornado_aws import exceptions, retries
from tornado_aws.retries import Kind, Policy

SHAPES: dict[str, Any] = {
    "Conflict": {"retryable": {"throttling": False}},
    "Slow": {"retryable": {"throttling": True}},
    "Coded": {"retryable": {}, "error": {"code": "Its.Code"}},
    "Final": {},
}
CODES = sorted(
    {
        *retries.THROTTLING_CODES,
        *retries.TRANSIENT_CODES,
        *retries.AUTH_CODES,
        *SHAPES,
        "Its.Code",
        "IDPCommunicationError",
        "ValidationException",
        "InternalError",
    }
)
# botocore knows status 429 by its code alone; an answer of a gateway has none.
# A success with an error in it is 500 by the time that botocore decides.
STATUSES = [301, 400, 403, 404, 408, 500, 501, 502, 503, 504, 505]


@pytest.fixture(autouse=True)
def rules_of_2026(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standard, "NEW_RETRIES_ENABLED", True)


def _models() -> tuple[retries.Facts, Any]:
    shapes = {
        name: {"type": "structure", "members": {}, "exception": True, **traits}
        for name, traits in SHAPES.items()
    }
    operation = {"errors": [{"shape": name} for name in SHAPES]}
    ours = tiny_model.service(shapes, {"Try": operation}).operation("Try")
    metadata = {"serviceId": "Tiny", "endpointPrefix": "tiny", "protocol": "json"}
    theirs = {
        "metadata": metadata,
        "operations": {"Try": {"name": "Try", "http": {"method": "POST"}, **operation}},
        "shapes": shapes,
    }
    return retries.facts_of(ours), BotocoreModel(theirs).operation_model("Try")


FACTS, OPERATION = _models()


def _context(attempt: int = 1, **facts: Any) -> standard.RetryContext:
    return standard.RetryContext(attempt, operation_model=OPERATION, **facts)


def _answered(status: int, code: str, attempt: int = 1, **headers: str) -> standard.RetryContext:
    response = SimpleNamespace(status_code=status, headers=headers, content=b"")
    parsed = {"Error": {"Code": code}}
    return _context(attempt, http_response=response, parsed_response=parsed)


def _kind(context: standard.RetryContext) -> Kind | None:
    if not standard.StandardRetryConditions(9).is_retryable(context):
        return None
    detector = standard.ThrottlingErrorDetector(standard.RetryEventAdapter())
    is_throttling = detector.is_throttling_error_from_context(context)
    return Kind.THROTTLING if is_throttling else Kind.TRANSIENT


@pytest.mark.parametrize("status", STATUSES)
def test_errors_of_services_are_classified_alike(status: int) -> None:
    """Every known code with every status: repeated or not, and as throttling or not."""
    for code in CODES:
        ours = retries.kind_of_status(status, code, FACTS)
        assert ours is _kind(_answered(status, code)), (status, code)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (exceptions.ConnectError(), EndpointConnectionError(endpoint_url="")),
        (exceptions.ConnectTimeout(), ConnectTimeoutError(endpoint_url="")),
        (exceptions.ReadTimeout(), ReadTimeoutError(endpoint_url="")),
        (exceptions.RequestException(), ValueError()),
    ],
)
def test_failures_of_the_transport_are_classified_alike(
    ours: exceptions.RequestException, theirs: Exception
) -> None:
    """What breaks a connection is transient."""
    assert retries.kind_of_failure(ours) is _kind(_context(caught_exception=theirs))


@given(
    st.sampled_from(["ThrottlingException", "InternalError"]),
    st.integers(1, 12),
    st.floats(0, 1),
    st.none() | st.integers(0, 60_000),
    st.booleans(),
)
def test_waits_are_the_same(
    code: str, attempt: int, chance: float, retry_after: int | None, is_dynamodb: bool
) -> None:
    """For the same attempt, random number and wish of the service."""
    detector = standard.ThrottlingErrorDetector(standard.RetryEventAdapter())
    theirs = standard.ExponentialBackoff(
        random=lambda: chance,
        service_name="dynamodb" if is_dynamodb else "tiny",
        throttling_detector=detector,
    )
    headers = {} if retry_after is None else {"x-amz-retry-after": str(retry_after)}
    context = _answered(500, code, attempt, **headers)
    policy = retries.POLICIES["dynamodb"] if is_dynamodb else Policy()
    kind = retries.kind_of_status(500, code)
    assert kind is not None
    seconds = None if retry_after is None else retry_after / 1000
    ours = retries.backoff(kind, policy, attempt, chance, seconds)
    assert ours == pytest.approx(theirs.delay_amount(context))


@given(st.lists(st.sampled_from(["slow", "broken", "success"]), max_size=200))
def test_the_quota_is_the_same_after_any_run(run: list[str]) -> None:
    """What repetitions cost, when they are refused, and what successes give back."""
    theirs = quota.RetryQuota()
    detector = standard.ThrottlingErrorDetector(standard.RetryEventAdapter())
    checker = standard.RetryQuotaChecker(theirs, throttling_detector=detector)
    ours = retries.Quota()
    contexts = {"slow": _answered(400, "SlowDown"), "broken": _answered(500, "500")}
    kinds = {"slow": Kind.THROTTLING, "broken": Kind.TRANSIENT}
    request_context: dict[str, Any] = {}
    cost = 0
    for event in run:
        if event == "success":
            response = SimpleNamespace(status_code=200)
            checker.release_retry_quota(request_context, response)
            ours.release(cost or 1)
            request_context, cost = {}, 0
            continue
        context = contexts[event]
        context.request_context = request_context
        kind = kinds[event]
        decision = retries.decide(kind, Policy(10**6), 1, 0.0, available=ours.available)
        assert decision.repeat is checker.acquire_retry_quota(context)
        if decision.repeat and ours.acquire(decision.cost):
            cost = decision.cost
        assert ours.available == theirs.available_capacity
