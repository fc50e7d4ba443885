"""Credentials of sessions: what a service gives for one resource, for a few minutes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from tornado_aws.credentials import Credentials
from tornado_aws.credentials.refresh import Refreshing, Windows
from tornado_aws.credentials.source import CredentialSource

__all__ = ["Call", "Opening", "Sessions"]

# Calls an operation by its name with parameters.
Call = Callable[[str, Mapping[str, Any]], Awaitable[Any]]
# Opens a session by such calls, for the parameters of the call that needs one.
Opening = Callable[[Call, Mapping[str, Any]], Awaitable[Credentials]]

# Sessions live for five minutes; the windows are those of botocore/utils.py (IdentityCache).
_WINDOWS = Windows(advisory=45.0, mandatory=10.0, jitter=5.0)

# More than most programs touch; one that touches more begins anew with the one that is oldest.
_MOST = 1024


class Sessions:
    """The sessions of a client and its views, each opened when it is first needed."""

    def __init__(self) -> None:
        self._sources: dict[object, CredentialSource] = {}

    def source(
        self, name: object, opened: Callable[[], Awaitable[Credentials]]
    ) -> CredentialSource:
        """Return what gives the credentials of a session.

        Args:
            name: whose session it is.
            opened: opens it; called when there is none yet, and whenever it comes to its end.
        """
        source = self._sources.get(name)
        if source is None:
            if len(self._sources) >= _MOST:
                del self._sources[next(iter(self._sources))]
            source = self._sources[name] = Refreshing(_Provider(opened), windows=_WINDOWS)
        return source

    def close(self) -> None:
        """Cancel what is under way. Idempotent."""
        for source in self._sources.values():
            source.close()


class _Provider:
    name = "session"
    recheck = None

    def __init__(self, opened: Callable[[], Awaitable[Credentials]]) -> None:
        self._opened = opened

    async def load(self, rejected: Credentials | None) -> Credentials:
        return await self._opened()
