"""CBOR, by the examples of RFC 8949 and against botocore's reader."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.parsers import ResponseParserError as TheirError
from botocore.parsers import create_parser
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tornado_aws.protocols import cbor

# RFC 8949, appendix A: what of it services use.
EXAMPLES: list[tuple[str, Any]] = [
    ("00", 0),
    ("17", 23),
    ("1818", 24),
    ("18ff", 255),
    ("190100", 256),
    ("1a000f4240", 1000000),
    ("1b000000e8d4a51000", 1000000000000),
    ("1bffffffffffffffff", 2**64 - 1),
    ("c249010000000000000000", 2**64),
    ("3bffffffffffffffff", -(2**64)),
    ("c349010000000000000000", -(2**64) - 1),
    ("20", -1),
    ("3863", -100),
    ("3903e7", -1000),
    ("f90000", 0.0),
    ("f93e00", 1.5),
    ("f97bff", 65504.0),
    ("fa47c35000", 100000.0),
    ("fb3ff199999999999a", 1.1),
    ("f97c00", math.inf),
    ("f9fc00", -math.inf),
    ("f4", False),
    ("f5", True),
    ("f6", None),
    ("f7", None),
    ("c11a514b67b0", datetime(2013, 3, 21, 20, 4, tzinfo=UTC)),
    ("c1fb41d452d9ec200000", datetime(2013, 3, 21, 20, 4, 0, 500000, tzinfo=UTC)),
    ("40", b""),
    ("4401020304", b"\x01\x02\x03\x04"),
    ("60", ""),
    ("62c3bc", "ü"),
    ("80", []),
    ("83010203", [1, 2, 3]),
    ("8301820203820405", [1, [2, 3], [4, 5]]),
    ("a0", {}),
    ("a26161016162820203", {"a": 1, "b": [2, 3]}),
    ("5f42010243030405ff", b"\x01\x02\x03\x04\x05"),
    ("7f657374726561646d696e67ff", "streaming"),
    ("9fff", []),
    ("9f018202039f0405ffff", [1, [2, 3], [4, 5]]),
    ("bf61610161629f0203ffff", {"a": 1, "b": [2, 3]}),
    ("d9d9f783010203", [1, 2, 3]),
    ("a2616101616ff6", {"a": 1}),
]
MALFORMED = [
    "",
    "18",
    "1c",
    "5f00ff",
    "61",
    "81",
    "9f",
    "a161",
    "a18001",
    "bf6161ff",
    "c1",
    "c16178",
    "f8",
    "fe",
    "ff",
    "0000",
    "61ff",
    "9bffffffffffffffff",
    "5bffffffffffffffff00",
    "81" * 100_000,
]
WRITERS: list[tuple[Callable[[bytearray, Any], None], Any, str]] = [
    (cbor.write_integer, 0, "00"),
    (cbor.write_integer, 23, "17"),
    (cbor.write_integer, 24, "1818"),
    (cbor.write_integer, 256, "190100"),
    (cbor.write_integer, 65536, "1a00010000"),
    (cbor.write_integer, 2**32, "1b0000000100000000"),
    (cbor.write_integer, 2**64 - 1, "1bffffffffffffffff"),
    (cbor.write_integer, -1, "20"),
    (cbor.write_integer, -(2**64), "3bffffffffffffffff"),
    (cbor.write_float, 1.5, "fa3fc00000"),
    (cbor.write_double, 1.5, "fb3ff8000000000000"),
    (cbor.write_double, 7, "fb401c000000000000"),
    (cbor.write_double, math.nan, "f97e00"),
    (cbor.write_float, math.inf, "f97c00"),
    (cbor.write_float, -math.inf, "f9fc00"),
    (cbor.write_boolean, True, "f5"),
    (cbor.write_boolean, False, "f4"),
    (cbor.write_bytes, b"\x01", "4101"),
    (cbor.write_text, "ü", "62c3bc"),
    (cbor.write_array_head, 2, "82"),
    (cbor.write_map_head, 24, "b818"),
    (cbor.write_timestamp, datetime(2013, 3, 21, 20, 4, tzinfo=UTC), "c11a514b67b0"),
    (
        cbor.write_timestamp,
        datetime(2013, 3, 21, 20, 4, 0, 500000, tzinfo=UTC),
        "c1fb41d452d9ec200000",
    ),
]


@pytest.mark.parametrize(("text", "value"), EXAMPLES)
def test_well_formed_items_are_read(text: str, value: Any) -> None:
    """The specification's own examples have the values that it gives them."""
    got = cbor.loads(bytes.fromhex(text))
    assert (got, type(got)) == (value, type(value))


