"""When a call is over, whatever it is at: the option ``total_timeout``.

From its first byte on, a call is bounded by `tornado_aws.pipeline`, which can tell how far it came.
What comes before, from reading the files to hashing the body, is bounded by `within`.
"""

# Annotations are not postponed here, as in `tornado_aws.session`.

import asyncio
import time
from collections.abc import Coroutine
from typing import Any, NamedTuple, TypeVar

from tornado_aws.exceptions import RequestTimeout

__all__ = ["Deadline", "within"]

T = TypeVar("T")


class Deadline(NamedTuple):
    """The end of one call.

    Attributes:
        service: the service's name.
        total: the option, seconds.
        end: when they are over, of `time.monotonic`.
    """

    service: str
    total: float
    end: float

    @property
    def remaining(self) -> float:
        """The seconds until then."""
        return self.end - time.monotonic()

    async def bound(self, course: Coroutine[Any, Any, T], operation: str | None, sent: bool) -> T:
        """Do what `within` says."""
        bound = asyncio.timeout(self.remaining)
        try:
            async with bound:
                return await course
        except TimeoutError:
            if not bound.expired():
                raise
        when = "while it was prepared for another endpoint" if sent else "before it was sent"
        error = RequestTimeout(
            f"The call did not end within total_timeout={self.total:g} seconds; they were over"
            f" {when}",
            error="total timeout",
            sent=sent,
        )
        raise error.locate(self.service, operation, "", "", ())


def within(
    deadline: Deadline | None,
    course: Coroutine[Any, Any, T],
    operation: str | None = None,
    *,
    sent: bool = False,
) -> Coroutine[Any, Any, T]:
    """Return what does a part of a call and ends with the call's deadline.

    Args:
        deadline: the deadline, None for none.
        course: the part.
        operation: the operation's name, None for a raw ``fetch``.
        sent: whether the request has been sent before.

    Raises:
        RequestTimeout: raised by what is returned: the deadline passed.
    """
    return course if deadline is None else deadline.bound(course, operation, sent)
