"""What is made to its end in a thread of its own; more in the tests of logins' tokens."""

from __future__ import annotations

import asyncio
import os
import threading

import pytest

from tests.support.threads import in_threads
from tornado_aws.thread_flight import ThreadFlight


def test_what_is_made_is_for_all_who_wait_and_is_not_kept() -> None:
    """On all loops; a failure, too."""
    flight: ThreadFlight[int] = ThreadFlight()
    made: list[int] = []

    async def make() -> int:
        await asyncio.sleep(0.1)
        made.append(1)
        if len(made) == 2:
            raise ValueError("broken")
        return len(made)

    async def main(number: int) -> list[int | BaseException]:
        calls = (flight.get(make) for _ in range(5))
        return await asyncio.gather(*calls, return_exceptions=True)

    assert in_threads(4, main) == [[1] * 5] * 4
    assert {str(error) for errors in in_threads(4, main) for error in errors} == {"broken"}
    assert asyncio.run(flight.get(make)) == 3


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_forked_child_waits_for_nobody() -> None:
    """The thread that makes it is its parent's, and so is whoever holds the lock."""
    flight: ThreadFlight[int] = ThreadFlight()
    go_on = threading.Event()

    async def make() -> int:
        go_on.wait(5)
        return 1

    async def make_anew() -> int:
        return 2

    async def main() -> int:
        task = asyncio.ensure_future(flight.get(make))
        await asyncio.sleep(0)
        with flight._lock:
            child = os.fork()
            if child == 0:
                found: list[int] = []
                thread = threading.Thread(
                    target=lambda: found.append(asyncio.run(flight.get(make_anew)))
                )
                thread.start()
                thread.join(5)
                os._exit(0 if found == [2] else 1)
        go_on.set()
        assert await task == 1
        _, status = await asyncio.to_thread(os.waitpid, child, 0)
        return os.waitstatus_to_exitcode(status)

    assert asyncio.run(main()) == 0
