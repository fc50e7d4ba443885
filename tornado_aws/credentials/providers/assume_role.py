"""Credentials of a role, asked of STS with other credentials."""

from __future__ import annotations

import asyncio
import hashlib
import inspect
import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tornado_aws.config import Profiles, Section, expand_home
from tornado_aws.credentials import Credentials
from tornado_aws.credentials.providers import Absent, Context
from tornado_aws.credentials.providers.json_cache import read_json, write_json
from tornado_aws.credentials.providers.sts import (
    default_session_name,
    parse_result,
    role_credentials,
)
from tornado_aws.exceptions import CredentialsError

__all__ = ["AssumeRole", "RoleProfile"]

logger = logging.getLogger("tornado_aws.credentials")

GetCredentials = Callable[[Credentials | None], Awaitable[Credentials]]

# Cached credentials that end sooner, seconds, are not worth taking: botocore/credentials.py.
_CACHE_MARGIN = 15 * 60.0


class AssumeRole:
    """A role given in code.

    Args:
        context: has the way to call STS, the MFA callback and the cache's folder.
        params: parameters of ``AssumeRole`` but for ``TokenCode``: ``RoleArn``, and where wanted
            ``RoleSessionName``, ``DurationSeconds``, ``ExternalId``, ``SerialNumber``, ``Policy``,
            ``PolicyArns``, ``Tags``, ``TransitiveTagKeys``, ``SourceIdentity``.
        get_source: gives the credentials to ask with.
    """

    name = "assume-role"
    recheck = None

    def __init__(
        self, context: Context, params: Mapping[str, Any], get_source: GetCredentials
    ) -> None:
        self._context = context
        self._params = params
        self._get_source = get_source

    async def load(self, rejected: Credentials | None) -> Credentials:
        cached = await self._cached()
        if cached is not None and cached != rejected:
            return cached
        params = {"RoleSessionName": default_session_name(), **self._params}
        source = await self._get_source(None)
        if serial := params.get("SerialNumber"):
            params["TokenCode"] = await self._code(serial)
        result = await role_credentials(self._context, "AssumeRole", params, source, self.name)
        credentials = parse_result(result, self.name)
        await self._remember(result, credentials.account_id)
        return credentials

    async def _code(self, serial: str) -> str:
        ask = self._context.mfa_code
        if ask is None:
            raise CredentialsError(
                source=self.name,
                reason=f"a code of the MFA device {serial} is needed; give mfa_code=, a function"
                " that returns it",
            )
        given: object
        if inspect.iscoroutinefunction(ask):
            given = ask(serial)
        else:
            given = await asyncio.to_thread(ask, serial)
        code = await given if inspect.isawaitable(given) else given
        if not isinstance(code, str):
            raise CredentialsError(
                source=self.name, reason=f"mfa_code returned {type(code).__name__}, not a text"
            )
        return code

    def _cache_file(self) -> Path | None:
        folder = self._context.role_cache
        if folder is None:
            return None
        return Path(expand_home(folder, self._context.environ)) / f"{cache_key(self._params)}.json"

    async def _cached(self) -> Credentials | None:
        path = self._cache_file()
        document = None if path is None else await asyncio.to_thread(read_json, path)
        if document is None:
            return None
        try:
            credentials = parse_result(document, self.name)
        except CredentialsError:
            return None
        end = credentials.expiration
        if end is None or (end - datetime.now(UTC)).total_seconds() < _CACHE_MARGIN:
            return None
        return credentials

    async def _remember(self, result: Mapping[str, Any], account_id: str | None) -> None:
        path = self._cache_file()
        if path is None:
            return
        document = {key: result[key] for key in ("Credentials", "AssumedRoleUser") if key in result}
        found = dict(document["Credentials"])
        if isinstance(found["Expiration"], datetime):
            found["Expiration"] = found["Expiration"].astimezone(UTC).isoformat()
        if account_id:
            found["AccountId"] = account_id  # where the CLI looks for it
        try:
            await asyncio.to_thread(write_json, path, {**document, "Credentials": found})
        except OSError as error:
            logger.warning("Role credentials cannot be cached in %s: %s", path, error.strerror)


def cache_key(params: Mapping[str, Any]) -> str:
    """Return the name that the AWS CLI gives the file with the credentials of this role."""
    document = dict(params)
    if "Policy" in document:
        document["Policy"] = json.loads(document["Policy"])
    text = json.dumps(document, sort_keys=True)
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


# Keys of a profile, the parameters of ``AssumeRole`` that they become.
_PARAMETERS = {
    "role_arn": "RoleArn",
    "role_session_name": "RoleSessionName",
    "external_id": "ExternalId",
    "mfa_serial": "SerialNumber",
}

