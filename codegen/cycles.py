"""Structures that contain themselves by required members: no finite value of them exists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .wellformed import objects, referred, texts

Json = Mapping[str, Any]
# Structures that each structure requires, by member.
Edges = Mapping[str, Mapping[str, str]]


def required_cycles(shapes: Json) -> Iterator[tuple[str, str]]:
    """Yield place and message of each cycle of required members, each once.

    Lists and maps end a chain, since they may be empty; members of a union are never required.
    """
    edges = {name: _required_structures(shape, shapes) for name, shape in objects(shapes).items()}
    done: set[str] = set()
    for start in edges:
        for cycle in _cycles(start, edges, done):
            yield _finding(cycle)


def _required_structures(shape: Json, shapes: Json) -> dict[str, str]:
    if shape.get("type") != "structure" or shape.get("union"):
        return {}
    members = objects(shape.get("members"))
    uses = {name: referred(members.get(name), shapes) for name in texts(shape.get("required", []))}
    return {
        name: use for name, use in uses.items() if use and shapes[use].get("type") == "structure"
    }


def _finding(cycle: list[tuple[str, str]]) -> tuple[str, str]:
    shape, member = cycle[0]
    chain = " -> ".join(name for _, name in cycle)
    return (
        f"shape {shape}, member {member}",
        f"{shape} requires itself ({chain}), so that no value of it can exist",
    )


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
