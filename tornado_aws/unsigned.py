"""What callers give to be signed, taken apart: URLs, headers and times."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple, TypeAlias, cast

from tornado_aws.canonical import Pairs, unfolded
from tornado_aws.exceptions import ParamValidationError
from tornado_aws.transport import Headers

__all__ = [
    "GivenHeaders",
    "Target",
    "header_pairs",
    "http_date",
    "merged_headers",
    "split_url",
    "whole_second",
    "without_signature",
]

GivenHeaders: TypeAlias = Mapping[str, str] | Iterable[tuple[str, str]] | None

# What a request that was signed before carries.
_SIGNATURE = frozenset({"authorization", "date", "x-amz-date"})

_DEFAULT_PORTS = {"http": ":80", "https": ":443"}
_URL = re.compile(r"(https?)://([^/?#]*)([^?#]*)(?:\?([^#]*))?(?:#.*)?", re.IGNORECASE)
_HOST = re.compile(r"(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]+)?")
_USER_INFO = re.compile(r"//[^/]*@")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]  # strftime would write the locale's
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


class Target(NamedTuple):
    """A URL taken apart; `host` as it stands in the ``Host`` header."""

    origin: str
    host: str
    path: str
    query: str


def split_url(url: str) -> Target:
    match = _URL.fullmatch(url)
    if match is None or (not url.isprintable() and _CONTROL.search(url)):
        raise ParamValidationError(
            f"The URL {_shown(url)!r} must begin with http:// or https:// and a host, and may not"
            " hold control characters"
        )
    scheme, authority, path, query = match.groups()
    authority = authority.rpartition("@")[2]
    if not _HOST.fullmatch(authority):
        raise ParamValidationError(f"The host {authority!r} of the URL is not a valid host name")
    host = authority.lower().removesuffix(_DEFAULT_PORTS[scheme.lower()])
    return Target(f"{scheme}://{authority}", host, path or "/", query or "")


def _shown(url: str) -> str:
    """Return a URL without what may be secret in it: user information and query."""
    return _USER_INFO.sub("//***@", url.partition("?")[0])


def header_pairs(headers: GivenHeaders) -> tuple[tuple[str, str], ...]:
    if isinstance(headers, Mapping):
        return tuple(cast(Mapping[str, str], headers).items())
    return tuple([(name, value) for name, value in headers or ()])


def merged_headers(headers: Pairs) -> dict[str, tuple[str, str]]:
    """Return name and value by lower-case name, the values of a repeated name joined."""
    merged: dict[str, tuple[str, str]] = {}
    for name, value in headers:
        lower = name.lower()
        line = unfolded(name, value)
        if lower not in merged:
            merged[lower] = name, line
        else:
            spelling, first = merged[lower]
            merged[lower] = spelling, f"{first.strip()},{line.strip()}"
    return merged


def without_signature(headers: Headers) -> Headers:
    """Return the headers without date and signature, as `SigV4.authorize` wants them."""
    return [pair for pair in headers if pair[0].lower() not in _SIGNATURE]


def http_date(second: int) -> str:
    year, month, day, hour, minute, second, weekday, _, _ = time.gmtime(second)
    name, clock = f"{day:02} {_MONTHS[month - 1]} {year}", f"{hour:02}:{minute:02}:{second:02}"
    return f"{_DAYS[weekday]}, {name} {clock} GMT"


def whole_second(timestamp: datetime | float) -> int:
    if isinstance(timestamp, datetime):
        aware = timestamp if timestamp.tzinfo else timestamp.replace(tzinfo=UTC)
        return int(aware.timestamp())
    return int(timestamp)
