"""The stubber and the transports for users' tests."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, TypeVar
from unittest.mock import ANY

import pytest

from generated.bedrock_runtime import BedrockRuntime
from generated.dynamodb import DynamoDB
from generated.iam import IAM
from generated.kinesis import Kinesis
from generated.s3 import S3
from tests.support.recording_server import Answer, recording_server
from tornado_aws import AsyncAWSClient, AWSClient, exceptions
from tornado_aws.testing import (
    CannedTransport,
    RecordingTransport,
    Stubber,
    StubError,
    response,
)

T = TypeVar("T")
KEYS: Any = {"access_key": "AKID", "secret_key": "SECRET", "region": "us-east-1"}
MADE = datetime(2026, 1, 2, tzinfo=UTC)


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(coroutine)


def test_expected_calls_get_their_results_in_order() -> None:
    """No region, no credentials and no network are needed; the calls are kept."""
    dynamodb = DynamoDB()
    with Stubber(dynamodb) as stub:
        stub.expect(
            "describe_table",
            {"TableName": "songs"},
            returns={"Table": {"TableName": "songs", "CreationDateTime": MADE}},
        )
        stub.expect("PutItem", {"TableName": "songs", "Item": ANY})
        result = run(dynamodb.describe_table(TableName="songs"))
        assert result["Table"]["CreationDateTime"] == MADE
        assert result["ResponseMetadata"]["HTTPStatusCode"] == 200
        run(dynamodb.put_item(TableName="songs", Item={"k": {"S": "v"}}, ReturnValues=None))
    assert [call.operation for call in stub.calls] == ["DescribeTable", "PutItem"]
    assert stub.calls[1].params == {"TableName": "songs", "Item": {"k": {"S": "v"}}}


def test_errors_are_the_clients_own_classes() -> None:
    """A modelled code raises its class with the model's status; any other code AWSError."""
    dynamodb = DynamoDB()
    with Stubber(dynamodb) as stub:
        stub.expect(
            "put_item",
            raises="ConditionalCheckFailedException",
            message="no",
            members={"Item": {"k": {"S": "v"}}},
        )
        stub.expect("put_item", raises="SlowDown")
        stub.expect("put_item", raises=exceptions.ReadTimeout())
        with pytest.raises(dynamodb.exceptions.ConditionalCheckFailedException) as caught:
            run(dynamodb.put_item(TableName="ttt", Item={}))
        assert caught.value.response["Item"] == {"k": {"S": "v"}}
        assert caught.value.response["Error"]["Message"] == "no"
        assert (caught.value.service, caught.value.operation) == ("dynamodb", "PutItem")
        with pytest.raises(exceptions.AWSError) as throttled:
            run(dynamodb.put_item(TableName="ttt", Item={}))
        assert (type(throttled.value), throttled.value.code) == (
            exceptions.AWSError,
            "SlowDown",
        )
        with pytest.raises(exceptions.ReadTimeout):
            run(dynamodb.put_item(TableName="ttt", Item={}))


def test_parameters_are_checked_against_the_model() -> None:
    """What production would refuse is refused here, too."""
    dynamodb = DynamoDB()
    with Stubber(dynamodb) as stub:
        stub.answer("put_item")
        with pytest.raises(exceptions.ParamValidationError, match="TableName"):
            run(dynamodb.put_item(TableName=7, Item={}))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("operation", "result", "fault"),
    [
        ("describe_table", {"Tabel": {}}, "Tabel"),
        ("describe_table", {"Table": {"CreationDateTime": "yesterday"}}, "CreationDateTime"),
        ("describe_table", {"Table": {"CreationDateTime": 1700000000}}, "aware datetimes"),
        ("describe_table", {"Table": {"CreationDateTime": datetime(2026, 1, 1)}}, "aware"),
        ("get_item", {"Item": {"k": {"B": "text"}}}, r"Item\.k\.B: results have bytes"),
        ("get_item", {"Item": {"k": {"L": [{"B": "text"}]}}}, r"Item\.k\.L\[0\]\.B"),
    ],
)
def test_results_are_checked_against_the_model(operation: str, result: Any, fault: str) -> None:
    """A result that the service cannot give is the test's mistake, and says where."""
    stub = Stubber(DynamoDB())
    with pytest.raises(StubError, match=fault):
        stub.expect(operation, returns=result)
    stub.answer(operation, returns=lambda params: result)
    with pytest.raises(StubError, match=fault), stub:
        run(stub._client._call(operation.title().replace("_", ""), dict(_PARAMS[operation])))


_PARAMS: Any = {
    "describe_table": {"TableName": "ttt"},
    "get_item": {"TableName": "ttt", "Key": {}},
}


