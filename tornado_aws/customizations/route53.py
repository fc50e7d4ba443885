"""Route 53: ids may be given as it answers them, with the kind before them (``/hostedzone/Z1``)."""

from __future__ import annotations

from tornado_aws.customizations import NONE, Hooks, Params
from tornado_aws.model import Operation

__all__ = ["hooks"]

_IDS = frozenset({"ResourceId", "DelegationSetId", "ChangeId"})


def hooks(operation: Operation) -> Hooks:
    """Return what is peculiar to an operation."""
    members = operation.input.shape.members if operation.input else {}
    names = [name for name, ref in members.items() if ref.shape.name in _IDS]
    if not names:
        return NONE

    def shorten(params: Params) -> Params:
        given = {name: params[name] for name in names if isinstance(params.get(name), str)}
        return {**params, **{name: value.rpartition("/")[2] for name, value in given.items()}}

    return Hooks(before_serialize=shorten)
