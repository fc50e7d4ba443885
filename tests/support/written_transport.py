"""A transport without a network: it keeps requests and gives the responses that a test wrote."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import AsyncIterable

from tornado_aws.transport import PoolStats, Request, Response, Timeouts

_SCOPE = re.compile(r"Credential=[^/]+/[0-9]{8}/([^/]*)/([^/]*)/aws4_request")


class WrittenTransport:
    """Gives the responses in order.

    Args:
        *responses: what is answered; a request too many fails the test.

    Attributes:
        requests: what was sent.
        streamed: the bodies that are no bytes, as they were read.
    """

    def __init__(self, *responses: Response) -> None:
        self.requests: list[Request] = []
        self.streamed: list[bytes] = []
        self._responses = deque(responses)

    async def send(self, request: Request, timeouts: Timeouts) -> Response:
        """Keep the request and give the next response."""
        self.requests.append(request)
        if isinstance(request.body, AsyncIterable):
            self.streamed.append(b"".join([piece async for piece in request.body]))
        assert self._responses, f"nobody wrote an answer to {request.method} {request.target}"
        return self._responses.popleft()

    def close(self) -> None:
        """There is nothing to close."""

    def stats(self) -> PoolStats:
        """Nothing is ever open."""
        raise NotImplementedError

    @property
    def urls(self) -> list[str]:
        """Where the requests went."""
        return [f"{each.origin.scheme}://{each.origin.host}{each.target}" for each in self.requests]

    @property
    def regions(self) -> list[str]:
        """The regions that the requests were signed for."""
        return [_SCOPE.findall(header(each, "Authorization"))[0][0] for each in self.requests]


def header(request: Request, name: str) -> str:
    """Return a header of a request, "" without it."""
    values = [value for key, value in request.headers if key.lower() == name.lower()]
    return ", ".join(values)
