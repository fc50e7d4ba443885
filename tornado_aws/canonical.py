"""The canonical form of a request, which Signature Version 4 signs.

The functions carry the names of the specification ("Create a signed AWS API request" in AWS's
Identity and Access Management guide). A URL is taken as it is on the wire; what may not stand in
one (a space, a letter beyond ASCII) is escaped as the published examples do it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import TypeAlias
from urllib.parse import quote, unquote_to_bytes

from tornado_aws.exceptions import ParamValidationError
from tornado_aws.transport.fields import TOKEN

_NO_BYTES = hashlib.sha256()
EMPTY_HASH = _NO_BYTES.hexdigest()

# Headers that proxies and HTTP libraries add or change on the way (botocore/auth.py,
# SIGNED_HEADERS_BLACKLIST, 1.43); signed, they would break the signature.
UNSIGNED_HEADERS = frozenset(
    {
        "baggage",
        "connection",
        "expect",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "traceparent",
        "tracestate",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        "x-amzn-trace-id",
    }
)

_PLAIN_PATH = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*/?")  # no rule changes such a path
_PLAIN_QUERY = re.compile(r"[A-Za-z0-9._~+-]*")
_LEGAL_IN_PATH = "/%:@!$&'()*+,;=~"  # RFC 3986, section 3.3
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_FOLD = re.compile(r"\r?\n[ \t]+")  # RFC 9112, section 5.2
_SPACES = re.compile(r"[ \t]+")
_SECRETS = re.compile(r"(?i)(x-amz-(?:security|s3session)-token[:=]|\bSignature=)[^\n&]*")

Pairs: TypeAlias = Iterable[tuple[str, str]]


def canonical_path(path: str, *, double_encode: bool = True, normalize: bool = True) -> str:
    """Return the path as it enters the canonical request.

    Args:
        path: the path as sent; "" counts as "/".
        double_encode: escape the escapes too, as every service but S3 does.
        normalize: resolve ``.`` and ``..`` and drop repeated slashes, as every service but S3 does.
    """
    if _PLAIN_PATH.fullmatch(path):
        return path or "/"
    if normalize:
        path = _without_dots(path)
    return quote(path, safe="/~") if double_encode else escaped_path(path)


def _without_dots(path: str) -> str:
    segments: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del segments[-1:]
        elif segment not in ("", "."):
            segments.append(segment)
    end = "/" if segments and path.endswith("/") else ""
    return f"/{'/'.join(segments)}{end}"


def escaped_path(path: str) -> str:
    """Escape what may not stand in a path; everything else stays as it is."""
    return quote(path, safe=_LEGAL_IN_PATH)


def canonical_query(query: str) -> str:
    """Return the query as it enters the canonical request.

    Pairs are sorted by their escaped name, then by their escaped value; a name alone gets an empty
    value. All but unreserved characters are escaped, and no escape is escaped again. A plus sign
    stays: services do not agree on what it means, so escape it (``%2B``) before.

    Args:
        query: the query as sent, without the question mark.
    """
    return join_query(sorted(query_pairs(query))) if query else ""


def query_pairs(query: str) -> list[tuple[str, str]]:
    """Return the escaped names and values of a query, in its order."""
    pairs = []
    for pair in query.split("&"):
        if pair:
            name, _, value = pair.partition("=")
            pairs.append((_escaped(name), _escaped(value)))
    return pairs


def _escaped(text: str) -> str:
    """Escape what is not unreserved; the same bytes give the same text, escaped before or not."""
    if _PLAIN_QUERY.fullmatch(text):
        return text
    return "+".join([quote(unquote_to_bytes(part), safe="~") for part in text.split("+")])


def join_query(pairs: Pairs) -> str:
    """Return escaped names and values as a query."""
    return "&".join([f"{name}={value}" for name, value in pairs])


def canonical_headers(headers: Pairs) -> tuple[str, str]:
    r"""Return the canonical headers and the list of their names.

    .. code-block:: text

        content-type:application/json\n
        host:sts.amazonaws.com\n            content-type;host

    Names in lower case and sorted; values trimmed, inner runs of spaces collapsed; the values of a
    repeated name joined with commas; `UNSIGNED_HEADERS` left out.

    Args:
        headers: (name, value) pairs, ``Host`` included.

    Raises:
        ParamValidationError: a name is no HTTP token, or a value holds a control character.
    """
    values: dict[str, str] = {}
    for name, value in headers:
        lower = checked_token(name).lower()
        line = _line(name, value)
        values[lower] = f"{values[lower]},{line}" if lower in values else line
    names = sorted(values.keys() - UNSIGNED_HEADERS)
    return "".join([f"{name}:{values[name]}\n" for name in names]), ";".join(names)


def checked_token(name: str) -> str:
    """Return a method or header name; `ParamValidationError` when it is no HTTP token."""
    if not TOKEN.fullmatch(name):
        raise ParamValidationError(f"{name!r} is not a valid HTTP method or header name")
    return name


def _line(name: str, value: str) -> str:
    if isinstance(value, str) and value.isprintable() and "  " not in value:
        return value.strip(" ")
    return _SPACES.sub(" ", unfolded(name, value)).strip(" ")


def unfolded(name: str, value: str) -> str:
    """Return a header's value on one line, folded lines joined with a space.

    Raises:
        ParamValidationError: the value is not text or holds a control character. The error does not
            show the value, which may be a secret.
    """
    if not isinstance(value, str):
        raise ParamValidationError(
            f"The value of header {name} must be str, not {type(value).__name__}"
        )
    if value.isprintable():
        return value
    value = _FOLD.sub(" ", value)
    bad = _CONTROL.search(value)
    if bad:
        raise ParamValidationError(
            f"The value of header {name} holds the control character {bad[0]!r} at {bad.start()};"
            " nothing was signed"
        )
    return value


def hash_payload(body: bytes | str | None) -> str:
    """Return the SHA-256 of a body in hexadecimal; text counts as UTF-8."""
    if not body:
        return EMPTY_HASH
    hashed = _NO_BYTES.copy()  # cheaper than a new one, which OpenSSL 3 looks up by name
    hashed.update(body.encode() if isinstance(body, str) else body)
    return hashed.hexdigest()


def canonical_request(
    method: str, path: str, query: str, headers: str, names: str, payload: str
) -> str:
    r"""Return the canonical request.

    .. code-block:: text

        POST\n
        /canonical/path\n
        canonical=query\n
        host:sts.amazonaws.com\n
        \n
        host\n
        payload hash

    Args:
        method: the HTTP method in upper case.
        path: what `canonical_path` made.
        query: what `canonical_query` made.
        headers: the canonical headers, from `canonical_headers`.
        names: the signed headers' names, from there too.
        payload: what `hash_payload` made, or a word such as ``UNSIGNED-PAYLOAD``.
    """
    return f"{method}\n{path}\n{query}\n{headers}\n{names}\n{payload}"


def masked(text: str) -> str:
    """Return a canonical request, an ``Authorization`` value or a URL without its secrets.

    Session tokens and signatures are replaced, so that the rest can be shown and compared.
    """
    return _SECRETS.sub(r"\1***", text)
