"""IAM: policies come as URL-encoded JSON and are given as what they say."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from tornado_aws.customizations import NONE, Hooks, Params, Result
from tornado_aws.model import Operation, Ref, Shape
from tornado_aws.protocols.reach import shapes_leading_to
from tornado_aws.transport import Response

__all__ = ["hooks"]

_POLICY = "policyDocumentType"

Decode = Callable[[Any], Any]


def hooks(operation: Operation) -> Hooks:
    """Return what is peculiar to an operation."""
    output = operation.output
    if output is None:
        return NONE
    leading = shapes_leading_to(output.shape, lambda shape: shape.name == _POLICY)
    if output.shape not in leading:
        return NONE
    decode = _Decoders(leading).structure(output.shape)

    def decode_policies(result: Result, _response: Response, _params: Params) -> Result:
        decoded: Result = decode(result)
        return decoded

    return Hooks(after_parse=decode_policies)


class _Decoders:
    """The functions for the structures and lists that hold policies; they may hold themselves."""

    def __init__(self, leading: frozenset[Shape]) -> None:
        self._leading = leading
        self._made: dict[Shape, Decode] = {}

    def structure(self, shape: Shape) -> Decode:
        if shape not in self._made:
            members: dict[str, Decode] = {}
            self._made[shape] = lambda value: {
                name: members[name](item) if name in members else item
                for name, item in value.items()
            }
            for name, ref in shape.members.items():
                if ref.shape in self._leading:
                    members[name] = self._of(ref)
        return self._made[shape]

    def _of(self, ref: Ref) -> Decode:
        if ref.shape.type == "structure":
            return self.structure(ref.shape)
        if ref.shape.type == "list":
            decode = self._of(ref.shape.member)
            return lambda items: [decode(item) for item in items]
        return _decoded_policy


def _decoded_policy(text: str) -> Any:
    try:
        return json.loads(unquote(text))
    except ValueError:
        return text
