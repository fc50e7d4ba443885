"""The face that clients see of anything that gives credentials."""

from __future__ import annotations

import asyncio
import inspect
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import Protocol

from tornado_aws.credentials import Credentials
from tornado_aws.credentials.exchange import Exchange, Exchanging
from tornado_aws.credentials.refresh import Refreshing
from tornado_aws.exceptions import CredentialsError

__all__ = [
    "CredentialFunction",
    "CredentialSource",
    "ProviderFunction",
    "from_callable",
    "static",
]

CredentialFunction = Callable[[], Credentials | Awaitable[Credentials]]


class CredentialSource(Protocol):
    """Gives credentials, and new ones when a service rejects them."""

    async def get(self) -> Credentials:
        """Return the credentials in force, refreshed when they need to be.

        The usual call neither suspends nor costs more than looking at the clock.

        Raises:
            CredentialsError: there are none, or their source is broken.
            ClientClosedError: the source was closed while the call waited for a refresh.
        """
        ...

    async def renew(self, rejected: Credentials) -> Credentials | None:
        """Ask for other credentials because a service rejected these.

        Returns:
            Other credentials, or None when the source still has the same: then trying again is
            useless.

        Raises:
            CredentialsError: the source is broken.
            ClientClosedError: the source was closed while the call waited for a refresh.
        """
        ...

    def close(self) -> None:
        """Cancel refreshes that are under way. Idempotent."""
        ...


class _Static:
    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    async def get(self) -> Credentials:
        return self._credentials

    async def renew(self, rejected: Credentials) -> Credentials | None:
        return None if rejected == self._credentials else self._credentials

    def close(self) -> None:
        """Nothing is ever under way."""


def static(credentials: Credentials) -> CredentialSource:
    """Make a source that gives these credentials and never others."""
    return _Static(credentials)


class ProviderFunction(ABC):
    """A function that returns credentials, and a `Provider`: it is told which were rejected.

    Attributes:
        name: of the provider.
        exchange: shared by all clients that have it, as long as it lives itself.
    """

    name: str
    recheck = None

    def __init__(self) -> None:
        self.exchange = Exchange()

    @abstractmethod
    async def load(self, rejected: Credentials | None) -> Credentials:
        """Fetch credentials; see `Provider`."""

    async def __call__(self) -> Credentials:
        return await self.load(None)


def from_callable(
    function: CredentialFunction, exchange: Exchange | None = None
) -> CredentialSource:
    """Make a source of a function that returns credentials.

    Its result is kept until it is about to end (``expiration``) or a service rejects it.

    Args:
        function: a coroutine function, or an ordinary one, which is called in a thread.
        exchange: shared with the sources of the same function on other loops.
    """
    provider = function if isinstance(function, ProviderFunction) else _Function(function)
    return Refreshing(provider if exchange is None else Exchanging(provider, exchange))


class _Function:
    name = "callable"
    recheck = None

    def __init__(self, function: CredentialFunction) -> None:
        self._function = function

    async def load(self, rejected: Credentials | None) -> Credentials:
        if _is_coroutine_function(self._function):
            given = self._function()
        else:
            given = await asyncio.to_thread(self._function)
        credentials = await given if inspect.isawaitable(given) else given
        if isinstance(credentials, Credentials):
            return credentials
        raise CredentialsError(
            source=self.name,
            reason=f"the function returned {type(credentials).__name__}, not Credentials",
        )


def _is_coroutine_function(function: CredentialFunction) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(function, "__call__", None)  # noqa: B004 - an object with an async __call__
    )
