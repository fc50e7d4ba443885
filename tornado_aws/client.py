"""The raw clients: a request in, Tornado's `HTTPResponse` out.

`AWSClient` blocks, `AsyncAWSClient` does not; both sign, send and repeat through the same
`Pipeline`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar, Unpack, overload

from tornado.httpclient import HTTPResponse
from tornado.ioloop import IOLoop

from tornado_aws.deadline import within
from tornado_aws.exceptions import ClientClosedError, ConfigurationError
from tornado_aws.session import Session, Target

if TYPE_CHECKING:
    from tornado_aws.credentials import Credentials
    from tornado_aws.options import (
        BlockingOptions,
        CallOptions,
        ExtraOptions,
        HeadersArg,
        QueryArgs,
    )
    from tornado_aws.responses import StreamedResponse
    from tornado_aws.transport import PoolStats
    from tornado_aws.types import StreamingBlob

T = TypeVar("T")


class AWSClient:
    """A blocking client of one service; safe to use from any thread, inside a running loop too.

    Args:
        service: the service's name as it stands in its host name, or its name in the AWS CLI
            (``dynamodb``, ``s3``, ``monitoring``).
        profile: the profile of the configuration files; `AWS_PROFILE` or ``default`` without it.
        region: the region; without it the environment's, then the profile's.
        access_key: an access key id; needs `secret_key`.
        secret_key: its secret access key.
        security_token: the session token of temporary credentials.
        endpoint: base URL to send to instead of the service's own.
        **options: see `tornado_aws.options.BlockingOptions` and `tornado_aws.settings`.

    Raises:
        ConfigurationError: an option is unknown or has an impossible value.

    Configuration files are read and connections made at the first call.
    """

    ALGORITHM = "AWS4-HMAC-SHA256"
    ASYNC = False
    CONNECT_TIMEOUT = 10
    REQUEST_TIMEOUT = 30
    SCHEME = "https"

    def __init__(
        self,
        service: str,
        profile: str | None = None,
        region: str | None = None,
        access_key: str | None = None,
        secret_key: str | None = None,
        security_token: str | None = None,
        endpoint: str | None = None,
        **options: Unpack[BlockingOptions],
    ) -> None:
        named = {
            "profile": profile,
            "region": region,
            "access_key": access_key,
            "secret_key": secret_key,
            "security_token": security_token,
            "endpoint": endpoint,
        }
        from tornado_aws.background import BackgroundLoop  # noqa: PLC0415 - for this class only

        self._session = Session(_target(service), _given(named) | dict(options))
        self._background = BackgroundLoop(f"tornado-aws {service}")

    @property
    def service(self) -> str:
        """The service's name, as given."""
        return self._session.target.service

    def fetch(
        self,
        method: str,
        path: str = "/",
        query_args: QueryArgs | None = None,
        headers: HeadersArg | None = None,
        body: StreamingBlob | None = None,
        recursed: bool = False,
        *,
        raise_error: bool = True,
    ) -> HTTPResponse:
        """Sign a request, send it and return its response.

        Args:
            method: the HTTP method.
            path: the path, with or without a query of its own; what is not allowed in a URL is
                percent-encoded, what is encoded already stays.
            query_args: further query arguments: str, int, float or bool; a list repeats the name,
                None sends the name without a value.
            headers: a mapping, Tornado's ``HTTPHeaders`` or (name, value) pairs. A ``Host`` given
                here is signed and sent.
            body: the body; str is encoded as UTF-8. A file, a path and an iterable of bytes are
                read while they are sent, off the loop; a ``Content-Length`` in `headers` says how
                long an iterable is. What can be read once only is sent to S3, and to others if
                `headers` have an ``X-Amz-Content-SHA256``, for else they want its hash first.
            recursed: accepted for callers of the original library; has no effect.
            raise_error: raise for a status of 300 and above; if False, return the response.

        Raises:
            ParamValidationError: arguments are not of these types, all of them at once; or the
                body cannot be sent without its hash.
            AWSError: the service answered with an error.
            tornado.httpclient.HTTPError: something else answered with an error status.
            RequestException: no complete response came.
            CredentialsError: there are no usable credentials.
            ConfigurationError: the configuration files cannot be used.
            EndpointError: no endpoint fits service and region.
        """
        return self._run(fetch(self._session, raise_error, method, path, query_args, headers, body))

    def get_credentials(self) -> Credentials:
        """Return the credentials in force, refreshed if they are about to expire."""
        return self._run(self._session.get_credentials())

    def pool_stats(self) -> PoolStats:
        """Count connections, open and idle, callers that wait for one, and what was made so far."""
        return self._session.pool_stats()

    def _run(self, call: Coroutine[Any, Any, T]) -> T:
        if self._session.closed:
            call.close()
            raise ClientClosedError(sent=False)
        return self._background.run(call)

    def with_options(self, **options: Unpack[CallOptions]) -> Self:
        """Return a view of this client with other call options and the same connections.

        Closing the view closes nothing; closing this client closes the view.
        """
        view = self.__class__.__new__(self.__class__)
        view.__dict__.update(self.__dict__)
        view._session = self._session.view(options)
        return view

    def close(self) -> None:
        """Close the connections; calls under way end with `ClientClosedError`. Idempotent."""
        if self._session.is_view:
            return
        self._background.stop(self._session.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._session!r}>"


