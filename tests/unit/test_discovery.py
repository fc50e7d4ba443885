"""Discovered endpoints: asked for once, kept, asked for anew, and only where they are wanted."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import pytest

from tests.conformance import routes
from tests.support.scripted_server import Asked, Reply, ScriptedServer, scripted_server
from tests.support.tiny_client import TinyClient, client_class
from tests.support.tiny_model import list_of, map_of, service, structure
from tests.support.written_transport import WrittenTransport, header
from tornado_aws import discovery
from tornado_aws.credentials import Credentials
from tornado_aws.credentials.source import static
from tornado_aws.endpoints import Endpoint
from tornado_aws.exceptions import AWSError, ConnectError, EndpointError
from tornado_aws.routes import Route
from tornado_aws.service import ServiceClient
from tornado_aws.transport import Response
from tornado_aws.urls import parse_base

KEYS: dict[str, Any] = {"access_key": "AKID", "secret_key": "SECRET", "region": "us-east-1"}
USUAL = "query.timestream.us-east-1.amazonaws.com"
CELL = "query-cell1.timestream.us-east-1.amazonaws.com"
OTHER = "query-cell2.timestream.us-east-1.amazonaws.com"
OK = Response(200, "OK", [], b"{}")
INVALID = Response(400, "Bad", [], b'{"__type": "InvalidEndpointException", "message": "no"}')
ENABLED: dict[str, Any] = {"endpoint_discovery_enabled": True}
DENIED = Response(403, "No", [], b'{"__type": "AccessDeniedException", "message": "no"}')


def told(address: str = CELL, minutes: int = 5) -> Response:
    """Return an answer to DescribeEndpoints."""
    endpoint = {"Address": address, "CachePeriodInMinutes": minutes}
    return Response(200, "OK", [], json.dumps({"Endpoints": [endpoint]}).encode())


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that a test sets."""
    now = [1000.0]
    monkeypatch.setattr(discovery.Discovery.__init__, "__defaults__", (lambda: now[0],))
    return now


def calls(
    test: Callable[[Any], Awaitable[Any]],
    *responses: Response,
    name: str = "timestream-query",
    **options: Any,
) -> list[str]:
    """Run a test with a client that is answered with these responses; return the hosts asked."""
    transport = WrittenTransport(*responses)

    async def main() -> None:
        given = {**KEYS, "max_attempts": 1, "transport": transport, **options}
        async with routes.client_class(name)(**given) as client:
            await test(client)

    asyncio.run(main())
    assert len(transport.requests) == len(responses)
    return [each.origin.host for each in transport.requests]


async def query(client: ServiceClient) -> Any:
    return await client._call("Query", {"QueryString": "SELECT 1"})


def test_a_required_endpoint_is_asked_for_once() -> None:
    """All calls and views use it; the question goes to the usual host and names the version."""

    async def test(client: Any) -> None:
        await asyncio.gather(query(client), query(client))
        await query(client.with_options(read_timeout=5))
        await client._call("DescribeAccountSettings", {})

    assert calls(test, told(), OK, OK, OK, OK) == [USUAL, CELL, CELL, CELL, CELL]


def test_the_host_that_is_signed_is_the_discovered_one() -> None:
    """So are the paths and the scheme."""
    transport = WrittenTransport(told(), OK)

    async def main() -> None:
        async with routes.client_class("timestream-query")(**KEYS, transport=transport) as client:
            await query(client)

    asyncio.run(main())
    asked, called = transport.requests
    assert header(asked, "x-amz-api-version") == "2018-11-01"
    assert header(called, "x-amz-api-version") == ""
    assert header(called, "host") == CELL
    assert transport.urls[1] == f"https://{CELL}/"
    assert "/us-east-1/timestream/" in header(called, "authorization")


def test_it_is_asked_for_again_when_it_comes_to_its_end(clock: list[float]) -> None:
    """It lives for the minutes that the service says."""

    async def test(client: Any) -> None:
        await query(client)
        clock[0] += 5 * 60 - 1
        await query(client)
        clock[0] += 1
        await query(client)

    hosts = calls(test, told(), OK, OK, told(OTHER), OK)
    assert hosts == [USUAL, CELL, CELL, USUAL, OTHER]


