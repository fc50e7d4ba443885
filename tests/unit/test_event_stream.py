"""The framing of event streams, with botocore as judge, and what happens to malformed bytes."""

from __future__ import annotations

import struct
import uuid
from binascii import crc32
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from botocore.eventstream import EventStreamBuffer, ParserError
from hypothesis import given, settings
from hypothesis import strategies as st

from tornado_aws.event_stream import MAX_HEADERS, Decoder, HeaderValue, Message, encode
from tornado_aws.exceptions import ReadError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

values = st.one_of(
    st.booleans(),
    st.integers(-(1 << 63), (1 << 63) - 1),
    st.binary(max_size=20),
    st.text(max_size=20),
    st.uuids(),
    st.integers(-(10**13), 10**14).map(lambda value: EPOCH + timedelta(milliseconds=value)),
)
messages = st.builds(
    Message,
    st.dictionaries(st.text(min_size=1, max_size=10), values, max_size=4),
    st.binary(max_size=40),
)


def encoded(all_of_them: list[Message]) -> bytes:
    """Return messages as a stream."""
    return b"".join(encode(message.headers, message.payload) for message in all_of_them)


@given(st.lists(messages, max_size=4), st.integers(1, 50))
@settings(max_examples=100, deadline=None)
def test_messages_come_back_however_they_are_cut(sent: list[Message], size: int) -> None:
    """All header types, in pieces of any size; botocore reads the same."""
    data = encoded(sent)
    decoder, theirs = Decoder(), EventStreamBuffer()
    received: list[Message] = []
    for start in range(0, len(data), size):
        received += decoder.feed(data[start : start + size])
    decoder.end()
    assert received == sent
    theirs.add_data(data)
    assert [(as_botocore(message.headers), message.payload) for message in received] == [
        (message.headers, message.payload) for message in theirs
    ]


def as_botocore(headers: Mapping[str, HeaderValue]) -> dict[str, object]:
    """Return headers as botocore gives them: timestamps as numbers, UUIDs as bytes."""
    return {name: _as_botocore(value) for name, value in headers.items()}


def _as_botocore(value: HeaderValue) -> object:
    if isinstance(value, datetime):
        return (value - EPOCH) // timedelta(milliseconds=1)
    return value.bytes if isinstance(value, uuid.UUID) else value


@given(st.lists(messages, min_size=1, max_size=3), st.data())
@settings(max_examples=150, deadline=None)
def test_one_wrong_byte_is_noticed(sent: list[Message], data: st.DataObject) -> None:
    """As an error, or because bytes are missing at the end; never as another message."""
    stream = bytearray(encoded(sent))
    place = data.draw(st.integers(0, len(stream) - 1))
    stream[place] ^= data.draw(st.integers(1, 255))
    decoder = Decoder()
    received: list[Message] = []

    def receive() -> None:
        for byte in stream:
            received.extend(decoder.feed(bytes((byte,))))
        decoder.end()

    with pytest.raises(ReadError):
        receive()
    assert received == sent[: len(received)]


@given(st.binary(max_size=80))
@settings(max_examples=150, deadline=None)
def test_any_headers_at_all_give_what_botocore_reads_or_an_error(block: bytes) -> None:
    """In a message whose checksums are right."""
    lengths = struct.pack(">II", len(block) + 16, len(block))
    start = lengths + struct.pack(">I", crc32(lengths)) + block
    frame = start + struct.pack(">I", crc32(start))
    try:
        (ours,) = Decoder().feed(frame)
    except ReadError:
        return
    theirs = EventStreamBuffer()
    theirs.add_data(frame)
    assert as_botocore(ours.headers) == next(theirs).headers


@pytest.mark.parametrize("cut", [1, 11, 12, 20, -1])
def test_an_end_within_a_message_is_an_error(cut: int) -> None:
    """The text tells how much of it had come."""
    data = encode({"name": "value"}, b"payload")[:cut]
    decoder = Decoder()
    assert decoder.feed(data) == []
    with pytest.raises(ReadError, match=f"after {len(data)} bytes of it"):
        decoder.end()


@pytest.mark.parametrize(
    ("length", "headers"), [(15, 0), (16 + MAX_HEADERS + 1, MAX_HEADERS + 1), (1 << 31, 0), (16, 8)]
)
def test_impossible_lengths_are_refused_at_once(length: int, headers: int) -> None:
    """Before anything is collected for them; botocore waits for some."""
    lengths = struct.pack(">II", length, headers)
    frame = lengths + struct.pack(">I", crc32(lengths))
    with pytest.raises(ReadError, match="at most"):
        Decoder().feed(frame)
    theirs = EventStreamBuffer()
    theirs.add_data(frame)
    with pytest.raises((ParserError, StopIteration)):
        next(theirs)


def test_a_header_may_not_come_twice() -> None:
    """Two parties could take different ones."""
    header = b"\x01a\x00"
    lengths = struct.pack(">II", 22, 6)
    start = lengths + struct.pack(">I", crc32(lengths)) + header * 2
    with pytest.raises(ReadError, match="'a' twice"):
        Decoder().feed(start + struct.pack(">I", crc32(start)))


@pytest.mark.parametrize(
    ("headers", "payload"),
    [
        ({"": True}, b""),
        ({"x" * 256: True}, b""),
        ({"x": "y" * 32768}, b""),
        ({"x": 1 << 63}, b""),
        ({"x": 1.5}, b""),
        ({f"{number:05}": b"y" * 32767 for number in range(5)}, b""),
        ({}, bytes(24 * 1024 * 1024 + 1)),
    ],
)
def test_what_has_no_place_in_a_message_is_refused(
    headers: dict[str, HeaderValue], payload: bytes
) -> None:
    """Names, values and lengths."""
    with pytest.raises(ValueError, match=r"must have|may have|more than|cannot have"):
        encode(headers, payload)


def test_text_headers() -> None:
    """What is not there and what is no text are both no text."""
    message = Message({"a": "b", "c": 1}, b"")
    assert (message.text("a"), message.text("c"), message.text("d")) == ("b", "", "")
