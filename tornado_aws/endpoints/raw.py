"""Where a service is and what it is signed for, by its name alone.

For the raw client, which knows no model. Services whose hosts are not
``https://{service}.{region}.{suffix}`` are data in `tornado_aws.endpoints.service_data`, distilled
from the rule sets; a service that is not there is taken to be one of the usual kind.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from tornado_aws.endpoints.partitions import aws_partition, real_region
from tornado_aws.endpoints.service_data import HOSTS, IDS, NAMES, PREFIXES
from tornado_aws.exceptions import EndpointError

__all__ = ["RawEndpoint", "resolve_raw", "service_id"]

_DEFAULTS = {
    "": "{service}.{region}.{suffix}",
    "fips": "{service}-fips.{region}.{suffix}",
    "dual": "{service}.{region}.{dual}",
    "both": "{service}-fips.{region}.{dual}",
}
_LABEL = r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)"
_REGION = re.compile(rf"(?![0-9]+\Z){_LABEL}")
_SERVICE = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")


class RawEndpoint(NamedTuple):
    """Where a service is.

    Attributes:
        url: the base URL.
        signing_name: the service to sign for.
        signing_region: the region to sign for.
    """

    url: str
    signing_name: str
    signing_region: str


def resolve_raw(
    service: str, region: str | None, *, use_fips: bool = False, use_dualstack: bool = False
) -> RawEndpoint:
    """Return where a service is.

    Args:
        service: the name in its hosts (``email``) or that of botocore's client (``ses``).
        region: a region; ``aws-global`` and its like for a service's global host. A pseudo-region
            such as ``fips-us-east-1`` or ``us-east-1-fips`` means `use_fips`. None or "" will do
            for a service that has one host for all regions.
        use_fips: the host with FIPS 140 cryptography.
        use_dualstack: the host that has IPv6 too.

    Raises:
        EndpointError: there is no such host, or region or service cannot be part of a host name.
    """
    if not _SERVICE.fullmatch(service):
        raise EndpointError(f"{service!r} cannot be the name of a service: it is not a host name")
    name = _name(service)
    prefix, signing_name = NAMES.get(name, (name, name))
    real, is_fips = real_region(region or "")
    variant = _variant(use_fips or is_fips, use_dualstack)
    real = real or _global_region(name, service)
    if not _REGION.fullmatch(real):
        raise EndpointError(f"Region {region!r} is not valid: it is not a host label")
    partition = aws_partition(real)
    host = _host(name, variant, real, partition.name)
    if host.startswith("!"):
        raise EndpointError(f"No endpoint for {service} in region {real}: {host[1:]}")
    values = {
        "service": prefix,
        "region": real,
        "global": partition.implicit_global_region,
        "suffix": partition.dns_suffix,
        "dual": partition.dual_stack_dns_suffix,
    }
    template, _, signing = host.partition(" ")
    signing_region, _, other_name = signing.partition(" ")
    return RawEndpoint(
        f"https://{template.format_map(values)}",
        other_name or signing_name,
        (signing_region or "{region}").format_map(values),
    )


def service_id(service: str) -> str:
    """Return what a service is called where endpoints are configured.

    Args:
        service: as `resolve_raw` takes it.
    """
    name = _name(service)
    return IDS.get(name, name)


def _name(service: str) -> str:
    """Return botocore's name of a service that is called by it or by its hosts' name."""
    known = service in HOSTS or service in NAMES or service in IDS
    return service if known else PREFIXES.get(service, service)


def _variant(fips: bool, dual: bool) -> str:
    if fips:
        return "both" if dual else "fips"
    return "dual" if dual else ""


def _host(name: str, variant: str, region: str, partition: str) -> str:
    """Return the template of a host, the particular before the general."""
    hosts = HOSTS.get(name, {})
    for where in (region, partition, ""):
        found = hosts.get(f"{variant}:{where}")
        if found is not None:
            return found
    return _DEFAULTS[variant]


def _global_region(name: str, service: str) -> str:
    """Return the region that stands for no region, for a service that needs none."""
    if "{region}" in _host(name, "", "aws-global", "aws"):
        raise EndpointError(
            f"{service} has a host in each region, and no region is set: pass region="
        )
    return "aws-global"
