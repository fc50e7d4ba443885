"""In which order are the sources of credentials asked?

`ORDER` says it. The first source that has credentials is kept; one that is configured but broken
ends the search with its own error; those that are not configured are passed over, and named with
their reasons when nothing is found.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from tornado_aws.config import Profiles
from tornado_aws.credentials import Credentials
from tornado_aws.credentials.exchange import Exchange, Exchanging
from tornado_aws.credentials.providers import Absent, Context, MFACode, ServiceCall
from tornado_aws.credentials.providers.assume_role import RoleProfile
from tornado_aws.credentials.providers.container import Container
from tornado_aws.credentials.providers.environment import Environment
from tornado_aws.credentials.providers.files import ConfigFile, CredentialsFile
from tornado_aws.credentials.providers.imds import InstanceMetadata
from tornado_aws.credentials.providers.login import Login
from tornado_aws.credentials.providers.process import Process
from tornado_aws.credentials.providers.sso import SSO
from tornado_aws.credentials.providers.web_identity import WebIdentity
from tornado_aws.credentials.refresh import Provider, Refreshing
from tornado_aws.credentials.source import CredentialSource
from tornado_aws.exceptions import CredentialsError, NoCredentialsError
from tornado_aws.settings import Settings
from tornado_aws.transport import Transport

__all__ = ["ORDER", "default_source"]

Make = Callable[[Context], Provider]

# What a profile can have itself, in botocore's order (ProfileProviderBuilder); a profile that
# another one names as its source is asked for these too.
IN_PROFILE: Sequence[Make] = (WebIdentity, SSO, CredentialsFile, Login, Process, ConfigFile)

# What ``credential_source`` can name.
NAMED: Mapping[str, Make] = {
    "Environment": Environment,
    "EcsContainer": Container,
    "Ec2InstanceMetadata": InstanceMetadata,
}


def _role_profile(context: Context) -> Provider:
    return RoleProfile(
        context,
        partial(_load_from_profile, context),
        {name: partial(make(context).load, None) for name, make in NAMED.items()},
    )


# botocore's order (create_credential_resolver), without the files of its own predecessors.
ORDER: Sequence[Make] = (
    Environment,
    _role_profile,
    *IN_PROFILE,
    Container,
    InstanceMetadata,
)


def default_source(
    settings: Settings,
    profiles: Profiles,
    environ: Mapping[str, str],
    transport_factory: Callable[[], Transport],
    *,
    reload: Callable[[], Profiles] | None = None,
    key_environ: Mapping[str, str] | None = None,
    call: ServiceCall | None = None,
    mfa_code: MFACode | None = None,
    role_cache: str | None = None,
    exchange: Exchange | None = None,
) -> CredentialSource:
    """Make a source of what environment, files and endpoints have.

    Args:
        settings: the settings in force.
        profiles: what the configuration and credentials files said when the settings were made.
        environ: the environment variables.
        transport_factory: gives the way to local endpoints, one without a proxy.
        reload: reads the files again (`ProfileFiles.load`); it is called in a thread. Without it
            changes of the files are not seen.
        key_environ: the environment variables as they are whenever keys are looked for in them: a
            program may replace its own. Without it they are those of `environ`.
        call: calls STS, SSO, SSO OIDC and the sign-in service; without it roles and SSO are an
            error.
        mfa_code: gives the code of the MFA device with the serial number that it is called with.
        role_cache: folder where the AWS CLI keeps credentials of roles (``~/.aws/cli/cache``), to
            share them; None to keep them in memory only.
        exchange: shared with the sources of the same configuration on other loops.
    """
    context = Context(
        settings=settings,
        profile=settings.profile,
        read_profiles=reload or (lambda: profiles),
        environ=environ,
        key_environ=environ if key_environ is None else key_environ,
        # A profile that is named in code is meant; one that a variable names is a default.
        use_environ=settings.sources["profile"] != "argument",
        transport=transport_factory,
        call=call,
        mfa_code=mfa_code,
        role_cache=role_cache,
    )
    chain = _Chain(context)
    return Refreshing(chain if exchange is None else Exchanging(chain, exchange))


class _Chain:
    """The provider that stands for all of them: it finds one and stays with it."""

    def __init__(self, context: Context) -> None:
        makes = [make for make in ORDER if context.use_environ or make is not Environment]
        self._providers = [make(context) for make in makes]
        self._chosen: Provider | None = None

    @property
    def name(self) -> str:
        return "the chain" if self._chosen is None else self._chosen.name

    @property
    def recheck(self) -> float | None:
        return None if self._chosen is None else self._chosen.recheck

    async def load(self, rejected: Credentials | None) -> Credentials:
        if self._chosen is None:
            self._chosen, credentials = await _first(self._providers, rejected)
            return credentials
        try:
            return await self._chosen.load(rejected)
        except Absent as absent:
            raise CredentialsError(
                source=self._chosen.name, reason=f"they are gone: {absent}"
            ) from None


async def _first(
    providers: Sequence[Provider], rejected: Credentials | None = None
) -> tuple[Provider, Credentials]:
    tried = []
    for provider in providers:
        try:
            return provider, await provider.load(rejected)
        except Absent as absent:
            tried.append((provider.name, str(absent)))
    raise NoCredentialsError(tried=tuple(tried))


async def _load_from_profile(context: Context, profile: str) -> Credentials:
    """Load the credentials that a profile has itself.

    Raises:
        Absent: it has none.
        CredentialsError: it has a source of credentials that is broken.
    """
    own = replace(context, profile=profile, use_environ=False)
    try:
        _, credentials = await _first([make(own) for make in IN_PROFILE])
    except NoCredentialsError as error:
        raise Absent("; ".join(f"{name}: {reason}" for name, reason in error.tried)) from None
    return credentials
