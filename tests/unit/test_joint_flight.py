"""What the loops of a process make together; more in the tests of exchanged credentials."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.threads import in_threads
from tornado_aws import joint_flight
from tornado_aws.exceptions import ClientClosedError
from tornado_aws.joint_flight import ByKey, JointFlight


def test_what_one_makes_is_for_all_who_wait_and_is_not_kept() -> None:
    """On its own loop and on others."""
    flight: JointFlight[int] = JointFlight()
    made: list[int] = []

    async def make() -> int:
        await asyncio.sleep(0.1)
        made.append(1)
        return len(made)

    async def main(number: int) -> list[int]:
        return await asyncio.gather(*(flight.get(make) for _ in range(5)))

    assert in_threads(4, main) == [[1] * 5] * 4
    assert asyncio.run(flight.get(make)) == 2


def test_a_failure_is_for_all_who_wait_but_the_end_of_a_client_is_its_own() -> None:
    """The others make it anew then, one of them for all."""
    tries: list[int] = []

    async def main(error: Exception) -> list[object]:
        flight: JointFlight[int] = JointFlight()

        async def make() -> int:
            tries.append(1)
            await asyncio.sleep(0)
            if len(tries) == 1:
                raise error
            return len(tries)

        tries.clear()
        return await asyncio.gather(*(flight.get(make) for _ in range(3)), return_exceptions=True)

    broken, closed = ValueError("broken"), ClientClosedError(sent=False)
    assert asyncio.run(main(broken)) == [broken] * 3
    assert asyncio.run(main(closed)) == [closed, 2, 2]


def test_what_nobody_waits_for_ends_without_a_complaint(caplog: pytest.LogCaptureFixture) -> None:
    """A failure that only its maker sees is the maker's."""
    flight: JointFlight[int] = JointFlight()

    async def make() -> int:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        asyncio.run(flight.get(make))
    gc.collect()
    assert not caplog.records


def test_a_thing_lives_as_long_as_its_users() -> None:
    """Then there is another one."""
    things: ByKey[JointFlight[int]] = ByKey(JointFlight)
    thing = things["a"]
    assert things["a"] is thing
    assert things["b"] is not thing
    del thing
    gc.collect()
    assert not things._things


def test_things_that_were_used_last_live_on_without_users() -> None:
    """So many of them; to be used again counts."""
    things: ByKey[JointFlight[int]] = ByKey(JointFlight, recent=2)
    for key in "abacab":
        assert things[key] is things[key]
    gc.collect()
    assert set(things._things) == {"a", "b"}


@pytest.mark.parametrize("blocks", ["its loop", "its loop's threads"])
def test_nobody_waits_for_a_loop_that_waits_itself(
    monkeypatch: pytest.MonkeyPatch, blocks: str
) -> None:
    """Code on that loop, or in all of its threads, may use a blocking client."""
    monkeypatch.setattr(joint_flight, "_GLANCE", 0.01)
    monkeypatch.setattr(joint_flight, "_PATIENCE", 0.1)
    flight: JointFlight[str] = JointFlight()

    async def make_by_threads() -> str:
        await asyncio.sleep(0.01)
        return await asyncio.to_thread(str, "first")

    async def make_anew() -> str:
        return "anew"

    def wait_on_another_loop() -> str | None:
        other = ThreadPoolExecutor(1).submit(asyncio.run, flight.get(make_anew))
        return other.result(10)

    async def main() -> tuple[str | None, str]:
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(1))
        first = asyncio.create_task(flight.get(make_by_threads))
        await asyncio.sleep(0)
        if blocks == "its loop":
            second = wait_on_another_loop()
        else:
            second = await loop.run_in_executor(None, wait_on_another_loop)
        return second, await first

    assert asyncio.run(main()) == ("anew", "first")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_forked_child_waits_for_no_thread_of_its_parent() -> None:
    """One that looked for a thing at that moment is not there to go on."""
    things: ByKey[JointFlight[int]] = ByKey(JointFlight)
    with things._lock:
        child = os.fork()
        if child == 0:
            found: list[object] = []
            thread = threading.Thread(target=lambda: found.append(things["a"]), daemon=True)
            thread.start()
            thread.join(5)
            os._exit(0 if found else 1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
