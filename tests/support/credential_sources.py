"""Making providers and sources for tests, on real files and the real engine."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tornado_aws.config import FilePaths, ProfileFiles, parse_profiles
from tornado_aws.credentials import Credentials
from tornado_aws.credentials.providers import Context
from tornado_aws.settings import resolve
from tornado_aws.transport import Transport, TransportOptions
from tornado_aws.transport.pool import PoolTransport


def no_transport() -> Transport:
    """Stand for the way to local endpoints where none may be asked."""
    raise AssertionError("nothing may be asked")


def make_context(
    config: str = "",
    credentials: str = "",
    *,
    environ: Mapping[str, str] | None = None,
    options: Mapping[str, Any] | None = None,
    transport: Transport | None = None,
    **more: Any,
) -> Context:
    """Make what providers are made with; the files' texts are given."""
    profiles = parse_profiles(config, credentials)
    settings = resolve(options or {}, environ or {}, profiles)
    return Context(
        settings=settings,
        profile=settings.profile,
        read_profiles=lambda: profiles,
        environ=environ or {},
        key_environ=environ or {},
        use_environ=settings.sources["profile"] != "argument",
        transport=no_transport if transport is None else lambda: transport,
        **more,
    )


def with_files(context: Context, folder: Path) -> Context:
    """Make a context that reads ``config`` and ``credentials`` in a folder."""
    paths = FilePaths(str(folder / "config"), str(folder / "credentials"))
    return replace(context, read_profiles=ProfileFiles(paths).load)


@asynccontextmanager
async def engine() -> AsyncIterator[Transport]:
    """Run the pool engine."""
    transport = PoolTransport(TransportOptions(proxy=""))
    try:
        yield transport
    finally:
        transport.close()


def ends_in(seconds: float) -> datetime:
    """Return the time so many seconds from now."""
    return datetime.now(UTC) + timedelta(seconds=seconds)


def document(name: str = "A", seconds: float = 3600, **more: Any) -> bytes:
    """Return the JSON in which endpoints hand over credentials."""
    keys = {
        "AccessKeyId": f"AKID{name}",
        "SecretAccessKey": f"hush{name}",
        "Token": f"hushtoken{name}",
        "Expiration": ends_in(seconds).strftime("%Y-%m-%dT%H:%M:%SZ"),
        **more,
    }
    return json.dumps({key: value for key, value in keys.items() if value is not None}).encode()


def keys(credentials: Credentials) -> tuple[str, str, str | None]:
    """Return the parts of credentials that requests are signed with."""
    return credentials.access_key, credentials.secret_key, credentials.security_token
