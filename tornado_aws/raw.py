"""A raw request: from a caller's arguments to Tornado's response or an error."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from tornado.httpclient import HTTPError, HTTPResponse
from tornado.httputil import HTTPHeaders

from tornado_aws.deadline import Deadline, within
from tornado_aws.exceptions import AWSError, ParamValidationError
from tornado_aws.loading import Ready
from tornado_aws.options import HeadersArg, QueryArgs
from tornado_aws.pipeline import Delivery
from tornado_aws.protocols import HTTPParts
from tornado_aws.responses import tornado_response
from tornado_aws.transport.fields import TOKEN
from tornado_aws.types import StreamingBlob
from tornado_aws.unsigned import without_signature
from tornado_aws.uploads import raw_upload
from tornado_aws.urls import encode_query, join_query, split_path

FORM = "application/x-www-form-urlencoded; charset=utf-8"

_QUERY_VALUES = (str, bytes, int, float, type(None))


def raw_parts(
    method: str,
    path: str,
    query_args: QueryArgs | None,
    headers: HeadersArg | None,
    body: StreamingBlob | None,
) -> HTTPParts:
    """Return the parts of a raw request; see `tornado_aws.AWSClient.fetch` for the arguments.

    A body that is to be read while it is sent is left as it is.

    Raises:
        ParamValidationError: arguments are not of these types.
    """
    items = _items(headers)
    faults = [*_url_faults(method, path, query_args), *_header_faults(items), *_body_faults(body)]
    if faults:
        raise ParamValidationError(operation="fetch", faults=faults)
    method = method.upper()
    try:
        bare, query = split_path(path)
        given = encode_query(query_args)
        data: Any = body.encode() if isinstance(body, str) else body
    except UnicodeEncodeError as error:
        fault = f"a text holds half a character, which UTF-8 has no bytes for: {error.reason}"
        raise ParamValidationError(operation="fetch", faults=[fault]) from None
    # Blanks around a value are no part of it (RFC 9110, section 5.5); Tornado would refuse them.
    pairs = without_signature([(name, str(value).strip(" \t")) for name, value in items])
    if isinstance(data, (bytearray, memoryview)):
        data = bytes(data)
    if method == "POST" and not any(name.lower() == "content-type" for name, _ in pairs):
        pairs.append(("Content-Type", FORM))
    return HTTPParts(method, bare, join_query(query, given), pairs, data)


async def fetch(
    ready: Ready, parts: HTTPParts, raise_error: bool, deadline: Deadline | None, stream: bool
) -> HTTPResponse:
    """Send a raw request; see `tornado_aws.AWSClient.fetch`."""
    route = ready.route
    if not isinstance(parts.body, bytes | None):
        prepared = raw_upload(route).prepare(parts, {}, route, "when_required")
        parts = await within(deadline, prepared)
    delivery = await ready.pipeline.send(
        route, parts, ready.raw_limits, deadline, stream=stream, caller=ready.caller
    )
    base = route.base
    url = f"{base.origin.scheme}://{base.host}{delivery.request.target}"
    response = tornado_response(
        delivery.request, delivery.response, url, delivery.seconds, delivery.locate
    )
    if raise_error and delivery.error is not None:
        raise _as_exception(delivery, response)
    return response


def _as_exception(delivery: Delivery, response: HTTPResponse) -> Exception:
    details = delivery.error
    if details is None or not details.is_aws:
        return HTTPError(response.code, response.reason, response)
    error = AWSError(
        details.code,
        details.message,
        response.code,
        details.request_id,
        response,
        attempts=delivery.attempt,
    )
    return delivery.locate(error)


def _items(headers: Any) -> list[Any]:
    """Return the pairs of headers in any form, or what was given in their place."""
    if headers is None:
        return []
    if isinstance(headers, HTTPHeaders):  # as a mapping it would join repeated headers
        return list(headers.get_all())
    if isinstance(headers, Mapping):
        return list(headers.items())
    is_list = isinstance(headers, Iterable) and not isinstance(headers, str | bytes)
    return list(headers) if is_list else [headers]


def _header_faults(items: list[Any]) -> Iterator[str]:
    for item in items:
        if not isinstance(item, tuple | list) or len(item) != 2:
            yield f"headers: {_kind(item)} is no pair of a name and a value"
        elif not isinstance(item[0], str):
            yield f"headers: a name should be a text, not {_kind(item[0])}"
        elif not isinstance(item[1], str | int | float):
            yield f"headers[{item[0]!r}]: the value should be a text, not {_kind(item[1])}"


def _body_faults(body: Any) -> Iterator[str]:
    if isinstance(body, Mapping):
        yield f"body: {_kind(body)} is no text, bytes, file, path or iterable of bytes"


def _url_faults(method: Any, path: Any, query_args: Any) -> Iterator[str]:
    if not isinstance(method, str) or not TOKEN.fullmatch(method):
        yield "method: it should be a word such as GET"
    if not isinstance(path, str):
        yield f"path: it should be a text, not {_kind(path)}"
    if query_args is None:
        return
    if not isinstance(query_args, Mapping):
        yield f"query_args: they should be a mapping of names to values, not {_kind(query_args)}"
        return
    for name, value in query_args.items():
        if not isinstance(name, str):
            yield f"query_args: a name should be a text, not {_kind(name)}"
        elif not _is_query_value(value):
            yield f"query_args[{name!r}]: {_kind(value)} is no text, number, bool, None or list"


def _is_query_value(value: Any) -> bool:
    if isinstance(value, _QUERY_VALUES):
        return True
    if isinstance(value, Mapping) or not isinstance(value, Iterable):
        return False
    # What can be read once only is left to be read when it is encoded.
    return not isinstance(value, Collection) or all(isinstance(v, _QUERY_VALUES) for v in value)


def _kind(value: object) -> str:
    return f"a {type(value).__name__}"
