"""S3 Control: the account of an ARN is the account of the call."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from functools import partial

from tornado_aws.customizations import Hooks, Params
from tornado_aws.endpoints.rules import aws_parse_arn
from tornado_aws.exceptions import ParamValidationError
from tornado_aws.model import Operation

__all__ = ["hooks"]

_COLONS = 5  # of an ARN
_KINDS = {"Name": "accesspoint", "Bucket": "bucket"}

# What they take is the name of something that does not exist yet, and no ARN.
_NEW = {
    "CreateAccessPoint": {"Name"},
    "CreateBucket": {"Name", "Bucket"},
    "ListRegionalBuckets": {"Name", "Bucket"},
}


def hooks(operation: Operation) -> Hooks:
    """Return what is peculiar to an operation."""
    names = [name for name in _KINDS if name not in _NEW.get(operation.name, ())]
    return Hooks(
        before_serialize=partial(_take_account, operation.name, names) if names else None,
        serialized_as=_without_account(operation),
    )


def _without_account(operation: Operation) -> Operation | None:
    """Return the operation without the account in front of the host, where the rules put it."""
    required = operation.traits.get("staticContextParams", {}).get("RequiresAccountId", {})
    prefix = operation.traits.get("endpoint", {}).get("hostPrefix")
    if prefix != "{AccountId}." or required.get("value") is not True:
        return None
    changed = copy(operation)
    changed.traits = {name: item for name, item in operation.traits.items() if name != "endpoint"}
    return changed


def _take_account(operation: str, names: Sequence[str], params: Params) -> Params:
    for name in names:
        value = params.get(name)
        if isinstance(value, str) and value.count(":") >= _COLONS:
            account = _account_of(operation, name, value)
            if params.get("AccountId", account) != account:
                fault = f"AccountId: it is not the account in the ARN that is {name}"
                raise ParamValidationError(operation=operation, faults=[fault])
            params = {**params, "AccountId": account}
    return params


def _account_of(operation: str, name: str, value: str) -> str:
    arn, kind = aws_parse_arn(value), _KINDS[name]
    resource = arn.resource_id if arn is not None and arn.service == "s3-outposts" else []
    if arn is None or len(resource) != 4 or resource[::2] != ["outpost", kind]:
        fault = f"{name}: it must be a name or the ARN of an outpost's {kind}, not {value!r}"
        raise ParamValidationError(operation=operation, faults=[fault])
    return arn.account_id
