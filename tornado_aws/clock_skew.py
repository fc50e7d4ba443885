"""How far this machine's clock is from a service's, judged from an error about a signature's time.

Only an error that a service gives to a request we signed counts, and only when its ``Date`` really
is far from the time of signing: a date alone moves nothing.
"""

from __future__ import annotations

from datetime import UTC
from email.utils import parsedate_to_datetime

# Errors that say so, and errors that services give for it among other reasons.
SKEW_CODES = frozenset(
    {
        "RequestTimeTooSkewed",
        "RequestExpired",
        "RequestInTheFuture",
        "InvalidSignatureException",
        "SignatureDoesNotMatch",
        "AuthFailure",
    }
)

# Services accept five minutes (S3 fifteen); below four the clock is not the reason.
SMALLEST_SKEW = 4 * 60.0
# A clock further off than this is set wrong on purpose or by an attacker.
LARGEST_SKEW = 14 * 24 * 3600.0


def correction(code: str, date: str | None, now: float, used: float = 0.0) -> float | None:
    """Return what to add to this machine's clock, in seconds; None when it is not the reason.

    Args:
        code: the error's code.
        date: the response's ``Date`` header.
        now: this machine's time, seconds since 1970.
        used: the correction with which the request was signed.
    """
    if code not in SKEW_CODES:
        return None
    skew = ahead(date, now)
    if skew is None or abs(skew - used) < SMALLEST_SKEW or abs(skew) > LARGEST_SKEW:
        return None
    return skew


def ahead(date: str | None, now: float) -> float | None:
    """Return by how many seconds a ``Date`` header is ahead of `now`; None when it has no time."""
    if not date:
        return None
    try:
        served = parsedate_to_datetime(date)
    except (ValueError, OverflowError):
        return None
    aware = served if served.tzinfo else served.replace(tzinfo=UTC)
    return aware.timestamp() - now
