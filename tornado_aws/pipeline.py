"""The one way to the network: credentials, signature, sending, classification, repetition.

Raw ``fetch`` and every generated method end here, so that what is added here works everywhere.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
import zlib
from collections.abc import AsyncIterable, Callable, Mapping
from typing import Any, NamedTuple

from tornado_aws import clock_skew, errors, retries
from tornado_aws.credentials import Credentials
from tornado_aws.credentials.source import CredentialSource
from tornado_aws.errors import ErrorDetails
from tornado_aws.exceptions import ClientClosedError, ReadError, RequestException, RequestTimeout
from tornado_aws.protocols import HTTPParts
from tornado_aws.rate_limiter import RateLimiter
from tornado_aws.routes import Route
from tornado_aws.transport import Headers, Request, Response, Timeouts, Transport

UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"


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
        self.limiter = RateLimiter()
        self.skews: dict[str, float] = {}
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
            if self._cancelled_by_close(task):
                raise ClientClosedError from None
            raise
        finally:
            self._callers.discard(task)

    def _cancelled_by_close(self, task: asyncio.Task[Any]) -> bool:
        return self._closed and task.uncancel() == 0

    def close(self) -> None:
        """End every call under way with `ClientClosedError`, wherever it waits. Idempotent."""
        self._closed = True
        for task in self._callers:
            task.cancel()


class _Call:
    """One call: its attempts one after the other."""

    __slots__ = (
        "_clock_corrected",
        "_cost",
        "_credentials",
        "_find_error",
        "_invocation",
        "_limits",
        "_parts",
        "_pipeline",
        "_renewed",
        "_route",
        "_skew",
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
        self._credentials: Credentials | None = None
        self._renewed = False
        self._clock_corrected = False
        self._skew = 0.0
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
            try:
                outcome = await self._send_once()
            except RequestException as error:
                if await self._wait(retries.kind_of_failure(error), None):
                    continue
                error.count(self.attempt)
                raise
            if outcome.error is None:
                self._pipeline.quota.release(self._cost or 1)
                return outcome
            if not await self._wait_after_error(outcome, outcome.error):
                return outcome

    async def _send_once(self) -> Outcome:
        pipeline, policy = self._pipeline, self._limits.policy
        if self._route.signer is not None:
            self._credentials = await pipeline.source.get()
        started = time.monotonic()
        if policy.adaptive and (wait := pipeline.limiter.acquire(started)):
            await asyncio.sleep(wait)
        request = self._request()
        response = await pipeline.transport.send(request, self._limits.timeouts)
        ended = time.monotonic()
        _check_crc32(response)
        error = self._error_in(response)
        if policy.adaptive:
            throttled = error is not None and error.code in retries.THROTTLING_CODES
            pipeline.limiter.update(ended, throttled=throttled)
        return Outcome(request, response, error, self.attempt, ended - started)

    def _error_in(self, response: Response) -> ErrorDetails | None:
        if response.status >= 300:
            return errors.parse(response)
        return self._find_error(response) if self._find_error else None

    def _request(self) -> Request:
        base, signer, extra = self._route
        credentials = self._credentials
        parts = self._parts
        host, given = _take_host(parts.headers, f"{parts.host_prefix}{base.host}")
        path = base.path + parts.path
        headers = [("Host", host), *given, *extra] if extra else [("Host", host), *given]
        if signer is not None and credentials is not None:
            signed = given + extra if extra else given
            self._skew = self._pipeline.skews.get(base.host, 0.0)
            now = time.time() + self._skew
            headers += signer.authorize(
                credentials, parts.method, host, path, parts.query, signed, _payload(parts), now
            )
            sign_chunks = getattr(parts.body, "sign_with", None)
            if sign_chunks is not None:
                sign_chunks(signer.chunk_signer(credentials, dict(headers)["Authorization"], now))
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
            expect_continue=parts.expect_continue,
        )

    async def _wait_after_error(self, outcome: Outcome, details: ErrorDetails) -> bool:
        headers = outcome.response.headers
        if self._corrects_clock(details.code, headers.get("date")):
            return True
        if details.code in retries.AUTH_CODES and await self._renews_credentials():
            return True
        kind = retries.kind_of_status(outcome.response.status, details.code)
        return await self._wait(kind, _retry_after(headers))

    def _corrects_clock(self, code: str, date: str | None) -> bool:
        """Set the clock for this host after an error about the time, once in a call."""
        if self._clock_corrected or self._credentials is None or not self._replayable:
            return False
        skew = clock_skew.correction(code, date, time.time(), self._skew)
        if skew is None:
            return False
        self._clock_corrected = True
        self._pipeline.skews[self._route.base.host] = skew
        return True

    async def _renews_credentials(self) -> bool:
        """Get other credentials after a service rejected these, once in a call."""
        rejected = self._credentials
        if self._renewed or rejected is None or not self._replayable:
            return False
        self._renewed = True
        return await self._pipeline.source.renew(rejected) is not None

    @property
    def _replayable(self) -> bool:
        body = self._parts.body
        return not isinstance(body, AsyncIterable) or getattr(body, "is_replayable", False)

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


def _payload(parts: HTTPParts) -> bytes | str | None:
    """Return the bytes that are hashed for the signature, or what stands for their hash."""
    if parts.payload_hash:
        return parts.payload_hash
    return parts.body if isinstance(parts.body, bytes | None) else UNSIGNED_PAYLOAD


def _check_crc32(response: Response) -> None:
    """Raise `ReadError` when a body is not what DynamoDB computed its checksum of."""
    stated = response.headers.get("x-amz-crc32")
    if stated is not None and stated != str(zlib.crc32(response.body)):
        raise ReadError("The response's body does not match its x-amz-crc32", error="wrong CRC32")


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
