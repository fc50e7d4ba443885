"""One source of credentials for all clients of one configuration on one event loop.

A program that makes a client for each request would otherwise ask the metadata service, or STS, as
often. The source lives as long as any client that uses it. Between loops it is
`tornado_aws.credentials.exchange` that sees to that.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Hashable, Mapping

from tornado_aws.credentials import Credentials
from tornado_aws.credentials.exchange import Exchange, exchange_of
from tornado_aws.credentials.source import CredentialSource
from tornado_aws.exceptions import ClientClosedError
from tornado_aws.settings import Settings
from tornado_aws.transport import Transport

__all__ = ["configuration_key", "share"]

Make = Callable[[Exchange], tuple[CredentialSource, Transport]]

# By event loop, as engines are (`tornado_aws.transport.engines`): a refresh belongs to its loop.
_SOURCES: dict[asyncio.AbstractEventLoop, dict[Hashable, _Shared]] = {}


def configuration_key(settings: Settings, environ: Mapping[str, str]) -> Hashable:
    """Return what is equal for clients whose credentials come from the same place.

    It holds a digest of the environment, not the environment: there may be secrets in that.
    """
    variables = sorted(
        (name, value)
        for name, value in environ.items()
        if name.startswith("AWS_") or name == "HOME"
    )
    return (
        settings.profile,
        settings.sources["profile"] == "argument",
        settings.region,
        settings.ec2_metadata_disabled,
        settings.ec2_metadata_v1_disabled,
        settings.ec2_metadata_service_endpoint,
        settings.ec2_metadata_service_endpoint_mode,
        settings.imds_use_ipv6,
        settings.ec2_instance_profile_name,
        settings.metadata_service_timeout,
        settings.metadata_service_num_attempts,
        settings.config_file,
        settings.credentials_file,
        hashlib.sha256(repr(variables).encode()).digest(),
    )


def share(key: Hashable, make: Make) -> CredentialSource:
    """Return a client's use of the source that this loop's clients with this key share.

    Args:
        key: of `configuration_key`, with whatever else the source depends on.
        make: makes the source, which shares the exchange with those of other loops, and the engine
            for local endpoints that it asks, unless there is one already; both are closed when the
            last of their users closes.
    """
    # Clients that were never closed leave their sources behind, until here.
    for loop in list(_SOURCES):  # of other threads as well, which may change it meanwhile
        if loop.is_closed():
            _SOURCES.pop(loop, None)
    sources = _SOURCES.setdefault(asyncio.get_running_loop(), {})
    shared = sources.get(key)
    if shared is None:
        shared = sources[key] = _Shared(
            *make(exchange_of(key)), forget=lambda: sources.pop(key, None)
        )
    return _Lease(shared)


class _Shared:
    """A source, its engine, and how many clients use them."""

    def __init__(
        self, source: CredentialSource, transport: Transport, forget: Callable[[], object]
    ) -> None:
        self.source = source
        self.users = 0
        self._transport = transport
        self._forget = forget

    def release(self) -> None:
        self.users -= 1
        if self.users == 0:
            self._forget()
            self.source.close()
            self._transport.close()


class _Lease:
    """One client's use of a shared source."""

    def __init__(self, shared: _Shared) -> None:
        self._shared = shared
        self._closed = False
        shared.users += 1

    async def get(self) -> Credentials:
        if self._closed:
            raise ClientClosedError(sent=False)
        return await self._shared.source.get()

    async def renew(self, rejected: Credentials) -> Credentials | None:
        if self._closed:
            raise ClientClosedError(sent=False)
        return await self._shared.source.renew(rejected)

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._shared.release()
