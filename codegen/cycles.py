"""Shapes that contain themselves in a way that no value or no type of them can exist."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .wellformed import objects, referred, texts

Json = Mapping[str, Any]
# The shapes that each shape leads to, by member.
Edges = Mapping[str, Mapping[str, str]]


def required_cycles(shapes: Json) -> Iterator[tuple[str, str]]:
    """Yield place and message of each cycle of required members, each once.

    Lists and maps end a chain, since they may be empty; members of a union are never required.
    """
    edges = {name: _required_structures(shape, shapes) for name, shape in objects(shapes).items()}
    done: set[str] = set()
    for start in edges:
        for cycle in _cycles(start, edges, done):
            shape, member = cycle[0]
            yield (
                f"shape {shape}, member {member}",
                f"{shape} requires itself ({_chain(cycle)}), so that no value of it can exist",
            )


def alias_cycles(shapes: Json) -> Iterator[tuple[str, str]]:
    """Yield place and message of each cycle of lists and maps without a structure, each once.

    Types of lists and maps have no names by which they could refer to themselves.
    """
    edges = {name: _elements(shape, shapes) for name, shape in objects(shapes).items()}
    done: set[str] = set()
    for start in edges:
        for cycle in _cycles(start, edges, done):
            shape, role = cycle[0]
            chain = " -> ".join(name for name, _ in cycle)
            yield (
                f"shape {shape}, {role}",
                f"{shape} contains itself ({chain} -> {shape}) without a structure between",
            )


def _elements(shape: Json, shapes: Json) -> dict[str, str]:
    """Return the lists and maps that a list or map is made of, by role."""
    if shape.get("type") not in ("list", "map"):
        return {}
    uses = {role: referred(shape.get(role), shapes) for role in ("member", "key", "value")}
    return {
        role: use
        for role, use in uses.items()
        if use and shapes[use].get("type") in ("list", "map")
    }


def _required_structures(shape: Json, shapes: Json) -> dict[str, str]:
    if shape.get("type") != "structure" or shape.get("union"):
        return {}
    members = objects(shape.get("members"))
    uses = {name: referred(members.get(name), shapes) for name in texts(shape.get("required", []))}
    return {
        name: use for name, use in uses.items() if use and shapes[use].get("type") == "structure"
    }


def _chain(cycle: list[tuple[str, str]]) -> str:
    return " -> ".join(member for _, member in cycle)


def _cycles(start: str, edges: Edges, done: set[str]) -> Iterator[list[tuple[str, str]]]:
    """Yield each cycle met on the way, depth first, as pairs of shape and member.

    Args:
        start: the shape to start from.
        edges: all shapes.
        done: shapes from which everything has been seen; the ones seen here are added.
    """
    trail: list[tuple[str, str]] = []  # shape, and the member by which it was left
    waiting = [] if start in done else [(start, iter(edges[start].items()))]
    while waiting:
        shape, rest = waiting[-1]
        member, target = next(rest, ("", ""))
        if not member:
            waiting.pop()
            done.add(shape)
            del trail[len(waiting) - 1 :]
            continue
        trail[len(waiting) - 1 :] = [(shape, member)]
        open_shapes = [name for name, _ in waiting]
        if target in open_shapes:
            yield trail[open_shapes.index(target) :]
        elif target not in done:
            waiting.append((target, iter(edges[target].items())))
