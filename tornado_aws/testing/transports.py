"""Transports without a service: one that answers from a list, and one that takes notes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from copy import copy
from typing import NamedTuple, TypeAlias

from tornado_aws.exceptions import RequestException
from tornado_aws.testing.checks import StubError
from tornado_aws.testing.memory import Memory
from tornado_aws.transport import (
    PoolStats,
    Request,
    Response,
    Timeouts,
    Transport,
    TransportOptions,
)
from tornado_aws.transport.pool import PoolTransport


def response(
    body: bytes | str = b"", status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Return a response for a `CannedTransport`; text is encoded as UTF-8."""
    data = body.encode() if isinstance(body, str) else body
    pairs = [*(headers or {}).items(), ("Content-Length", str(len(data)))]
    return Response(status, "", pairs, data)


class Exchange(NamedTuple):
    """A request and what came of it; ``repr`` shows neither headers nor bodies.

    Attributes:
        request: as it was sent, signed.
        response: what came, None if nothing did.
        error: why nothing came.
        seconds: how long it took.
    """

    request: Request
    response: Response | None
    error: BaseException | None
    seconds: float

    def __repr__(self) -> str:
        result = self.response.status if self.response else type(self.error).__name__
        return f"<Exchange {self.request.method} {self.request.origin.host} {result}>"


Canned: TypeAlias = Response | RequestException | Callable[[Request], Response]


class CannedTransport:
    """Answers requests from a list; use it for one client, as the option ``transport``.

    Args:
        *answers: for each request in order a response, an exception, or a function that makes a
            response from the request; the last one answers all further requests.

    Attributes:
        requests: what was sent.
    """

    def __init__(self, *answers: Canned) -> None:
        if not answers:
            raise StubError("A CannedTransport needs at least one answer")
        self.requests: list[Request] = []
        self._answers = answers

    async def send(self, request: Request, timeouts: Timeouts) -> Response:
        """See `tornado_aws.transport.Transport`."""
        answer = self._answers[min(len(self.requests), len(self._answers) - 1)]
        self.requests.append(request)
        if isinstance(answer, RequestException):
            raise copy(answer)  # each call notes its own name in it
        found = answer if isinstance(answer, Response) else answer(request)
        if request.stream and found.status < 300:
            return Response(
                found.status, found.reason, found.raw_headers, stream=Memory(found.body)
            )
        return found

    def close(self) -> None:
        """There is nothing to close."""

    def stats(self) -> PoolStats:
        """See `tornado_aws.transport.Transport`."""
        return PoolStats(0, 0, 0, 0, len(self.requests))


class RecordingTransport:
    """Remembers every request and response that passes; use it as the option ``transport``.

    What it remembers holds all that was sent, secrets among it.

    Args:
        transport: what sends; connections of its own without one.

    Attributes:
        exchanges: what passed, in the order of the answers.
    """

    def __init__(self, transport: Transport | None = None) -> None:
        self.exchanges: list[Exchange] = []
        self._transport = transport or PoolTransport(TransportOptions())

    async def send(self, request: Request, timeouts: Timeouts) -> Response:
        """See `tornado_aws.transport.Transport`."""
        began = time.monotonic()
        try:
            found = await self._transport.send(request, timeouts)
        except BaseException as error:
            self.exchanges.append(Exchange(request, None, error, time.monotonic() - began))
            raise
        self.exchanges.append(Exchange(request, found, None, time.monotonic() - began))
        return found

    def close(self) -> None:
        """Close what sends."""
        self._transport.close()

    def stats(self) -> PoolStats:
        """See `tornado_aws.transport.Transport`."""
        return self._transport.stats()
