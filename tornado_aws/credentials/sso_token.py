"""The token that ``aws sso login`` has left: found, refreshed, and kept for the AWS CLI.

IAM Identity Center gives credentials for it (`tornado_aws.credentials.providers.sso`), and some
services take it as it is (`tornado_aws.bearer`). A refresh token is good once. So one refresh of a
file runs at a time in a process, for all who want the token, and who loses to another process looks
into the file again.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from tornado_aws.config import Profiles, Section, expand_home
from tornado_aws.credentials.document import parse_time
from tornado_aws.credentials.providers import ServiceCall
from tornado_aws.credentials.providers.json_cache import read_json, write_json
from tornado_aws.exceptions import AWSClientException, ClientClosedError, CredentialsError
from tornado_aws.joint_flight import ByKey, JointFlight

__all__ = ["SESSION_KEYS", "SOURCE", "Portal", "fault", "load_token", "session_section"]

logger = logging.getLogger("tornado_aws.credentials")

SOURCE = "sso"
SESSION_KEYS = ("sso_start_url", "sso_region")
TOKEN_CACHE = "~/.aws/sso/cache"  # noqa: S105 - a folder
# A token is refreshed so long before its end, seconds (botocore/tokens.py, SSOTokenProvider).
_REFRESH_WINDOW = 15 * 60.0
_TIME = "%Y-%m-%dT%H:%M:%SZ"

# By file.
_REFRESHES: ByKey[JointFlight[Mapping[str, Any]]] = ByKey(JointFlight)


class Portal(NamedTuple):
    """Where a profile's users log in.

    Attributes:
        profile: the profile's name.
        start_url: the portal.
        region: where it is.
        session: name of the sso-session section, None for a profile of old without one, whose
            tokens are never refreshed.
    """

    profile: str
    start_url: str
    region: str
    session: str | None

    def login_needed(self, reason: str) -> CredentialsError:
        """Return the error that tells the user to log in."""
        return fault(f"{reason}; run: aws sso login --profile {self.profile}")


def session_section(profiles: Profiles, session: str) -> Section:
    """Return the properties of a section ``[sso-session ...]``.

    Raises:
        CredentialsError: there is no such section, or it lacks URL or region.
    """
    found = profiles.sso_sessions.get(session)
    if found is None:
        raise fault(f"there is no section [sso-session {session}]")
    missing = [key for key in SESSION_KEYS if not found.get(key)]
    if missing:
        raise fault(f"[sso-session {session}] has no {' and no '.join(missing)}")
    return found


async def load_token(
    portal: Portal, environ: Mapping[str, str], call: ServiceCall
) -> Mapping[str, Any]:
    """Return the document of a token that has not ended, refreshed if it soon will have.

    Args:
        portal: where the user has logged in.
        environ: says where the home folder is.
        call: calls SSO OIDC.

    Returns:
        The document, with ``accessToken`` and ``expiresAt``.

    Raises:
        CredentialsError: the user must log in.
    """
    path = _file(portal, environ)
    token: Mapping[str, Any] = await _read(path, portal)
    if _can_be_renewed(token, portal):
        token = await _REFRESHES[path].get(partial(_refresh, path, portal, call))
    if _remaining(token["expiresAt"]) <= 0:
        raise portal.login_needed("the token has ended")
    return token


def _can_be_renewed(token: Mapping[str, Any], portal: Portal) -> bool:
    return portal.session is not None and _remaining(token["expiresAt"]) < _REFRESH_WINDOW


async def _refresh(path: Path, portal: Portal, call: ServiceCall) -> Mapping[str, Any]:
    """Return the token that a file has now, or one that is newer."""
    token = await _read(path, portal)
    if not _can_be_renewed(token, portal):
        return token  # another loop was faster
    fresh = await _refreshed(token, portal, call)
    if fresh is None:
        return await _read(path, portal)  # another process may have been faster
    await _save(path, fresh)
    return fresh


def _file(portal: Portal, environ: Mapping[str, str]) -> Path:
    key = portal.session or portal.start_url
    name = hashlib.sha1(key.encode(), usedforsecurity=False).hexdigest()
    return Path(expand_home(TOKEN_CACHE, environ)) / f"{name}.json"


async def _read(path: Path, portal: Portal) -> dict[str, Any]:
    token = await asyncio.to_thread(read_json, path)
    if token is None:
        raise portal.login_needed(f"there is no token in {path}")
    if not token.get("accessToken") or not token.get("expiresAt"):
        raise portal.login_needed(f"{path} has no accessToken or no expiresAt")
    return token


async def _save(path: Path, token: Mapping[str, Any]) -> None:
    try:
        await asyncio.to_thread(write_json, path, token)
    except OSError as error:
        logger.warning("The SSO token cannot be saved in %s: %s", path, error.strerror)


async def _refreshed(
    token: Mapping[str, Any], portal: Portal, call: ServiceCall
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
        result = await call("sso-oidc", "CreateToken", portal.region, params, None)
    except ClientClosedError:
        raise
    except AWSClientException as error:
        logger.warning("The SSO token could not be refreshed: %s", type(error).__name__)
        return None
    end = datetime.now(UTC) + timedelta(seconds=result["expiresIn"])
    return {
        **token,
        "startUrl": portal.start_url,
        "region": portal.region,
        "accessToken": result["accessToken"],
        "expiresAt": end.strftime(_TIME),
        "refreshToken": result.get("refreshToken") or token["refreshToken"],
    }


def _remaining(text: str) -> float:
    end = parse_time(text, SOURCE)
    return (end - datetime.now(UTC)).total_seconds() if end else 0.0


def fault(reason: str) -> CredentialsError:
    """Return the error for a login that cannot be used."""
    return CredentialsError(source=SOURCE, reason=reason)
