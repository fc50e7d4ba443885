"""Base class of the generated clients: one call, start to end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self, TypeVar, Unpack

from tornado_aws.client import AsyncAWSClient
from tornado_aws.credentials import Credentials
from tornado_aws.exceptions import AWSError
from tornado_aws.model import Operation, ServiceModel
from tornado_aws.options import CallOptions, ClientOptions
from tornado_aws.pagination import Pages, PaginationConfig, Paginator
from tornado_aws.protocols import PROTOCOLS, ErrorParser, Parser, Serializer, choose, load
from tornado_aws.session import Session
from tornado_aws.waiting import Waiter, WaiterConfig, wait

if TYPE_CHECKING:
    from tornado_aws.errors import ErrorDetails
    from tornado_aws.pipeline import Outcome
    from tornado_aws.transport import Response

T = TypeVar("T")

VALIDATION = "tornado_aws.validation"


class Prepared(NamedTuple):
    """An operation made ready at its first call, for all clients of its class.

    Attributes:
        name: the operation's name.
        validate: raises `ParamValidationError` for parameters that do not fit.
        serialize: from parameters to the parts of a request.
        parse: from a response to a result.
        parse_error: from an error response and its code to the error's own members.
    """

    name: str
    validate: Callable[[Mapping[str, Any]], None]
    serialize: Serializer
    parse: Parser
    parse_error: ErrorParser


class ServiceClient:
    """An asynchronous client of one service, generated from the service's model.

    Args:
        client: an existing client whose configuration, credentials and connections are used;
            closing this one then leaves it open.
        **options: the options of a client of its own, see `tornado_aws.options.ClientOptions`.

    Raises:
        TypeError: both a client and options were given, or an option is unknown.
        ConfigurationError: an option has an impossible value.
    """

    _model: ClassVar[ServiceModel]
    _errors: ClassVar[Mapping[str, type[AWSError]]]
    _operations: ClassVar[dict[str, Prepared]]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls._operations = {}

    def __init__(
        self, client: AsyncAWSClient | None = None, **options: Unpack[ClientOptions]
    ) -> None:
        if client is not None and options:
            names = ", ".join(sorted(options))
            raise TypeError(f"Give either a client or options ({names}), not both")
        metadata = self._model.metadata
        prefix, service_id = metadata["endpointPrefix"], metadata["serviceId"]
        base = client or AsyncAWSClient(prefix, **options)
        self._own = base if client is None else None
        self._session: Session = base._session.for_service(
            prefix, service_id, (PROTOCOLS[choose(metadata)], VALIDATION)
        )

    async def _call(self, name: str, params: Mapping[str, object]) -> T:
        """Call the operation `name` with `params`, those that are None left out."""
        ready = self._session.resolved or await self._session.ready()
        operation = self._operations.get(name) or self._prepare(name)
        given = {key: value for key, value in params.items() if value is not None}
        if ready.settings.validate:
            operation.validate(given)
        parts = operation.serialize(given)
        outcome = await ready.pipeline.send(ready.route, parts, ready.limits)
        if outcome.error is not None:
            raise self._exception(operation, outcome, outcome.error)
        result = operation.parse(outcome.response)
        result["ResponseMetadata"] = _metadata(outcome, result.get("ResponseMetadata"))
        return result  # type: ignore[return-value]

    def _paginate(
        self, pages: Pages, params: Mapping[str, object], config: PaginationConfig | None
    ) -> Paginator[Any, Any]:
        """Return the pages of an operation."""
        return Paginator(pages, partial(self._call, pages.operation), params, config)

    async def _wait(
        self, waiter: Waiter, params: Mapping[str, object], config: WaiterConfig | None
    ) -> T:
        """Call an operation until the waiter has what it waits for."""
        response = await wait(waiter, partial(self._call, waiter.operation), params, config)
        return response  # type: ignore[return-value]

    def _prepare(self, name: str) -> Prepared:
        from tornado_aws.validation import validator  # noqa: PLC0415 - brings the codec

        operation: Operation = self._model.operation(name)
        protocol = load(self._model.metadata)
        prepared = Prepared(
            name,
            validator(operation),
            protocol.serializer(operation),
            protocol.parser(operation),
            protocol.error_parser(self._model),
        )
        self._operations[name] = prepared
        return prepared

    def _exception(self, operation: Prepared, outcome: Outcome, details: ErrorDetails) -> AWSError:
        response = outcome.response
        code = details.error.get("QueryErrorCode", details.code)
        members = operation.parse_error(response, code)
        body = {
            "Error": details.error,
            **members,
            "ResponseMetadata": _metadata(outcome, {"RequestId": details.request_id or ""}),
        }
        cls = self._errors.get(code, AWSError)
        return cls(
            details.code,
            details.message,
            response.status,
            details.request_id,
            body,
            operation=operation.name,
            attempts=outcome.attempts,
        )

    async def get_credentials(self) -> Credentials:
        """Return the credentials in force, refreshed if they are about to expire."""
        return await self._session.get_credentials()

    def with_options(self, **options: Unpack[CallOptions]) -> Self:
        """Return a view of this client with other call options and the same connections.

        Closing the view closes nothing; closing this client closes the view.
        """
        view = self.__class__.__new__(self.__class__)
        view.__dict__.update(self.__dict__)
        view._own = None
        view._session = self._session.view(options)
        return view

    def close(self) -> None:
        """Close this client's own connections; calls under way end with `ClientClosedError`."""
        if self._own is not None:
            self._own.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
        await asyncio.sleep(0)  # lets the sockets' close callbacks run before a loop ends

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._session!r}>"


def _metadata(outcome: Outcome, parsed: Mapping[str, Any] | None) -> dict[str, Any]:
    response: Response = outcome.response
    headers = dict(response.headers)
    metadata: dict[str, Any] = dict(parsed) if parsed else {}
    if "x-amzn-requestid" in headers:
        metadata.setdefault("RequestId", headers["x-amzn-requestid"])
    elif "x-amz-request-id" in headers:
        metadata.setdefault("RequestId", headers["x-amz-request-id"])
        metadata.setdefault("HostId", headers.get("x-amz-id-2", ""))
    metadata["HTTPStatusCode"] = response.status
    metadata["HTTPHeaders"] = headers
    metadata["RetryAttempts"] = outcome.attempts - 1
    return metadata
