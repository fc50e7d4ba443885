"""Tornado's `HTTPResponse` from a lean response, for the public ``fetch``."""

from __future__ import annotations

from io import BytesIO

from tornado.httpclient import HTTPRequest, HTTPResponse
from tornado.httputil import HTTPHeaders

from tornado_aws.downloads import streaming_body
from tornado_aws.streams import Locate, StreamingBody
from tornado_aws.transport import Headers, Request, Response


class StreamedResponse(HTTPResponse):
    """A response whose body is read while it arrives; ``body`` and ``buffer`` are empty.

    Attributes:
        stream: the body.
    """

    stream: StreamingBody


def tornado_response(
    request: Request, response: Response, url: str, seconds: float, locate: Locate
) -> HTTPResponse:
    """Return `response` as Tornado gives responses.

    Args:
        request: what was sent, the signature included.
        response: what came.
        url: the URL that was requested.
        seconds: how long the attempt took.
        locate: notes in an error of the stream which call it ended.
    """
    sent = HTTPRequest(url, request.method, _headers(request.headers), follow_redirects=False)
    kind = HTTPResponse if response.stream is None else StreamedResponse
    made = kind(
        sent,
        response.status,
        _headers(response.raw_headers),
        BytesIO(response.body),
        url,
        request_time=seconds,
        reason=response.reason or None,
    )
    if isinstance(made, StreamedResponse):
        made.stream = streaming_body(response, None, locate)
    return made


def _headers(pairs: Headers) -> HTTPHeaders:
    headers = HTTPHeaders()
    for name, value in pairs:
        headers.add(name, value)
    return headers
