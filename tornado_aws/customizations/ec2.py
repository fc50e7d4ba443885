"""EC2: base64 that its model does not mention; copies of snapshots from other regions."""

from __future__ import annotations

from base64 import b64decode

from tornado_aws.customizations import NONE, Hooks, Params, Result
from tornado_aws.customizations.cross_region import snapshot_hooks
from tornado_aws.customizations.user_data import encode_user_data
from tornado_aws.model import Operation
from tornado_aws.transport import Response

__all__ = ["hooks"]


def hooks(operation: Operation) -> Hooks:
    """Return what is peculiar to an operation."""
    if operation.name == "RunInstances":
        return Hooks(before_serialize=encode_user_data)
    if operation.name == "CopySnapshot":
        return snapshot_hooks(operation)
    if operation.name == "GetConsoleOutput":
        return Hooks(after_parse=_decode_output)
    return NONE


def _decode_output(result: Result, _response: Response, _params: Params) -> Result:
    try:
        # A console prints any bytes at all.
        output = b64decode(result["Output"]).decode("utf-8", "replace")
    except (KeyError, ValueError):
        return result
    return {**result, "Output": output}