def test_one_that_is_wrong_is_forgotten_and_the_call_repeated_once() -> None:
    """Whether the error says so by its code or by the status 421."""
    misdirected = Response(421, "Misdirected", [], b'{"__type": "Other"}')
    for wrong in (INVALID, misdirected):
        hosts = calls(query, told(), wrong, told(OTHER), OK)
        assert hosts == [USUAL, CELL, USUAL, OTHER]


def test_a_call_that_is_wrong_again_fails() -> None:
    """There is one repetition; the next call asks anew."""

    async def test(client: Any) -> None:
        with pytest.raises(AWSError, match="InvalidEndpointException"):
            await query(client)
        await query(client)

    hosts = calls(test, told(), INVALID, told(OTHER), INVALID, OK)
    assert hosts == [USUAL, CELL, USUAL, OTHER, OTHER]


def test_a_stale_one_serves_while_asking_fails(clock: list[float]) -> None:
    """For a minute nobody asks again."""

    async def test(client: Any) -> None:
        await query(client)
        clock[0] += 5 * 60
        await query(client)
        await query(client)
        clock[0] += 60
        await query(client)

    hosts = calls(test, told(), OK, DENIED, OK, OK, told(OTHER), OK)
    assert hosts == [USUAL, CELL, USUAL, CELL, CELL, USUAL, OTHER]


def test_without_any_a_required_one_fails_the_call() -> None:
    """The error is that of the question; the next call asks again."""

    async def test(client: Any) -> None:
        with pytest.raises(AWSError, match="AccessDenied") as caught:
            await query(client)
        assert caught.value.operation == "DescribeEndpoints"
        await query(client)

    assert calls(test, DENIED, told(), OK) == [USUAL, USUAL, CELL]


@pytest.mark.parametrize("setting", [False, "false"])
def test_a_required_one_needs_discovery(setting: Any) -> None:
    """The error says which setting is in the way."""

    async def test(client: Any) -> None:
        with pytest.raises(EndpointError, match=r"endpoint_discovery_enabled = false \(from arg"):
            await query(client)
        await client._call("DescribeEndpoints", {})

    assert calls(test, told(), endpoint_discovery_enabled=setting) == [USUAL]


def test_an_endpoint_of_the_clients_own_is_never_left() -> None:
    """Whatever the setting is."""
    for setting in ("auto", True, False):
        options: Any = {
            "endpoint": "https://vpce.example.com",
            "endpoint_discovery_enabled": setting,
        }
        assert calls(query, OK, **options) == ["vpce.example.com"]


def test_an_optional_one_is_asked_for_only_where_wanted() -> None:
    """DynamoDB goes to its usual host unless the setting is true."""

    async def test(client: Any) -> None:
        await client._call("ListTables", {})

    usual = "dynamodb.us-east-1.amazonaws.com"
    assert calls(test, OK, name="dynamodb") == [usual]
    found = calls(test, told("cell.example.com"), OK, name="dynamodb", **ENABLED)
    assert found == [usual, "cell.example.com"]


def test_the_setting_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Under botocore's name."""
    monkeypatch.setenv("AWS_ENABLE_ENDPOINT_DISCOVERY", "TRUE")

    async def test(client: Any) -> None:
        await client._call("ListTables", {})

    assert len(calls(test, told("cell.example.com"), OK, name="dynamodb")) == 2


def test_without_an_optional_one_the_usual_host_serves(clock: list[float]) -> None:
    """Nobody asks again for a minute."""

    async def test(client: Any) -> None:
        for _ in range(2):
            await client._call("ListTables", {})
        clock[0] += 60
        await client._call("ListTables", {})

    empty = Response(200, "OK", [], b'{"Endpoints": []}')
    for failure in (DENIED, empty, told("no host/")):
        hosts = calls(test, failure, OK, OK, told("c.example.com"), OK, name="dynamodb", **ENABLED)
        assert hosts[1:] == [hosts[0], hosts[0], hosts[0], "c.example.com"]


@pytest.mark.parametrize(
    "address", ["", "a b", "user@evil.com", "evil.com/?q", "http://evil.com", "a\r\nb", "ftp://a"]
)
def test_what_is_no_endpoint_is_refused(address: str) -> None:
    """Nothing is sent to it, nor to one without TLS when the service itself has TLS."""

    async def test(client: Any) -> None:
        with pytest.raises(EndpointError):
            await query(client)

    assert calls(test, told(address)) == [USUAL]