def test_nan_is_read() -> None:
    """In any precision."""
    for text in ("f97e00", "fa7fc00000", "fb7ff8000000000000"):
        assert math.isnan(cbor.loads(bytes.fromhex(text)))


@pytest.mark.parametrize("text", MALFORMED, ids=lambda text: text[:20] or "nothing")
def test_malformed_items_are_errors(text: str) -> None:
    """Truncated, reserved, too deep, too long or followed by more: a ValueError, at once."""
    with pytest.raises(ValueError, match=r"CBOR|decode|timestamp"):
        cbor.loads(bytes.fromhex(text))


@pytest.mark.parametrize(("write", "value", "text"), WRITERS)
def test_items_are_written_in_their_shortest_form(
    write: Callable[[bytearray, Any], None], value: Any, text: str
) -> None:
    """Each kind of item has one form, so equal values are equal bytes."""
    out = bytearray()
    write(out, value)
    assert out.hex() == text


def test_numbers_that_do_not_fit_are_errors() -> None:
    """Integers have 64 bits, single precision has its bounds."""
    with pytest.raises(OverflowError):
        cbor.write_integer(bytearray(), 2**64)
    with pytest.raises(OverflowError):
        cbor.write_float(bytearray(), 1e39)


def theirs(data: bytes) -> Any:
    """Return what botocore reads, None when it cannot or leaves bytes over."""
    parser = create_parser("smithy-rpc-v2-cbor")
    stream = parser.get_peekable_stream_from_bytes(data)
    try:
        value = parser.parse_data_item(stream)
    except (TheirError, ValueError, TypeError, OverflowError, RuntimeError):
        return None
    return None if stream.read(1) else in_utc(value)


def in_utc(value: Any) -> Any:
    """Return a value with all times in UTC, where botocore has the machine's own time zone."""
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    if isinstance(value, list):
        return [in_utc(item) for item in value]
    if isinstance(value, dict):
        return {in_utc(key): in_utc(item) for key, item in value.items()}
    return value


ITEMS = st.sampled_from([0x01, 0x18, 0x20, 0x41, 0x5F, 0x61, 0x7F, 0x80, 0x82, 0x9F, 0xA1, 0xBF,
                         0xC1, 0xF4, 0xF6, 0xF9, 0xFA, 0xFF])  # fmt: skip


@settings(max_examples=300)
@example(bytes.fromhex("82c10000"))
@given(st.binary(max_size=12) | st.lists(ITEMS, max_size=14).map(bytes))
def test_any_bytes_give_what_botocore_reads_or_an_error(data: bytes) -> None:
    """Nothing but a ValueError ever comes out, and a value that both read is the same."""
    try:
        got = cbor.loads(data)
    except ValueError as error:
        # Where bytes are missing botocore first asks for the memory that they would need.
        # It also skips chunks of another type in a string, which RFC 8949 calls not well-formed.
        known = any(reason in str(error) for reason in ("in the middle", "of another type"))
        assert known or theirs(data) is None or isinstance(theirs(data), datetime)
    else:
        expected = theirs(data)
        if expected is not None:
            assert repr(got) == repr(expected)
