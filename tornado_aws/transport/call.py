"""One request on its way: where it stands, and when its time is up.

A call has one future, from the queue over the connection to the response; whatever ends the call
(response, error, timeout, close) settles that future. The bounds of `Timeouts` are read off the
call's phase by `deadline`, a plain function of the call: one timer a pool watches all of them.
"""

from __future__ import annotations

import asyncio
from enum import Enum
from typing import TYPE_CHECKING

from tornado_aws.transport import Request, Response, Timeouts
from tornado_aws.transport.proxies import Route

if TYPE_CHECKING:
    from tornado_aws.transport.connection import Connection
    from tornado_aws.transport.pool_engine import Dial
    from tornado_aws.transport.streams import StreamBuffer

NEVER = float("inf")


class Phase(Enum):
    """Where a call stands; the value completes "it was ..."."""

    WAITING = "waiting for a free connection"
    DIALING = "waiting for a new connection"
    EXCHANGE = "waiting for the response"
    STREAMING = "streaming the response"
    DONE = "done"


class Call:
    """One request and what is known of its way.

    Attributes:
        request, timeouts, route: what to send, for how long, and how.
        head: the request's head as bytes.
        future: settled with the response or an error.
        phase: where it stands.
        started: when it began, on the loop's clock.
        since: when its phase began or, once on a connection, when bytes last moved; `NEVER` while
            it waits for its caller (a body source, a reader of a stream) and cannot time out.
        connection: the connection it is on.
        dial: the attempt to connect that it waits for.
        resent: whether it was sent again after a kept connection turned out to be dead.
        stream: the response's body when it is streamed.
        upload: the task that sends a long body.
    """

    connection: Connection | None = None
    dial: Dial | None = None
    phase = Phase.WAITING
    resent = False
    stream: StreamBuffer | None = None
    upload: asyncio.Task[None] | None = None

    def __init__(
        self,
        request: Request,
        timeouts: Timeouts,
        route: Route,
        head: bytes,
        future: asyncio.Future[Response],
        now: float,
    ) -> None:
        self.request = request
        self.timeouts = timeouts
        self.route = route
        self.key = route.key
        self.head = head
        self.future = future
        self.started = self.since = now

    @property
    def received(self) -> int:
        """How many bytes of a response have come."""
        return 0 if self.connection is None else self.connection.received

    @property
    def is_sent(self) -> bool:
        """Whether any of it can have reached the server."""
        return self.resent or self.phase in (Phase.EXCHANGE, Phase.STREAMING)


def deadline(call: Call) -> float:
    """Return when the call meets the first of its bounds if nothing happens.

    Making a connection has a bound of its own, kept where the connection is made.
    """
    limits, phase = call.timeouts, call.phase
    whole, silence = limits.request, limits.read
    if phase is Phase.WAITING:
        silence = limits.pool
    elif phase is Phase.DIALING:
        silence = None
    elif phase is Phase.STREAMING:
        whole = None
    when = NEVER if whole is None else call.started + whole
    until = NEVER if silence is None else call.since + silence
    return until if until < when else when


def bound_met(call: Call, now: float) -> str:
    """Return which bound of `Timeouts` a call has met whose deadline has come."""
    limits = call.timeouts
    is_bounded = limits.request is not None and call.phase is not Phase.STREAMING
    if is_bounded and now >= call.started + (limits.request or 0.0):
        return "request"
    return "pool" if call.phase is Phase.WAITING else "read"
