"""CloudFormation: a template that is JSON is given as what it says, not as text."""

from __future__ import annotations

import json

from tornado_aws.customizations import NONE, Hooks, Params, Result
from tornado_aws.model import Operation
from tornado_aws.transport import Response

__all__ = ["hooks"]


def hooks(operation: Operation) -> Hooks:
    """Return what is peculiar to an operation."""
    return Hooks(after_parse=_decode_template) if operation.name == "GetTemplate" else NONE


def _decode_template(result: Result, _response: Response, _params: Params) -> Result:
    try:
        template = json.loads(result["TemplateBody"])
    except (KeyError, ValueError):
        return result  # YAML stays text
    return {**result, "TemplateBody": template}
