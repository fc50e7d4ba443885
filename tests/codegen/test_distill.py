"""What the raw client knows of services is what the rule sets of the installed botocore say."""

from __future__ import annotations

import random
from importlib import metadata

import pytest

from codegen import distill
from codegen.load import find, load
from tornado_aws.endpoints import partition_data, service_data
from tornado_aws.endpoints.raw import service_id
from tornado_aws.settings import snake_service_id

# The data name the version they are from; another one may say something else.
CURRENT = f"From botocore {metadata.version('botocore')} " in (service_data.__doc__ or "")
PARTITIONS = distill.read_partitions(distill.DATA)

pytestmark = pytest.mark.skipif(not CURRENT, reason="the data are from another botocore")


def test_partitions_are_current() -> None:
    """The checked-in module is what would be written."""
    written = (distill.TARGET / "partition_data.py").read_text()
    assert distill.partition_module(PARTITIONS) == written
    assert partition_data.PARTITIONS[0][0] == "aws"


def test_services_are_current() -> None:
    """For services drawn at random, and for global ones, the data are what would be written."""
    names = [source.service for source in find(distill.DATA)]
    drawn = {"iam", "route53", "s3", "acm", "importexport", "cloudfront-keyvaluestore"}
    drawn.update(random.Random("distill").sample(names, 25))
    for source in find(distill.DATA, sorted(drawn)):
        service = distill.service(load(source), PARTITIONS)
        name = source.service
        assert service_data.HOSTS.get(name, {}) == service.hosts
        assert service_data.NAMES.get(name, (name, name)) == (service.prefix, service.signing_name)
        assert service_data.IDS.get(name, snake_service_id(name)) == service.id


def test_services_have_the_ids_that_botocore_gives_them() -> None:
    """Variables of endpoints are named after them, whichever name a raw client was given."""
    for source in find(distill.DATA):
        metadata = load(source).service["metadata"]
        expected = snake_service_id(metadata["serviceId"]).lower()
        assert snake_service_id(service_id(source.service)) == expected


def test_partitions_name_a_region_that_is_not_there() -> None:
    """The region that stands for unknown ones matches its partition's pattern."""
    for partition in PARTITIONS:
        assert partition.unknown_region not in partition.regions
        assert partition.matches(partition.unknown_region)
