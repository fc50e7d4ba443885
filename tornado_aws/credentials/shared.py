"""One source of credentials for all clients of one configuration or function on one event loop.

A program that makes a client for each request would otherwise ask the metadata service, or STS, as
often. The source lives as long as any client that uses it. Between loops, and between clients that
follow one another, it is `tornado_aws.credentials.exchange` that sees to that.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Hashable, Mapping, MutableMapping
from types import MethodType
from weakref import WeakValueDictionary

from tornado_aws.config import FilePaths, Profiles
from tornado_aws.credentials import Credentials
from tornado_aws.credentials.exchange import Exchange, exchange_of, exchange_of_function
from tornado_aws.credentials.providers import MFACode
from tornado_aws.credentials.source import (
    CredentialFunction,
    CredentialSource,
    ProviderFunction,
    from_callable,
)
from tornado_aws.endpoints import aws_partition, real_region
from tornado_aws.exceptions import ClientClosedError
from tornado_aws.settings import Settings, configured_region

__all__ = ["share", "share_function", "source_key", "source_region"]

# Makes a source, and what closes it with all that it has.
Make = Callable[[Exchange], tuple[CredentialSource, Callable[[], None]]]

# Settings that the source of a client's credentials depends on, by itself or in what it asks other
# services. Its region is not among them: whichever STS is asked in, the credentials are the same.
_SETTINGS = (
    "profile",
    "ec2_metadata_disabled",
    "ec2_metadata_v1_disabled",
    "ec2_metadata_service_endpoint",
    "ec2_metadata_service_endpoint_mode",
    "imds_use_ipv6",
    "ec2_instance_profile_name",
    "metadata_service_timeout",
    "metadata_service_num_attempts",
    "ignore_configured_endpoint_urls",
    "use_fips_endpoint",
    "use_dualstack_endpoint",
    "verify",
    "client_cert",
)


def source_region(settings: Settings, environ: Mapping[str, str], profiles: Profiles) -> str | None:
    """Return the region that a client's source of credentials asks other services in.

    It is that of the environment or the profile: clients share a source, for whatever regions they
    are. The client's own region counts where those name none, or one of another partition, where
    the client's credentials would not be known.
    """
    configured = configured_region(settings, environ, profiles)
    if configured is not None and _partition(configured) == _partition(settings.region):
        return configured
    return settings.region


def source_key(
    settings: Settings,
    environ: Mapping[str, str],
    files: FilePaths,
    profiles: Profiles,
    *,
    use_curl: bool,
    mfa_code: MFACode | None,
    role_cache: str | None,
) -> Hashable:
    """Return what is equal for clients whose credentials come from the same place.

    It holds a digest of what may have secrets in it: the environment, the proxy's URL, and what
    the files say of the profile.

    Args:
        settings: of the source; ``region`` is that of `source_region`.
        environ: the environment variables.
        files: the configuration and credentials files.
        profiles: what they say.
        use_curl: the client's option, as are the others.
        mfa_code: see `tornado_aws.credentials.chain.default_source`.
        role_cache: see there.
    """
    variables = sorted(
        (name, value)
        for name, value in environ.items()
        if name.startswith("AWS_") or name == "HOME"
    )
    secrets = (variables, settings.proxy, profiles.behind(settings.profile))
    return (
        *(getattr(settings, name) for name in _SETTINGS),
        settings.sources["profile"] == "argument",
        _partition(settings.region),
        hashlib.sha256(repr(secrets).encode()).digest(),
        files,
        use_curl,
        Same(mfa_code),
        role_cache,
    )


def _partition(region: str | None) -> str | None:
    return None if region is None else aws_partition(real_region(region)[0]).name


class Same:
    """A part of a key that is equal for one and the same object, whatever that makes of equality.

    The object is kept, so that no other one has its identity meanwhile. Methods are made anew each
    time they are looked up: they are the same when object and function are.
    """

    def __init__(self, thing: object) -> None:
        self._parts: tuple[object, ...] = (thing,)
        if isinstance(thing, MethodType):
            self._parts = thing.__self__, thing.__func__
        self._identity = tuple(map(id, self._parts))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and self._identity == other._identity

    def __hash__(self) -> int:
        return hash(self._identity)


def share(key: Hashable, make: Make) -> CredentialSource:
    """Return a client's use of the source that this loop's clients with this key share.

    Args:
        key: of `source_key`.
        make: makes the source, which shares the exchange with those of other loops, unless there is
            one already; it is closed when the last of its users closes.
    """
    return _lease(_of_this_loop().by_key, key, lambda: make(exchange_of(key)))


def share_function(function: CredentialFunction) -> CredentialSource:
    """Return a client's use of the source that clients with the same credential function share."""
    key = Same(function)
    own = function.exchange if isinstance(function, ProviderFunction) else None

    def make() -> tuple[CredentialSource, Callable[[], None]]:
        source = from_callable(function, own or exchange_of_function(key))
        return source, source.close

    return _lease(_of_this_loop().by_function, key, make)


class _Sources:
    """What the clients on one event loop share.

    Clients that are never closed leave their configurations' sources behind, for others that come
    later. There are few of those. Functions may be as many as clients, and what comes of them goes
    with their last client, closed or not.
    """

    def __init__(self) -> None:
        self.by_key: dict[Hashable, _Shared] = {}
        self.by_function: WeakValueDictionary[Hashable, _Shared] = WeakValueDictionary()


# By event loop, as engines are (`tornado_aws.transport.engines`): a refresh belongs to its loop.
_SOURCES: dict[asyncio.AbstractEventLoop, _Sources] = {}


def _of_this_loop() -> _Sources:
    for loop in list(_SOURCES):  # of other threads as well, which may change it meanwhile
        if loop.is_closed():
            _SOURCES.pop(loop, None)
    return _SOURCES.setdefault(asyncio.get_running_loop(), _Sources())


def _lease(
    sources: MutableMapping[Hashable, _Shared],
    key: Hashable,
    make: Callable[[], tuple[CredentialSource, Callable[[], None]]],
) -> CredentialSource:
    shared = sources.get(key)
    if shared is None:
        shared = sources[key] = _Shared(*make(), forget=lambda: sources.pop(key, None))
    return _Lease(shared)


class _Shared:
    """A source, and how many clients use it."""

    def __init__(
        self, source: CredentialSource, close: Callable[[], None], forget: Callable[[], object]
    ) -> None:
        self.source = source
        self.users = 0
        self._close = close
        self._forget = forget

    def release(self) -> None:
        self.users -= 1
        if self.users == 0:
            self._forget()
            self._close()


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
