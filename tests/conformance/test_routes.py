"""Where this library's clients send calls and what they sign them for, against botocore's."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from tests.conformance import routes
from tests.conformance.routes import Address, Case, Refused
from tests.conformance.test_endpoint_rules import HOSTILE, SUFFIXES
from tornado_aws.exceptions import ConfigurationError

# Those whose rules or customizations are of their own kind; of the others some are drawn.
SPECIAL = ["dynamodb", "events", "kinesis", "s3", "s3control", "stepfunctions", "sts", "iam"]
DRAWN = Random("routes").sample(sorted(set(routes.services()) - set(SPECIAL)), 8)


@pytest.mark.parametrize("service", [*SPECIAL, *sorted(DRAWN)])
def test_equals_botocore(service: str) -> None:
    """Host, path, signing name, signing region, added headers and errors are botocore's."""
    clients = 6 if service.startswith("s3") else 2
    count, different = routes.differences(service, seed=1, clients=clients, operations=4)
    assert count >= clients
    assert different == []


def address(service: str, operation: str, params: dict[str, Any], **options: Any) -> Any:
    case = Case(service, {"region": "us-east-1", **options}, operation, params)
    return asyncio.run(routes.ours(case))


def hostile_calls() -> Iterator[tuple[str, str, dict[str, Any], dict[str, Any]]]:
    """Return calls with something bad where it could become part of a host."""
    for bad in HOSTILE:
        yield "s3", "GetObject", {"Bucket": bad, "Key": "k"}, {}
        yield "s3", "GetObject", {"Bucket": f"arn:aws:s3:{bad}:1:accesspoint:a", "Key": "k"}, {}
        yield "s3control", "GetPublicAccessBlock", {"AccountId": bad}, {}
        yield "dynamodb", "ListTables", {}, {"account_id": bad}
        yield "events", "PutEvents", {"Entries": [], "EndpointId": bad}, {}
        yield "servicediscovery", "DiscoverInstances", {
            "NamespaceName": bad,
            "ServiceName": "s",
        }, {}
        yield "s3", "WriteGetObjectResponse", {"RequestRoute": bad, "RequestToken": "t"}, {}
        yield "neptune-graph", "ListQueries", {"graphIdentifier": bad, "maxResults": 1}, {}
        yield "kinesis", "PutRecord", {"StreamARN": f"arn:aws:kinesis:{bad}:{bad}:stream/s"}, {}


@pytest.mark.parametrize(("service", "operation", "params", "options"), list(hostile_calls()))
def test_nobody_moves_a_call_to_another_host(
    service: str, operation: str, params: dict[str, Any], options: dict[str, Any]
) -> None:
    """A bad region, bucket, account or name is refused before anything is sent, or is no host."""
    complete = {"Data": b"", "PartitionKey": "p", **params} if service == "kinesis" else params
    found = address(service, operation, complete, **options)
    if isinstance(found, Refused):
        assert found.kind in ("rule", "parameter")
    else:
        assert found.host.endswith(SUFFIXES)
        assert "evil.com" not in found.host


@pytest.mark.parametrize("region", [bad for bad in HOSTILE if bad])
def test_a_bad_region_is_refused(region: str) -> None:
    """No client is made for what cannot be a region."""
    with pytest.raises(ConfigurationError, match="region"):
        address("sqs", "ListQueues", {}, region=region)


def test_an_error_rule_speaks_for_itself() -> None:
    """The error has the text of the rule, and nothing was sent."""
    found = address(
        "s3",
        "GetObject",
        {"Bucket": "b.c", "Key": "k"},
        s3_use_accelerate_endpoint=True,
        use_fips_endpoint=True,
    )
    assert found == Refused("rule", "Accelerate cannot be used with FIPS")


@pytest.mark.parametrize(
    ("options", "host"),
    [
        ({}, "sync-states.us-east-1.amazonaws.com"),
        ({"disable_host_prefix_injection": True}, "states.us-east-1.amazonaws.com"),
        ({"endpoint": "http://example.com:81"}, "sync-example.com:81"),
        ({"endpoint": "http://127.0.0.1:81"}, "127.0.0.1:81"),
        ({"endpoint": "http://[::1]:81"}, "[::1]:81"),
    ],
)
def test_host_prefixes_go_before_names_unless_switched_off(
    options: dict[str, Any], host: str
) -> None:
    """An address has no name below it, whatever an operation wants before the host."""
    params = {"stateMachineArn": "arn"}
    found = address("stepfunctions", "StartSyncExecution", params, **options)
    assert isinstance(found, Address)
    assert found.host == host


@pytest.mark.parametrize(
    ("endpoint", "path"),
    [
        ("http://example.com", "/"),
        ("http://example.com/base", "/base"),
        ("http://example.com/base/", "/base"),
    ],
)
def test_a_base_path_needs_no_slash_after_it(endpoint: str, path: str) -> None:
    """An operation whose own path is a mere slash adds nothing to the endpoint's."""
    assert address("sqs", "ListQueues", {}, endpoint=endpoint).path == path


@pytest.mark.parametrize("region", ["fips-us-west-2", "us-west-2-fips"])
def test_regions_that_stand_for_fips_are_signed_for_the_real_one(region: str) -> None:
    """Such a name is as good as the region with ``use_fips_endpoint``."""
    found = address("kms", "ListKeys", {}, region=region)
    assert found == Address("https", "kms-fips.us-west-2.amazonaws.com", "/", "kms", "us-west-2")
