"""JSON bodies, from values to bytes and back (json 1.0 and 1.1, rest-json).

Both ways the C codec does nearly all of the work:

* A value is encoded as it is, but for shapes that lead to something that JSON writes in another
  way: timestamps, blobs that are not bytes (the codec writes bytes in base64), NaN, and members
  whose name on the wire is another. Only these are walked.
* A body is decoded into typed dicts made from the shapes, so that blobs, timestamps and unknown
  members are settled during the decoding. What that cannot do (null members, unions, values that
  are not of the model's type) is left to a plain walk over untyped JSON, which is the reference:
  it gives what botocore gives.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from functools import partial
from threading import Thread
from typing import Annotated, Any, NamedTuple, TypedDict

import msgspec

from tornado_aws.acceptance import plain_acceptor
from tornado_aws.model import Ref, Shape
from tornado_aws.protocols import garbage, json_nulls, scalars, timestamps
from tornado_aws.protocols.reach import shapes_leading_to
from tornado_aws.protocols.walk import Convert, Walk, same, wire_name

__all__ = ["ANY_SCALAR", "RAW", "Scalars", "decoder", "encoder", "plain_decoder"]


# --- writing --------------------------------------------------------------------------------------


def encoder(ref: Ref) -> Callable[[Any], bytes]:
    """Return a function from a value of a shape to JSON in UTF-8."""
    walk = _Writers(ref.shape).of(ref)
    if walk is None:
        return _encode
    # Twice as fast as the walk, where what it would change is rare.
    is_plain = None if _renames(ref.shape) else plain_acceptor(ref)

    def encode(value: Any) -> bytes:
        if is_plain and is_plain(value):
            return _encode(value)
        return _encode(walk(value))

    return encode


def _renames(root: Shape) -> bool:
    return bool(shapes_leading_to(root, _has_other_names))


def _plain(value: Any) -> Any:
    """Return what is not exactly a built-in type as one, for the encoder."""
    for kind in (str, int, float):
        if isinstance(value, kind):
            return kind(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a {type(value).__name__} has no form in JSON")


_encode = msgspec.json.Encoder(enc_hook=_plain).encode


class _Writers(Walk):
    """From values to what the encoder writes as the shape wants it."""

    def __init__(self, root: Shape) -> None:
        super().__init__()
        self._walked = shapes_leading_to(root, _is_written_otherwise)

    def keeps(self, shape: Shape) -> bool:
        return shape not in self._walked

    def scalar(self, ref: Ref) -> Convert | None:
        if ref.shape.type == "timestamp":
            return _timestamp_writer(ref)
        return _WRITERS.get(ref.shape.type)

    def structure(self, shape: Shape) -> None:
        members: dict[str, tuple[str, Convert | None]] = {}

        def write(value: Any) -> Any:
            written = {}
            for name, item in value.items():
                key, convert = members.get(name) or (name, None)
                written[key] = item if convert is None else convert(item)
            return written

        self.made(shape, write)
        members |= {name: (wire_name(ref), self.of(ref)) for name, ref in shape.members.items()}


def _is_written_otherwise(shape: Shape) -> bool:
    return shape.type == "timestamp" or shape.type in _WRITERS or _has_other_names(shape)


def _has_other_names(shape: Shape) -> bool:
    return shape.type == "structure" and any(
        wire_name(ref) != name for name, ref in shape.members.items()
    )


def _timestamp_writer(ref: Ref) -> Convert:
    write = timestamps.FORMATS[ref.traits.get("timestampFormat", "unixTimestamp").lower()]
    return lambda value: write(timestamps.to_datetime(value))


_WRITERS: Mapping[str, Convert] = {
    "blob": scalars.blob,
    "float": scalars.number,
    "double": scalars.number,
}


# --- reading --------------------------------------------------------------------------------------


class Scalars(NamedTuple):
    """How a protocol reads numbers and booleans that are not of the model's type.

    Attributes:
        types: msgspec types by the model's types: what needs no conversion.
        readers: functions for the rest, from any JSON value.
    """

    types: Mapping[str, Any]
    readers: Mapping[str, Convert]


# A scalar stays what it is in JSON, whatever the model says of it.
ANY_SCALAR = bool | int | float | str

# What botocore does for json 1.0 and 1.1.
RAW = Scalars(
    types=dict.fromkeys(("string", "integer", "long", "float", "double", "boolean"), ANY_SCALAR),
    readers={},
)


def decoder(ref: Ref, scalars_: Scalars = RAW) -> Callable[[bytes], Any]:
    """Return a function from JSON to a value of a shape.

    The function raises ValueError (or another of the errors that `guard.reading` translates) when
    the body is not JSON or not at all what the model says.
    """
    fast = _typed_decoder(ref, scalars_)
    plain = plain_decoder(ref, scalars_)
    nullable = _Later(partial(_nullable_decoder, ref, scalars_))

    def settle(body: bytes) -> Any:
        if b"null" in body:
            decode_nulls = nullable.get()
            if decode_nulls is not None:
                with suppress(*_UNSETTLED):
                    return decode_nulls(body)
        return plain(body)

    def decode_large(body: bytes) -> Any:
        try:
            return fast(body)
        except _UNSETTLED:
            return settle(body)

    def decode(body: bytes) -> Any:
        if len(body) >= garbage.WORTHWHILE:
            return garbage.without_collecting(decode_large, body)
        try:
            return fast(body)
        except _UNSETTLED:
            return settle(body)

    return decode


class _Later:
    """A decoder that takes too long to make for an event loop, 60 milliseconds at worst.

    Args:
        make: makes it.
    """

    def __init__(self, make: Callable[[], Convert]) -> None:
        self._make: Callable[[], Convert] | None = make
        self._made: Convert | None = None

    def get(self) -> Convert | None:
        """Return the decoder, or None and have it made in a thread."""
        make, self._make = self._make, None
        if make is not None:
            with suppress(RuntimeError):  # there can be no more threads: it does without
                Thread(target=self._run, args=(make,), name=_MAKER, daemon=True).start()
        return self._made

    def _run(self, make: Callable[[], Convert]) -> None:
        self._made = make()


_MAKER = "tornado-aws decoder"


class _NotSettled(Exception):
    """Typed decoding cannot tell what botocore would give."""


_UNSETTLED = (msgspec.MsgspecError, _NotSettled, ValueError)


def _typed_decoder(ref: Ref, scalars_: Scalars) -> Convert:
    decode = _decode(_Types(scalars_).of(ref))
    finish = _Finishers(ref.shape).of(ref)
    if finish is None:
        return decode
    return lambda body: finish(decode(body))


def _nullable_decoder(ref: Ref, scalars_: Scalars) -> Convert:
    decode = _decode(_NullableTypes(scalars_).of(ref))
    strip = json_nulls.stripper(ref)
    finish = _Finishers(ref.shape).of(ref) or same

    def decode_nulls(body: bytes) -> Any:
        value = decode(body)
        if value is None:
            raise _NotSettled
        strip(value)
        return finish(value)

    return decode_nulls


def _decode(kind: Any) -> Convert:
    """Return the function from JSON to values of a type.

    It is not strict: only so are numbers taken for timestamps in C. The types of all other scalars
    are such that nothing is converted that botocore leaves alone.
    """
    return msgspec.json.Decoder(kind, strict=False, dec_hook=_read_text).decode


def plain_decoder(ref: Ref, scalars_: Scalars = RAW) -> Convert:
    """Return what `decoder` returns, slower at every call and quicker made."""
    read = _Readers(scalars_).of(ref) or same

    def decode(body: bytes) -> Any:
        return read(_untyped(body))

    return decode


def _untyped(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except msgspec.MsgspecError:
        # It may still be what Python's own module takes for JSON: NaN, lone surrogates, 1e999.
        return json.loads(body.decode())


class _AnyInstance(type):
    """Makes ``isinstance`` true of anything, so that what `_read_text` returns is taken."""

    def __instancecheck__(cls, instance: object) -> bool:
        return True


class _Text(metaclass=_AnyInstance):
    """A type that is read in Python."""

    read: Convert


class _TextTimestamp(_Text):
    """Goes to UTC from any time zone, which the codec's own type does not."""

    read = staticmethod(timestamps.parse)


