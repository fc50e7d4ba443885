"""Credentials that ``aws login`` has left, of a user who signed in with the console's password."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from tornado_aws.config import expand_home
from tornado_aws.credentials import Credentials
from tornado_aws.credentials.document import parse_credentials, parse_lifetime
from tornado_aws.credentials.providers import Absent, Context
from tornado_aws.credentials.providers.dpop import dpop_proof
from tornado_aws.credentials.providers.json_cache import read_json, write_json
from tornado_aws.exceptions import AWSClientException, AWSError, ClientClosedError, CredentialsError
from tornado_aws.joint_flight import ByKey
from tornado_aws.thread_flight import ThreadFlight

__all__ = ["Login"]

logger = logging.getLogger("tornado_aws.credentials")

CACHE = "~/.aws/login/cache"
CACHE_VARIABLE = "AWS_LOGIN_CACHE_DIRECTORY"
_TIME = "%Y-%m-%dT%H:%M:%SZ"

# Cached credentials that live longer, seconds, are used as they are: botocore/credentials.py,
# LoginCredentialFetcher.
_REFRESH_THRESHOLD = 5 * 60.0

# What a cached login consists of.
_REQUIRED = {"accessToken": dict, "refreshToken": str, "clientId": str, "dpopKey": str}
# Keys of its access token, those of a document with credentials.
_KEYS = {
    "accessKeyId": "AccessKeyId",
    "secretAccessKey": "SecretAccessKey",
    "sessionToken": "SessionToken",
    "accountId": "AccountId",
    "expiresAt": "Expiration",
}

# By file: a refresh token is good once, and the next one is in the answer. So one refresh is for
# all who want the credentials, and runs to its end.
_REFRESHES: ByKey[ThreadFlight[Credentials]] = ByKey(ThreadFlight)


class Login:
    """``login_session`` of the profile."""

    name = "login"
    recheck = None

    def __init__(self, context: Context) -> None:
        self._context = context

    async def load(self, rejected: Credentials | None) -> Credentials:
        session = (await self._context.section()).get("login_session")
        if not isinstance(session, str) or not session:
            raise Absent(f"profile {self._context.profile!r} has no login_session")
        path = self._file(session)
        cached = _cached(await self._read(path))
        if cached is not None and _will_do(cached, rejected):
            return cached
        return await _REFRESHES[path].get(partial(self._refresh, path, rejected))

    async def _refresh(self, path: Path, rejected: Credentials | None) -> Credentials:
        """Return the credentials that a file has now, if they are others, or new ones."""
        login = await self._read(path)
        cached = _cached(login)
        if cached is not None and _will_do(cached, rejected):
            return cached  # another loop was faster
        try:
            return await self._refreshed(path, login)
        except CredentialsError as error:
            # A refresh token is good once: another process may have been faster.
            found = _cached(await self._read(path))
            if found is None or found == rejected or _remaining(found) <= 0:
                raise
            logger.warning("The login could not be refreshed: %s", error.reason)
            return found

    async def _read(self, path: Path) -> dict[str, Any]:
        login = await asyncio.to_thread(read_json, path)
        if login is None:
            raise self._login_needed(f"there is no login in {path}")
        missing = [
            key
            for key, kind in _REQUIRED.items()
            if not isinstance(login.get(key), kind) or login[key] == ""
        ]
        if missing:
            raise self._login_needed(f"{path} has no {' and no '.join(missing)}")
        return login

    def _file(self, session: str) -> Path:
        name = hashlib.sha256(session.encode()).hexdigest()
        environ = self._context.environ
        return Path(expand_home(environ.get(CACHE_VARIABLE) or CACHE, environ)) / f"{name}.json"

    async def _refreshed(self, path: Path, login: Mapping[str, Any]) -> Credentials:
        """Return new credentials, which the file then has, too."""
        output = await self._output(login)
        kept = {**login, "refreshToken": _refresh_token(output) or login["refreshToken"]}
        try:
            fresh = {**kept, "accessToken": _access_token(login["accessToken"], output)}
            credentials = _credentials(fresh)
        except CredentialsError as error:
            # The refresh token that was sent is used up: the new one must not be lost.
            if kept != login:
                await self._save(path, kept)
            reason = f"CreateOAuth2Token gave no whole credentials: {error.reason}"
            raise self._login_needed(reason) from None
        await self._save(path, fresh)
        return credentials

    async def _output(self, login: Mapping[str, Any]) -> Mapping[str, Any]:
        """Send the refresh token to the sign-in service and return the tokens that it gives."""
        call = self._context.call
        region = self._context.settings.region
        if call is None or region is None:
            raise _fault("refreshing needs a region and a way to call the sign-in service")
        # Made here once, off the loop, so that what is wrong with the key is told as such.
        await asyncio.to_thread(_proof, login["dpopKey"], "https://localhost")
        token_input = {
            "clientId": login["clientId"],
            "refreshToken": login["refreshToken"],
            "grantType": "refresh_token",
        }
        try:
            result = await call(
                "signin",
                "CreateOAuth2Token",
                region,
                {"tokenInput": token_input},
                None,
                headers=lambda url: {"DPoP": _proof(login["dpopKey"], url)},
            )
        except ClientClosedError:
            raise
        except AWSError as error:
            raise self._refused(error) from error
        except AWSClientException as error:
            raise _fault(f"CreateOAuth2Token failed: {error}") from error
        output = result.get("tokenOutput")
        return output if isinstance(output, Mapping) else {}

    def _refused(self, error: AWSError) -> CredentialsError:
        detail = error.response.get("error") if isinstance(error.response, dict) else None
        if detail in {"TOKEN_EXPIRED", "USER_CREDENTIALS_CHANGED"}:
            return self._login_needed(f"the login is no longer good ({detail})")
        return _fault(f"CreateOAuth2Token failed: {error}")

    async def _save(self, path: Path, login: Mapping[str, Any]) -> None:
        try:
            await asyncio.to_thread(write_json, path, login)
        except OSError as error:
            logger.warning("The login cannot be saved in %s: %s", path, error.strerror)

    def _login_needed(self, reason: str) -> CredentialsError:
        return _fault(f"{reason}; run: aws login --profile {self._context.profile}")


def _proof(key_pem: str, url: str) -> str:
    return dpop_proof(key_pem, url, int(time.time()), str(uuid.uuid4()))


def _credentials(login: Mapping[str, Any]) -> Credentials:
    token = login["accessToken"]
    document = {name: token.get(key) for key, name in _KEYS.items()}
    return parse_credentials(document, Login.name, temporary=True)


def _cached(login: Mapping[str, Any]) -> Credentials | None:
    """Return the credentials of a login; None if it has no whole ones, which a refresh mends."""
    try:
        return _credentials(login)
    except CredentialsError:
        return None


def _will_do(cached: Credentials, rejected: Credentials | None) -> bool:
    return cached != rejected and _remaining(cached) > _REFRESH_THRESHOLD


def _refresh_token(output: Mapping[str, Any]) -> str:
    token = output.get("refreshToken")
    return token if isinstance(token, str) else ""


def _access_token(old: Mapping[str, Any], output: Mapping[str, Any]) -> dict[str, Any]:
    """Return the access token of a login with the keys and the end that the service gave."""
    found = output.get("accessToken")
    keys = found if isinstance(found, Mapping) else {}
    return {
        **old,
        **{key: keys.get(key) for key in ("accessKeyId", "secretAccessKey", "sessionToken")},
        "expiresAt": parse_lifetime(output.get("expiresIn"), Login.name).strftime(_TIME),
    }


def _remaining(credentials: Credentials) -> float:
    end = credentials.expiration
    return (end - datetime.now(UTC)).total_seconds() if end else 0.0


def _fault(reason: str) -> CredentialsError:
    return CredentialsError(source=Login.name, reason=reason)