def test_a_function_makes_results_from_parameters() -> None:
    """An answered operation may be called any number of times, between expected ones."""
    dynamodb = DynamoDB()
    with Stubber(dynamodb) as stub:
        stub.answer("get_item", returns=lambda params: {"Item": params["Key"]})
        stub.expect("delete_item")
        for name in ("a", "b"):
            result = run(dynamodb.get_item(TableName="ttt", Key={"k": {"S": name}}))
            assert result["Item"] == {"k": {"S": name}}
        run(dynamodb.delete_item(TableName="ttt", Key={}))


def refusal(stub: Stubber, call: Callable[[], Coroutine[Any, Any, Any]]) -> str:
    """Return what a test is told of a call, also if the program swallows the error that it got."""
    with pytest.raises(StubError) as caught, stub, suppress(Exception):
        run(call())
    return str(caught.value)


@pytest.mark.parametrize("result", [None, [], "text"])
def test_a_function_that_makes_no_result_is_told(result: Any) -> None:
    """One that forgot to return something, say."""

    async def main() -> None:
        dynamodb = DynamoDB()
        with Stubber(dynamodb) as stub:
            stub.answer("list_tables", returns=lambda _: result)
            with pytest.raises(StubError, match=f"a {type(result).__name__}, no dict"):
                await dynamodb.list_tables()

    asyncio.run(main())


def test_calls_that_differ_from_the_expected_ones_fail_the_test() -> None:
    """Another operation, a call too many, other parameters: each is told as deep as it is."""
    dynamodb = DynamoDB()
    stub = Stubber(dynamodb)
    assert "no further call is expected" in refusal(stub, dynamodb.list_tables)
    stub = Stubber(dynamodb)
    stub.expect("get_item", {"TableName": "ttt", "Key": {"k": {"S": "1"}}, "ConsistentRead": True})
    wanted = "ListTables was called, but GetItem is expected"
    assert refusal(stub, dynamodb.list_tables) == wanted
    stub = Stubber(dynamodb)
    stub.expect(
        "get_item",
        {
            "TableName": "ttt",
            "Key": {"k": {"S": "1"}},
            "ConsistentRead": True,
            "AttributesToGet": ["a", "b"],
        },
    )
    text = refusal(
        stub,
        lambda: dynamodb.get_item(
            TableName="ttt",
            Key={"k": {"S": "2"}},
            AttributesToGet=["a", "c"],
            ReturnConsumedCapacity="NONE",
        ),
    )
    assert text.splitlines()[1:] == [
        "  AttributesToGet[1]: expected 'b'; is 'c'",
        "  ConsistentRead: missing; expected True",
        "  Key.k.S: expected '1'; is '2'",
        "  ReturnConsumedCapacity: not expected; is 'NONE'",
    ]


def test_calls_that_were_forgotten_fail_the_test() -> None:
    """Unless the block ends with an error of its own."""
    stub = Stubber(DynamoDB())
    stub.expect("put_item")
    stub.expect("list_tables")
    with pytest.raises(ZeroDivisionError), stub:
        raise ZeroDivisionError
    with pytest.raises(StubError, match="not made: PutItem, ListTables"), stub:
        pass


@pytest.mark.parametrize(
    ("text", "name", "arguments"),
    [
        ("did you mean DescribeTable", "describe_tabel", {}),
        ("either return or raise", "put_item", {"returns": {}, "raises": "X"}),
        ("TableNam; did you mean TableName", "put_item", {"params": {"TableNam": "ttt"}}),
        ("an error's code or an exception, not <class", "put_item", {"raises": ValueError}),
        (
            "did you mean ConditionalCheckFailedException",
            "put_item",
            {"raises": "ConditionalCheckFailed"},
        ),
        (
            "Reason: unknown",
            "put_item",
            {"raises": "ConditionalCheckFailedException", "members": {"Reason": "x"}},
        ),
        (
            "Item: a.S: expected a str, got int",
            "put_item",
            {"raises": "ConditionalCheckFailedException", "members": {"Item": {"a": {"S": 1}}}},
        ),
    ],
)
def test_mistakes_in_expectations_are_told_at_once(text: str, name: str, arguments: Any) -> None:
    """A name that does not exist has near ones suggested."""
    with pytest.raises(StubError, match=text):
        Stubber(DynamoDB()).expect(name, **arguments)


@pytest.mark.parametrize("client", [AsyncAWSClient("dynamodb"), DynamoDB, None])
def test_only_generated_clients_are_stubbed(client: Any) -> None:
    """A class would be answered for no client of it."""
    with pytest.raises(TypeError, match="a generated client, not for"):
        Stubber(client)


