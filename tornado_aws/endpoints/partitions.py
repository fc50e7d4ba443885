"""Which partition of AWS a region belongs to, and what its host names end with."""

from __future__ import annotations

import re
from typing import NamedTuple

from tornado_aws.endpoints.partition_data import PARTITIONS, REGIONS

__all__ = ["Partition", "aws_partition", "real_region"]


class Partition(NamedTuple):
    """A partition, with the attributes that endpoint rules ask for.

    Attributes:
        name: ``aws``, ``aws-cn``, ...
        dns_suffix: what host names end with.
        dual_stack_dns_suffix: what those end with that have IPv6 too.
        implicit_global_region: the region that global services are signed for.
        supports_fips: whether there are hosts with FIPS 140 cryptography.
        supports_dual_stack: whether there are hosts with IPv6.
        region_regex: matches regions of the partition, those not yet known too.
    """

    name: str
    dns_suffix: str
    dual_stack_dns_suffix: str
    implicit_global_region: str
    supports_fips: bool
    supports_dual_stack: bool
    region_regex: str


PARTITIONS_BY_NAME = {values[0]: Partition(*values) for values in PARTITIONS}
DEFAULT = "aws"


def aws_partition(region: str | None) -> Partition:
    """Return the partition of a region, ``aws`` when it could be anywhere."""
    if region is None:
        return PARTITIONS_BY_NAME[DEFAULT]
    name = REGIONS.get(region)
    if name is not None:
        return PARTITIONS_BY_NAME[name]
    for partition in PARTITIONS_BY_NAME.values():
        if re.match(partition.region_regex, region, re.ASCII):
            return partition
    return PARTITIONS_BY_NAME[DEFAULT]


def real_region(region: str) -> tuple[str, bool]:
    """Return the region that is meant, and whether its FIPS hosts are.

    Names such as ``fips-us-east-1`` and ``us-east-1-fips``, from before FIPS was an option, stand
    for both.
    """
    real = region.replace("fips-", "").replace("-fips", "")
    return real, real != region
