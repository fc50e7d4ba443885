"""Whether and when a failed attempt is repeated: the ``standard`` and ``adaptive`` retry modes.

Everything here is a function of its arguments; the caller brings the random number and does the
sleeping. The constants are those that the AWS SDKs adopted in 2026.
"""

from __future__ import annotations

import enum
from typing import NamedTuple

from tornado_aws.exceptions import ConnectError, ReadError, RequestException

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
TRANSIENT_CODES = frozenset({"RequestTimeout", "RequestTimeoutException", "IDPCommunicationError"})
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
    """

    max_attempts: int = 3
    transient_base: float = Kind.TRANSIENT.base
    adaptive: bool = False


# Services whose failures are shorter than others': by endpoint prefix.
POLICIES = {
    "dynamodb": Policy(max_attempts=4, transient_base=0.025),
    "streams.dynamodb": Policy(max_attempts=4, transient_base=0.025),
}


def kind_of_status(status: int, code: str) -> Kind | None:
    """Classify a service's error by its status and code; None when repeating cannot help."""
    if code in THROTTLING_CODES or status == 429:
        return Kind.THROTTLING
    if code in TRANSIENT_CODES or status in TRANSIENT_STATUSES:
        return Kind.TRANSIENT
    return None


def kind_of_failure(error: RequestException) -> Kind | None:
    """Classify a failure of the transport; None when repeating is pointless.

    A full pool, a closed client and a spent deadline stay what they are however often one asks.
    """
    return Kind.TRANSIENT if isinstance(error, ConnectError | ReadError) else None


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
        self.available = min(self.capacity, self.available + amount)
