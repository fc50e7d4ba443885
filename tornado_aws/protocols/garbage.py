"""The cyclic garbage collector, kept off while one large result is built.

A 100 KB answer becomes some ten thousand new dicts, none of them garbage. The collector looks
through them again and again while they are made, which takes three times as long as the decoding
itself.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ["WORTHWHILE", "without_collecting"]

T = TypeVar("T")

# Bytes of a body from which on the two calls of `gc` are less than a hundredth of its decoding.
WORTHWHILE = 16 * 1024


def without_collecting(decode: Callable[[Any], T], body: Any) -> T:
    """Return ``decode(body)``, the collector off meanwhile if it was on."""
    if not gc.isenabled():
        return decode(body)
    gc.disable()
    try:
        return decode(body)
    finally:
        gc.enable()
