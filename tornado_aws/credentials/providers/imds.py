"""Credentials and region from the metadata service of an EC2 instance.

Version 2 of the service wants a token with each request; version 1, which has none, is asked only
where version 2 does not exist or cannot be reached (a container behind a hop limit of 1 never gets
the answer to its request for a token), and never when that is switched off.
"""

from __future__ import annotations

import asyncio
import logging
import random
import re
import time
from collections.abc import Callable, Hashable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from tornado_aws._setting_kinds import REGION, ROLE_NAME
from tornado_aws.credentials import Credentials
from tornado_aws.credentials.document import explanation, load_object, parse_credentials
from tornado_aws.credentials.providers import Absent, Context
from tornado_aws.credentials.providers.local_http import send
from tornado_aws.exceptions import (
    ClientClosedError,
    ConnectError,
    ConnectTimeout,
    CredentialsError,
    ReadTimeout,
    RequestException,
    RequestTimeout,
)
from tornado_aws.joint_flight import JointFlight
from tornado_aws.settings import Settings
from tornado_aws.transport import Response, Transport

__all__ = ["InstanceMetadata", "instance_region"]

logger = logging.getLogger("tornado_aws.credentials")

_ADDRESSES = {"ipv4": "http://169.254.169.254", "ipv6": "http://[fd00:ec2::254]"}
_TOKEN_PATH = "/latest/api/token"  # noqa: S105 - a path
_CREDENTIALS_PATH = "/latest/meta-data/iam/security-credentials/"
_REGION_PATH = "/latest/meta-data/placement/region"
_IDENTITY_PATH = "/latest/dynamic/instance-identity/document"

_TTL_HEADER = "x-aws-ec2-metadata-token-ttl-seconds"
_TOKEN_TTL = 21600  # seconds: six hours, the longest that the service gives
# A token is replaced so long before its end, seconds, that no request meets it there.
_TOKEN_MARGIN = 60.0

# Bound on everything together, seconds.
BOUND = 20.0

# How often a request is sent when the answer is that the service fails or is busy. Such answers
# come fast, so they need not be rationed as silence is (``metadata_service_num_attempts``).
ANSWER_ATTEMPTS = 3
PAUSE = 0.1  # seconds, doubled each time

# How long the region is not asked for again after that failed, seconds.
FAILURE_PAUSE = 5.0

# What a token consists of: anything else would not be a header's value.
_VISIBLE = re.compile(r"[!-~]+")

_TIMEOUTS = (ConnectTimeout, ReadTimeout, RequestTimeout)

# Credentials that have ended and that the service does not replace are used on for so long,
# seconds, plus two to ten minutes: botocore/utils.py, InstanceMetadataFetcher.
_EXTENSION = 15 * 60.0


