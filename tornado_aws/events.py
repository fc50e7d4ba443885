"""Watching calls from outside: for logs, metrics and traces, and to add headers.

Subclass `Observer`, override what is of interest and give instances to a client::

    class Timing(Observer):
        def call_ended(self, call: Call) -> None:
            histogram.record(call.seconds, call.operation, call.error or "success")

    dynamodb = DynamoDB(observers=[Timing()])

The methods are called in the order of the list, on the event loop and between two steps of the
call, so they must be quick and cannot wait. An observer's exception is logged by this module's
logger and changes nothing about the call: whoever counts calls must not be able to lose one.

Nothing that is handed to observers holds a secret, but for what other observers add.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

__all__ = ["Attempt", "Call", "Caller", "Observer", "Watch"]

_log = logging.getLogger(__name__)


class Call:
    """A call, from the moment its request is complete until its last response is read.

    Attributes:
        id: the invocation id, which all attempts carry as ``amz-sdk-invocation-id``.
        service: the service's name.
        operation: the operation's name, None for a raw ``fetch``.
        region: the region.
        host: the host that the requests go to.
        method: the HTTP method.
        attempts: how often the request has been sent so far.
        max_attempts: the most attempts.
        status: the last response's status, None while there is none.
        request_id: the service's id of the last response, None without one.
        error: None for success, else the service's error code or the name of the exception's class.
        exception: what ended the call without a complete response, a cancellation included.
        seconds: how long the call took, waits included; 0.0 until its end.
        notes: a place for what observers want to find again at the call's next event.
    """

    __slots__ = (
        "attempts",
        "error",
        "exception",
        "host",
        "id",
        "max_attempts",
        "method",
        "notes",
        "operation",
        "region",
        "request_id",
        "seconds",
        "service",
        "status",
    )

    def __init__(
        self,
        caller: Caller,
        operation: str | None,
        *,
        id: str,
        host: str,
        method: str,
        max_attempts: int,
    ) -> None:
        self.id = id
        self.service = caller.service
        self.operation = operation
        self.region = caller.region
        self.host = host
        self.method = method
        self.attempts = 0
        self.max_attempts = max_attempts
        self.status: int | None = None
        self.request_id: str | None = None
        self.error: str | None = None
        self.exception: BaseException | None = None
        self.seconds = 0.0
        self.notes: dict[Any, Any] = {}

    @property
    def name(self) -> str:
        """``service.Operation``, or the service and the method of a raw request."""
        return f"{self.service}.{self.operation or self.method}"

    def __repr__(self) -> str:
        return f"<Call {self.name} {self.error or self.status or 'under way'}>"


class Attempt:
    """One sending of a call's request.

    Attributes:
        call: the call.
        number: which attempt it is, counted from 1.
        status: the response's status, None without a complete response.
        request_id: the service's id of the response, None without one.
        error: None for success, else the service's error code or the name of the exception's class.
        exception: what ended the attempt without a complete response.
        seconds: how long the attempt took; 0.0 until its end.
        retry_in: None when no other attempt follows, else the wait before it in seconds.
        reason: why another attempt follows, or why none does although this one failed.
    """

    __slots__ = (
        "call",
        "error",
        "exception",
        "number",
        "reason",
        "request_id",
        "retry_in",
        "seconds",
        "status",
    )

    def __init__(self, call: Call, number: int) -> None:
        self.call = call
        self.number = number
        self.status: int | None = None
        self.request_id: str | None = None
        self.error: str | None = None
        self.exception: BaseException | None = None
        self.seconds = 0.0
        self.retry_in: float | None = None
        self.reason = ""

    def __repr__(self) -> str:
        return f"<Attempt {self.number} of {self.call.name}>"


class Observer:
    """Is told about calls; every method does nothing until it is overridden."""

    def call_started(self, call: Call) -> None:
        """Do something before anything is sent."""

    def attempt_started(self, attempt: Attempt) -> Mapping[str, str] | None:
        """Do something before the request is signed.

        Returns:
            Headers to send with this attempt, which are signed; None for none.
        """

    def attempt_ended(self, attempt: Attempt) -> None:
        """Do something once it is known how the attempt ended and whether another follows."""

    def call_ended(self, call: Call) -> None:
        """Do something once the call has ended, however it did.

        A call whose result is streamed ends here when the response's head has been read.
        """


class Caller(NamedTuple):
    """What all calls of a client have in common.

    Attributes:
        service: the service's name.
        region: the region.
        observers: who is told about the calls.
    """

    service: str = ""
    region: str = ""
    observers: tuple[Observer, ...] = ()


class Watch:
    """Tells observers about one call.

    Args:
        observers: who is told.
        call: the call.
    """

    def __init__(self, observers: Sequence[Observer], call: Call) -> None:
        self.call = call
        self._observers = observers
        self._attempt: Attempt | None = None
        self._began = self._attempt_began = time.monotonic()
        self._tell(lambda observer: observer.call_started(call))

    def begin_attempt(self) -> list[tuple[str, str]]:
        """Tell that an attempt begins; return the headers that observers add to it."""
        self.call.attempts += 1
        attempt = self._attempt = Attempt(self.call, self.call.attempts)
        self._attempt_began = time.monotonic()
        return list(chain(*self._tell(lambda observer: _headers_of(observer, attempt))))

    def answer(self, status: int, request_id: str | None, error: str | None) -> None:
        """Note the response to the attempt under way."""
        for noted in (self.call, self._attempt):
            if noted is not None:
                noted.status, noted.request_id, noted.error = status, request_id, error

    def fail(self, exception: BaseException) -> None:
        """Note that the attempt under way got no complete response."""
        for noted in (self.call, self._attempt):
            if noted is not None:
                noted.status = noted.request_id = None
                noted.error, noted.exception = type(exception).__name__, exception

    def end_attempt(self, retry_in: float | None = None, reason: str = "") -> None:
        """Tell how the attempt ended and what follows; nothing when none is under way."""
        attempt, self._attempt = self._attempt, None
        if attempt is None:
            return
        attempt.seconds = time.monotonic() - self._attempt_began
        attempt.retry_in, attempt.reason = retry_in, reason
        self._tell(lambda observer: observer.attempt_ended(attempt))
        if retry_in is not None:
            self.call.exception = None

    def end(self, exception: BaseException | None) -> None:
        """Tell that the call ended; `exception` is what it raises."""
        if exception is not None and self.call.exception is not exception:
            self.fail(exception)
        self.end_attempt()
        self.call.seconds = time.monotonic() - self._began
        self._tell(lambda observer: observer.call_ended(self.call))

    def _tell(self, event: Callable[[Observer], Any]) -> list[Any]:
        return list(_answers(self._observers, event))


def _headers_of(observer: Observer, attempt: Attempt) -> list[tuple[str, str]]:
    headers = observer.attempt_started(attempt) or {}
    return [(name, str(value)) for name, value in headers.items()]


def _answers(observers: Iterable[Observer], event: Callable[[Observer], Any]) -> Iterable[Any]:
    for observer in observers:
        try:
            yield event(observer)
        except Exception:
            _log.exception("The observer %r failed; the call goes on", type(observer).__name__)
