"""The one way to the network: credentials, signature, sending, classification, repetition.

Raw ``fetch`` and every generated method end here, so that what is added here works everywhere.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import time
import zlib
from collections.abc import AsyncIterable, Callable, Coroutine, Mapping
from typing import Any, NamedTuple, TypeVar

from tornado_aws import call_log, clock_skew, errors, retries
from tornado_aws.credentials import Credentials
from tornado_aws.credentials.source import CredentialSource
from tornado_aws.deadline import Deadline
from tornado_aws.errors import ErrorDetails
from tornado_aws.events import Call, Caller, Observer, Watch
from tornado_aws.exceptions import (
    CallError,
    ClientClosedError,
    ReadError,
    RequestException,
    RequestTimeout,
)
from tornado_aws.idempotence import is_idempotent_request
from tornado_aws.protocols import HTTPParts
from tornado_aws.rate_limiter import RateLimiter
from tornado_aws.routes import Route
from tornado_aws.signed_request import signed_request
from tornado_aws.transport import Fields, Request, Response, Timeouts, Transport
from tornado_aws.turns import Turns, TurnTooLate
from tornado_aws.unsigned import without_signature

About = Callable[[str, str], Fields]

_ATTEMPT_LOG: Observer = call_log.AttemptLog()
_NOBODY = Caller()

# Gives calls their ids, which need only differ from others; asking the system each time would cost
# each call a microsecond. A program may seed `random` itself, so this is another one.
_IDS = random.Random()  # noqa: S311 - guards nothing
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_IDS.seed)
_Failure = TypeVar("_Failure", bound=CallError)


class Limits(NamedTuple):
    """Bounds of a call: of each attempt, and of their number."""

    timeouts: Timeouts
    policy: retries.Policy


class Pipeline:
    """The way to the network of a client and its views.

    Args:
        source: gives the credentials to sign with.
        transport: sends the requests.
        about: gives the headers that say who sends them, from the call's invocation id and from
            the attempt's ``amz-sdk-request``; they are not signed, and a caller's own count more.
    """

    def __init__(
        self,
        source: CredentialSource,
        transport: Transport,
        about: About,
    ) -> None:
        self.source = source
        self.transport = transport
        self.about = about
        self.quota = retries.Quota()
        self.limiter = RateLimiter()
        self.turns = Turns(self.limiter)
        self.skews: dict[str, float] = {}
        self._closed = False
        self._callers: set[asyncio.Task[Any]] = set()

    def now(self, host: str) -> float:
        """Return the time by a host's clock, as far as this machine's is known to be wrong."""
        return time.time() + self.skews.get(host, 0.0)

    async def send(
        self,
        route: Route,
        parts: HTTPParts,
        limits: Limits,
        deadline: Deadline | None = None,
        *,
        stream: bool = False,
        find_error: Callable[[Response], ErrorDetails | None] | None = None,
        caller: Caller = _NOBODY,
        facts: retries.Facts = retries.UNKNOWN,
    ) -> Delivery:
        """Sign and send a request until it succeeds or repeating it is no longer allowed.

        Args:
            route: where to and how signed.
            parts: the request.
            limits: the bounds of the call.
            deadline: when all of it is over, None for never.
            stream: whether the body of a success is wanted as a stream.
            find_error: looks for an error in a response whose status reports success.
            caller: who makes the call.
            facts: what is known of the operation.

        Returns:
            What came of it: a response, whatever its status.

        Raises:
            RequestException: no complete response came.
            CredentialsError: there are no usable credentials.
            ClientClosedError: the client is closed, before or during the call.
        """
        delivery = Delivery(self, route, parts, limits, deadline, stream, find_error, caller, facts)
        task = asyncio.current_task()
        if self._closed or task is None:
            raise delivery.locate(ClientClosedError(sent=False))
        self._callers.add(task)
        try:
            await delivery.course()
        except asyncio.CancelledError:
            if self._cancelled_by_close(task):
                raise delivery.locate(ClientClosedError()) from None
            raise
        finally:
            self._callers.discard(task)
        return delivery

    def _cancelled_by_close(self, task: asyncio.Task[Any]) -> bool:
        return self._closed and task.uncancel() == 0

    def close(self) -> None:
        """End every call under way with `ClientClosedError`, wherever it waits. Idempotent."""
        self._closed = True
        for task in self._callers:
            task.cancel()


class Delivery:
    """One call: its attempts one after the other, and in the end a response, whatever its status.

    Attributes:
        attempt: which attempt is under way, or was the last; the first one is 1.
        host: the host that the request is sent to.
        retried: why each attempt but the last failed.
        request: the request as it was last sent.
        response: what came.
        error: what the response says if it is an error, else None.
        seconds: how long the last attempt took.
    """

    request: Request
    response: Response
    error: ErrorDetails | None
    seconds: float

    attempt = 0
    retried: tuple[str, ...] = ()
    _cost = 0
    _skew = 0.0
    _renewed = False
    _renewal_failure: Exception | None = None
    _clock_corrected = False
    _may_have_arrived = False
    _credentials: Credentials | None = None
    _server_ahead: float | None = None
    _watch: Watch | None = None

    def __init__(
        self,
        pipeline: Pipeline,
        route: Route,
        parts: HTTPParts,
        limits: Limits,
        deadline: Deadline | None,
        stream: bool,
        find_error: Callable[[Response], ErrorDetails | None] | None,
        caller: Caller,
        facts: retries.Facts,
    ) -> None:
        self._pipeline = pipeline
        self._route = route
        self._source = route.source or pipeline.source
        self._parts = parts
        self._limits = limits
        self._deadline = deadline
        self._stream = stream
        self._find_error = find_error
        self._caller = caller
        self._facts = facts
        self._observers = caller.observers
        if call_log.ATTEMPTS.isEnabledFor(logging.DEBUG):
            self._observers = (*self._observers, _ATTEMPT_LOG)
        self.host = parts.host_prefix + route.base.host
        self._invocation = f"{_IDS.getrandbits(128):032x}"

    def course(self) -> Coroutine[Any, Any, None]:
        """Return what sends the request, again and again if need be, within the call's bounds."""
        deadline = self._deadline
        course = self._attempts() if deadline is None else self._within(deadline)
        return self._watched(course) if self._observers else course

    async def _watched(self, course: Coroutine[Any, Any, None]) -> None:
        """Tell the observers of the call."""
        event = Call(
            self._caller,
            self._facts.name,
            id=self._invocation,
            host=self.host,
            method=self._parts.method,
            max_attempts=self._limits.policy.max_attempts,
        )
        watch = self._watch = Watch(self._observers, event)
        try:
            await course
        except BaseException as error:
            watch.end(error)
            raise
        watch.end(None)

    async def _within(self, deadline: Deadline) -> None:
        """Give the attempts the time that is left."""
        bound = asyncio.timeout(deadline.remaining)
        try:
            async with bound:
                await self._attempts()
        except TimeoutError as error:
            if not (bound.expired() or isinstance(error, TurnTooLate)):
                raise  # it is that of whoever gives the credentials
            request: Request | None = getattr(self, "request", None)  # none while it had no turn
            received = 0 if request is None else request.received
            raise self.locate(
                RequestTimeout(
                    f"The call to {self.host} did not end within total_timeout={deadline.total:g}"
                    f" seconds; attempts begun: {self.attempt}; {received} bytes of a response had"
                    " come",
                    error="total timeout",
                    response_started=received > 0,
                )
            ) from None

    def locate(self, error: _Failure) -> _Failure:
        """Note in `error` which call it ended, and why that got no new credentials; return it."""
        caller = self._caller
        if self._renewal_failure is not None:
            error.__cause__ = self._renewal_failure
        return error.locate(
            caller.service, self._facts.name, caller.region, self.host, self.retried
        )

    async def _attempts(self) -> None:
        transport, timeouts = self._pipeline.transport, self._limits.timeouts
        while True:
            self.attempt += 1
            try:
                if self._route.signer is not None:
                    self._credentials = await self._source.get()
                if self._limits.policy.adaptive:
                    await self._pipeline.turns.take(self._remaining)
                started = time.monotonic()
                self.request = self._request()
                response = await transport.send(self.request, timeouts)
                self.seconds = time.monotonic() - started
                self._receive(response)
            except RequestException as error:
                self._may_have_arrived |= error.sent
                decision = await self._after_failure(error)
                if decision.repeat:
                    self.retried += (type(error).__name__,)
                    continue
                error.sent = self._may_have_arrived
                self.locate(error)
                if decision.reason in retries.REFUSALS:
                    error.msg = f"{error.msg}; not repeated: {decision.reason}"
                raise
            self._may_have_arrived = True
            if self.error is None:
                self._pipeline.quota.release(self._cost or 1)
                return
            if not await self._repeats_after_error(response, self.error):
                return
            self.retried += (self.error.code,)

    def _receive(self, response: Response) -> None:
        """Look what has come."""
        _check_crc32(response)
        error: ErrorDetails | None = None
        if response.status >= 300:
            error = errors.parse(response)
        elif self._find_error is not None:
            error = self._find_error(response)
        self.response, self.error = response, error
        if self._limits.policy.adaptive:
            throttled = self._is_throttled(response, error)
            self._pipeline.limiter.update(time.monotonic(), throttled=throttled)
        if self._watch is not None:
            request_id = error.request_id if error else errors.request_id_of(response.headers)
            self._watch.answer(response.status, request_id, error.code if error else None)

    def _is_throttled(self, response: Response, error: ErrorDetails | None) -> bool:
        if error is None:
            return False
        kind = retries.kind_of_status(response.status, error.code, self._facts)
        return kind is retries.Kind.THROTTLING

    def _request(self) -> Request:
        watch, pipeline = self._watch, self._pipeline
        self._skew = pipeline.skews.get(self._route.base.host, 0.0)
        return signed_request(
            self._route,
            self._parts,
            self._credentials,
            time.time() + self._skew,
            added=[] if watch is None else without_signature(watch.begin_attempt()),
            about=pipeline.about(self._invocation, self._attempt_header()),
            stream=self._stream,
        )

    def _attempt_header(self) -> str:
        """Return ``amz-sdk-request``; its ``ttl`` tells until when the answer is waited for.

        The ttl is the server's time, so it is told only after a first answer has shown that.
        """
        text = f"attempt={self.attempt}; max={self._limits.policy.max_attempts}"
        if self._server_ahead is None:
            return text
        bounds = [self._limits.timeouts.read, self._limits.timeouts.request, self._remaining]
        known = [bound for bound in bounds if bound is not None]
        if not known or isinstance(self._parts.body, AsyncIterable):
            return text
        until = time.gmtime(time.time() + self._server_ahead + min(known))
        return f"ttl={time.strftime('%Y%m%dT%H%M%SZ', until)}; {text}"

    @property
    def _remaining(self) -> float | None:
        return None if self._deadline is None else self._deadline.remaining

    async def _after_failure(self, error: RequestException) -> retries.Decision:
        if self._limits.policy.adaptive:
            self._pipeline.limiter.update(time.monotonic(), throttled=False)
        if self._watch is not None:
            self._watch.fail(error)
        kind = retries.kind_of_failure(error)
        is_safe = not error.sent or self._may_execute_twice()
        return await self._follow(kind, None, is_safe=is_safe)

    def _may_execute_twice(self) -> bool:
        """Tell whether repeating is safe although the server may have executed the request."""
        parts = self._parts
        return (
            self._facts.is_idempotent
            or self._limits.policy.retry_lost_writes
            or (
                self._facts.name is None
                and is_idempotent_request(parts.method, parts.query, parts.headers, parts.body)
            )
        )

    async def _repeats_after_error(self, response: Response, details: ErrorDetails) -> bool:
        """Tell whether the request is to be sent again after an error response, having waited."""
        date = response.headers.get("date")
        self._server_ahead = clock_skew.ahead(date, time.time())
        if self._corrects_clock(details.code, date):
            return self._repeat_at_once("the clock was corrected")
        if details.code in retries.AUTH_CODES and await self._renews_credentials():
            return self._repeat_at_once("the credentials were renewed")
        kind = retries.kind_of_status(response.status, details.code, self._facts)
        return (await self._follow(kind, _retry_after(response.headers))).repeat

    def _repeat_at_once(self, reason: str) -> bool:
        if self._watch is not None:
            self._watch.end_attempt(0.0, reason)
        return True

    def _corrects_clock(self, code: str, date: str | None) -> bool:
        """Set the clock for this host after an error about the time, once in a call.

        Returns whether to repeat the call. One that cannot be still corrects it for the next.
        """
        if self._clock_corrected or self._credentials is None:
            return False
        skew = clock_skew.correction(code, date, time.time(), self._skew)
        if skew is None:
            return False
        self._clock_corrected = True
        self._pipeline.skews[self._route.base.host] = skew
        return self._replayable

    async def _renews_credentials(self) -> bool:
        """Get other credentials after a service rejected these, once in a call.

        Returns whether to repeat the call. One that cannot be still renews them for the next.
        """
        rejected = self._credentials
        if self._renewed or rejected is None:
            return False
        self._renewed = True
        try:
            fresh = await self._source.renew(rejected)
        except ClientClosedError:
            raise
        except Exception as failure:
            self._renewal_failure = failure
            return False
        return fresh is not None and self._replayable

    @property
    def _replayable(self) -> bool:
        body = self._parts.body
        return not isinstance(body, AsyncIterable) or getattr(body, "is_replayable", False)

    async def _follow(
        self, kind: retries.Kind | None, retry_after: float | None, *, is_safe: bool = True
    ) -> retries.Decision:
        """Decide what follows a failed attempt, wait as decided, return the decision."""
        quota = self._pipeline.quota
        decision = retries.decide(
            kind,
            self._limits.policy,
            self.attempt,
            random.random(),  # noqa: S311 - spreads load, guards nothing
            available=quota.available,
            retry_after=retry_after,
            is_replayable=self._replayable,
            is_safe=is_safe,
            is_long_poll=self._facts.is_long_poll,
            remaining=self._remaining,
        )
        if decision.repeat and quota.acquire(decision.cost):
            self._cost = decision.cost
        if self._watch is not None:
            self._watch.end_attempt(decision.wait if decision.repeat else None, decision.reason)
        if decision.wait:
            try:
                await asyncio.sleep(decision.wait)
            except asyncio.CancelledError:
                quota.release(decision.cost)  # paid for what is not sent
                raise
        return decision


def _check_crc32(response: Response) -> None:
    """Raise `ReadError` when a body is not what DynamoDB computed its checksum of."""
    stated = response.headers.get("x-amz-crc32")
    if stated is None or response.stream is not None:
        return
    if stated != str(zlib.crc32(response.body)):
        raise ReadError("The response's body does not match its x-amz-crc32", error="wrong CRC32")


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the wait in seconds that a service asks for in milliseconds, None if it does not."""
    text = headers.get("x-amz-retry-after", "")
    return float(text) / 1000.0 if text.isascii() and text.isdigit() else None
