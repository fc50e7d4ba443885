"""What a service that speaks CBOR may answer, for results in terms of the model.

Written with a codec of its own, in all the ways that CBOR allows, so that the one under test is not
its own judge.
"""

from __future__ import annotations

import struct
from datetime import datetime
from random import Random
from typing import Any

from tornado_aws.model import Ref


class CBORWriter:
    """Writes results as a service would.

    Args:
        random: chooses among the ways of writing, and the additions.
        oddities: the chance, for each item, of a form that is not the shortest; for each structure,
            of an unknown member and of a member that is null.
    """

    def __init__(self, random: Random, oddities: float = 0.0) -> None:
        self._random = random
        self._oddities = oddities

    def body(self, ref: Ref, value: Any) -> bytes:
        """Return a value as CBOR."""
        kind = ref.shape.type
        if value is None:
            return b"\xf6"
        if kind == "structure":
            return self._map(self._members(ref, value))
        if kind == "map":
            member = ref.shape.value
            return self._map(
                [(self._text(key), self.body(member, item)) for key, item in value.items()]
            )
        if kind == "list":
            items = [self.body(ref.shape.member, item) for item in value]
            return self._container(4, len(items), b"".join(items))
        return self._scalar(value, kind)

    def _members(self, ref: Ref, value: dict[str, Any]) -> list[tuple[bytes, bytes]]:
        members = ref.shape.members
        written = [
            (self._text(name), self.body(members[name], item)) for name, item in value.items()
        ]
        missing = [name for name in members if name not in value]
        if missing and self._odd():
            written.append((self._text(self._random.choice(missing)), b"\xf6"))
        if self._odd() and not ref.shape.traits.get("union"):
            written.append((self._text("memberOfTheFuture"), b"\x82\x01\xa1\x61x\xf7"))
        return written

    def _scalar(self, value: Any, kind: str) -> bytes:
        if isinstance(value, bool):
            return b"\xf5" if value else b"\xf4"
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, bytes):
            return self._string(2, value)
        if isinstance(value, datetime):
            seconds = value.timestamp()
            whole = seconds == int(seconds) and not self._odd()
            return b"\xc1" + (self._integer(int(seconds)) if whole else self._double(seconds))
        if kind in ("float", "double"):
            return self._double(float(value))
        return self._integer(value)

    def _double(self, value: float) -> bytes:
        return b"\xfb" + struct.pack(">d", value)

    def _integer(self, value: int) -> bytes:
        return self._head(0, value) if value >= 0 else self._head(1, -1 - value)

    def _text(self, value: str) -> bytes:
        return self._string(3, value.encode())

    def _string(self, major: int, data: bytes) -> bytes:
        if major == 2 and self._odd():
            half = len(data) // 2
            chunks = (data[:half], data[half:])
            parts = b"".join(self._head(major, len(chunk)) + chunk for chunk in chunks)
            return bytes([major << 5 | 31]) + parts + b"\xff"
        return self._head(major, len(data)) + data

    def _map(self, pairs: list[tuple[bytes, bytes]]) -> bytes:
        return self._container(5, len(pairs), b"".join(key + item for key, item in pairs))

    def _container(self, major: int, length: int, content: bytes) -> bytes:
        if self._odd():
            return bytes([major << 5 | 31]) + content + b"\xff"
        return self._head(major, length) + content

    def _head(self, major: int, argument: int) -> bytes:
        sizes = ((24, 0x100, 1), (25, 0x10000, 2), (26, 2**32, 4), (27, 2**64, 8))
        if argument < 24 and not self._odd():
            return bytes([major << 5 | argument])
        possible = [size for size in sizes if argument < size[1]]
        info, _, length = self._random.choice(possible) if self._odd() else possible[0]
        return bytes([major << 5 | info]) + argument.to_bytes(length, "big")

    def _odd(self) -> bool:
        return self._random.random() < self._oddities
