"""Request bodies compressed with gzip, where an operation's model says that they may be."""

from __future__ import annotations

import asyncio
import gzip

from tornado_aws.model import Operation
from tornado_aws.protocols import HTTPParts

__all__ = ["compressed", "takes_gzip"]

# Compressing more than this takes longer than a switch of threads, in bytes.
_LONG = 65536


def takes_gzip(operation: Operation) -> bool:
    """Tell whether the service takes an operation's bodies compressed."""
    encodings = operation.traits.get("requestcompression", {}).get("encodings", ())
    return "gzip" in encodings


async def compressed(parts: HTTPParts, least: int) -> HTTPParts:
    """Return a request with its body compressed; a body that is no bytes stays as it is.

    Args:
        parts: the request.
        least: the shortest body that is worth it, in bytes.
    """
    body = parts.body
    if not isinstance(body, bytes) or len(body) < least:
        return parts
    if len(body) > _LONG:
        packed = await asyncio.get_running_loop().run_in_executor(None, gzip.compress, body)
    else:
        packed = gzip.compress(body)
    headers = [pair for pair in parts.headers if pair[0].lower() != "content-encoding"]
    given = [value for name, value in parts.headers if name.lower() == "content-encoding"]
    headers.append(("Content-Encoding", ", ".join([*given, "gzip"])))
    return parts._replace(headers=headers, body=packed)
