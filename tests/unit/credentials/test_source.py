"""Sources that are given in code."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable
from datetime import timedelta

import pytest

from tests.support.credential_sources import ends_in
from tornado_aws.credentials import Credentials
from tornado_aws.credentials.source import from_callable, static
from tornado_aws.exceptions import CredentialsError

KEYS = Credentials("AKID", "hush")


def test_static_credentials_never_change() -> None:
    """They are given as they are, and there are no others when they are rejected."""

    async def main() -> None:
        source = static(KEYS)
        assert await source.get() is KEYS
        assert await source.renew(KEYS) is None
        assert await source.renew(Credentials("old", "hush")) is KEYS
        source.close()

    asyncio.run(main())


def test_an_ordinary_function_is_called_in_a_thread_once() -> None:
    """It may block; its result is kept."""
    threads = []

    def function() -> Credentials:
        threads.append(threading.current_thread())
        return KEYS

    async def main() -> None:
        source = from_callable(function)
        assert await source.get() is KEYS
        assert await source.get() is KEYS

    asyncio.run(main())
    assert len(threads) == 1
    assert threads[0] is not threading.main_thread()


def test_a_coroutine_function_is_awaited_on_the_loop() -> None:
    """So is the awaitable that an ordinary function or an object's call returns."""

    async def function() -> Credentials:
        assert asyncio.get_running_loop()
        return KEYS

    class Callable:
        async def __call__(self) -> Credentials:
            return await function()

    def returns_an_awaitable() -> Awaitable[Credentials]:
        return function()

    async def main() -> None:
        for callable_ in (function, Callable(), returns_an_awaitable):
            assert await from_callable(callable_).get() is KEYS

    asyncio.run(main())


def test_a_function_is_asked_again_when_its_credentials_end() -> None:
    """An expiration makes credentials refreshable."""
    lives = [timedelta(seconds=300), timedelta(hours=1)]

    def function() -> Credentials:
        return Credentials("AKID", "hush", expiration=ends_in(lives.pop(0).total_seconds()))

    async def main() -> None:
        source = from_callable(function)
        await source.get()
        await source.get()
        await source.get()

    asyncio.run(main())
    assert not lives


def test_a_function_is_asked_again_when_its_credentials_are_rejected() -> None:
    """Other credentials are used, the same are not tried again."""
    answers = ["a", "b", "b"]

    async def function() -> Credentials:
        return Credentials(answers.pop(0), "hush")

    async def main() -> None:
        source = from_callable(function)
        first = await source.get()
        second = await source.renew(first)
        assert second == Credentials("b", "hush")
        assert await source.renew(second) is None

    asyncio.run(main())


def test_a_result_of_another_type_is_an_error() -> None:
    """The error names what came, not its contents."""

    async def main() -> None:
        with pytest.raises(CredentialsError, match="returned tuple, not Credentials"):
            await from_callable(lambda: ("AKID", "hush")).get()  # type: ignore[arg-type, return-value]

    asyncio.run(main())


def test_an_error_of_the_function_reaches_the_caller() -> None:
    """It is not wrapped: the function is the caller's own."""

    def function() -> Credentials:
        raise KeyError("x")

    async def main() -> None:
        with pytest.raises(KeyError):
            await from_callable(function).get()

    asyncio.run(main())
