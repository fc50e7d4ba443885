"""Base class of the generated clients: one call, start to end."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterable, Callable, Coroutine, Mapping, Sequence
from functools import partial
from importlib import import_module
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self, TypeVar, Unpack

from tornado_aws.client import AsyncAWSClient
from tornado_aws.deadline import within
from tornado_aws.exceptions import AWSError, CallError, UnsupportedOperationError
from tornado_aws.flight import Flight
from tornado_aws.pagination import Pages, PaginationConfig, Paginator
from tornado_aws.session import Session, Target

if TYPE_CHECKING:
    from tornado_aws.credentials import Credentials
    from tornado_aws.customizations import Params, Permission
    from tornado_aws.deadline import Deadline
    from tornado_aws.errors import ErrorDetails
    from tornado_aws.loading import Ready
    from tornado_aws.model import ServiceModel
    from tornado_aws.options import CallOptions, ClientOptions
    from tornado_aws.pipeline import Delivery
    from tornado_aws.preparation import Prepared
    from tornado_aws.presigning import PresignedPost
    from tornado_aws.protocols import HTTPParts
    from tornado_aws.protocols.event_streams import Fault
    from tornado_aws.routes import Route
    from tornado_aws.settings import Settings
    from tornado_aws.transport import PoolStats, Response
    from tornado_aws.waiting import WaiterConfig

T = TypeVar("T")


class Outgoing(NamedTuple):
    """One call as it is sent.

    Attributes:
        ready: what the client's options amount to.
        operation: what is called.
        asked: the caller's parameters.
        given: those that are sent.
        route: where to.
        parts: the request.
    """

    ready: Ready
    operation: Prepared
    asked: Params
    given: Params
    route: Route
    parts: HTTPParts


class ServiceClient:
    """An asynchronous client of one service, generated from the service's model.

    Args:
        client: an existing client whose configuration, credentials and connections are used;
            closing this one then leaves it open.
        **options: the options of a client of its own, see `tornado_aws.options.ClientOptions`.

    Raises:
        TypeError: both a client and options were given.
        ConfigurationError: an option is unknown or has an impossible value.
    """

    # The service's name in hosts and its id in its model; modules of the package, by their names:
    # what a client needs is imported at its first call.
    _service: ClassVar[str]
    _service_id: ClassVar[str]
    _wire: ClassVar[str]
    _endpoints: ClassVar[str]
    _waiters: ClassVar[str]
    _errors: ClassVar[Mapping[str, type[AWSError]]]
    _operations: ClassVar[dict[str, Prepared]]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls._operations = {}

    def __init__(
        self, client: AsyncAWSClient | None = None, **options: Unpack[ClientOptions]
    ) -> None:
        if client is not None:
            _check_client(client, options)
        base = client or AsyncAWSClient(self._service, **options)
        self._own = base if client is None else None
        target = Target(self._service, self._service_id, self._wire, self._endpoints)
        self._session: Session = base._session.for_target(target)
        self._preparing: dict[str, Flight[Prepared]] = {}

    @classmethod
    def _model(cls) -> ServiceModel:
        """Return the wire data, which `Session.ready` has imported off the loop."""
        model: ServiceModel = import_module(cls._wire).MODEL
        return model

    async def _call(
        self,
        name: str,
        params: Mapping[str, object],
        *,
        headers: Callable[[str], Mapping[str, str]] | None = None,
    ) -> T:  # pyright: ignore[reportInvalidTypeVarUse] - the generated method says what it is
        """Call the operation `name` with `params`, those that are None left out.

        `headers` gives headers to add, from the URL that the request goes to.
        """
        deadline = self._session.deadline()
        call = await within(deadline, self._outgoing(name, params, headers), name)
        delivery = await _send(call, deadline)
        if delivery.error is not None:
            elsewhere = self._elsewhere(call, delivery, delivery.error)
            moved = await within(deadline, elsewhere, name, sent=True)
            if moved is not None:
                call, delivery = moved, await _send(moved, deadline)
        if delivery.error is not None:
            raise self._exception(call.operation, delivery, delivery.error)
        return await self._result(call, delivery)  # type: ignore[return-value]

    async def _outgoing(
        self,
        name: str,
        params: Mapping[str, object],
        headers: Callable[[str], Mapping[str, str]] | None,
    ) -> Outgoing:
        """Make the call that is to be sent; the arguments of `_call`."""
        ready = self._session.resolved or await self._session.ready()
        operation = self._operations.get(name) or await self._prepared(name, ready)
        asked = {key: value for key, value in params.items() if value is not None}
        given = _accepted(operation, ready.settings, asked)
        parts = operation.serialize(given)
        if operation.hooks.after_serialize is not None:
            parts = operation.hooks.after_serialize(parts)
        if operation.hooks.permission is not None:
            parts = await self._permitted(ready, operation.hooks.permission, asked, parts)
        route = await self._route(ready, operation, given)
        parts = _joined(parts, route, ready.settings)
        if operation.is_compressible and not ready.settings.disable_request_compression:
            from tornado_aws.compression import compressed  # noqa: PLC0415 - imported by ready()

            parts = await compressed(parts, ready.settings.request_min_compression_size_bytes)
        if headers is not None:
            added = headers(f"{route.base.url}{parts.path}").items()
            route = route._replace(headers=[*route.headers, *added])
        if operation.upload is not None:
            calculation = ready.settings.request_checksum_calculation
            parts = await operation.upload.prepare(parts, given, route, calculation)
        return Outgoing(ready, operation, asked, given, route, parts)

    async def _elsewhere(
        self, call: Outgoing, delivery: Delivery, error: ErrorDetails
    ) -> Outgoing | None:
        """Learn from an error that a call belongs elsewhere; return it as it goes there.

        None when it belongs where it was, or can be sent only once: then the next one knows.
        """
        ready, operation, given = call.ready, call.operation, call.given
        if not (
            ready.discovery.learn(call.route, delivery.response, error)
            or await self._finds_region(ready, operation, given, delivery.response, error)
        ):
            return None
        if not _is_replayable(delivery.request.body):
            return None
        return call._replace(route=await self._route(ready, operation, given))

    async def _finds_region(
        self,
        ready: Ready,
        operation: Prepared,
        params: Params,
        response: Response,
        error: ErrorDetails,
    ) -> bool:
        """Learn from an error that a resource is in another region; tell whether that is news."""
        moved_to, resource = operation.hooks.moved_to, operation.hooks.resource
        if moved_to is None or resource is None:
            return False
        moved = moved_to(params, response, error)
        if moved is None:
            return False
        region = moved.region
        if region is None and operation.name != moved.lookup:
            region = await self._header_of(moved.lookup, moved.params, moved.header)
        return ready.regions.learn(ready.service_id, params[resource], region)

    async def _header_of(self, name: str, params: Mapping[str, Any], header: str) -> str | None:
        """Return a header of an operation's response, be that an error or not."""
        try:
            response: Mapping[str, Any] = await self._call(name, params)
        except AWSError as error:
            response = error.response
        headers: Mapping[str, str] = response["ResponseMetadata"]["HTTPHeaders"]
        return headers.get(header)

    async def _permitted(
        self, ready: Ready, permission: Permission, params: Params, parts: HTTPParts
    ) -> HTTPParts:
        """Return a request, with the URL that permits its copy from another region if need be."""
        from tornado_aws import presigning  # noqa: PLC0415 - imported by ready()
        from tornado_aws.customizations import cross_region  # noqa: PLC0415 - imported by ready()

        source = cross_region.source_region(permission, params)
        if source is None:
            return parts
        destination = {cross_region.DESTINATION: ready.settings.region or ""}
        told = cross_region.add_to_form(parts, **destination)
        route = ready.router.route({"Region": source})
        credentials = await ready.source.get()
        now = ready.pipeline.now(route.base.host)
        url = presigning.presigned_url(route, told, credentials, 3600, now, "GET")
        sent = told if permission.is_destination_sent else parts
        return cross_region.add_to_form(sent, **{permission.member: url})

    def _paginate(
        self, pages: Pages, params: Mapping[str, object], config: PaginationConfig | None
    ) -> Paginator[Any, Any]:
        """Return the pages of an operation."""
        return Paginator(pages, partial(self._call, pages.operation), params, config)

    async def _wait(
        self, name: str, params: Mapping[str, object], config: WaiterConfig | None
    ) -> T:  # pyright: ignore[reportInvalidTypeVarUse] - as in _call
        """Call an operation until the waiter of this name has what it waits for."""
        loop = asyncio.get_running_loop()
        waiter = getattr(await loop.run_in_executor(None, import_module, self._waiters), name)
        from tornado_aws.waiting import wait  # noqa: PLC0415 - imported by the waiters

        call = partial(self._call, waiter.operation)
        return await wait(waiter, call, params, config)  # type: ignore[return-value]

    async def _route(self, ready: Ready, operation: Prepared, params: Params) -> Route:
        router, peculiar = ready.router, operation.hooks
        context = operation.context(params) if operation.context is not None else {}
        if peculiar.resource is not None:
            region = ready.regions.get(ready.service_id, params.get(peculiar.resource))
            if region is not None:
                context["Region"] = region
        account = (await ready.source.get()).account_id if router.needs_account else None
        route = router.route(context, account)
        if route.needs and route.needs not in sys.modules:
            await asyncio.get_running_loop().run_in_executor(None, import_module, route.needs)
        found = peculiar.discovery
        if found is not None and ready.discovery.is_wanted(found, ready.settings):
            route = await ready.discovery.route(route, found, params, ready.source, self._call)
        if not operation.is_signed:
            return route._replace(signer=None)
        if route.wants_token and route.source is not None:
            from tornado_aws.bearer import header  # noqa: PLC0415 - imported by ready()

            return route._replace(headers=[*route.headers, await header(route.source)])
        if route.wants_session and peculiar.resource and peculiar.session:
            name = (route.base.url, params[peculiar.resource])
            opened = partial(peculiar.session, self._call, params)
            return route._replace(source=ready.sessions.source(name, opened))
        return route

    async def _prepared(self, name: str, ready: Ready) -> Prepared:
        """Make an operation ready for its first call; those that come meanwhile wait for it."""
        flight = self._preparing.setdefault(name, Flight())
        return await flight.get(partial(self._prepare, name, ready))

    async def _prepare(self, name: str, ready: Ready) -> Prepared:
        from tornado_aws.preparation import prepare  # noqa: PLC0415 - imported by ready()

        # A large operation takes 20 milliseconds, which no loop must wait for.
        loop, model = asyncio.get_running_loop(), self._model()
        prepared = await loop.run_in_executor(None, prepare, model, name, ready.rules)
        self._operations[name] = prepared
        self._preparing.pop(name, None)
        return prepared

    def _exception(
        self, operation: Prepared, delivery: Delivery, details: ErrorDetails
    ) -> AWSError:
        response = delivery.response
        name = details.error.get("QueryErrorCode", details.code)
        members = operation.parse_error(response, name)
        body = {
            "Error": details.error,
            **members,
            "ResponseMetadata": _metadata(delivery, {"RequestId": details.request_id or ""}),
        }
        # CloudWatch's model has the codes of its former protocol, SQS's has names alone.
        cls = self._errors.get(details.code) or self._errors.get(name, AWSError)
        error = cls(
            details.code,
            details.message,
            response.status,
            details.request_id,
            body,
            operation=operation.name,
            attempts=delivery.attempt,
        )
        return delivery.locate(error)

    async def _result(self, call: Outgoing, delivery: Delivery) -> dict[str, Any]:
        """Return the result of a success."""
        operation = call.operation
        response, peculiar = delivery.response, operation.hooks
        if peculiar.before_parse is not None:
            response = peculiar.before_parse(response)
        try:
            if operation.download is None:
                result = operation.parse(response)
            else:
                result = await operation.download.receive(
                    response,
                    call.given,
                    operation.parse,
                    partial(self._stream_error, operation, delivery),
                    delivery.locate,
                )
        except CallError as error:
            delivery.locate(error)
            raise
        result["ResponseMetadata"] = _metadata(delivery, result.get("ResponseMetadata"))
        if peculiar.after_parse is not None:
            result = peculiar.after_parse(result, delivery.response, call.asked)
        return result

    def _stream_error(self, operation: Prepared, delivery: Delivery, fault: Fault) -> AWSError:
        """Return the exception of an error that came within a stream of events."""
        metadata = _metadata(delivery, None)
        cls = self._errors.get(fault.code, AWSError)
        return cls(
            fault.code,
            fault.error["Message"],
            delivery.response.status,
            metadata.get("RequestId"),
            {"Error": fault.error, **fault.members, "ResponseMetadata": metadata},
            operation=operation.name,
            attempts=delivery.attempt,
        )

    async def _presigned_url(
        self, method: str, params: Params | None, expires: int, http_method: str | None
    ) -> str:
        """Return a URL that makes a request for whoever holds it, for a while.

        What `generate_presigned_url` of the generated clients does, whose type knows the names.

        Args:
            method: the name of the method that would make it (``"get_object"``).
            params: the method's parameters. What becomes a header must be sent with the URL.
            expires: seconds that the URL is valid, 1 to 604800 (a week); temporary credentials
                end it sooner.
            http_method: the HTTP method to use instead of the operation's own.

        Raises:
            ParamValidationError: there is no such method, or an argument does not fit.
            EndpointError: no endpoint fits.
            CredentialsError: there are no usable credentials.
            UnsupportedOperationError: the call would carry a bearer token.
        """
        ready = self._session.resolved or await self._session.ready()
        from tornado_aws import presigning  # noqa: PLC0415 - imported by ready()

        name = presigning.operation_named(method, self._model().operation_names)
        route, parts = await self._unsent(ready, name, params or {})
        if route.wants_token:
            raise UnsupportedOperationError(
                f"{self._service_id} is called with a bearer token, which no URL can carry; keys"
                " can sign one where the service takes them: auth_scheme_preference='sigv4'"
            )
        credentials = None
        if route.signer is not None:
            credentials = await (route.source or ready.source).get()
        now = ready.pipeline.now(route.base.host)
        return presigning.presigned_url(route, parts, credentials, expires, now, http_method)

    async def generate_presigned_post(
        self,
        Bucket: str,
        Key: str,
        Fields: Mapping[str, str] | None = None,
        Conditions: Sequence[Any] | None = None,
        ExpiresIn: int = 3600,
    ) -> PresignedPost:
        """Return what a browser's form needs to put an object into a bucket of S3.

        Args:
            Bucket: the bucket.
            Key: the object's key; ``${filename}`` at its end stands for the file's name.
            Fields: further fields of the form; each needs a condition.
            Conditions: what the form must fulfil, as the policy language has it.
            ExpiresIn: seconds that the form is valid, 1 to 604800 (a week); temporary credentials
                end it sooner.

        Raises:
            UnsupportedOperationError: the service is not S3.
            ParamValidationError: an argument does not fit.
            CredentialsError: there are no usable credentials.
        """
        ready = self._session.resolved or await self._session.ready()
        from tornado_aws import presigning  # noqa: PLC0415 - imported by ready()

        if "CreateBucket" not in self._model().operation_names:
            raise UnsupportedOperationError(f"{self._service_id} takes no forms; S3 does")
        route, parts = await self._unsent(ready, "CreateBucket", {"Bucket": Bucket})
        return presigning.presigned_post(
            route,
            parts.path,
            await (route.source or ready.source).get(),
            ExpiresIn,
            ready.pipeline.now(route.base.host),
            {**(Fields or {}), "key": Key},
            [*(Conditions or ()), {"bucket": Bucket}, presigning.key_condition(Key)],
        )

    async def _unsent(self, ready: Ready, name: str, params: Params) -> tuple[Route, HTTPParts]:
        """Return where a request would go and what would be sent, no checksums asked for."""
        operation = self._operations.get(name) or await self._prepared(name, ready)
        asked = {key: value for key, value in params.items() if value is not None}
        given = _accepted(operation._replace(download=None), ready.settings, asked)
        parts = operation.serialize(given)
        if operation.hooks.after_serialize is not None:
            parts = operation.hooks.after_serialize(parts)
        route = await self._route(ready, operation, given)
        return route, _joined(parts, route, ready.settings)

    async def get_credentials(self) -> Credentials:
        """Return the credentials in force, refreshed if they are about to expire."""
        return await self._session.get_credentials()

    def pool_stats(self) -> PoolStats:
        """Count connections, open and idle, callers that wait for one, and what was made so far."""
        return self._session.pool_stats()

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
        ServiceClient.close(self)  # an operation may be called close
        await asyncio.sleep(0)  # lets what was cancelled end before the loop does

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._session!r}>"


