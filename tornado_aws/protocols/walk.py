"""Functions from value to value, compiled from shapes once and called for every message."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from tornado_aws.model import Ref, Shape

__all__ = ["Convert", "Walk", "same", "wire_name"]

Convert = Callable[[Any], Any]


def same(value: Any) -> Any:
    """Return the value itself."""
    return value


def wire_name(ref: Ref) -> str:
    """Return what a structure's member is called on the wire."""
    name: str = ref.traits.get("locationName", ref.name)
    return name


class Walk(ABC):
    """One way to convert values, for shapes that may hold themselves.

    `of` gives the function for a use of a shape, None when values stay as they are. Subclasses say
    what becomes of scalars and structures; lists and maps convert their parts and keep None.
    """

    def __init__(self) -> None:
        self._made: dict[Shape, Convert] = {}

    def of(self, ref: Ref) -> Convert | None:
        """Return the function for values of `ref`, None for as they are."""
        shape = ref.shape
        if shape.type not in ("structure", "list", "map"):
            return self.scalar(ref)
        if ref.traits.get("document") or self.keeps(shape):
            return None
        if shape not in self._made:
            build = {"structure": self.structure, "list": self._list, "map": self._map}
            build[shape.type](shape)
        return self._made[shape]

    def keeps(self, shape: Shape) -> bool:
        """Tell whether values of a structure, list or map stay as they are, at every depth."""
        return False

    @abstractmethod
    def scalar(self, ref: Ref) -> Convert | None:
        """Return the function for a scalar, None for as it is."""

    @abstractmethod
    def structure(self, shape: Shape) -> None:
        """Pass the function for a structure to `made`, and only then ask `of` for its members.

        They may lead back to the structure.
        """

    def made(self, shape: Shape, convert: Convert) -> None:
        """Take the function for a structure."""
        self._made[shape] = convert

    def _list(self, shape: Shape) -> None:
        def convert_list(value: Any) -> Any:
            return [None if item is None else convert(item) for item in value]

        self._made[shape] = convert_list
        convert = self.of(shape.member) or same

    def _map(self, shape: Shape) -> None:
        def convert_map(value: Any) -> Any:
            return {key: None if item is None else convert(item) for key, item in value.items()}

        self._made[shape] = convert_map
        convert = self.of(shape.value) or same
