"""Who sends next in the ``adaptive`` retry mode: callers one after the other, as they came.

Only the first of those who wait looks at the rate, again and again: when it rises it does so for
all of them. Waits computed for each when it came would keep some for minutes behind a rate that was
lowest for a second.
"""

from __future__ import annotations

import asyncio
import time

from tornado_aws.rate_limiter import RateLimiter

__all__ = ["TurnTooLate", "Turns"]


class TurnTooLate(TimeoutError):
    """There is not time enough to wait for a turn."""


class _Line:
    """The callers who wait on one event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.first = asyncio.Lock()
        self.length = 0


class Turns:
    """Lets callers go as fast as a limiter says.

    Args:
        limiter: the limiter.
    """

    def __init__(self, limiter: RateLimiter) -> None:
        self._limiter = limiter
        self._line: _Line | None = None

    async def take(self, remaining: float | None) -> None:
        """Wait until the caller may send.

        Args:
            remaining: seconds that there are for it, None for no bound.

        Raises:
            TurnTooLate: they would not do, as it looks now.
        """
        limiter = self._limiter
        if not limiter.enabled:
            return
        line = self._here()
        if remaining is not None and limiter.wait(time.monotonic(), line.length) >= remaining:
            raise TurnTooLate
        line.length += 1
        try:
            async with line.first:
                while wait := limiter.acquire(time.monotonic()):  # noqa: ASYNC110 - no event tells
                    await asyncio.sleep(wait)
        finally:
            line.length -= 1

    def _here(self) -> _Line:
        """Return the line of the running loop; who waited on another one will never go on."""
        loop = asyncio.get_running_loop()
        if self._line is None or self._line.loop is not loop:
            self._line = _Line(loop)
        return self._line
