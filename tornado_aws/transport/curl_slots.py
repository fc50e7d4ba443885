"""Who may have a transfer, and who waits for one."""

from __future__ import annotations

import asyncio
from asyncio import AbstractEventLoop, Future


class Slots:
    """As many slots as there may be transfers; who comes when all are taken waits in order.

    Attributes:
        limit: how many there are.
        free: how many are free.
    """

    def __init__(self, limit: int, loop: AbstractEventLoop) -> None:
        self.limit = limit
        self.free = limit
        self._loop = loop
        self._queue: dict[Future[None], None] = {}

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._queue)

    def take(self) -> bool:
        """Take a slot if one is free, which it never is while anybody waits."""
        if self.free:
            self.free -= 1
            return True
        return False

    def give_back(self) -> None:
        """Return a slot; the first who waits gets it."""
        while self._queue:
            first = next(iter(self._queue))
            del self._queue[first]
            if not first.done():  # its caller may be cancelled and not know it yet
                first.set_result(None)
                return
        self.free += 1

    async def wait(self, until: float | None) -> None:
        """Wait for a slot and take it.

        Args:
            until: when to give up, on the loop's clock; None for never.

        Raises:
            TimeoutError: none became free in time.
            Exception: what `fail` was given.
        """
        place: Future[None] = self._loop.create_future()
        self._queue[place] = None
        timer = None if until is None else self._loop.call_at(until, self._give_up, place)
        try:
            await place
        except asyncio.CancelledError:
            self._queue.pop(place, None)
            if place.done() and not place.cancelled() and place.exception() is None:
                self.give_back()
            raise
        finally:
            if timer is not None:
                timer.cancel()

    def _give_up(self, place: Future[None]) -> None:
        self._queue.pop(place, None)
        if not place.done():
            place.set_exception(TimeoutError())

    def fail(self, error: Exception) -> None:
        """End every wait with `error`."""
        queue, self._queue = self._queue, {}
        for place in queue:
            if not place.done():
                place.set_exception(error)
