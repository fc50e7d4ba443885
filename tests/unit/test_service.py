"""The base class of generated clients, through the generated DynamoDB client."""

from __future__ import annotations

import asyncio
import threading
import time
from datetime import UTC, datetime
from types import ModuleType
from typing import Any
from unittest import mock

import pytest

from generated.cloudwatch import CloudWatch
from generated.dynamodb import DynamoDB
from generated.dynamodb import exceptions as dynamodb_exceptions
from tests.support.recording_server import Answer, RecordingServer
from tornado_aws import AsyncAWSClient, AWSClient, exceptions
from tornado_aws.credentials import Credentials
from tornado_aws.model import ServiceModel
from tornado_aws.preparation import Prepared, prepare

KEYS: dict[str, Any] = {"access_key": "AKID", "secret_key": "SECRET", "region": "us-east-1"}
ID = ("x-amzn-RequestId", "R1")


def client(server: RecordingServer) -> DynamoDB:
    return DynamoDB(endpoint=server.url, region="us-east-1", access_key="AKID", secret_key="SECRET")


def test_a_call_sends_its_parameters_and_gives_a_typed_result(server: RecordingServer) -> None:
    """None is not sent; timestamps come back as aware datetimes, metadata beside them."""
    server.queue(
        Answer(200, b'{"Table":{"TableName":"t","CreationDateTime":1.5e9,"New":1}}', (ID,))
    )

    async def main() -> None:
        async with client(server) as dynamodb:
            result = await dynamodb.describe_table(TableName="t")
            assert result["Table"] == {
                "TableName": "t",
                "CreationDateTime": datetime(2017, 7, 14, 2, 40, tzinfo=UTC),
            }
            metadata = result["ResponseMetadata"]
            assert metadata["RequestId"] == "R1"
            assert (metadata["HTTPStatusCode"], metadata["RetryAttempts"]) == (200, 0)
            assert metadata["HTTPHeaders"]["x-amzn-requestid"] == "R1"
            await dynamodb.list_tables(Limit=None, ExclusiveStartTableName="abc")

    asyncio.run(main())
    describe, listing = server.requests
    assert (describe.method, describe.target, describe.body) == ("POST", "/", b'{"TableName":"t"}')
    assert describe.header("X-Amz-Target") == "DynamoDB_20120810.DescribeTable"
    assert describe.header("Content-Type") == "application/x-amz-json-1.0"
    assert listing.body == b'{"ExclusiveStartTableName":"abc"}'


def test_modelled_errors_are_classes(server: RecordingServer) -> None:
    """The class is reached by both names, and its response is what botocore gives."""
    server.queue(
        Answer(400, b'{"__type":"ns#ResourceNotFoundException","message":"no t"}', (ID,)),
        Answer(400, b'{"__type":"SomethingNew","Message":"?"}'),
    )

    async def main() -> None:
        async with client(server) as dynamodb:
            with pytest.raises(dynamodb.exceptions.ResourceNotFoundException) as caught:
                await dynamodb.describe_table(TableName="ttt")
            error = caught.value
            assert type(error) is dynamodb_exceptions.ResourceNotFoundException
            assert error.response["Error"] == {
                "Code": "ResourceNotFoundException",
                "Message": "no t",
            }
            assert error.response["ResponseMetadata"]["RequestId"] == "R1"
            assert (error.operation, error.request_id) == ("DescribeTable", "R1")
            with pytest.raises(exceptions.AWSError) as unknown:
                await dynamodb.describe_table(TableName="ttt")
            assert type(unknown.value) is exceptions.AWSError
            assert unknown.value.code == "SomethingNew"

    asyncio.run(main())


