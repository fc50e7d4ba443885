"""Something that one event loop of a process makes, while all other loops wait for it.

`tornado_aws.flight` is for the callers on one loop. Loops in threads of their own, or the blocking
client's, share a `JointFlight`: who comes second waits for what the first one makes. It is the
others' to go on when the first one is cancelled, or its loop ends, or gets on no more: code on that
loop, or in all of its threads, may itself wait for one of the others.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Hashable
from concurrent.futures import Future
from contextlib import suppress
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

from tornado_aws import own_wait
from tornado_aws.exceptions import ClientClosedError

__all__ = ["ByKey", "JointFlight", "Making"]

T = TypeVar("T")

# How often to see whether the loop that makes it is still there, seconds.
_GLANCE = 1.0

# How long that loop may give no sign of life until the others do without it, seconds. Making the
# same twice does no harm, but may be asking a user twice.
_PATIENCE = 5.0


class Making(Generic[T]):
    """One making, by one loop for all.

    Attributes:
        about: what its maker says of it to the others.
    """

    def __init__(self, about: object) -> None:
        self.about = about
        self._result: Future[T | None] = Future()  # None when it was given up
        self._result.set_running_or_notify_cancel()  # no waiter can cancel it from now on
        self._loop = asyncio.get_running_loop()
        self._asked: float | None = None  # when for a sign of life that has not come, steady

    def done(self) -> bool:
        """Tell whether it has ended, one way or another."""
        return self._result.done()

    def is_under_way(self) -> bool:
        """Tell whether there is something to wait for."""
        return not self.done() and self._loop.is_running() and not self._is_stuck()

    def _is_stuck(self) -> bool:
        asked = self._asked
        return asked is not None and time.monotonic() - asked > _PATIENCE

    def _ask(self) -> None:
        """Ask the loop for a sign of life, and its threads, for a making may need both."""
        if self._asked is None:
            self._asked = time.monotonic()
            with suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(self._ask_threads)

    def _ask_threads(self) -> None:
        with suppress(RuntimeError):  # they are shut down
            self._loop.run_in_executor(None, self._give_sign)

    def _give_sign(self) -> None:
        self._asked = None

    async def run(self, make: Callable[[], Awaitable[T]]) -> T:
        """Make it, on the loop that this belongs to.

        A failure is told to all who wait, but for one that is this caller's own: its cancellation,
        or the end of its client.
        """
        made = None
        own_wait.enter(self)
        try:
            made = await make()
            return made
        except ClientClosedError:
            raise
        except Exception as error:
            self._result.set_exception(error)
            raise
        finally:
            if not self.done():
                self._result.set_result(made)

    async def outcome(self) -> T | None:
        """Wait for what another caller makes; None if that came to nothing.

        Raises:
            UnsupportedOperationError: this is called by something within it.
            Exception: it failed.
        """
        own_wait.check(self)
        waiting = asyncio.wrap_future(self._result)
        try:
            while not waiting.done():
                await asyncio.wait([waiting], timeout=_GLANCE)
                if not waiting.done() and not self.is_under_way():
                    return None
                self._ask()
            return waiting.result()
        finally:
            # It must not call back on a loop that is closed by then, nor complain of what nobody
            # saw.
            if not waiting.cancel() and not waiting.cancelled():
                waiting.exception()


class JointFlight(Generic[T]):
    """Makes a value once for all who ask for it at the same time on any loop; keeps nothing."""

    def __init__(self) -> None:
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._making: Making[T] | None = None

    async def get(self, make: Callable[[], Awaitable[T]]) -> T:
        """Return what another caller makes just now, or make it.

        Args:
            make: makes the value; whoever asks a moment later makes it again, so it looks first
                whether there still is something to do.
        """
        while True:
            making, is_ours = self.join()
            if is_ours:
                return await making.run(make)
            made = await making.outcome()
            if made is not None:
                return made

    def join(self, about: object = None) -> tuple[Making[T], bool]:
        """Return the making that is under way, or a new one, which is the caller's to run.

        Args:
            about: of the new one.

        Returns:
            The making, and whether it is the caller's.
        """
        if self._pid != os.getpid():
            self._begin_anew()  # the parent's loops are not here, and its lock may be held
        with self._lock:
            if self._making is not None and self._making.is_under_way():
                return self._making, False
            self._making = Making(about)
            return self._making, True


class ByKey(Generic[T]):
    """Things that loops share: one for each key, alive as long as any of its users.

    Args:
        make: makes one.
        recent: how many of those that were used last stay alive without users.
    """

    def __init__(self, make: Callable[[], T], recent: int = 0) -> None:
        self._make = make
        self._things: WeakValueDictionary[Hashable, T] = WeakValueDictionary()
        self._recent: deque[T] = deque(maxlen=recent)
        self._pid = os.getpid()
        self._lock = threading.Lock()

    def __getitem__(self, key: Hashable) -> T:
        if self._pid != os.getpid():
            self._pid, self._lock = os.getpid(), threading.Lock()  # the parent's may be held
        with self._lock:
            thing = self._things.get(key)
            if thing is None:
                thing = self._things[key] = self._make()
            if thing in self._recent:
                self._recent.remove(thing)
            self._recent.append(thing)
            return thing
