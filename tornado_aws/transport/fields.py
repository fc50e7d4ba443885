"""Header fields: those of a request as the text that goes on the wire, and their values by name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TypeAlias

from tornado_aws.exceptions import RequestException

Headers = list[tuple[str, str]]

TCHAR = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]"  # RFC 9110, section 5.6.2
TOKEN = re.compile(rf"{TCHAR}+")

# Header lines that are safe to send, as no name or value reaches beyond its line: the lines, each
# with its CRLF, and the names in lower case.
Fields: TypeAlias = tuple[str, frozenset[str]]


def fields_of(headers: Headers) -> Fields:
    """Return (name, value) pairs as lines, in their order.

    Raises:
        RequestException: a name is no name, or a value holds CR, LF or NUL.
    """
    names = _lower(tuple([name for name, _ in headers]))
    text = "".join([f"{name}: {value}\r\n" for name, value in headers])
    if not text.count("\r") == text.count("\n") == len(headers) or "\0" in text:
        name = next(name for name, value in headers if any(sign in value for sign in "\r\n\0"))
        raise refused(f"the value of the header {name} holds CR, LF or NUL")
    return text, names


def pairs_of(lines: Fields) -> Headers:
    """Return what `fields_of` was given."""
    found: Headers = []
    for line in lines[0].split("\r\n")[:-1]:
        name, _, value = line.partition(": ")
        found.append((name, value))
    return found


def with_host(host: str, headers: Sequence[tuple[str, str]]) -> Headers:
    """Return headers that begin with ``Host``: the first one that they have or, else, `host`."""
    own = [value for name, value in headers if name.lower() == "host"]
    if not own:
        return [("Host", host), *headers]
    return [("Host", own[0]), *[pair for pair in headers if pair[0].lower() != "host"]]


def joined(first: Fields, second: Fields) -> Fields:
    """Return the lines of both; of a header that both have, those of `first` alone."""
    (text, names), (more, others) = first, second
    if not names.isdisjoint(others):
        kept = [pair for pair in pairs_of(second) if pair[0].lower() not in names]
        more, others = fields_of(kept)
    return f"{text}{more}", _union(names, others)


def by_name(headers: Headers) -> dict[str, str]:
    """Return values by lower-case name; repeated headers are joined with a comma and a space."""
    found: dict[str, str] = {}
    for name, value in headers:
        key = name.lower()
        found[key] = f"{found[key]}, {value}" if key in found else value
    return found


def refused(reason: str) -> RequestException:
    """Make the error of a request that cannot be sent as it is."""
    return RequestException(
        f"The request was not sent: {reason}", error=f"refused: {reason}", sent=False
    )


# A client sends the same few sets of names again and again.


@lru_cache(maxsize=256)
def _lower(names: tuple[str, ...]) -> frozenset[str]:
    for name in names:
        if not TOKEN.fullmatch(name):
            raise refused(f"{name!r} is not a header name")
    return frozenset(name.lower() for name in names)


_union = lru_cache(maxsize=256)(frozenset[str].__or__)
