"""What compiled endpoint rule sets are made of: the result, the parameters, the functions.

The generated ``<module>/endpoints.py`` import from here. The functions are those of the rules
engine's standard library ("Rules engine standard library" in the Smithy documentation), under its
names in Python's spelling; each is a function of its arguments, and None stands for "not set".

`label` is this library's own: it lets a value into a host name only when it cannot end it, so that
no parameter can move a request to another host.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar, overload
from urllib.parse import quote, urlsplit

from tornado_aws.endpoints.partitions import Partition, aws_partition
from tornado_aws.exceptions import EndpointError

__all__ = [
    "ARN",
    "URL",
    "Endpoint",
    "Partition",
    "aws_is_virtual_hostable_s3_bucket",
    "aws_parse_arn",
    "aws_partition",
    "boolean",
    "coalesce",
    "is_valid_host_label",
    "item",
    "known",
    "label",
    "no_endpoint",
    "parse_url",
    "required",
    "split",
    "string",
    "strings",
    "substring",
    "uri_encode",
]

T = TypeVar("T")

_LABEL = re.compile(r"(?!-)[a-zA-Z0-9-]{1,63}(?<!-)")
_IPV4 = re.compile(r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}")
_IN_HOST = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a service is reached, as a rule says it.

    Attributes:
        url: the base URL, without a slash at its end unless a rule has one.
        properties: what the rule says besides: ``authSchemes`` and others, as in the rule set.
        headers: headers to send, name -> values.
    """

    url: str
    properties: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, list[str]] = field(default_factory=dict)


class URL(NamedTuple):
    """The parts of a URL; `path` as written, `normalized_path` with a slash at both ends."""

    scheme: str
    authority: str
    path: str
    normalized_path: str
    is_ip: bool


class ARN(NamedTuple):
    """The parts of an ARN; `resource_id` is cut at colons and slashes."""

    partition: str
    service: str
    region: str
    account_id: str
    resource_id: list[str]


# Parameters


def known(params: Mapping[str, Any], names: frozenset[str]) -> None:
    """Refuse a parameter that the rule set does not have.

    Raises:
        EndpointError: naming the parameter and those that there are.
    """
    if not names.issuperset(params):
        unknown = ", ".join(sorted(set(params) - names))
        raise EndpointError(
            f"The endpoint rules have no parameter {unknown}; they have {', '.join(sorted(names))}"
        )


@overload
def string(params: Mapping[str, Any], name: str) -> str | None: ...
@overload
def string(params: Mapping[str, Any], name: str, default: str) -> str: ...
def string(params: Mapping[str, Any], name: str, default: str | None = None) -> str | None:
    """Return a parameter that is text, or its default; `EndpointError` for anything else."""
    value = params.get(name)
    if value is None:
        return default
    if not isinstance(value, str):
        raise _wrong_type(name, "str", value)
    return value


@overload
def boolean(params: Mapping[str, Any], name: str) -> bool | None: ...
@overload
def boolean(params: Mapping[str, Any], name: str, default: bool) -> bool: ...
def boolean(params: Mapping[str, Any], name: str, default: bool | None = None) -> bool | None:
    """Return a parameter that is True or False, or its default; `EndpointError` for others."""
    value = params.get(name)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise _wrong_type(name, "bool", value)
    return value


@overload
def strings(params: Mapping[str, Any], name: str) -> Sequence[str] | None: ...
@overload
def strings(params: Mapping[str, Any], name: str, default: Sequence[str]) -> Sequence[str]: ...
def strings(
    params: Mapping[str, Any], name: str, default: Sequence[str] | None = None
) -> Sequence[str] | None:
    """Return a parameter that is a list of texts, or its default; `EndpointError` for others."""
    value = params.get(name)
    if value is None:
        return default
    if not isinstance(value, list | tuple) or not all(isinstance(each, str) for each in value):
        raise _wrong_type(name, "a list of str", value)
    return value


def required(name: str, value: T | None) -> T:
    """Return the value of a parameter that must be given; `EndpointError` when it is not."""
    if value is None:
        raise EndpointError(f"The endpoint rules need the parameter {name}")
    return value


