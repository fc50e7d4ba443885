"""One module for each place that credentials come from.

Each module has one provider (`tornado_aws.credentials.refresh.Provider`), made from a `Context`.
Its ``load`` raises `Absent` when the place is not configured, which lets the chain go on to the
next one, and `CredentialsError` when it is configured but broken, which stops the chain.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from tornado_aws.config import Profiles, Section
from tornado_aws.credentials import Credentials
from tornado_aws.settings import Settings
from tornado_aws.transport import Transport

__all__ = ["Absent", "Context", "MFACode", "ServiceCall"]

MFACode = Callable[[str], str | Awaitable[str]]


class Absent(Exception):
    """The source is not configured; the text says what is missing. Users never see it."""


class ServiceCall(Protocol):
    """Calls an operation of STS, SSO, SSO OIDC or the sign-in service; the client brings it.

    Results and errors are those of the generated clients: dicts as botocore gives them, `AWSError`
    and `RequestException`.
    """

    async def __call__(
        self,
        service: str,
        operation: str,
        region: str,
        params: Mapping[str, Any],
        credentials: Credentials | None,
        *,
        headers: Callable[[str], Mapping[str, str]] | None = None,
    ) -> dict[str, Any]:
        """Call `operation` (``AssumeRole``) of `service`.

        Args:
            service: the service's name as botocore has it: ``sts``, ``sso``, ``sso-oidc`` or
                ``signin``.
            operation: the operation's name in the service's model.
            region: where to call it.
            params: its parameters, without None.
            credentials: what to sign with; None leaves the request unsigned.
            headers: gives headers to add, from the URL that the request goes to.
        """
        ...


@dataclass(frozen=True, eq=False, repr=False)
class Context:
    """What providers are made with.

    Attributes:
        settings: the settings in force.
        profile: the profile whose properties count.
        read_profiles: gives what the files say now; blocks, so it is called in a thread.
        environ: the environment variables as they were when the source was made.
        key_environ: those that may hold the credentials themselves, as they are now.
        use_environ: whether they can hold the credentials themselves; not when the profile was
            named in code.
        transport: gives the way to local endpoints (instance metadata, containers).
        call: calls STS, SSO and the like; None when there is no way to call them.
        mfa_code: gives the code of the MFA device whose serial number it is called with; an
            ordinary function is called in a thread.
        role_cache: folder of the AWS CLI's cache of role credentials, to share it; None for none.
    """

    settings: Settings
    profile: str
    read_profiles: Callable[[], Profiles]
    environ: Mapping[str, str]
    key_environ: Mapping[str, str]
    use_environ: bool
    transport: Callable[[], Transport]
    call: ServiceCall | None = None
    mfa_code: MFACode | None = None
    role_cache: str | None = None

    async def profiles(self) -> Profiles:
        """Return what the files say now.

        Raises:
            ConfigParserError: a file is malformed or cannot be read.
        """
        return await asyncio.to_thread(self.read_profiles)

    async def section(self) -> Section:
        """Return the properties of the profile, both files merged."""
        return (await self.profiles()).profiles.get(self.profile, {})
