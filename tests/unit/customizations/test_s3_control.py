"""What S3 Control does beside its protocol."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conformance import models
from tornado_aws.customizations import s3_control
from tornado_aws.exceptions import ParamValidationError

ACCESS_POINT = "arn:aws:s3-outposts:us-west-2:123456789012:outpost:op-1:accesspoint:mine"
BUCKET = "arn:aws:s3-outposts:us-west-2:123456789012:outpost/op-1/bucket/mine"


def before(operation: str, params: dict[str, Any]) -> Any:
    change = s3_control.hooks(models.ours("s3control").operation(operation)).before_serialize
    assert change is not None
    return change(params)


@pytest.mark.parametrize(
    ("operation", "member", "arn"),
    [("GetAccessPoint", "Name", ACCESS_POINT), ("DeleteBucket", "Bucket", BUCKET)],
)
def test_the_account_of_an_arn_is_the_calls(operation: str, member: str, arn: str) -> None:
    """It may be given as well, but none other."""
    expected = {member: arn, "AccountId": "123456789012"}
    assert before(operation, {member: arn}) == expected
    assert before(operation, expected) == expected
    with pytest.raises(ParamValidationError, match="AccountId"):
        before(operation, {member: arn, "AccountId": "000000000000"})


@pytest.mark.parametrize(
    "arn",
    [
        BUCKET,
        "arn:aws:s3:us-west-2:123456789012:accesspoint:mine",
        "arn:aws:s3-outposts:us-west-2:123456789012:outpost:op-1:accesspoint",
        "urn::::::",
    ],
)
def test_other_arns_are_refused(arn: str) -> None:
    """The fault names the parameter and what it must be."""
    with pytest.raises(ParamValidationError, match="Name: it must be a name or the ARN of an outp"):
        before("GetAccessPoint", {"Name": arn})


def test_names_are_left_alone() -> None:
    """A name says nothing of an account, and what is created has a name alone."""
    assert before("GetAccessPoint", {"Name": "mine"}) == {"Name": "mine"}
    assert before("CreateAccessPoint", {"Name": ACCESS_POINT}) == {"Name": ACCESS_POINT}
    operation = models.ours("s3control").operation("CreateBucket")
    assert s3_control.hooks(operation).before_serialize is None


def test_the_rules_put_the_account_before_the_host() -> None:
    """The operation's own prefix would put it there twice."""
    model = models.ours("s3control")
    for name in model.operation_names:
        operation = model.operation(name)
        changed = s3_control.hooks(operation).serialized_as
        prefix = operation.traits.get("endpoint", {}).get("hostPrefix")
        assert (changed is not None) == (prefix == "{AccountId}.")
        if changed is not None:
            assert "endpoint" not in changed.traits
            assert "endpoint" in operation.traits