def _wrong_type(name: str, wanted: str, value: object) -> EndpointError:
    return EndpointError(
        f"The endpoint parameter {name} must be {wanted}, not {type(value).__name__}"
    )


def no_endpoint(params: Mapping[str, Any]) -> EndpointError:
    """Return the error for parameters that no rule fits."""
    given = ", ".join(f"{name}={value!r}" for name, value in sorted(params.items()))
    return EndpointError(f"No endpoint rule fits the parameters {given}")


def label(value: str | None) -> str:
    """Return a value that a rule puts into a host name.

    Raises:
        EndpointError: the value could not stand in a host name, or would end it.
    """
    if value is None or not _IN_HOST.fullmatch(value):
        raise EndpointError(f"{value!r} cannot be part of the host name of an endpoint")
    return value


# Functions of the rules engine


def aws_parse_arn(value: str | None) -> ARN | None:
    """Return the parts of an ARN; None when it is none."""
    if value is None or not value.startswith("arn:"):
        return None
    parts = value.split(":", 5)
    if len(parts) < 6 or not (parts[1] and parts[2] and parts[5]):
        return None
    _, partition, service, region, account_id, resource = parts
    return ARN(partition, service, region, account_id, resource.replace(":", "/").split("/"))


def aws_is_virtual_hostable_s3_bucket(value: str | None, allow_subdomains: bool) -> bool:
    """Tell whether a bucket's name can stand in a host name."""
    if value is None or len(value) < 3 or value.lower() != value or _IPV4.fullmatch(value):
        return False
    return is_valid_host_label(value, allow_subdomains)


def is_valid_host_label(value: str | None, allow_subdomains: bool) -> bool:
    """Tell whether a value is a label of a host name, or with `allow_subdomains` several."""
    if value is None:
        return False
    if allow_subdomains:
        return all(_LABEL.fullmatch(part) for part in value.split("."))
    return _LABEL.fullmatch(value) is not None


def parse_url(value: str | None) -> URL | None:
    """Return the parts of a URL; None when it is not http or https or has a query."""
    if value is None:
        return None
    try:
        parts = urlsplit(value)
        _ = parts.port  # malformed ones are found when they are asked for
    except ValueError:
        return None
    host = parts.hostname
    if parts.scheme not in ("http", "https") or not host or parts.query:
        return None
    authority = parts.netloc.rpartition("@")[2]
    is_ip = ":" in host or _IPV4.fullmatch(host) is not None
    return URL(parts.scheme, authority, parts.path, _normalized(parts.path), is_ip)


def _normalized(path: str) -> str:
    """Return a path with dots and repeated slashes resolved, and a slash at its end."""
    if not path:
        return "/"
    segments: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del segments[-1:]
        elif segment not in ("", "."):
            segments.append(segment)
    return quote(f"/{''.join(f'{segment}/' for segment in segments)}")


def substring(value: str | None, start: int, stop: int, reverse: bool) -> str | None:
    """Return part of an ASCII text, counted from its end if `reverse`; None if it is too short."""
    if value is None or start >= stop or len(value) < stop or not value.isascii():
        return None
    if reverse:
        return value[len(value) - stop : len(value) - start]
    return value[start:stop]


@overload
def uri_encode(value: str) -> str: ...
@overload
def uri_encode(value: None) -> None: ...
def uri_encode(value: str | None) -> str | None:
    """Return a text with all but unreserved characters percent-encoded."""
    return None if value is None else quote(value, safe="~")


def item(values: Sequence[str] | None, index: int) -> str | None:
    """Return an element of a list; None when there is none."""
    if values is None or not -len(values) <= index < len(values):
        return None
    return values[index]


def coalesce(*values: T | None) -> T | None:
    """Return the first value that is set; None when none is."""
    return next((value for value in values if value is not None), None)


@overload
def split(value: str, delimiter: str, limit: int) -> list[str]: ...
@overload
def split(value: None, delimiter: str, limit: int) -> None: ...
def split(value: str | None, delimiter: str, limit: int) -> list[str] | None:
    """Return the parts of a text, at most `limit` of them; all for 0."""
    if value is None:
        return None
    return value.split(delimiter, limit - 1 if limit > 0 else -1)
