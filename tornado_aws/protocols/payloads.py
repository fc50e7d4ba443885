"""The member that is a whole body: blobs and strings, as they stand (rest-json, rest-xml)."""

from __future__ import annotations

from collections.abc import AsyncIterable
from typing import Any

from tornado_aws.model import Ref
from tornado_aws.protocols import guard, scalars
from tornado_aws.transport import Response

__all__ = ["is_raw", "read_raw", "write_raw"]


def is_raw(ref: Ref) -> bool:
    """Tell whether a payload is bytes or text, not a structure in the protocol's own format."""
    return ref.shape.type in ("blob", "string")


def write_raw(ref: Ref, value: Any) -> bytes | AsyncIterable[bytes]:
    """Return the body that a raw payload is.

    What is read while it is sent (a file; a path or an iterable for a streaming blob) is returned
    as it is.
    """
    if isinstance(value, bytes):
        return value
    if isinstance(value, (bytearray, memoryview, str)) or ref.shape.type != "blob":
        return bytes(scalars.blob(value))
    stream: AsyncIterable[bytes] = value
    return stream


def read_raw(ref: Ref, response: Response) -> Any:
    """Return the payload of a response: its stream when it has one, else bytes or text.

    Raises:
        ResponseParserError: a text is not UTF-8.
    """
    if response.stream is not None:
        return response.stream
    return response.body if ref.shape.type == "blob" else guard.reading(bytes.decode, response)
