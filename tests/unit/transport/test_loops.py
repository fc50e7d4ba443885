"""Which loop an engine may be used on."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator

import pytest

from tornado_aws.exceptions import ConfigurationError
from tornado_aws.transport.loops import refuse_strange, running_loop

PARENT = os.getppid()


@pytest.fixture
def loops() -> Iterator[list[asyncio.AbstractEventLoop]]:
    """Two open loops."""
    two: list[asyncio.AbstractEventLoop] = [asyncio.new_event_loop(), asyncio.new_event_loop()]
    yield two
    for loop in two:
        loop.close()


def test_another_loop_is_refused_while_the_first_is_open(
    loops: list[asyncio.AbstractEventLoop],
) -> None:
    """An engine moves on from a closed loop only."""
    first, second = loops
    refuse_strange(first, os.getpid(), first)
    with pytest.raises(ConfigurationError, match="one client for each loop"):
        refuse_strange(first, os.getpid(), second)
    first.close()
    refuse_strange(first, os.getpid(), second)


def test_in_a_forked_process_the_parents_loop_is_refused(
    loops: list[asyncio.AbstractEventLoop],
) -> None:
    """A child needs a loop of its own; the parent's stays open for ever in it."""
    first, second = loops
    refuse_strange(first, PARENT, second)
    with pytest.raises(ConfigurationError, match="forked"):
        refuse_strange(first, PARENT, first)


def test_the_running_loop_is_none_without_one() -> None:
    """Outside of a loop there is no error."""

    async def main() -> bool:
        return running_loop() is asyncio.get_running_loop()

    assert running_loop() is None
    assert asyncio.run(main())
