"""CloudSearch Domain: a search, whose query may be too long for a URL, is sent as a form."""

from __future__ import annotations

from tornado_aws.customizations import NONE, Hooks
from tornado_aws.model import Operation
from tornado_aws.protocols import HTTPParts

__all__ = ["hooks"]


def hooks(operation: Operation) -> Hooks:
    """Return what is peculiar to an operation."""
    return Hooks(after_serialize=_post) if operation.name == "Search" else NONE


def _post(parts: HTTPParts) -> HTTPParts:
    content_type = ("Content-Type", "application/x-www-form-urlencoded")
    return parts._replace(
        method="POST",
        query="",
        headers=[*parts.headers, content_type],
        body=parts.query.encode(),
    )
