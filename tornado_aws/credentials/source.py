"""The face that clients see of anything that gives credentials."""

from __future__ import annotations

from typing import Protocol

from tornado_aws.credentials import Credentials

__all__ = ["CredentialSource", "static"]


class CredentialSource(Protocol):
    """Gives credentials, and new ones when a service rejects them."""

    async def get(self) -> Credentials:
        """Return the credentials in force, refreshed when they need to be.

        The usual call neither suspends nor costs more than looking at the clock.

        Raises:
            CredentialsError: there are none, or their source is broken.
            ClientClosedError: the source was closed while the call waited for a refresh.
        """

    async def renew(self, rejected: Credentials) -> Credentials | None:
        """Ask for other credentials because a service rejected these.

        Returns:
            Other credentials, or None when the source still has the same: then trying again is
            useless.

        Raises:
            CredentialsError: the source is broken.
            ClientClosedError: the source was closed while the call waited for a refresh.
        """

    def close(self) -> None:
        """Cancel refreshes that are under way. Idempotent."""


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
