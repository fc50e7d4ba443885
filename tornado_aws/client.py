"""The raw clients: a request in, Tornado's `HTTPResponse` out.

`AWSClient` blocks, `AsyncAWSClient` does not; both sign, send and repeat through the same
`Pipeline`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Mapping
from types import TracebackType
from typing import Any, Self, TypeAlias, TypeVar, Unpack

from tornado.httpclient import HTTPError, HTTPResponse
from tornado.ioloop import IOLoop

from tornado_aws.background import BackgroundLoop
from tornado_aws.credentials import Credentials
from tornado_aws.exceptions import AWSError, ClientClosedError
from tornado_aws.options import CallOptions, ExtraOptions
from tornado_aws.pipeline import Outcome
from tornado_aws.protocols import HTTPParts
from tornado_aws.responses import tornado_response
from tornado_aws.session import Session
from tornado_aws.transport import Headers
from tornado_aws.urls import QueryArgs, encode_query, join_query, split_path

T = TypeVar("T")

HeadersArg: TypeAlias = Mapping[str, str] | Iterable[tuple[str, str]]

FORM = "application/x-www-form-urlencoded; charset=utf-8"


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
        **options: see `tornado_aws.options.ExtraOptions` and `tornado_aws.settings`.

    Raises:
        ConfigurationError: an option has an impossible value.

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
        **options: Unpack[ExtraOptions],
    ) -> None:
        named = {
            "profile": profile,
            "region": region,
            "access_key": access_key,
            "secret_key": secret_key,
            "security_token": security_token,
            "endpoint": endpoint,
        }
        self._session = Session(service, _given(named) | dict(options))
        self._background = BackgroundLoop(f"tornado-aws {service}")

    @property
    def service(self) -> str:
        """The service's name, as given."""
        return self._session.service

    def fetch(
        self,
        method: str,
        path: str = "/",
        query_args: QueryArgs | None = None,
        headers: HeadersArg | None = None,
        body: bytes | str | None = None,
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
            body: the body; str is encoded as UTF-8.
            recursed: accepted for callers of the original library; has no effect.
            raise_error: raise for a status of 300 and above; if False, return the response.

        Raises:
            AWSError: the service answered with an error.
            tornado.httpclient.HTTPError: something else answered with an error status.
            RequestException: no complete response came.
            CredentialsError: there are no usable credentials.
            ConfigurationError: the configuration files cannot be used.
            EndpointError: no endpoint fits service and region.
        """
        parts = raw_parts(method, path, query_args, headers, body)
        return self._run(fetch(self._session, parts, raise_error))

    def get_credentials(self) -> Credentials:
        """Return the credentials in force, refreshed if they are about to expire."""
        return self._run(self._session.get_credentials())

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
        ConfigurationError: an option has an impossible value.
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
        self._session = Session(service, _given(named) | dict(options))

    def fetch(  # type: ignore[override]
        self,
        method: str,
        path: str = "/",
        query_args: QueryArgs | None = None,
        headers: HeadersArg | None = None,
        body: bytes | str | None = None,
        recursed: bool = False,
        *,
        raise_error: bool = True,
    ) -> asyncio.Task[HTTPResponse]:
        """Sign a request, send it and return an awaitable of its response.

        Arguments and errors are those of `AWSClient.fetch`; errors are raised by the awaitable. It
        is an `asyncio.Task`: it can be awaited, yielded in a ``gen.coroutine``, given to
        ``IOLoop.add_future`` and cancelled.
        """
        return _loop().create_task(
            self._fetch(method, path, query_args, headers, body, raise_error)
        )

    async def _fetch(
        self,
        method: str,
        path: str,
        query_args: QueryArgs | None,
        headers: HeadersArg | None,
        body: bytes | str | None,
        raise_error: bool,
    ) -> HTTPResponse:
        parts = raw_parts(method, path, query_args, headers, body)
        return await fetch(self._session, parts, raise_error)

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
        await asyncio.sleep(0)  # lets the sockets' close callbacks run before a loop ends


def raw_parts(
    method: str,
    path: str,
    query_args: QueryArgs | None,
    headers: HeadersArg | None,
    body: bytes | str | None,
) -> HTTPParts:
    """Return the parts of a raw request; see `AWSClient.fetch` for the arguments."""
    method = method.upper()
    bare, query = split_path(path)
    pairs = _pairs(headers)
    data = body.encode() if isinstance(body, str) else body
    if method == "POST" and not any(name.lower() == "content-type" for name, _ in pairs):
        pairs.append(("Content-Type", FORM))
    return HTTPParts(method, bare, join_query(query, encode_query(query_args)), pairs, data)


async def fetch(session: Session, parts: HTTPParts, raise_error: bool) -> HTTPResponse:
    """Send a raw request; see `AWSClient.fetch`."""
    ready = await session.ready()
    outcome = await ready.pipeline.send(ready.route, parts, ready.raw_limits)
    base = ready.route.base
    url = f"{base.origin.scheme}://{base.host}{outcome.request.target}"
    response = tornado_response(outcome.request, outcome.response, url, outcome.seconds)
    if raise_error and outcome.error is not None:
        raise _as_exception(outcome, response)
    return response


def _as_exception(outcome: Outcome, response: HTTPResponse) -> Exception:
    details = outcome.error
    if details is None or not details.is_aws:
        return HTTPError(response.code, response.reason, response)
    return AWSError(
        details.code,
        details.message,
        response.code,
        details.request_id,
        response,
        attempts=outcome.attempts,
    )


def _pairs(headers: HeadersArg | None) -> Headers:
    if headers is None:
        return []
    if hasattr(headers, "get_all"):  # HTTPHeaders: a mapping would join repeated headers
        return list(headers.get_all())
    items: Iterable[tuple[str, Any]] = headers.items() if isinstance(headers, Mapping) else headers
    return [(name, value if isinstance(value, str) else str(value)) for name, value in items]


def _given(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _loop() -> asyncio.AbstractEventLoop:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return IOLoop.current().asyncio_loop  # type: ignore[attr-defined, no-any-return]
