"""Waiters: ends, errors, delays."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tornado_aws import queries as q
from tornado_aws.exceptions import AWSError, ConnectError, ParamValidationError, WaiterError
from tornado_aws.waiting import Acceptor, Waiter, WaiterConfig, _hint, delay, wait

WAITER = Waiter(
    "ThingReady",
    "DescribeThing",
    20,
    25,
    (
        Acceptor("success", "path", "READY", lambda r: q.field(r, "Status"), "Status"),
        Acceptor("failure", "path", "BROKEN", lambda r: q.field(r, "Status"), "Status"),
        Acceptor("retry", "error", "NotFound"),
    ),
)
FAST: WaiterConfig = {"Delay": 0}


def error(code: str) -> AWSError:
    return AWSError(code, "text", 400, None, {"Error": {"Code": code, "Message": "text"}})


async def run(answers: list[Any], config: WaiterConfig = FAST) -> tuple[dict[str, Any], int]:
    asked: list[Mapping[str, object]] = []

    async def call(params: Mapping[str, object]) -> Any:
        asked.append(params)
        answer = answers[min(len(asked), len(answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return {"Status": answer}

    return await wait(WAITER, call, {"Name": "n"}, config), len(asked)


def test_it_calls_until_the_state_is_reached_and_gives_the_last_response() -> None:
    """Errors that it waits through do not end it."""
    last, calls = asyncio.run(run([error("NotFound"), "NEW", "READY"]))
    assert (last, calls) == ({"Status": "READY"}, 3)


@pytest.mark.parametrize(
    ("answers", "attempts", "reason"),
    [
        (["NEW", "BROKEN"], 2, "cannot be reached any more: of 'Status' it is 'BROKEN'"),
        ([error("Denied")], 1, "an error that it does not wait for: Denied"),
        (["NEW"], 3, "not reached in 3 attempts"),
        ([error("NotFound")], 3, "not reached in 3 attempts; the last time the error is NotFound"),
    ],
)
def test_what_ends_it_is_told(answers: list[Any], attempts: int, reason: str) -> None:
    """Reason, attempts, elapsed time and the last response are in the error."""
    with pytest.raises(WaiterError) as caught:
        asyncio.run(run(answers, {"Delay": 0, "MaxAttempts": 3}))
    assert caught.value.attempts == attempts
    assert reason in str(caught.value)
    assert caught.value.last_response
    assert caught.value.elapsed >= 0
    assert str(caught.value).startswith("Waiter ThingReady failed: ")


def test_other_errors_are_the_callers() -> None:
    """A broken connection is no answer about the state."""
    with pytest.raises(ConnectError):
        asyncio.run(run([ConnectError()]))


def test_an_impossible_configuration_is_refused_before_anything_is_asked() -> None:
    """All its faults are told; None counts as not given."""
    wrong: Any = {"Delay": "1", "MaxAttempts": 0, "MaxDelay": -1, "Delays": 1}
    with pytest.raises(ParamValidationError) as caught:
        asyncio.run(run([AssertionError("nothing may be asked")], wrong))
    assert caught.value.faults == (
        "WaiterConfig.Delay: must be a number of seconds, not '1'",
        "WaiterConfig.MaxAttempts: must be a whole number from 1, not 0",
        "WaiterConfig.MaxDelay: must be a number of seconds, not -1",
        "WaiterConfig.Delays: is unknown, known are Delay, MaxAttempts, MaxDelay",
    )
    unset: Any = {"Delay": 0, "MaxAttempts": None}
    assert asyncio.run(run(["READY"], unset))[1] == 1


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"x-amz-retry-after": "1500", "retry-after": "7"}, 1.5),
        ({"retry-after": "soon"}, None),
        ({}, None),
    ],
)
def test_services_may_say_when_to_ask_again(headers: dict[str, str], seconds: float | None) -> None:
    """In seconds, or in milliseconds in AWS's own header."""
    assert _hint({"ResponseMetadata": {"HTTPHeaders": headers}}) == seconds


def test_it_can_be_cancelled_while_it_waits() -> None:
    """The delay does not hold a caller that goes."""

    async def main() -> None:
        task = asyncio.create_task(run(["NEW"], {"Delay": 600}))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())


def test_delays_are_the_models_unless_the_caller_says_otherwise() -> None:
    """Delay replaces the model's; MaxDelay makes delays double up to it, at random."""
    assert delay(20, {}, 3, 0.5) == 20
    assert delay(20, {"Delay": 1}, 3, 0.5) == 1
    growing: WaiterConfig = {"Delay": 2, "MaxDelay": 10}
    assert [delay(20, growing, attempt, 1.0) for attempt in (1, 2, 3, 4, 99)] == [2, 4, 8, 10, 10]
    assert delay(20, growing, 3, 0.0) == 2
    assert delay(20, growing, 3, 0.0, hint=7) == 7
    assert delay(20, growing, 3, 0.0, hint=700) == 10


@given(
    st.floats(0, 100),
    st.floats(0, 100),
    st.integers(1, 10_000),
    st.floats(0, 1),
    st.none() | st.floats(0, 1e9),
)
def test_delays_are_bounded(
    least: float, more: float, attempt: int, chance: float, hint: float | None
) -> None:
    """No delay is shorter than the shortest or longer than the longest."""
    config: WaiterConfig = {"Delay": least, "MaxDelay": least + more}
    assert least <= delay(20, config, attempt, chance, hint) <= least + more + 1e-9
    assert delay(least, {}, attempt, chance, hint) <= 10 * least


def test_flattened_lists_are_matched_as_a_whole_or_in_part() -> None:
    """pathAll wants at least one element and all of them, pathAny one."""
    states = lambda r: q.field(r, "States")  # noqa: E731
    waiter = WAITER._replace(
        acceptors=(
            Acceptor("success", "pathAll", "UP", states, "States"),
            Acceptor("failure", "pathAny", "DOWN", states, "States"),
        )
    )

    async def end(*answers: Any) -> Any:
        left = list(answers)

        async def call(_: Mapping[str, object]) -> Any:
            return {"States": left.pop(0)}

        return await wait(waiter, call, {}, FAST)

    assert asyncio.run(end([], None, ["UP", "x"], ["UP", "UP"])) == {"States": ["UP", "UP"]}
    with pytest.raises(WaiterError, match="one is 'DOWN'"):
        asyncio.run(end(["UP", "DOWN"]))
