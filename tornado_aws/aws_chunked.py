"""The content coding ``aws-chunked``: a body in chunks, its checksum and signatures among them.

It lets a body be sent while it is read for the first time: what would have to be known before, the
checksum and the hash of the payload, follows in a trailer or comes chunk by chunk. "Signature
calculations for trailing headers" in Amazon S3's API reference describes it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Protocol

from tornado_aws.bodies import PIECE, Body, Piece, aclose, as_bytes, blocking_pieces, stepwise
from tornado_aws.checksums import Algorithm, encoded
from tornado_aws.credentials import Credentials
from tornado_aws.exceptions import ParamValidationError
from tornado_aws.signing import SigV4

__all__ = ["CHUNK", "ChunkSigner", "ChunkedBody", "SignedChunkedBody", "encoded_length"]

# S3 demands at least 8 KiB of every chunk but the last. A source that may be slow must not make the
# service wait for long; one that never is costs a switch of threads a chunk.
CHUNK = 262144
LARGE_CHUNK = PIECE

_EMPTY = b""
# More than a chunk's head and end have.
_MOST_FRAME = 256

_SIGNATURE = len(";chunk-signature=") + 64
_TRAILER_SIGNATURE = len("x-amz-trailer-signature:\r\n") + 64


class ChunkSigner(Protocol):
    """Signs chunks, each over the signature before it."""

    def chunk(self, data: Piece) -> str:
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
        is_lent: whether a piece is as it is only until the next one is asked for.
    """

    is_signed = False

    def __init__(self, body: Body, length: int | None, algorithm: Algorithm | None) -> None:
        self.is_replayable = body.is_replayable
        self._body = body
        self._decoded_length = length
        self._algorithm = algorithm
        # What can be read again is at hand.
        self._chunk = LARGE_CHUNK if body.is_replayable else CHUNK
        self.is_lent = body.is_replayable
        self.length = None
        if length is not None:
            self.length = encoded_length(
                length, algorithm, signed=self.is_signed, chunk=self._chunk
            )

    def __aiter__(self) -> AsyncIterator[Piece]:
        return self._encoded(None)

    def _encoded(self, signer: ChunkSigner | None) -> AsyncIterator[Piece]:
        coder = _Coder(
            self._chunk, self._decoded_length, self._algorithm, signer, is_lending=self.is_lent
        )
        if self._body.is_replayable:
            return stepwise(coder.code(blocking_pieces(self._body)))
        is_slow = self._algorithm is not None and self._algorithm.is_slow
        return _coded(self._body, coder, is_slow)


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

    def __aiter__(self) -> AsyncIterator[Piece]:
        signer, self._signer = self._signer, None
        if signer is None:
            raise RuntimeError("the chunks can be signed once for each signed request")
        return self._encoded(signer)


def encoded_length(
    length: int, algorithm: Algorithm | None, *, signed: bool, chunk: int = CHUNK
) -> int:
    """Return how long a body of `length` bytes is in chunks of `chunk` bytes."""
    signature = _SIGNATURE if signed else 0
    full, rest = divmod(length, chunk)
    total = length + full * (len(f"{chunk:x}") + signature + 4)
    if rest:
        total += len(f"{rest:x}") + signature + 4
    total += 1 + signature + 2
    if algorithm is not None:
        digest = (len(algorithm.new().digest()) + 2) // 3 * 4
        total += len(algorithm.header) + 1 + digest + 2
        total += _TRAILER_SIGNATURE if signed else 0
    return total + 2


