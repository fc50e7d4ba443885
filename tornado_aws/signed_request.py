"""The request of one attempt: what the call wants, signed, and who sends it."""

from __future__ import annotations

import logging

from tornado_aws import call_log
from tornado_aws.credentials import Credentials
from tornado_aws.protocols import HTTPParts
from tornado_aws.routes import Route
from tornado_aws.signing import UNSIGNED_PAYLOAD
from tornado_aws.sigv2 import SigV2
from tornado_aws.transport import Fields, Headers, Request
from tornado_aws.transport.fields import fields_of, joined, pairs_of, with_host

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
    about: Fields,
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

    Raises:
        RequestException: a header cannot be sent as it is.
        ParamValidationError: the same, found by the signer.
    """
    base, signer, extra = route[:3]
    given = [*parts.headers, *extra, *added]
    host = parts.host_prefix + base.host
    path = base.path + parts.path
    target = f"{path}?{parts.query}" if parts.query else path
    if isinstance(signer, SigV2) and credentials is not None:
        form = parts.body if isinstance(parts.body, bytes) else b""
        to = with_host(host, given)[0][1]
        form = signer.signed_form(credentials, parts.method, to, path, form, now)
        parts = parts._replace(body=form)
    if signer is None or credentials is None:
        signed = fields_of(with_host(host, given))
    else:
        # The bytes that are hashed for the signature, or what stands for their hash.
        payload: bytes | str | None = parts.payload_hash
        if not payload:
            body = parts.body
            payload = body if body is None or isinstance(body, bytes) else UNSIGNED_PAYLOAD
        signed = signer.authorize(
            credentials, parts.method, host, path, parts.query, given, payload, now
        )
        if call_log.SIGNATURES.isEnabledFor(logging.DEBUG):
            url = f"{base.origin.scheme}://{host}{target}"
            call_log.log_signature(
                signer, credentials, parts.method, url, pairs_of(signed), payload
            )
        sign_body = getattr(parts.body, "sign_with", None)
        if sign_body is not None:
            sign_body(signer, credentials, dict(pairs_of(signed))["Authorization"], now)
    origin = base.origin
    if parts.host_prefix:
        origin = origin._replace(host=parts.host_prefix + origin.host)
    return Request(
        origin,
        parts.method,
        target,
        joined(signed, about),
        parts.body,
        content_length=parts.content_length,
        stream=stream,
        expect_continue=parts.expect_continue,
        may_resend=parts.method in _SAFE_METHODS,
        is_duplex=parts.is_duplex,
    )
