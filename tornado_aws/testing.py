"""Testing programs that use this library, without a network and without credentials.

* `Stubber` answers the calls of a generated client. Parameters are checked against the model as
  they are in production, and so are the answers, so that a test cannot rest on a result that the
  service would never give.
* `CannedTransport` answers raw requests; `RecordingTransport` remembers what passed. Both are given
  to a client as its option ``transport``.
"""

from __future__ import annotations

import difflib
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import copy
from datetime import datetime
from types import TracebackType
from typing import Any, NamedTuple, Self, TypeAlias

from tornado_aws.customizations import hooks
from tornado_aws.exceptions import AWSError, RequestException
from tornado_aws.model import Operation, Ref
from tornado_aws.service import ServiceClient
from tornado_aws.streams import StreamingBody
from tornado_aws.transport import (
    PoolStats,
    Request,
    Response,
    Timeouts,
    Transport,
    TransportOptions,
)
from tornado_aws.transport.pool import PoolTransport
from tornado_aws.validation import faults, validator

__all__ = [
    "CannedTransport",
    "Exchange",
    "Made",
    "RecordingTransport",
    "StubError",
    "Stubber",
    "response",
]

Params: TypeAlias = Mapping[str, Any]
Result: TypeAlias = Mapping[str, Any]
Returns: TypeAlias = Result | Callable[[Params], Result]


class StubError(AssertionError):
    """The program and the test disagree: about a call, or about what the model allows."""


class Made(NamedTuple):
    """A call that was made.

    Attributes:
        operation: the operation's name, as the API spells it.
        params: its parameters, those that are None left out.
    """

    operation: str
    params: dict[str, Any]


class _Answer(NamedTuple):
    """What a call gets: a result, or an error."""

    operation: Operation
    params: Params | None
    returns: Returns
    raises: BaseException | None


class Stubber:
    """Answers the calls of a generated client while its ``with`` block runs.

    `expect` names calls in the order in which they must be made; `answer` answers an operation
    however often and whenever it is called. Pages, waiters and views of the client
    (``with_options``) that are made within the block are answered as well.

    Args:
        client: a client; it needs neither region nor credentials.

    Attributes:
        calls: the calls made so far.
    """

    def __init__(self, client: ServiceClient) -> None:
        self.calls: list[Made] = []
        self._client = client
        self._model = client._model
        self._names = {name.lower(): name for name in self._model.operation_names}
        self._expected: deque[_Answer] = deque()
        self._always: dict[str, _Answer] = {}

    def expect(
        self,
        operation: str,
        params: Params | None = None,
        *,
        returns: Returns | None = None,
        raises: str | BaseException | None = None,
        message: str = "",
        members: Mapping[str, Any] | None = None,
    ) -> None:
        """Expect a call, after those that are expected already.

        Args:
            operation: the operation's name, as the client's method (``put_item``) or as the API
                spells it.
            params: the parameters that the call must have, no more and no fewer; values are
                compared with ``==``, so that ``unittest.mock.ANY`` fits all. None for any.
            returns: the result, or a function from parameters to it; bytes stand for a streaming
                body, a list for an event stream. ``ResponseMetadata`` is added.
            raises: instead of `returns` an error's code or any exception.
            message: the error's message.
            members: the error's own members.

        Raises:
            StubError: the service has no such operation, or its model does not allow the result.
        """
        self._expected.append(
            self._made(operation, params, returns, raises, message, members or {})
        )

    def answer(
        self,
        operation: str,
        *,
        returns: Returns | None = None,
        raises: str | BaseException | None = None,
        message: str = "",
        members: Mapping[str, Any] | None = None,
    ) -> None:
        """Answer every call of an operation that is not expected in order.

        Arguments and errors are those of `expect`.
        """
        made = self._made(operation, None, returns, raises, message, members or {})
        self._always[made.operation.name] = made

    def __enter__(self) -> Self:
        self._client.__dict__["_call"] = self._call
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        del self._client.__dict__["_call"]
        if error is None and self._expected:
            names = ", ".join(answer.operation.name for answer in self._expected)
            raise StubError(f"Expected calls were not made: {names}")

    def _made(
        self,
        name: str,
        params: Params | None,
        returns: Returns | None,
        raises: str | BaseException | None,
        message: str,
        members: Mapping[str, Any],
    ) -> _Answer:
        if returns is not None and raises is not None:
            raise StubError(f"{name} can either return or raise")
        operation = self._model.operation(self._operation_name(name))
        if returns is not None and not callable(returns):
            _check_result(operation, returns)
        error = raises
        if isinstance(raises, str):
            error = self._error(operation, raises, message, members)
        return _Answer(operation, params, returns or {}, error)  # type: ignore[arg-type]

    def _operation_name(self, name: str) -> str:
        found = self._names.get(name.replace("_", "").lower())
        if found is None:
            near = difflib.get_close_matches(name, self._names.values(), 3, 0.4)
            hint = f"; did you mean {', '.join(near)}?" if near else ""
            raise StubError(f"{type(self._client).__name__} has no operation {name!r}{hint}")
        return found

    def _error(
        self, operation: Operation, code: str, message: str, members: Mapping[str, Any]
    ) -> AWSError:
        shape = self._model.error_shapes.get(code)
        status = 400
        if shape is not None:
            status = int(shape.traits.get("error", {}).get("httpStatusCode", status))
            unknown = sorted(set(members) - set(shape.members))
            if unknown:
                raise StubError(f"{code} has no member {', '.join(unknown)}")
        metadata = _metadata(status)
        response = {
            "Error": {"Code": code, "Message": message},
            **members,
            "ResponseMetadata": metadata,
        }
        cls = self._client._errors.get(code, AWSError)
        error = cls(
            code, message, status, metadata["RequestId"], response, operation=operation.name
        )
        return error.locate(self._model.metadata["endpointPrefix"], operation.name, "", "", ())

    async def _call(
        self, name: str, params: Mapping[str, object], *, headers: object = None
    ) -> dict[str, Any]:
        given = {key: value for key, value in params.items() if value is not None}
        self.calls.append(Made(name, given))
        _check_params(self._model.operation(name), given)
        answer = self._take(name, given)
        if answer.raises is not None:
            raise answer.raises
        if not callable(answer.returns):
            return _as_result(answer.operation, answer.returns)
        result = answer.returns(given)
        _check_result(answer.operation, result)
        return _as_result(answer.operation, result)

    def _take(self, name: str, params: Params) -> _Answer:
        """Return the answer to a call."""
        following = self._expected[0] if self._expected else None
        if following is None or following.operation.name != name:
            if name in self._always:
                return self._always[name]
            wanted = following.operation.name if following else "no further call"
            raise StubError(f"{name} was called, but {wanted} is expected")
        if following.params is not None and following.params != params:
            raise StubError(
                f"{name} was called with other parameters than expected:"
                + "".join(f"\n  {line}" for line in _differences(following.params, params))
            )
        return self._expected.popleft()


