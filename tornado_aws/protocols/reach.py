"""Which shapes lead to something that a protocol must treat specially.

A structure of strings goes to the encoder as it is; one that holds a timestamp somewhere below must
be walked. These are the questions asked, for shapes that may hold themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tornado_aws.model import Ref, Shape

__all__ = ["shapes_leading_to"]


def shapes_leading_to(root: Shape, matters: Callable[[Shape], bool]) -> frozenset[Shape]:
    """Return every shape from `root` down that matters or holds, at any depth, one that does."""
    holders: dict[Shape, list[Shape]] = {root: []}
    todo = [root]
    while todo:
        holder = todo.pop()
        for use in _uses(holder):
            if use.shape not in holders:
                holders[use.shape] = []
                todo.append(use.shape)
            holders[use.shape].append(holder)
    return _closure([shape for shape in holders if matters(shape)], holders)


def _closure(found: list[Shape], holders: dict[Shape, list[Shape]]) -> frozenset[Shape]:
    leading = set(found)
    while found:
        for holder in holders[found.pop()]:
            if holder not in leading:
                leading.add(holder)
                found.append(holder)
    return frozenset(leading)


def _uses(shape: Shape) -> Iterator[Ref]:
    if shape.type == "structure":
        yield from shape.members.values()
    elif shape.type == "list":
        yield shape.member
    elif shape.type == "map":
        yield shape.key
        yield shape.value
