"""A raw request: from a caller's arguments to Tornado's response or an error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tornado.httpclient import HTTPError, HTTPResponse
from tornado.httputil import HTTPHeaders

from tornado_aws.exceptions import AWSError
from tornado_aws.loading import Ready
from tornado_aws.options import HeadersArg, QueryArgs
from tornado_aws.pipeline import Outcome
from tornado_aws.protocols import HTTPParts
from tornado_aws.responses import tornado_response
from tornado_aws.transport import Headers
from tornado_aws.types import StreamingBlob
from tornado_aws.unsigned import without_signature
from tornado_aws.uploads import raw_upload
from tornado_aws.urls import encode_query, join_query, split_path

FORM = "application/x-www-form-urlencoded; charset=utf-8"


def raw_parts(
    method: str,
    path: str,
    query_args: QueryArgs | None,
    headers: HeadersArg | None,
    body: StreamingBlob | None,
) -> HTTPParts:
    """Return the parts of a raw request; see `tornado_aws.AWSClient.fetch` for the arguments.

    A body that is to be read while it is sent is left as it is.
    """
    method = method.upper()
    bare, query = split_path(path)
    pairs = without_signature(_pairs(headers))
    data: Any = body.encode() if isinstance(body, str) else body
    if isinstance(data, (bytearray, memoryview)):
        data = bytes(data)
    if method == "POST" and not any(name.lower() == "content-type" for name, _ in pairs):
        pairs.append(("Content-Type", FORM))
    return HTTPParts(method, bare, join_query(query, encode_query(query_args)), pairs, data)


async def fetch(
    ready: Ready, parts: HTTPParts, raise_error: bool, stream: bool = False
) -> HTTPResponse:
    """Send a raw request; see `tornado_aws.AWSClient.fetch`."""
    route = ready.route
    if not isinstance(parts.body, bytes | None):
        parts = await raw_upload(route).prepare(parts, {}, route, "when_required")
    outcome = await ready.pipeline.send(
        route, parts, ready.raw_limits, stream=stream, caller=ready.caller
    )
    base = route.base
    url = f"{base.origin.scheme}://{base.host}{outcome.request.target}"
    response = tornado_response(
        outcome.request, outcome.response, url, outcome.seconds, outcome.locate
    )
    if raise_error and outcome.error is not None:
        raise _as_exception(outcome, response)
    return response


def _as_exception(outcome: Outcome, response: HTTPResponse) -> Exception:
    details = outcome.error
    if details is None or not details.is_aws:
        return HTTPError(response.code, response.reason, response)
    error = AWSError(
        details.code,
        details.message,
        response.code,
        details.request_id,
        response,
        attempts=outcome.attempts,
    )
    return outcome.locate(error)


def _pairs(headers: HeadersArg | None) -> Headers:
    if headers is None:
        return []
    if isinstance(headers, HTTPHeaders):  # as a mapping it would join repeated headers
        return list(headers.get_all())
    items: Any = headers.items() if isinstance(headers, Mapping) else headers
    # Blanks around a value are no part of it (RFC 9110, section 5.5); Tornado would refuse them.
    return [(name, str(value).strip(" \t")) for name, value in items]
