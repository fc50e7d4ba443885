"""What a pool decides, without a pool."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tornado_aws.transport.ledger import FAIR_WAIT, Admission, Handover, Ledger


@dataclass(eq=False)
class Line:
    """A connection, as far as the ledger knows."""

    key: Hashable = "a"
    idle_since: float = 0.0


@dataclass(eq=False)
class Caller:
    """A call, as far as the ledger knows."""

    key: Hashable = "a"
    since: float = 0.0


def ledger(limit: int = 2, *idle: Line) -> Ledger[Line, Caller]:
    """Make a ledger that keeps these connections, in the order in which they became idle."""
    made: Ledger[Line, Caller] = Ledger(limit, keep=60.0)
    for line in idle:
        made.admit()
        made.release(line, line.idle_since)
    return made


def test_the_connection_last_used_is_taken_first() -> None:
    """The newest idle connection of a place is the likeliest to be alive."""
    old, new, other = Line(idle_since=1), Line(idle_since=2), Line("b", 3)
    book = ledger(3, old, new, other)
    assert [book.take("a", 4), book.take("a", 4), book.take("a", 4)] == [new, old, None]


def test_an_expired_connection_is_not_taken() -> None:
    """A connection at its age limit is left for the sweep."""
    line = Line(idle_since=1)
    book = ledger(1, line)
    assert book.take("a", 61) is None
    assert book.expired(61) == [line]


def test_connections_expire_by_their_own_time() -> None:
    """Only what has been idle for long enough goes, and the next moment is known."""
    old, new = Line(idle_since=1), Line(idle_since=5)
    book = ledger(2, old, new)
    assert book.next_expiry() == 61
    assert book.expired(61) == [old]
    assert (book.next_expiry(), book.idle) == (65, 1)
    assert book.expired(65) == [new]
    assert book.next_expiry() == float("inf")


def test_slots_are_given_until_the_limit() -> None:
    """A call gets a slot while there is one, then must wait."""
    book = ledger(1)
    assert book.admit() == Admission(True)
    assert book.admit() == Admission(False)
    assert book.open == 1


def test_at_the_limit_the_longest_idle_connection_makes_room() -> None:
    """An idle connection to another place is closed for a call that needs its slot."""
    old, new = Line("b", 1), Line("c", 2)
    book = ledger(2, new, old)
    assert book.admit() == Admission(True, old)
    assert (book.open, book.idle) == (2, 1)


def test_a_freed_connection_goes_to_the_first_that_waits_for_it() -> None:
    """Calls for one place are served in the order in which they came."""
    book, line = ledger(1), Line()
    book.admit()
    first, second = Caller(since=1), Caller(since=2)
    book.wait(first)
    book.wait(second)
    assert book.release(line, 3) == Handover(serve=first)
    assert book.release(line, 4) == Handover(serve=second)
    assert book.release(line, 5) == Handover()
    assert (line.idle_since, book.idle, book.waiting) == (5, 1, 0)


def test_a_call_for_another_place_gets_the_slot_when_nobody_wants_the_connection() -> None:
    """A connection that no waiting call can use is closed for one that needs a slot."""
    book = ledger(1)
    book.admit()
    waiting = Caller("b", 1)
    book.wait(waiting)
    assert book.release(Line("a"), 1) == Handover(dial=waiting)
    assert book.open == 1


def test_a_call_for_another_place_is_overtaken_for_a_moment_only() -> None:
    """Connections are not closed and made anew in turn, and nobody waits for ever."""
    book, line = ledger(1), Line("a")
    book.admit()
    other, same = Caller("b", 1.0), Caller("a", 1.01)
    book.wait(other)
    book.wait(same)
    book.wait(Caller("a", 1.0 + FAIR_WAIT))
    assert book.release(line, 9.0) == Handover(serve=same)
    assert book.release(line, 9.0) == Handover(dial=other)


def test_an_overloaded_pool_uses_its_connections_again() -> None:
    """However long all calls wait, each place's connections serve the calls for it."""
    book = ledger(2)
    lines = [Line("a"), Line("b")]
    for line in lines:
        book.admit()
        for number in range(10):
            book.wait(Caller(line.key, number * FAIR_WAIT / 3))
    for when in range(10, 20):
        for line in lines:
            assert book.release(line, when).serve is not None


