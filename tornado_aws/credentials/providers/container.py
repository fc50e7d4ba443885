"""Credentials from the endpoint that ECS, EKS and Greengrass give a container."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from tornado_aws.credentials import Credentials
from tornado_aws.credentials.document import explanation, load_object, parse_credentials
from tornado_aws.credentials.providers import Absent, Context
from tornado_aws.credentials.providers.local_http import send
from tornado_aws.exceptions import ClientClosedError, CredentialsError, RequestException
from tornado_aws.transport import Response

__all__ = ["Container"]

RELATIVE_URI = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
FULL_URI = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
TOKEN = "AWS_CONTAINER_AUTHORIZATION_TOKEN"  # noqa: S105 - the name of a variable
TOKEN_FILE = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"  # noqa: S105

# Hosts that may be asked over plain HTTP besides loopback: botocore/utils.py
# (ContainerMetadataFetcher), whose timeout, attempts and pause these are too.
_ECS_HOST = "169.254.170.2"
_HOSTS = frozenset({_ECS_HOST, "169.254.170.23", "fd00:ec2::23", "localhost"})
TIMEOUT = 2.0
ATTEMPTS = 3
PAUSE = 1.0
# Bound on everything together, seconds.
BOUND = 30.0


class Container:
    """The endpoint that ``AWS_CONTAINER_CREDENTIALS_*_URI`` names."""

    name = "container"
    recheck = None

    def __init__(self, context: Context, *, timeout: float = TIMEOUT, pause: float = PAUSE) -> None:
        self._context = context
        self._timeout = timeout
        self._pause = pause

    async def load(self, rejected: Credentials | None) -> Credentials:
        url = _endpoint(self._context.environ)
        try:
            async with asyncio.timeout(BOUND):
                headers = {"Accept": "application/json", **await self._authorization()}
                return await self._ask(url, headers)
        except TimeoutError:
            raise self._error(f"no answer within {BOUND:g} seconds") from None

    async def _authorization(self) -> dict[str, str]:
        """Return the header with the token, whose file is read each time: EKS replaces it."""
        environ = self._context.environ
        token = environ.get(TOKEN) or ""
        if path := environ.get(TOKEN_FILE):
            try:
                token = await asyncio.to_thread(Path(path).read_text, "utf-8")
            except (OSError, ValueError) as error:
                reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
                raise self._error(f"{TOKEN_FILE} {path} cannot be read: {reason}") from None
        if any(character in token for character in "\r\n\0"):
            raise self._error("the authorization token holds a line break or NUL")
        return {"Authorization": token} if token else {}

    async def _ask(self, url: str, headers: Mapping[str, str]) -> Credentials:
        attempts = 0
        while True:
            attempts += 1
            try:
                response = await send(self._context.transport(), "GET", url, headers, self._timeout)
                return self._parsed(response)
            except ClientClosedError:
                raise
            except _RETRYABLE as error:
                if attempts == ATTEMPTS or _is_final(error):
                    raise self._error(_reason(error)) from error
            await asyncio.sleep(self._pause)

    def _parsed(self, response: Response) -> Credentials:
        if response.status != 200:
            raise _Refused(response)
        document = load_object(response.body, self.name)
        if not document.get("AccessKeyId") and (text := explanation(document)):
            raise self._error(f"the endpoint gave none: {text}")
        return parse_credentials(document, self.name)

    def _error(self, reason: str) -> CredentialsError:
        return CredentialsError(source=self.name, reason=reason)


class _Refused(Exception):
    def __init__(self, response: Response) -> None:
        self.status = response.status
        text = _explained(response.body)
        super().__init__(f"the endpoint answered with status {self.status}{text and f': {text}'}")


def _explained(body: bytes) -> str:
    """Return what the body of an error explains; "" for one that is no JSON object."""
    try:
        return explanation(load_object(body, Container.name))
    except CredentialsError:
        return ""


_RETRYABLE = (RequestException, CredentialsError, _Refused)


def _is_final(error: Exception) -> bool:
    """Say whether trying again is useless: the endpoint itself says that the request is wrong."""
    return isinstance(error, _Refused) and 400 <= error.status < 500 and error.status != 429


def _reason(error: Exception) -> str:
    return error.reason if isinstance(error, CredentialsError) else str(error)


def _endpoint(environ: Mapping[str, str]) -> str:
    if path := environ.get(RELATIVE_URI):
        if not path.startswith("/"):
            raise CredentialsError(
                source=Container.name, reason=f"{RELATIVE_URI} must begin with a slash"
            )
        return f"http://{_ECS_HOST}{path}"
    url = environ.get(FULL_URI)
    if not url:
        raise Absent(f"neither {RELATIVE_URI} nor {FULL_URI} is set")
    _check(url)
    return url


def _check(url: str) -> None:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise CredentialsError(source=Container.name, reason=f"{FULL_URI} is no URL") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise CredentialsError(
            source=Container.name, reason=f"{FULL_URI} must be a URL with scheme http or https"
        )
    if parts.scheme == "http" and not _may_be_asked_in_clear(parts):
        raise CredentialsError(
            source=Container.name,
            reason=(
                f"the host {parts.hostname!r} of {FULL_URI} is not allowed without TLS; allowed:"
                f" loopback addresses, {', '.join(sorted(_HOSTS))}"
            ),
        )


def _may_be_asked_in_clear(parts: SplitResult) -> bool:
    host = parts.hostname or ""
    if host in _HOSTS:
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
