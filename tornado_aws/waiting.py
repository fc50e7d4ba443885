"""Waiters: call an operation until its result says that something has happened."""

# Annotations are not postponed here: `typing` would compile the text of each field, 20 us a field.

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from math import inf
from typing import Any, NamedTuple, TypedDict, cast

from tornado_aws.exceptions import AWSError, ParamValidationError, WaiterError
from tornado_aws.queries import Query

__all__ = ["Acceptor", "Waiter", "WaiterConfig", "wait"]

Call = Callable[[Mapping[str, object]], Awaitable[Any]]


class WaiterConfig(TypedDict, total=False):
    """How long to wait.

    Attributes:
        Delay: seconds between two calls; the shortest delay when ``MaxDelay`` is given.
        MaxAttempts: the most calls.
        MaxDelay: longest delay in seconds: delays then double from call to call, each shortened at
            random so that many waiters do not call at once. Without it the delay is constant.
    """

    Delay: float
    MaxAttempts: int
    MaxDelay: float


_KEYS = tuple(WaiterConfig.__annotations__)


class Acceptor(NamedTuple):
    """What one outcome of a call means.

    Attributes:
        state: ``success``, ``failure`` or ``retry``.
        matcher: ``path``, ``pathAll``, ``pathAny``, ``status`` or ``error``.
        expected: what it is compared with.
        query: finds what is compared, for the matchers of paths.
        argument: the query as the model has it, for texts.
    """

    state: str
    matcher: str
    expected: Any
    query: Query | None = None
    argument: str = ""


class Waiter(NamedTuple):
    """A waiter of the model.

    Attributes:
        name: its name.
        operation: the operation that it calls.
        delay: seconds between two calls.
        max_attempts: the most calls.
        acceptors: what outcomes mean; the first that matches counts.
    """

    name: str
    operation: str
    delay: float
    max_attempts: int
    acceptors: tuple[Acceptor, ...]


async def wait(
    waiter: Waiter,
    call: Call,
    params: Mapping[str, object],
    config: WaiterConfig | None = None,
) -> dict[str, Any]:
    """Call until an acceptor says success, and return the last response.

    That is the response dict of the error when an error was what was waited for.

    Raises:
        ParamValidationError: the configuration is impossible; nothing was sent.
        WaiterError: an acceptor said failure, an error came that no acceptor knows, or the calls
            are used up.
    """
    config = _given(waiter, config or {})
    most = config.get("MaxAttempts", waiter.max_attempts)
    started = time.monotonic()
    attempt = 0
    while True:
        attempt += 1
        response, error = await _try(call, params)
        acceptor = _first_match(waiter.acceptors, response, error)
        if acceptor is not None and acceptor.state == "success":
            return response
        reason = _reason_to_stop(acceptor, error, attempt, most)
        if reason:
            raise WaiterError(
                name=waiter.name,
                reason=reason,
                last_response=response,
                attempts=attempt,
                elapsed=time.monotonic() - started,
            ) from error
        chance = random.random()  # noqa: S311 - spreads load, guards nothing
        await asyncio.sleep(delay(waiter.delay, config, attempt, chance, _hint(response)))


def _given(waiter: Waiter, config: WaiterConfig) -> WaiterConfig:
    """Return what is set of a configuration, checked."""
    given = {name: value for name, value in config.items() if value is not None}
    faults = [fault for name, value in given.items() for fault in _faults(name, value)]
    if faults:
        raise ParamValidationError(operation=waiter.name, faults=tuple(faults))
    return cast(WaiterConfig, given)


def _faults(name: str, value: object) -> Iterator[str]:
    if name not in _KEYS:
        yield f"WaiterConfig.{name}: is unknown, known are {', '.join(_KEYS)}"
    elif name == "MaxAttempts":
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            yield f"WaiterConfig.{name}: must be a whole number from 1, not {value!r}"
    elif not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < inf:
        yield f"WaiterConfig.{name}: must be a number of seconds, not {value!r}"


