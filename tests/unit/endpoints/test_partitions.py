"""Which partition a region belongs to."""

from __future__ import annotations

import pytest

from tornado_aws.endpoints import aws_partition


@pytest.mark.parametrize(
    ("region", "name", "suffix", "dual"),
    [
        ("us-east-1", "aws", "amazonaws.com", "api.aws"),
        ("eu-nowhere-9", "aws", "amazonaws.com", "api.aws"),
        ("cn-north-1", "aws-cn", "amazonaws.com.cn", "api.amazonwebservices.com.cn"),
        ("cn-nowhere-9", "aws-cn", "amazonaws.com.cn", "api.amazonwebservices.com.cn"),
        ("us-gov-west-1", "aws-us-gov", "amazonaws.com", "api.aws"),
        ("us-gov-nowhere-9", "aws-us-gov", "amazonaws.com", "api.aws"),
        ("us-iso-east-1", "aws-iso", "c2s.ic.gov", "api.aws.ic.gov"),
        ("us-isob-east-1", "aws-iso-b", "sc2s.sgov.gov", "api.aws.scloud"),
        ("eusc-de-east-1", "aws-eusc", "amazonaws.eu", "api.amazonwebservices.eu"),
        ("aws-cn-global", "aws-cn", "amazonaws.com.cn", "api.amazonwebservices.com.cn"),
        ("local", "aws", "amazonaws.com", "api.aws"),
        (None, "aws", "amazonaws.com", "api.aws"),
    ],
)
def test_partition(region: str | None, name: str, suffix: str, dual: str) -> None:
    """Known regions are listed, others match a pattern, the rest is taken to be commercial."""
    partition = aws_partition(region)
    assert (partition.name, partition.dns_suffix, partition.dual_stack_dns_suffix) == (
        name,
        suffix,
        dual,
    )
