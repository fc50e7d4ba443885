"""Models of one operation, written down beside the test that needs them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tornado_aws.model import Operation, ServiceModel

SCALARS = {
    name: {"type": name}
    for name in (
        "string",
        "integer",
        "long",
        "float",
        "double",
        "boolean",
        "blob",
        "timestamp",
    )
}


def service(
    shapes: Mapping[str, Any], operations: Mapping[str, Any], **metadata: Any
) -> ServiceModel:
    """Return a service; the scalar types are shapes under their own names."""
    facts = {"targetPrefix": "Tiny_20260101", "jsonVersion": "1.1", "apiVersion": "2026-01-01"}
    return ServiceModel(
        json.dumps({**facts, "serviceId": "Tiny", **metadata}),
        _lines(operations),
        _lines({**SCALARS, **shapes}),
    )


def operation(
    input_members: Mapping[str, Any] | None = None,
    output_members: Mapping[str, Any] | None = None,
    *,
    shapes: Mapping[str, Any] | None = None,
    input_traits: Mapping[str, Any] | None = None,
    output_traits: Mapping[str, Any] | None = None,
    metadata: Mapping[str, Any] | None = None,
    **traits: Any,
) -> Operation:
    """Return an operation `Try`; members are given as models write them, or by a shape's name.

    Args:
        input_members: of the parameters; None for no input.
        output_members: of the result; None for no output.
        shapes: further shapes.
        input_traits: of the parameters' structure (``required``, ``payload``).
        output_traits: of the result's structure.
        metadata: of the service.
        **traits: of the operation (``http``, ``endpoint``).
    """
    made: dict[str, Any] = dict(traits)
    all_shapes = dict(shapes or {})
    for use, members, own in (
        ("input", input_members, input_traits),
        ("output", output_members, output_traits),
    ):
        if members is not None:
            name = f"Try{use.title()}"
            all_shapes[name] = structure(members, **(own or {}))
            made[use] = {"shape": name}
    return service(all_shapes, {"Try": made}, **(metadata or {})).operation("Try")


def structure(members: Mapping[str, Any], **traits: Any) -> dict[str, Any]:
    """Return a structure; a member that is only a shape's name is given as a str."""
    uses = {name: {"shape": use} if isinstance(use, str) else use for name, use in members.items()}
    return {"type": "structure", "members": uses, **traits}


def list_of(shape: str, **traits: Any) -> dict[str, Any]:
    """Return a list."""
    return {"type": "list", "member": {"shape": shape}, **traits}


def map_of(shape: str, key: str = "string", **traits: Any) -> dict[str, Any]:
    """Return a map."""
    return {"type": "map", "key": {"shape": key}, "value": {"shape": shape}, **traits}


def _lines(items: Mapping[str, Any]) -> str:
    return "".join(f"{name} {json.dumps(data)}\n" for name, data in items.items())
