"""Where S3's requests go: what its endpoint rules are told, and in which region a bucket is.

The rules put the bucket into the host or the path, so it is no part of the operation's own path.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy

from tornado_aws.customizations import Moved, Params
from tornado_aws.errors import ErrorDetails
from tornado_aws.model import Operation
from tornado_aws.transport import Response

__all__ = ["endpoint_params", "moved_to", "without_bucket"]

_BUCKET = "/{Bucket}"
_REGION = "x-amz-bucket-region"
_REDIRECTS = frozenset({301, 302, 307})
_IN_PATH: Params = {"ForcePathStyle": True}
_NOT_IN_PATH: Params = {"ForcePathStyle": False}
_AS_SET: Params = {}


def without_bucket(operation: Operation) -> Operation | None:
    """Return the operation with the bucket taken out of its path, None when it is not there."""
    if not operation.request_uri.startswith(_BUCKET):
        return None
    changed = copy(operation)
    changed.request_uri = operation.request_uri.removeprefix(_BUCKET)
    return changed


def endpoint_params(operation: str, params: Params) -> Params:
    """Return how the bucket must be addressed whatever the client's settings say."""
    if operation == "GetBucketLocation":
        # A bucket's own host knows one region alone, and that is what is asked for here.
        return _IN_PATH
    return _NOT_IN_PATH if _is_arn(params.get("Bucket")) else _AS_SET


def moved_to(
    operation: str, params: Params, response: Response, details: ErrorDetails
) -> Moved | None:
    """Return where the bucket is when an error says that it is not in the region asked."""
    bucket = params.get("Bucket")
    if bucket is None or _is_arn(bucket) or not _is_elsewhere(operation, response, details):
        return None
    region = response.headers.get(_REGION) or details.error.get("Region")
    return Moved(region, "HeadBucket", {"Bucket": bucket}, _REGION)


def _is_elsewhere(operation: str, response: Response, details: ErrorDetails) -> bool:
    if response.status in _REDIRECTS or details.code == "PermanentRedirect":
        return True
    if details.code == "AuthorizationHeaderMalformed":
        return "Region" in details.error
    if details.code == "IllegalLocationConstraintException":
        return operation != "CreateBucket"
    # The answer to HEAD has no body that could name the error.
    return _is_bare_refusal(operation, response.status, response.headers)


def _is_bare_refusal(operation: str, status: int, headers: Mapping[str, str]) -> bool:
    if status != 400 or operation not in ("HeadBucket", "HeadObject"):
        return False
    return operation == "HeadObject" or _REGION in headers


def _is_arn(bucket: object) -> bool:
    return isinstance(bucket, str) and bucket.startswith("arn:")
