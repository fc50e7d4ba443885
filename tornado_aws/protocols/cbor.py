"""The part of CBOR (RFC 8949) that services use: scalars, strings, arrays, maps and a few tags.

Three services speak CBOR, which is why this is a small module and not a dependency. Writing is done
by functions that each append one item to a buffer, since the model, not the Python type, says how a
number is written. Reading takes any well-formed item, indefinite lengths included.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from tornado_aws.protocols import timestamps

__all__ = [
    "loads",
    "write_array_head",
    "write_boolean",
    "write_bytes",
    "write_double",
    "write_float",
    "write_integer",
    "write_map_head",
    "write_null",
    "write_text",
    "write_timestamp",
]

_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _ARRAY, _MAP, _TAG, _SIMPLE = range(8)
_FALSE, _TRUE, _NULL, _UNDEFINED = range(20, 24)
_INDEFINITE = 31
_BREAK = 0xFF
_SIZES = {24: 1, 25: 2, 26: 4, 27: 8}
_FLOATS = {25: struct.Struct(">e"), 26: struct.Struct(">f"), 27: struct.Struct(">d")}
_EPOCH_TAG, _BIGNUM_TAG, _NEGATIVE_BIGNUM_TAG = 1, 2, 3


# --- writing --------------------------------------------------------------------------------------


def write_integer(out: bytearray, value: int) -> None:
    """Append an integer of at most 64 bits, in the fewest bytes.

    Raises:
        OverflowError: it has more bits.
    """
    if value >= 0:
        _write_head(out, _UNSIGNED, value)
    else:
        _write_head(out, _NEGATIVE, -1 - value)


def write_float(out: bytearray, value: float) -> None:
    """Append a number in single precision; NaN and the infinities in half precision."""
    _write_number(out, value, 26)


def write_double(out: bytearray, value: float) -> None:
    """Append a number in double precision; NaN and the infinities in half precision."""
    _write_number(out, value, 27)


def write_boolean(out: bytearray, value: bool) -> None:
    """Append true or false."""
    _write_head(out, _SIMPLE, _TRUE if value else _FALSE)


def write_null(out: bytearray) -> None:
    """Append null."""
    _write_head(out, _SIMPLE, _NULL)


def write_bytes(out: bytearray, value: bytes | bytearray | memoryview) -> None:
    """Append a byte string."""
    _write_head(out, _BYTES, len(value))
    out += value


def write_text(out: bytearray, value: str) -> None:
    """Append a text string."""
    data = value.encode()
    _write_head(out, _TEXT, len(data))
    out += data


def write_array_head(out: bytearray, length: int) -> None:
    """Append the head of an array; its items must follow."""
    _write_head(out, _ARRAY, length)


def write_map_head(out: bytearray, length: int) -> None:
    """Append the head of a map; keys and values must follow, in turn."""
    _write_head(out, _MAP, length)


def write_timestamp(out: bytearray, moment: datetime) -> None:
    """Append a moment (in UTC) as seconds since 1970, a double when they are not whole."""
    _write_head(out, _TAG, _EPOCH_TAG)
    seconds = timestamps.to_unix(moment)
    if isinstance(seconds, int):
        write_integer(out, seconds)
    else:
        write_double(out, seconds)


def _write_head(out: bytearray, major: int, argument: int) -> None:
    if argument < 24:
        out.append(major << 5 | argument)
    elif argument < 0x100:
        out.append(major << 5 | 24)
        out.append(argument)
    elif argument < 0x10000:
        out.append(major << 5 | 25)
        out += argument.to_bytes(2)
    elif argument < 0x100000000:
        out.append(major << 5 | 26)
        out += argument.to_bytes(4)
    else:
        data = argument.to_bytes(8)
        out.append(major << 5 | 27)
        out += data


def _write_number(out: bytearray, value: float, size: int) -> None:
    number = float(value)
    if not math.isfinite(number):
        size = 25
    data = _FLOATS[size].pack(math.nan if math.isnan(number) else number)
    out.append(_SIMPLE << 5 | size)
    out += data


# --- reading --------------------------------------------------------------------------------------


def loads(data: bytes) -> Any:
    """Return the value of one item.

    Moments (tag 1) are datetimes in UTC, big numbers (tags 2 and 3) are ints, other tags are passed
    over. Null and undefined are None; members of maps that are None are left out.

    Raises:
        ValueError: the bytes are not one well-formed item, or items are nested more deeply than the
            interpreter can follow.
    """
    reader = _Reader(data)
    try:
        value = reader.item()
    except IndexError:
        raise ValueError("CBOR ends in the middle of an item") from None
    except RecursionError:
        raise ValueError("CBOR has items that are nested too deeply") from None
    except TypeError:
        raise ValueError("CBOR has a map with a key that is an array or a map") from None
    if reader.position != len(data):
        raise ValueError(f"CBOR has {len(data) - reader.position} bytes after its item")
    return value


class _Reader:
    """Reads items one after the other."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.position = 0
        self._majors: Sequence[Callable[[int], Any]] = (
            self._argument,
            self._negative,
            self._bytes,
            self._text,
            self._array,
            self._map,
            self._tagged,
            self._simple,
        )

    def item(self) -> Any:
        """Return the value of the next item."""
        initial = self._data[self.position]
        self.position += 1
        return self._majors[initial >> 5](initial & 31)

    def _argument(self, info: int) -> int:
        if info < 24:
            return info
        size = _SIZES.get(info)
        if size is None:
            raise ValueError(f"CBOR has additional information {info} where a length must be")
        return int.from_bytes(self._take(size))

    def _negative(self, info: int) -> int:
        return -1 - self._argument(info)

    def _take(self, size: int) -> bytes:
        end = self.position + size
        if end > len(self._data):
            raise ValueError("CBOR ends in the middle of an item")
        data = self._data[self.position : end]
        self.position = end
        return data

    def _bytes(self, info: int) -> bytes:
        return b"".join(self._chunks(info, _BYTES))

    def _text(self, info: int) -> str:
        return "".join([chunk.decode() for chunk in self._chunks(info, _TEXT)])

    def _chunks(self, info: int, major: int) -> list[bytes]:
        if info != _INDEFINITE:
            return [self._take(self._argument(info))]
        chunks = []
        while not self._at_break():
            initial = self._take(1)[0]
            if initial >> 5 != major:
                raise ValueError("CBOR has a chunk of another type in a string")
            chunks.append(self._take(self._argument(initial & 31)))
        return chunks

    def _array(self, info: int) -> list[Any]:
        if info == _INDEFINITE:
            items = []
            while not self._at_break():
                items.append(self.item())
            return items
        return [self.item() for _ in range(self._argument(info))]

    def _map(self, info: int) -> dict[Any, Any]:
        result: dict[Any, Any] = {}
        if info == _INDEFINITE:
            while not self._at_break():
                self._pair(result)
        else:
            for _ in range(self._argument(info)):
                self._pair(result)
        return result

    def _pair(self, result: dict[Any, Any]) -> None:
        key = self.item()
        value = self.item()
        if value is not None:
            result[key] = value

    def _at_break(self) -> bool:
        """Tell whether an item of indefinite length ends here, and step over its end."""
        found = self._data[self.position] == _BREAK
        self.position += found
        return found

    def _tagged(self, info: int) -> Any:
        tag = self._argument(info)
        value = self.item()
        if tag == _EPOCH_TAG:
            return timestamps.parse(value)
        if tag in (_BIGNUM_TAG, _NEGATIVE_BIGNUM_TAG) and isinstance(value, bytes):
            number = int.from_bytes(value)
            return number if tag == _BIGNUM_TAG else -1 - number
        return value

    def _simple(self, info: int) -> float | bool | None:
        if info in _FLOATS:
            number: float = _FLOATS[info].unpack(self._take(_SIZES[info]))[0]
            return number
        if info in (_FALSE, _TRUE):
            return info == _TRUE
        if info in (_NULL, _UNDEFINED):
            return None
        raise ValueError(f"CBOR has the simple value {info}, which has no meaning here")
