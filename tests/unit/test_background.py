"""The event loop of blocking callers."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import threading
import warnings
import weakref

import pytest

from tornado_aws.background import BackgroundLoop
from tornado_aws.exceptions import ClientClosedError, UnsupportedOperationError


async def double(number: int) -> int:
    await asyncio.sleep(0)
    return 2 * number


async def fail() -> None:
    raise ValueError("broken")


def test_coroutines_of_many_threads_run_on_one_loop_and_nothing_is_left() -> None:
    """Each caller gets its own result; after stop no thread is left."""
    background = BackgroundLoop("test-loop")
    results: dict[int, int] = {}

    def call(number: int) -> None:
        results[number] = background.run(double(number))

    threads = [threading.Thread(target=call, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {number: 2 * number for number in range(20)}
    assert sum(thread.name == "test-loop" for thread in threading.enumerate()) == 1
    background.stop(lambda: None)
    assert all(thread.name != "test-loop" for thread in threading.enumerate())


def test_errors_reach_the_caller_and_the_loop_goes_on() -> None:
    """An error of one coroutine is raised where it was called."""
    background = BackgroundLoop("test-loop")
    with pytest.raises(ValueError, match="broken"):
        background.run(fail())
    assert background.run(double(4)) == 8
    background.stop(lambda: None)


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt])
def test_what_would_end_the_program_reaches_the_caller_and_the_loop_goes_on(
    error: type[BaseException],
) -> None:
    """It is raised where it was called, also from a task of its own; another call ends as usual."""
    background = BackgroundLoop("test-loop")
    is_waiting, may_end = threading.Event(), asyncio.Event()

    async def leave() -> None:
        raise error

    async def leave_within() -> None:
        await asyncio.shield(asyncio.create_task(leave()))

    async def wait() -> int:
        is_waiting.set()
        await may_end.wait()
        return 1

    async def let_end() -> None:
        may_end.set()

    other: list[int] = []
    thread = threading.Thread(target=lambda: other.append(background.run(wait())), daemon=True)
    thread.start()
    assert is_waiting.wait(10)
    for each in (leave, leave_within):
        with pytest.raises(error):
            background.run(each())
    background.run(let_end())
    thread.join(10)
    assert other == [1]
    background.stop(lambda: None)
    assert all(thread.name != "test-loop" for thread in threading.enumerate())


def test_an_error_is_gone_when_its_caller_is_done_with_it() -> None:
    """What a caller catches holds no cycle, which would keep bodies until a collection."""
    background = BackgroundLoop("test-loop")

    class Told(Exception):
        pass

    async def tell() -> None:
        raise Told

    def caught() -> weakref.ref[Told]:
        try:
            background.run(tell())
        except Told as error:
            return weakref.ref(error)
        raise AssertionError

    background.run(double(1))
    gc.disable()
    try:
        error = caught()
        background.run(double(2))  # the loop is done with the one before
        assert error() is None
    finally:
        gc.enable()
        background.stop(lambda: None)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="only POSIX systems have timers")
def test_an_interrupted_caller_ends_its_coroutine() -> None:
    """An exception that a signal's handler raises, as Ctrl-C does, cancels what is under way."""
    background = BackgroundLoop("test-loop")
    is_cancelled = threading.Event()

    async def wait() -> None:
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.01)
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            is_cancelled.set()
            raise

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with pytest.raises(KeyboardInterrupt):
            background.run(wait())
    finally:
        signal.signal(signal.SIGALRM, before)
    assert is_cancelled.wait(10)
    background.stop(lambda: None)


def test_what_is_cancelled_on_the_loop_ends_as_closed() -> None:
    """A caller that blocks is never told of a cancellation that it did not ask for."""
    background = BackgroundLoop("test-loop")

    async def give_up() -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(0)

    with pytest.raises(ClientClosedError):
        background.run(give_up())
    background.stop(lambda: None)


def test_stopping_calls_the_last_function_on_the_loop_or_at_once_without_one() -> None:
    """Connections are closed in the thread that owns them."""
    calls: list[str] = []
    background = BackgroundLoop("test-loop")
    background.stop(lambda: calls.append(threading.current_thread().name))
    background = BackgroundLoop("test-loop")
    background.run(double(1))
    background.stop(lambda: calls.append(threading.current_thread().name))
    assert calls == ["MainThread", "test-loop"]


