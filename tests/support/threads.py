"""Several event loops at once, each in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any


def in_threads(count: int, main: Callable[[int], Awaitable[Any]]) -> list[Any]:
    """Run `main` on loops in so many threads at once; return what they gave or raised."""
    barrier = threading.Barrier(count)

    async def wait_for_all(number: int) -> Any:
        barrier.wait(5)
        return await main(number)

    def run(number: int) -> Any:
        try:
            return asyncio.run(wait_for_all(number))
        except Exception as error:
            return error

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(run, range(count)))