class _TextBlob(_Text):
    """Is not null when it is the text ``null``, which the codec's own type then is."""

    read = staticmethod(b64decode)


def _read_text(kind: type[_Text], value: Any) -> Any:
    return kind.read(value)


class _Types:
    """Types for the decoder; each structure's is made once, so shapes may hold themselves."""

    def __init__(self, scalars_: Scalars) -> None:
        self._scalars = scalars_.types
        self._structures: dict[Shape, Any] = {}

    def of(self, ref: Ref) -> Any:
        shape = ref.shape
        if shape.type == "structure":
            return _DOCUMENT if ref.traits.get("document") else self._structure(shape)
        if shape.type == "list":
            return list[self._part(ref, shape.member)]  # type: ignore[misc]
        if shape.type == "map":
            return dict[str, self._part(ref, shape.value)]  # type: ignore[misc]
        if shape.type == "timestamp":
            return _timestamp_type(ref)
        return bytes if shape.type == "blob" else self._scalars.get(shape.type, Any)

    def _part(self, container: Ref, part: Ref) -> Any:
        kind = self.of(part)
        return kind | None if container.traits.get("sparse") else kind

    def _structure(self, shape: Shape) -> Any:
        made = self._structures.get(shape)
        if made is None:
            # The annotations follow when the class is known, for members that lead back to it.
            made = self._structures[shape] = _bare_type()
            made.__annotations__ = {wire_name(ref): self.of(ref) for ref in shape.members.values()}
        return made