def test_the_last_function_is_called_once_though_several_threads_stop() -> None:
    """Nothing is closed in a thread that does not own it, while the loop still uses it."""
    background = BackgroundLoop("test-loop")
    background.run(double(1))
    calls: list[str] = []
    threads = [
        threading.Thread(
            target=background.stop, args=(lambda: calls.append(threading.current_thread().name),)
        )
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert calls == ["test-loop"]


def test_the_loop_ends_though_the_last_function_fails() -> None:
    """Its error is the caller's, and no thread is left."""
    background = BackgroundLoop("test-loop")
    background.run(double(1))

    def fail_at_last() -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        background.stop(fail_at_last)
    background.stop(lambda: None)
    assert all(thread.name != "test-loop" for thread in threading.enumerate())


def test_nothing_runs_after_the_end() -> None:
    """A call that comes while another thread closes starts no new thread."""
    background = BackgroundLoop("test-loop")
    background.run(double(1))
    background.stop(lambda: None)
    with pytest.raises(ClientClosedError):
        background.run(double(1))
    assert all(thread.name != "test-loop" for thread in threading.enumerate())


@pytest.mark.parametrize("is_within", [False, True])
def test_stopping_waits_for_no_function_that_does_not_end(
    is_within: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a call does off the loop may take for ever (a read of a pipe), or stop the loop."""
    monkeypatch.setattr("tornado_aws.background._GRACE", 0.05)
    background = BackgroundLoop("test-loop")
    is_begun, may_end = threading.Event(), threading.Event()

    def stop() -> None:
        background.stop(lambda: None)

    def block() -> None:
        is_begun.set()
        if is_within:
            stop()
        may_end.wait()

    async def wait() -> None:
        await asyncio.get_running_loop().run_in_executor(None, block)

    def call() -> None:
        with pytest.raises(ClientClosedError):
            background.run(wait())

    threads = [threading.Thread(target=each, daemon=True) for each in (call, stop)]
    try:
        threads[0].start()
        assert is_begun.wait(10)
        threads[1].start()
        for thread in threads:
            thread.join(10)
            assert not thread.is_alive()
    finally:
        may_end.set()


def test_a_thread_that_cannot_start_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The caller is told why; nothing waits for a loop that does not run."""
    background = BackgroundLoop("test-loop")

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    for _ in range(2):
        with monkeypatch.context() as patched:
            patched.setattr(threading.Thread, "start", refuse)
            with pytest.raises(RuntimeError, match="can't start"):
                background.run(double(1))
    assert background.run(double(1)) == 2
    background.stop(lambda: None)


def test_a_call_within_a_call_is_refused_and_closing_there_is_not() -> None:
    """The loop never waits for itself."""
    background = BackgroundLoop("test-loop")

    async def inner() -> None:
        with pytest.raises(UnsupportedOperationError, match="another client"):
            background.run(double(1))
        background.stop(lambda: None)

    background.run(inner())
    for thread in threading.enumerate():
        if thread.name == "test-loop":
            thread.join(5)
            assert not thread.is_alive()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="only POSIX systems fork")
def test_a_forked_process_gets_a_thread_of_its_own() -> None:
    """The parent's thread does not exist in a child, and nobody waits for it there."""
    background = BackgroundLoop("test-loop")
    background.run(double(1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of threads at a fork
        child = os.fork()
    if child == 0:
        status = 1
        signal.alarm(10)
        try:
            status = 0 if background.run(double(21)) == 42 else 2
            background.stop(lambda: None)
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert background.run(double(2)) == 4
    background.stop(lambda: None)


def test_one_that_is_dropped_unclosed_says_so_and_its_thread_ends() -> None:
    """A ResourceWarning names it; nothing goes on running."""
    background = BackgroundLoop("test-loop")
    background.run(double(1))
    thread = next(thread for thread in threading.enumerate() if thread.name == "test-loop")
    with pytest.warns(ResourceWarning, match="test-loop was not closed"):
        del background
    thread.join(5)
    assert not thread.is_alive()


def test_it_works_inside_a_running_loop() -> None:
    """A blocking call from a coroutine (a notebook) does not collide with the running loop."""

    async def main() -> int:
        background = BackgroundLoop("test-loop")
        try:
            return background.run(double(21))
        finally:
            background.stop(lambda: None)

    assert asyncio.run(main()) == 42
