"""The content coding ``aws-chunked``: a body in chunks, its checksum and signatures among them.

It lets a body be sent while it is read for the first time: what would have to be known before, the
checksum and the hash of the payload, follows in a trailer or comes chunk by chunk. "Signature
calculations for trailing headers" in Amazon S3's API reference describes it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from contextlib import aclosing
from typing import Protocol

from tornado_aws.bodies import Body, aclose, as_bytes
from tornado_aws.checksums import Algorithm, Checksum, encoded
from tornado_aws.credentials import Credentials
from tornado_aws.exceptions import ParamValidationError
from tornado_aws.signing import SigV4

__all__ = ["CHUNK", "ChunkSigner", "ChunkedBody", "SignedChunkedBody", "encoded_length"]

# S3 demands at least 8 KiB of every chunk but the last.
CHUNK = 262144

_EMPTY = b""
_SIGNATURE = len(";chunk-signature=") + 64
_TRAILER_SIGNATURE = len("x-amz-trailer-signature:\r\n") + 64


class ChunkSigner(Protocol):
    """Signs chunks, each over the signature before it."""

    def chunk(self, data: bytes) -> str:
        """Return the signature of the next chunk."""
        ...

    def trailer(self, line: str) -> str:
        """Return the signature of the trailer."""
        ...


class ChunkedBody:
    """A body in chunks, with its checksum in the trailer.

    Args:
        body: the body itself.
        length: how many bytes it must have, None when that is not known.
        algorithm: the checksum; None for none.

    Attributes:
        length: of the coded body in bytes, None when it is not known.
        is_replayable: whether it can be read more than once.
    """

    is_signed = False

    def __init__(self, body: Body, length: int | None, algorithm: Algorithm | None) -> None:
        self.length = (
            None if length is None else encoded_length(length, algorithm, signed=self.is_signed)
        )
        self.is_replayable = body.is_replayable
        self._body = body
        self._decoded_length = length
        self._algorithm = algorithm

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._encoded(None)

    async def _encoded(self, signer: ChunkSigner | None) -> AsyncIterator[bytes]:
        kind = self._algorithm
        checksum = kind.new() if kind else None
        async with aclosing(_chunks(self._body, self._decoded_length)) as chunks:
            async for data in chunks:
                if kind and checksum:
                    await _update(checksum, data, kind.is_slow)
                yield _head(data, signer)
                yield data
                yield b"\r\n"
        line = f"{kind.header}:{encoded(checksum)}" if kind and checksum else ""
        yield _head(_EMPTY, signer) + _trailer(line, signer)


class SignedChunkedBody(ChunkedBody):
    """The same with a signature for each chunk, as it is sent where there is no TLS.

    `sign_with` must be called before each iteration.
    """

    is_signed = True
    _signer: ChunkSigner | None = None

    def sign_with(
        self, signer: SigV4, credentials: Credentials, authorization: str, timestamp: float
    ) -> None:
        """Take what signed the request's head, and when: the chunks go on from its signature."""
        self._signer = signer.chunk_signer(credentials, authorization, timestamp)

    def __aiter__(self) -> AsyncIterator[bytes]:
        signer, self._signer = self._signer, None
        if signer is None:
            raise RuntimeError("the chunks can be signed once for each signed request")
        return self._encoded(signer)


def encoded_length(length: int, algorithm: Algorithm | None, *, signed: bool) -> int:
    """Return how long a body of `length` bytes is in chunks."""
    signature = _SIGNATURE if signed else 0
    full, rest = divmod(length, CHUNK)
    total = length + full * (len(f"{CHUNK:x}") + signature + 4)
    if rest:
        total += len(f"{rest:x}") + signature + 4
    total += 1 + signature + 2
    if algorithm is not None:
        digest = (len(algorithm.new().digest()) + 2) // 3 * 4
        total += len(algorithm.header) + 1 + digest + 2
        total += _TRAILER_SIGNATURE if signed else 0
    return total + 2


def _head(data: bytes, signer: ChunkSigner | None) -> bytes:
    extension = f";chunk-signature={signer.chunk(data)}" if signer else ""
    return f"{len(data):x}{extension}\r\n".encode()


def _trailer(line: str, signer: ChunkSigner | None) -> bytes:
    if not line:
        return b"\r\n"
    if signer is None:
        return f"{line}\r\n\r\n".encode()
    return f"{line}\r\nx-amz-trailer-signature:{signer.trailer(line)}\r\n\r\n".encode()


async def _chunks(body: AsyncIterable[bytes], length: int | None) -> AsyncGenerator[bytes, None]:
    """Cut and join a body's pieces to chunks of `CHUNK` bytes; the last may be shorter.

    Raises:
        ParamValidationError: there are not `length` bytes. What ends the coded body was not sent
            then, so that nobody can take the part for the whole.
    """
    held: list[bytes] = []
    size = total = 0
    pieces = aiter(body)
    try:
        async for piece in pieces:
            held.append(as_bytes(piece))
            size += len(held[-1])
            total += len(held[-1])
            if length is not None and total > length:
                raise ParamValidationError(f"The body is longer than the {length} bytes stated")
            if size >= CHUNK:
                data = held[0] if len(held) == 1 else b"".join(held)
                for start in range(0, size - size % CHUNK, CHUNK):
                    yield data[start : start + CHUNK]
                held, size = [data[size - size % CHUNK :]], size % CHUNK
    finally:
        await aclose(pieces)
    if length not in (None, total):
        raise ParamValidationError(f"The body ended after {total} of the {length} bytes stated")
    if size:
        yield b"".join(held)


async def _update(checksum: Checksum, data: bytes, is_slow: bool) -> None:
    if is_slow:
        await asyncio.get_running_loop().run_in_executor(None, checksum.update, data)
    else:
        checksum.update(data)
