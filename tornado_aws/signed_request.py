"""The request of one attempt: what the call wants, signed, and who sends it."""

from __future__ import annotations

import logging
from functools import lru_cache

from tornado_aws import call_log
from tornado_aws.credentials import Credentials
from tornado_aws.protocols import HTTPParts
from tornado_aws.routes import Route
from tornado_aws.signing import UNSIGNED_PAYLOAD
from tornado_aws.sigv2 import SigV2
from tornado_aws.transport import Headers, Request

# RFC 9110 section 9.2.1: these only read, so that the transport may replace a dead connection by
# itself. Anything else is sent once an attempt.
_SAFE_METHODS = frozenset({"GET", "HEAD"})


def signed_request(
    route: Route,
    parts: HTTPParts,
    credentials: Credentials | None,
    now: float,
    *,
    added: Headers,
    about: Headers,
    stream: bool,
) -> Request:
    """Sign a request and return it as the transport sends it.

    Args:
        route: where to and how signed.
        parts: the request.
        credentials: whose signature; None for a route without a signer.
        now: the time of the signature, in seconds since the epoch.
        added: further headers to sign.
        about: headers that are not signed; those that the request has already count more.
        stream: whether the body of a success is wanted as a stream.
    """
    base, signer, extra = route[:3]
    host, given = parts.host_prefix + base.host, [*parts.headers, *extra, *added]
    names = _lower(tuple([name for name, _ in given]))
    if "host" in names:
        host, given = _take_host(given)
    path = base.path + parts.path
    target = f"{path}?{parts.query}" if parts.query else path
    if isinstance(signer, SigV2) and credentials is not None:
        form = parts.body if isinstance(parts.body, bytes) else b""
        form = signer.signed_form(credentials, parts.method, host, path, form, now)
        parts = parts._replace(body=form)
    headers = [("Host", host), *given]
    if signer is not None and credentials is not None:
        payload = _payload(parts)
        headers += signer.authorize(
            credentials, parts.method, host, path, parts.query, given, payload, now
        )
        if call_log.SIGNATURES.isEnabledFor(logging.DEBUG):
            url = f"{base.origin.scheme}://{host}{target}"
            call_log.log_signature(signer, credentials, parts.method, url, headers, payload)
        sign_body = getattr(parts.body, "sign_with", None)
        if sign_body is not None:
            sign_body(signer, credentials, dict(headers)["Authorization"], now)
    headers += [pair for pair in about if pair[0].lower() not in names]
    origin = base.origin
    if parts.host_prefix:
        origin = origin._replace(host=parts.host_prefix + origin.host)
    return Request(
        origin,
        parts.method,
        target,
        headers,
        parts.body,
        content_length=parts.content_length,
        stream=stream,
        expect_continue=parts.expect_continue,
        may_resend=parts.method in _SAFE_METHODS,
        is_duplex=parts.is_duplex,
    )


def _payload(parts: HTTPParts) -> bytes | str | None:
    """Return the bytes that are hashed for the signature, or what stands for their hash."""
    if parts.payload_hash:
        return parts.payload_hash
    return parts.body if isinstance(parts.body, bytes | None) else UNSIGNED_PAYLOAD


def _take_host(headers: Headers) -> tuple[str, Headers]:
    """Return the ``Host`` of the caller's own, and the other headers."""
    host = next(value for name, value in headers if name.lower() == "host")
    return host, [pair for pair in headers if pair[0].lower() != "host"]


@lru_cache(maxsize=256)
def _lower(names: tuple[str, ...]) -> frozenset[str]:
    # A client sends the same few sets of names again and again.
    return frozenset(name.lower() for name in names)