def test_a_slot_that_becomes_free_goes_to_the_longest_waiting() -> None:
    """When a connection is gone, the oldest call of all may connect."""
    book = ledger(1)
    book.admit()
    old, new = Caller("b", 1), Caller("a", 2)
    book.wait(new)
    book.wait(old)
    assert (book.vacate(), book.vacate(), book.vacate()) == (old, new, None)
    assert book.open == 0


def test_a_call_that_gives_up_leaves_the_queue() -> None:
    """A waiting call that ends does not hold up the others."""
    book = ledger(1)
    book.admit()
    first, second = Caller(since=1), Caller(since=2)
    book.wait(first)
    book.wait(second)
    book.leave(first)
    assert (book.waiting, book.release(Line(), 3)) == (1, Handover(serve=second))


def test_a_connection_that_died_idle_is_forgotten() -> None:
    """Discarding says whether the connection was idle."""
    line = Line()
    book = ledger(1, line)
    assert (book.discard(line), book.discard(line), book.idle) == (True, False, 0)


KEYS = st.sampled_from("abc")
NUMBERS = st.integers(0, 9)


class LedgerMachine(RuleBasedStateMachine):
    """Calls come, end, break and give up in any order."""

    @initialize(limit=st.integers(1, 3))
    def begin(self, limit: int) -> None:
        self.book: Ledger[Line, Caller] = Ledger(limit, keep=60.0)
        self.busy: list[Line] = []
        self.queue: list[Caller] = []
        self.now = 0.0

    @rule(key=KEYS)
    def call(self, key: str) -> None:
        line = self.book.take(key, self.now)
        if line is not None:
            self.busy.append(line)
        elif self.book.admit().granted:
            self.busy.append(Line(key))
        else:
            self.queue.append(Caller(key, self.now))
            self.book.wait(self.queue[-1])

    @precondition(lambda self: self.busy)
    @rule(number=NUMBERS)
    def finish(self, number: int) -> None:
        line = self.busy.pop(number % len(self.busy))
        handover = self.book.release(line, self.now)
        if handover.serve is not None:
            self.connect(handover.serve)
        elif handover.dial is not None:
            self.connect(handover.dial)

    @precondition(lambda self: self.busy)
    @rule(number=NUMBERS)
    def lose(self, number: int) -> None:
        self.busy.pop(number % len(self.busy))
        heir = self.book.vacate()
        if heir is not None:
            self.connect(heir)

    @precondition(lambda self: self.queue)
    @rule(number=NUMBERS)
    def give_up(self, number: int) -> None:
        self.book.leave(self.queue.pop(number % len(self.queue)))

    @rule(seconds=st.integers(0, 70))
    def wait(self, seconds: int) -> None:
        self.now += seconds
        for _ in self.book.expired(self.now):
            assert self.book.vacate() is None

    def connect(self, caller: Caller) -> None:
        self.queue.remove(caller)
        self.busy.append(Line(caller.key))

    @invariant()
    def slots_add_up(self) -> None:
        assert self.book.open == len(self.busy) + self.book.idle <= self.book.limit
        assert self.book.waiting == len(self.queue)

    @invariant()
    def nobody_waits_beside_a_free_slot(self) -> None:
        assert not self.queue or (self.book.open == self.book.limit and not self.book.idle)


def test_slots_always_add_up() -> None:
    """Whatever happens, slots are neither lost nor exceeded, and no call waits without need."""
    run_state_machine_as_test(
        LedgerMachine, settings=settings(max_examples=60, stateful_step_count=40, deadline=None)
    )
