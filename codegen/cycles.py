"""Structures that contain themselves by required members: no finite value of them exists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Json = Mapping[str, Any]


def required_cycles(shapes: Json) -> Iterator[tuple[str, str]]:
    """Yield place and message of each cycle of required members, each once.

    Lists and maps end a chain, since they may be empty; members of a union are never required.
    """
    edges = {name: _required_structures(shape, shapes) for name, shape in shapes.items()}
    done: set[str] = set()
    for start in edges:
        yield from _walk(start, edges, done)


def _required_structures(shape: Json, shapes: Json) -> dict[str, str]:
    """Return the shapes of a structure's required structure members, by member."""
    if shape.get("type") != "structure" or shape.get("union"):
        return {}
    uses = {name: shape["members"][name]["shape"] for name in shape.get("required", ())}
    return {name: use for name, use in uses.items() if shapes[use]["type"] == "structure"}


def _walk(
    start: str, edges: Mapping[str, Mapping[str, str]], done: set[str]
) -> Iterator[tuple[str, str]]:
    """Go through all that `start` requires, depth first, and yield the cycles that are met."""
    path: list[tuple[str, Iterator[tuple[str, str]]]] = []
    trail: list[str] = []

    def enter(shape: str) -> None:
        path.append((shape, iter(edges[shape].items())))

    if start not in done:
        enter(start)
    while path:
        shape, members = path[-1]
        step = next(members, None)
        if step is None:
            done.add(shape)
            path.pop()
            if trail:
                trail.pop()
            continue
        member, target = step
        open_shapes = [name for name, _ in path]
        if target in open_shapes:
            names = [*trail[open_shapes.index(target) :], member]
            chain = " -> ".join(names)
            yield (
                f"shape {target}, member {names[0]}",
                f"{target} requires itself ({chain}), so that no value of it can exist",
            )
        elif target not in done:
            trail.append(member)
            enter(target)
