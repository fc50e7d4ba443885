"""Checksums of bodies: how they are computed, and which of them a request or a response gets.

The rules are those of the models' ``httpChecksum`` and ``httpChecksumRequired`` traits and of the
settings ``request_checksum_calculation`` and ``response_checksum_validation``. CRC32, SHA and MD5
come with Python; CRC32C, CRC64NVME and the XXHASH family from awscrt, which the extra ``crt``
installs.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from base64 import b64encode
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any, NamedTuple, Protocol

from tornado_aws.exceptions import ParamValidationError, ReadError, UnsupportedOperationError
from tornado_aws.model import Operation

__all__ = [
    "Algorithm",
    "Checksum",
    "RequestRule",
    "ResponseRule",
    "Verifier",
    "algorithm",
    "has_checksum",
    "request_rule",
    "response_rule",
    "verifier",
]

ALWAYS = "when_supported"
# The ``error`` of the `ReadError` of a body that is not what its checksum was computed of.
MISMATCH = "wrong checksum"
DEFAULT = "CRC32"

_HEADER = re.compile(r"x-amz-checksum-(?!algorithm$|mode$|type$)[a-z0-9]+", re.IGNORECASE)


class Checksum(Protocol):
    """A checksum under way."""

    def update(self, data: bytes | memoryview, /) -> object:
        """Take the next bytes."""

    def digest(self) -> bytes:
        """Return the checksum of what was taken."""
        ...


class Algorithm(NamedTuple):
    """A way to compute a checksum.

    Attributes:
        name: as the APIs spell it (``CRC32``).
        new: begins a checksum.
        is_slow: whether a megabyte takes it milliseconds.
    """

    name: str
    new: Callable[[], Checksum]
    is_slow: bool

    @property
    def header(self) -> str:
        """The header, or trailer, that carries it."""
        return f"x-amz-checksum-{self.name.lower()}"

    def of(self, data: bytes) -> str:
        """Return the checksum of `data` as it stands in the header."""
        checksum = self.new()
        checksum.update(data)
        return encoded(checksum)


def encoded(checksum: Checksum) -> str:
    """Return a checksum as it stands in a header."""
    return b64encode(checksum.digest()).decode()


class _CRC:
    """A checksum that is a number, computed piece by piece."""

    __slots__ = ("_size", "_step", "_value")

    def __init__(self, step: Callable[[Any, int], int], size: int) -> None:
        self._step = step
        self._size = size
        self._value = 0

    def update(self, data: bytes | memoryview) -> None:
        self._value = self._step(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(self._size, "big")


class _XXHash:
    """A checksum of awscrt that ends with its first digest."""

    __slots__ = ("_digest", "_hash")

    def __init__(self, make: Callable[[], Any]) -> None:
        self._hash = make()
        self._digest: bytes | None = None

    def update(self, data: bytes | memoryview) -> None:
        self._hash.update(data)

    def digest(self) -> bytes:
        digest = self._digest
        if digest is None:
            digest = self._digest = bytes(self._hash.finalize())
        return digest


def _hash(name: str) -> Algorithm:
    new = partial(hashlib.new, name, usedforsecurity=False)
    return Algorithm(name.upper(), new, is_slow=True)


_BUILT_IN: Mapping[str, Algorithm] = {
    "CRC32": Algorithm("CRC32", lambda: _CRC(zlib.crc32, 4), is_slow=False),
    **{name.upper(): _hash(name) for name in ("sha1", "sha256", "sha512", "md5")},
}

# Of awscrt's module: the function of a CRC and its size in bytes, or the maker of a hash.
_CRT_CRCS = {"CRC32C": ("crc32c", 4), "CRC64NVME": ("crc64nvme", 8)}
_CRT_HASHES = {
    "XXHASH64": "new_xxhash64",
    "XXHASH3": "new_xxhash3_64",
    "XXHASH128": "new_xxhash3_128",
}

# Which checksum of a response to verify when it has several: botocore's order (httpchecksum.py).
_PREFERENCE = (
    "XXHASH128",
    "XXHASH3",
    "CRC64NVME",
    "XXHASH64",
    "CRC32C",
    "CRC32",
    "SHA1",
    "SHA256",
    "SHA512",
    "MD5",
)


def algorithm(name: str) -> Algorithm:
    """Return the algorithm that the APIs call `name`.

    Raises:
        UnsupportedOperationError: it needs awscrt, which is missing or too old.
        ParamValidationError: there is none of this name.
    """
    name = name.upper()
    if name in _BUILT_IN:
        return _BUILT_IN[name]
    if name not in _CRT_CRCS and name not in _CRT_HASHES:
        known = ", ".join([*_BUILT_IN, *_CRT_CRCS, *_CRT_HASHES])
        raise ParamValidationError(f"{name!r} is not a checksum algorithm; known are {known}")
    found = _from_crt(name)
    if found is None:
        raise UnsupportedOperationError(
            f"The checksum {name} needs awscrt >= 0.31.2: pip install 'tornado-aws[crt]'"
        )
    return found


def _from_crt(name: str) -> Algorithm | None:
    if find_spec("awscrt") is None:
        return None
    module = import_module("awscrt.checksums")
    if name in _CRT_CRCS:
        function, size = _CRT_CRCS[name]
        step = getattr(module, function, None)
        return Algorithm(name, lambda: _CRC(step, size), is_slow=False) if step else None
    make = getattr(getattr(module, "XXHash", None), _CRT_HASHES[name], None)
    return Algorithm(name, lambda: _XXHash(make), is_slow=False) if make else None


def has_checksum(names: Iterable[str]) -> bool:
    """Tell whether one of these headers carries a checksum."""
    return any(_HEADER.fullmatch(name) for name in names)


# --- requests -------------------------------------------------------------------------------------


class RequestRule(NamedTuple):
    """What an operation's model says of its requests' checksums.

    Attributes:
        member: the parameter that names the algorithm, "" without one.
        header: the header of that parameter.
        is_required: whether the service wants a checksum in any case.
    """

    member: str
    header: str
    is_required: bool

    def choose(
        self, params: Mapping[str, Any], headers: Collection[str], calculation: str
    ) -> Algorithm | None:
        """Return the checksum that a request gets, None if it gets none.

        Args:
            params: the parameters.
            headers: names of the headers that they became; a checksum given there is enough.
            calculation: the setting ``request_checksum_calculation``.

        Raises:
            UnsupportedOperationError: the algorithm asked for needs awscrt.
            ParamValidationError: it is unknown.
        """
        if has_checksum(headers):
            return None
        if self.member in params:
            return algorithm(params[self.member])
        wanted = self.is_required or (bool(self.member) and calculation == ALWAYS)
        return _BUILT_IN[DEFAULT] if wanted else None


def request_rule(operation: Operation) -> RequestRule | None:
    """Return what the model says of a request's checksums, None if nothing."""
    trait = operation.traits.get("httpChecksum", {})
    member: str = trait.get("requestAlgorithmMember", "")
    required = trait.get("requestChecksumRequired") or operation.traits.get("httpChecksumRequired")
    if not member and not required:
        return None
    ref = operation.input.shape.members.get(member) if operation.input else None
    header = ref.traits.get("locationName", "") if ref else ""
    return RequestRule(member, header, bool(required))


