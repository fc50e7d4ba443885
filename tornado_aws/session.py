"""From options to a way to the network: what a client is made of, made when it is first used.

`Session` is what a client holds. Making one reads nothing; `Session.ready` reads the configuration
off the loop, once, and gives a `Ready`: settings, limits, routes and the `Pipeline`. Views of a
client and generated clients on top of it have sessions of their own that share one `Shared`: the
files, the source of credentials and the connections.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from importlib import import_module
from typing import Any, NamedTuple

from tornado_aws.config import ProfileFiles, Profiles, file_paths
from tornado_aws.credentials import Credentials
from tornado_aws.credentials.chain import default_source
from tornado_aws.credentials.providers.explicit import explicit_credentials
from tornado_aws.credentials.providers.imds import instance_region
from tornado_aws.credentials.source import CredentialSource, from_callable, static
from tornado_aws.exceptions import (
    ClientClosedError,
    ConfigNotFound,
    ConfigurationError,
)
from tornado_aws.options import CallOptions
from tornado_aws.pipeline import Limits, Pipeline, Route
from tornado_aws.retries import POLICIES, Policy
from tornado_aws.settings import Settings, resolve
from tornado_aws.signing import SigV4
from tornado_aws.transport import Timeouts, Transport, TransportOptions
from tornado_aws.transport.engines import make_engine, require_curl
from tornado_aws.urls import parse_base

try:
    from tornado_aws.endpoints import resolve_raw
except ImportError:  # until the endpoint data is there

    class _Place(NamedTuple):
        url: str
        signing_name: str
        signing_region: str

    def resolve_raw(service, region, **_):  # type: ignore[no-untyped-def, misc]
        return _Place(f"https://{service}.{region}.amazonaws.com", service, region)


# Options that are no settings: they have neither an environment variable nor a key in a file.
_SECRETS = ("access_key", "secret_key", "security_token")
_CODE_ONLY = frozenset(
    {*_SECRETS, "credentials", "use_curl", "force_instance", "max_response_size"}
)

# Bound of one attempt of a raw fetch when none is given, seconds: the original library's.
RAW_REQUEST_TIMEOUT = 30.0

# Services whose paths are signed as they are and whose payload's hash is a header.
_S3_SIGNING = frozenset({"s3", "s3express", "s3-outposts", "s3-object-lambda"})


class Loaded(NamedTuple):
    """What was read and made at the first call."""

    environ: Mapping[str, str]
    profiles: Profiles
    source: CredentialSource
    transport: Transport
    local: Transport
    pipeline: Pipeline


class Shared:
    """What a client, its views and the generated clients on top of it have in common."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.options = options
        self.closed = False
        self._explicit = explicit_credentials(*(options.get(name) for name in _SECRETS))
        if self._explicit is not None and options.get("credentials") is not None:
            raise ConfigurationError("Give access_key and secret_key or credentials, not both")
        self._loaded: Loaded | None = None
        self._loading: asyncio.Task[Loaded] | None = None
        if options.get("use_curl"):
            require_curl()
        resolve({**_settings_options(options), "profile": None}, {}, Profiles())

    async def load(self) -> Loaded:
        """Read the configuration and make the parts, once for all callers."""
        if self.closed:
            raise ClientClosedError(sent=False)
        if self._loaded is None:
            self._loaded = await asyncio.shield(self._flight())
        return self._loaded

    def _flight(self) -> asyncio.Task[Loaded]:
        loop = asyncio.get_running_loop()
        task = self._loading
        if task is None or task.done() or task.get_loop() is not loop:
            task = self._loading = loop.create_task(self._load())
        return task

    async def _load(self) -> Loaded:
        environ = dict(os.environ)
        files = ProfileFiles(file_paths(environ))
        profiles = await asyncio.get_running_loop().run_in_executor(None, files.load)
        settings = resolve(_settings_options(self.options), environ, profiles)
        transport = make_engine(
            _transport_options(settings, self.options.get("max_response_size")),
            use_curl=self.options.get("use_curl", False),
            own=self.options.get("force_instance", True),
        )
        # Metadata and container endpoints are never asked through a proxy.
        local = make_engine(TransportOptions(proxy=""), use_curl=False, own=True)
        source = self._given_source() or default_source(
            settings, profiles, environ, lambda: local, reload=files.load
        )
        return Loaded(environ, profiles, source, transport, local, Pipeline(source, transport))

    def _given_source(self) -> CredentialSource | None:
        given = self._explicit or self.options.get("credentials")
        if given is None or isinstance(given, Credentials):
            return static(given) if given else None
        return from_callable(given)

    def close(self) -> None:
        """Close source and connections. Idempotent."""
        self.closed = True
        if self._loaded is not None:
            self._loaded.pipeline.close()
            self._loaded.source.close()
            self._loaded.transport.close()
            self._loaded.local.close()


