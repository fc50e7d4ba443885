"""S3: buckets, keys and copy sources in headers and paths, listings, errors in successes, ..."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from hashlib import md5
from typing import Any
from urllib.parse import quote, unquote_plus

from tornado_aws import errors, txml
from tornado_aws.customizations import Hooks, Params, Result, s3_addressing, s3_express
from tornado_aws.exceptions import ParamValidationError
from tornado_aws.model import Operation
from tornado_aws.protocols import HTTPParts, timestamps
from tornado_aws.transport import Response

__all__ = ["hooks"]

Before = Callable[[str, Params], Params]

_BUCKET = re.compile(r"[a-zA-Z0-9._-]{1,255}")
_ACCESS_POINT = re.compile(
    r"arn:aws.*:(?:s3|s3-object-lambda):[a-z0-9-]*:[0-9]{12}:accesspoint[/:][a-zA-Z0-9.-]{1,63}"
    r"|arn:aws.*:s3-outposts:[a-z0-9-]+:[0-9]{12}:outpost[/:][a-zA-Z0-9-]{1,63}"
    r"[/:]accesspoint[/:][a-zA-Z0-9-]{1,63}"
)
_VERSION = re.compile(r"\?versionId=\S+$")
_SAFE_IN_SOURCE = "-._~/"

# What a listing encodes when it is asked to: members, and members of the items of lists.
_ENCODED: Mapping[str, tuple[Sequence[str], Mapping[str, str]]] = {
    "ListObjects": (
        ("Delimiter", "Marker", "NextMarker"),
        {"Contents": "Key", "CommonPrefixes": "Prefix"},
    ),
    "ListObjectsV2": (
        ("Delimiter", "Prefix", "StartAfter"),
        {"Contents": "Key", "CommonPrefixes": "Prefix"},
    ),
    "ListObjectVersions": (
        ("KeyMarker", "NextKeyMarker", "Prefix", "Delimiter"),
        {"Versions": "Key", "DeleteMarkers": "Key", "CommonPrefixes": "Prefix"},
    ),
}


def hooks(operation: Operation) -> Hooks:
    """Return what is peculiar to an operation."""
    return Hooks(
        before_serialize=_before(operation.name),
        after_serialize=_escape_line_feeds if operation.name in _ESCAPED else None,
        serialized_as=s3_addressing.without_bucket(operation),
        endpoint_params=partial(s3_addressing.endpoint_params, operation.name),
        resource="Bucket",
        moved_to=partial(s3_addressing.moved_to, operation.name),
        session=s3_express.open_session,
        find_error=errors.embedded_in_success if _may_carry_error(operation) else None,
        before_parse=_before_parse(operation),
        after_parse=_after(operation),
    )


# --- parameters -----------------------------------------------------------------------------------


def _before(name: str) -> Callable[[Params], Params]:
    changes = (_check_bucket, *_BEFORE.get(name, ()))

    def before(params: Params) -> Params:
        for change in changes:
            params = change(name, params)
        return params

    return before


def _check_bucket(operation: str, params: Params) -> Params:
    bucket = params.get("Bucket")
    if not isinstance(bucket, str):
        return params
    if not (_BUCKET.fullmatch(bucket) or _ACCESS_POINT.fullmatch(bucket)):
        fault = (
            f"Bucket: {bucket!r} is neither the name of a bucket (1 to 255 letters, digits, dots,"
            " hyphens and underscores) nor the ARN of an access point"
        )
        raise ParamValidationError(operation=operation, faults=[fault])
    return params


def _check_metadata(operation: str, params: Params) -> Params:
    metadata = params.get("Metadata")
    if not isinstance(metadata, Mapping):
        return params
    faults = [
        f"Metadata.{key}: S3 takes ASCII alone for the names and values of metadata"
        for key, value in metadata.items()
        if not (str(key).isascii() and str(value).isascii())
    ]
    if faults:
        raise ParamValidationError(operation=operation, faults=faults)
    return params


def _request_encoded_keys(_operation: str, params: Params) -> Params:
    # XML cannot say all that a key can hold.
    return {"EncodingType": "url", **params}


def _quote_source(operation: str, params: Params) -> Params:
    source = params.get("CopySource")
    if isinstance(source, str):
        return {**params, "CopySource": _quoted_text(source)}
    if isinstance(source, Mapping):
        return {**params, "CopySource": _quoted_parts(operation, source)}
    return params


def _quoted_text(source: str) -> str:
    version = _VERSION.search(source)
    end = version.start() if version else len(source)
    return quote(source[:end], safe=_SAFE_IN_SOURCE) + source[end:]


def _quoted_parts(operation: str, source: Mapping[str, Any]) -> str:
    missing = [name for name in ("Bucket", "Key") if name not in source]
    if missing:
        faults = [f"CopySource.{name}: missing" for name in missing]
        raise ParamValidationError(operation=operation, faults=faults)
    bucket, version = source["Bucket"], source.get("VersionId")
    between = "/object/" if _ACCESS_POINT.fullmatch(bucket) else "/"
    quoted = quote(f"{bucket}{between}{source['Key']}", safe=_SAFE_IN_SOURCE)
    return quoted if version is None else f"{quoted}?versionId={version}"


def _encode_key(prefix: str) -> Before:
    """Return what sends a customer's key (SSE-C) in base64, and its MD5 with it."""

    def encode(_operation: str, params: Params) -> Params:
        key = params.get(f"{prefix}Key")
        if key is None or f"{prefix}KeyMD5" in params:
            return params
        data = key.encode() if isinstance(key, str) else key
        return {
            **params,
            f"{prefix}Key": b64encode(data).decode(),
            f"{prefix}KeyMD5": b64encode(md5(data, usedforsecurity=False).digest()).decode(),
        }

    return encode


