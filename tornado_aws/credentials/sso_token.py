"""The token that ``aws sso login`` has left: found, refreshed, and kept for the AWS CLI.

IAM Identity Center gives credentials for it (`tornado_aws.credentials.providers.sso`), and some
services take it as it is (`tornado_aws.bearer`). A refresh token is good once. So one refresh of a
file runs at a time in a process, for all who want the token, and to its end, for the next one is in
the answer; who loses to another process looks into the file again.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from tornado_aws.config import Profiles, Section, expand_home
from tornado_aws.credentials.document import parse_lifetime, parse_time
from tornado_aws.credentials.providers import ServiceCall
from tornado_aws.credentials.providers.json_cache import read_json, write_json
from tornado_aws.exceptions import (
    AWSClientException,
    AWSError,
    ClientClosedError,
    CredentialsError,
)
from tornado_aws.joint_flight import ByKey
from tornado_aws.thread_flight import ThreadFlight

__all__ = ["SESSION_KEYS", "SOURCE", "Portal", "fault", "load_token", "session_section"]

logger = logging.getLogger("tornado_aws.credentials")

SOURCE = "sso"
SESSION_KEYS = ("sso_start_url", "sso_region")
TOKEN_CACHE = "~/.aws/sso/cache"  # noqa: S105 - a folder
# A token is refreshed so long before its end, seconds (botocore/tokens.py, SSOTokenProvider).
_REFRESH_WINDOW = 15 * 60.0
_TIME = "%Y-%m-%dT%H:%M:%SZ"
# What a refresh needs beside the refresh token.
_REGISTRATION = ("clientId", "clientSecret", "registrationExpiresAt")
# Refusals after which no refresh will succeed any more; others pass, or tell of another fault.
_FINAL_REFUSALS = frozenset(
    {
        "AccessDeniedException",
        "ExpiredTokenException",
        "InvalidClientException",
        "InvalidGrantException",
        "UnauthorizedClientException",
    }
)

# By file.
_REFRESHES: ByKey[ThreadFlight[Mapping[str, Any]]] = ByKey(ThreadFlight)


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
        CredentialsError: the user must log in; or the token has ended and SSO OIDC did not answer
            as it should.
    """
    path = _file(portal, environ)
    token: Mapping[str, Any] = await _read(path, portal)
    if _can_be_renewed(token, portal):
        token = await _REFRESHES[path].get(partial(_refresh, path, portal, call))
    if _remaining(token["expiresAt"]) <= 0:
        raise portal.login_needed("the token has ended")
    return token


def _can_be_renewed(token: Mapping[str, Any], portal: Portal) -> bool:
    return (
        portal.session is not None
        and _remaining(token["expiresAt"]) < _REFRESH_WINDOW
        and all(token.get(key) for key in ("refreshToken", *_REGISTRATION))
        and _remaining(token["registrationExpiresAt"]) > 0
    )


async def _refresh(path: Path, portal: Portal, call: ServiceCall) -> Mapping[str, Any]:
    """Return the token that a file has now, or one that is newer."""
    token = await _read(path, portal)
    if not _can_be_renewed(token, portal):
        return token  # another loop was faster
    try:
        return await _refreshed(path, token, portal, call)
    except CredentialsError as error:
        found = await _read(path, portal)  # another process may have been faster
        if _remaining(found["expiresAt"]) <= 0:
            raise
        logger.warning("The SSO token could not be refreshed: %s", error.reason)
        return found


def _file(portal: Portal, environ: Mapping[str, str]) -> Path:
    key = portal.session or portal.start_url
    name = hashlib.sha1(key.encode(), usedforsecurity=False).hexdigest()
    return Path(expand_home(TOKEN_CACHE, environ)) / f"{name}.json"


async def _read(path: Path, portal: Portal) -> dict[str, Any]:
    token = await asyncio.to_thread(read_json, path)
    if token is None:
        raise portal.login_needed(f"there is no token in {path}")
    if not _text(token, "accessToken") or _end(token.get("expiresAt")) is None:
        raise portal.login_needed(f"{path} has no accessToken or no expiresAt")
    return token


async def _save(path: Path, token: Mapping[str, Any]) -> None:
    try:
        await asyncio.to_thread(write_json, path, token)
    except OSError as error:
        logger.warning("The SSO token cannot be saved in %s: %s", path, error.strerror)


async def _refreshed(
    path: Path, token: Mapping[str, Any], portal: Portal, call: ServiceCall
) -> Mapping[str, Any]:
    """Return a new token, which the file then has, too."""
    answer = await _answer(token, portal, call)
    kept = {**token, "refreshToken": _text(answer, "refreshToken") or token["refreshToken"]}
    try:
        renewed = {"accessToken": _access_token(answer), "expiresAt": _expiry(answer)}
    except CredentialsError:
        # The refresh token that was sent is used up: the new one must not be lost.
        if kept != token:
            await _save(path, kept)
        raise
    fresh = {**kept, "startUrl": portal.start_url, "region": portal.region, **renewed}
    await _save(path, fresh)
    return fresh


async def _answer(token: Mapping[str, Any], portal: Portal, call: ServiceCall) -> Mapping[str, Any]:
    """Send the refresh token to SSO OIDC and return what it answers."""
    params = {
        "grantType": "refresh_token",
        "clientId": token["clientId"],
        "clientSecret": token["clientSecret"],
        "refreshToken": token["refreshToken"],
    }
    try:
        return await call("sso-oidc", "CreateToken", portal.region, params, None)
    except ClientClosedError:
        raise
    except AWSClientException as error:
        raise _failed(error, portal) from error


def _failed(error: AWSClientException, portal: Portal) -> CredentialsError:
    reason = f"the token cannot be refreshed: {error}"
    if isinstance(error, AWSError) and error.code in _FINAL_REFUSALS:
        return portal.login_needed(reason)
    return fault(reason)


def _access_token(answer: Mapping[str, Any]) -> str:
    access_token = _text(answer, "accessToken")
    if not access_token:
        raise fault("the answer of CreateToken has no accessToken")
    return access_token


def _expiry(answer: Mapping[str, Any]) -> str:
    return parse_lifetime(answer.get("expiresIn"), SOURCE).strftime(_TIME)


def _text(document: Mapping[str, Any], key: str) -> str:
    value = document.get(key)
    return value if isinstance(value, str) else ""


def _end(value: Any) -> datetime | None:
    """Return the time that stands in a token's file; None for what is none."""
    try:
        return parse_time(value, SOURCE)
    except CredentialsError:
        return None


def _remaining(text: str) -> float:
    end = _end(text)
    return (end - datetime.now(UTC)).total_seconds() if end else 0.0


def fault(reason: str) -> CredentialsError:
    """Return the error for a login that cannot be used."""
    return CredentialsError(source=SOURCE, reason=reason)