class _NullableTypes(_Types):
    """The same types, and null everywhere."""

    def of(self, ref: Ref) -> Any:
        if ref.shape.type == "blob":
            return _TextBlob | None
        return super().of(ref) | None


def _bare_type() -> Any:
    class Result(TypedDict, total=False):
        """A structure."""

    return Result


# Any JSON value but null, which a structure's member must not be.
_DOCUMENT = bool | int | float | str | list[Any] | dict[str, Any]


def _timestamp_type(ref: Ref) -> Any:
    if ref.traits.get("timestampFormat", "unixTimestamp").lower() == "unixtimestamp":
        return Annotated[datetime, msgspec.Meta(tz=True)]
    return _TextTimestamp


class _Finishers(Walk):
    """What is left to do after typed decoding: names, and unions."""

    def __init__(self, root: Shape) -> None:
        super().__init__()
        self._walked = shapes_leading_to(root, _is_finished_later)

    def keeps(self, shape: Shape) -> bool:
        return shape not in self._walked

    def scalar(self, ref: Ref) -> None:
        return None

    def structure(self, shape: Shape) -> None:
        members: dict[str, tuple[str, Convert | None]] = {}
        is_union = bool(shape.traits.get("union"))

        def finish(value: Any) -> Any:
            if is_union and len(value) != 1:
                raise _NotSettled
            result = {}
            for key, item in value.items():
                name, convert = members[key]
                result[name] = item if convert is None else convert(item)
            return result

        self.made(shape, finish)
        members |= {wire_name(ref): (name, self.of(ref)) for name, ref in shape.members.items()}


def _is_finished_later(shape: Shape) -> bool:
    return bool(shape.traits.get("union")) or _has_other_names(shape)


class _Readers(Walk):
    """From untyped JSON to values, as botocore reads it."""

    def __init__(self, scalars_: Scalars) -> None:
        super().__init__()
        self._scalars: Mapping[str, Convert] = {
            "blob": b64decode,
            "timestamp": timestamps.parse,
            **scalars_.readers,
        }

    def scalar(self, ref: Ref) -> Convert | None:
        return self._scalars.get(ref.shape.type)

    def structure(self, shape: Shape) -> None:
        members: list[tuple[str, str, Convert]] = []

        def read(value: Any) -> Any:
            if not isinstance(value, dict):
                raise ValueError(f"{shape.name} must be an object, not {type(value).__name__}")
            result = {}
            for name, key, convert in members:
                item = value.get(key)
                if item is not None:
                    result[name] = convert(item)
            return result

        self.made(shape, _union_reader(shape, read) if shape.traits.get("union") else read)
        members += [
            (name, wire_name(ref), self.of(ref) or same) for name, ref in shape.members.items()
        ]


def _union_reader(shape: Shape, read: Convert) -> Convert:
    known = {wire_name(ref) for ref in shape.members.values()}

    def read_union(value: Any) -> Any:
        if not isinstance(value, dict):
            raise ValueError(f"{shape.name} must be an object, not {type(value).__name__}")
        tags = [key for key, item in value.items() if item is not None and key != "__type"]
        if len(tags) != 1:
            raise ValueError(f"the union {shape.name} has {len(tags)} members set, not one")
        if tags[0] not in known:
            return {"SDK_UNKNOWN_MEMBER": {"name": tags[0]}}
        return read(value)

    return read_union
