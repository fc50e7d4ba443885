"""Hosts and signing names of services known by their name alone."""

from __future__ import annotations

import pytest

from tornado_aws.endpoints import resolve_raw
from tornado_aws.exceptions import EndpointError


@pytest.mark.parametrize(
    ("service", "region", "host", "signing_name", "signing_region"),
    [
        ("dynamodb", "us-east-1", "dynamodb.us-east-1.amazonaws.com", "dynamodb", "us-east-1"),
        ("s3", "cn-north-1", "s3.cn-north-1.amazonaws.com.cn", "s3", "cn-north-1"),
        ("email", "eu-west-1", "email.eu-west-1.amazonaws.com", "ses", "eu-west-1"),
        ("ses", "eu-west-1", "email.eu-west-1.amazonaws.com", "ses", "eu-west-1"),
        ("sesv2", "eu-west-1", "email.eu-west-1.amazonaws.com", "ses", "eu-west-1"),
        (
            "monitoring",
            "us-east-1",
            "monitoring.us-east-1.amazonaws.com",
            "monitoring",
            "us-east-1",
        ),
        (
            "cloudwatch",
            "us-east-1",
            "monitoring.us-east-1.amazonaws.com",
            "monitoring",
            "us-east-1",
        ),
        ("runtime.lex", "us-east-1", "runtime.lex.us-east-1.amazonaws.com", "lex", "us-east-1"),
        (
            "streams.dynamodb",
            "us-east-1",
            "streams.dynamodb.us-east-1.amazonaws.com",
            "dynamodb",
            "us-east-1",
        ),
        ("states", "us-east-1", "states.us-east-1.amazonaws.com", "states", "us-east-1"),
        ("iam", "us-west-2", "iam.amazonaws.com", "iam", "us-east-1"),
        ("iam", "cn-north-1", "iam.cn-north-1.amazonaws.com.cn", "iam", "cn-north-1"),
        ("iam", "us-gov-west-1", "iam.us-gov.amazonaws.com", "iam", "us-gov-west-1"),
        ("route53", "eu-central-1", "route53.amazonaws.com", "route53", "us-east-1"),
        ("cloudfront", "eu-central-1", "cloudfront.amazonaws.com", "cloudfront", "us-east-1"),
        (
            "organizations",
            "eu-central-1",
            "organizations.us-east-1.amazonaws.com",
            "organizations",
            "us-east-1",
        ),
        ("sts", "eu-west-1", "sts.eu-west-1.amazonaws.com", "sts", "eu-west-1"),
        ("sts", "aws-global", "sts.amazonaws.com", "sts", "us-east-1"),
        ("s3", "aws-global", "s3.amazonaws.com", "s3", "us-east-1"),
        ("iam", None, "iam.amazonaws.com", "iam", "us-east-1"),
        ("iam", "", "iam.amazonaws.com", "iam", "us-east-1"),
        (
            "execute-api",
            "us-east-1",
            "execute-api.us-east-1.amazonaws.com",
            "execute-api",
            "us-east-1",
        ),
        (
            "newservice",
            "us-iso-east-1",
            "newservice.us-iso-east-1.c2s.ic.gov",
            "newservice",
            "us-iso-east-1",
        ),
        ("a.b-c", "us-east-1", "a.b-c.us-east-1.amazonaws.com", "a.b-c", "us-east-1"),
    ],
)
def test_where_services_are(
    service: str, region: str | None, host: str, signing_name: str, signing_region: str
) -> None:
    """Prefixes, botocore's names, global services, partitions and unknown services."""
    assert resolve_raw(service, region) == (f"https://{host}", signing_name, signing_region)


@pytest.mark.parametrize(
    ("service", "region", "fips", "dual", "host"),
    [
        ("dynamodb", "us-east-1", True, False, "dynamodb-fips.us-east-1.amazonaws.com"),
        ("dynamodb", "us-east-1", False, True, "dynamodb.us-east-1.api.aws"),
        ("dynamodb", "us-east-1", True, True, "dynamodb-fips.us-east-1.api.aws"),
        ("dynamodb", "fips-us-east-1", False, False, "dynamodb-fips.us-east-1.amazonaws.com"),
        ("dynamodb", "us-east-1-fips", False, False, "dynamodb-fips.us-east-1.amazonaws.com"),
        ("dynamodb", "us-gov-west-1", True, False, "dynamodb.us-gov-west-1.amazonaws.com"),
        ("s3", "us-east-1", True, True, "s3-fips.dualstack.us-east-1.amazonaws.com"),
        ("eks", "us-east-1", True, False, "fips.eks.us-east-1.amazonaws.com"),
        ("newservice", "us-east-1", True, True, "newservice-fips.us-east-1.api.aws"),
    ],
)
def test_variants(service: str, region: str, fips: bool, dual: bool, host: str) -> None:
    """FIPS and dual-stack hosts, and the pseudo-regions that mean the first."""
    found = resolve_raw(service, region, use_fips=fips, use_dualstack=dual)
    assert found.url == f"https://{host}"
    assert found.signing_region == region.replace("fips-", "").replace("-fips", "")


@pytest.mark.parametrize(
    "region",
    [
        *("x.evil.com/#", "x.evil.com", "a/b", "a@b", "a:b", "a b", "a\n", "-a", "a-", "ä"),
        *("123", "a" * 64, "us-east-1\r\nHost: evil.com", "{global}", "%2f"),
    ],
)
def test_hostile_regions_are_refused(region: str) -> None:
    """A region that is no host label is an error that names it, for whatever service."""
    for service in ("s3", "iam", "newservice"):
        with pytest.raises(EndpointError, match=r"Region .* is not valid"):
            resolve_raw(service, region)


@pytest.mark.parametrize(
    "service", ["", "s3/", "evil.com/", "a..b", "a b", "-a", "a@b", "s3\n", "{x}"]
)
def test_hostile_services_are_refused(service: str) -> None:
    """A service that is no host name is an error that names it."""
    with pytest.raises(EndpointError, match="cannot be the name of a service"):
        resolve_raw(service, "us-east-1")


def test_region_is_needed() -> None:
    """A service with a host in each region says that it needs one."""
    with pytest.raises(EndpointError, match=r"dynamodb has a host in each region.*pass region="):
        resolve_raw("dynamodb", None)


def test_there_may_be_no_host() -> None:
    """Why a service has no host of the kind is said."""
    with pytest.raises(EndpointError, match="s3 in region cn-north-1: Partition does not support"):
        resolve_raw("s3", "cn-north-1", use_fips=True)
    with pytest.raises(EndpointError, match="pass endpoint="):
        resolve_raw("cloudfront-keyvaluestore", "us-east-1")