class Ready:
    """A session's settings and what follows from them.

    Attributes:
        settings: the settings in force; ``region`` is never None.
        pipeline: the way to the network.
        limits: bounds of generated calls.
        raw_limits: bounds of a raw fetch.
    """

    def __init__(self, service: str, settings: Settings, pipeline: Pipeline) -> None:
        self.settings = settings
        self.pipeline = pipeline
        self.limits = _limits(settings, service)
        self.raw_limits = self.limits
        if settings.sources["request_timeout"] == "default":
            timeouts = self.limits.timeouts._replace(request=RAW_REQUEST_TIMEOUT)
            self.raw_limits = self.limits._replace(timeouts=timeouts)
        self._service = service

    @cached_property
    def route(self) -> Route:
        """Where the service is and how its requests are signed."""
        settings = self.settings
        found = resolve_raw(
            self._service,
            settings.region or "",
            use_fips=settings.use_fips_endpoint,
            use_dualstack=settings.use_dualstack_endpoint,
        )
        base = parse_base(settings.endpoint or found.url)
        return Route(base, make_signer(found.signing_name, found.signing_region), [])


class Session:
    """What a client holds: its options, and once they are read what follows from them.

    Args:
        service: the service's name.
        options: the options that were given.
        parent: the session whose connections this one uses; None for connections of its own.
        service_id: the service's id in its model, which names its own endpoint settings.
        modules: what the calls will import, to be imported off the loop.

    Attributes:
        service: the service's name.
        is_view: whether another session owns the connections.
        resolved: what `ready` gave, None before its first success and once closed.
    """

    def __init__(
        self,
        service: str,
        options: Mapping[str, Any],
        *,
        parent: Session | None = None,
        service_id: str | None = None,
        modules: tuple[str, ...] = (),
    ) -> None:
        self.service = service
        self.is_view = parent is not None
        self.resolved: Ready | None = None
        self._options = options
        self._service_id = service_id or service
        self._modules = modules
        self._shared: Shared = Shared(options) if parent is None else parent._shared

    def view(self, options: Mapping[str, Any]) -> Session:
        """Return a session with other call options and the same connections.

        Raises:
            ConfigurationError: an option is unknown, has an impossible value, or belongs to the
                connections and cannot differ from call to call.
        """
        fixed = sorted(set(options) - CallOptions.__annotations__.keys())
        if fixed:
            raise ConfigurationError(
                f"{', '.join(fixed)} cannot differ from call to call; make another client"
            )
        resolve(options, {}, Profiles())
        return Session(
            self.service,
            {**self._options, **options},
            parent=self,
            service_id=self._service_id,
            modules=self._modules,
        )

    def for_service(self, service: str, service_id: str, modules: tuple[str, ...]) -> Session:
        """Return a session for a generated client with the same options and connections."""
        return Session(service, self._options, parent=self, service_id=service_id, modules=modules)

    async def ready(self) -> Ready:
        """Return what the options amount to, read and made at the first call.

        Raises:
            ConfigurationError: the options or the configuration files cannot be used.
            ClientClosedError: the client is closed.
        """
        if self.resolved is None:
            self.resolved = await self._resolve()
        return self.resolved

    async def _resolve(self) -> Ready:
        loaded = await self._shared.load()
        options = _settings_options(self._options)
        settings = resolve(options, loaded.environ, loaded.profiles, self._service_id)
        if settings.region is None:
            region = await instance_region(settings, loaded.local)
            if region is None:
                raise ConfigNotFound(path=settings.config_file)
            settings = replace(settings, region=region)
        await asyncio.get_running_loop().run_in_executor(None, _import_all, self._modules)
        return Ready(self.service, settings, loaded.pipeline)

    async def get_credentials(self) -> Credentials:
        """Return the credentials in force, refreshed if they are about to expire."""
        return await (await self._shared.load()).source.get()

    @property
    def closed(self) -> bool:
        """Whether `close` was called here or on a session that shares the connections."""
        return self._shared.closed

    def close(self) -> None:
        """Close the connections of this session and of its views. Idempotent."""
        self._shared.close()

    def __repr__(self) -> str:
        return f"{self.service} {'closed' if self.closed else 'open'}"


def make_signer(service: str, region: str) -> SigV4:
    """Return a signer that follows the rules of the service it signs for."""
    is_s3 = service in _S3_SIGNING
    return SigV4(
        service,
        region,
        double_encode=not is_s3,
        normalize_path=not is_s3,
        sign_payload_header=is_s3,
    )


def _settings_options(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name not in _CODE_ONLY}


def _transport_options(settings: Settings, max_response_size: int | None) -> TransportOptions:
    return TransportOptions(
        settings.max_clients,
        settings.verify,
        settings.client_cert,
        settings.proxy,
        settings.environ_proxies,
        max_response_size,
    )


def _limits(settings: Settings, service: str) -> Limits:
    timeouts = Timeouts(
        settings.connect_timeout,
        settings.read_timeout,
        settings.request_timeout,
        settings.pool_timeout,
    )
    return Limits(timeouts, settings.total_timeout, _policy(settings, service))


def _policy(settings: Settings, service: str) -> Policy:
    adaptive = settings.retry_mode == "adaptive"
    policy = POLICIES.get(service, Policy())._replace(adaptive=adaptive)
    if settings.retry_mode == "none":
        return policy._replace(max_attempts=1)
    if settings.max_attempts is None:
        return policy
    return policy._replace(max_attempts=settings.max_attempts)


def _import_all(modules: tuple[str, ...]) -> None:
    for module in modules:
        import_module(module)
