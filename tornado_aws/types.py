"""Types that the generated packages share, for annotations."""

from __future__ import annotations

import os
from collections.abc import AsyncIterable, Iterable
from datetime import datetime
from typing import IO, Any, NotRequired, TypeAlias, TypedDict

# A member of a result that the service may leave out. mypy lets a member be read that may be
# missing, and then knows that `get` may give None; pyright does not let it be read, so that to it
# the member is always there. mypy takes `MYPY` for true.
MYPY = False
if MYPY:
    from typing import NotRequired as Returned
else:
    from typing import Required as Returned

# What a blob parameter accepts; str is encoded as UTF-8, a file is read from where it stands.
Blob: TypeAlias = bytes | bytearray | memoryview | str | IO[bytes]

# What a timestamp parameter accepts; numbers are seconds since 1970, text is ISO 8601, a naive
# datetime is taken as UTC, as botocore takes it.
Timestamp: TypeAlias = datetime | int | float | str

# What a streaming blob parameter accepts besides.
StreamingBlob: TypeAlias = Blob | os.PathLike[str] | Iterable[bytes] | AsyncIterable[bytes]

# What a list of texts accepts; one text is no list of texts.
StringList: TypeAlias = list[str] | tuple[str, ...]

# What a document (free-form JSON) is.
Document: TypeAlias = dict[str, Any] | list[Any] | str | int | float | bool | None


__all__ = [
    "Blob",
    "Document",
    "EmptyResult",
    "ResponseMetadata",
    "Returned",
    "StreamingBlob",
    "StringList",
    "Timestamp",
]


class ResponseMetadata(TypedDict):
    """What came with a result: ids, status and headers (names in lower case)."""

    RequestId: str
    HostId: NotRequired[str]
    HTTPStatusCode: int
    HTTPHeaders: dict[str, str]
    RetryAttempts: int


class EmptyResult(TypedDict):
    """The result of an operation that has none."""

    ResponseMetadata: ResponseMetadata
