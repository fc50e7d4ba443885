"""Scalars as every protocol writes them."""

from __future__ import annotations

import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tornado_aws.protocols import scalars


@pytest.mark.parametrize(
    "value", [b"\xc3\xbc", bytearray(b"\xc3\xbc"), memoryview(b"\xc3\xbc"), "ü", io.StringIO("ü")]
)
def test_blobs_are_bytes_or_text_in_utf8(value: Any) -> None:
    """Whatever a blob is given as, it is the same bytes."""
    assert bytes(scalars.blob(value)) == b"\xc3\xbc"
    assert scalars.blob_text(value) == "w7w="


def test_a_file_is_read_from_where_it_stands_and_left_there(tmp_path: Path) -> None:
    """The same parameters can be sent twice: the file is put back."""
    path = tmp_path / "data"
    path.write_bytes(b"header:content")
    with path.open("rb") as file:
        file.seek(7)
        assert scalars.blob(file) == b"content"
        assert scalars.blob(file) == b"content"


def test_what_can_only_be_read_is_read() -> None:
    """A file that cannot be put back is a blob all the same."""

    class Pipe(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            return b"once"

    assert scalars.blob(Pipe()) == b"once"


def test_what_is_no_blob_is_an_error() -> None:
    """Anything else is a TypeError that names the type."""
    with pytest.raises(TypeError, match="a int is not a blob"):
        scalars.blob(5)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.5, "1.5"),
        (7, "7"),
        (float("nan"), "NaN"),
        (float("inf"), "Infinity"),
        (float("-inf"), "-Infinity"),
        (Decimal("2.50"), "2.50"),
        (1e16, "1e+16"),
    ],
)
def test_floats_as_text(value: Any, text: str) -> None:
    """NaN and the infinities have the names that services know."""
    assert scalars.float_text(value) == text


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (7, 7),
        (1.5, 1.5),
        (Decimal("0.1"), 0.1),
        (float("nan"), "NaN"),
        (float("-inf"), "-Infinity"),
        (2**70, 2**70),
    ],
)
def test_floats_as_json_numbers(value: Any, number: Any) -> None:
    """Only what JSON has no number for becomes text; ints stay ints."""
    got = scalars.number(value)
    assert (got, type(got)) == (number, type(number))


def test_booleans_as_text() -> None:
    """Lower case, as in XML and in JSON."""
    assert (scalars.boolean_text(True), scalars.boolean_text(False)) == ("true", "false")
