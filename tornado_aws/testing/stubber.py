"""Answers the calls of a generated client in the place of its service."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from copy import copy
from types import TracebackType
from typing import Any, NamedTuple, Self, TypeAlias

from tornado_aws.customizations import hooks
from tornado_aws.exceptions import AWSError, CallError
from tornado_aws.model import Operation
from tornado_aws.service import ServiceClient
from tornado_aws.streams import StreamingBody
from tornado_aws.testing.checks import (
    COMMON_CODES,
    Params,
    Result,
    StubError,
    check_members,
    check_names,
    check_params,
    check_result,
    check_spelling,
    differences,
    hint,
)
from tornado_aws.testing.memory import Events, Memory
from tornado_aws.transport import Response

Returns: TypeAlias = Result | Callable[[Params], Result]


class Made(NamedTuple):
    """A call that was made.

    Attributes:
        operation: the operation's name, as the API spells it.
        params: its parameters as they were then, those that are None left out.
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

    The block ends with a `StubError` if a call was not made that was expected, or was made that was
    not, even if the program caught the error that it got for it.

    `expect` names calls in the order in which they must be made; `answer` answers an operation
    however often and whenever it is called. Pages, waiters and views of the client
    (``with_options``) that are made within the block are answered as well.

    Args:
        client: a client; it needs neither region nor credentials.

    Attributes:
        calls: the calls made so far.
    """

    def __init__(self, client: ServiceClient) -> None:
        if not isinstance(client, ServiceClient):
            raise TypeError(f"A Stubber answers for a generated client, not for {client!r}")
        self.calls: list[Made] = []
        self._client = client
        self._model = client._model()
        self._names = {name.lower(): name for name in self._model.operation_names}
        self._expected: deque[_Answer] = deque()
        self._always: dict[str, _Answer] = {}
        self._refused: StubError | None = None

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
            StubError: the service has no such operation, or its model has no such parameter or
                error, or does not allow the result.
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
        if "_call" in self._client.__dict__:
            raise StubError("Another Stubber answers this client's calls already")
        self._client.__dict__["_call"] = self._call
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        del self._client.__dict__["_call"]
        if error is not None:
            return
        if self._refused is not None:
            raise self._refused
        if self._expected:
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
        if raises is not None and not isinstance(raises, str | BaseException):
            raise StubError(f"{name} can raise an error's code or an exception, not {raises!r}")
        operation = self._model.operation(self._operation_name(name))
        check_names(operation, params or {})
        if returns is not None and not callable(returns):
            check_result(operation, returns)
        error = raises
        if isinstance(raises, str):
            error = self._error(operation, raises, message, members)
        return _Answer(operation, params, returns or {}, error)  # type: ignore[arg-type]

    def _operation_name(self, name: str) -> str:
        found = self._names.get(name.replace("_", "").lower())
        if found is None:
            near = hint(name, self._names.values())
            raise StubError(f"{type(self._client).__name__} has no operation {name!r}{near}")
        return found

    def _error(
        self, operation: Operation, code: str, message: str, members: Mapping[str, Any]
    ) -> AWSError:
        shape = self._model.error_shapes.get(code)
        status = 400
        if shape is not None:
            status = int(shape.traits.get("error", {}).get("httpStatusCode", status))
            check_members(code, shape, members)
        elif code not in COMMON_CODES:
            check_spelling(code, self._model.error_shapes)
        metadata = _metadata(status)
        response = {
            "Error": {"Code": code, "Message": message},
            **members,
            "ResponseMetadata": metadata,
        }
        cls = self._client._errors.get(code, AWSError)
        return cls(code, message, status, metadata["RequestId"], response, operation=operation.name)

    async def _call(
        self, name: str, params: Mapping[str, object], *, headers: object = None
    ) -> dict[str, Any]:
        given = {key: value for key, value in params.items() if value is not None}
        self.calls.append(Made(name, _copied(given)))
        check_params(self._model.operation(name), given)
        try:
            answer = self._take(name, given)
        except StubError as error:
            self._refused = self._refused or error
            raise
        if answer.raises is not None:
            raise self._located(answer.raises, name)
        if not callable(answer.returns):
            return _as_result(answer.operation, answer.returns, given)
        result = answer.returns(given)
        check_result(answer.operation, result)
        return _as_result(answer.operation, result, given)

    def _located(self, error: BaseException, operation: str) -> BaseException:
        """Return an exception of its own for a call, which tells what was called."""
        if not isinstance(error, CallError):
            return error
        return copy(error).locate(self._model.metadata["endpointPrefix"], operation, "", "", ())

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
                + "".join(f"\n  {line}" for line in differences(following.params, params, ""))
            )
        return self._expected.popleft()


def _copied(value: Any) -> Any:
    """Copy dicts and lists; what they hold besides may be a stream, which cannot be copied."""
    if isinstance(value, dict):
        return {name: _copied(item) for name, item in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list) else value


def _as_result(operation: Operation, result: Result, params: Params) -> dict[str, Any]:
    """Make of what the service would give what its client gives."""
    made = _copied(dict(result))  # every answer is the program's to change
    members = operation.output.shape.members if operation.output is not None else {}
    for name, ref in members.items():
        value = made.get(name)
        if ref.traits.get("eventstream") and isinstance(value, (list, tuple)):
            made[name] = Events(value)
        elif ref.traits.get("streaming") and isinstance(value, bytes):
            made[name] = StreamingBody(Memory(value), len(value))
    made.setdefault("ResponseMetadata", _metadata(200))
    after_parse = hooks(operation).after_parse
    return made if after_parse is None else after_parse(made, Response(200, "OK", []), params)


def _metadata(status: int) -> dict[str, Any]:
    return {
        "RequestId": "stubbed",
        "HTTPStatusCode": status,
        "HTTPHeaders": {},
        "RetryAttempts": 0,
    }
