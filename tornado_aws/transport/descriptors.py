"""Room in the process's table of descriptors, made before the event loop would have to wait for it.

Linux gives a process a table for 64 descriptors, and a larger one when these are used up. In a
process with threads, whoever opens the one too many waits until no processor can be looking at the
old table: 10 ms and more, for which a loop would stand still in the middle of opening its sockets.
"""

from __future__ import annotations

import asyncio
import os
import sys
from concurrent.futures import ThreadPoolExecutor

# For how many descriptors Linux makes a process's first table, `NR_OPEN_DEFAULT`.
_FIRST_SIZE = 64

# A larger table costs 8 bytes for each; the next one shall not be needed soon.
_GROWTH = 16

# So many may be opened by others, unseen, before the table counts as full.
_MARGIN = 16


class DescriptorTable:
    """What is known of the process's table of descriptors, to one who opens sockets.

    Attributes:
        loop: the loop that must not wait.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._size = _FIRST_SIZE if sys.platform == "linux" else sys.maxsize
        self._opened: set[int] = set()
        self._highest = 0
        self._growth: asyncio.Future[int] | None = None

    def opened(self, descriptor: int) -> None:
        """Take note of a descriptor; the system gives the lowest that is free."""
        self._opened.add(descriptor)
        self._highest = max(self._highest, descriptor)

    def is_short(self) -> bool:
        """Tell whether the table may be too small for one more."""
        return self._is_short(0)

    def is_short_for(self, open_at_once: int, each: int) -> bool:
        """Tell whether the table may be too small for sockets that are opened out of sight.

        Args:
            open_at_once: how many there may be, which take the numbers of earlier ones first.
            each: how many descriptors one may take while it is opened.
        """
        return self._is_short(each * max(0, open_at_once - len(self._opened)))

    def _is_short(self, more: int) -> bool:
        return self._highest + more + _MARGIN >= self._size

    async def grow(self) -> None:
        """Let a thread wait for a larger table, once for all who ask meanwhile."""
        if self._growth is None:
            # A thread of its own: those of the loop may all be at work for others, for any time.
            thread = ThreadPoolExecutor(1)
            self._growth = self.loop.run_in_executor(thread, _grow, self._size * _GROWTH)
            self._growth.add_done_callback(self._grown)
            thread.shutdown(wait=False)
        await asyncio.shield(self._growth)

    def _grown(self, growth: asyncio.Future[int]) -> None:
        self._growth = None
        if not growth.cancelled():
            self._size = growth.result()


def _grow(size: int) -> int:
    """Make the table one for `size` descriptors; return how many need no larger one."""
    import fcntl  # noqa: PLC0415 - Windows has neither, and needs none
    import resource  # noqa: PLC0415

    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    is_last = limit != resource.RLIM_INFINITY and limit <= size
    try:
        low = os.eventfd(0)
        try:
            os.close(fcntl.fcntl(low, fcntl.F_DUPFD_CLOEXEC, (limit if is_last else size) - 1))
        finally:
            os.close(low)
    except OSError:
        # There is no room at all, of which whoever opens a socket hears.
        is_last = True
    return sys.maxsize if is_last else size
