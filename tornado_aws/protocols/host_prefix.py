"""What an operation puts before the endpoint's host name (``endpoint.hostPrefix``)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from tornado_aws.exceptions import ParamValidationError
from tornado_aws.model import Operation

__all__ = ["expander"]

_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")
_PLACE = re.compile(r"{(.*?)}")


def expander(operation: Operation) -> Callable[[Mapping[str, Any]], str] | None:
    """Return a function from parameters to the prefix, None when the operation has none.

    The function raises `ParamValidationError` when a parameter that becomes part of the host name
    is missing or has a character that a host name cannot have.
    """
    template: str = operation.traits.get("endpoint", {}).get("hostPrefix", "")
    names = _PLACE.findall(template)
    if not template:
        return None

    def expand(params: Mapping[str, Any]) -> str:
        faults = [fault for name in names for fault in _faults(name, params.get(name))]
        if faults:
            raise ParamValidationError(operation=operation.name, faults=faults)
        return template.format(**params)

    return expand


def _faults(name: str, value: Any) -> list[str]:
    if isinstance(value, str) and _LABEL.fullmatch(value):
        return []
    if value is None:
        return [f"{name}: missing, and it is part of the host name"]
    return [
        f"{name}: it is part of the host name, so it must be letters, digits, hyphens and dots,"
        " and must begin and end with a letter or a digit"
    ]
