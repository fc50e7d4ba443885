"""User data of instances (EC2, Auto Scaling): a string in the models, sent in base64."""

from __future__ import annotations

from base64 import b64encode

from tornado_aws.customizations import NONE, Hooks, Params
from tornado_aws.model import Operation

__all__ = ["encode_user_data", "hooks"]


def hooks(operation: Operation) -> Hooks:
    """Return what is peculiar to an operation of Auto Scaling."""
    if operation.name == "CreateLaunchConfiguration":
        return Hooks(before_serialize=encode_user_data)
    return NONE


def encode_user_data(params: Params) -> Params:
    """Return parameters with ``UserData``, text or bytes, in base64."""
    data = params.get("UserData")
    if isinstance(data, str):
        data = data.encode()
    if not isinstance(data, (bytes, bytearray, memoryview)):
        return params
    return {**params, "UserData": b64encode(data).decode()}
