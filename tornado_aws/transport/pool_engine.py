"""The part of the default engine that belongs to one event loop: its connections and calls.

`Pool` brings together the ledger of connections (`ledger`), the calls under way (`call`), the
attempts to connect (`dial`) and one timer for all deadlines. It decides through the ledger and then
does.
"""

from __future__ import annotations

import asyncio
import os

from tornado_aws.exceptions import AWSClientException, ConnectTimeout, RequestException
from tornado_aws.transport import (
    Origin,
    PoolStats,
    Request,
    Timeouts,
    TransportOptions,
    errors,
)
from tornado_aws.transport.call import NEVER, Call, Phase, bound_met, deadline
from tornado_aws.transport.connection import Connection
from tornado_aws.transport.dial import Dialer
from tornado_aws.transport.http1 import request_head
from tornado_aws.transport.ledger import Ledger
from tornado_aws.transport.loops import Waiter, selector_thread, waits_for_sockets
from tornado_aws.transport.proxies import Route, route

# NAT gateways and network load balancers drop a silent connection after 350 s without a word;
# services close theirs sooner, application load balancers after 60 s. What is older than this is
# not worth the failed attempt.
IDLE_LIFETIME = 60.0

# Reads of this size take 100 KB in one or two system calls.
_BUFFER_SIZE = 262144

# S3 has a host for each bucket, so origins are not few; routes are cheap to make again.
_MAX_ROUTES = 1024


class Dial:
    """An attempt to connect, under way.

    Attributes:
        route: where to.
        timeouts: its bounds.
        since: when it began, on the loop's clock.
        call: the call that waits for it; None when that was served by another connection.
        task: the task that makes it.
    """

    __slots__ = ("call", "route", "since", "task", "timeouts")

    task: asyncio.Task[None]

    def __init__(self, call: Call, now: float) -> None:
        self.route = call.route
        self.timeouts = call.timeouts
        self.since = now
        self.call: Call | None = call


