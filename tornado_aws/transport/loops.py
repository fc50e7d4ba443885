"""Event loops: which one runs here, which an engine may be used on, what waits for its sockets."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Any, Protocol

from tornado_aws.exceptions import ConfigurationError


def refuse_strange(
    owner: asyncio.AbstractEventLoop, pid: int, loop: asyncio.AbstractEventLoop
) -> None:
    """Refuse to move an engine from the loop that it belongs to, to one that is not for it.

    Args:
        owner: the loop of its connections.
        pid: the process that made them.
        loop: the running loop.

    Raises:
        ConfigurationError: the engine's own loop is still open, or `loop` is its parent process's.
    """
    if pid != os.getpid():
        if owner is loop:
            raise ConfigurationError(
                "This event loop was made before the process forked, and whatever it does disturbs"
                " the parent's; make a new one in the child, as asyncio.run() does"
            )
    elif owner is not loop and not owner.is_closed():
        raise ConfigurationError(
            "This client belongs to another event loop, which is still open; "
            "make one client for each loop"
        )


def running_loop() -> asyncio.AbstractEventLoop | None:
    """Return the loop that runs in this thread, None without one."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


class Waiter(Protocol):
    """Waits for sockets and calls back on the loop: what a selector event loop offers."""

    def add_reader(self, fd: int, callback: Callable[..., Any], *args: Any) -> Any:
        """Call `callback` whenever `fd` can be read."""

    def remove_reader(self, fd: int) -> Any:
        """Do not any more."""

    def add_writer(self, fd: int, callback: Callable[..., Any], *args: Any) -> Any:
        """Call `callback` whenever `fd` can be written to."""

    def remove_writer(self, fd: int) -> Any:
        """Do not any more."""


def waits_for_sockets(loop: asyncio.AbstractEventLoop) -> bool:
    """Tell whether a loop can wait for sockets, as asyncio's Proactor loop (Windows) cannot."""
    return type(loop).add_reader is not asyncio.AbstractEventLoop.add_reader


def selector_thread(loop: asyncio.AbstractEventLoop) -> Any:
    """Return a thread that waits for sockets on behalf of a loop that cannot: a `Waiter` to close.

    Raises:
        ConfigurationError: Tornado is older than 6.5, which brought the thread.
    """
    try:
        from tornado.platform.asyncio import SelectorThread  # noqa: PLC0415 - hardly ever
    except ImportError as error:
        raise ConfigurationError(
            f"{type(loop).__name__} does not wait for sockets, which this client needs. Use"
            " Tornado 6.5 or newer, whose thread does it, or a selector event loop"
        ) from error
    return SelectorThread(loop)