_encode_own_key = _encode_key("SSECustomer")
_encode_source_key = _encode_key("CopySourceSSECustomer")

_BEFORE: Mapping[str, Sequence[Before]] = {
    **dict.fromkeys(_ENCODED, (_request_encoded_keys,)),
    **dict.fromkeys(
        (
            "CompleteMultipartUpload",
            "GetObject",
            "HeadObject",
            "SelectObjectContent",
            "UploadPart",
        ),
        (_encode_own_key,),
    ),
    "PutObject": (_check_metadata, _encode_own_key),
    "CreateMultipartUpload": (_check_metadata, _encode_own_key),
    "CopyObject": (_quote_source, _check_metadata, _encode_own_key, _encode_source_key),
    "UploadPartCopy": (_quote_source, _encode_own_key, _encode_source_key),
}

# --- requests -------------------------------------------------------------------------------------

# Their texts are keys and prefixes of keys, which may hold anything.
_ESCAPED = frozenset({"DeleteObjects", "PutBucketLifecycleConfiguration"})


def _escape_line_feeds(parts: HTTPParts) -> HTTPParts:
    if not isinstance(parts.body, bytes):
        return parts
    return parts._replace(body=parts.body.replace(b"\n", b"&#xA;"))


# --- responses ------------------------------------------------------------------------------------


def _may_carry_error(operation: Operation) -> bool:
    """Tell whether a success can be an error: not where the body is an object's own bytes."""
    if operation.output is None:
        return False
    payload = operation.output.payload
    return payload is None or payload.shape.type not in ("blob", "string")


def _before_parse(operation: Operation) -> Callable[[Response], Response] | None:
    if operation.name in _LONG_AT_WORK:
        return _without_blanks
    return _without_malformed_expiry if _has_expiry(operation) else None


# While these are executed, blanks keep the connection alive.
_LONG_AT_WORK = frozenset({"CompleteMultipartUpload", "CopyObject", "UploadPartCopy"})


def _without_blanks(response: Response) -> Response:
    """Return a response that begins with XML, which must have nothing before its declaration."""
    if not response.body[:1].isspace():
        return response
    body = response.body.lstrip()
    return Response(response.status, response.reason, response.raw_headers, body)


def _has_expiry(operation: Operation) -> bool:
    members = operation.output.shape.members if operation.output else {}
    return any(
        ref.shape.name == "Expires" and ref.traits.get("locationName") == "Expires"
        for ref in members.values()
    )


def _without_malformed_expiry(response: Response) -> Response:
    """Return a response whose ``Expires``, which is the uploader's own text, can be read."""
    text = response.headers.get("expires")
    if text is None or _is_timestamp(text):
        return response
    headers = [pair for pair in response.raw_headers if pair[0].lower() != "expires"]
    return Response(response.status, response.reason, headers, response.body, response.stream)


def _is_timestamp(text: str) -> bool:
    try:
        timestamps.parse(text)
    except ValueError:
        return False
    return True


def _after(operation: Operation) -> Callable[[Result, Response, Params], Result] | None:
    if operation.name == "GetBucketLocation":
        return _read_location
    if operation.name in _ENCODED:
        return _key_decoder(*_ENCODED[operation.name])
    return _keep_expiry if _has_expiry(operation) else None


def _read_location(result: Result, response: Response, _params: Params) -> Result:
    """Return the region that is the root element's own text, None for us-east-1."""
    try:
        (root,) = txml.loads(response.body).values()
    except ValueError:
        return result
    result["LocationConstraint"] = root or None if not isinstance(root, dict) else None
    return result


def _keep_expiry(result: Result, response: Response, _params: Params) -> Result:
    text = response.headers.get("expires")
    if text:
        result["ExpiresString"] = text
    return result


def _key_decoder(
    members: Sequence[str], lists: Mapping[str, str]
) -> Callable[[Result, Response, Params], Result]:
    def decode(result: Result, _response: Response, params: Params) -> Result:
        if "EncodingType" in params or result.get("EncodingType") != "url":
            return result
        for name in members:
            if name in result:
                result[name] = unquote_plus(result[name])
        for name, member in lists.items():
            for item in result.get(name, ()):
                if member in item:
                    item[member] = unquote_plus(item[member])
        return result

    return decode