class Pool:
    """Connections and calls on one loop."""

    def __init__(self, options: TransportOptions, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.pid = os.getpid()
        self.view = memoryview(bytearray(_BUFFER_SIZE))
        limit = options.max_response_size
        self.max_length = float("inf") if limit is None else limit
        self.created = 0
        self.requests = 0
        self.is_closed = False
        self._options = options
        self._thread = None if waits_for_sockets(loop) else selector_thread(loop)
        waiter: Waiter = self._thread or loop
        self._dialer = Dialer(options, loop, waiter, self.view)
        self._ledger: Ledger[Connection, Call] = Ledger(options.max_clients, IDLE_LIFETIME)
        self._calls: set[Call] = set()
        self._dials: dict[Dial, None] = {}
        self._routes: dict[Origin, Route] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = NEVER

    # --- what the transport calls ---

    def call(self, request: Request, timeouts: Timeouts) -> Call:
        """Make a call of `request` and set it on its way."""
        way = self._routes.get(request.origin) or self._route(request.origin)
        head = request_head(request, way.prefix, way.header_lines)
        now = self.loop.time()
        call = Call(request, timeouts, way, head, self.loop.create_future(), now)
        self._calls.add(call)
        self.requests += 1
        connection = self._take(call)
        if connection is not None:
            self._start(call, connection, now)
        else:
            self._seek(call)
        return call

    def abandon(self, call: Call) -> None:
        """End a call whose caller is gone, and free what it held."""
        if call.phase is not Phase.DONE:
            call.request.received = call.received
            self._withdraw(call)
            call.stream = None

    def close(self) -> None:
        """End everything."""
        self.is_closed = True
        if self._timer is not None:
            self._timer.cancel()
        for dial in list(self._dials):
            dial.task.cancel()
        self._dials.clear()
        for connection in self._ledger.clear():
            connection.abort()
        for call in list(self._calls):
            self.fail(call, errors.closed(sent=call.is_sent, received=call.received))
        self._end_thread()

    def forsake(self) -> None:
        """Close the sockets without the loop: it is closed, or the parent process's."""
        self.is_closed = True
        busy = [call.connection for call in self._calls if call.connection is not None]
        for connection in [*self._ledger.clear(), *busy]:
            connection.forsake()
        self._calls.clear()
        self._dials.clear()
        self._end_thread()

    def stats(self) -> PoolStats:
        """Count."""
        ledger = self._ledger
        return PoolStats(ledger.open, ledger.idle, ledger.waiting, self.created, self.requests)

    # --- what connections and streams call ---

    def finished(self, connection: Connection, call: Call, reusable: bool) -> None:
        """The response of `call` is whole; use its connection for the next call, or close it."""
        call.phase = Phase.DONE
        call.stream = None
        self._calls.discard(call)
        if call.upload is not None:
            call.upload.cancel()
        if reusable:
            self._release(connection)
        else:
            connection.abort()
            self._vacate()

    def fail(self, call: Call, error: Exception) -> None:
        """End `call` with `error`, and free what it held."""
        if call.phase is Phase.DONE:
            return
        self._withdraw(call)
        if call.stream is not None:
            call.stream.end(error)
            call.stream = None
        elif not call.future.done():
            call.future.set_exception(error)

    def lost(self, connection: Connection, call: Call | None, cause: Exception | None) -> None:
        """A connection has ended by itself."""
        if call is None:
            if self._ledger.discard(connection):
                self._vacate()
        elif may_resend(call, connection):
            if call.upload is not None:
                call.upload.cancel()
            call.resent = True
            call.connection = None
            # The slot passes from the dead connection to its successor.
            self._dial(call)
        else:
            self.fail(call, errors.connection_lost(call.request.origin, cause, call.received))

    def watch(self, call: Call) -> None:
        """See to it that the timer fires when the call's time is up."""
        when = deadline(call)
        if when < self._timer_at:
            self._set_timer(when)

    # --- ways of a call ---

    def _route(self, origin: Origin) -> Route:
        if len(self._routes) >= _MAX_ROUTES:
            self._routes.clear()
        way = self._routes[origin] = route(self._options, origin)
        return way

    def _take(self, call: Call) -> Connection | None:
        """Return a kept connection that lives as far as the kernel knows."""
        connection = self._ledger.take(call.key, call.started)
        while connection is not None and connection.is_dead():
            connection.abort()
            self._vacate()
            connection = self._ledger.take(call.key, call.started)
        return connection

    def _seek(self, call: Call) -> None:
        """Make a connection for the call, or let it wait for one."""
        if self._dials and self._adopt(call):
            return
        admission = self._ledger.admit()
        if admission.evict is not None:
            admission.evict.abort()
        if admission.granted or self._end_spare():
            self._dial(call)
        else:
            self._ledger.wait(call)
            self.watch(call)

    def _start(self, call: Call, connection: Connection, now: float) -> None:
        call.since = now
        connection.start(call)
        self.watch(call)

    def _adopt(self, call: Call) -> bool:
        """Let the call wait for a spare connection that is being made, if there is one."""
        for dial in self._dials:
            is_spare = dial.call is None and dial.route.key == call.key
            if is_spare and dial.timeouts == call.timeouts:
                self._join(dial, call, call.started)
                return True
        return False

    def _join(self, dial: Dial, call: Call, now: float) -> None:
        """Let the call wait for a connection that is being made already."""
        dial.call = call
        call.dial = dial
        call.phase = Phase.DIALING
        call.since = now
        self.watch(call)

    def _end_spare(self) -> bool:
        """Take the slot of a connection that is being made and that nobody waits for."""
        spare = next((dial for dial in self._dials if dial.call is None), None)
        if spare is None:
            return False
        del self._dials[spare]
        spare.task.cancel()
        return True

    def _dial(self, call: Call) -> None:
        call.phase = Phase.DIALING
        dial = call.dial = Dial(call, self.loop.time())
        self._dials[dial] = None
        dial.task = self.loop.create_task(self._run(dial))
        self.watch(call)

    async def _run(self, dial: Dial) -> None:
        try:
            line = await self._dialer.connect(dial.route, dial.timeouts)
        except asyncio.CancelledError as error:
            if dial in self._dials:  # the pool, which has forgotten the dial, did not do this
                place = dial.route.first_hop
                self._undialed(dial, errors.connect_failed(place, error, "the task"))
            raise
        except Exception as error:  # whatever it is, the call must end with it
            self._undialed(dial, error)
        else:
            connection = Connection(self, dial.route, line)
            if connection.is_dead():
                connection.abort()
                self._undialed(dial, errors.ended_unasked(dial.route.first_hop))
            else:
                self._dialed(dial, connection)

    def _dialed(self, dial: Dial, connection: Connection) -> None:
        del self._dials[dial]
        self.created += 1
        call = dial.call
        if call is None:
            self._release(connection)
        else:
            call.dial = None
            self._start(call, connection, self.loop.time())

    def _undialed(self, dial: Dial, error: Exception) -> None:
        del self._dials[dial]
        call = dial.call
        if call is None:
            self._vacate()
        elif isinstance(error, ConnectTimeout) and dial.since < call.since:
            self._dial(call)  # the bound was met by somebody else's wait
        else:
            call.dial = None
            if call.resent and isinstance(error, RequestException):
                error.sent = True  # on the kept connection that broke
            self.fail(call, error)

    def _withdraw(self, call: Call) -> None:
        """Free what a call holds that ends before its response is whole."""
        phase, call.phase = call.phase, Phase.DONE
        self._calls.discard(call)
        if call.upload is not None:
            call.upload.cancel()
        if call.dial is not None and call.dial in self._dials:
            del self._dials[call.dial]
            call.dial.task.cancel()
        if call.connection is not None:
            call.connection.abort()
        if self.is_closed:
            return
        if phase is Phase.WAITING:
            self._ledger.leave(call)
        else:
            self._vacate()

    # --- connections ---

    def _release(self, connection: Connection) -> None:
        # What may be sent only once would be lost on it, if it ended with its response.
        if (self._ledger.waiting or self._dials) and connection.is_dead():
            connection.abort()
            self._vacate()
            return
        now = self.loop.time()
        handover = self._ledger.release(connection, now)
        if handover.serve is not None:
            self._start(self._eldest(handover.serve, now), connection, now)
        elif handover.dial is not None:
            connection.abort()
            self._dial(handover.dial)
        elif self._dials:
            self._serve_dialing(connection, now)
        if now + IDLE_LIFETIME < self._timer_at:
            self._set_timer(now + IDLE_LIFETIME)

    def _eldest(self, first: Call, now: float) -> Call:
        """Return who has waited longest for a connection like one that is free.

        That is `first`, who was the first in the queue, or a call that waits for a new connection;
        `first` then waits for that one, so that one which does not come costs nobody's turn.
        """
        call = self._dialing(first.key)
        if call is None or call.started > first.started or call.timeouts != first.timeouts:
            return first
        if call.dial is not None:
            self._join(call.dial, first, now)
            call.dial = None
        return call

    def _serve_dialing(self, connection: Connection, now: float) -> None:
        """Give a free connection to a call that waits for a new one, which then stays spare."""
        call = self._dialing(connection.key)
        if call is not None and call.dial is not None:
            self._ledger.take(call.key, now)
            call.dial.call = None
            call.dial = None
            self._start(call, connection, now)

    def _dialing(self, key: object) -> Call | None:
        """Return the call that has waited longest for a new connection and may have a kept one."""
        calls = [dial.call for dial in self._dials if dial.call is not None]
        like = [call for call in calls if call.key == key and not call.resent]
        return min(like, key=lambda call: call.started, default=None)

    def _vacate(self) -> None:
        """A slot is free: the call that has waited longest may connect."""
        heir = self._ledger.vacate()
        if heir is not None:
            self._dial(heir)

    def _end_thread(self) -> None:
        if self._thread is not None:
            self._thread.close()

    # --- time ---

    def _set_timer(self, when: float) -> None:
        """Let the timer fire sooner than it would.

        That is rare: a call begins later than those under way and so, mostly, ends later. The timer
        looks for the next deadline when it fires.
        """
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = when
        self._timer = self.loop.call_at(when, self._sweep)

    def _sweep(self) -> None:
        """End what has run out of time, and set the timer for what will next."""
        self._timer = None
        self._timer_at = NEVER
        now, soonest = self.loop.time(), NEVER
        for call in list(self._calls):
            when = deadline(call)
            if when > now:
                soonest = min(soonest, when)
            else:
                self._expire(call, bound_met(call, now), now)
        for connection in self._ledger.expired(now):
            connection.abort()
            self._vacate()
        soonest = min(soonest, self._ledger.next_expiry())
        if soonest < self._timer_at:
            self._set_timer(soonest)

    def _expire(self, call: Call, bound: str, now: float) -> None:
        """End a call that has met a bound, unless its request is still moving."""
        if bound == "read" and call.connection is not None and call.connection.has_progressed():
            call.since = now
            self.watch(call)
        else:
            self.fail(call, _timeout(call, bound, self._options.max_clients))


def is_repeatable(request: Request) -> bool:
    """Tell whether the request can and may be sent a second time."""
    return request.may_resend and (request.body is None or isinstance(request.body, bytes))


def may_resend(call: Call, connection: Connection) -> bool:
    """Tell whether a call whose connection broke goes once more, to a fresh connection.

    A kept connection that ends before the first byte of a response was, all but surely, closed by a
    peer that had not seen the request.
    """
    return (
        connection.served > 0
        and connection.received == 0
        and not call.resent
        and is_repeatable(call.request)
    )


def _timeout(call: Call, bound: str, limit: int) -> AWSClientException:
    """Make the error of a call that has met `bound`."""
    origin, limits = call.request.origin, call.timeouts
    if bound == "pool":
        return errors.pool_timed_out(origin, limits.pool or 0.0, limit)
    if bound == "read":
        return errors.read_timed_out(origin, limits.read or 0.0, call.received)
    return errors.request_timed_out(
        origin, limits.request or 0.0, call.phase.value, sent=call.is_sent, received=call.received
    )
