"""Signature Version 4: the ``Authorization`` header and presigned URLs.

The steps carry the names of the specification and can be called one by one, so that a mismatch is
found at its step: `canonical_request` (from `canonical_path`, `canonical_query` and
`canonical_headers`), `string_to_sign`, `credential_scope`, `signing_key`, `signature`. `SigV4` puts
them together and keeps what repeats from call to call.

Rules of this module:

* no IO, and no clock but where `SigV4.sign` and `SigV4.presign` are called without a time;
* what is kept belongs to one `SigV4` and is bounded; no secret is in a ``repr`` or an error;
* a header that could add a line to the request is refused before anything is signed.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from tornado_aws.canonical import (
    EMPTY_HASH,
    UNSIGNED_HEADERS,
    Pairs,
    canonical_headers,
    canonical_path,
    canonical_query,
    canonical_request,
    checked_token,
    escaped_path,
    hash_payload,
    join_query,
    masked,
    query_pairs,
)
from tornado_aws.credentials import Credentials
from tornado_aws.exceptions import ParamValidationError
from tornado_aws.signature import (
    ALGORITHM,
    MAX_EXPIRES,
    ChunkSigner,
    check_access_key,
    check_scope,
    credential_scope,
    signature,
    signing_key,
    string_to_sign,
)
from tornado_aws.signed_heads import Head, Moment, cut
from tornado_aws.transport import Fields, Headers
from tornado_aws.transport.fields import fields_of, with_host
from tornado_aws.unsigned import (
    GivenHeaders,
    header_pairs,
    http_date,
    merged_headers,
    split_url,
    whole_second,
)

__all__ = [
    "EMPTY_HASH",
    "UNSIGNED_HEADERS",
    "UNSIGNED_PAYLOAD",
    "ChunkSigner",
    "SigV4",
    "canonical_headers",
    "canonical_path",
    "canonical_query",
    "canonical_request",
    "credential_scope",
    "hash_payload",
    "masked",
    "signature",
    "signing_key",
    "string_to_sign",
]

UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"

# What signing writes itself; given besides, a request would carry two of them.
_WRITTEN = frozenset({"authorization", "x-amz-date"})

# Services that take a presigned request without a hash of its body.
_UNSIGNED_PAYLOAD_SERVICES = frozenset({"s3", "s3express", "s3-object-lambda", "s3-outposts"})

_INNER_PAD = bytes(byte ^ 0x36 for byte in range(256))
_OUTER_PAD = bytes(byte ^ 0x5C for byte in range(256))
_NO_HEADER = ("", "")
_NOBODY = Credentials("", "")


class SigV4:
    """Signs requests for one service in one region.

    A signer may be used by several threads.

    Args:
        service: the signing name (``dynamodb``); not always the name in the host.
        region: the signing region.
        double_encode: escape the path's escapes again; False for S3.
        normalize_path: resolve dot segments and repeated slashes in the path; False for S3.
        sign_payload_header: add ``X-Amz-Content-SHA256``, which S3 demands.
        token_header: the header, and the query parameter, that carries the session token; S3
            Express has one of its own.

    Raises:
        ParamValidationError: service or region is empty or has characters that are not of a name.
    """

    # The name of the algorithm, and what is sent and signed besides the time and the token.
    algorithm = ALGORITHM
    extra: Mapping[str, str] = {}

    # More than a program signs with, or sends in a second, at once; an entry is some hundred bytes.
    _MOST_KEYS = 64
    _MOST_HEADS = 256

    def __init__(
        self,
        service: str,
        region: str,
        *,
        double_encode: bool = True,
        normalize_path: bool = True,
        sign_payload_header: bool = False,
        token_header: str = "X-Amz-Security-Token",  # noqa: S107 - a header's name
    ) -> None:
        check_scope(service, region)
        self.service = service
        self.region = region
        self.double_encode = double_encode
        self.normalize_path = normalize_path
        self.sign_payload_header = sign_payload_header
        self.token_header = token_header
        self._keys: dict[tuple[str, str], bytes] = {}
        self._moment = Moment(-1, _NOBODY, "", "", b"", None, None, {})

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.service} {self.region}>"

    def sign(
        self,
        credentials: Credentials,
        method: str,
        url: str,
        headers: GivenHeaders,
        body: bytes | str | None,
        timestamp: datetime | float | None = None,
    ) -> dict[str, str]:
        """Return the headers to send with a request, ``Authorization`` included.

        The caller's headers stay; a repeated one gets one line, its values joined with commas.
        Added are ``Host``, ``X-Amz-Date``, the session token and, if the signer was told so,
        ``X-Amz-Content-SHA256``. A caller's ``Host`` and ``X-Amz-Content-SHA256``
        (``UNSIGNED-PAYLOAD``, ``STREAMING-...``, a hash) are respected; ``X-Amz-Date``,
        ``Authorization`` and the token of other credentials are replaced, and a ``Date`` that
        tells another time is dropped.

        Args:
            credentials: what to sign with.
            method: the HTTP method.
            url: the absolute URL as it will be sent; user information and fragment are ignored.
            headers: a mapping or (name, value) pairs.
            body: the whole body; text counts as UTF-8.
            timestamp: when the request is made: a datetime (a naive one is UTC) or seconds since
                1970; None for now.

        Raises:
            ParamValidationError: the URL is not absolute http or https, or a header could add
                lines to the request.
        """
        second = int(time.time()) if timestamp is None else whole_second(timestamp)
        moment = self._moment
        if moment.second != second or moment.credentials is not credentials:
            moment = self._begin(credentials, second)
        # Asking for `Mapping` would cost a tenth of the whole.
        given = tuple(headers.items()) if type(headers) is dict else header_pairs(headers)
        name = (method, url, given)
        try:
            head = moment.heads.get(name)
        except TypeError:
            raise _not_text(given) from None
        if head is None:
            head = self._keep(moment, name, self._head_of_url(moment, *name))
        payload = head.payload or hash_payload(body)
        sent = head.headers.copy()
        if head.adds_payload:
            sent["X-Amz-Content-SHA256"] = payload
        sent["Authorization"] = f"{head.authorization}{self._signed(moment, head, payload)}"
        return sent

    def authorize(
        self,
        credentials: Credentials,
        method: str,
        host: str,
        path: str,
        query: str,
        headers: Headers,
        payload: bytes | str | None,
        timestamp: float,
    ) -> Fields:
        """Return the header lines of a request whose parts are known: the way of every attempt.

        Nothing is parsed or merged here. The lines are ``Host``, `headers` and what signing adds:
        ``X-Amz-Date``, the session token, ``Authorization``, and ``X-Amz-Content-SHA256`` if the
        signer was told so and `headers` has none.

        Args:
            credentials: what to sign with.
            method: the HTTP method in upper case.
            host: the ``Host`` header to send if `headers` has none.
            path: the path as sent.
            query: the query as sent, without the question mark.
            headers: the other headers as sent, without those that signing adds.
            payload: the body's bytes, or the text that stands for its hash (``UNSIGNED-PAYLOAD``).
                An ``X-Amz-Content-SHA256`` in `headers` wins.
            timestamp: when the request is made, in seconds since 1970.

        Raises:
            ParamValidationError: `headers` has one that signing adds, or a header could add lines
                to the request.
        """
        second = int(timestamp)
        moment = self._moment
        if moment.second != second or moment.credentials is not credentials:
            moment = self._begin(credentials, second)
        name = (method, host, path, query, tuple(headers))
        try:
            head = moment.heads.get(name)
        except TypeError:
            raise _not_text(headers) from None
        if head is None:
            head = self._keep(moment, name, self._head_of_parts(moment, *name))
        if head.payload:
            payload = head.payload
        elif not isinstance(payload, str):
            payload = hash_payload(payload)
        before, names = head.fields
        text = f"{before}{self._signed(moment, head, payload)}\r\n"
        if head.adds_payload:
            text = f"{text}X-Amz-Content-SHA256: {payload}\r\n"
        return text, names

    def chunk_signer(
        self, credentials: Credentials, authorization: str, timestamp: float
    ) -> ChunkSigner:
        """Return what signs the chunks of a request whose head is signed.

        Args:
            credentials: what the head was signed with.
            authorization: the head's ``Authorization`` header.
            timestamp: when it was signed, in seconds since 1970.
        """
        second = int(timestamp)
        moment = self._moment
        if moment.second != second or moment.credentials is not credentials:
            moment = self._begin(credentials, second)
        seed = authorization.rpartition("Signature=")[2]
        return ChunkSigner(moment.key, moment.stamp, moment.scope, seed)

    def presign(
        self,
        credentials: Credentials,
        method: str,
        url: str,
        headers: GivenHeaders = None,
        expires: int = 3600,
        timestamp: datetime | float | None = None,
        payload_hash: str | None = None,
    ) -> str:
        """Return a URL that makes the request for whoever holds it, for a while.

        Args:
            credentials: what to sign with; the URL ends with them, however long `expires` is.
            method: the HTTP method.
            url: the absolute URL; a plus sign in its query is a space. What an earlier
                presigning added is replaced.
            headers: headers that must be sent with the URL, a mapping or (name, value) pairs.
            expires: seconds that the URL is valid, 1 to 604800 (a week).
            timestamp: when this begins: a datetime (a naive one is UTC) or seconds since 1970;
                None for now.
            payload_hash: SHA-256 of the body that must be sent, in hexadecimal; None for
                ``UNSIGNED-PAYLOAD`` with S3 and for no body with other services.

        Raises:
            ParamValidationError: `expires` is out of range, the URL is not absolute http or https,
                or a header could add lines to the request.
        """
        if not 1 <= expires <= MAX_EXPIRES:
            raise ParamValidationError(
                f"expires is {expires!r}; a presigned URL is valid for 1 to {MAX_EXPIRES} seconds"
            )
        target = split_url(url)
        second = int(time.time()) if timestamp is None else whole_second(timestamp)
        moment = self._moment
        if moment.second != second or moment.credentials is not credentials:
            moment = self._begin(credentials, second)
        given = self._cleaned(moment, header_pairs(headers))
        given.setdefault("host", ("host", target.host))
        lines, names = canonical_headers(given.values())
        added = {
            "X-Amz-Algorithm": self.algorithm,
            "X-Amz-Credential": f"{credentials.access_key}/{moment.scope}",
            "X-Amz-Date": moment.stamp,
            "X-Amz-Expires": str(expires),
            "X-Amz-SignedHeaders": names,
            **self.extra,
        }
        if credentials.security_token:
            added[self.token_header] = credentials.security_token
        pairs = _presigned_query(target.query, added, self.token_header)
        request = canonical_request(
            checked_token(method).upper(),
            self._canonical_path(target.path),
            join_query(sorted(pairs)),
            lines,
            names,
            payload_hash or given.get("x-amz-content-sha256", _NO_HEADER)[1] or self._no_payload,
        )
        to_sign = string_to_sign(moment.stamp, moment.scope, request, self.algorithm)
        pairs.append(("X-Amz-Signature", self._signature(moment, to_sign)))
        return f"{target.origin}{escaped_path(target.path)}?{join_query(pairs)}"

    def explain(self, method: str, url: str, sent: GivenHeaders, body: bytes | str | None) -> str:
        """Return the canonical request that was signed for these headers, the token masked.

        For finding the difference when a service answers ``SignatureDoesNotMatch`` with its own.

        Args:
            method: the HTTP method.
            url: the URL that was signed.
            sent: the headers that `sign` returned.
            body: the body that was signed.
        """
        target = split_url(url)
        given = merged_headers(header_pairs(sent))
        given.pop("authorization", None)
        lines, names = canonical_headers(given.values())
        return masked(
            canonical_request(
                method.upper(),
                self._canonical_path(target.path),
                canonical_query(target.query),
                lines,
                names,
                given.get("x-amz-content-sha256", ("", hash_payload(body)))[1],
            )
        )

    @property
    def _no_payload(self) -> str:
        return UNSIGNED_PAYLOAD if self.service in _UNSIGNED_PAYLOAD_SERVICES else EMPTY_HASH

    def _canonical_path(self, path: str) -> str:
        return canonical_path(path, double_encode=self.double_encode, normalize=self.normalize_path)

    def _begin(self, credentials: Credentials, second: int) -> Moment:
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(second))
        scope = credential_scope(stamp[:8], self.region, self.service)
        key = self._key(credentials, stamp[:8])
        block = key.ljust(64, b"\0")
        inner = hashlib.sha256(block.translate(_INNER_PAD))
        inner.update(f"{ALGORITHM}\n{stamp}\n{scope}\n".encode())
        outer = hashlib.sha256(block.translate(_OUTER_PAD))
        self._moment = Moment(second, credentials, stamp, scope, key, inner, outer, {})
        return self._moment

    def _signed(self, moment: Moment, head: Head, payload: str) -> str:
        """Return the signature in hexadecimal, what `string_to_sign` and `signature` lead to.

        Copied hash states cost 1.0 microseconds, those two functions 2.3: OpenSSL 3 looks a hash
        and a MAC up every time one is begun.
        """
        request = head.start.copy()
        request.update(payload.join(head.rest).encode())
        inner = moment.inner.copy()
        inner.update(request.hexdigest().encode())
        outer = moment.outer.copy()
        outer.update(inner.digest())
        return str(outer.hexdigest())

    def _signature(self, moment: Moment, to_sign: str) -> str:
        return signature(moment.key, to_sign)

    def _key(self, credentials: Credentials, date: str) -> bytes:
        key = self._keys.get((credentials.secret_key, date))
        if key is None:
            check_access_key(credentials)
            key = signing_key(credentials.secret_key, date, self.region, self.service)
            if len(self._keys) >= self._MOST_KEYS:
                self._keys.clear()
            self._keys[credentials.secret_key, date] = key
        return key

    def _keep(self, moment: Moment, name: Any, head: Head) -> Head:
        if len(moment.heads) >= self._MOST_HEADS:
            moment.heads.clear()
        moment.heads[name] = head
        return head

    def _head_of_url(
        self, moment: Moment, method: str, url: str, headers: tuple[tuple[str, str], ...]
    ) -> Head:
        """Return the head of a request; its headers are all that is sent."""
        target = split_url(url)
        given = self._cleaned(moment, headers)
        spelling, host = given.pop("host", ("Host", target.host))
        pairs = list(given.values())
        verb = checked_token(method).upper()
        head = self._head(moment, verb, host, target.path, target.query, pairs)
        head.headers = {**dict(pairs), spelling: host, **head.headers}
        return head

    def _head_of_parts(
        self,
        moment: Moment,
        method: str,
        host: str,
        path: str,
        query: str,
        headers: Sequence[tuple[str, str]],
    ) -> Head:
        """Return the head of a request with its lines; its headers are those that signing adds."""
        first, *others = with_host(host, headers)
        head = self._head(moment, method, first[1], path, query, others)
        added = [*head.headers.items(), ("Authorization", head.authorization)]
        text, names = fields_of([first, *others, *added])
        if head.adds_payload:
            names |= {"x-amz-content-sha256"}
        head.fields = (text.removesuffix("\r\n"), names)
        return head

    def _head(
        self,
        moment: Moment,
        method: str,
        host: str,
        path: str,
        query: str,
        headers: Sequence[tuple[str, str]],
    ) -> Head:
        """Return the head of a request; its headers are those that signing adds."""
        added = {"X-Amz-Date": moment.stamp, **self.extra}
        if moment.credentials.security_token:
            added[self.token_header] = moment.credentials.security_token
        own_payload = self._own_payload(headers, added)
        adds_payload = self.sign_payload_header and not own_payload
        lines, names = canonical_headers(
            [
                ("host", host),
                *headers,
                *added.items(),
                *([("x-amz-content-sha256", "")] if adds_payload else []),
            ]
        )
        request = canonical_request(
            method, self._canonical_path(path), canonical_query(query), lines, names, ""
        )
        authorization = (
            f"{self.algorithm} Credential={moment.credentials.access_key}/{moment.scope},"
            f" SignedHeaders={names}, Signature="
        )
        start, rest = cut(request, adds_payload)
        hashed = hashlib.sha256(start.encode())
        return Head(hashed, rest, authorization, added, own_payload, adds_payload)

    def _own_payload(self, headers: Sequence[tuple[str, str]], added: Mapping[str, str]) -> str:
        """Return the hash that the caller gave; refuse what signing writes itself."""
        written = {*_WRITTEN, *[name.lower() for name in added]}
        payload = ""
        for name, value in headers:
            lower = name.lower()
            if lower in written:
                raise ParamValidationError(
                    f"Header {name} is written when the request is signed: leave it out"
                )
            if lower == "x-amz-content-sha256":
                payload = value.strip()
        return payload

    def _cleaned(self, moment: Moment, headers: Pairs) -> dict[str, tuple[str, str]]:
        """Return the caller's headers by lower-case name, without what signing writes anew."""
        given = merged_headers(headers)
        if given.get("date", _NO_HEADER)[1] != http_date(moment.second):
            given.pop("date", None)
        given.pop("x-amz-date", None)
        given.pop("authorization", None)
        if moment.credentials.security_token:
            given.pop(self.token_header.lower(), None)
        return given


def _not_text(headers: Pairs) -> ParamValidationError:
    """Return the error for header values so far from text that they have no hash."""
    names = [name for name, value in headers if not isinstance(value, str)]
    return ParamValidationError(f"The values of these headers must be str: {', '.join(names)}")


def _presigned_query(
    query: str, added: Mapping[str, str], token_header: str
) -> list[tuple[str, str]]:
    """Return the escaped pairs of a query and those of signing, an earlier signature dropped."""
    replaced = {*added, token_header, "X-Amz-Signature"}
    pairs = [pair for pair in query_pairs(query.replace("+", "%20")) if pair[0] not in replaced]
    return [*pairs, *[(name, quote(value, safe="~")) for name, value in added.items()]]
