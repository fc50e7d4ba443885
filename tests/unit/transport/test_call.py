"""When a call's time is up, and by which bound."""

from __future__ import annotations

import asyncio

import pytest

from tornado_aws.transport import Origin, Request, Timeouts
from tornado_aws.transport.call import NEVER, Call, Phase, bound_met, deadline
from tornado_aws.transport.proxies import Route

ORIGIN = Origin("http", "localhost", 80)
ALL = Timeouts(connect=1, read=2, request=10, pool=3)
NONE = Timeouts(connect=None, read=None, request=None, pool=None)


def call(phase: Phase, timeouts: Timeouts, since: float = 100.0) -> Call:
    """Make a call that began at 100 and whose phase began at `since`."""
    loop = asyncio.SelectorEventLoop()
    try:
        request = Request(ORIGIN, "GET", "/", [])
        made = Call(request, timeouts, Route(ORIGIN, ORIGIN), b"", loop.create_future(), 100.0)
    finally:
        loop.close()
    made.phase = phase
    made.since = since
    return made


@pytest.mark.parametrize(
    ("phase", "timeouts", "since", "when", "bound"),
    [
        (Phase.WAITING, ALL, 100, 103, "pool"),
        (Phase.DIALING, ALL, 101, 110, "request"),
        (Phase.EXCHANGE, ALL, 105, 107, "read"),
        (Phase.EXCHANGE, ALL, 109, 110, "request"),
        (Phase.STREAMING, ALL, 200, 202, "read"),
        (Phase.WAITING, NONE._replace(request=4), 100, 104, "request"),
        (Phase.EXCHANGE, NONE._replace(read=4), 101, 105, "read"),
    ],
)
def test_the_first_bound_counts(
    phase: Phase, timeouts: Timeouts, since: float, when: float, bound: str
) -> None:
    """Each phase has its bound, and the whole attempt one until the response is streamed."""
    made = call(phase, timeouts, since)
    assert deadline(made) == when
    assert bound_met(made, when) == bound


@pytest.mark.parametrize("phase", list(Phase))
def test_without_bounds_there_is_no_deadline(phase: Phase) -> None:
    """None is no bound."""
    assert deadline(call(phase, NONE)) == NEVER


def test_a_call_that_waits_for_its_caller_has_no_silence() -> None:
    """A slow body source, or a stream that nobody reads, is not the peer's fault."""
    made = call(Phase.EXCHANGE, NONE._replace(read=2), NEVER)
    assert deadline(made) == NEVER
