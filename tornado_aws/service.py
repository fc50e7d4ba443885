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
from tornado_aws.session import Session, Target
from tornado_aws.waiting import Waiter, WaiterConfig, wait

if TYPE_CHECKING:
    from tornado_aws.downloads import Download
    from tornado_aws.errors import ErrorDetails
    from tornado_aws.loading import Ready
    from tornado_aws.pipeline import Outcome
    from tornado_aws.routes import Context, Route
    from tornado_aws.transport import Response
    from tornado_aws.uploads import Upload

T = TypeVar("T")

# What preparing an operation imports.
MODULES = ("tornado_aws.validation", "tornado_aws.uploads", "tornado_aws.downloads")


class Prepared(NamedTuple):
    """An operation made ready at its first call, for all clients of its class.

    Attributes:
        name: the operation's name.
        validate: raises `ParamValidationError` for parameters that do not fit.
        serialize: from parameters to the parts of a request.
        parse: from a response to a result.
        parse_error: from an error response and its code to the error's own members.
        upload: how its bodies are sent, None if there is nothing to it.
        download: how its results are received, None if there is nothing to it.
        context: from parameters to what they contribute to the endpoint's, None for nothing.
        is_signed: whether the service wants a signature.
    """

    name: str
    validate: Callable[[Mapping[str, Any]], None]
    serialize: Serializer
    parse: Parser
    parse_error: ErrorParser
    upload: Upload | None
    download: Download | None
    context: Context | None
    is_signed: bool


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
    _endpoints: ClassVar[str]
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
        target = _target(self._model.metadata, self._endpoints)
        base = client or AsyncAWSClient(target.service, **options)
        self._own = base if client is None else None
        self._session: Session = base._session.for_target(target)

    async def _call(
        self,
        name: str,
        params: Mapping[str, object],
        *,
        headers: Callable[[str], Mapping[str, str]] | None = None,
    ) -> T:
        """Call the operation `name` with `params`, those that are None left out.

        `headers` gives headers to add, from the URL that the request goes to.
        """
        ready = self._session.resolved or await self._session.ready()
        operation = self._operations.get(name) or self._prepare(name, ready)
        given = {key: value for key, value in params.items() if value is not None}
        if ready.settings.validate:
            operation.validate(given)
        if operation.download is not None:
            validation = ready.settings.response_checksum_validation
            given = operation.download.ask(given, validation)
        parts = operation.serialize(given)
        route = await _route(ready, operation, given)
        if headers is not None:
            added = headers(f"{route.base.url}{parts.path}").items()
            route = route._replace(headers=[*route.headers, *added])
        if operation.upload is not None:
            calculation = ready.settings.request_checksum_calculation
            parts = await operation.upload.prepare(parts, given, route, calculation)
        stream = operation.download is not None and operation.download.is_stream
        outcome = await ready.pipeline.send(route, parts, ready.limits, stream=stream)
        if outcome.error is not None:
            raise self._exception(operation, outcome, outcome.error)
        result = operation.parse(outcome.response)
        if operation.download is not None:
            operation.download.receive(outcome.response, result, given)
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
        call = partial(self._call, waiter.operation)
        return await wait(waiter, call, params, config)  # type: ignore[return-value]

    def _prepare(self, name: str, ready: Ready) -> Prepared:
        from tornado_aws.downloads import download  # noqa: PLC0415 - see MODULES
        from tornado_aws.routes import context_of  # noqa: PLC0415 - imported by ready()
        from tornado_aws.uploads import upload  # noqa: PLC0415 - see MODULES
        from tornado_aws.validation import validator  # noqa: PLC0415 - brings the codec

        operation: Operation = self._model.operation(name)
        protocol = load(self._model.metadata)
        prepared = Prepared(
            name,
            validator(operation),
            protocol.serializer(operation),
            protocol.parser(operation),
            protocol.error_parser(self._model),
            upload(operation),
            download(operation),
            context_of(operation, ready.rules) if ready.rules else None,
            operation.traits.get("authtype") != "none",
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


def _target(metadata: Mapping[str, Any], rules: str) -> Target:
    modules = (PROTOCOLS[choose(metadata)], *MODULES)
    return Target(metadata["endpointPrefix"], metadata["serviceId"], metadata, rules, modules)


async def _route(ready: Ready, operation: Prepared, params: Mapping[str, Any]) -> Route:
    router = ready.router
    context = operation.context(params) if operation.context is not None else {}
    account = (await ready.source.get()).account_id if router.needs_account else None
    route = router.route(context, account)
    return route if operation.is_signed else route._replace(signer=None)


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
