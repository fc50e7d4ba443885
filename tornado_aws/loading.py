"""What a client's first call reads and makes: configuration, credentials, connections, routes.

A client imports this module at its first call and off the event loop, since most of the library
hangs on it: importing and making a client stays cheap.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property, partial
from importlib import import_module
from typing import Any, NamedTuple

from tornado_aws import __version__
from tornado_aws.bearer import bearer, login_token
from tornado_aws.config import ProfileFiles, Profiles, file_paths, profile_files
from tornado_aws.credentials import Credentials
from tornado_aws.credentials.chain import default_source
from tornado_aws.credentials.exchange import Exchange
from tornado_aws.credentials.providers import Absent
from tornado_aws.credentials.providers.imds import instance_region
from tornado_aws.credentials.sessions import Sessions
from tornado_aws.credentials.shared import share, share_function, source_key, source_region
from tornado_aws.credentials.source import CredentialSource, static
from tornado_aws.customizations import module_of
from tornado_aws.discovery import Discovery
from tornado_aws.endpoints.raw import service_id
from tornado_aws.events import Caller, Observer
from tornado_aws.exceptions import ConfigNotFound
from tornado_aws.model import ServiceModel
from tornado_aws.pipeline import About, Limits, Pipeline
from tornado_aws.protocols import PROTOCOLS, choose
from tornado_aws.regions import KnownRegions
from tornado_aws.retries import POLICIES, Policy
from tornado_aws.routes import Route, Router, raw_route
from tornado_aws.service_calls import service_call
from tornado_aws.session import Target
from tornado_aws.settings import Settings, needs_machine, resolve
from tornado_aws.transport import Timeouts, Transport, TransportOptions
from tornado_aws.transport.engines import engine_class, make_engine
from tornado_aws.user_agent import identity, is_lambda, user_agent

# Bound of one attempt of a raw fetch when none is given, seconds: the original library's.
RAW_REQUEST_TIMEOUT = 30.0


class Loaded(NamedTuple):
    """What a client, its views and the generated clients on top of it have in common."""

    environ: Mapping[str, str]
    profiles: Profiles
    source: CredentialSource
    login_token: CredentialSource | None
    transport: Transport
    pipeline: Pipeline
    regions: KnownRegions
    sessions: Sessions
    discovery: Discovery
    observers: tuple[Observer, ...]

    def close(self) -> None:
        """Close source and connections. Idempotent."""
        self.pipeline.close()
        self.sessions.close()
        self.source.close()
        if self.login_token is not None:
            self.login_token.close()
        self.transport.close()


class Ready:
    """A session's settings and what follows from them.

    Attributes:
        settings: the settings in force; ``region`` is never None.
        pipeline: the way to the network.
        source: gives the credentials.
        service_id: the service's id in its model.
        regions: where resources are that are not in the client's region.
        sessions: the credentials of sessions with resources.
        discovery: the endpoints that services told.
        rules: the ``endpoints`` module of a generated client's package, None for a raw client.
        caller: what errors and observers are told of all calls.
        limits: bounds of generated calls.
        raw_limits: bounds of a raw fetch.
    """

    def __init__(self, target: Target, settings: Settings, loaded: Loaded) -> None:
        self.settings = settings
        self.pipeline = loaded.pipeline
        self.source = loaded.source
        self.service_id = target.service_id
        self.regions = loaded.regions
        self.sessions = loaded.sessions
        self.discovery = loaded.discovery
        self.rules = import_module(target.rules) if target.rules else None
        self._model = model_of(target)
        self.caller = Caller(target.service, settings.region or "", loaded.observers)
        self.limits = _limits(settings, target.service)
        self.raw_limits = self.limits
        if settings.sources["request_timeout"] == "default":
            timeouts = self.limits.timeouts._replace(request=RAW_REQUEST_TIMEOUT)
            self.raw_limits = self.limits._replace(timeouts=timeouts)
        self._target = target
        self._environ = loaded.environ
        self._login_token = loaded.login_token

    @cached_property
    def route(self) -> Route:
        """Where raw requests go."""
        return raw_route(self._target.service, self.settings)

    @cached_property
    def router(self) -> Router:
        """Finds where generated calls go."""
        if self.rules is None or self._model is None:
            raise TypeError(f"{self._target.service} has no endpoint rules")
        metadata = self._model.metadata
        token = bearer(metadata, self._environ, self._login_token)
        return Router(self.rules, metadata, self.settings, token)


async def load(
    options: Mapping[str, Any], settings_options: Mapping[str, Any], explicit: Credentials | None
) -> Loaded:
    """Read the configuration and make what all calls share.

    Args:
        options: the options of the client.
        settings_options: those of them that are settings.
        explicit: the credentials that were given as keys.

    Raises:
        ConfigurationError: the options or the configuration files cannot be used.
    """
    environ = dict(os.environ)
    paths = (_path(settings_options, name) for name in ("config_file", "credentials_file"))
    files = profile_files(file_paths(environ, *paths))
    use_curl = options.get("use_curl", False)
    loop = asyncio.get_running_loop()
    profiles = await loop.run_in_executor(None, _read, files, use_curl)
    settings = resolve(settings_options, environ, profiles)
    transport = options.get("transport") or make_engine(
        _transport_options(settings, options.get("max_response_size")),
        use_curl=use_curl,
        own=options.get("force_instance", True),
    )
    given = explicit or options.get("credentials")
    if given is None:
        source = _shared_source(settings, environ, files, profiles, options)
    elif isinstance(given, Credentials):
        source = static(given)
    else:
        source = share_function(given)
    return Loaded(
        environ,
        profiles,
        source,
        login_token(settings.profile, profiles, environ, service_call(options)),
        transport,
        Pipeline(source, transport, _about(settings, environ)),
        KnownRegions(),
        Sessions(),
        Discovery(),
        tuple(options.get("observers") or ()),
    )


def _read(files: ProfileFiles, use_curl: bool) -> Profiles:
    """Read the files and import the engines: the client's, and that of `_local_engine`."""
    for each in {use_curl, False}:
        engine_class(each)
    return files.load()


