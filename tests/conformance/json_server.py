"""What a service that speaks JSON may answer, for results in terms of the model."""

from __future__ import annotations

import json
import math
from base64 import b64encode
from collections.abc import Mapping
from datetime import datetime
from random import Random
from typing import Any

from tornado_aws.model import Ref, Shape
from tornado_aws.protocols import timestamps


class JSONWriter:
    """Writes results as a service would, with what services are known to add.

    Args:
        random: chooses the additions.
        oddities: the chance, for each structure, of an unknown member, of a member that is null and
            of a ``__type``; and for each timestamp, of a format that is not the model's.
    """

    def __init__(self, random: Random, oddities: float = 0.0) -> None:
        self._random = random
        self._oddities = oddities

    def body(self, ref: Ref, value: Any) -> bytes:
        """Return a value as the bytes of a body."""
        return json.dumps(self.value(ref, value), ensure_ascii=self._odd()).encode()

    def value(self, ref: Ref, value: Any) -> Any:
        """Return a value as JSON has it."""
        shape = ref.shape
        if value is None or ref.traits.get("document"):
            return value
        if shape.type == "structure":
            return self._structure(ref, value)
        if shape.type == "list":
            return [self.value(shape.member, item) for item in value]
        if shape.type == "map":
            return {key: self.value(shape.value, item) for key, item in value.items()}
        if shape.type == "blob":
            return b64encode(value).decode()
        if isinstance(value, datetime):
            return self._timestamp(ref, value)
        if isinstance(value, float) and not math.isfinite(value):
            return {math.inf: "Infinity", -math.inf: "-Infinity"}.get(value, "NaN")
        return value

    def _structure(self, ref: Ref, value: dict[str, Any]) -> dict[str, Any]:
        members = ref.shape.members
        written = {
            members[name].traits.get("locationName", name): self.value(members[name], item)
            for name, item in value.items()
        }
        missing = [
            member.traits.get("locationName", name)
            for name, member in members.items()
            if name not in value
        ]
        if missing and self._odd():
            written[self._random.choice(missing)] = None
        if self._odd():
            written["__type"] = "com.example#" + ref.shape.name
        if self._odd() and not ref.shape.traits.get("union"):
            written["memberOfTheFuture"] = {"deep": [1, None, "x"]}
        return written

    def _timestamp(self, ref: Ref, value: datetime) -> Any:
        name = ref.traits.get("timestampFormat", "unixTimestamp")
        if self._odd():
            name = self._random.choice(("unixTimestamp", "iso8601", "rfc822"))
        return timestamps.FORMATS[name.lower()](value)

    def _odd(self) -> bool:
        return self._random.random() < self._oddities


def error_body(shape: Shape, members: Mapping[str, Any], random: Random, oddities: float) -> bytes:
    """Return an error's members, and its name as services give it."""
    ref = Ref("", shape, {})
    written = {"__type": f"com.example#{shape.name}"}
    written |= JSONWriter(random, oddities).value(ref, dict(members))
    return json.dumps(written).encode()
