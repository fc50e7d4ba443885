"""What a client holds: its options, and once they are read what follows from them.

Making a `Session` checks the options and reads nothing; `Session.ready` reads the configuration off
the loop, once. Views of a client and generated clients on top of it have sessions of their own that
share one `Shared`: the files, the source of credentials and the connections.
"""

# Annotations are not postponed here: `typing` would compile the text of each field, 20 us a field.

import asyncio
import time
from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from tornado_aws._settings_table import CODE_ROWS, ROWS, check, read
from tornado_aws.credentials.explicit import explicit_credentials
from tornado_aws.deadline import Deadline
from tornado_aws.exceptions import ClientClosedError, ConfigurationError, CurlNotInstalledError
from tornado_aws.flight import Flight

if TYPE_CHECKING:
    from types import ModuleType

    from tornado_aws.credentials import Credentials
    from tornado_aws.loading import Loaded, Ready
    from tornado_aws.transport import PoolStats

_SECRETS = ("access_key", "secret_key", "security_token")

# Those that may differ from call to call, `tornado_aws.options.CallOptions`: importing the types
# takes longer than making a client.
CALL_OPTIONS = frozenset(
    {
        "connect_timeout",
        "max_attempts",
        "pool_timeout",
        "read_timeout",
        "request_timeout",
        "retry_lost_writes",
        "retry_mode",
        "tls_timeout",
        "total_timeout",
        "validate",
    }
)


# Known without any file, since it is no setting of the environment or of a profile.
_TOTAL = ROWS["total_timeout"]


class Target(NamedTuple):
    """What a session's calls are for.

    Attributes:
        service: the service's name.
        service_id: the service's id in its model, which names its own endpoint settings.
        wire: the name of the module with the service's wire data, None for a raw client.
        rules: the name of the module with the endpoint rules, None for a raw client.
    """

    service: str
    service_id: str
    wire: str | None = None
    rules: str | None = None


class Shared:
    """What a client, its views and the generated clients on top of it have in common."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        check(options)
        self.options = options
        self.closed = False
        self._explicit = explicit_credentials(*(options.get(name) for name in _SECRETS))
        if self._explicit is not None and options.get("credentials") is not None:
            raise ConfigurationError("Give access_key and secret_key or credentials, not both")
        if options.get("use_curl") and find_spec("pycurl") is None:
            raise CurlNotInstalledError
        self._loading: Flight[Loaded] = Flight()

    async def load(self) -> "Loaded":
        """Read the configuration and make the parts, once for all callers."""
        if not self.closed:
            loaded = await self._loading.get(self._load)
            if not self.closed:
                return loaded
        self.close()
        raise ClientClosedError(sent=False)

    async def _load(self) -> "Loaded":
        loading = await asyncio.get_running_loop().run_in_executor(None, _import_loading)
        loaded: Loaded = await loading.load(
            self.options, settings_options(self.options), self._explicit
        )
        return loaded

    def pool_stats(self) -> "PoolStats":
        """Count connections and callers; nothing but zeros before the first call."""
        from tornado_aws.transport import PoolStats  # noqa: PLC0415 - not needed to make a client

        loaded = self._loading.value
        return PoolStats(0, 0, 0, 0, 0) if loaded is None else loaded.transport.stats()

    def close(self) -> None:
        """Close source and connections. Idempotent."""
        self.closed = True
        if self._loading.value is not None:
            self._loading.value.close()


class Session:
    """What a client holds: its options, and once they are read what follows from them.

    Args:
        target: what the calls are for.
        options: the options that were given.
        parent: the session whose connections this one uses; None for connections of its own.

    Attributes:
        target: what the calls are for.
        is_view: whether another session owns the connections.
        resolved: what `ready` gave, None before its first success.
    """

    def __init__(
        self, target: Target, options: Mapping[str, Any], *, parent: "Session | None" = None
    ) -> None:
        self.target = target
        self.is_view = parent is not None
        self.resolved: Ready | None = None
        self._resolving: Flight[Ready] = Flight()
        self._options = options
        self._shared: Shared = Shared(options) if parent is None else parent._shared
        self._total: float | None = read(_TOTAL, options.get("total_timeout"), "argument")

    def view(self, options: Mapping[str, Any]) -> "Session":
        """Return a session with other call options and the same connections.

        Raises:
            ConfigurationError: an option is unknown, has an impossible value, or belongs to the
                connections and cannot differ from call to call.
        """
        check(options)
        fixed = sorted(set(options) - CALL_OPTIONS)
        if fixed:
            raise ConfigurationError(
                f"{', '.join(fixed)} cannot differ from call to call; make another client"
            )
        return Session(self.target, {**self._options, **options}, parent=self)

    def for_target(self, target: Target) -> "Session":
        """Return a session for other calls with the same options and connections."""
        return Session(target, self._options, parent=self)

    def deadline(self) -> Deadline | None:
        """Return when a call that begins now is over, None for never."""
        total = self._total
        if total is None:
            return None
        return Deadline(self.target.service, total, time.monotonic() + total)

    async def ready(self) -> "Ready":
        """Return what the options amount to, read and made at the first call.

        Raises:
            ConfigurationError: the options or the configuration files cannot be used.
            ClientClosedError: the client is closed.
        """
        self.resolved = await self._resolving.get(self._resolve)
        return self.resolved

    async def _resolve(self) -> "Ready":
        loaded = await self._shared.load()
        options = settings_options(self._options)
        ready: Ready = await _import_loading().make_ready(loaded, self.target, options)
        return ready

    async def get_credentials(self) -> "Credentials":
        """Return the credentials in force, refreshed if they are about to expire."""
        return await (await self._shared.load()).source.get()

    def pool_stats(self) -> "PoolStats":
        """Count the connections that this session uses, and their callers."""
        return self._shared.pool_stats()

    @property
    def closed(self) -> bool:
        """Whether `close` was called here or on a session that shares the connections."""
        return self._shared.closed

    def close(self) -> None:
        """Close the connections of this session and of its views. Idempotent."""
        self._shared.close()

    def __repr__(self) -> str:
        return f"{self.target.service} {'closed' if self.closed else 'open'}"

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "Clients hold secrets and connections, and are neither pickled nor copied deeply: make"
            " another one, or use with_options"
        )


def settings_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that are settings."""
    return {name: value for name, value in options.items() if name not in CODE_ROWS}


def _import_loading() -> "ModuleType":
    from tornado_aws import loading  # noqa: PLC0415 - see there

    return loading
