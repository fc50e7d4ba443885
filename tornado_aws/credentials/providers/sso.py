"""Credentials from IAM Identity Center, with the token that ``aws sso login`` has left.

Two kinds of profiles: with ``sso_session`` the token is refreshed as long as the session lives;
without one (legacy) it is used until it ends.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from tornado_aws.config import Profiles, Section, expand_home
from tornado_aws.credentials import Credentials
from tornado_aws.credentials.document import parse_credentials, parse_time
from tornado_aws.credentials.providers import Absent, Context, ServiceCall
from tornado_aws.credentials.providers.json_cache import read_json, write_json
from tornado_aws.exceptions import AWSClientException, AWSError, ClientClosedError, CredentialsError

__all__ = ["SSO"]

logger = logging.getLogger("tornado_aws.credentials")

TOKEN_CACHE = "~/.aws/sso/cache"  # noqa: S105 - a folder
# A token is refreshed so long before its end, seconds.
_REFRESH_WINDOW = 5 * 60.0
_TIME = "%Y-%m-%dT%H:%M:%SZ"

_PROFILE_KEYS = ("sso_role_name", "sso_account_id")
_SESSION_KEYS = ("sso_start_url", "sso_region")


class _Login(NamedTuple):
    """What a profile says.

    Attributes:
        role_name: the role (permission set).
        account_id: the account.
        start_url: the portal.
        region: where the portal is.
        session: name of the sso-session section, None for a legacy profile.
    """

    role_name: str
    account_id: str
    start_url: str
    region: str
    session: str | None


class SSO:
    """``sso_session``, ``sso_account_id`` and ``sso_role_name`` of the profile."""

    name = "sso"
    recheck = None

    def __init__(self, context: Context) -> None:
        self._context = context

    async def load(self, rejected: Credentials | None) -> Credentials:
        login = _login(await self._context.profiles(), self._context.profile)
        call = self._context.call
        if call is None:
            raise _fault("there is no way to call SSO")
        token = await self._token(login, call)
        params = {
            "roleName": login.role_name,
            "accountId": login.account_id,
            "accessToken": token,
        }
        try:
            result = await call("sso", "GetRoleCredentials", login.region, params, None)
        except ClientClosedError:
            raise
        except AWSError as error:
            if error.status_code == 401 or error.code == "UnauthorizedException":
                raise self._login_needed("the portal does not accept the token") from error
            raise _fault(f"GetRoleCredentials failed: {error}") from error
        except AWSClientException as error:
            raise _fault(f"GetRoleCredentials failed: {error}") from error
        return _parsed(result, login)

    async def _token(self, login: _Login, call: ServiceCall) -> str:
        path = self._token_file(login)
        token = await self._read(path)
        if login.session is not None and _remaining(token["expiresAt"]) < _REFRESH_WINDOW:
            fresh = await self._refreshed(token, login, call)
            if fresh is not None:
                await self._save(path, fresh)
                return str(fresh["accessToken"])
            # A refresh token is good once: another process may have been faster.
            token = await self._read(path)
        if _remaining(token["expiresAt"]) <= 0:
            raise self._login_needed("the token has ended")
        return str(token["accessToken"])

    async def _read(self, path: Path) -> dict[str, Any]:
        token = await asyncio.to_thread(read_json, path)
        if token is None:
            raise self._login_needed(f"there is no token in {path}")
        if not token.get("accessToken") or not token.get("expiresAt"):
            raise self._login_needed(f"{path} has no accessToken or no expiresAt")
        return token

    def _token_file(self, login: _Login) -> Path:
        key = login.session or login.start_url
        name = hashlib.sha1(key.encode(), usedforsecurity=False).hexdigest()
        return Path(expand_home(TOKEN_CACHE, self._context.environ)) / f"{name}.json"

    async def _refreshed(
        self, token: Mapping[str, Any], login: _Login, call: ServiceCall
    ) -> dict[str, Any] | None:
        """Return a new token, or None when there can be none: the old one may still do."""
        needed = ("refreshToken", "clientId", "clientSecret", "registrationExpiresAt")
        if not all(token.get(key) for key in needed):
            return None
        if _remaining(token["registrationExpiresAt"]) <= 0:
            return None
        params = {
            "grantType": "refresh_token",
            "clientId": token["clientId"],
            "clientSecret": token["clientSecret"],
            "refreshToken": token["refreshToken"],
        }
        try:
            result = await call("sso-oidc", "CreateToken", login.region, params, None)
        except ClientClosedError:
            raise
        except AWSClientException as error:
            logger.warning("The SSO token could not be refreshed: %s", type(error).__name__)
            return None
        end = datetime.now(UTC) + timedelta(seconds=result["expiresIn"])
        return {
            **token,
            "startUrl": login.start_url,
            "region": login.region,
            "accessToken": result["accessToken"],
            "expiresAt": end.strftime(_TIME),
            "refreshToken": result.get("refreshToken") or token["refreshToken"],
        }

    async def _save(self, path: Path, token: Mapping[str, Any]) -> None:
        try:
            await asyncio.to_thread(write_json, path, token)
        except OSError as error:
            logger.warning("The SSO token cannot be saved in %s: %s", path, error.strerror)

    def _login_needed(self, reason: str) -> CredentialsError:
        return _fault(f"{reason}; run: aws sso login --profile {self._context.profile}")


def _login(profiles: Profiles, profile: str) -> _Login:
    section = profiles.profiles.get(profile, {})
    if not any(key in section for key in _PROFILE_KEYS):
        raise Absent(f"profile {profile!r} has neither sso_role_name nor sso_account_id")
    session = section.get("sso_session") or None
    merged = _with_session(profiles, section, str(session)) if session else section
    keys = (*_PROFILE_KEYS, *_SESSION_KEYS)
    missing = [key for key in keys if not isinstance(merged.get(key), str) or not merged[key]]
    if missing:
        raise _fault(f"profile {profile!r} has no {' and no '.join(missing)}")
    role_name, account_id, start_url, region = (str(merged[key]) for key in keys)
    return _Login(role_name, account_id, start_url, region, str(session) if session else None)


def _with_session(profiles: Profiles, section: Section, session: str) -> Section:
    found = profiles.sso_sessions.get(session)
    if found is None:
        raise _fault(f"there is no section [sso-session {session}]")
    missing = [key for key in _SESSION_KEYS if not found.get(key)]
    if missing:
        raise _fault(f"[sso-session {session}] has no {' and no '.join(missing)}")
    for key, value in found.items():
        if section.get(key, value) != value:
            raise _fault(f"{key} differs between the profile and [sso-session {session}]")
    return {**section, **found}


def _remaining(text: str) -> float:
    end = parse_time(text, SSO.name)
    return (end - datetime.now(UTC)).total_seconds() if end else 0.0


def _parsed(result: Mapping[str, Any], login: _Login) -> Credentials:
    found = result.get("roleCredentials")
    keys = found if isinstance(found, Mapping) else {}
    milliseconds = keys.get("expiration")
    document = {
        "AccessKeyId": keys.get("accessKeyId"),
        "SecretAccessKey": keys.get("secretAccessKey"),
        "SessionToken": keys.get("sessionToken"),
        "Expiration": datetime.fromtimestamp(milliseconds / 1000, UTC) if milliseconds else None,
        "AccountId": login.account_id,
    }
    return parse_credentials(document, SSO.name, temporary=True)


def _fault(reason: str) -> CredentialsError:
    return CredentialsError(source=SSO.name, reason=reason)
