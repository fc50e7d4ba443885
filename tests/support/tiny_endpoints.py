"""Endpoint rules of the tiny services: the client's own endpoint, signed as told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tornado_aws.endpoints import Endpoint

USED: Mapping[str, str] = {"Endpoint": "SDK::Endpoint"}


def resolve(params: Mapping[str, Any]) -> Endpoint:
    """Return the endpoint that was given to the client."""
    return Endpoint(params["Endpoint"])
