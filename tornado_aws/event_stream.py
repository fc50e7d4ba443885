"""The binary framing of event streams (``application/vnd.amazon.eventstream``). No IO.

A message is a prelude (its whole length, the length of its headers, a CRC32 of both), headers with
typed values, a payload, and a CRC32 of everything before it; numbers are big-endian. "Amazon event
stream specification" in the Smithy documentation describes it.
"""

from __future__ import annotations

import struct
import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, TypeAlias
from zlib import crc32

from tornado_aws.exceptions import ReadError

__all__ = [
    "MAX_HEADERS",
    "MAX_PAYLOAD",
    "Decoder",
    "HeaderValue",
    "Message",
    "encode",
    "encode_headers",
]

# The limits of the specification, in bytes.
MAX_HEADERS = 128 * 1024
MAX_PAYLOAD = 24 * 1024 * 1024

HeaderValue: TypeAlias = bool | int | bytes | str | datetime | uuid.UUID

_PRELUDE = struct.Struct(">III")
_CRC = struct.Struct(">I")
_LENGTH = struct.Struct(">H")
_LONG = struct.Struct(">q")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# All that is not headers and payload.
_FRAME = _PRELUDE.size + _CRC.size

_TRUE, _FALSE, _BYTES, _STRING, _TIMESTAMP, _UUID = 0, 1, 6, 7, 8, 9
_INTEGERS: Mapping[int, struct.Struct] = {
    2: struct.Struct(">b"),
    3: struct.Struct(">h"),
    4: struct.Struct(">i"),
    5: _LONG,
}


class Message(NamedTuple):
    """One message.

    Attributes:
        headers: values by name; a timestamp is an aware datetime.
        payload: the rest.
    """

    headers: Mapping[str, HeaderValue]
    payload: bytes

    def text(self, name: str) -> str:
        """Return a header that should be text; "" when it is not there or something else."""
        value = self.headers.get(name, "")
        return value if isinstance(value, str) else ""


class Decoder:
    """From the bytes of a stream, however they are cut, to messages.

    Attributes:
        error: why nothing more can be read, None while it can.
    """

    def __init__(self) -> None:
        self.error: ReadError | None = None
        self._buffer = bytearray()
        self._wanted = _PRELUDE.size

    def feed(self, data: bytes) -> list[Message]:
        """Take the next bytes and return the messages that they complete.

        Raises:
            ReadError: the bytes are no messages. The decoder cannot be used any more. When some of
                them are, these are returned, and the error is in `error` alone.
        """
        self._buffer += data
        if len(self._buffer) < self._wanted:
            return []
        whole: list[Message] = []
        try:
            whole.extend(self._messages())
        except ReadError as error:
            self.error = error
            if not whole:
                raise
        return whole

    def end(self) -> None:
        """Take the end of the stream.

        Raises:
            ReadError: it came in the middle of a message.
        """
        if self._buffer:
            raise _malformed(f"it ended within a message, after {len(self._buffer)} bytes of it")

    def _messages(self) -> Iterator[Message]:
        """Yield the whole messages of the buffer and keep the rest."""
        buffer, start = bytes(self._buffer), 0
        self._wanted = _PRELUDE.size
        while len(buffer) - start >= _PRELUDE.size:
            length, headers_length = _prelude(buffer, start)
            if len(buffer) - start < length:
                self._wanted = length
                break
            yield _message(buffer[start : start + length], headers_length)
            start += length
        del self._buffer[:start]


def encode(headers: Mapping[str, HeaderValue], payload: bytes = b"") -> bytes:
    """Return a message as bytes.

    Args:
        headers: values by name; an int takes 4 bytes or, where it needs them, 8.
        payload: the rest.

    Raises:
        ValueError: a name, a value, the headers or the payload are too long.
    """
    block = encode_headers(headers)
    if len(block) > MAX_HEADERS or len(payload) > MAX_PAYLOAD:
        raise ValueError(
            f"a message may have {MAX_HEADERS} bytes of headers and {MAX_PAYLOAD} of payload, not"
            f" {len(block)} and {len(payload)}"
        )
    lengths = struct.pack(">II", len(block) + len(payload) + _FRAME, len(block))
    start = lengths + _CRC.pack(crc32(lengths)) + block + payload
    return start + _CRC.pack(crc32(start))


def encode_headers(headers: Mapping[str, HeaderValue]) -> bytes:
    """Return headers as they stand in a message; `ValueError` as for `encode`."""
    return b"".join(_encoded_header(name, value) for name, value in headers.items())