def test_each_account_has_its_own() -> None:
    """Whatever keys the account is used with; without an account's id, each key has its own."""
    told_apart: list[str] = []
    found = discovery.Discovered("DescribeEndpoints", True, lambda _params: {})
    usual = Route(parse_base(f"https://{USUAL}"), None, [])

    async def main() -> None:
        known = discovery.Discovery()
        for key, account in [("A", "1"), ("B", "1"), ("B", "2"), ("A", None), ("B", None)]:

            async def call(*_: object, who: str = f"{key}{account}") -> Any:
                told_apart.append(who)
                return {"Endpoints": [{"Address": CELL, "CachePeriodInMinutes": 1}]}

            source = static(Credentials(key, "secret", account_id=account))
            route = await known.route(usual, found, {}, source, call)
            assert route.base.host == CELL

    asyncio.run(main())
    assert told_apart == ["A1", "B2", "ANone", "BNone"]


# --- identifiers, and servers that are there ------------------------------------------------------

IDENTIFIED = service(
    {
        "TableInput": structure(
            {"Table": {"shape": "string", "endpointdiscoveryid": True}, "Inner": "Inner"}
        ),
        "Inner": structure({"Index": {"shape": "string", "endpointdiscoveryid": True}}),
        "Ids": map_of("string"),
        "AskInput": structure({"Operation": "string", "Identifiers": "Ids"}),
        "AskOutput": structure({"Endpoints": "Told"}),
        "Told": list_of("One"),
        "One": structure({"Address": "string", "CachePeriodInMinutes": "long"}),
    },
    {
        "DescribeEndpoints": {
            "http": {"method": "POST", "requestUri": "/"},
            "input": {"shape": "AskInput"},
            "output": {"shape": "AskOutput"},
            "endpointoperation": True,
        },
        "UseTable": {
            "http": {"method": "POST", "requestUri": "/"},
            "input": {"shape": "TableInput"},
            "endpointdiscovery": {"required": True},
        },
    },
    protocol="json",
    endpointPrefix="tiny",
    serviceId="Timestream Query",
)


@contextmanager
def client_at(url: str) -> Iterator[type[TinyClient]]:
    """A client whose rules know no other endpoint than this."""
    rules = ModuleType("rules_of_one_endpoint")
    vars(rules).update(USED={}, resolve=lambda _params: Endpoint(url))
    sys.modules[rules.__name__] = rules
    try:
        cls = client_class(IDENTIFIED)
        cls._endpoints = rules.__name__
        yield cls
    finally:
        del sys.modules[rules.__name__]


def test_each_identified_resource_has_its_own() -> None:
    """What identifies it is told when asking; calls for the same go to the same endpoint."""
    asked: list[Any] = []

    async def tell(request: Asked) -> Reply:
        if "DescribeEndpoints" not in request.headers["x-amz-target"]:
            return Reply(200, b"{}")
        asked.append(json.loads(request.body))
        address = cells[len(asked) % 2].url
        endpoint = {"Address": address, "CachePeriodInMinutes": 1}
        return Reply(200, json.dumps({"Endpoints": [endpoint]}).encode())

    cells: list[ScriptedServer] = []

    async def main() -> list[int]:
        async with scripted_server(tell) as one, scripted_server(tell) as other:
            cells[:] = one, other
            with client_at(one.url) as cls:
                async with cls(**KEYS) as client:
                    for _ in range(2):
                        await client.call("UseTable", Table="a")
                        await client.call("UseTable", Table="b", Inner={"Index": "i"})
            return [len(each.asked) for each in cells]

    assert asyncio.run(main()) == [4, 2]
    assert asked == [
        {"Operation": "UseTable", "Identifiers": {"Table": "a"}},
        {"Operation": "UseTable", "Identifiers": {"Table": "b", "Index": "i"}},
    ]


def test_an_endpoint_that_is_not_there_is_not_the_services() -> None:
    """The call fails as it does where no discovery is: nobody hears of it."""

    async def tell(_: Asked) -> Reply:
        endpoint = {"Address": "http://127.0.0.1:1", "CachePeriodInMinutes": 1}
        return Reply(200, json.dumps({"Endpoints": [endpoint]}).encode())

    async def main() -> None:
        async with scripted_server(tell) as server:
            with client_at(server.url) as cls:
                async with cls(**KEYS, max_attempts=1) as client:
                    with pytest.raises(ConnectError, match="UseTable"):
                        await client.call("UseTable", Table="a")
            assert len(server.asked) == 1

    asyncio.run(main())
