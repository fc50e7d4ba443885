"""One refresh for all event loops of a process.

Clients of one configuration share a source on each loop (`tornado_aws.credentials.shared`). Where
there are several loops, in threads of their own or the blocking client's, they share by an
`Exchange` what any of them fetches: who comes second waits for the first one's result. It is the
others' to go on when the first one is cancelled, or its loop ends.

Only credentials that end are handed over. Others come from files and variables, which cost nothing
to read and are looked at again by each source.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from functools import partial
from weakref import WeakValueDictionary

from tornado_aws.credentials import Credentials
from tornado_aws.credentials.refresh import WINDOWS, Provider
from tornado_aws.exceptions import ClientClosedError

__all__ = ["Exchange", "Exchanging", "exchange_of"]

# How often to see whether the loop that fetches is still there, seconds.
_GLANCE = 1.0


class _Fetch:
    """A fetch that one loop makes for all.

    Attributes:
        rejected: the credentials that it is to replace, None for an ordinary one.
        result: what came of it; None when it was given up.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, rejected: Credentials | None) -> None:
        self.rejected = rejected
        self.result: Future[Credentials | None] = Future()
        self.result.set_running_or_notify_cancel()  # no waiter can cancel it from now on
        self._loop = loop

    def is_under_way(self) -> bool:
        return not self.result.done() and self._loop.is_running()


class Exchange:
    """What the loops of a process know of one source.

    Attributes:
        latest: the last credentials with an end that any loop has fetched.
    """

    def __init__(self) -> None:
        self.latest: Credentials | None = None
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._fetch: _Fetch | None = None

    def join(
        self, rejected: Credentials | None, is_news: Callable[[Credentials], bool]
    ) -> tuple[_Fetch, bool] | Credentials:
        """Return the fetch that is under way, or a new one, which is the caller's to make.

        Args:
            rejected: what the new one is to replace.
            is_news: whether credentials will do; if the latest do, it is they that are returned.
        """
        if self._pid != os.getpid():
            self._begin_anew()  # the parent's loops are not here, and its lock may be held
        with self._lock:
            if self._fetch is not None and self._fetch.is_under_way():
                return self._fetch, False
            # After that: a fetch tells its result here before it ends.
            if self.latest is not None and is_news(self.latest):
                return self.latest
            self._fetch = _Fetch(asyncio.get_running_loop(), rejected)
            return self._fetch, True


class Exchanging:
    """A `Provider` that asks another one, unless another loop does so already or just has.

    Args:
        provider: where the credentials come from.
        exchange: shared by the loops.
    """

    def __init__(self, provider: Provider, exchange: Exchange) -> None:
        self._provider = provider
        self._exchange = exchange
        self._given: Credentials | None = None

    @property
    def name(self) -> str:
        return self._provider.name

    @property
    def recheck(self) -> float | None:
        return self._provider.recheck

    async def load(self, rejected: Credentials | None) -> Credentials:
        self._given = await self._load(rejected)
        return self._given

    async def _load(self, rejected: Credentials | None) -> Credentials:
        while True:
            joined = self._exchange.join(rejected, partial(self._is_news, rejected))
            if isinstance(joined, Credentials):
                return joined
            fetch, is_ours = joined
            if is_ours:
                return await self._make(fetch)
            found = await _outcome(fetch)
            if found is None:
                continue
            if found.expiration is None:
                return await self._provider.load(rejected)
            if found != rejected or fetch.rejected == rejected:
                return found

    def _is_news(self, rejected: Credentials | None, latest: Credentials) -> bool:
        """Tell whether another loop's credentials are what this one would fetch."""
        if latest is self._given or latest == rejected or latest.expiration is None:
            return False
        remaining = latest.expiration.timestamp() - time.time()
        return remaining > WINDOWS.advisory + WINDOWS.jitter

    async def _make(self, fetch: _Fetch) -> Credentials:
        found = None
        try:
            found = await self._provider.load(fetch.rejected)
            if found.expiration is not None:
                self._exchange.latest = found
            return found
        except ClientClosedError:
            raise
        except Exception as error:
            fetch.result.set_exception(error)
            raise
        finally:
            if not fetch.result.done():
                # Given up, it is None: of this loop or client, and no concern of the others.
                fetch.result.set_result(found)


async def _outcome(fetch: _Fetch) -> Credentials | None:
    """Wait for another loop's fetch; None if that came to nothing.

    Raises:
        CredentialsError: it failed.
    """
    waiting = asyncio.wrap_future(fetch.result)
    try:
        while not waiting.done():
            await asyncio.wait([waiting], timeout=_GLANCE)
            if not waiting.done() and not fetch.is_under_way():
                return None
        return waiting.result()
    finally:
        # It must not call back on a loop that is closed by then, nor complain of what nobody saw.
        if not waiting.cancel() and not waiting.cancelled():
            waiting.exception()


_EXCHANGES: WeakValueDictionary[Hashable, Exchange] = WeakValueDictionary()
_LOCK = threading.Lock()


def exchange_of(key: Hashable) -> Exchange:
    """Return the exchange of the sources with this key, which lives as long as any of them."""
    with _LOCK:
        exchange = _EXCHANGES.get(key)
        if exchange is None:
            exchange = _EXCHANGES[key] = Exchange()
        return exchange
