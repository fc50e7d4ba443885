"""The event loop of blocking callers."""

from __future__ import annotations

import asyncio
import threading

import pytest

from tornado_aws.background import BackgroundLoop


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


def test_stopping_calls_the_last_function_on_the_loop_or_at_once_without_one() -> None:
    """Connections are closed in the thread that owns them."""
    calls: list[str] = []
    background = BackgroundLoop("test-loop")
    background.stop(lambda: calls.append(threading.current_thread().name))
    background.run(double(1))
    background.stop(lambda: calls.append(threading.current_thread().name))
    assert calls == ["MainThread", "test-loop"]


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
