"""The one way to the network: credentials, signature, sending, classification, repetition.

Raw ``fetch`` and every generated method end here, so that what is added here works everywhere.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import AsyncIterable, Callable, Mapping
from typing import Any, NamedTuple

from tornado_aws import errors, retries
from tornado_aws.credentials import Credentials
from tornado_aws.credentials.source import CredentialSource
from tornado_aws.errors import ErrorDetails
from tornado_aws.exceptions import ClientClosedError, RequestException, RequestTimeout
from tornado_aws.protocols import HTTPParts
from tornado_aws.signing import SigV4
from tornado_aws.transport import Headers, Request, Response, Timeouts, Transport
from tornado_aws.urls import BaseURL

UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"


class Route(NamedTuple):
    """Where calls go and how they are signed.

    Attributes:
        base: the endpoint.
        signer: signs the requests; None sends them unsigned.
        headers: what the endpoint's rules add to every request.
    """

    base: BaseURL
    signer: SigV4 | None
    headers: Headers


class Outcome(NamedTuple):
    """A call's end: a response, whatever its status.

    Attributes:
        request: the request as it was last sent.
        response: what came.
        error: what the response says if it is an error, else None.
        attempts: how often the request was sent.
        seconds: how long the last attempt took.
    """

    request: Request
    response: Response
    error: ErrorDetails | None
    attempts: int
    seconds: float


class Limits(NamedTuple):
    """Bounds of a call: of each attempt, of all together in seconds, and of their number."""

    timeouts: Timeouts
    total: float | None
    policy: retries.Policy


class Pipeline:
    """The way to the network of a client and its views.

    Args:
        source: gives the credentials to sign with.
        transport: sends the requests.
    """

    def __init__(self, source: CredentialSource, transport: Transport) -> None:
        self.source = source
        self.transport = transport
        self.quota = retries.Quota()
        self._closed = False
        self._callers: set[asyncio.Task[Any]] = set()

    async def send(
        self,
        route: Route,
        parts: HTTPParts,
        limits: Limits,
        *,
        stream: bool = False,
        find_error: Callable[[Response], ErrorDetails | None] | None = None,
    ) -> Outcome:
        """Sign and send a request until it succeeds or repeating it is no longer allowed.

        Args:
            route: where to and how signed.
            parts: the request.
            limits: the bounds of the call.
            stream: whether the body of a success is wanted as a stream.
            find_error: looks for an error in a response whose status reports success.

        Raises:
            RequestException: no complete response came.
            CredentialsError: there are no usable credentials.
            ClientClosedError: the client is closed, before or during the call.
        """
        call = _Call(self, route, parts, limits, stream, find_error)
        task = asyncio.current_task()
        if self._closed or task is None:
            raise ClientClosedError(sent=False)
        self._callers.add(task)
        try:
            return await (call.run() if limits.total is None else call.run_within(limits.total))
        except asyncio.CancelledError:
            if self._closed and task.uncancel() == 0:
                raise ClientClosedError from None
            raise
        finally:
            self._callers.discard(task)

    def close(self) -> None:
        """End every call under way with `ClientClosedError`, wherever it waits. Idempotent."""
        self._closed = True
        for task in self._callers:
            task.cancel()


class _Call:
    """One call: its attempts one after the other."""

    __slots__ = (
        "_cost",
        "_find_error",
        "_invocation",
        "_limits",
        "_parts",
        "_pipeline",
        "_renewed",
        "_route",
        "_stream",
        "attempt",
    )

    def __init__(
        self,
        pipeline: Pipeline,
        route: Route,
        parts: HTTPParts,
        limits: Limits,
        stream: bool,
        find_error: Callable[[Response], ErrorDetails | None] | None,
    ) -> None:
        self._pipeline = pipeline
        self._route = route
        self._parts = parts
        self._limits = limits
        self._stream = stream
        self._find_error = find_error
        self._invocation = os.urandom(16).hex()
        self._renewed = False
        self._cost = 0
        self.attempt = 0

    async def run_within(self, seconds: float) -> Outcome:
        try:
            async with asyncio.timeout(seconds):
                return await self.run()
        except TimeoutError:
            raise RequestTimeout(
                f"The call to {self._route.base.host} did not end within total_timeout="
                f"{seconds:g} seconds; it was sent {self.attempt} times",
                error="total timeout",
            ) from None

    async def run(self) -> Outcome:
        while True:
            self.attempt += 1
            credentials = await self._pipeline.source.get() if self._route.signer else None
            try:
                outcome = await self._send_once(credentials)
            except RequestException as error:
                if not await self._wait_after_failure(error):
                    raise
                continue
            if outcome.error is None:
                self._pipeline.quota.release(self._cost or 1)
                return outcome
            if not await self._wait_after_error(outcome, credentials):
                return outcome

    async def _send_once(self, credentials: Credentials | None) -> Outcome:
        request = self._request(credentials)
        started = time.monotonic()
        response = await self._pipeline.transport.send(request, self._limits.timeouts)
        return Outcome(
            request, response, self._error_in(response), self.attempt, time.monotonic() - started
        )

    def _error_in(self, response: Response) -> ErrorDetails | None:
        if response.status >= 300:
            return errors.parse(response)
        return self._find_error(response) if self._find_error else None

    def _request(self, credentials: Credentials | None) -> Request:
        base, signer, extra = self._route
        parts = self._parts
        host, given = _take_host(parts.headers, f"{parts.host_prefix}{base.host}")
        path = base.path + parts.path
        headers = [("Host", host), *given, *extra] if extra else [("Host", host), *given]
        if signer is not None and credentials is not None:
            payload = parts.body if isinstance(parts.body, bytes | None) else UNSIGNED_PAYLOAD
            signed = given + extra if extra else given
            headers += signer.authorize(
                credentials, parts.method, host, path, parts.query, signed, payload, time.time()
            )
        headers.append(("amz-sdk-invocation-id", self._invocation))
        attempts = self._limits.policy.max_attempts
        headers.append(("amz-sdk-request", f"attempt={self.attempt}; max={attempts}"))
        target = f"{path}?{parts.query}" if parts.query else path
        origin = base.origin
        if parts.host_prefix:
            origin = origin._replace(host=parts.host_prefix + origin.host)
        return Request(
            origin,
            parts.method,
            target,
            headers,
            parts.body,
            content_length=parts.content_length,
            stream=self._stream,
        )

    async def _wait_after_failure(self, error: RequestException) -> bool:
        kind = retries.kind_of_failure(error)
        return await self._wait(kind, None)

    async def _wait_after_error(self, outcome: Outcome, credentials: Credentials | None) -> bool:
        details, response = outcome.error, outcome.response
        if details is None:
            return False
        if details.code in retries.AUTH_CODES and await self._renew(credentials):
            return True
        kind = retries.kind_of_status(response.status, details.code)
        return await self._wait(kind, _retry_after(response.headers))

    async def _renew(self, rejected: Credentials | None) -> bool:
        """Get other credentials after a service rejected these, once in a call."""
        if self._renewed or rejected is None or not self._replayable:
            return False
        self._renewed = True
        return await self._pipeline.source.renew(rejected) is not None

    @property
    def _replayable(self) -> bool:
        return not isinstance(self._parts.body, AsyncIterable)

    async def _wait(self, kind: retries.Kind | None, retry_after: float | None) -> bool:
        policy = self._limits.policy
        if kind is None or self.attempt >= policy.max_attempts or not self._replayable:
            return False
        if not self._pipeline.quota.acquire(kind.cost):
            return False
        self._cost = kind.cost
        chance = random.random()  # noqa: S311 - spreads load, guards nothing
        await asyncio.sleep(retries.backoff(kind, policy, self.attempt, chance, retry_after))
        return True


def _take_host(headers: Headers, default: str) -> tuple[str, Headers]:
    """Return the ``Host`` to send, a caller's own first, and the other headers."""
    for name, value in headers:
        if name.lower() == "host":
            return value, [pair for pair in headers if pair[0].lower() != "host"]
    return default, headers


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the wait in seconds that a service asks for in milliseconds, None if it does not."""
    text = headers.get("x-amz-retry-after", "")
    return int(text) / 1000.0 if text.isascii() and text.isdigit() else None