# --- reading --------------------------------------------------------------------------------------


def _prelude(buffer: bytes, start: int) -> tuple[int, int]:
    """Return the length of a message and of its headers."""
    length, headers_length, stated = _PRELUDE.unpack_from(buffer, start)
    if crc32(buffer[start : start + 8]) != stated:
        raise _malformed("the CRC32 of a message's prelude does not match")
    payload_length = length - headers_length - _FRAME
    if headers_length > MAX_HEADERS or not 0 <= payload_length <= MAX_PAYLOAD:
        raise _malformed(
            f"a message says that it has {headers_length} bytes of headers and {payload_length} of"
            f" payload; at most {MAX_HEADERS} and {MAX_PAYLOAD} are allowed"
        )
    return length, headers_length


def _message(data: bytes, headers_length: int) -> Message:
    end = len(data) - _CRC.size
    if crc32(data[:end]) != _CRC.unpack_from(data, end)[0]:
        raise _malformed("the CRC32 of a message does not match")
    start = _PRELUDE.size + headers_length
    return Message(_headers(data[_PRELUDE.size : start]), data[start:end])


def _headers(block: bytes) -> dict[str, HeaderValue]:
    headers: dict[str, HeaderValue] = {}
    place = 0
    try:
        while place < len(block):
            end = place + 1 + block[place]
            name = block[place + 1 : end].decode()
            if name in headers:
                raise _malformed(f"a message has the header {name!r} twice")
            headers[name], place = _value(block, block[end], end + 1)
    except (struct.error, IndexError, OverflowError, UnicodeDecodeError) as error:
        raise _malformed(f"the headers of a message cannot be read ({error})") from error
    if place != len(block):
        raise _malformed("the headers of a message are longer than it says")
    return headers


def _value(block: bytes, kind: int, place: int) -> tuple[HeaderValue, int]:
    """Return the value of a header and where the next one begins."""
    if kind in (_STRING, _BYTES):
        start = place + _LENGTH.size
        end = start + _LENGTH.unpack_from(block, place)[0]
        data = block[start:end]
        return (data.decode() if kind == _STRING else data), end
    if kind in (_TRUE, _FALSE):
        return kind == _TRUE, place
    if kind in _INTEGERS:
        number: int = _INTEGERS[kind].unpack_from(block, place)[0]
        return number, place + _INTEGERS[kind].size
    if kind == _TIMESTAMP:
        milliseconds = _LONG.unpack_from(block, place)[0]
        return _EPOCH + timedelta(milliseconds=milliseconds), place + _LONG.size
    if kind == _UUID and place + 16 <= len(block):
        return uuid.UUID(bytes=block[place : place + 16]), place + 16
    raise _malformed(f"a message has a header of the type {kind}, which does not exist or is cut")


def _malformed(reason: str) -> ReadError:
    return ReadError(f"The event stream cannot be read: {reason}", error="malformed event stream")


# --- writing --------------------------------------------------------------------------------------


def _encoded_header(name: str, value: HeaderValue) -> bytes:
    spelled = name.encode()
    if not 0 < len(spelled) < 256:
        raise ValueError(f"the header's name {name!r} must have 1 to 255 bytes")
    encode_value = _ENCODERS.get(type(value))
    if encode_value is None:
        raise ValueError(f"the header {name!r} cannot have a {type(value).__name__} for its value")
    kind, data = encode_value(value)
    return bytes((len(spelled),)) + spelled + bytes((kind,)) + data


def _encoded_integer(value: int) -> tuple[int, bytes]:
    kind = 4 if -(1 << 31) <= value < 1 << 31 else 5
    try:
        return kind, _INTEGERS[kind].pack(value)
    except struct.error:
        raise ValueError(f"{value} has more than 64 bits") from None


def _counted(data: bytes) -> bytes:
    if len(data) > 32767:
        raise ValueError(f"a header's value may have 32767 bytes, not {len(data)}")
    return _LENGTH.pack(len(data)) + data


_ENCODERS: Mapping[type, Callable[..., tuple[int, bytes]]] = {
    bool: lambda value: (_TRUE if value else _FALSE, b""),
    int: _encoded_integer,
    bytes: lambda value: (_BYTES, _counted(value)),
    str: lambda value: (_STRING, _counted(value.encode())),
    datetime: lambda value: (
        _TIMESTAMP,
        _LONG.pack((value - _EPOCH) // timedelta(milliseconds=1)),
    ),
    uuid.UUID: lambda value: (_UUID, value.bytes),
}
