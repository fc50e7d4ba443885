"""Requests that somebody else makes: presigned URLs, and forms that browsers post to S3."""

from __future__ import annotations

import json
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypedDict
from urllib.parse import quote

from tornado_aws.credentials import Credentials
from tornado_aws.exceptions import ParamValidationError, UnsupportedOperationError
from tornado_aws.protocols import HTTPParts
from tornado_aws.routes import Route
from tornado_aws.signature import (
    ALGORITHM,
    bounded_expires,
    credential_scope,
    signature,
    signing_key,
)

__all__ = ["PresignedPost", "operation_named", "presigned_post", "presigned_url"]

# The end of a key that the browser's file name takes the place of.
_FILE_NAME = "${filename}"

# What requests for directory buckets are signed for ("POST Object" in Amazon S3's API reference).
_DIRECTORY_BUCKETS = "s3express"

# Bodies whose parameters can stand in a URL: those of query and ec2, and of rest-json (Polly).
_FORM = "application/x-www-form-urlencoded"
_JSON = "application/json"


class PresignedPost(TypedDict):
    """What a form needs: where to post it, and the fields to be sent before the file."""

    url: str
    fields: dict[str, str]


def operation_named(method: str, operations: Sequence[str]) -> str:
    """Return the name of the operation that a method calls (``get_object``: ``GetObject``).

    Raises:
        ParamValidationError: there is none.
    """
    if "_" in method and method in operations:  # a name with an underscore is the method's, too
        return method
    plain = method.replace("_", "")
    if method.islower():
        for name in operations:
            if name.lower() == plain:
                return name
    raise ParamValidationError(f"There is no method {method!r} that a URL could be made for")


def presigned_url(
    route: Route,
    parts: HTTPParts,
    credentials: Credentials | None,
    expires: int,
    now: float,
    http_method: str | None = None,
) -> str:
    """Return a URL that makes a request for whoever holds it.

    Args:
        route: where the request goes and how it is signed.
        parts: the request; parameters of its body become parameters of the URL.
        credentials: what to sign with; None only where nothing is signed.
        expires: how many seconds the URL is wanted to be valid; the credentials' end is its end.
        now: seconds since 1970.
        http_method: the method to use instead of the request's own.

    Raises:
        ParamValidationError: `expires` is out of range.
    """
    query = "&".join([part for part in (parts.query, *_in_query(parts)) if part])
    base = route.base
    url = f"{base.origin.scheme}://{parts.host_prefix}{base.host}{base.path}{parts.path}"
    if query:
        url = f"{url}?{query}"
    if route.signer is None or credentials is None:
        return url
    return route.signer.presign(
        credentials,
        http_method or parts.method,
        url,
        [pair for pair in (*parts.headers, *route.headers) if not _is_of_body(*pair)],
        bounded_expires(expires, credentials, now),
        now,
    )


def presigned_post(
    route: Route,
    path: str,
    credentials: Credentials,
    expires: int,
    now: float,
    fields: Mapping[str, str],
    conditions: Sequence[Any],
) -> PresignedPost:
    """Return what a form needs to put an object into a bucket.

    Args:
        route: where the bucket is and how its requests are signed.
        path: the bucket's path below the route's.
        credentials: what to sign with.
        expires: how many seconds the form is wanted to be valid; the credentials' end is its end.
        now: seconds since 1970.
        fields: fields of the form; ``key`` is one of them.
        conditions: what the policy demands besides the fields of signing.

    Raises:
        ParamValidationError: `expires` is out of range.
        UnsupportedOperationError: the route is not signed, or leads to a directory bucket.
    """
    signer = route.signer
    if signer is None:
        raise UnsupportedOperationError(
            "A form needs a signature, and requests are not signed here"
        )
    if signer.service == _DIRECTORY_BUCKETS:
        raise UnsupportedOperationError(
            "Directory buckets take no forms: make a URL for put_object"
        )
    if signer.algorithm != ALGORITHM:
        raise UnsupportedOperationError(f"{route.base.url} wants signatures that forms cannot have")
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    scope = credential_scope(stamp[:8], signer.region, signer.service)
    signing = {
        "x-amz-algorithm": ALGORITHM,
        "x-amz-credential": f"{credentials.access_key}/{scope}",
        "x-amz-date": stamp,
    }
    if credentials.security_token:
        signing[signer.token_header.lower()] = credentials.security_token
    end = time.gmtime(now + bounded_expires(expires, credentials, now))
    policy = {
        "expiration": time.strftime("%Y-%m-%dT%H:%M:%SZ", end),
        "conditions": [*conditions, *({name: value} for name, value in signing.items())],
    }
    encoded = b64encode(json.dumps(policy).encode()).decode()
    key = signing_key(credentials.secret_key, stamp[:8], signer.region, signer.service)
    signed = {"policy": encoded, "x-amz-signature": signature(key, encoded)}
    return {"url": f"{route.base.url}{path}", "fields": {**fields, **signing, **signed}}


def key_condition(key: str) -> Any:
    """Return what a policy demands of a form's key."""
    if key.endswith(_FILE_NAME):
        return ["starts-with", "$key", key.removesuffix(_FILE_NAME)]
    return {"key": key}


def _is_of_body(name: str, value: str) -> bool:
    """Tell whether a header says what kind of body there is, which is in the URL now."""
    return name.lower() == "content-type" and value.startswith((_FORM, _JSON))


def _in_query(parts: HTTPParts) -> Iterator[str]:
    """Yield the parameters of a body as parts of a query; a body of another kind has none."""
    if not isinstance(parts.body, bytes) or not parts.body:
        return
    kind = next((value for name, value in parts.headers if name.lower() == "content-type"), "")
    if kind.startswith(_FORM):
        yield parts.body.decode()
    elif kind.startswith(_JSON) and parts.body.startswith(b"{"):
        for name, value in json.loads(parts.body).items():
            for each in value if isinstance(value, list) else [value]:
                yield f"{quote(name, safe='~')}={quote(str(each), safe='~')}"
