"""Event streams: which operations need them."""

from __future__ import annotations

from tornado_aws.exceptions import UnsupportedOperationError
from tornado_aws.model import Operation

__all__ = ["refuse"]


def refuse(operation: Operation) -> None:
    """Raise `UnsupportedOperationError` when an operation sends or receives an event stream."""
    for use in (operation.input, operation.output):
        members = use.shape.members if use else {}
        if any(ref.traits.get("eventstream") for ref in members.values()):
            raise UnsupportedOperationError(
                f"{operation.name} needs event streams, which this version cannot do"
            )