class _Coder:
    """Codes one body from its pieces; no IO.

    Args:
        chunk: how many bytes a chunk has; the last one may have fewer.
        length: how many bytes the body must have, None when that is not known.
        algorithm: the checksum; None for none.
        signer: signs the chunks; None where they are not signed.
        is_lending: whether a coded chunk has the place of the one before it.
    """

    def __init__(
        self,
        chunk: int,
        length: int | None,
        algorithm: Algorithm | None,
        signer: ChunkSigner | None,
        *,
        is_lending: bool,
    ) -> None:
        self._chunk = chunk
        self._frame = memoryview(bytearray(chunk + _MOST_FRAME)) if is_lending else None
        self._length = length
        self._algorithm = algorithm
        self._checksum = algorithm.new() if algorithm else None
        self._signer = signer
        self._held: list[bytes] = []
        self._size = self._total = 0

    def code(self, pieces: Iterable[Piece]) -> Iterator[Piece]:
        """Yield the whole coded body."""
        for piece in pieces:
            yield from self.feed(piece)
        yield self.end()

    def feed(self, piece: object) -> Iterator[Piece]:
        """Yield the chunks that are full with the next piece of the body.

        Raises:
            ParamValidationError: there are more bytes than were stated, or it is something else.
        """
        if not self._held and isinstance(piece, memoryview) and len(piece) == self._chunk:
            self._count(len(piece))
            yield self._coded(piece)
            return
        data = as_bytes(piece)
        self._held.append(data)
        self._size += len(data)
        self._count(len(data))
        if self._size < self._chunk:
            return
        whole = data if len(self._held) == 1 else b"".join(self._held)
        rest = self._size % self._chunk
        last = self._size - rest
        self._held, self._size = [whole[last:]] if rest else [], rest
        for start in range(0, last, self._chunk):
            yield self._coded(whole[start : start + self._chunk])

    def _count(self, size: int) -> None:
        self._total += size
        if self._length is not None and self._total > self._length:
            raise ParamValidationError(f"The body is longer than the {self._length} bytes stated")

    def end(self) -> bytes:
        """Return what ends the coded body.

        Raises:
            ParamValidationError: there are fewer bytes than were stated. What ends the coded body
                was not sent then, so that nobody can take the part for the whole.
        """
        if self._length not in (None, self._total):
            raise ParamValidationError(
                f"The body ended after {self._total} of the {self._length} bytes stated"
            )
        rest = bytes(self._coded(b"".join(self._held))) if self._size else _EMPTY
        kind, checksum = self._algorithm, self._checksum
        line = f"{kind.header}:{encoded(checksum)}" if kind and checksum else ""
        return rest + _head(_EMPTY, self._signer) + _trailer(line, self._signer)

    def _coded(self, data: Piece) -> Piece:
        """Return a chunk in one piece: three would be three records of TLS."""
        if self._checksum is not None:
            self._checksum.update(data)
        head = _head(data, self._signer)
        if self._frame is None:
            return b"".join((head, data, b"\r\n"))
        end = len(head) + len(data)
        self._frame[: len(head)] = head
        self._frame[len(head) : end] = data
        self._frame[end : end + 2] = b"\r\n"
        return self._frame[: end + 2]


async def _coded(body: Body, coder: _Coder, is_slow: bool) -> AsyncIterator[Piece]:
    """Yield a body's coded pieces as its own pieces come."""
    loop = asyncio.get_running_loop()
    pieces = aiter(body)
    try:
        async for piece in pieces:
            chunks = coder.feed(piece)
            if is_slow:
                chunks = iter(await loop.run_in_executor(None, list, chunks))
            for chunk in chunks:
                yield chunk
    finally:
        await aclose(pieces)
    yield coder.end()


def _head(data: Piece, signer: ChunkSigner | None) -> bytes:
    extension = f";chunk-signature={signer.chunk(data)}" if signer else ""
    return f"{len(data):x}{extension}\r\n".encode()


def _trailer(line: str, signer: ChunkSigner | None) -> bytes:
    if not line:
        return b"\r\n"
    if signer is None:
        return f"{line}\r\n\r\n".encode()
    return f"{line}\r\nx-amz-trailer-signature:{signer.trailer(line)}\r\n\r\n".encode()
