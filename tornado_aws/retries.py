"""Whether and when a failed attempt is repeated: the ``standard`` and ``adaptive`` retry modes.

Everything here is a function of its arguments; the caller brings time and random number and does
the sleeping. The constants are those that the AWS SDKs adopted in 2026.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import NamedTuple

from tornado_aws.exceptions import (
    ClientClosedError,
    ConnectError,
    PoolTimeout,
    ReadError,
    RequestException,
    RequestTimeout,
)
from tornado_aws.idempotence import is_idempotent
from tornado_aws.model import Operation

THROTTLING_CODES = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)
TRANSIENT_CODES = frozenset({"RequestTimeout", "RequestTimeoutException"})
TRANSIENT_STATUSES = frozenset({500, 502, 503, 504})

AUTH_CODES = frozenset(
    {
        "AWS.InvalidAccount",
        "AuthFailure",
        "AuthMissingFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSecurity",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)

MAX_BACKOFF = 20.0
QUOTA_CAPACITY = 500


class Kind(enum.Enum):
    """Why an attempt may be repeated: (first backoff in seconds, cost in quota)."""

    TRANSIENT = (0.05, 14)
    THROTTLING = (1.0, 5)

    @property
    def base(self) -> float:
        """Longest wait before the first repetition, seconds."""
        return self.value[0]

    @property
    def cost(self) -> int:
        """What a repetition takes from the quota."""
        return int(self.value[1])


class Policy(NamedTuple):
    """How often a call may be sent.

    Attributes:
        max_attempts: the most attempts, the first included.
        transient_base: longest wait before the first repetition of a transient failure, seconds
            (DynamoDB uses half of the others').
        adaptive: whether the rate of requests is limited after throttling.
        retry_lost_writes: whether a request is repeated although it may then be executed twice.
    """

    max_attempts: int = 3
    transient_base: float = Kind.TRANSIENT.base
    adaptive: bool = False
    retry_lost_writes: bool = False


# Services whose failures are shorter than others': by endpoint prefix.
POLICIES = {
    "dynamodb": Policy(max_attempts=4, transient_base=0.025),
    "streams.dynamodb": Policy(max_attempts=4, transient_base=0.025),
}


class Facts(NamedTuple):
    """What is known of an operation that bears on repeating it.

    Attributes:
        name: the operation's name.
        retryable: why each error may be repeated that its model declares so, by code.
        is_long_poll: whether callers ask again at once after a failure, as workers do that wait
            for a message or a task.
        is_idempotent: whether it may be executed twice.
    """

    name: str | None = None
    retryable: Mapping[str, Kind] = {}
    is_long_poll: bool = False
    is_idempotent: bool = False


# A raw request: nothing is known.
UNKNOWN = Facts()

# By the models' ``serviceId``: operations that wait on the server for something to happen.
LONG_POLLS: Mapping[str, frozenset[str]] = {
    "SQS": frozenset({"ReceiveMessage"}),
    "SFN": frozenset({"GetActivityTask"}),
    "SWF": frozenset({"PollForActivityTask", "PollForDecisionTask"}),
}

# Errors that services mean to be repeated, which their models do not say; by ``serviceId``.
UNDECLARED: Mapping[str, Mapping[str, Kind]] = {"STS": {"IDPCommunicationError": Kind.TRANSIENT}}


def facts_of(operation: Operation) -> Facts:
    """Return what a model says of repeating an operation."""
    service = operation.model.metadata.get("serviceId", "")
    retryable = dict(UNDECLARED.get(service, {}))
    for shape in map(operation.model.shape, operation.errors):
        declared = shape.traits.get("retryable")
        if declared is not None:
            kind = Kind.THROTTLING if declared.get("throttling") else Kind.TRANSIENT
            retryable[shape.traits.get("error", {}).get("code") or shape.name] = kind
    is_long_poll = operation.name in LONG_POLLS.get(service, ())
    return Facts(operation.name, retryable, is_long_poll, is_idempotent(operation))


def kind_of_status(status: int, code: str, facts: Facts = UNKNOWN) -> Kind | None:
    """Classify a service's error by its status and code; None when repeating cannot help."""
    declared = facts.retryable.get(code)
    if code in THROTTLING_CODES or status == 429 or declared is Kind.THROTTLING:
        return Kind.THROTTLING
    # Below 300 there is an error in what began as a success: the server failed midway.
    if code in TRANSIENT_CODES or status in TRANSIENT_STATUSES or status < 300:
        return Kind.TRANSIENT
    return declared


# What is done about a failure of the transport, and why; the first class that fits decides.
FAILURES: Mapping[type[RequestException], tuple[Kind | None, str]] = {
    ConnectError: (
        Kind.TRANSIENT,
        "no connection was made, so the server has received nothing",
    ),
    ReadError: (
        Kind.TRANSIENT,
        "the answer is lost, but if the request may be executed twice, it can be had again",
    ),
    PoolTimeout: (None, "the bottleneck is this client's own pool, and asking again lengthens it"),
    RequestTimeout: (None, "the caller's own bound has passed"),
    ClientClosedError: (None, "the client is closed"),
    RequestException: (None, "the body could not be read, and would not be the second time"),
}


def kind_of_failure(error: RequestException) -> Kind | None:
    """Classify a failure of the transport by `FAILURES`; None when repeating is pointless."""
    return next(kind for cls, (kind, _) in FAILURES.items() if isinstance(error, cls))


UNSAFE = (
    "it may have been executed, and is not known to be idempotent"
    " (retry_lost_writes=True repeats it all the same)"
)
ONCE = "its body can be sent only once"

# Why what might help is not done; other reasons show by themselves.
REFUSALS = frozenset({UNSAFE, ONCE})


class Decision(NamedTuple):
    """What follows a failed attempt.

    Attributes:
        repeat: whether the request is sent again.
        wait: how long to wait before, in seconds; a long poll waits even when it is not repeated.
        cost: what the repetition takes from the quota.
        reason: why, to be read.
    """

    repeat: bool
    wait: float
    cost: int
    reason: str


def decide(
    kind: Kind | None,
    policy: Policy,
    attempt: int,
    random: float,
    *,
    available: int,
    retry_after: float | None = None,
    is_replayable: bool = True,
    is_safe: bool = True,
    is_long_poll: bool = False,
    remaining: float | None = None,
) -> Decision:
    """Decide what follows a failed attempt.

    Args:
        kind: why repeating might help; None when it does not.
        policy: the call's policy.
        attempt: the number of the attempt that failed, counted from 1.
        random: a number from 0 to 1.
        available: what is left of the quota.
        retry_after: the service's wish (``x-amz-retry-after``) in seconds.
        is_replayable: whether the body can be sent a second time.
        is_safe: whether the server has not executed the request, or may execute it twice.
        is_long_poll: whether the caller asks again at once.
        remaining: seconds to the call's deadline; None without one. What cannot begin before it
            is not waited for.
    """
    if kind is None:
        return _final("repeating it cannot help")
    if attempt >= policy.max_attempts:
        return _final(f"max_attempts={policy.max_attempts} are used up")
    if not (is_replayable and is_safe):
        return _final(UNSAFE if is_replayable else ONCE)
    wait = backoff(kind, policy, attempt, random, retry_after)
    if remaining is not None and wait >= remaining:
        return _final(f"its deadline comes before the wait of {wait:.2f} s ends")
    if kind.cost > available:
        return Decision(False, wait if is_long_poll else 0.0, 0, "the retry quota is used up")
    return Decision(True, wait, kind.cost, kind.name.lower())


def _final(reason: str) -> Decision:
    return Decision(False, 0.0, 0, reason)


def backoff(
    kind: Kind, policy: Policy, attempt: int, random: float, retry_after: float | None = None
) -> float:
    """Return how long to wait after a failed attempt, in seconds.

    Args:
        kind: why it failed.
        policy: the call's policy.
        attempt: the number of the attempt that failed, counted from 1.
        random: a number from 0 to 1.
        retry_after: the service's wish (``x-amz-retry-after``) in seconds; it is followed within
            five seconds above the computed wait.
    """
    base = policy.transient_base if kind is Kind.TRANSIENT else kind.base
    wait = random * min(base * 2.0 ** min(attempt - 1, 30), MAX_BACKOFF)
    if retry_after is None:
        return wait
    return min(max(retry_after, wait), wait + 5.0)


class Quota:
    """How many repetitions a client may still make: a bucket that failures drain.

    It keeps a client from multiplying the load of a service that is down: each repetition takes
    its cost, each success gives back what its last repetition took, or one.
    """

    def __init__(self, capacity: int = QUOTA_CAPACITY) -> None:
        self.capacity = capacity
        self.available = capacity

    def acquire(self, cost: int) -> bool:
        """Take `cost` and return True, or return False and take nothing."""
        if cost > self.available:
            return False
        self.available -= cost
        return True

    def release(self, amount: int) -> None:
        """Give `amount` back, up to the capacity."""
        available = self.available + amount
        self.available = available if available < self.capacity else self.capacity
