"""Services that tell their endpoints themselves: what to ask them, and for which version."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tornado_aws.customizations import NONE, Hooks, Params
from tornado_aws.discovery import Discovered
from tornado_aws.model import Operation, Shape
from tornado_aws.protocols import HTTPParts

__all__ = ["hooks"]

_TELLS = "DescribeEndpoints"


def hooks(operation: Operation) -> Hooks:
    """Return what is peculiar to an operation."""
    if operation.traits.get("endpointoperation"):
        return _tells_endpoints(operation)
    trait = operation.traits.get("endpointdiscovery")
    if trait is None:
        return NONE
    return Hooks(discovery=Discovered(_TELLS, bool(trait.get("required")), _question(operation)))


def _tells_endpoints(operation: Operation) -> Hooks:
    header = ("x-amz-api-version", operation.model.metadata["apiVersion"])

    def add_version(parts: HTTPParts) -> HTTPParts:
        return parts._replace(headers=[*parts.headers, header])

    return Hooks(after_serialize=add_version)


def _question(operation: Operation) -> Any:
    """Return what asks for the endpoint that is right for an operation's parameters.

    The operation's name and those of its parameters that identify a resource, where the service
    wants to hear them and there are any.
    """
    asked = operation.model.operation(_TELLS).input
    members = asked.shape.members if asked is not None else {}
    shape = operation.input.shape if operation.input is not None else None

    def question(params: Params) -> Params:
        found = dict(_identifiers(shape, params)) if "Identifiers" in members else {}
        whole = {"Operation": operation.name, "Identifiers": found} if found else {}
        return {name: value for name, value in whole.items() if name in members}

    return question


def _identifiers(shape: Shape | None, params: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, use in (shape.members if shape is not None else {}).items():
        if params.get(name) is None:
            continue
        if use.traits.get("endpointdiscoveryid"):
            yield name, params[name]
        elif use.shape.type == "structure":
            yield from _identifiers(use.shape, params[name])