def _about(settings: Settings, environ: Mapping[str, str]) -> About:
    """Return what gives the headers that say who sends a request."""
    agent = user_agent(__version__, settings.retry_mode, settings.user_agent_appid, environ)
    return partial(identity, agent, os.environ if is_lambda(environ) else {})


def _path(options: Mapping[str, Any], name: str) -> str | None:
    """Return an option that is a path, however it was given."""
    value: str | os.PathLike[str] | None = options.get(name)
    return None if value is None else os.fspath(value)


def _shared_source(
    settings: Settings,
    environ: Mapping[str, str],
    files: ProfileFiles,
    profiles: Profiles,
    options: Mapping[str, Any],
) -> CredentialSource:
    """Return the source that all clients of this configuration share."""
    own = replace(settings, region=source_region(settings, environ, profiles))
    role_cache = _path(options, "role_cache")
    extras: dict[str, Any] = {"mfa_code": options.get("mfa_code"), "role_cache": role_cache}
    use_curl = options.get("use_curl", False)
    key = source_key(own, environ, files.paths, profiles, use_curl=use_curl, **extras)

    def make(exchange: Exchange) -> tuple[CredentialSource, Callable[[], None]]:
        local = _local_engine()
        source = default_source(
            own,
            profiles,
            environ,
            lambda: local,
            reload=files.load,
            key_environ=os.environ,
            call=service_call(options),
            exchange=exchange,
            **extras,
        )

        def close() -> None:
            source.close()
            local.close()

        return source, close

    return share(key, make)


def _local_engine() -> Transport:
    """Return an engine for metadata and container endpoints, which no proxy knows."""
    return make_engine(TransportOptions(proxy=""), use_curl=False, own=True)


async def settle(
    options: Mapping[str, Any],
    environ: Mapping[str, str],
    profiles: Profiles,
    service_id: str | None = None,
) -> Settings:
    """Resolve settings, asking the machine where it is if they depend on that.

    The arguments and other errors are those of `resolve`.

    Raises:
        ConfigNotFound: nothing names a region.
    """
    settings = resolve(options, environ, profiles, service_id)
    if not needs_machine(settings, environ):
        return settings
    try:
        machine = await _machine_region(settings)
    except Absent as absent:
        if settings.region is None:
            raise ConfigNotFound(path=settings.config_file, reason=str(absent)) from None
        return settings
    return resolve(options, environ, profiles, service_id, machine)


async def _machine_region(settings: Settings) -> str:
    """Return the region that the machine is in.

    Raises:
        Absent: nothing there says it.
    """
    local = _local_engine()
    try:
        return await instance_region(settings, lambda: local)
    finally:
        local.close()


async def make_ready(loaded: Loaded, target: Target, settings_options: Mapping[str, Any]) -> Ready:
    """Resolve the settings of one service and import what its calls need, off the loop.

    Raises:
        ConfigurationError: the options or the configuration files cannot be used.
    """
    own_id = target.service_id if target.wire else service_id(target.service)
    settings = await settle(settings_options, loaded.environ, loaded.profiles, own_id)
    await asyncio.get_running_loop().run_in_executor(None, _import_all, target, settings)
    return Ready(target, settings, loaded)


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
        settings.tls_timeout,
    )
    return Limits(timeouts, _policy(settings, service))


def _policy(settings: Settings, service: str) -> Policy:
    adaptive = settings.retry_mode == "adaptive"
    policy = POLICIES.get(service, Policy())._replace(
        adaptive=adaptive, retry_lost_writes=settings.retry_lost_writes
    )
    if settings.retry_mode == "none":
        return policy._replace(max_attempts=1)
    if settings.max_attempts is None:
        return policy
    return policy._replace(max_attempts=settings.max_attempts)


# Gateways answer with errors in XML, whatever the protocol.
_ALWAYS = ("xml.parsers.expat",)

# What only generated calls need.
_GENERATED = ("tornado_aws.preparation", "tornado_aws.presigning")


def _import_all(target: Target, settings: Settings) -> None:
    """Import what calls need: it takes so long that no loop must wait for it."""
    names = [*_ALWAYS]
    model = model_of(target)
    if model is not None:
        names += _GENERATED
        names += (PROTOCOLS[choose(model.metadata)], *module_of(model.metadata))
        names += ["tornado_aws.acceptance"] if settings.validate else []
    if target.rules:
        names.append(target.rules)
    for name in names:
        import_module(name)


def model_of(target: Target) -> ServiceModel | None:
    """Import the wire data that calls are made with, if they are generated ones."""
    model: ServiceModel | None = import_module(target.wire).MODEL if target.wire else None
    return model
