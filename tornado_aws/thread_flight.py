"""Something that is made to its end, whatever becomes of those who want it.

What `tornado_aws.joint_flight` makes belongs to the loop of whoever makes it, and is given up when
that one is cancelled. What must not be given up is made in a thread, on a loop of its own.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextvars import copy_context
from typing import Any, Generic, TypeVar

__all__ = ["ThreadFlight"]

T = TypeVar("T")
Make = Callable[[], Coroutine[Any, Any, T]]


class ThreadFlight(Generic[T]):
    """Makes a value once for all who ask for it at the same time on any loop; keeps nothing."""

    def __init__(self) -> None:
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._making: Future[T] | None = None

    async def get(self, make: Make[T]) -> T:
        """Return what is made just now, or make it.

        Args:
            make: makes the value, within bounds of its own: a process that ends waits for it.
                Whoever asks a moment later makes it again, so it looks first whether there still is
                something to do.
        """
        return await asyncio.wrap_future(self._under_way(make))

    def _under_way(self, make: Make[T]) -> Future[T]:
        if self._pid != os.getpid():
            self._begin_anew()  # the parent's threads are not here, and its lock may be held
        with self._lock:
            if self._making is None or self._making.done():
                self._making = self._begin(make)
            return self._making

    def _begin(self, make: Make[T]) -> Future[T]:
        making: Future[T] = Future()
        making.set_running_or_notify_cancel()  # nobody can cancel it from now on
        threading.Thread(target=copy_context().run, args=(self._run, making, make)).start()
        return making

    def _run(self, making: Future[T], make: Make[T]) -> None:
        # A method, so that this lives on without its users, and nobody makes another one meanwhile.
        try:
            made = asyncio.run(make())
        except BaseException as error:
            making.set_exception(error)
        else:
            making.set_result(made)
