"""Machine Learning: a prediction is asked of the endpoint of its model, which is a parameter."""

from __future__ import annotations

import re

from tornado_aws.customizations import NONE, Hooks, Params
from tornado_aws.exceptions import ParamValidationError
from tornado_aws.model import Operation

__all__ = ["hooks"]

# The service's own hosts alone: what is sent there is signed with the caller's key.
_ENDPOINT = re.compile(r"https://[a-z0-9-]+(?:\.[a-z0-9-]+)*\.amazonaws\.com(?:\.cn)?/?")


def hooks(operation: Operation) -> Hooks:
    """Return what is peculiar to an operation."""
    return Hooks(endpoint=_predict_endpoint) if operation.name == "Predict" else NONE


def _predict_endpoint(params: Params) -> str | None:
    endpoint = params.get("PredictEndpoint")
    if not endpoint:
        return None
    if not isinstance(endpoint, str) or not _ENDPOINT.fullmatch(endpoint):
        fault = "PredictEndpoint: it must be an https URL of a host below amazonaws.com"
        raise ParamValidationError(operation="Predict", faults=[fault])
    return endpoint
