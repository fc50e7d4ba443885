"""Something that is made once, by whoever needs it first, while the others wait."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

T = TypeVar("T")
Make = Callable[[], Coroutine[Any, Any, T]]


class Flight(Generic[T]):
    """Makes a value once for all who ask for it at the same time, and keeps it.

    A failure goes to all who wait for it and is not kept: the next one tries again. A caller that
    is cancelled leaves the making to the others.

    Attributes:
        value: what was made, None before.
    """

    def __init__(self) -> None:
        self.value: T | None = None
        self._task: asyncio.Task[T] | None = None

    async def get(self, make: Make[T]) -> T:
        """Return the value, made now if nobody has made it.

        Args:
            make: makes the value; not kept, so that it may be a method of whoever keeps this.
        """
        if self.value is not None:
            return self.value
        return await asyncio.shield(self._under_way(make))

    def _under_way(self, make: Make[T]) -> asyncio.Task[T]:
        loop = asyncio.get_running_loop()
        task = self._task
        # What another loop left behind will never end.
        if task is None or task.done() or task.get_loop() is not loop:
            task = self._task = loop.create_task(self._run(make))
            task.add_done_callback(_look_at)
        return task

    async def _run(self, make: Make[T]) -> T:
        # Kept by the task itself: between its end and a waiter's turn another caller may come.
        self.value = await make()
        return self.value


def _look_at(task: asyncio.Task[Any]) -> None:
    """Retrieve a failure that every waiter was cancelled before seeing."""
    if not task.cancelled():
        task.exception()
