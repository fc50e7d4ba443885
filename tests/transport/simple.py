"""The simplest requests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from tornado_aws.transport import Origin, Request, Timeouts

# Long enough for a busy machine, short enough that a hang is an error.
PATIENT = Timeouts(connect=10, read=10, request=15, pool=10)


def get(origin: Origin, method: str = "GET", target: str = "/", **options: Any) -> Request:
    """Make a request without a body."""
    return Request(origin, method, target, _host(origin), **options)


def post(origin: Origin, body: Any, **options: Any) -> Request:
    """Make a request with a body."""
    return Request(origin, "POST", "/", _host(origin), body, **options)


def _host(origin: Origin) -> list[tuple[str, str]]:
    return [("Host", f"{origin.host}:{origin.port}")]


async def until(condition: Callable[[], object]) -> None:
    """Let the loop run until `condition` holds."""
    while not condition():  # noqa: ASYNC110 - there is no event to wait for
        await asyncio.sleep(0.001)


class ProactorLike(asyncio.SelectorEventLoop):
    """A loop that cannot wait for others' sockets, as asyncio's on Windows."""

    add_reader = asyncio.AbstractEventLoop.add_reader
    add_writer = asyncio.AbstractEventLoop.add_writer
