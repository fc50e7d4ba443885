"""What clients and their raw requests take, as types.

What each option means, its environment variable and its key in the configuration file are in the
table of `tornado_aws.settings`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias, TypedDict

from tornado_aws.credentials import Credentials

if TYPE_CHECKING:
    from tornado_aws.events import Observer
    from tornado_aws.transport import Transport

QueryValue: TypeAlias = str | int | float | bool | None
QueryArgs: TypeAlias = Mapping[str, QueryValue | Iterable[QueryValue]]
HeadersArg: TypeAlias = Mapping[str, str] | Iterable[tuple[str, str]]

CredentialsOption: TypeAlias = (
    Credentials | Callable[[], Credentials] | Callable[[], Awaitable[Credentials]]
)


class CallOptions(TypedDict, total=False):
    """Options that may differ from call to call (``client.with_options``); times in seconds."""

    connect_timeout: float | None
    read_timeout: float | None
    request_timeout: float | None
    pool_timeout: float | None
    total_timeout: float | None
    max_attempts: int
    retry_mode: str
    validate: bool


class ExtraOptions(CallOptions, total=False):
    """Keyword-only options of every client."""

    verify: bool | str
    client_cert: str | tuple[str, str] | None
    proxy: str | None
    use_fips_endpoint: bool
    use_dualstack_endpoint: bool
    credentials: CredentialsOption | None
    mfa_code: Callable[[str], str | Awaitable[str]] | None
    role_cache: str | None
    max_response_size: int | None
    observers: Sequence[Observer]
    transport: Transport | None


class ClientOptions(ExtraOptions, total=False):
    """Every option of a generated client: those of `AsyncAWSClient` without the service."""

    profile: str | None
    region: str | None
    access_key: str | None
    secret_key: str | None
    security_token: str | None
    endpoint: str | None
    max_clients: int
    use_curl: bool
    force_instance: bool
