"""Bearer tokens, which some services take instead of a signature (RFC 6750, section 2.1).

In botocore's order (botocore/tokens.py) a token comes from ``AWS_BEARER_TOKEN_<SERVICE>``, or from
a login with IAM Identity Center, for profiles with ``sso_session``.

On its way a token is `Credentials` that have a token and no keys: what keeps and refreshes the ones
does so with the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from tornado_aws.config import Profiles
from tornado_aws.credentials import Credentials
from tornado_aws.credentials.document import parse_time
from tornado_aws.credentials.providers import ServiceCall
from tornado_aws.credentials.refresh import Refreshing, Windows
from tornado_aws.credentials.source import CredentialSource, static
from tornado_aws.credentials.sso_token import (
    SESSION_KEYS,
    SOURCE,
    Portal,
    load_token,
    session_section,
)

__all__ = ["SCHEME", "Bearer", "bearer", "header", "is_needed", "login_token", "variable"]

# The scheme's name in models, preferences and endpoint rules.
SCHEME = "httpBearerAuth"
_TRAIT = f"smithy.api#{SCHEME}"

# Those of botocore; no chance in it, for a token is not refreshed before its window begins.
_WINDOWS = Windows(jitter=0.0)


class Bearer(NamedTuple):
    """Where a service's bearer token comes from.

    Attributes:
        source: gives it.
        is_for_service: whether it is meant for this very service, and so counts more than keys.
    """

    source: CredentialSource
    is_for_service: bool


def bearer(
    metadata: Mapping[str, Any], environ: Mapping[str, str], login: CredentialSource | None
) -> Bearer | None:
    """Return where a service's token comes from, None if it takes none or there is none.

    Args:
        metadata: what the model says of the service.
        environ: the environment variables.
        login: of `login_token`.
    """
    if not is_needed(metadata) and _TRAIT not in metadata.get("auth", ()):
        return None
    text = environ.get(variable(metadata))
    if text:
        return Bearer(static(Credentials("", "", text, source="env")), True)
    return None if login is None else Bearer(login, False)


def is_needed(metadata: Mapping[str, Any]) -> bool:
    """Tell whether a service takes nothing but a token."""
    return metadata.get("signatureVersion") == "bearer" or metadata.get("auth") == [_TRAIT]


def variable(metadata: Mapping[str, Any]) -> str:
    """Return the environment variable of a service's token."""
    name = metadata.get("signingName", metadata["endpointPrefix"])
    return f"AWS_BEARER_TOKEN_{name.replace('-', '_').upper()}"


async def header(source: CredentialSource) -> tuple[str, str]:
    """Return the header that carries the token in force.

    Raises:
        CredentialsError: there is none; the user must log in.
    """
    return "Authorization", f"Bearer {(await source.get()).security_token}"


def login_token(
    profile: str,
    profiles: Profiles,
    environ: Mapping[str, str],
    call: ServiceCall,
) -> CredentialSource | None:
    """Return a source of the token that a user of the profile has logged in for.

    Nothing is read before a token is wanted.

    Args:
        profile: the profile.
        profiles: what the files say.
        environ: says where the home folder is.
        call: calls SSO OIDC.

    Returns:
        The source, None for a profile without ``sso_session``.
    """
    session = profiles.profiles.get(profile, {}).get("sso_session")
    if not session:
        return None
    return Refreshing(_LoginToken(profile, profiles, str(session), environ, call), windows=_WINDOWS)


class _LoginToken:
    name = SOURCE
    recheck = None

    def __init__(
        self,
        profile: str,
        profiles: Profiles,
        session: str,
        environ: Mapping[str, str],
        call: ServiceCall,
    ) -> None:
        self._profile = profile
        self._profiles = profiles
        self._session = session
        self._environ = environ
        self._call = call

    async def load(self, rejected: Credentials | None) -> Credentials:
        section = session_section(self._profiles, self._session)
        start_url, region = (str(section[key]) for key in SESSION_KEYS)
        portal = Portal(self._profile, start_url, region, self._session)
        token = await load_token(portal, self._environ, self._call)
        end = parse_time(token["expiresAt"], self.name)
        return Credentials("", "", str(token["accessToken"]), expiration=end, source=self.name)