def _check_client(client: object, options: Mapping[str, object]) -> None:
    if not isinstance(client, AsyncAWSClient):
        kind = type(client).__name__
        raise TypeError(f"client is an AsyncAWSClient, not {kind}; options have names (region=...)")
    if options:
        names = ", ".join(sorted(options))
        raise TypeError(f"Give either a client or options ({names}), not both")


def _accepted(operation: Prepared, settings: Settings, params: Params) -> Params:
    """Return the parameters that are sent for those of the caller.

    Raises:
        ParamValidationError: they do not fit.
    """
    if operation.hooks.before_serialize is not None:
        params = operation.hooks.before_serialize(params)
    if settings.validate:
        operation.validate(params)
    if operation.download is not None:
        params = operation.download.ask(params, settings.response_checksum_validation)
    return params


def _joined(parts: HTTPParts, route: Route, settings: Settings) -> HTTPParts:
    """Return the parts of a request as they fit the endpoint's host and path."""
    if parts.host_prefix and (settings.disable_host_prefix_injection or route.base.is_ip):
        parts = parts._replace(host_prefix="")
    root = "" if route.base.path else "/"
    if parts.path != root and parts.path in ("", "/"):
        parts = parts._replace(path=root)
    return parts


def _is_replayable(body: object) -> bool:
    return not isinstance(body, AsyncIterable) or getattr(body, "is_replayable", False)


def _send(call: Outgoing, deadline: Deadline | None) -> Coroutine[Any, Any, Delivery]:
    ready, operation = call.ready, call.operation
    stream = operation.download is not None and operation.download.is_stream
    find_error = operation.hooks.find_error
    return ready.pipeline.send(
        call.route,
        call.parts,
        ready.limits,
        deadline,
        stream=stream,
        find_error=find_error,
        caller=ready.caller,
        facts=operation.facts,
    )


def _metadata(delivery: Delivery, parsed: Mapping[str, Any] | None) -> dict[str, Any]:
    response: Response = delivery.response
    headers = dict(response.headers)
    metadata: dict[str, Any] = dict(parsed) if parsed else {}
    if "x-amzn-requestid" in headers:
        metadata.setdefault("RequestId", headers["x-amzn-requestid"])
    elif "x-amz-request-id" in headers:
        metadata.setdefault("RequestId", headers["x-amz-request-id"])
        metadata.setdefault("HostId", headers.get("x-amz-id-2", ""))
    metadata["HTTPStatusCode"] = response.status
    metadata["HTTPHeaders"] = headers
    metadata["RetryAttempts"] = delivery.attempt - 1
    return metadata
