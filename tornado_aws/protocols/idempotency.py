"""Idempotency tokens: made up for a call when the caller gave none."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from tornado_aws.model import Operation

__all__ = ["filler"]


def filler(operation: Operation) -> Callable[[Mapping[str, Any]], Mapping[str, Any]] | None:
    """Return a function that gives parameters with every token, None when there are no tokens.

    The function leaves its argument alone: the caller's dict may be used for another call, which
    needs another token.
    """
    members = operation.input.shape.members if operation.input else {}
    tokens = [name for name, ref in members.items() if ref.traits.get("idempotencyToken")]
    if not tokens:
        return None

    def fill(params: Mapping[str, Any]) -> Mapping[str, Any]:
        missing = {name: str(uuid.uuid4()) for name in tokens if name not in params}
        return {**params, **missing} if missing else params

    return fill
