"""What is remembered of the regions that resources are in."""

from __future__ import annotations

import pytest

from tornado_aws.regions import KnownRegions


def test_a_region_is_news_once() -> None:
    """A service that names the same region again would be asked for ever."""
    known = KnownRegions()
    assert known.get("S3", "b") is None
    assert known.learn("S3", "b", "eu-west-1")
    assert not known.learn("S3", "b", "eu-west-1")
    assert known.learn("S3", "b", "eu-west-2")
    assert known.get("S3", "b") == "eu-west-2"


def test_resources_of_services_are_told_apart() -> None:
    """A name is one service's own."""
    known = KnownRegions()
    known.learn("S3", "b", "eu-west-1")
    assert known.get("Other", "b") is None
    assert known.get("S3", "c") is None


@pytest.mark.parametrize("region", [None, "", "evil.com", "evil.com/#", "a b", "-a", "a\r\nb"])
def test_what_cannot_be_a_region_is_not_kept(region: str | None) -> None:
    """A response must not choose the host of the next request."""
    known = KnownRegions()
    assert not known.learn("S3", "b", region)
    assert known.get("S3", "b") is None


def test_what_is_kept_is_bounded() -> None:
    """A program that meets bucket after bucket does not grow."""
    known = KnownRegions()
    for number in range(3000):
        known.learn("S3", number, "eu-west-1")
    kept = [number for number in range(3000) if known.get("S3", number)]
    assert 0 < len(kept) <= 1024
    assert 2999 in kept
