"""The quick answer of `tornado_aws.acceptance`, as a word."""

from __future__ import annotations

from typing import Any

from tornado_aws.acceptance import DOUBTS, converter
from tornado_aws.model import Ref


def accepts(root: Ref, value: Any) -> bool:
    """Tell whether a value certainly fits; no means that nobody knows."""
    try:
        converter(root)(value)
    except DOUBTS:
        return False
    return True
