"""API Gateway: without an ``Accept`` header it answers in HAL, which is not what its model says."""

from __future__ import annotations

from tornado_aws.customizations import Hooks
from tornado_aws.model import Operation
from tornado_aws.protocols import HTTPParts

__all__ = ["hooks"]


def hooks(_operation: Operation) -> Hooks:
    """Return what is peculiar to an operation."""
    return Hooks(after_serialize=_accept_json)


def _accept_json(parts: HTTPParts) -> HTTPParts:
    if any(name.lower() == "accept" for name, _ in parts.headers):
        return parts
    return parts._replace(headers=[*parts.headers, ("Accept", "application/json")])
