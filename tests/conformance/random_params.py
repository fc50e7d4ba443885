"""Random values from a model, the same ones for the same seed.

A `Style` says how much is filled in and how strange it is; `REQUIRED`, `ALL` and `EDGE` are the
three that the differential tests use. Values are such as botocore's validation lets pass, so that
both libraries can be asked to send them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from random import Random
from typing import Any, NamedTuple

from tornado_aws.model import Operation, Ref, Shape

from .models import has_event_stream

INTEGERS = (0, 1, -1, 2**31 - 1, -(2**31), 2**53 + 1, 2**63 - 1, -(2**63))
SPECIAL = (float("inf"), float("-inf"), float("nan"))
FLOATS = (0.0, -0.0, 1.5, 1e300, 5e-324, 1e16, 0.1 + 0.2, 7, *SPECIAL)
TEXTS = (
    "",
    " leading and trailing ",
    "grüße 東京 🚀",
    "a/b?c=d&e=f#g%20h+i~j",
    "<&>\"']]>",
    "line\r\nbreak\ttab",
    "back\\slash",
    "'single' \"double\", comma; {brace}",
)
ASCII = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~/:+ ="
LABEL = "abcdefghijklmnopqrstuvwxyz0123456789"


class Style(NamedTuple):
    """How values are made.

    Attributes:
        optional: the chance that an optional member is present, at the first level.
        fade: what the chance is multiplied by for each level.
        depth: levels below which only required members appear.
        strange: the chance that a scalar is an edge value.
        empty: the chance that a list or map is empty.
    """

    optional: float
    fade: float = 0.8
    depth: int = 4
    strange: float = 0.0
    empty: float = 0.0


REQUIRED = Style(optional=0.0)
ALL = Style(optional=1.0)
EDGE = Style(optional=0.6, strange=0.5, empty=0.3)
STYLES = {"required": REQUIRED, "all": ALL, "edge": EDGE}

# Below this many levels a required recursive member cannot be escaped any more.
_BOTTOM = 24


class Unbounded(Exception):
    """The model demands values without end."""


class Maker:
    """Makes values from one source of randomness.

    Args:
        random: where every choice comes from.
        style: how much is filled in, and how strange.
        wire: make what a service may answer rather than what a caller may pass: timestamps are
            whole milliseconds, blobs are bytes, unions have one member.
    """

    def __init__(self, random: Random, style: Style, *, wire: bool = False) -> None:
        self._random = random
        self._style = style
        self._wire = wire
        self._scalars: dict[str, Callable[[Ref], Any]] = {
            "string": self._string,
            "integer": self._integer,
            "long": self._integer,
            "float": self._float,
            "double": self._float,
            "boolean": self._boolean,
            "blob": self._blob,
            "timestamp": self._timestamp,
        }

    def parameters(self, operation: Operation) -> dict[str, Any]:
        """Return parameters for an operation."""
        return self.structure(operation.input.shape) if operation.input else {}

    def result(self, operation: Operation) -> dict[str, Any]:
        """Return what the operation may give, in terms of the model."""
        return self.structure(operation.output.shape) if operation.output else {}

    def structure(self, shape: Shape, level: int = 0) -> dict[str, Any]:
        """Return a value of a structure that is not a document."""
        if level > _BOTTOM:
            raise Unbounded(shape.name)
        members = {name: ref for name, ref in shape.members.items() if not _is_stream(ref)}
        if shape.traits.get("union"):
            name = self._tag(members, level)
            return {name: self.value(members[name], level + 1)}
        return {
            name: self.value(ref, level + 1)
            for name, ref in members.items()
            if name in shape.required or self._wanted(level)
        }

    def value(self, ref: Ref, level: int = 0) -> Any:
        """Return a value for a use of a shape."""
        shape = ref.shape
        if shape.type == "structure":
            if ref.traits.get("document"):
                return self.document()
            return self.structure(shape, level)
        if shape.type == "list":
            return [self.value(shape.member, level + 1) for _ in range(self._length(ref, level))]
        if shape.type == "map":
            return self._map(ref, level)
        return self._scalars[shape.type](ref)

    def document(self, level: int = 0) -> Any:
        """Return free-form JSON."""
        kind = self._random.randrange(5 if level > 2 else 7)
        if kind == 5:
            return [self.document(level + 1) for _ in range(self._random.randrange(3))]
        if kind == 6:
            keys = [self._text(3) for _ in range(self._random.randrange(3))]
            return {key: self.document(level + 1) for key in keys}
        return (self._text(5), 42, 2.5, True, "")[kind]

    def _wanted(self, level: int) -> bool:
        if level >= self._style.depth:
            return False
        return self._random.random() < self._style.optional * self._style.fade**level

    def _tag(self, members: dict[str, Ref], level: int) -> str:
        """Choose a union's member; a scalar one deep down, so that recursion ends."""
        names = list(members)
        flat = [name for name in names if members[name].shape.type in self._scalars]
        return self._random.choice(flat if flat and level >= self._style.depth else names)

    def _length(self, ref: Ref, level: int) -> int:
        least = int(ref.traits.get("min", 0))
        most = int(ref.traits.get("max", least + 2))
        if not least and (level > self._style.depth or self._random.random() < self._style.empty):
            return 0
        return max(least, min(most, self._random.randint(1, 2)))

    def _map(self, ref: Ref, level: int) -> dict[str, Any]:
        shape = ref.shape
        keys: dict[str, None] = {}
        for _ in range(self._length(ref, level) * 3):
            if len(keys) < self._length(ref, level):
                keys[self._map_key(ref)] = None
        if ref.traits.get("location") == "headers":
            return {key: self._ascii(6, LABEL) for key in keys}
        return {key: self.value(shape.value, level + 1) for key in keys}

    def _map_key(self, ref: Ref) -> str:
        if ref.traits.get("location") in ("headers", "querystring"):
            return self._ascii(6, LABEL)
        return str(self._string(ref.shape.key))

    def _string(self, ref: Ref) -> Any:
        traits = ref.traits
        location = traits.get("location")
        if traits.get("hostLabel"):
            return self._ascii(8, LABEL)
        if traits.get("jsonvalue") and location == "header":
            return self.document()
        if "enum" in traits and self._random.random() > self._style.strange:
            return self._random.choice(traits["enum"])
        least = max(int(traits.get("min", 0)), 1 if location == "uri" else 0)
        if location in ("header", "headers"):
            # White space around a value is not part of it.
            return f"x{self._ascii(max(least, 4), ASCII)}."
        return self._text(least)

    def _text(self, least: int) -> str:
        if self._random.random() < self._style.strange:
            text = self._random.choice(TEXTS)
            return text if len(text) >= least else text + self._ascii(least, LABEL)
        return self._ascii(max(least, self._random.randint(1, 12)), ASCII)

    def _ascii(self, length: int, letters: str) -> str:
        return "".join(self._random.choices(letters, k=length))

    def _integer(self, ref: Ref) -> int:
        least = ref.traits.get("min")
        if self._random.random() < self._style.strange:
            number = self._random.choice(INTEGERS)
        else:
            number = self._random.randint(0, 1000)
        return number if least is None else max(number, int(least))

    def _float(self, ref: Ref) -> float:
        least = ref.traits.get("min")
        if self._random.random() < self._style.strange:
            number = self._random.choice(FLOATS)
            if ref.shape.type == "float" and number == 1e300:
                number = 3e38
        else:
            number = self._random.randint(0, 10**6) / 8
        return number if least is None or number >= least else float(least)

    def _boolean(self, _ref: Ref) -> bool:
        return self._random.random() < 0.5

    def _blob(self, ref: Ref) -> Any:
        least = int(ref.traits.get("min", 0))
        data = self._random.randbytes(max(least, self._random.randint(0, 12)))
        if self._wire or self._random.random() >= self._style.strange:
            return data
        return self._random.choice((bytearray(data), "text ü", data, b"", ""))

    def _timestamp(self, _ref: Ref) -> Any:
        seconds = self._random.randint(0, 2**32)
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
        if self._random.random() >= self._style.strange:
            return moment
        if self._wire:
            return moment + timedelta(milliseconds=self._random.randrange(1000))
        zone = timezone(timedelta(hours=5, minutes=30))
        fraction = moment + timedelta(microseconds=self._random.randrange(10**6))
        return self._random.choice(
            (
                moment.replace(tzinfo=None),
                fraction.replace(tzinfo=None),
                moment.astimezone(zone),
                fraction.astimezone(zone),
                seconds,
                seconds + 0.25,
                moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
                fraction.astimezone(zone).isoformat(),
                moment.strftime("%Y-%m-%d"),
            )
        )


def _is_stream(ref: Ref) -> bool:
    return bool(ref.traits.get("eventstream"))


def is_supported(operation: Operation) -> bool:
    """Tell whether an operation does without event streams."""
    used = (operation.input, operation.output)
    return not any(has_event_stream(ref.shape) for ref in used if ref is not None)
