"""What the server of the benchmarks answers, by name: heads and bodies as AWS sends them."""

from __future__ import annotations

import json
import zlib

from benchmarks import json_payloads

_JSON = "application/x-amz-json-1.0"


def _answer(kind: str, body: bytes, more: str = "") -> bytes:
    head = (
        "HTTP/1.1 200 OK\r\nServer: Server\r\nDate: Tue, 01 Jul 2025 10:00:00 GMT\r\n"
        f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: keep-alive\r\n"
        f"x-amzn-RequestId: 3VJ2KJH4K2J3H4K2J3H4KVV4KQNSO5AEMVJF66Q9ASUAAJG\r\n{more}\r\n"
    )
    return head.encode() + body


def _dynamodb(result: object) -> bytes:
    body = json.dumps(result, separators=(",", ":")).encode()
    return _answer(_JSON, body, f"x-amz-crc32: {zlib.crc32(body)}\r\n")


def answers() -> dict[str, bytes]:
    """Return the answers."""
    return {
        "describe-table": _dynamodb(json_payloads.described_table()),
        "query": _dynamodb(json_payloads.queried(140)),
        "page": _dynamodb({"TableNames": ["a"], "LastEvaluatedTableName": "a"}),
        "1KB": _answer(_JSON, bytes(1 << 10)),
        "100KB": _answer(_JSON, bytes(100 << 10)),
        "10MB": _answer("binary/octet-stream", bytes(10 << 20), 'ETag: "e"\r\n'),
    }
