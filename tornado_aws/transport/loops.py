"""Which event loop an engine may be used on, and which one runs here."""

from __future__ import annotations

import asyncio
import os

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
