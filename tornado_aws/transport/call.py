"""One request on its way: where it stands, and when its time is up.

A call has one future, from the queue over the connection to the response; whatever ends the call
(response, error, timeout, close) settles that future. The bounds of `Timeouts` are read off the
call's phase by `deadline`, a plain function of the call: one timer a pool watches all of them.
"""

from __future__ import annotations

import asyncio
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from tornado_aws.transport import Request, Response, Timeouts
from tornado_aws.transport.proxies import Route

if TYPE_CHECKING:
    from tornado_aws.transport.connection import Connection
    from tornado_aws.transport.pool import Dial
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

    __slots__ = (
        "connection",
        "dial",
        "future",
        "head",
        "key",
        "phase",
        "request",
        "resent",
        "route",
        "since",
        "started",
        "stream",
        "timeouts",
        "upload",
    )

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
        self.phase = Phase.WAITING
        self.started = self.since = now
        self.connection: Connection | None = None
        self.dial: Dial | None = None
        self.resent = False
        self.stream: StreamBuffer | None = None
        self.upload: asyncio.Task[None] | None = None

    @property
    def received(self) -> int:
        """How many bytes of a response have come."""
        return 0 if self.connection is None else self.connection.received

    @property
    def is_sent(self) -> bool:
        """Whether any of it can have reached the server."""
        return self.resent or self.phase in (Phase.EXCHANGE, Phase.STREAMING)


class Deadline(NamedTuple):
    """When a call's time is up, and which bound of `Timeouts` says so."""

    when: float
    bound: str


def deadline(call: Call) -> Deadline:
    """Return the first bound that the call will meet if nothing happens.

    Making a connection has a bound of its own, kept where the connection is made.
    """
    limits = call.timeouts
    whole = Deadline(NEVER, "request")
    if limits.request is not None and call.phase is not Phase.STREAMING:
        whole = Deadline(call.started + limits.request, "request")
    silence = Deadline(NEVER, "read")
    if call.phase is Phase.WAITING and limits.pool is not None:
        silence = Deadline(call.since + limits.pool, "pool")
    elif call.phase in (Phase.EXCHANGE, Phase.STREAMING) and limits.read is not None:
        silence = Deadline(call.since + limits.read, "read")
    return min(whole, silence)