ProfileLoader = Callable[[str], Awaitable[Credentials]]
NamedLoader = Callable[[], Awaitable[Credentials]]


class RoleProfile:
    """``role_arn`` of the profile, with ``source_profile`` or ``credential_source``.

    Args:
        context: what providers are made with.
        load_profile: loads the credentials that a profile has itself, without assuming a role.
        named: loads credentials by the names that ``credential_source`` can have.
    """

    name = AssumeRole.name
    recheck = None

    def __init__(
        self, context: Context, load_profile: ProfileLoader, named: Mapping[str, NamedLoader]
    ) -> None:
        self._context = context
        self._load_profile = load_profile
        self._named = named

    async def load(self, rejected: Credentials | None) -> Credentials:
        profiles = await self._context.profiles()
        profile = self._context.profile
        section = profiles.profiles.get(profile, {})
        if not _has_role(section):
            raise Absent(f"profile {profile!r} has no role_arn")
        return await self._role(profiles, [profile], rejected)

    async def _role(
        self, profiles: Profiles, visited: Sequence[str], rejected: Credentials | None
    ) -> Credentials:
        """Load the credentials of the role of the profile that was visited last."""
        section = profiles.profiles[visited[-1]]
        source = _source(section, visited[-1])

        async def get_source(rejected: Credentials | None) -> Credentials:
            if "credential_source" in source:
                return await self._from_named(source["credential_source"], visited[-1])
            return await self._from_profile(
                profiles, [*visited, source["source_profile"]], rejected
            )

        # Checked before the cache is looked at: a configuration is right or wrong, not sometimes.
        self._check_source(profiles, source, visited)
        role = AssumeRole(self._context, _parameters(section, visited[-1]), get_source)
        return await role.load(rejected)

    def _check_source(
        self, profiles: Profiles, source: Mapping[str, str], visited: Sequence[str]
    ) -> None:
        if name := source.get("credential_source"):
            if name not in self._named:
                allowed = ", ".join(self._named)
                raise _fault(visited[-1], f"credential_source {name!r} is none of {allowed}")
            return
        name = source["source_profile"]
        if name not in profiles.profiles:
            raise _fault(
                visited[-1], f"source_profile {name!r} does not exist{profiles.hint(name)}"
            )
        # A profile may name itself to use the keys that stand in it.
        itself = name == visited[-1] and _has_keys(profiles.profiles[name])
        if name in visited and not itself:
            raise _fault(visited[-1], f"source_profile goes round: {' -> '.join([*visited, name])}")

    async def _from_named(self, name: str, profile: str) -> Credentials:
        try:
            return await self._named[name]()
        except Absent as absent:
            raise _fault(profile, f"credential_source {name} gave nothing: {absent}") from None

    async def _from_profile(
        self, profiles: Profiles, visited: Sequence[str], rejected: Credentials | None
    ) -> Credentials:
        section = profiles.profiles[visited[-1]]
        if _has_role(section) and not _has_keys(section):
            return await self._role(profiles, visited, rejected)
        try:
            return await self._load_profile(visited[-1])
        except Absent as absent:
            raise _fault(
                visited[-2], f"source_profile {visited[-1]!r} gave no credentials: {absent}"
            ) from None


def _has_role(section: Section) -> bool:
    # With a token file the role is the web identity provider's.
    return bool(section.get("role_arn")) and "web_identity_token_file" not in section


def _has_keys(section: Section) -> bool:
    return "aws_access_key_id" in section or "aws_secret_access_key" in section


def _source(section: Section, profile: str) -> dict[str, str]:
    names = ("source_profile", "credential_source")
    given = {name: _text(section, name, profile) for name in names}
    source = {name: value for name, value in given.items() if value}
    if len(source) == 2:
        raise _fault(profile, "it has both source_profile and credential_source")
    if not source:
        raise _fault(profile, "role_arn needs source_profile or credential_source")
    return source


def _parameters(section: Section, profile: str) -> dict[str, Any]:
    params: dict[str, Any] = {
        parameter: value
        for key, parameter in _PARAMETERS.items()
        if (value := _text(section, key, profile))
    }
    if duration := _text(section, "duration_seconds", profile):
        if not duration.isdecimal():
            raise _fault(profile, "duration_seconds must be a whole number of seconds")
        params["DurationSeconds"] = int(duration)
    return params


def _text(section: Section, key: str, profile: str) -> str:
    value = section.get(key, "")
    if isinstance(value, dict):
        raise _fault(profile, f"{key} must be a text, not a table of properties")
    return value


def _fault(profile: str, reason: str) -> CredentialsError:
    return CredentialsError(source=RoleProfile.name, reason=f"profile {profile!r}: {reason}")
