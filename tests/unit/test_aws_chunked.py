"""The coding ``aws-chunked``: framing, lengths, trailers and signatures."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tornado_aws import aws_chunked, signing
from tornado_aws.aws_chunked import CHUNK, ChunkedBody, SignedChunkedBody, encoded_length
from tornado_aws.bodies import open_body
from tornado_aws.checksums import algorithm
from tornado_aws.credentials import Credentials
from tornado_aws.exceptions import ParamValidationError
from tornado_aws.transport.fields import pairs_of


class Decoded(NamedTuple):
    """What a coded body says: chunks with their extensions, and the lines of the trailer."""

    chunks: list[tuple[str, bytes]]
    trailer: list[str]


def decode(coded: bytes) -> Decoded:
    """Read a coded body strictly."""
    chunks = []
    while True:
        head, coded = coded.split(b"\r\n", 1)
        size, _, extension = head.decode().partition(";")
        length = int(size, 16)
        chunks.append((extension, coded[:length]))
        coded = coded[length:]
        if not length:
            break
        assert coded.startswith(b"\r\n")
        coded = coded[2:]
    *lines, empty, end = coded.decode().split("\r\n")
    assert (empty, end) == ("", "")
    return Decoded(chunks, lines)


async def coded(pieces: list[bytes], length: int | None, name: str | None = "CRC32") -> bytes:
    """Code a body of these pieces."""
    kind = algorithm(name) if name else None
    body = ChunkedBody(await open_body(iter(pieces)), length, kind)
    data = b"".join([bytes(piece) async for piece in body])
    assert body.length == (None if length is None else len(data))
    return data


@given(st.lists(st.binary(max_size=40), max_size=8), st.sampled_from(["CRC32", "SHA256", None]))
@settings(max_examples=60, deadline=None)
def test_the_body_comes_back_with_its_checksum(pieces: list[bytes], name: str | None) -> None:
    """Whatever its pieces, chunks are full but for the last, and lengths are right."""
    whole = b"".join(pieces)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(aws_chunked, "CHUNK", 16)
        decoded = decode(asyncio.run(coded(pieces, len(whole), name)))
        assert asyncio.run(coded(pieces, None, name)) == asyncio.run(
            coded(pieces, len(whole), name)
        )
    sizes = [len(data) for _, data in decoded.chunks]
    assert sizes == [16] * (len(whole) // 16) + [len(whole) % 16] * bool(len(whole) % 16) + [0]
    assert b"".join(data for _, data in decoded.chunks) == whole
    kind = algorithm(name) if name else None
    assert decoded.trailer == ([f"{kind.header}:{kind.of(whole)}"] if kind else [])


def test_chunks_are_large_enough_for_s3() -> None:
    """At least 8 KiB, all but the last; many small pieces are joined."""
    data = os.urandom(3 * CHUNK + 5)
    pieces = [data[at : at + 1000] for at in range(0, len(data), 1000)]
    decoded = decode(asyncio.run(coded(pieces, len(data))))
    assert [len(chunk) for _, chunk in decoded.chunks] == [CHUNK] * 3 + [5, 0]
    assert CHUNK >= 8192


@pytest.mark.parametrize(("length", "text"), [(4, "longer than the 4"), (6, "after 5 of the 6")])
def test_too_few_or_too_many_bytes_never_end_the_body(length: int, text: str) -> None:
    """What would let the server take the part for the whole is not sent."""

    async def main() -> None:
        sent = []
        body = ChunkedBody(await open_body(iter([b"hello"])), length, algorithm("CRC32"))

        async def send() -> None:
            async for piece in body:
                sent.append(piece)

        with pytest.raises(ParamValidationError, match=text):
            await send()
        assert b"0\r\n" not in b"".join(sent)

    asyncio.run(main())


@pytest.mark.parametrize("length", [30, None])
def test_a_buffer_that_is_filled_anew_may_be_yielded(length: int | None) -> None:
    """What was yielded before stays what it was; text is refused."""

    async def source() -> AsyncIterator[Any]:
        buffer = bytearray(10)
        for fill in (b"a", b"b", b"c"):
            buffer[:] = fill * 10
            yield buffer

    async def text() -> AsyncIterator[Any]:
        yield "text"

    async def main() -> None:
        body = ChunkedBody(await open_body(source()), length, None)
        coded = b"".join([bytes(piece) async for piece in body])
        assert decode(coded).chunks[0][1] == b"a" * 10 + b"b" * 10 + b"c" * 10
        with pytest.raises(ParamValidationError, match="bytes, not str"):
            await anext(aiter(ChunkedBody(await open_body(text()), length, None)))

    asyncio.run(main())


def test_the_published_example_of_chunk_signatures() -> None:
    """66560 bytes in chunks of 65536, from "Example calculations" in Amazon S3's reference."""
    credentials = Credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    when = datetime(2013, 5, 24, tzinfo=UTC).timestamp()
    signer = signing.SigV4(
        "s3", "us-east-1", double_encode=False, normalize_path=False, sign_payload_header=True
    )
    headers = [
        ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
        ("Content-Encoding", "aws-chunked"),
        ("x-amz-decoded-content-length", "66560"),
        ("Content-Length", "66824"),
    ]
    sent = dict(
        pairs_of(
            signer.authorize(
                credentials,
                "PUT",
                "s3.amazonaws.com",
                "/examplebucket/chunkObject.txt",
                "",
                headers,
                "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
                when,
            )
        )
    )

    async def main() -> bytes:
        body = SignedChunkedBody(await open_body([b"a" * 66560]), 66560, None)
        assert body.length == 66824
        body.sign_with(signer, credentials, sent["Authorization"], when)
        data = b"".join([bytes(piece) async for piece in body])
        with pytest.raises(RuntimeError, match="once for each signed request"):
            aiter(body)
        return data

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(aws_chunked, "LARGE_CHUNK", 65536)
        chunks = decode(asyncio.run(main())).chunks
    assert sent["Authorization"].endswith(
        "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"
    )
    assert [extension.removeprefix("chunk-signature=") for extension, _ in chunks] == [
        "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
        "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
        "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
    ]


