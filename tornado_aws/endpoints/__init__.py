"""Where services are: compiled endpoint rules, partitions, and hosts for the raw client."""

from __future__ import annotations

from tornado_aws.endpoints.partitions import Partition, aws_partition, real_region
from tornado_aws.endpoints.raw import RawEndpoint, resolve_raw
from tornado_aws.endpoints.rules import Endpoint

__all__ = ["Endpoint", "Partition", "RawEndpoint", "aws_partition", "real_region", "resolve_raw"]