def _differences(expected: Params, given: Params) -> Iterator[str]:
    """Yield a line for each parameter that differs."""
    for name in sorted({*expected, *given}):
        if name not in given:
            yield f"{name}: missing; expected {expected[name]!r}"
        elif name not in expected:
            yield f"{name}: not expected; is {given[name]!r}"
        elif expected[name] != given[name]:
            yield f"{name}: expected {expected[name]!r}; is {given[name]!r}"


def _check_params(operation: Operation, params: Params) -> None:
    prepare = hooks(operation).before_serialize
    validator(operation)(params if prepare is None else prepare(params))


def _check_result(operation: Operation, result: Result) -> None:
    """Raise `StubError` for a result that the service cannot give."""
    body = {name: value for name, value in result.items() if name != "ResponseMetadata"}
    if operation.output is None:
        found = [f"{name}: there is no such member" for name in body]
    else:
        members = operation.output.shape.members
        streams = {name for name, ref in members.items() if ref.traits.get("streaming")}
        body.update((name, b"") for name in streams & body.keys())
        found = faults(operation.output, body) or list(_unlike_results(operation.output, body, ""))
    if found:
        lines = "".join(f"\n  {fault}" for fault in found)
        raise StubError(f"{operation.name} cannot return this:{lines}")


def _is_aware(value: object) -> bool:
    return isinstance(value, datetime) and value.tzinfo is not None


def _is_bytes(value: object) -> bool:
    return isinstance(value, bytes)


# By type of shape: what of the values that parameters may have occurs in results.
_IN_RESULTS: Mapping[str, tuple[Callable[[object], bool], str]] = {
    "timestamp": (_is_aware, "aware datetimes"),
    "blob": (_is_bytes, "bytes"),
}


def _unlike_results(ref: Ref, value: Any, path: str) -> Iterator[str]:
    """Yield what is right in parameters, but what a result never holds."""
    shape = ref.shape
    if ref.traits.get("document") or ref.traits.get("eventstream"):
        return
    if shape.type in _IN_RESULTS:
        fits, wanted = _IN_RESULTS[shape.type]
        if not fits(value):
            yield f"{path}: results have {wanted} here, not {type(value).__name__}"
    elif shape.type == "structure":
        for name, item in value.items():
            yield from _unlike_results(shape.members[name], item, f"{path}.{name}".lstrip("."))
    elif shape.type == "map":
        for key, item in value.items():
            yield from _unlike_results(shape.value, item, f"{path}.{key}")
    elif shape.type == "list":
        for index, item in enumerate(value):
            yield from _unlike_results(shape.member, item, f"{path}[{index}]")


def _as_result(operation: Operation, result: Result) -> dict[str, Any]:
    made = dict(result)
    members = operation.output.shape.members if operation.output is not None else {}
    for name, ref in members.items():
        value = made.get(name)
        if ref.traits.get("eventstream") and isinstance(value, (list, tuple)):
            made[name] = _Events(value)
        elif ref.traits.get("streaming") and isinstance(value, bytes):
            made[name] = StreamingBody(_Memory(value), len(value))
    made.setdefault("ResponseMetadata", _metadata(200))
    return made


def _metadata(status: int) -> dict[str, Any]:
    return {
        "RequestId": "stubbed",
        "HTTPStatusCode": status,
        "HTTPHeaders": {},
        "RetryAttempts": 0,
    }


class _Memory:
    """A body that has arrived: `tornado_aws.transport.BodyStream`."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    async def read_chunk(self) -> bytes:
        data, self._data = self._data, b""
        return data

    def close(self) -> None:
        self._data = b""


class _Events:
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


# --- raw requests ---------------------------------------------------------------------------------


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
                found.status, found.reason, found.raw_headers, stream=_Memory(found.body)
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
