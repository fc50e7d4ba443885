"""Credentials from IAM Identity Center, with the token that ``aws sso login`` has left.

Two kinds of profiles: with ``sso_session`` the token is refreshed as long as the session lives;
without one (legacy) it is used until it ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from tornado_aws.config import Profiles, Section
from tornado_aws.credentials import Credentials
from tornado_aws.credentials.document import parse_credentials, parse_milliseconds
from tornado_aws.credentials.providers import Absent, Context
from tornado_aws.credentials.sso_token import (
    SESSION_KEYS,
    SOURCE,
    Portal,
    fault,
    load_token,
    session_section,
)
from tornado_aws.exceptions import AWSClientException, AWSError, ClientClosedError

__all__ = ["SSO"]

_PROFILE_KEYS = ("sso_role_name", "sso_account_id")


class _Login(NamedTuple):
    """What a profile says.

    Attributes:
        role_name: the role (permission set).
        account_id: the account.
        portal: where the user logs in.
    """

    role_name: str
    account_id: str
    portal: Portal


class SSO:
    """``sso_session``, ``sso_account_id`` and ``sso_role_name`` of the profile."""

    name = SOURCE
    recheck = None

    def __init__(self, context: Context) -> None:
        self._context = context

    async def load(self, rejected: Credentials | None) -> Credentials:
        login = _login(await self._context.profiles(), self._context.profile)
        call = self._context.call
        if call is None:
            raise fault("there is no way to call SSO")
        token = await load_token(login.portal, self._context.environ, call)
        params = {
            "roleName": login.role_name,
            "accountId": login.account_id,
            "accessToken": token["accessToken"],
        }
        try:
            result = await call("sso", "GetRoleCredentials", login.portal.region, params, None)
        except ClientClosedError:
            raise
        except AWSError as error:
            if error.status_code == 401 or error.code == "UnauthorizedException":
                reason = "the portal does not accept the token"
                raise login.portal.login_needed(reason) from error
            raise fault(f"GetRoleCredentials failed: {error}") from error
        except AWSClientException as error:
            raise fault(f"GetRoleCredentials failed: {error}") from error
        return _parsed(result, login)


def _login(profiles: Profiles, profile: str) -> _Login:
    section = profiles.profiles.get(profile, {})
    if not any(key in section for key in _PROFILE_KEYS):
        raise Absent(f"profile {profile!r} has neither sso_role_name nor sso_account_id")
    session = section.get("sso_session") or None
    merged = _with_session(profiles, section, str(session)) if session else section
    keys = (*_PROFILE_KEYS, *SESSION_KEYS)
    missing = [key for key in keys if not isinstance(merged.get(key), str) or not merged[key]]
    if missing:
        raise fault(f"profile {profile!r} has no {' and no '.join(missing)}")
    role_name, account_id, start_url, region = (str(merged[key]) for key in keys)
    portal = Portal(profile, start_url, region, str(session) if session else None)
    return _Login(role_name, account_id, portal)


def _with_session(profiles: Profiles, section: Section, session: str) -> Section:
    found = session_section(profiles, session)
    for key, value in found.items():
        if section.get(key, value) != value:
            raise fault(f"{key} differs between the profile and [sso-session {session}]")
    return {**section, **found}


def _parsed(result: Mapping[str, Any], login: _Login) -> Credentials:
    found = result.get("roleCredentials")
    keys = found if isinstance(found, Mapping) else {}
    document = {
        "AccessKeyId": keys.get("accessKeyId"),
        "SecretAccessKey": keys.get("secretAccessKey"),
        "SessionToken": keys.get("sessionToken"),
        "Expiration": parse_milliseconds(keys.get("expiration"), SSO.name),
        "AccountId": login.account_id,
    }
    return parse_credentials(document, SSO.name, temporary=True)
