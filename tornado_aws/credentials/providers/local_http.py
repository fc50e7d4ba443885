"""Requests to the endpoints beside the program: instance metadata and container agents."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from tornado_aws.exceptions import ReadError
from tornado_aws.transport import Origin, Request, Response, Timeouts, Transport
from tornado_aws.transport.http1 import ProtocolError

__all__ = ["send"]

_PORTS = {"http": 80, "https": 443}


async def send(
    transport: Transport, method: str, url: str, headers: Mapping[str, str], patience: float
) -> Response:
    """Send a request without a body and return the response, whatever its status.

    Args:
        transport: the way to send it.
        method: GET or PUT.
        url: an absolute URL that has been checked.
        headers: its headers but for ``Host``.
        patience: bound on connecting and on silence, seconds; twice that bounds the whole.

    Raises:
        RequestException: no complete response came.
    """
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    origin = Origin(parts.scheme, parts.hostname or "", parts.port or _PORTS[parts.scheme])
    host = parts.netloc.rpartition("@")[2]
    pairs = [("Host", host), ("User-Agent", "tornado-aws"), *headers.items()]
    request = Request(origin, method, target, pairs, b"" if method == "PUT" else None)
    bounds = Timeouts(connect=patience, read=patience, request=2 * patience, pool=patience)
    try:
        return await transport.send(request, bounds)
    except ReadError as error:
        if not isinstance(error.error, ProtocolError):
            raise
        # "from None": the transport's own text quotes what came, which may be a secret.
        text = f"{host} sent what is not valid HTTP"
        raise ReadError(text, error=text, response_started=error.response_started) from None
