"""Copies from another region (RDS, Neptune, DocumentDB; EC2): permitted by a presigned URL.

The URL makes the same request in the region where the original is, and says where the copy goes.
Who has made one already can give it.
"""

from __future__ import annotations

from urllib.parse import quote_plus

from tornado_aws._setting_kinds import REGION
from tornado_aws.customizations import NONE, Hooks, Params, Permission
from tornado_aws.exceptions import ParamValidationError
from tornado_aws.model import Operation
from tornado_aws.protocols import HTTPParts

__all__ = ["add_to_form", "hooks", "snapshot_hooks", "source_region"]

DESTINATION = "DestinationRegion"
_SOURCE = "SourceRegion"
_CLUSTERS = ("CopyDBClusterSnapshot", "CreateDBCluster")
# By the models' ``serviceId``.
_OPERATIONS = {
    "RDS": (
        *_CLUSTERS,
        "CopyDBSnapshot",
        "CreateDBInstanceReadReplica",
        "StartDBInstanceAutomatedBackupsReplication",
    ),
    "Neptune": _CLUSTERS,
    "DocDB": _CLUSTERS,
}


def hooks(operation: Operation) -> Hooks:
    """Return what is peculiar to an operation of RDS and its like."""
    if operation.name not in _OPERATIONS[operation.model.metadata["serviceId"]]:
        return NONE
    return Hooks(
        before_serialize=_without_source,
        permission=Permission(operation.name, "PreSignedUrl", is_destination_sent=False),
    )


def snapshot_hooks(operation: Operation) -> Hooks:
    """Return what is peculiar to EC2's CopySnapshot, which is told the destination as well."""
    return Hooks(
        before_serialize=_without_destination,
        permission=Permission(operation.name, "PresignedUrl", is_destination_sent=True),
    )


def source_region(permission: Permission, params: Params) -> str | None:
    """Return the region that a URL is needed of, None when it is given or there is none.

    Args:
        permission: what the operation wants.
        params: the caller's parameters.

    Raises:
        ParamValidationError: what is given is no region.
    """
    region = params.get(_SOURCE)
    if not region or permission.member in params:
        return None
    try:
        return str(REGION.parse(region))
    except (TypeError, ValueError) as error:
        fault = f"{_SOURCE}: {region!r} is not {REGION.allowed}"
        raise ParamValidationError(operation=permission.operation, faults=[fault]) from error


def add_to_form(parts: HTTPParts, **fields: str) -> HTTPParts:
    """Return a request with further parameters in its form."""
    assert isinstance(parts.body, bytes)  # noqa: S101 - as the protocols with forms have it
    text = "".join(f"&{name}={quote_plus(value)}" for name, value in fields.items())
    return parts._replace(body=parts.body + text.encode())


def _without_source(params: Params) -> Params:
    return {name: value for name, value in params.items() if name != _SOURCE}


def _without_destination(params: Params) -> Params:
    if "PresignedUrl" in params:
        return params
    return {name: value for name, value in params.items() if name != DESTINATION}
