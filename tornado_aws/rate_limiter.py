"""How fast a client may send in the ``adaptive`` retry mode.

After a throttling answer the rate is cut, then grows again along the cubic curve of RFC 8312:
slowly near the rate that was too much, faster the longer nothing was throttled. Until the first
throttling answer nothing is limited. The constants are those of the AWS SDKs.

Times are passed in, in seconds of a monotonic clock; nothing here sleeps.
"""

from __future__ import annotations

import math

BETA = 0.7
SCALE = 0.4
SMOOTHING = 0.8
LOWEST_RATE = 0.5
LOWEST_CAPACITY = 1.0


class RateLimiter:
    """A bucket of tokens, one for each request, filled at a rate that answers adjust."""

    def __init__(self) -> None:
        self.enabled = False
        self.rate = 0.0
        self._capacity = 0.0
        self._tokens = 0.0
        self._filled_at: float | None = None
        self._measured_rate = 0.0
        self._counted = 0
        self._counted_since: float | None = None
        self._rate_before_cut = 0.0
        self._cut_at = 0.0

    def acquire(self, now: float) -> float:
        """Take a token and return 0, or return in how many seconds there will be one."""
        wait = self.wait(now, 0)
        if self.enabled and not wait:
            self._tokens -= 1
        return wait

    def wait(self, now: float, before: int) -> float:
        """Return in how many seconds there will be a token, at the present rate.

        Args:
            now: the time.
            before: how many tokens others will have taken before.
        """
        if not self.enabled:
            return 0.0
        self._fill(now)
        return max(0.0, (before + 1 - self._tokens) / self.rate)

    def update(self, now: float, *, throttled: bool) -> None:
        """Adjust the rate to an answer."""
        self._measure(now)
        if throttled:
            wanted = self._cut(now)
        elif self.enabled:
            wanted = self._growth(now)
        else:
            return
        self._set_rate(now, min(wanted, 2 * self._measured_rate))

    def _cut(self, now: float) -> float:
        before = min(self._measured_rate, self.rate) if self.enabled else self._measured_rate
        self._rate_before_cut = before
        self._cut_at = now
        self.enabled = True
        return before * BETA

    def _growth(self, now: float) -> float:
        window = math.cbrt(self._rate_before_cut * (1 - BETA) / SCALE)
        elapsed = now - self._cut_at - window
        return SCALE * elapsed * elapsed * elapsed + self._rate_before_cut

    def _measure(self, now: float) -> None:
        """Count answers in halves of a second; smooth the rate over those that are complete."""
        slot = math.floor(now * 2) / 2
        self._counted += 1
        if self._counted_since is None:
            self._counted_since = slot
        elif slot > self._counted_since:
            rate = self._counted / (slot - self._counted_since)
            self._measured_rate = rate * SMOOTHING + self._measured_rate * (1 - SMOOTHING)
            self._counted = 0
            self._counted_since = slot

    def _fill(self, now: float) -> None:
        if self._filled_at is not None:
            gained = (now - self._filled_at) * self.rate
            self._tokens = min(self._capacity, self._tokens + gained)
        self._filled_at = now

    def _set_rate(self, now: float, rate: float) -> None:
        self._fill(now)
        self.rate = max(rate, LOWEST_RATE)
        self._capacity = max(rate, LOWEST_CAPACITY)
        self._tokens = min(self._tokens, self._capacity)