@pytest.mark.parametrize(
    ("name", "code", "expected"),
    [
        (
            "InvalidParameterValueException",
            "InvalidParameterValue",
            CloudWatch.exceptions.InvalidParameterValueException,
        ),
        # Two errors of the model have this code; the query protocol cannot tell them apart.
        ("DashboardNotFoundError", "ResourceNotFound", CloudWatch.exceptions.ResourceNotFound),
    ],
)
def test_errors_have_classes_when_a_service_has_left_the_query_protocol(
    server: RecordingServer, name: str, code: str, expected: type[exceptions.AWSError]
) -> None:
    """CloudWatch answers the names of its shapes, and in a header the codes of its model."""
    body = f'{{"__type":"com.amazonaws.cloudwatch#{name}","message":"no"}}'.encode()
    server.queue(Answer(400, body, (("x-amzn-query-error", f"{code};Sender"),)))

    async def main() -> None:
        async with CloudWatch(endpoint=server.url, **KEYS) as cloudwatch:
            with pytest.raises(exceptions.AWSError) as caught:
                await cloudwatch.get_dashboard(DashboardName="d")
            assert type(caught.value) is expected
            assert (caught.value.code, caught.value.message) == (code, "no")
            assert caught.value.response["message"] == "no"

    asyncio.run(main())


def test_rejected_credentials_whose_source_fails_are_the_services_error(
    server: RecordingServer,
) -> None:
    """Its cause says why there are no others."""
    server.default = Answer(400, b'{"__type":"ExpiredTokenException","message":"expired"}')
    given = iter([Credentials("AKID", "SECRET")])

    def credentials() -> Credentials:
        for first in given:
            return first
        raise exceptions.CredentialsError(source="vault", reason="it is sealed")

    async def main() -> None:
        options: Any = {"endpoint": server.url, "region": "us-east-1", "credentials": credentials}
        async with DynamoDB(**options) as dynamodb:
            with pytest.raises(exceptions.AWSError, match="expired") as caught:
                await dynamodb.list_tables()
            assert "it is sealed" in str(caught.value.__cause__)

    asyncio.run(main())


def test_invalid_parameters_are_refused_all_at_once_and_nothing_is_sent(
    server: RecordingServer,
) -> None:
    """The error has every fault; validate=False leaves it to the service."""

    async def main() -> None:
        async with client(server) as dynamodb:
            wrong: Any = {"TableName": 7, "Item": {"a": {"S": 1}, "b": {"Q": "x"}}}
            with pytest.raises(exceptions.ParamValidationError) as caught:
                await dynamodb.put_item(**wrong)
            assert caught.value.operation == "PutItem"
            assert len(caught.value.faults) >= 3
            assert not server.requests
            await dynamodb.with_options(validate=False).describe_table(TableName="")

    asyncio.run(main())
    assert server.requests[0].body == b'{"TableName":""}'


def test_an_existing_client_is_used_and_left_open(server: RecordingServer) -> None:
    """Several services may share one client's connections."""

    async def main() -> None:
        async with AsyncAWSClient("dynamodb", endpoint=server.url, **KEYS) as raw:
            async with DynamoDB(raw) as dynamodb:
                await dynamodb.list_tables()
            assert (await raw.fetch("POST")).code == 200
            with pytest.raises(TypeError, match="region"):
                DynamoDB(raw, region="us-east-1")

    asyncio.run(main())
    assert server.connections == 1


def test_connections_are_counted(server: RecordingServer) -> None:
    """A client and its views count the same, and nothing but zeros before the first call."""

    async def main() -> list[tuple[int, ...]]:
        async with DynamoDB(endpoint=server.url, **KEYS) as client:
            before = client.pool_stats()
            await client.with_options(max_attempts=1).describe_table(TableName="ttt")
            return [before, client.pool_stats(), client.with_options().pool_stats()]

    assert asyncio.run(main()) == [(0, 0, 0, 0, 0), (1, 1, 0, 1, 1), (1, 1, 0, 1, 1)]


