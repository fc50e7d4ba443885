"""What a pool decides: which connection a call gets, who is next, what has expired.

Nothing here touches a socket, a loop or a clock: the caller passes the time in, is told what to do
and does it. A slot is the right to have one connection; there are as many as the limit, and each is
held by a connection (busy or idle) or by an attempt to make one.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

# A freed connection goes to the first call that waits for the same place, which saves a handshake,
# unless a call for another place came this many seconds before that one: about 50 handshakes, so
# that making a connection for it costs little against what it waited. What it waited in all does
# not count: where every call waits longer than this, a connection would be made for nearly each.
FAIR_WAIT = 0.1


class Keeps(Protocol):
    """What the ledger must know of a connection: its place and since when it has been idle."""

    key: Hashable
    idle_since: float


class Waits(Protocol):
    """What the ledger must know of a call: its place and since when it has waited."""

    @property
    def key(self) -> Hashable: ...

    since: float


C = TypeVar("C", bound=Keeps)
W = TypeVar("W", bound=Waits)


class Admission(NamedTuple, Generic[C]):
    """May a call make a connection?

    Attributes:
        granted: it has a slot; without one it waits.
        evict: an idle connection that must be closed for it.
    """

    granted: bool
    evict: C | None = None


class Handover(NamedTuple, Generic[W]):
    """What happens to a connection that has become free; when both are None, it is kept.

    Attributes:
        serve: the call that gets it.
        dial: the call that gets its slot; the connection must be closed.
    """

    serve: W | None = None
    dial: W | None = None


_KEPT: Handover[Any] = Handover()


class Ledger(Generic[C, W]):
    """Slots, idle connections and waiting calls.

    Attributes:
        limit: how many slots there are.
        keep: for how many seconds an idle connection is kept.
        open: how many slots are taken.
        waiting: how many calls wait.
    """

    def __init__(self, limit: int, keep: float) -> None:
        self.limit = limit
        self.keep = keep
        self.open = 0
        self.waiting = 0
        self._idle: dict[Hashable, list[C]] = {}
        self._queues: dict[Hashable, OrderedDict[W, None]] = {}

    @property
    def idle(self) -> int:
        """How many connections are idle; may be asked in another thread than the loop's."""
        return sum(map(len, list(self._idle.values())))

    def take(self, key: Hashable, now: float) -> C | None:
        """Remove and return the idle connection last used, the least likely to be closed."""
        stack = self._idle.get(key)
        if not stack or now - stack[-1].idle_since >= self.keep:
            return None
        connection = stack.pop()
        if not stack:
            del self._idle[key]
        return connection

    def admit(self) -> Admission[C]:
        """Give a slot to a call that found no idle connection, if there is one."""
        if self.open < self.limit:
            self.open += 1
            return Admission(True)
        evicted = min(
            (stack[0] for stack in self._idle.values()),
            key=lambda connection: connection.idle_since,
            default=None,
        )
        if evicted is None:
            return Admission(False)
        self.discard(evicted)
        return Admission(True, evicted)

    def wait(self, call: W) -> None:
        """Put a call at the end of the queue."""
        self._queues.setdefault(call.key, OrderedDict())[call] = None
        self.waiting += 1

    def leave(self, call: W) -> None:
        """Take a waiting call out of the queue."""
        queue = self._queues[call.key]
        del queue[call]
        if not queue:
            del self._queues[call.key]
        self.waiting -= 1

    def release(self, connection: C, now: float) -> Handover[W]:
        """Say who gets a connection that has become free; without anyone it is kept from `now`."""
        if self.waiting:
            oldest = self._oldest()
            first = next(iter(self._queues.get(connection.key, ())), None)
            if first is None or first.since - oldest.since >= FAIR_WAIT:
                self.leave(oldest)
                return Handover(dial=oldest)
            self.leave(first)
            return Handover(serve=first)
        connection.idle_since = now
        self._idle.setdefault(connection.key, []).append(connection)
        return _KEPT

    def vacate(self) -> W | None:
        """Take back the slot of a connection that is gone; return the call that gets it."""
        if not self.waiting:
            self.open -= 1
            return None
        oldest = self._oldest()
        self.leave(oldest)
        return oldest

    def discard(self, connection: C) -> bool:
        """Remove an idle connection, its slot still taken; tell whether it was idle."""
        stack = self._idle.get(connection.key)
        if not stack or connection not in stack:
            return False
        stack.remove(connection)
        if not stack:
            del self._idle[connection.key]
        return True

    def expired(self, now: float) -> list[C]:
        """Remove and return the connections that have been idle for too long."""
        found = []
        for key, stack in list(self._idle.items()):
            fresh = [item for item in stack if now - item.idle_since < self.keep]
            found += stack[: len(stack) - len(fresh)]
            if fresh:
                self._idle[key] = fresh
            else:
                del self._idle[key]
        return found

    def next_expiry(self) -> float:
        """Return when the first idle connection expires, infinity when none is idle."""
        oldest = min((stack[0].idle_since for stack in self._idle.values()), default=float("inf"))
        return oldest + self.keep

    def clear(self) -> list[C]:
        """Forget everything; return the idle connections."""
        idle = [connection for stack in self._idle.values() for connection in stack]
        self._idle.clear()
        self._queues.clear()
        self.open = self.waiting = 0
        return idle

    def _oldest(self) -> W:
        heads = (next(iter(queue)) for queue in self._queues.values())
        return min(heads, key=lambda call: call.since)