def test_a_trailer_is_signed_over_the_last_chunk() -> None:
    """The string to sign as the reference describes it, computed step by step."""
    credentials = Credentials("AKID", "secret")
    signer = signing.SigV4("s3", "us-east-1")
    kind = algorithm("CRC32")

    async def main() -> bytes:
        body = SignedChunkedBody(await open_body([b"hello"]), 5, kind)
        body.sign_with(signer, credentials, "... Signature=seed", 0.0)
        return b"".join([bytes(piece) async for piece in body])

    data = asyncio.run(main())
    chunks, (line, signed) = decode(data)
    assert len(data) == encoded_length(5, kind, signed=True)
    last = chunks[-1][0].removeprefix("chunk-signature=")
    key = signing.signing_key("secret", "19700101", "us-east-1", "s3")
    text = "\n".join(
        [
            "AWS4-HMAC-SHA256-TRAILER",
            "19700101T000000Z",
            "19700101/us-east-1/s3/aws4_request",
            last,
            hashlib.sha256(f"{line}\n".encode()).hexdigest(),
        ]
    )
    expected = hmac.digest(key, text.encode(), "sha256").hex()
    assert line == f"x-amz-checksum-crc32:{kind.of(b'hello')}"
    assert signed == f"x-amz-trailer-signature:{expected}"


def test_giving_up_ends_the_source() -> None:
    """A caller's generator can free what it holds as soon as the request has failed."""
    ended = []

    async def source() -> AsyncIterator[bytes]:
        try:
            while True:
                yield bytes(CHUNK)
        finally:
            ended.append(True)

    async def main() -> None:
        iterator = aiter(ChunkedBody(await open_body(source()), None, None))
        await anext(iterator)
        await iterator.aclose()  # type: ignore[attr-defined]
        assert ended

    asyncio.run(main())