@pytest.mark.parametrize(
    ("given", "options", "reason"),
    [
        ("us-east-1", {}, "client is an AsyncAWSClient, not str; options have names"),
        (AWSClient, {}, "client is an AsyncAWSClient, not AWSClient"),
        (
            AsyncAWSClient,
            {"region": "eu-west-1"},
            r"either a client or options \(region\), not both",
        ),
    ],
)
def test_what_a_generated_client_is_made_of_is_checked(
    given: Any, options: dict[str, Any], reason: str
) -> None:
    """A region is no client, and a client brings its own options."""
    client: Any = given if isinstance(given, str) else given("dynamodb", **KEYS)
    with pytest.raises(TypeError, match=reason):
        DynamoDB(client, **options)
    if not isinstance(client, str):
        client.close()


def test_a_closed_client_says_so(server: RecordingServer) -> None:
    """Calling after close is an error of this library."""

    async def main() -> None:
        dynamodb = client(server)
        await dynamodb.list_tables()
        dynamodb.close()
        dynamodb.close()
        with pytest.raises(exceptions.ClientClosedError):
            await dynamodb.list_tables()

    asyncio.run(main())


def test_a_success_that_is_no_json_is_a_parser_error(server: RecordingServer) -> None:
    """A proxy's page with status 200 is not taken for a result."""
    server.queue(Answer(200, b"<html>welcome</html>"))

    async def main() -> None:
        async with client(server) as dynamodb:
            with pytest.raises(exceptions.ResponseParserError, match="ListTables") as caught:
                await dynamodb.list_tables()
            error = caught.value
            assert (error.service, error.operation) == ("dynamodb", "ListTables")
            assert f"http://{error.host}" == server.url
            assert error.response.body == b"<html>welcome</html>"
            assert isinstance(error.__cause__, ValueError)

    asyncio.run(main())


def test_dynamodb_makes_four_attempts(server: RecordingServer) -> None:
    """The service's own number of attempts holds when nothing else is configured."""
    server.default = Answer(500, b'{"__type":"InternalServerError"}')

    async def main() -> None:
        async with client(server) as dynamodb:
            with pytest.raises(dynamodb.exceptions.InternalServerError) as caught:
                await dynamodb.list_tables()
            assert caught.value.attempts == 4
            assert caught.value.response["ResponseMetadata"]["RetryAttempts"] == 3

    asyncio.run(main())


def test_an_operation_is_made_ready_once_and_not_on_the_loop(server: RecordingServer) -> None:
    """Callers that come meanwhile wait for it, and one that gives up leaves it to the others."""
    server.default = Answer(200, b"{}")
    made: list[tuple[str, int]] = []

    def slowly(model: ServiceModel, name: str, rules: ModuleType | None) -> Prepared:
        made.append((name, threading.get_ident()))
        time.sleep(0.05)
        return prepare(model, name, rules)

    async def main() -> None:
        fresh = type("Fresh", (DynamoDB,), {})
        async with fresh(endpoint=server.url, **KEYS) as dynamodb:
            await dynamodb.list_tables()
            with mock.patch("tornado_aws.preparation.prepare", slowly):
                callers = [
                    asyncio.create_task(dynamodb.describe_table(TableName="t")) for _ in range(5)
                ]
                await asyncio.sleep(0.01)
                callers[0].cancel()
                outcomes = await asyncio.gather(*callers, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [asyncio.CancelledError, *[dict] * 4]

    asyncio.run(main())
    [(name, thread)] = made
    assert name == "DescribeTable"
    assert thread != threading.get_ident()


def test_an_operation_that_cannot_be_made_ready_is_tried_again(server: RecordingServer) -> None:
    """What failed is not kept."""
    server.default = Answer(200, b"{}")

    async def main() -> None:
        fresh = type("Fresh", (DynamoDB,), {})
        async with fresh(endpoint=server.url, **KEYS) as dynamodb:
            await dynamodb.list_tables()
            with (
                mock.patch("tornado_aws.preparation.prepare", side_effect=MemoryError),
                pytest.raises(MemoryError),
            ):
                await dynamodb.describe_table(TableName="t")
            await dynamodb.describe_table(TableName="t")

    asyncio.run(main())