class AsyncAWSClient(AWSClient):
    """A client of one service on the running event loop.

    Args:
        service: as for `AWSClient`, and so are `profile` to `endpoint`.
        max_clients: the most connections that are open at once.
        use_curl: send through libcurl; needs pycurl.
        io_loop: accepted for callers of the original library; has no effect.
        force_instance: keep connections of its own; if False, share one pool per event loop with
            other clients of the same connection options.
        **options: see `tornado_aws.options.ExtraOptions` and `tornado_aws.settings`.

    Raises:
        ConfigurationError: an option is unknown or has an impossible value.
        CurlNotInstalledError: `use_curl` without pycurl.

    A client can be made before a loop runs; it belongs to the loop of its first call.
    """

    ASYNC = True

    def __init__(
        self,
        service: str,
        profile: str | None = None,
        region: str | None = None,
        access_key: str | None = None,
        secret_key: str | None = None,
        security_token: str | None = None,
        endpoint: str | None = None,
        max_clients: int = 100,
        use_curl: bool = False,
        io_loop: object = None,
        force_instance: bool = True,
        **options: Unpack[ExtraOptions],
    ) -> None:
        named = {
            "profile": profile,
            "region": region,
            "access_key": access_key,
            "secret_key": secret_key,
            "security_token": security_token,
            "endpoint": endpoint,
            "max_clients": max_clients,
            "use_curl": use_curl,
            "force_instance": force_instance,
        }
        self._session = Session(_target(service), _given(named) | dict(options))

    @overload  # type: ignore[override]
    def fetch(
        self,
        method: str,
        path: str = "/",
        query_args: QueryArgs | None = None,
        headers: HeadersArg | None = None,
        body: StreamingBlob | None = None,
        recursed: bool = False,
        *,
        raise_error: bool = True,
        stream: Literal[False] = False,
    ) -> asyncio.Task[HTTPResponse]: ...

    @overload
    def fetch(
        self,
        method: str,
        path: str = "/",
        query_args: QueryArgs | None = None,
        headers: HeadersArg | None = None,
        body: StreamingBlob | None = None,
        recursed: bool = False,
        *,
        raise_error: Literal[True] = True,
        stream: Literal[True],
    ) -> asyncio.Task[StreamedResponse]: ...

    @overload
    def fetch(
        self,
        method: str,
        path: str = "/",
        query_args: QueryArgs | None = None,
        headers: HeadersArg | None = None,
        body: StreamingBlob | None = None,
        recursed: bool = False,
        *,
        raise_error: bool,
        stream: bool,
    ) -> asyncio.Task[HTTPResponse]: ...

    def fetch(  # pyright: ignore[reportIncompatibleMethodOverride] - a Task of it
        self,
        method: str,
        path: str = "/",
        query_args: QueryArgs | None = None,
        headers: HeadersArg | None = None,
        body: StreamingBlob | None = None,
        recursed: bool = False,
        *,
        raise_error: bool = True,
        stream: bool = False,
    ) -> asyncio.Task[Any]:
        """Sign a request, send it and return an awaitable of its response.

        Arguments and errors are those of `AWSClient.fetch`; errors are raised by the awaitable. It
        is an `asyncio.Task`: it can be awaited, yielded in a ``gen.coroutine``, given to
        ``IOLoop.add_future`` and cancelled.

        Args:
            stream: hand the body of a success out as ``response.stream``, a
                `tornado_aws.streams.StreamingBody`, while it arrives; ``response.body`` is empty.
                The body of an error is read whole.
        """
        return _loop().create_task(
            fetch(
                self._session, raise_error, method, path, query_args, headers, body, stream=stream
            )
        )

    async def get_credentials(self) -> Credentials:  # type: ignore[override]
        """Return the credentials in force, refreshed if they are about to expire."""
        return await self._session.get_credentials()

    def close(self) -> None:
        """Close the connections; calls under way end with `ClientClosedError`. Idempotent."""
        if not self._session.is_view:
            self._session.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
        await asyncio.sleep(0)  # lets what was cancelled end before the loop does


async def fetch(
    session: Session, raise_error: bool, *request: Any, stream: bool = False
) -> HTTPResponse:
    """Send a raw request; `request` are the arguments of `AWSClient.fetch` up to the body."""
    deadline = session.deadline()
    ready = await within(deadline, session.ready())
    from tornado_aws import raw  # noqa: PLC0415 - imported off the loop by ready()

    return await raw.fetch(ready, raw.raw_parts(*request), raise_error, deadline, stream)


def _target(service: object) -> Target:
    if not isinstance(service, str) or not service:
        raise ConfigurationError(
            f"service = {service!r} is not possible; allowed: the name that a service has in its"
            " hosts (email) or as a client of boto3 (ses)"
        )
    return Target(service, service)


def _given(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _loop() -> asyncio.AbstractEventLoop:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return IOLoop.current().asyncio_loop  # type: ignore[attr-defined, no-any-return]