async def _try(call: Call, params: Mapping[str, object]) -> tuple[dict[str, Any], AWSError | None]:
    try:
        return await call(params), None
    except AWSError as error:
        return error.response, error


def _first_match(
    acceptors: tuple[Acceptor, ...], response: Mapping[str, Any], error: AWSError | None
) -> Acceptor | None:
    for acceptor in acceptors:
        if _MATCHERS[acceptor.matcher](acceptor, response, error):
            return acceptor
    return None


def _path(acceptor: Acceptor, response: Any, error: AWSError | None) -> bool:
    return error is None and bool(_found(acceptor, response) == acceptor.expected)


def _path_all(acceptor: Acceptor, response: Any, error: AWSError | None) -> bool:
    found = None if error else _found(acceptor, response)
    if not isinstance(found, list) or not found:
        return False
    return all(each == acceptor.expected for each in found)


def _path_any(acceptor: Acceptor, response: Any, error: AWSError | None) -> bool:
    found = None if error else _found(acceptor, response)
    return isinstance(found, list) and any(each == acceptor.expected for each in found)


def _status(acceptor: Acceptor, response: Any, _: AWSError | None) -> bool:
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return bool(status == acceptor.expected)


def _error(acceptor: Acceptor, _: Any, error: AWSError | None) -> bool:
    if isinstance(acceptor.expected, bool):
        return acceptor.expected is (error is not None)
    return error is not None and error.code == acceptor.expected


_MATCHERS: Mapping[str, Callable[[Acceptor, Any, AWSError | None], bool]] = {
    "path": _path,
    "pathAll": _path_all,
    "pathAny": _path_any,
    "status": _status,
    "error": _error,
}


def _found(acceptor: Acceptor, response: Any) -> Any:
    if acceptor.query is None:
        return None
    try:
        return acceptor.query(response)
    except TypeError:  # length() of a member that did not come: nothing that could match
        return None


def _reason_to_stop(
    acceptor: Acceptor | None, error: AWSError | None, attempt: int, most: int
) -> str:
    if acceptor is None and error is not None:
        return f"an error that it does not wait for: {error}"
    if acceptor is not None and acceptor.state == "failure":
        return f"it cannot be reached any more: {_explained(acceptor)}"
    if attempt < most:
        return ""
    seen = f"; the last time {_explained(acceptor)}" if acceptor is not None else ""
    return f"not reached in {attempt} attempts{seen}"


def _explained(acceptor: Acceptor) -> str:
    if acceptor.matcher == "status":
        return f"the HTTP status is {acceptor.expected}"
    if acceptor.matcher == "error":
        return f"the error is {acceptor.expected}"
    which = {"pathAll": "all are", "pathAny": "one is"}.get(acceptor.matcher, "it is")
    return f"of {acceptor.argument!r} {which} {acceptor.expected!r}"


def delay(
    shortest: float,
    config: WaiterConfig,
    attempt: int,
    chance: float,
    hint: float | None = None,
) -> float:
    """Return how long to wait before the next call, in seconds.

    Args:
        shortest: the model's delay, which ``config["Delay"]`` overrules.
        config: the caller's wishes.
        attempt: how many calls were made.
        chance: a number from 0 to 1.
        hint: the service's wish in seconds; a longer wait is granted up to the longest delay.
    """
    least = config.get("Delay", shortest)
    most = config.get("MaxDelay")
    if most is None:
        return max(least, min(hint or 0.0, 10 * least))
    ceiling = min(most, least * 2.0 ** min(attempt - 1, 60))
    wished = least + chance * max(0.0, ceiling - least)
    return max(wished, min(hint or 0.0, most))


def _hint(response: Mapping[str, Any]) -> float | None:
    """Return the wait in seconds that a response asks for, None if it asks for none."""
    headers = response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    for name, unit in (("x-amz-retry-after", 0.001), ("retry-after", 1.0)):
        text = headers.get(name, "")
        if text.isascii() and text.isdigit():
            return float(text) * unit
    return None
