"""Scalars as every protocol writes them: blobs, numbers and booleans."""

from __future__ import annotations

import math
from base64 import b64encode
from typing import Any

__all__ = ["blob", "blob_text", "boolean_text", "float_text", "is_special", "number"]

_SPECIAL = {math.inf: "Infinity", -math.inf: "-Infinity"}


def blob(value: Any) -> bytes | bytearray | memoryview:
    """Return the bytes of what a caller passed for a blob.

    Args:
        value: bytes-like, str (as UTF-8), or a file, which is read from where it stands; it is put
            back there when it can be, so that the same parameters can be sent again.

    Raises:
        TypeError: it is none of them.
    """
    if isinstance(value, (bytes, bytearray, memoryview)):
        return value
    if isinstance(value, str):
        return value.encode()
    if hasattr(value, "read"):
        return _read(value)
    raise TypeError(f"a {type(value).__name__} is not a blob")


def blob_text(value: Any) -> str:
    """Return a blob in base64."""
    return b64encode(blob(value)).decode()


def boolean_text(value: Any) -> str:
    """Return ``true`` or ``false``."""
    return "true" if value else "false"


def is_special(value: Any) -> bool:
    """Tell whether a number is an infinity or not a number at all."""
    return isinstance(value, float) and not math.isfinite(value)


def number(value: Any) -> int | float | str:
    """Return a float or double as JSON writes it: NaN and the infinities are text.

    A `Decimal` becomes the nearest float.
    """
    if type(value) is int:
        return value
    value = float(value)
    return float_text(value) if is_special(value) else value


def float_text(value: Any) -> str:
    """Return a float or double as text: ``1.5``, ``NaN``, ``Infinity`` or ``-Infinity``."""
    if is_special(value):
        return _SPECIAL.get(value, "NaN")
    return str(value)


def _read(file: Any) -> bytes:
    start = file.tell() if _is_seekable(file) else None
    data = file.read()
    if start is not None:
        file.seek(start)
    return data.encode() if isinstance(data, str) else bytes(data)


def _is_seekable(file: Any) -> bool:
    seekable = getattr(file, "seekable", None)
    return seekable is not None and bool(seekable())