class InstanceMetadata:
    """The role of the instance that the program runs on."""

    name = "imds"
    recheck = None

    def __init__(
        self,
        context: Context,
        *,
        wall: Callable[[], float] = time.time,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._context = context
        self._wall = wall
        self._chance = chance
        self._service: _Service | None = None
        self._last: Credentials | None = None

    async def load(self, rejected: Credentials | None) -> Credentials:
        if self._context.settings.ec2_metadata_disabled:
            raise Absent("AWS_EC2_METADATA_DISABLED is set")
        try:
            fresh = await self._fetch()
        except (Absent, CredentialsError) as error:
            if self._last is None or rejected is not None:
                raise
            logger.warning("The instance metadata service gave no new credentials: %s", error)
            fresh = self._last
        self._last = fresh
        return self._extended(fresh)

    async def _fetch(self) -> Credentials:
        if self._service is None:
            self._service = _Service(
                self._context.settings, self._context.transport(), time.monotonic
            )
        try:
            async with asyncio.timeout(BOUND):
                role = await self._role(self._service)
                return await self._role_credentials(self._service, role)
        except TimeoutError:
            raise Absent(f"no answer within {BOUND:g} seconds") from None

    async def _role(self, service: _Service) -> str:
        if name := self._context.settings.ec2_instance_profile_name:
            return name
        role = (await service.text(_CREDENTIALS_PATH)).strip()
        if not role:
            raise Absent("the instance has no role")
        try:
            parsed: str = ROLE_NAME.parse(role)
        except ValueError:
            # It would become a part of a path, and of error texts.
            raise Absent("the service's answer is no name of a role") from None
        return parsed

    async def _role_credentials(self, service: _Service, role: str) -> Credentials:
        try:
            document = await service.document(_CREDENTIALS_PATH + role)
        except Absent as absent:
            if self._context.settings.ec2_instance_profile_name:
                raise
            # It has just named this role, so it is there, and broken.
            raise CredentialsError(source=self.name, reason=str(absent)) from None
        if document.get("Code", "Success") != "Success":
            text = explanation(document) or "an error without a code"
            raise CredentialsError(source=self.name, reason=f"the service answered {text}")
        return parse_credentials(document, self.name, temporary=True)

    def _extended(self, credentials: Credentials) -> Credentials:
        """Let credentials that have ended live on: the services accept them in an outage."""
        end = credentials.expiration
        if end is None or end.timestamp() > self._wall():
            return credentials
        seconds = _EXTENSION + 120.0 + 480.0 * self._chance()
        logger.warning(
            "The instance metadata service gave credentials that have ended; they are used on, and"
            " it is asked again in %.0f minutes",
            (seconds - _EXTENSION) / 60,
        )
        return replace(credentials, expiration=datetime.fromtimestamp(self._wall() + seconds, UTC))


async def instance_region(settings: Settings, transport: Callable[[], Transport]) -> str:
    """Ask the metadata service for the region that the program runs in.

    It is asked once in a process; after a failure, again some seconds later.

    Args:
        settings: the settings in force.
        transport: gives the way to the service; without a proxy.

    Raises:
        Absent: there is no such service here or it gives none; the text says why.
    """
    if settings.ec2_metadata_disabled:
        raise Absent("AWS_EC2_METADATA_DISABLED is set")
    key = (
        _base_url(settings),
        settings.metadata_service_timeout,
        settings.metadata_service_num_attempts,
        settings.ec2_metadata_v1_disabled,
    )
    return await _LOOKUPS.setdefault(key, _Lookup()).get(settings, transport)


class _Lookup:
    """What the clients of a process know of the region that one metadata service gives."""

    def __init__(self) -> None:
        self._flight: JointFlight[str] = JointFlight()
        self._region: str | None = None
        self._failure = ""
        self._failure_end = 0.0  # of time.monotonic

    async def get(self, settings: Settings, transport: Callable[[], Transport]) -> str:
        return self._region or await self._flight.get(partial(self._find, settings, transport))

    async def _find(self, settings: Settings, transport: Callable[[], Transport]) -> str:
        if self._region is not None:
            return self._region
        if time.monotonic() < self._failure_end:
            raise Absent(self._failure)
        try:
            self._region = await _ask_region(_Service(settings, transport(), time.monotonic))
        except Absent as absent:
            logger.debug("The instance metadata service gave no region: %s", absent)
            self._failure, self._failure_end = str(absent), time.monotonic() + FAILURE_PAUSE
            raise
        return self._region


# A machine stays where it is, so what was found is kept as long as the process lives.
_LOOKUPS: dict[Hashable, _Lookup] = {}


async def _ask_region(service: _Service) -> str:
    try:
        async with asyncio.timeout(BOUND):
            return await _region(service)
    except TimeoutError:
        raise Absent(f"no answer within {BOUND:g} seconds") from None
    except CredentialsError as error:
        raise Absent(error.reason) from None


async def _region(service: _Service) -> str:
    try:
        region = (await service.text(_REGION_PATH)).strip()
    except _Missing:
        # Emulators and old versions of the service know only the identity document.
        document = await service.document(_IDENTITY_PATH)
        region = str(document.get("region") or "")
    try:
        parsed: str = REGION.parse(region)
    except ValueError:
        # The page of a captive portal, say; it would become a part of host names.
        raise Absent("the service's answer is no region") from None
    return parsed


class _Service:
    """Requests to the metadata service, with its token."""

    def __init__(
        self, settings: Settings, transport: Transport, steady: Callable[[], float]
    ) -> None:
        self._base = _base_url(settings)
        self._timeout = settings.metadata_service_timeout
        self._attempts = settings.metadata_service_num_attempts
        self._v1_disabled = settings.ec2_metadata_v1_disabled
        self._transport = transport
        self._steady = steady
        self._token: str | None = None
        self._token_end = 0.0  # until then there is this token, or none is to be had
        self._why_none = ""

    async def text(self, path: str) -> str:
        return (await self.body(path)).decode("utf-8", "replace")

    async def document(self, path: str) -> dict[str, Any]:
        """Return the JSON object that the service has at `path`; see `body`."""
        attempts = 0
        while True:
            attempts += 1
            body = await self.body(path)
            try:
                return load_object(body, InstanceMetadata.name)
            except CredentialsError:
                if attempts >= max(self._attempts, ANSWER_ATTEMPTS):
                    raise

    async def body(self, path: str) -> bytes:
        """Return what the service has at `path`.

        Raises:
            Absent: there is no service here, or it has nothing there; the text says why.
        """
        response = await self._get(path, await self._current_token())
        if response.status == 401:
            # The token is no longer good, though it should be: the instance was stopped, say.
            self._token_end = 0.0
            response = await self._get(path, await self._current_token())
        if response.status == 401 and self._token is None:
            raise Absent(f"no token ({self._why_none}), and without one {_told(response)}")
        if response.status == 404:
            raise _Missing(f"the service has nothing at {path}")
        if response.status != 200 or not response.body:
            raise Absent(f"the service answered {path} with {_told(response)}")
        return response.body

    async def _get(self, path: str, token: str | None) -> Response:
        headers = {} if token is None else {"x-aws-ec2-metadata-token": token}
        return await self._send("GET", path, headers)

    async def _current_token(self) -> str | None:
        """Return a token; None to go on without one, as version 1 of the service has it."""
        if self._steady() < self._token_end:
            return self._token
        try:
            response = await self._send("PUT", _TOKEN_PATH, {_TTL_HEADER: str(_TOKEN_TTL)})
        except _TooSlow as slow:
            return self._go_without_token(str(slow))
        token = response.body.decode("latin-1").strip()
        if response.status == 200 and _VISIBLE.fullmatch(token):
            self._token = token
            ttl = response.headers.get(_TTL_HEADER, "")
            seconds = int(ttl) if ttl.isdecimal() else _TOKEN_TTL
            self._token_end = self._steady() + seconds - _TOKEN_MARGIN
            return self._token
        if response.status in {200, 400}:
            raise Absent(f"the service answered the request for a token with {_told(response)}")
        # Services that stand in for this one may know no tokens, and have their own ways to say so.
        return self._go_without_token(f"it answered with {_told(response)}")

    def _go_without_token(self, reason: str) -> str | None:
        if self._v1_disabled:
            raise Absent(f"no token ({reason}), and asking without one is switched off")
        # For the rest of this load: where the answer never comes, each request would wait for it.
        self._token, self._token_end = None, self._steady() + BOUND
        self._why_none = reason
        return None

    async def _send(self, method: str, path: str, headers: dict[str, str]) -> Response:
        """Send a request, again while the service fails or is too busy."""
        attempts = 0
        while True:
            attempts += 1
            try:
                response = await send(
                    self._transport, method, self._base + path, headers, self._timeout
                )
            except ClientClosedError:
                raise
            except RequestException as error:
                if attempts >= self._attempts or not _is_lost(error):
                    raise self._translated(error) from error
            else:
                if not _is_passing(response) or attempts >= max(self._attempts, ANSWER_ATTEMPTS):
                    return response
            await asyncio.sleep(min(PAUSE * 2 ** (attempts - 1), 1.0))

    def _translated(self, error: RequestException) -> Exception:
        if isinstance(error, _TIMEOUTS):
            return _TooSlow(f"no answer within {self._timeout:g} seconds")
        if isinstance(error, ConnectError):
            return Absent(f"no connection to {self._base}: {error.error}")
        return Absent(f"the connection to {self._base} broke")


class _Missing(Absent):
    """The service answers, and has nothing there."""


class _TooSlow(Absent):
    """The service did not answer in time."""


def _is_lost(error: RequestException) -> bool:
    """Say whether the next try may fare better: not where nothing listens."""
    return isinstance(error, _TIMEOUTS) or not isinstance(error, ConnectError)


def _is_passing(response: Response) -> bool:
    return response.status >= 500 or response.status == 429


def _told(response: Response) -> str:
    return f"status {response.status}" if response.body else f"status {response.status}, no body"


def _base_url(settings: Settings) -> str:
    if settings.ec2_metadata_service_endpoint:
        return settings.ec2_metadata_service_endpoint.rstrip("/")
    mode = settings.ec2_metadata_service_endpoint_mode or (
        "ipv6" if settings.imds_use_ipv6 else "ipv4"
    )
    return _ADDRESSES[mode]
