"""What botocore serialises of parameters, and what it understands of a response."""

from __future__ import annotations

import copy
import io
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from botocore import awsrequest, handlers, parsers, serialize

from . import models

ENDPOINT = "http://endpoint.test"

# Framing, signing, retrying and naming oneself belong to other layers than the protocols.
FOREIGN_HEADERS = frozenset(
    {
        "amz-sdk-invocation-id",
        "amz-sdk-request",
        "content-length",
        "expect",
        "transfer-encoding",
        "user-agent",
    }
)


class NotUnderstood(Exception):
    """Botocore cannot parse a response."""


class Sent(NamedTuple):
    """A request, in terms that can be compared.

    Attributes:
        method: the HTTP method.
        host: what the operation puts before the endpoint's own host (``prefix.``), "" for nothing.
        path: the percent-encoded path.
        query: the percent-encoded query, "" for none.
        headers: values by lower-case name, without `FOREIGN_HEADERS`.
        body: the body's bytes, b"" for none.
    """

    method: str
    host: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes


def serialized(service: str, operation: str, params: Mapping[str, Any]) -> Sent:
    """Return what botocore's serialiser makes of `params`, without handlers of single services.

    Missing idempotency tokens are filled in as its client would; nothing is validated.
    """
    model = models.theirs(service)
    operation_model = model.operation_model(operation)
    filled = copy.deepcopy(dict(params))
    handlers.generate_idempotent_uuid(filled, operation_model)
    serializer = _serializer(models.protocols()[service])
    request = serializer.serialize_to_request(filled, operation_model)
    awsrequest.prepare_request_dict(request, endpoint_url=ENDPOINT)
    return _sent(awsrequest.create_request_object(request).prepare())


def understood(
    service: str, operation: str, status: int, headers: Iterable[tuple[str, str]], body: bytes
) -> dict[str, Any]:
    """Return what botocore's parser makes of a response, without ``ResponseMetadata``.

    A body that it hands out as a stream is read.

    Raises:
        NotUnderstood: it makes nothing of it.
    """
    operation_model = models.theirs(service).operation_model(operation)
    shape = operation_model.output_shape
    if not operation_model.has_streaming_output:
        return _parsed(service, shape, operation, status, headers, body)
    result = _parsed(service, shape, operation, status, headers, io.BytesIO(body))
    payload = shape.serialization["payload"]
    return {**result, payload: result[payload].read()}


def understood_error(
    service: str, shape: str, status: int, headers: Iterable[tuple[str, str]], body: bytes
) -> dict[str, Any]:
    """Return what botocore's parser makes of the members of the error `shape`.

    Raises:
        NotUnderstood: it makes nothing of it.
    """
    error_shape = models.theirs(service).shape_for(shape)
    return _parsed(service, error_shape, "", status, headers, body)


def _parsed(
    service: str,
    shape: Any,
    operation: str,
    status: int,
    headers: Iterable[tuple[str, str]],
    body: bytes | io.BytesIO,
) -> dict[str, Any]:
    response = {
        "status_code": status,
        "headers": awsrequest.HeadersDict(headers),
        "body": body,
        "context": {"operation_name": operation},
    }
    parser = _parser(models.protocols()[service])
    try:
        result: dict[str, Any] = parser.parse(response, shape)
    except (parsers.ResponseParserError, AttributeError, TypeError, ValueError) as error:
        raise NotUnderstood(repr(error)) from error
    result.pop("ResponseMetadata", None)
    return result


def _sent(request: awsrequest.AWSPreparedRequest) -> Sent:
    url = urlsplit(request.url)
    return Sent(
        request.method,
        url.netloc.removesuffix(urlsplit(ENDPOINT).netloc),
        url.path,
        url.query,
        own_headers(request.headers.items()),
        body_bytes(request.body),
    )


def own_headers(pairs: Iterable[tuple[str, Any]]) -> dict[str, str]:
    """Return the headers that a protocol is responsible for, names in lower case."""
    return {
        name.lower(): value.decode() if isinstance(value, bytes) else str(value)
        for name, value in pairs
        if name.lower() not in FOREIGN_HEADERS
    }


def body_bytes(body: Any) -> bytes:
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode()
    return bytes(body) if isinstance(body, (bytes, bytearray)) else bytes(body.read())


class RawBody:
    """What botocore reads the body of a response from.

    Args:
        data: all of it.
    """

    def __init__(self, data: bytes = b"") -> None:
        self._data = data

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        """Give the body."""
        yield self._data


@lru_cache
def _serializer(protocol: str) -> Any:
    return serialize.create_serializer(protocol, include_validation=False)


@lru_cache
def _parser(protocol: str) -> Any:
    return parsers.create_parser(protocol)
