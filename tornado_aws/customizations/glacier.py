"""Glacier: the own account as a default, the version of the API, and checksums of uploads."""

from __future__ import annotations

from hashlib import sha256

from tornado_aws.customizations import Hooks, Params
from tornado_aws.model import Operation
from tornado_aws.protocols import HTTPParts

__all__ = ["TreeHash", "hooks", "tree_hash"]

_UPLOADS = frozenset({"UploadArchive", "UploadMultipartPart"})
_LEAF = 1024 * 1024  # bytes, fixed by the API
_SHA256, _TREE_HASH = "x-amz-content-sha256", "x-amz-sha256-tree-hash"


def hooks(operation: Operation) -> Hooks:
    """Return what is peculiar to an operation."""
    version = ("x-amz-glacier-version", operation.model.metadata["apiVersion"])
    is_upload = operation.name in _UPLOADS

    def complete(parts: HTTPParts) -> HTTPParts:
        headers = [*parts.headers, version]
        if is_upload:
            headers += _checksums(parts)
        return parts._replace(headers=headers)

    return Hooks(
        before_serialize=_own_account,
        after_serialize=complete,
        body_hashes={_SHA256: sha256, _TREE_HASH: TreeHash} if is_upload else {},
    )


def _own_account(params: Params) -> Params:
    return params if params.get("accountId") is not None else {**params, "accountId": "-"}


def _checksums(parts: HTTPParts) -> list[tuple[str, str]]:
    """Return the checksums of a body in memory that the caller has not given himself."""
    body = b"" if parts.body is None else parts.body
    if not isinstance(body, bytes):
        return []
    given = {name.lower() for name, _ in parts.headers}
    makers = ((_SHA256, _sha256_of), (_TREE_HASH, tree_hash))
    return [(name, make(body)) for name, make in makers if name not in given]


def _sha256_of(data: bytes) -> str:
    return sha256(data).hexdigest()


def tree_hash(data: bytes) -> str:
    """Return the root of the binary tree of SHA-256 hashes over each MiB of `data`, in hex."""
    tree = TreeHash()
    tree.update(data)
    return tree.digest().hex()


class TreeHash:
    """The root of the binary tree of SHA-256 hashes over each MiB of what comes piece by piece."""

    def __init__(self) -> None:
        self._leaves: list[bytes] = []
        self._begun = sha256()
        self._missing = _LEAF

    def update(self, data: bytes | memoryview, /) -> None:
        """Take the next bytes."""
        rest = memoryview(data)
        while rest:
            if not self._missing:
                self._leaves.append(self._begun.digest())
                self._begun, self._missing = sha256(), _LEAF
            piece = rest[: self._missing]
            self._begun.update(piece)
            self._missing -= len(piece)
            rest = rest[len(piece) :]

    def digest(self) -> bytes:
        """Return the root over what was taken."""
        level = [*self._leaves, self._begun.digest()]
        while len(level) > 1:
            pairs = [level[start : start + 2] for start in range(0, len(level), 2)]
            level = [
                sha256(b"".join(pair)).digest() if len(pair) == 2 else pair[0] for pair in pairs
            ]
        return level[0]
