"""Tornado's `HTTPResponse` from a lean response, for the public ``fetch``."""

from __future__ import annotations

from io import BytesIO

from tornado.httpclient import HTTPRequest, HTTPResponse
from tornado.httputil import HTTPHeaders

from tornado_aws.transport import Headers, Request, Response


def tornado_response(
    request: Request, response: Response, url: str, seconds: float
) -> HTTPResponse:
    """Return `response` as Tornado gives responses.

    Args:
        request: what was sent, the signature included.
        response: what came.
        url: the URL that was requested.
        seconds: how long the attempt took.
    """
    sent = HTTPRequest(url, request.method, _headers(request.headers), follow_redirects=False)
    return HTTPResponse(
        sent,
        response.status,
        _headers(response.raw_headers),
        BytesIO(response.body),
        url,
        request_time=seconds,
        reason=response.reason or None,
    )


def _headers(pairs: Headers) -> HTTPHeaders:
    headers = HTTPHeaders()
    for name, value in pairs:
        headers.add(name, value)
    return headers
