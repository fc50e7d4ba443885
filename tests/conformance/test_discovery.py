"""Discovered endpoints against botocore's: the same questions, and the same endpoints used."""

from __future__ import annotations

import asyncio
from random import Random
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest
from botocore.discovery import EndpointDiscoveryManager, EndpointDiscoveryRefreshFailed
from botocore.exceptions import EndpointConnectionError

from tests.conformance import models
from tornado_aws.credentials import Credentials
from tornado_aws.credentials.source import static
from tornado_aws.customizations import hooks
from tornado_aws.discovery import Discovery
from tornado_aws.exceptions import CallError, ConnectError
from tornado_aws.routes import Route
from tornado_aws.transport import Response
from tornado_aws.urls import parse_base

USUAL = "usual.example.com"
WRONG = SimpleNamespace(code="InvalidEndpointException")
# What happens one after the other: a call is made, time passes (seconds), the endpoint is wrong.
STEPS: list[Any] = ["call", "call", "call", 30, 60, 90, 200, "wrong"]


class Script:
    """A service that tells another endpoint each time, or cannot be reached."""

    def __init__(self, seed: int) -> None:
        self.now = 1000.0
        self.asked = 0
        self._random = Random(seed)

    def answer(self) -> Any:
        """Return what DescribeEndpoints gives, None when there is no answer."""
        self.asked += 1
        if self._random.random() < 0.4:
            return None
        minutes = self._random.choice([0, 1, 2, 5])
        address = f"cell{self.asked}.example.com"
        return {"Endpoints": [{"Address": address, "CachePeriodInMinutes": minutes}]}


def steps(seed: int) -> list[Any]:
    """Return what happens."""
    return Random(-seed).choices(STEPS, k=40)


def of_botocore(service: str, operation: str, seed: int) -> list[tuple[str, int]]:
    """Return the host of each call and the number of questions so far."""
    script = Script(seed)

    def describe_endpoints(**_: Any) -> Any:
        answer = script.answer()
        if answer is None:
            raise EndpointConnectionError(endpoint_url=USUAL)
        return answer

    client = mock.Mock(describe_endpoints=describe_endpoints)
    client.meta.service_model = models.theirs(service)
    manager = EndpointDiscoveryManager(client, current_time=lambda: script.now)
    found: list[tuple[str, int]] = []
    used = None
    for step in steps(seed):
        if step == "call":
            try:
                used = manager.describe_endpoint(Operation=operation, Identifiers={})
                found.append((used or USUAL, script.asked))
            except EndpointDiscoveryRefreshFailed:
                used = None
                found.append(("", script.asked))
        elif step == "wrong" and used is not None:
            manager.delete_endpoints(Operation=operation, Identifiers={})
        elif step != "wrong":
            script.now += step
    return found


async def of_ours(service: str, operation: str, seed: int) -> list[tuple[str, int]]:
    """Return the same of this library."""
    script = Script(seed)

    async def call(*_: Any) -> Any:
        answer = script.answer()
        if answer is None:
            raise ConnectError
        return answer

    how = hooks(models.ours(service).operation(operation)).discovery
    assert how is not None
    known = Discovery(lambda: script.now)
    usual = Route(parse_base(f"https://{USUAL}"), None, [])
    source = static(Credentials("A", "secret"))
    found: list[tuple[str, int]] = []
    used = usual
    for step in steps(seed):
        if step == "call":
            try:
                used = await known.route(usual, how, {}, source, call)
                found.append((used.base.host, script.asked))
            except CallError:
                used = usual
                found.append(("", script.asked))
        elif step == "wrong":
            wrong: Any = WRONG
            assert known.learn(used, Response(400, "", []), wrong) == used.is_discovered
        else:
            script.now += step
    return found


@pytest.mark.parametrize(
    ("service", "operation"),
    [("timestream-query", "Query"), ("timestream-write", "WriteRecords"), ("dynamodb", "GetItem")],
)
def test_equals_botocore(service: str, operation: str) -> None:
    """However long endpoints live, whatever fails, and whenever one turns out to be wrong."""
    hosts: set[str] = set()
    for seed in range(1, 300):
        expected = of_botocore(service, operation, seed)
        assert asyncio.run(of_ours(service, operation, seed)) == expected
        hosts.update(host for host, _ in expected)
    assert len(hosts) > 10
    assert ("" if service != "dynamodb" else USUAL) in hosts
