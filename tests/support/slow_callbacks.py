"""Seeing what keeps a loop busy: computing, a lock, a call in C, whatever waits without `await`.

`tests.support.blocking` sees calls of a few kinds, however short; here it is each callback that is
measured, whatever it does. Time on the clock is no witness to rely on: another program may have
taken it, or the machine that this virtual one runs on. So what counts is the time that a callback
computes, and time that passes without that only if the callback gave its processor away itself.

What is left is other threads of the program. So a callback has a name that is the same in every run
of a program, and only what is slow in each of several runs is slow by itself; `always_slow` runs a
program until it knows. That is a program of its own, for what is done once only must recur.
"""

from __future__ import annotations

import asyncio
import gc
import operator
import os
import resource
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

# How long one callback may keep the loop from the others, seconds.
LIMIT = 0.005

# Of so many runs one will be quiet enough for each callback. There is another only for a suspect.
RUNS = 10

_ASYNCIO = Path(asyncio.__file__).parent

# How long another thread may go on computing in Python when the loop wants to, seconds.
_SWITCH_INTERVAL = 0.0005


@contextmanager
def slow_callbacks() -> Iterator[dict[str, float]]:
    """Measure the callbacks of this thread's loop; give those over the limit.

    Give the longest time of each, in seconds, by its name: that of a function, or of a task's
    coroutine with the place where it had last been waiting.
    """
    slow: dict[str, float] = {}
    thread = threading.get_ident()
    run_handle = asyncio.Handle._run

    def run(handle: Any) -> None:
        if threading.get_ident() != thread:
            run_handle(handle)
            return
        name = _name(handle._callback)  # before it runs: afterwards a task is somewhere else
        before = spent()
        run_handle(handle)
        seconds = own_time(before, spent())
        if seconds > LIMIT:
            slow[name] = max(seconds, slow.get(name, 0.0))

    with _meter() as spent, _quiet(), mock.patch.object(asyncio.Handle, "_run", run):
        yield slow


def always_slow(run: Callable[[], Mapping[str, float]], runs: int = RUNS) -> dict[str, float]:
    """Run a program until every callback has once kept within the limit.

    Args:
        run: runs the program in an interpreter of its own, and gives its slow callbacks.
        runs: how often at most.

    Returns:
        Those that never did, with the shortest of their times in seconds.
    """
    slow = dict(run())
    for _ in range(runs - 1):
        if not slow:
            break
        again = run()
        slow = {name: min(slow[name], again[name]) for name in slow.keys() & again.keys()}
    return slow


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the collector, and other threads as far as possible, from taking the loop's time."""
    interval, collecting = sys.getswitchinterval(), gc.isenabled()
    sys.setswitchinterval(_SWITCH_INTERVAL)
    gc.disable()
    try:
        yield
    finally:
        sys.setswitchinterval(interval)
        if collecting:
            gc.enable()


class Spent(NamedTuple):
    """What a thread has spent so far.

    Attributes:
        clock: the time on the clock, seconds.
        computing: its time on a processor, without what the machine below took of it, seconds.
        queueing: its time of waiting for a processor, seconds.
        waits: how often it gave its processor away, to wait for something.
    """

    clock: float
    computing: float
    queueing: float
    waits: int


def own_time(before: Spent, after: Spent) -> float:
    """Return for how long, in seconds, a thread has computed or waited by its own doing."""
    passed = Spent(*map(operator.sub, after, before))
    return passed.clock - passed.queueing if passed.waits else passed.computing


@contextmanager
def _meter() -> Iterator[Callable[[], Spent]]:
    """Give what tells how much this thread has spent: the clock, if the system does not say."""
    path = f"/proc/self/task/{threading.get_native_id()}/schedstat"
    if not Path(path).exists():
        yield lambda: Spent(now := time.perf_counter(), now, 0.0, 0)
        return
    file = os.open(path, os.O_RDONLY)

    def spent() -> Spent:
        # Time on a processor and time waiting for one, nanoseconds; number of turns.
        queueing = int(os.pread(file, 100, 0).split()[1]) / 1e9
        waits = resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw
        return Spent(time.perf_counter(), time.thread_time(), queueing, waits)

    try:
        yield spent
    finally:
        os.close(file)


def _name(callback: Any) -> str:
    task = getattr(callback, "__self__", None)
    if isinstance(task, asyncio.Task):
        coroutine: Any = task.get_coro()
        return f"{coroutine.__qualname__}, from {_place(coroutine)}"
    while isinstance(callback, partial):
        callback = callback.func
    return str(getattr(callback, "__qualname__", type(callback).__qualname__))


def _place(coroutine: Any) -> str:
    """Return where a coroutine is waiting: the innermost of those that it awaits, file and line.

    How asyncio waits is not asked: generators, and its own coroutines, are passed over.
    """
    frame = None
    while coroutine is not None:
        found = getattr(coroutine, "cr_frame", None)
        if found is not None and Path(found.f_code.co_filename).parent != _ASYNCIO:
            frame = found
        coroutine = getattr(coroutine, "cr_await", None)
    if frame is None:
        return "its own"
    file = Path(frame.f_code.co_filename)
    return f"{frame.f_code.co_qualname} ({file.parent.name}/{file.name}:{frame.f_lineno})"
