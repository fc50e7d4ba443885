"""Streams whose contents are there already."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self


class Memory:
    """A body that has arrived: `tornado_aws.transport.BodyStream`."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    async def read_chunk(self) -> bytes:
        data, self._data = self._data, b""
        return data

    def close(self) -> None:
        self._data = b""


class Events:
    """The events of a stubbed stream, used like `tornado_aws.streams.AsyncEventStream`."""

    def __init__(self, events: Iterable[Any]) -> None:
        self._events = iter(events)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        for event in self._events:
            return event
        raise StopAsyncIteration

    def close(self) -> None:
        self._events = iter(())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        self.close()
