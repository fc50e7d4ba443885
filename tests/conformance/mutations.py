"""Wrong parameters, made from right ones."""

from __future__ import annotations

import copy
from random import Random
from typing import Any

# What is put where it does not belong. True is missing on purpose: botocore takes it for a number.
STRANGERS: tuple[Any, ...] = (
    None,
    7,
    -7,
    2.5,
    "",
    "text",
    [],
    ["x"],
    {},
    {"x": 1},
    b"bytes",
    object,
)


def mutate(random: Random, params: dict[str, Any]) -> dict[str, Any]:
    """Return a copy of `params` with one change somewhere, which may be right by chance."""
    changed: dict[str, Any] = copy.deepcopy(params)
    containers = [changed, *_containers(changed)]
    container = random.choice(containers)
    if isinstance(container, list):
        container[random.randrange(len(container))] = random.choice(STRANGERS)
        return changed
    how = random.randrange(3)
    if how == 0 or not container:
        container[random.choice(("Unknown", "name", "x"))] = random.choice(STRANGERS)
    elif how == 1:
        del container[random.choice(list(container))]
    else:
        container[random.choice(list(container))] = random.choice(STRANGERS)
    return changed


def _containers(value: Any) -> list[Any]:
    items = list(value.values()) if isinstance(value, dict) else value
    found = []
    for item in items:
        if isinstance(item, dict) or (isinstance(item, list) and item):
            found += [item, *_containers(item)]
    return found
