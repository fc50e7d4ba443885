"""Keys in the shared credentials file and in the configuration file."""

from __future__ import annotations

from collections.abc import Mapping

from tornado_aws.config import Section
from tornado_aws.credentials import Credentials
from tornado_aws.credentials.providers import Absent, Context
from tornado_aws.exceptions import CredentialsError

__all__ = ["ConfigFile", "CredentialsFile"]

# The older name counts first, as in botocore.
_TOKENS = ("aws_security_token", "aws_session_token")

# How often a file is looked at, seconds. Agents and sidecars replace keys while programs run.
_RECHECK = 5.0


class CredentialsFile:
    """Keys of the profile in the shared credentials file."""

    name = "credentials-file"
    recheck = _RECHECK
    _file = "credentials_file"  # of the settings where it is, of the profiles what it says

    def __init__(self, context: Context) -> None:
        self._context = context

    async def load(self, rejected: Credentials | None) -> Credentials:
        profiles, profile = await self._context.profiles(), self._context.profile
        sections: Mapping[str, Section] = getattr(profiles, self._file)
        if profile not in sections:
            path = getattr(self._context.settings, self._file)
            raise Absent(f"profile {profile!r} is not in {path}{profiles.hint(profile)}")
        return _keys(sections[profile], profile, self.name)


class ConfigFile(CredentialsFile):
    """Keys of the profile in the configuration file."""

    name = "config-file"
    _file = "config_file"


def _keys(section: Section, profile: str, source: str) -> Credentials:
    """Make credentials of one file's section: a pair is never made of two files or profiles."""
    access_key = _value(section, "aws_access_key_id")
    if access_key is None:
        raise Absent(f"profile {profile!r} has no aws_access_key_id")
    secret_key = _value(section, "aws_secret_access_key")
    if secret_key is None:
        raise CredentialsError(
            source=source,
            reason=f"profile {profile!r} has aws_access_key_id and no aws_secret_access_key",
        )
    tokens = (_value(section, name) for name in _TOKENS)
    return Credentials(
        access_key,
        secret_key,
        next(filter(None, tokens), None),
        account_id=_value(section, "aws_account_id"),
        source=source,
    )


def _value(section: Section, name: str) -> str | None:
    value = section.get(name)
    return value if isinstance(value, str) and value else None
