"""How sources of credentials call STS, SSO and the like: with this library's own clients."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Set
from importlib import import_module
from typing import TYPE_CHECKING, Any

from tornado_aws.credentials import Credentials
from tornado_aws.exceptions import CredentialsError

if TYPE_CHECKING:
    from tornado_aws.credentials.providers import ServiceCall
    from tornado_aws.service import ServiceClient

# Options of a client that hold for the calls that its credentials take, too: how the services are
# reached. How long that may take does not depend on how long the client's own calls take.
PASSED = frozenset(
    {
        "client_cert",
        "config_file",
        "credentials_file",
        "ignore_configured_endpoint_urls",
        "profile",
        "proxy",
        "use_curl",
        "use_dualstack_endpoint",
        "use_fips_endpoint",
        "verify",
    }
)

# Of each call with its retries, seconds. These services answer in less than one. A second attempt
# fits in, and nobody whose credentials have ended waits for minutes.
BOUNDS: Mapping[str, float] = {"connect_timeout": 5.0, "read_timeout": 15.0, "total_timeout": 30.0}

_CLIENTS: Mapping[str, tuple[str, str]] = {
    "signin": ("tornado_aws.services.signin", "SignInService"),
    "sso": ("tornado_aws.services.sso", "SSO"),
    "sso-oidc": ("tornado_aws.services.sso_oidc", "SSOOIDC"),
    "sts": ("tornado_aws.services.sts", "STS"),
}


def service_call(options: Mapping[str, Any], names: Set[str] = PASSED) -> ServiceCall:
    """Return what calls the services that give credentials.

    Args:
        options: the options of the client whose credentials they are.
        names: which of them hold for these calls, too; without bounds among them `BOUNDS` do.
    """
    passed = {**BOUNDS, **{name: value for name, value in options.items() if name in names}}

    async def call(
        service: str,
        operation: str,
        region: str,
        params: Mapping[str, Any],
        credentials: Credentials | None,
        *,
        headers: Callable[[str], Mapping[str, str]] | None = None,
    ) -> dict[str, Any]:
        loop = asyncio.get_running_loop()
        make = await loop.run_in_executor(None, _client_class, service)
        source = credentials or _no_credentials
        # A client for each call: a refresh is rare, and must not hang on another client's life.
        async with make(region=region, credentials=source, **passed) as client:
            result: dict[str, Any] = await client._call(operation, params, headers=headers)
            return result

    return call


def _client_class(service: str) -> type[ServiceClient]:
    module, name = _CLIENTS[service]
    found: type[ServiceClient] = getattr(import_module(module), name)
    return found


def _no_credentials() -> Credentials:
    raise CredentialsError(source="the chain", reason="this call is made without credentials")
