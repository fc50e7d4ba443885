"""S3 Control: the account of an ARN is the account of the call."""

from __future__ import annotations

from copy import copy
from functools import partial

from tornado_aws.customizations import Hooks, Params
from tornado_aws.endpoints.rules import aws_parse_arn
from tornado_aws.exceptions import ParamValidationError
from tornado_aws.model import Operation

__all__ = ["hooks"]

# Their parameters are names of what does not exist yet, and no ARNs.
_PLAIN = frozenset({"CreateAccessPoint", "CreateBucket", "ListRegionalBuckets"})
_KINDS = {"Name": "accesspoint", "Bucket": "bucket"}


def hooks(operation: Operation) -> Hooks:
    """Return what is peculiar to an operation."""
    is_plain = operation.name in _PLAIN
    return Hooks(
        before_serialize=None if is_plain else partial(_take_account, operation.name),
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


def _take_account(operation: str, params: Params) -> Params:
    for name, kind in _KINDS.items():
        arn = aws_parse_arn(params.get(name))
        if arn is None:
            continue
        resource = arn.resource_id
        if arn.service != "s3-outposts" or resource[::2][:2] != ["outpost", kind]:
            raise _fault(operation, f"{name}: it must be a name or an ARN of an outpost's {kind}")
        if params.get("AccountId") not in (None, arn.account_id):
            raise _fault(operation, f"AccountId: it is not the account in the ARN that is {name}")
        params = {**params, "AccountId": arn.account_id}
    return params


def _fault(operation: str, text: str) -> ParamValidationError:
    return ParamValidationError(operation=operation, faults=[text])
