"""Does somebody wait for himself?

While credentials are loaded, functions of the user's run: those that give credentials, or the code
of an MFA device. One that calls a client which needs these very credentials would wait for its own
end. It may do so on the event loop, or in a thread and by a blocking client; what it is part of
goes with it in a context variable, which tasks, `asyncio.to_thread` and calls of blocking clients
hand on.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Protocol

from tornado_aws.exceptions import UnsupportedOperationError

__all__ = ["check", "enter", "is_part_of"]


class Ends(Protocol):
    """Something that is waited for."""

    def done(self) -> bool:
        """Tell whether it has ended."""
        ...


_PART_OF: ContextVar[tuple[Ends, ...]] = ContextVar("_PART_OF", default=())


def enter(thing: Ends) -> None:
    """Let the rest of this task, and what it begins, be part of `thing`."""
    # What has ended is forgotten: tasks that were begun in it may live on.
    _PART_OF.set((*(each for each in _PART_OF.get() if not each.done()), thing))


def is_part_of(thing: Ends) -> bool:
    """Tell whether who asks is part of `thing`, and must not wait for it."""
    return any(each is thing for each in _PART_OF.get())


def check(thing: Ends) -> None:
    """Look whether `thing` may be waited for here.

    Raises:
        UnsupportedOperationError: who waits is part of it.
    """
    if is_part_of(thing):
        raise UnsupportedOperationError(
            "A function that takes part in loading credentials (credentials=, mfa_code=) has called"
            " a client that needs these very credentials, and would wait for itself for ever; use a"
            " client with other credentials there"
        )
