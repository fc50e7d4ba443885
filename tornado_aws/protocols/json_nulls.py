"""Null members, taken out of decoded results in place.

Some services write every member that a structure could have, null when it has none; botocore leaves
such members out. Elements of lists and values of maps that are null stay.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tornado_aws.model import Ref, Shape
from tornado_aws.protocols.walk import wire_name

__all__ = ["stripper"]

Strip = Callable[[Any], None]


def stripper(root: Ref) -> Strip:
    """Return a function that takes null members out of a value, members named as on the wire."""
    return _Strippers().of(root)


class _Strippers:
    """One function for each structure, list and map."""

    def __init__(self) -> None:
        self._made: dict[Shape, Strip] = {}

    def of(self, ref: Ref) -> Strip:
        build = {"structure": self._structure, "list": self._list, "map": self._map}
        shape = ref.shape
        if shape.type not in build or ref.traits.get("document"):
            return _leave
        if shape not in self._made:
            build[shape.type](shape)
        return self._made[shape]

    # Each puts its function into the table before it asks for those of its parts, which may be the
    # same one.

    def _structure(self, shape: Shape) -> None:
        members: list[tuple[str, Strip]] = []

        def strip(value: dict[str, Any]) -> None:
            if None in value.values():
                for key in [key for key, item in value.items() if item is None]:
                    del value[key]
            for key, strip_member in members:
                if key in value:
                    strip_member(value[key])

        self._made[shape] = strip
        uses = [(wire_name(ref), self.of(ref)) for ref in shape.members.values()]
        members += [(key, strip_member) for key, strip_member in uses if strip_member is not _leave]

    def _list(self, shape: Shape) -> None:
        def strip(value: list[Any]) -> None:
            for item in value:
                if item is not None:
                    strip_item(item)

        self._made[shape] = strip
        strip_item = self.of(shape.member)
        if strip_item is _leave:
            self._made[shape] = _leave

    def _map(self, shape: Shape) -> None:
        def strip(value: dict[str, Any]) -> None:
            for item in value.values():
                if item is not None:
                    strip_item(item)

        self._made[shape] = strip
        strip_item = self.of(shape.value)
        if strip_item is _leave:
            self._made[shape] = _leave


def _leave(_value: Any) -> None:
    """Change nothing."""