def test_results_may_be_less_than_what_callers_may_send() -> None:
    """Kinesis counts failed records from 1 in its model, and answers 0."""
    kinesis = Kinesis()
    result = {"FailedRecordCount": 0, "Records": [{"SequenceNumber": "1", "ShardId": ""}]}
    with Stubber(kinesis) as stub:
        stub.expect("put_records", returns=result)
        records = [{"Data": b"a", "PartitionKey": "k"}]
        answer = run(kinesis.put_records(StreamName="s", Records=records))  # type: ignore[arg-type]
        assert answer["FailedRecordCount"] == 0
        with pytest.raises(exceptions.ParamValidationError, match="Records: expected a length"):
            run(kinesis.put_records(StreamName="s", Records=[]))
    with pytest.raises(StubError, match="FailedRecordCount: expected an int, got a str"):
        stub.expect("put_records", returns={**result, "FailedRecordCount": "0"})


def test_a_result_is_made_of_what_the_service_gives() -> None:
    """A policy is text on the wire and decoded in results, and there is no region for us-east-1."""
    iam, s3 = IAM(), S3()
    policy = {"Version": "2012-10-17", "Statement": []}
    with Stubber(iam) as stub, Stubber(s3) as bucket:
        document = {"PolicyName": "p", "RoleName": "r", "PolicyDocument": json.dumps(policy)}
        stub.expect("get_role_policy", returns=document)
        found = run(iam.get_role_policy(RoleName="r", PolicyName="p"))
        assert found["PolicyDocument"] == policy
        bucket.expect("get_bucket_location", returns={"LocationConstraint": "eu-west-1"})
        assert run(s3.get_bucket_location(Bucket="bbb"))["LocationConstraint"] == "eu-west-1"
        bucket.expect("list_objects_v2", returns={"Contents": [{"Key": "a%20b"}]})
        listed = run(s3.list_objects_v2(Bucket="bbb"))
        assert listed["Contents"][0]["Key"] == "a%20b"


def test_errors_that_are_not_modelled_can_be_raised() -> None:
    """Every service has them."""
    stub = Stubber(DynamoDB())
    for code in ("ThrottlingException", "ExpiredTokenException", "TotallyUnknown"):
        stub.expect("put_item", raises=code)


def test_every_call_gets_an_exception_of_its_own() -> None:
    """It tells the operation, however many operations and calls it was made for."""
    dynamodb = DynamoDB()
    error = exceptions.ReadTimeout("silence")
    with Stubber(dynamodb) as stub:
        for name in ("list_tables", "describe_limits"):
            stub.answer(name, raises=error)
        for call, name in (
            (dynamodb.list_tables, "ListTables"),
            (dynamodb.describe_limits, "DescribeLimits"),
        ):
            with pytest.raises(exceptions.ReadTimeout, match="silence") as caught:
                run(call())
            assert caught.value.operation == name
    assert error.operation is None


def test_what_a_program_changes_is_its_own() -> None:
    """A result is new for each call, and calls are told as they were made."""
    dynamodb = DynamoDB()
    tables: dict[str, Any] = {"TableNames": ["songs"]}
    key: Any = {"title": {"S": "Debaser"}}

    async def main() -> None:
        with Stubber(dynamodb) as stub:
            stub.answer("list_tables", returns=tables)
            stub.answer("get_item", returns=lambda _: {"Item": key})
            (await dynamodb.list_tables())["TableNames"].clear()
            assert (await dynamodb.list_tables())["TableNames"] == ["songs"]
            (await dynamodb.get_item(TableName="songs", Key=key))["Item"].clear()
            key["title"] = {"S": "Caribou"}
            assert stub.calls[-1].params["Key"] == {"title": {"S": "Debaser"}}

    asyncio.run(main())
    assert tables == {"TableNames": ["songs"]}
    assert key == {"title": {"S": "Caribou"}}


def test_one_stubber_at_a_time_answers_a_client() -> None:
    """Two would take each other's calls."""
    dynamodb = DynamoDB()
    with Stubber(dynamodb), pytest.raises(StubError, match="already"), Stubber(dynamodb):
        pass


def test_the_client_is_itself_again_afterwards() -> None:
    """Without the stubber a call goes to the network."""

    async def main() -> None:
        async with DynamoDB(endpoint="http://127.0.0.1:1", max_attempts=1, **KEYS) as dynamodb:
            with Stubber(dynamodb) as stub:
                stub.answer("list_tables")
                await dynamodb.list_tables()
            with pytest.raises(exceptions.ConnectError):
                await dynamodb.list_tables()

    run(main())


