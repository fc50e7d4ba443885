"""Endpoints that a service tells itself: asked for when first needed, kept for as long as it says.

An operation of such a service either must be sent to a discovered endpoint or may be
(`Discovered.is_required`). While an endpoint is asked for, all who need it wait for the one answer;
one that has come to its end is used on when asking for another fails.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from tornado_aws.exceptions import CallError, EndpointError
from tornado_aws.flight import Flight
from tornado_aws.urls import BaseURL, parse_base

if TYPE_CHECKING:
    from tornado_aws.credentials.source import CredentialSource
    from tornado_aws.errors import ErrorDetails
    from tornado_aws.routes import Route
    from tornado_aws.settings import Settings
    from tornado_aws.transport import Response

__all__ = ["Discovered", "Discovery"]

Params = Mapping[str, Any]
# Calls an operation by its name with parameters.
Call = Callable[[str, Params], Awaitable[Any]]
# Asks the service for its endpoints.
Ask = Callable[[], Awaitable[Mapping[str, Any]]]

# How long nobody asks after a failure, seconds: that of botocore's discovery.py.
_PATIENCE = 60.0

# What says that an endpoint is not, or no longer, the right one (RFC 9110 section 15.5.20).
_MISDIRECTED = 421
_INVALID = "InvalidEndpointException"

# More than most programs need; one that needs more begins anew with the one that is oldest.
_MOST = 1024


class Discovered(NamedTuple):
    """How an operation's endpoint is discovered.

    Attributes:
        operation: the operation that tells the endpoints.
        is_required: whether the operation is sent to a discovered endpoint only.
        question: from the operation's parameters to those of the operation that tells.
    """

    operation: str
    is_required: bool
    question: Callable[[Params], Params]


class _Entry:
    """What is known of one question.

    Attributes:
        base: the endpoint, None while there is none.
        end: when it comes to its end, on the discovery's clock.
        pause: until when nobody asks, if there is something to do without.
        asking: the question under way.
    """

    def __init__(self) -> None:
        self.base: BaseURL | None = None
        self.end = self.pause = float("-inf")
        self.asking: Flight[BaseURL] = Flight()


class Discovery:
    """The discovered endpoints of a client and its views.

    Args:
        clock: gives the time in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._entries: dict[object, _Entry] = {}

    @staticmethod
    def is_wanted(found: Discovered, settings: Settings) -> bool:
        """Tell whether a call goes to a discovered endpoint.

        A client that has an endpoint of its own asks for none.

        Raises:
            EndpointError: the operation needs one, and the settings do not let it.
        """
        wanted = settings.endpoint_discovery_enabled
        if settings.endpoint is not None:
            return False
        if found.is_required and wanted is False:
            source = settings.sources["endpoint_discovery_enabled"]
            raise EndpointError(
                "The operation needs endpoint discovery, which is switched off:"
                f" endpoint_discovery_enabled = false (from {source})"
            )
        return found.is_required or wanted is True

    async def route(
        self,
        route: Route,
        found: Discovered,
        params: Params,
        source: CredentialSource,
        call: Call,
    ) -> Route:
        """Return the route of a call, to the endpoint that the service tells.

        Where a discovered endpoint is not required, the call keeps its route when there is none.

        Args:
            route: the route without discovery.
            found: how the operation's endpoint is discovered.
            params: the operation's parameters.
            source: gives the credentials, whose account the endpoint is for.
            call: calls an operation by its name with parameters.

        Raises:
            EndpointError: an endpoint is required, and what came is none.
            CallError: an endpoint is required, and no answer came.
        """
        credentials = await source.get()
        question = found.question(params)
        owner = credentials.account_id or credentials.access_key
        entry = self._entry((route.base.url, owner, repr(question)))
        base = entry.base
        needs_one = found.is_required and base is None
        if self._clock() >= (entry.end if needs_one else max(entry.end, entry.pause)):
            ask = partial(call, found.operation, question)
            base = await self._refresh(entry, route.base, ask, found.is_required)
        return route if base is None else route._replace(base=base, is_discovered=True)

    def learn(self, route: Route, response: Response, error: ErrorDetails) -> bool:
        """Forget an endpoint that an error says is wrong; tell whether to ask for another."""
        is_wrong = response.status == _MISDIRECTED or error.code == _INVALID
        if not (route.is_discovered and is_wrong):
            return False
        for entry in self._entries.values():
            if entry.base == route.base:
                entry.base, entry.end = None, float("-inf")
        return True

    def _entry(self, name: object) -> _Entry:
        if name not in self._entries:
            if len(self._entries) >= _MOST:
                del self._entries[next(iter(self._entries))]
            self._entries[name] = _Entry()
        return self._entries[name]

    async def _refresh(
        self, entry: _Entry, usual: BaseURL, ask: Ask, is_required: bool
    ) -> BaseURL | None:
        """Return the endpoint, asked for anew; the stale one, or None, when asking fails."""

        async def make() -> BaseURL:
            base, minutes = _first(await ask(), usual)
            entry.base, entry.end = base, self._clock() + 60.0 * minutes
            entry.pause = float("-inf")
            entry.asking = Flight()
            return base

        try:
            return await entry.asking.get(make)
        except (CallError, EndpointError):
            if is_required and entry.base is None:
                raise
            entry.pause = self._clock() + _PATIENCE
            return entry.base


def _first(answer: Mapping[str, Any], usual: BaseURL) -> tuple[BaseURL, float]:
    """Return the first endpoint of an answer and the minutes that it may be kept."""
    endpoints: Sequence[Params] = answer.get("Endpoints") or ({},)
    address = endpoints[0].get("Address")
    if not address:
        raise EndpointError("The service was asked for its endpoints and named none")
    base = parse_base(address if "://" in address else f"https://{address}")
    if base.origin.scheme != "https" and usual.origin.scheme == "https":
        raise EndpointError(f"The service named {address!r} for its endpoint, which is without TLS")
    return base, endpoints[0].get("CachePeriodInMinutes") or 0
