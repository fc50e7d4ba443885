"""An event loop on a thread of its own, for callers that have none or may not block theirs."""

from __future__ import annotations

import asyncio
import os
import threading
import time
import warnings
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from tornado_aws.exceptions import ClientClosedError, UnsupportedOperationError

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

T = TypeVar("T")

# Seconds that what is under way may take to end, when the loop does.
_GRACE = 5.0

# A transport closes its socket a round after itself, two with TLS between.
_ROUNDS_TO_CLOSE = 4


class BackgroundLoop:
    """Runs coroutines for any number of threads, until it is stopped.

    The thread starts at the first coroutine. A forked process has none of its parent's threads and
    gets one of its own.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._threads: dict[int, _LoopThread] = {}

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run `coroutine` on the loop and return its result, or raise its error.

        An exception in the waiting thread (Ctrl-C) cancels the coroutine.

        Raises:
            ClientClosedError: the loop was stopped.
            UnsupportedOperationError: the loop itself makes this call, and would wait for itself.
        """
        try:
            handover = self._mine().submit(coroutine)
        except BaseException:
            coroutine.close()
            raise
        return handover.result()

    def stop(self, last: Callable[[], None]) -> None:
        """Call `last` on the loop, let the loop's tasks end, stop it and join its thread."""
        self._mine().stop(last)

    def __del__(self) -> None:
        mine = self._threads.get(os.getpid())
        if mine is not None and mine.is_running:
            warnings.warn(f"{self._name} was not closed", ResourceWarning, 2, source=self)
            mine.abandon()

    def _mine(self) -> _LoopThread:
        process = os.getpid()
        # No lock: one that another thread held during a fork would be locked for ever.
        return self._threads.get(process) or self._threads.setdefault(
            process, _LoopThread(self._name)
        )


class _Handover(Generic[T]):
    """A coroutine on its way to the loop, and its result on the way back.

    `asyncio.run_coroutine_threadsafe` does the same with two futures that inform each other, which
    takes half as long again: 48 microseconds against 34.
    """

    __slots__ = ("_coroutine", "_is_done", "_loop", "_task")

    _task: asyncio.Task[T]

    def __init__(self, coroutine: Coroutine[Any, Any, T], loop: asyncio.AbstractEventLoop) -> None:
        self._coroutine = coroutine
        self._loop = loop
        self._is_done = threading.Lock()
        self._is_done.acquire()

    def start(self) -> None:
        """Begin, on the loop."""
        self._task = self._loop.create_task(self._coroutine)
        self._task.add_done_callback(self._finish)

    def _finish(self, _: asyncio.Task[T]) -> None:
        self._is_done.release()

    def result(self) -> T:
        """Wait for the end, in the thread of the caller, and return the result or raise the error.

        Raises:
            ClientClosedError: the loop was stopped before the end.
        """
        try:
            self._is_done.acquire()
        except BaseException:
            self._loop.call_soon_threadsafe(self._cancel)
            raise
        try:
            if self._task.cancelled():
                raise ClientClosedError
            return self._task.result()
        finally:
            del self._task  # an error would hold itself, by the frames of its traceback

    def _cancel(self) -> None:
        self._task.cancel()


class _LoopThread:
    """A loop and its thread, in one process."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = asyncio.Event()
        self._thread: threading.Thread | None = None
        self._is_stopped = False

    @property
    def is_running(self) -> bool:
        return self._thread is not None and not self._is_stopped

    def submit(self, coroutine: Coroutine[Any, Any, T]) -> _Handover[T]:
        if self._is_own_call():
            raise UnsupportedOperationError(
                f"{self._name} was called by one of its own calls (an observer, credentials, a"
                " body), which would wait for itself for ever; use another client there"
            )
        with self._lock:  # nothing comes after the last function
            if self._is_stopped:
                raise ClientClosedError(sent=False)
            loop = self._loop or self._start()
            handover = _Handover(coroutine, loop)
            loop.call_soon_threadsafe(handover.start)
            return handover

    def _start(self) -> asyncio.AbstractEventLoop:
        loop = asyncio.new_event_loop()
        workers: list[threading.Thread] = []
        thread = threading.Thread(
            target=_serve, args=(loop, self._stopping, workers), name=self._name, daemon=True
        )
        try:
            loop.set_default_executor(_executor(workers))
            thread.start()
        except RuntimeError:  # there can be no more threads, or the interpreter ends
            loop.close()
            raise
        self._loop, self._thread = loop, thread
        return loop

    def stop(self, last: Callable[[], None]) -> None:
        with self._lock:
            is_first, self._is_stopped = not self._is_stopped, True
        if is_first:
            self._end(last)
        if self._thread is not None and not self._is_own_call():
            self._thread.join()

    def _end(self, last: Callable[[], None]) -> None:
        """Call `last` on the loop and let it end, whatever comes of that or of waiting for it."""
        if self._loop is None:
            last()
        elif self._is_own_call():
            self._stopping.set()
            last()
        else:
            called = asyncio.run_coroutine_threadsafe(_call(last), self._loop)
            self._loop.call_soon_threadsafe(self._stopping.set)
            called.result()

    def abandon(self) -> None:
        """Let the thread end by itself; there may be no waiting for it."""
        self._is_stopped = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._stopping.set)

    def _is_own_call(self) -> bool:
        return self._thread is threading.current_thread()


def _executor(workers: list[threading.Thread]) -> ThreadPoolExecutor:
    """Return what runs functions off a loop; each of its threads is noted in `workers`."""
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - not to make a client

    return ThreadPoolExecutor(
        thread_name_prefix="asyncio",
        initializer=lambda: workers.append(threading.current_thread()),
    )


def _serve(
    loop: asyncio.AbstractEventLoop, stopping: asyncio.Event, workers: list[threading.Thread]
) -> None:
    whole = loop.create_task(_run_all(loop, stopping))
    try:
        while not whole.done():
            # A loop lets these two pass, but here they are the caller's whose call raised them.
            with suppress(SystemExit, KeyboardInterrupt):
                loop.run_until_complete(whole)
    finally:
        loop.close()  # its executor takes nothing from now on
    # One may be stuck, in a read of a pipe into which nobody writes.
    for worker in tuple(workers):
        worker.join(max(0.0, whole.result() - time.monotonic()))


async def _run_all(loop: asyncio.AbstractEventLoop, stopping: asyncio.Event) -> float:
    """Run until it is time to stop, and let all end; return when the grace for this is over."""
    await stopping.wait()
    end = time.monotonic() + _GRACE
    await _settle(loop)
    return end


async def _call(function: Callable[[], None]) -> None:
    function()


async def _settle(loop: asyncio.AbstractEventLoop) -> None:
    """Let what is under way end, and sockets be closed."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    if others:
        await asyncio.wait(others, timeout=_GRACE)
    for task in others:
        task.cancel()
    for _ in range(_ROUNDS_TO_CLOSE):
        await asyncio.sleep(0)
    await loop.shutdown_asyncgens()