def test_pages_waiters_and_views_are_answered() -> None:
    """They are made of calls."""

    async def main() -> None:
        dynamodb = DynamoDB()
        with Stubber(dynamodb) as stub:
            stub.expect(
                "list_tables", {}, returns={"TableNames": ["aaa"], "LastEvaluatedTableName": "aaa"}
            )
            stub.expect(
                "list_tables", {"ExclusiveStartTableName": "aaa"}, returns={"TableNames": ["bbb"]}
            )
            names = [name async for name in dynamodb.paginate_list_tables().items()]
            assert names == ["aaa", "bbb"]
            stub.expect("describe_table", raises="ResourceNotFoundException")
            stub.expect("describe_table", returns={"Table": {"TableStatus": "ACTIVE"}})
            await dynamodb.wait_until_table_exists(
                TableName="ttt", WaiterConfig={"Delay": 0, "MaxAttempts": 3}
            )
            stub.expect("list_tables")
            await dynamodb.with_options(read_timeout=1).list_tables()

    run(main())


def test_streams_are_given_as_bytes_and_lists() -> None:
    """The program reads them as it reads real ones."""

    async def main() -> None:
        s3, bedrock = S3(), BedrockRuntime()
        with Stubber(s3) as stub, Stubber(bedrock) as other:
            stub.expect("get_object", returns={"Body": b"0123456789", "ETag": '"e"'})
            body = (await s3.get_object(Bucket="bucket", Key="k"))["Body"]
            assert [await body.read(4), await body.read(), await body.read()] == [
                b"0123",
                b"456789",
                b"",
            ]
            chunks = [{"chunk": {"bytes": b"1"}}, {"chunk": {"bytes": b"2"}}]
            other.expect(
                "invoke_model_with_response_stream",
                returns={"body": chunks, "contentType": "text/plain"},
            )
            result = await bedrock.invoke_model_with_response_stream(modelId="m", body=b"{}")
            async with result["body"] as events:
                assert [event async for event in events] == chunks

    run(main())


def test_canned_answers_of_raw_requests() -> None:
    """Responses, errors and functions in order; the last one for ever; requests are kept."""
    canned = CannedTransport(
        response('{"TableNames":[]}', headers={"x-amzn-RequestId": "R"}),
        exceptions.ConnectError(),
        lambda request: response(request.method, 404),
    )

    async def main() -> None:
        async with AsyncAWSClient("dynamodb", transport=canned, max_attempts=1, **KEYS) as client:
            first = await client.fetch("POST", body="{}")
            assert (first.code, first.body) == (200, b'{"TableNames":[]}')
            with pytest.raises(exceptions.ConnectError):
                await client.fetch("POST")
            for _ in range(2):
                last = await client.fetch("PUT", raise_error=False)
                assert (last.code, last.body) == (404, b"PUT")

    run(main())
    assert [request.method for request in canned.requests] == ["POST", "POST", "PUT", "PUT"]
    assert dict(canned.requests[0].headers)["Authorization"].startswith("AWS4-HMAC-SHA256")


def test_canned_answers_serve_generated_and_blocking_clients() -> None:
    """The whole way is real but for the network: signing, parsing, retries and streams."""
    canned = CannedTransport(response("", 500), response(b"object", headers={"ETag": '"e"'}))

    async def main() -> None:
        async with S3(transport=canned, **KEYS) as s3:
            result = await s3.get_object(Bucket="bucket", Key="k")
            assert await result["Body"].read() == b"object"
            assert result["ResponseMetadata"]["RetryAttempts"] == 1

    run(main())
    with AWSClient("sqs", transport=CannedTransport(response("{}")), **KEYS) as client:
        assert client.fetch("POST").body == b"{}"
    with pytest.raises(StubError):
        CannedTransport()


def test_a_recording_shows_what_passed() -> None:
    """Requests with their responses or errors; its text tells no header."""

    async def main(recording: RecordingTransport, endpoint: str) -> None:
        async with AsyncAWSClient(
            "dynamodb", endpoint=endpoint, transport=recording, max_attempts=1, **KEYS
        ) as client:
            await client.fetch("POST", body="{}")
            assert (await client.get_credentials()).access_key == "AKID"

    with recording_server() as server:
        server.queue(Answer(200, b'{"a":1}'))
        first = RecordingTransport()
        run(main(first, server.url))
    second = RecordingTransport()
    with pytest.raises(exceptions.ConnectError):
        run(main(second, "http://127.0.0.1:1"))
    done, failed = first.exchanges + second.exchanges
    assert done.response is not None
    assert (done.request.body, done.response.body) == (b"{}", b'{"a":1}')
    assert isinstance(failed.error, exceptions.ConnectError)
    assert repr([done, failed]) == (
        "[<Exchange POST 127.0.0.1 200>, <Exchange POST 127.0.0.1 ConnectError>]"
    )