# --- responses ------------------------------------------------------------------------------------


class Verifier:
    """Computes the checksum of a body that is read, and compares it at the end.

    Args:
        kind: the algorithm.
        expected: the checksum that the response states.
    """

    def __init__(self, kind: Algorithm, expected: str) -> None:
        self._kind = kind
        self._expected = expected
        self._checksum = kind.new()
        self.update = self._checksum.update

    def verify(self) -> None:
        """Compare.

        Raises:
            ReadError: the body is not what the checksum was computed of.
        """
        found = encoded(self._checksum)
        if found != self._expected:
            raise ReadError(
                f"The body's {self._kind.name} is {found}, but {self._kind.header} promised"
                f" {self._expected}",
                error=MISMATCH,
            )


class ResponseRule(NamedTuple):
    """What an operation's model says of its responses' checksums.

    Attributes:
        member: the parameter that asks for them.
        algorithms: those that responses may have, the preferred ones first.
    """

    member: str
    algorithms: Sequence[str]

    def ask(self, params: Mapping[str, Any], validation: str) -> Mapping[str, Any]:
        """Return the parameters, asking for a checksum if that is wanted always."""
        if validation != ALWAYS or self.member in params:
            return params
        return {**params, self.member: "ENABLED"}


def response_rule(operation: Operation) -> ResponseRule | None:
    """Return what the model says of a response's checksums, None if nothing."""
    trait = operation.traits.get("httpChecksum", {})
    member = trait.get("requestValidationModeMember")
    if not member:
        return None
    offered = {name.upper() for name in trait.get("responseAlgorithms", ())}
    return ResponseRule(member, [name for name in _PREFERENCE if name in offered])


def verifier(rule: ResponseRule, headers: Mapping[str, str]) -> Verifier | None:
    """Return what verifies a response's body, None if nothing can.

    A checksum of checksums (``...-3``: of the parts of a multipart upload) is no checksum of the
    body, and one that would need awscrt is passed over where that is missing.

    Args:
        rule: what `response_rule` gave.
        headers: the response's headers, names in lower case.
    """
    for name in rule.algorithms:
        stated = headers.get(f"x-amz-checksum-{name.lower()}")
        if stated is None or "-" in stated:
            continue
        kind = _BUILT_IN.get(name) or _from_crt(name)
        if kind is not None:
            return Verifier(kind, stated)
    return None
