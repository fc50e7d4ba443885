"""One refresh for all event loops of a process, and for clients that follow one another.

Clients of one configuration share a source on each loop (`tornado_aws.credentials.shared`), as long
as any of them is open. By an `Exchange` the loops share what any of them fetches, and a program
that makes a client for each request, and closes it, has what its last one had.

Only credentials that end are handed over. Others come from files and variables, which cost nothing
to read and are looked at again by each source.
"""

from __future__ import annotations

import logging
from collections.abc import Hashable
from functools import partial

from tornado_aws.credentials import Credentials
from tornado_aws.credentials.refresh import (
    SHARE_OF_LIFE,
    WINDOWS,
    Clock,
    Moment,
    Provider,
    told,
)
from tornado_aws.exceptions import ClientClosedError
from tornado_aws.joint_flight import ByKey, JointFlight

__all__ = ["Exchange", "Exchanging", "exchange_of", "exchange_of_function"]

logger = logging.getLogger("tornado_aws.credentials")

_CLOCK = Clock()


class Exchange:
    """What the loops of a process know of one source.

    Attributes:
        fetch: the fetch that is under way; what its maker says of it is the credentials that it is
            to replace, None for an ordinary one.
        latest: the last credentials with an end that any loop has fetched.
        youth_end: until when who has none need not fetch others.
        is_renewed: whether they have replaced others; the first ones may have come from a cache.
    """

    def __init__(self) -> None:
        self.fetch: JointFlight[Credentials] = JointFlight()
        self.latest: Credentials | None = None
        self.youth_end = Moment(0.0, 0.0)
        self.is_renewed = False

    def keep(self, fresh: Credentials) -> None:
        """Keep what a loop has fetched."""
        if fresh.expiration is not None:
            self.is_renewed = self.latest is not None
            self.latest = fresh
            self.youth_end = Moment.after(SHARE_OF_LIFE * _remaining(fresh), _CLOCK)

    @property
    def is_young(self) -> bool:
        """Whether the latest ones have only just been fetched, for as long as they live at all."""
        return (self.youth_end.remaining(_CLOCK) or 0.0) > 0


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
        try:
            self._given = await self._load(rejected)
        except ClientClosedError:
            raise
        except Exception as error:
            latest = self._exchange.latest
            if latest is None or not self._is_usable(latest, rejected):
                raise
            logger.warning("Fetching credentials from %s failed: %s", self.name, told(error))
            self._given = latest
        return self._given

    async def _load(self, rejected: Credentials | None) -> Credentials:
        while True:
            fetch, is_ours = self._exchange.fetch.join(rejected)
            if is_ours:
                return await fetch.run(partial(self._fetched, rejected))
            found = await fetch.outcome()
            if found is None:
                continue
            if found.expiration is None:
                return await self._provider.load(rejected)
            if found != rejected or fetch.about == rejected:
                return found

    async def _fetched(self, rejected: Credentials | None) -> Credentials:
        latest = self._exchange.latest
        if latest is not None and self._is_news(latest, rejected):
            return latest
        found = await self._provider.load(rejected)
        # Before the fetch ends, so that no other begins that does not know of it.
        self._exchange.keep(found)
        return found

    def _is_news(self, latest: Credentials, rejected: Credentials | None) -> bool:
        """Tell whether credentials that were fetched before are what would be fetched now."""
        if latest == rejected or _remaining(latest) <= 0:
            return False
        is_young = self._exchange.is_young
        if latest is self._given:
            return is_young and self._exchange.is_renewed
        return is_young or _remaining(latest) > WINDOWS.advisory + WINDOWS.jitter

    def _is_usable(self, latest: Credentials, rejected: Credentials | None) -> bool:
        """Tell whether credentials that were fetched before are better than a failure."""
        return latest is not self._given and latest != rejected and _remaining(latest) > 0


def _remaining(credentials: Credentials) -> float:
    end = credentials.expiration
    return float("inf") if end is None else end.timestamp() - _CLOCK.wall()


# A program has few configurations; those that it has left behind are forgotten.
_RECENT = 8

_EXCHANGES = ByKey(Exchange, _RECENT)
_OF_FUNCTIONS = ByKey(Exchange)


def exchange_of(key: Hashable) -> Exchange:
    """Return the exchange of the sources with this key.

    It lives as long as any of them, and longer while it is among those that were used last.
    """
    return _EXCHANGES[key]


def exchange_of_function(key: Hashable) -> Exchange:
    """Return the exchange of the sources of one function, which lives as long as any of them.

    A user's function may return something else another time.
    """
    return _OF_FUNCTIONS[key]
