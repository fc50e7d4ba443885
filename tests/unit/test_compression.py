"""Compressed request bodies."""

from __future__ import annotations

import asyncio
import gzip

import pytest

from tests.support.tiny_model import operation
from tornado_aws.compression import compressed, takes_gzip
from tornado_aws.protocols import HTTPParts


def parts(body: bytes, *headers: tuple[str, str]) -> HTTPParts:
    return HTTPParts("POST", "/", "", list(headers), body)


@pytest.mark.parametrize("size", [100, 200_000])
def test_a_long_body_is_compressed_and_says_so(size: int) -> None:
    """Small ones at once, large ones in a thread; an encoding that was there stays first."""
    body = b"abcd" * (size // 4)
    found = asyncio.run(compressed(parts(body, ("content-encoding", "br")), 100))
    assert isinstance(found.body, bytes)
    assert gzip.decompress(found.body) == body
    assert found.headers == [("Content-Encoding", "br, gzip")]


def test_a_short_body_and_a_stream_stay_as_they_are() -> None:
    """Below the threshold it does not pay."""
    short = parts(b"x" * 99)
    assert asyncio.run(compressed(short, 100)) is short
    nothing = short._replace(body=None)
    assert asyncio.run(compressed(nothing, 0)) is nothing


def test_only_operations_that_say_so_are_compressed() -> None:
    """The model names the encodings that the service takes."""
    assert takes_gzip(operation({}, requestcompression={"encodings": ["gzip"]}))
    assert not takes_gzip(operation({}, requestcompression={"encodings": ["zstd"]}))
    assert not takes_gzip(operation({}))
