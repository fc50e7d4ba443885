"""Services with endpoint discovery: asking for endpoints says which version of the API is meant."""

from __future__ import annotations

from tornado_aws.customizations import NONE, Hooks
from tornado_aws.model import Operation
from tornado_aws.protocols import HTTPParts

__all__ = ["hooks"]


def hooks(operation: Operation) -> Hooks:
    """Return what is peculiar to an operation."""
    if not operation.traits.get("endpointoperation"):
        return NONE
    header = ("x-amz-api-version", operation.model.metadata["apiVersion"])

    def add_version(parts: HTTPParts) -> HTTPParts:
        return parts._replace(headers=[*parts.headers, header])

    return Hooks(after_serialize=add_version)
