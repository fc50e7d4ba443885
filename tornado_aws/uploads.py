"""How the body of a request is sent: its length, its checksum and the hash that is signed.

A serialiser leaves the value of a streaming parameter as the caller gave it. `Upload.prepare` makes
of it what the pipeline can send, with these rules:

* bytes are sent as they are, their checksum in a header;
* what is read while it is sent has its checksum in a trailer where the operation takes one
  (``aws-chunked``, over TLS; without TLS chunk by chunk signed if it can be read once only);
* where the service wants the hash of the payload before the payload, what can be read again is read
  twice, and what cannot is refused.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from tornado_aws.aws_chunked import ChunkedBody, SignedChunkedBody
from tornado_aws.bodies import Body, Piece, blocking_pieces, open_body, read_short, stepwise
from tornado_aws.checksums import (
    Algorithm,
    Checksum,
    RequestRule,
    encoded,
    has_checksum,
    request_rule,
)
from tornado_aws.event_uploads import EventUpload
from tornado_aws.exceptions import ParamValidationError
from tornado_aws.model import Operation, Ref
from tornado_aws.protocols import HTTPParts, event_streams
from tornado_aws.protocols import Protocol as WireProtocol
from tornado_aws.transport import Headers

if TYPE_CHECKING:
    from tornado_aws.routes import Route

__all__ = ["Upload", "raw_upload", "upload"]

T = TypeVar("T")
Hashes = Mapping[str, Callable[[], Checksum]]
NO_HASHES: Hashes = {}

UNSIGNED = "UNSIGNED-PAYLOAD"
UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
SIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
SIGNED_TRAILER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"

# Hashing more than this takes longer than a switch of threads.
_LONG = 262144

# Bodies above this wait for the service's consent before they are sent, in bytes: what botocore
# does for files whatever their size, which costs small ones a round trip.
_WORTH_ASKING = 1 << 20

# S3 wants to know how long a body is before it comes. One that does not tell is read so far, in
# bytes, to find out; if it is longer it is sent all the same, for there are services like S3 that
# take it.
_SHORT = 4 << 20


def upload(
    operation: Operation, protocol: WireProtocol, hashes: Hashes = NO_HASHES
) -> Upload | EventUpload | None:
    """Return how an operation's bodies are sent, None if there is nothing to it.

    Args:
        operation: the operation.
        protocol: how its parameters are serialised.
        hashes: what begins a hash of a body that is read, by the header that carries it.
    """
    stream = event_streams.input_stream(operation)
    if stream is not None:
        return EventUpload(operation, stream, protocol)
    traits = operation.traits
    payload, rule = _raw_payload(operation), request_rule(operation)
    is_unsigned = bool(
        traits.get("unsignedPayload") or traits.get("authtype") == "v4-unsigned-body"
    )
    if payload is None and rule is None and not is_unsigned:
        return None
    return Upload(
        operation.name,
        payload.name if payload else "the body",
        rule=rule,
        is_unsigned=is_unsigned,
        needs_length=bool(payload and payload.traits.get("requiresLength")),
        # Operations with a streaming body and a choice of checksums take them in a trailer.
        takes_chunks=payload is not None and rule is not None,
        hashes=hashes,
    )


def raw_upload(route: Route) -> Upload:
    """Return how the bodies of raw requests are sent that are read while they are sent."""
    is_s3 = route.signer is not None and route.signer.sign_payload_header
    return Upload("fetch", "body", takes_chunks=is_s3)


class Upload:
    """How the bodies of one operation are sent.

    Args:
        operation: the operation's name.
        member: what its body is called in errors.
        rule: what its model says of checksums, None if nothing.
        is_unsigned: whether its model says that payloads are not signed; without TLS those in
            memory are all the same.
        needs_length: whether its model says that the length must be known before.
        takes_chunks: whether it takes the coding ``aws-chunked``.
        hashes: what begins a hash of a body that is read, by the header that carries it in
            hexadecimal.
    """

    def __init__(
        self,
        operation: str,
        member: str,
        *,
        rule: RequestRule | None = None,
        is_unsigned: bool = False,
        needs_length: bool = False,
        takes_chunks: bool = False,
        hashes: Hashes = NO_HASHES,
    ) -> None:
        self._operation = operation
        self._member = member
        self._rule = rule
        self._is_unsigned = is_unsigned
        self._needs_length = needs_length
        self._takes_chunks = takes_chunks
        self._hashes = hashes

    async def prepare(
        self, parts: HTTPParts, params: Mapping[str, Any], route: Route, calculation: str
    ) -> HTTPParts:
        """Return the request with a body that can be sent, and with what goes with it.

        Args:
            parts: what the serialiser made.
            params: the parameters.
            route: where the request goes and how it is signed.
            calculation: the setting ``request_checksum_calculation``.

        Raises:
            ParamValidationError: the body is no body, has not the length stated, or cannot be sent
                without being read twice.
            UnsupportedOperationError: the checksum asked for needs awscrt.
            OSError: a file cannot be read.
        """
        headers, stated = self._take_length(parts.headers)
        algorithm = None
        if self._rule is not None:
            names = [name for name, _ in headers]
            algorithm = self._rule.choose(params, names, calculation)
            if algorithm is not None and self._rule.header and self._rule.member not in params:
                headers.append((self._rule.header, algorithm.name))
        parts = parts._replace(headers=headers)
        if isinstance(parts.body, bytes | None):
            return await self._whole(parts, stated, algorithm, route)
        body = await open_body(parts.body)
        length = self._length(body, stated)
        if length is None and self._takes_chunks:
            read = await read_short(body, _SHORT)
            if isinstance(read, bytes):
                return await self._whole(parts._replace(body=read), None, algorithm, route)
            body = read
        parts = parts._replace(body=body, content_length=length)
        if self._takes_chunks:
            parts = parts._replace(expect_continue=length is None or length > _WORTH_ASKING)
        return await self._streamed(parts, body, algorithm, route)

    # --- bodies in one piece ---

    async def _whole(
        self, parts: HTTPParts, stated: int | None, algorithm: Algorithm | None, route: Route
    ) -> HTTPParts:
        data = parts.body if isinstance(parts.body, bytes) else b""
        if stated not in (None, len(data)):
            raise self._fault(f"it has {len(data)} bytes, but ContentLength says {stated}")
        headers = list(parts.headers)
        if algorithm is not None:
            headers.append((algorithm.header, await _computed(algorithm.of, data)))
        payload = ""
        if self._is_unsigned and route.signer is not None and _is_secure(route):
            headers.append(("X-Amz-Content-SHA256", UNSIGNED))
        elif self._takes_chunks and _is_secure(route) and has_checksum(name for name, _ in headers):
            payload = UNSIGNED
        elif len(data) > _LONG and route.signer is not None:
            payload = await _computed(_sha256, data)
        return parts._replace(
            headers=headers,
            payload_hash=payload,
            expect_continue=self._takes_chunks and len(data) > _WORTH_ASKING,
        )

    # --- bodies that are read while they are sent ---

    async def _streamed(
        self, parts: HTTPParts, body: Body, algorithm: Algorithm | None, route: Route
    ) -> HTTPParts:
        is_settled = any(name.lower() == "x-amz-content-sha256" for name, _ in parts.headers)
        if is_settled or (route.signer is None and algorithm is None):
            return parts
        if self._is_unsigned:
            return _with(parts, ("X-Amz-Content-SHA256", UNSIGNED))
        if self._takes_chunks and (_is_secure(route) or route.signer is None):
            if algorithm is None:
                return parts._replace(payload_hash=UNSIGNED)
            return _chunked(parts, ChunkedBody(body, parts.content_length, algorithm), algorithm)
        if body.is_replayable:
            return await self._read_twice(parts, body, algorithm)
        if self._takes_chunks:
            signed = SignedChunkedBody(body, parts.content_length, algorithm)
            return _chunked(parts, signed, algorithm)
        raise self._fault(
            "the service wants its hash before it, and this can be read once only: give bytes, a"
            " path, or a file that can seek"
        )

    async def _read_twice(
        self, parts: HTTPParts, body: Body, algorithm: Algorithm | None
    ) -> HTTPParts:
        sums: list[Checksum] = [hashlib.sha256()]
        if algorithm is not None:
            sums.append(algorithm.new())
        given = {name.lower() for name, _ in parts.headers}
        hashes = {name: new() for name, new in self._hashes.items() if name not in given}
        sums += hashes.values()
        length = 0
        # Piece by piece: nobody could end a thread that reads all of it.
        async for piece in stepwise(_hashed(body, sums)):
            length += len(piece)
        if parts.content_length not in (None, length):
            raise self._fault(f"it has {length} bytes, but {parts.content_length} were expected")
        parts = parts._replace(payload_hash=sums[0].digest().hex(), content_length=length)
        parts = _with(parts, *[(name, each.digest().hex()) for name, each in hashes.items()])
        return parts if algorithm is None else _with(parts, (algorithm.header, encoded(sums[1])))

    def _length(self, body: Body, stated: int | None) -> int | None:
        if stated is not None and body.length not in (None, stated):
            raise self._fault(f"it has {body.length} bytes, but ContentLength says {stated}")
        length = stated if body.length is None else body.length
        if length is None and self._needs_length:
            raise self._fault("the service must be told its length: give ContentLength")
        return length

    def _take_length(self, headers: Headers) -> tuple[Headers, int | None]:
        """Return the headers without ``Content-Length``, and its value."""
        kept = [pair for pair in headers if pair[0].lower() != "content-length"]
        if len(kept) == len(headers):
            return kept, None
        stated = next(value for name, value in headers if name.lower() == "content-length")
        if not (stated.isascii() and stated.isdigit()):
            raise self._fault(f"ContentLength is {stated}, which is no length")
        return kept, int(stated)

    def _fault(self, reason: str) -> ParamValidationError:
        fault = f"{self._member}: {reason}"
        return ParamValidationError(operation=self._operation, faults=[fault])


def _raw_payload(operation: Operation) -> Ref | None:
    ref = operation.input.payload if operation.input else None
    return ref if ref is not None and ref.shape.type == "blob" else None


def _is_secure(route: Route) -> bool:
    return route.base.origin.scheme == "https"


def _with(parts: HTTPParts, *headers: tuple[str, str]) -> HTTPParts:
    return parts._replace(headers=[*parts.headers, *headers])


def _chunked(parts: HTTPParts, body: ChunkedBody, algorithm: Algorithm | None) -> HTTPParts:
    """Return the request with a body in chunks and the headers that tell so."""
    signed = SIGNED_TRAILER if algorithm else SIGNED
    payload = signed if body.is_signed else UNSIGNED_TRAILER
    headers: Headers = []
    coding = "aws-chunked"
    for name, value in parts.headers:
        if name.lower() == "content-encoding":
            coding = f"{value},aws-chunked"
        else:
            headers.append((name, value))
    headers += [("Content-Encoding", coding), ("X-Amz-Content-SHA256", payload)]
    if algorithm is not None:
        headers.append(("X-Amz-Trailer", algorithm.header))
    if parts.content_length is not None:
        headers.append(("X-Amz-Decoded-Content-Length", str(parts.content_length)))
    return parts._replace(headers=headers, body=body, content_length=body.length)


async def _computed(function: Callable[[bytes], T], data: bytes) -> T:
    if len(data) <= _LONG:
        return function(data)
    return await asyncio.get_running_loop().run_in_executor(None, function, data)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _hashed(body: Body, sums: list[Checksum]) -> Iterator[Piece]:
    for piece in blocking_pieces(body):
        for checksum in sums:
            checksum.update(piece)
        yield piece
