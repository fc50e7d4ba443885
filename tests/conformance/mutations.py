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


# What is put into answers: pieces of both notations, and bytes that are no text.
SPLINTERS = (
    *(b"null", b"{", b"]", b'"', b"1e999", b"NaN", b"-", b"<a>", b"</a>", b"&x;", b"<![CDATA["),
    *(b"<!--", b"<?x?>", b"\xff", b"\x00", b"\xed\xa0\x80"),
)


def mangle(random: Random, body: bytes) -> bytes:
    """Return a copy of an answer's body that was damaged in a few places."""
    for _ in range(random.randint(1, 3)):
        where = random.randrange(len(body) + 1)
        before, after = body[:where], body[where:]
        body = random.choice(
            (
                before + after[random.randint(1, 8) :],
                before + random.choice(SPLINTERS) + after,
                before + random.randbytes(1) + after[1:],
                before,
                before + before[-10:] + after,
            )
        )
    return body
