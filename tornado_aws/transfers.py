"""Objects of S3 of any size: uploaded, downloaded and copied in parts, several at a time.

Memory is bounded by `part_size` times `concurrency` and two parts more, one of them in pieces, for
an upload of what is no file on a disk, and by some ten megabytes for everything else. What cannot
be completed leaves nothing behind: no parts in the bucket, no half file.

Every function takes a client of S3 and, as keywords, the parameters of the operation that would do
the same for a small object (``PutObject``, ``GetObject``, ``CopyObject``); each part gets those of
them that its own operation knows.
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import aclosing
from itertools import count, repeat
from pathlib import Path
from typing import Any, TypeVar

from tornado_aws.bodies import Body, aclose, as_bytes, open_body
from tornado_aws.checksums import response_rule
from tornado_aws.exceptions import ParamValidationError
from tornado_aws.file_download import fetch_into, off_loop
from tornado_aws.file_parts import open_file
from tornado_aws.multipart import (
    MultipartUpload,
    Params,
    Part,
    Progress,
    is_checksum,
    known,
    report,
)
from tornado_aws.service import ServiceClient
from tornado_aws.types import StreamingBlob

__all__ = ["copy", "download", "upload"]

T = TypeVar("T")

MIB = 1 << 20

# Limits of S3 ("Amazon S3 multipart upload limits" in its user guide).
_MOST_PARTS = 10_000
_LEAST_PART = 5 * MIB

# The sizes of botocore's transfers; copies move no bytes through here.
_PART = 8 * MIB
_COPIED_PART = 64 * MIB
_CONCURRENCY = 4

# What a copy in one piece keeps by itself.
_KEPT = (
    "CacheControl",
    "ContentDisposition",
    "ContentEncoding",
    "ContentLanguage",
    "ContentType",
    "Expires",
    "Metadata",
    "WebsiteRedirectLocation",
)

# Parameters of the operations that are settled here.
_SETTLED = {
    "Body": "the source is the body",
    "ContentLength": "the source says how long it is",
    "PartNumber": "the whole object is fetched; get_object fetches a part",
    "Range": "the whole object is fetched; get_object fetches a range",
}

# What can be said of an object in one part only.
_OF_ONE_PART = {
    "ContentMD5": "S3 computes no MD5 of an object in several parts; give its ChecksumCRC32",
    "WriteOffsetBytes": "an object in several parts is not appended to another",
}


async def upload(
    s3: ServiceClient,
    source: StreamingBlob,
    *,
    Bucket: str,  # noqa: N803 - the API's own names, here and below
    Key: str,  # noqa: N803
    part_size: int = _PART,
    concurrency: int = _CONCURRENCY,
    progress: Progress | None = None,
    **params: Any,
) -> dict[str, Any]:
    """Store an object of any size, known or not.

    Args:
        s3: a client of S3.
        source: bytes, a path (a str, too), a file open in binary mode, or a synchronous or
            asynchronous iterable of bytes.
        Bucket: the bucket.
        Key: the object's key.
        part_size: bytes of a part, at least 5 MiB; more is taken where 10,000 parts would not do.
        concurrency: how many parts are sent at a time.
        progress: is called with the number of bytes of each part that has arrived.
        **params: other parameters of ``PutObject``: ``ContentType``, ``Metadata``, ...

    Returns:
        The result of ``PutObject``, or that of ``CompleteMultipartUpload``.

    Raises:
        ParamValidationError: a parameter does not fit, or the source cannot be read.
        AWSClientException: a call failed. The parts that had been sent are deleted; a note of the
            error tells when even that failed.
        OSError: the file cannot be read.
    """
    params |= {"Bucket": Bucket, "Key": Key}
    params = await _begin(s3, "PutObject", params, part_size, concurrency)
    opened = _as_source(source)
    file = await off_loop(open_file, opened)
    if file is None:
        return await _upload(s3, await _pieces(opened, part_size), concurrency, progress, params)
    try:
        parts = _asynchronous(file.parts(_fitting(file.length, part_size)))
        return await _upload(s3, parts, concurrency, progress, params)
    finally:
        await off_loop(file.close)


async def copy(
    s3: ServiceClient,
    *,
    CopySource: Params,  # noqa: N803
    Bucket: str,  # noqa: N803
    Key: str,  # noqa: N803
    source: ServiceClient | None = None,
    part_size: int = _COPIED_PART,
    concurrency: int = _CONCURRENCY,
    progress: Progress | None = None,
    **params: Any,
) -> dict[str, Any]:
    """Copy an object of any size within S3.

    Tags are copied with an object of one part, as S3 does it, and not with others.

    Args:
        s3: a client of S3, for the region of the bucket that is copied to.
        CopySource: ``Bucket``, ``Key`` and perhaps ``VersionId`` of the object.
        Bucket: the bucket that is copied to.
        Key: the key of the copy.
        source: a client that can see the object, where `s3` cannot.
        part_size: bytes of a part, at least 5 MiB; more is taken where 10,000 parts would not do.
        concurrency: how many parts are copied at a time.
        progress: is called with the number of bytes of each part that has been copied.
        **params: other parameters of ``CopyObject``: ``MetadataDirective``, ...

    Returns:
        The result of ``CopyObject``, or that of ``CompleteMultipartUpload``.

    Raises:
        AWSClientException: as for `upload`; also when the object changes meanwhile.
    """
    params |= {"Bucket": Bucket, "Key": Key}
    params = await _begin(s3, "CopyObject", params, part_size, concurrency)
    head = await _head(source or s3, {**CopySource, **_of_source(params)})
    size: int = head["ContentLength"]
    params = {**params, "CopySource": CopySource, "CopySourceIfMatch": head["ETag"]}
    if size <= part_size:
        result: dict[str, Any] = await s3._call("CopyObject", params)
        report(progress, size)
        return result
    if params.pop("MetadataDirective", "COPY") == "COPY":
        params |= {name: head[name] for name in _KEPT if name in head}
    sending = MultipartUpload(s3, params, progress)
    ranges = _ranges(size, _fitting(size, part_size))
    return await sending.complete(lambda: sending.copy(ranges), concurrency)


async def download(
    s3: ServiceClient,
    target: str | os.PathLike[str],
    *,
    Bucket: str,  # noqa: N803
    Key: str,  # noqa: N803
    part_size: int = _PART,
    concurrency: int = _CONCURRENCY,
    progress: Progress | None = None,
    **params: Any,
) -> dict[str, Any]:
    """Write an object of any size into a file.

    The file appears when it is complete and its checksum is right, in place of one of that name;
    until then the bytes are in a hidden file beside it, which goes when anything fails.

    Args:
        s3: a client of S3.
        target: the path.
        Bucket: the bucket.
        Key: the object's key.
        part_size: bytes of a part, at least 5 MiB.
        concurrency: how many parts are fetched at a time.
        progress: is called with the number of bytes written, again and again.
        **params: other parameters of ``GetObject``: ``VersionId``, ...; ``Range`` and
            ``PartNumber`` are none of them.

    Returns:
        The result of ``HeadObject``.

    Raises:
        ParamValidationError: a parameter does not fit.
        AWSClientException: a call failed; also when the object changes meanwhile.
        ReadError: a part broke off again and again, or the file is not what its checksum says.
        OSError: the file cannot be written; also when the target is something else than a file.
    """
    params |= {"Bucket": Bucket, "Key": Key}
    params = await _begin(s3, "GetObject", params, part_size, concurrency)
    head = await _head(s3, await _verified(s3, params))
    params = {**params, "IfMatch": head["ETag"]}  # it has met the caller's own condition
    ranges = _ranges(head["ContentLength"], part_size)
    await fetch_into(Path(target), s3, params, head, ranges, concurrency, progress)
    return head


def _as_source(source: object) -> object:
    if isinstance(source, str):
        return Path(source)
    return [source] if isinstance(source, (bytes, bytearray, memoryview)) else source


async def _upload(
    s3: ServiceClient,
    source: AsyncGenerator[Part, None],
    concurrency: int,
    progress: Progress | None,
    params: Params,
) -> dict[str, Any]:
    """Store an object that comes in parts, at least one."""
    async with aclosing(source) as parts:
        first = await anext(parts)
        second = await anext(parts, None)
        if second is None:
            result: dict[str, Any] = await s3._call("PutObject", {**params, "Body": first})
            report(progress, len(first))
            return result
        _refuse("PutObject", _OF_ONE_PART, params)
        sending = MultipartUpload(s3, _in_parts(params), progress)
        begun = [first, second]
        del first, second  # whoever sends them has them then, and nobody else
        return await sending.complete(lambda: sending.send(_chained(begun, parts)), concurrency)


def _in_parts(params: Params) -> Params:
    """Return the parameters of an object that goes in parts: its checksum is that of the whole."""
    stated = [name for name in params if is_checksum(name)]
    if not stated:
        return params
    algorithm = stated[0].removeprefix("Checksum")
    return {**params, "ChecksumAlgorithm": algorithm, "ChecksumType": "FULL_OBJECT"}


async def _pieces(source: object, size: int) -> AsyncGenerator[Part, None]:
    """Return the parts of what is no file on a disk, held in memory one by one."""
    body = await open_body(source)
    if body.length is None:
        return _parts(body, _growing(size))
    return _parts(body, repeat(_fitting(body.length, size)))


async def _parts(body: Body, sizes: Iterator[int]) -> AsyncGenerator[bytes, None]:
    """Yield the bytes of a body in parts of these sizes, the last one shorter, at least one.

    Raises:
        ParamValidationError: there are more or fewer bytes than the body said.
    """
    begun: list[memoryview] = []
    missing = next(sizes)
    total = 0
    pieces = aiter(body)
    try:
        async for piece in pieces:
            rest = memoryview(as_bytes(piece))
            total += len(rest)
            while len(rest) > missing:
                begun.append(rest[:missing])
                rest, missing = rest[missing:], next(sizes)
                yield await _joined(begun)
            begun.append(rest)
            missing -= len(rest)
    finally:
        await aclose(pieces)
    if body.length not in (None, total):
        raise ParamValidationError(f"The source has {total} bytes, but it said {body.length}")
    yield await _joined(begun)


async def _joined(pieces: list[memoryview]) -> bytes:
    """Join pieces, a millisecond for each megabyte, and let go of them."""
    data = await off_loop(b"".join, pieces)
    pieces.clear()
    return data


def _growing(size: int) -> Iterator[int]:
    """Yield sizes of parts for who knows how much: doubled every thousand, 10,000 are enough."""
    for number in count():
        yield size << (number // 1000)


async def _chained(begun: list[Part], others: AsyncIterator[Part]) -> AsyncIterator[Part]:
    while begun:
        yield begun.pop(0)
    async for data in others:
        yield data
        del data


async def _asynchronous(items: Iterator[T]) -> AsyncGenerator[T, None]:
    for item in items:
        yield item


async def _head(s3: ServiceClient, params: Params) -> dict[str, Any]:
    result: dict[str, Any] = await s3._call("HeadObject", known(s3, "HeadObject", params))
    return result


async def _verified(s3: ServiceClient, params: Params) -> Params:
    """Return parameters that ask for a checksum of the whole where ``GetObject`` asks for one."""
    settings = (await s3._session.ready()).settings
    rule = response_rule(s3._model().operation("GetObject"))
    return params if rule is None else rule.ask(params, settings.response_checksum_validation)


def _refuse(operation: str, reasons: Mapping[str, str], params: Params) -> None:
    """Refuse parameters for which there is a reason."""
    given = sorted(name for name in reasons if params.get(name) is not None)
    if given:
        faults = [f"{name}: {reasons[name]}" for name in given]
        raise ParamValidationError(operation=operation, faults=faults)


def _of_source(params: Params) -> Params:
    """Return what a copy says of its source, under the names that it has for the source itself.

    Its conditions among them: the copy itself asks for the version found, and S3 minds no other
    condition beside that.
    """
    prefix = "CopySource"
    found = {
        name.removeprefix(prefix): value
        for name, value in params.items()
        if name.startswith(prefix)
    }
    owner, payer = params.get("ExpectedSourceBucketOwner"), params.get("RequestPayer")
    return {**found, "ExpectedBucketOwner": owner, "RequestPayer": payer}


async def _begin(
    s3: ServiceClient, operation: str, params: Params, part_size: int, concurrency: int
) -> dict[str, Any]:
    """Check the arguments, and import what says which parameters an operation has.

    Returns:
        The parameters that are given: those that are None are not.
    """
    if part_size < _LEAST_PART:
        raise ParamValidationError(f"part_size is {part_size}; S3 wants at least {_LEAST_PART}")
    if concurrency < 1:
        raise ParamValidationError(f"concurrency is {concurrency}; it must be at least 1")
    model = await off_loop(s3._model)
    if operation not in model.operation_names:
        raise ParamValidationError(f"{s3!r} is no client of S3: it has no {operation}")
    unknown = params.keys() - known(s3, operation, params).keys()
    _refuse(operation, dict.fromkeys(unknown, "there is no such parameter") | _SETTLED, params)
    return {name: value for name, value in params.items() if value is not None}


def _fitting(size: int, part_size: int) -> int:
    """Return the size of parts with which there are few enough of them."""
    return max(part_size, -(-size // _MOST_PARTS))


def _ranges(size: int, part_size: int) -> Iterator[tuple[int, int]]:
    """Yield start and stop of each part."""
    for start in range(0, size, part_size):
        yield start, min(start + part_size, size)
