"""What requests and results cost, against botocore: ``python -m benchmarks.protocols``.

CPU microseconds a call and how many times cheaper than botocore's serialiser (validation included)
or parser on the same payload, one process. The two take turns and the ratio is that of the round;
medians of the rounds are printed. A name as argument runs only the cases that have it in theirs.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode

from botocore.awsrequest import HeadersDict
from botocore.parsers import create_parser
from botocore.serialize import create_serializer

from benchmarks import xml_payloads
from tests.conformance import models
from tornado_aws.protocols import load
from tornado_aws.transport import Response
from tornado_aws.validation import validator

ROUNDS = 15
SECONDS = 0.03  # of one candidate in one round

Call = Callable[[], object]


class Case(NamedTuple):
    """Two calls that do the same.

    Attributes:
        name: what is done.
        size: length of the request's or the response's body in bytes.
        goal: how many times cheaper than botocore it should be.
        theirs: botocore's way.
        ours: this library's way.
    """

    name: str
    size: int
    goal: int
    theirs: Call
    ours: Call


def writing(
    name: str, service: str, operation: str, params: Mapping[str, Any], goal: int = 0
) -> Case:
    """Return a case that validates and serialises parameters."""
    model = models.ours(service)
    record = model.operation(operation)
    validate, serialize = validator(record), load(model.metadata).serializer(record)
    their_record = models.theirs(service).operation_model(operation)
    their_serializer = create_serializer(models.protocols()[service])
    is_form = models.protocols()[service] in ("query", "ec2")

    def ours() -> object:
        validate(params)
        return serialize(params)

    def theirs() -> object:
        request = their_serializer.serialize_to_request(params, their_record)
        # botocore makes a form's bytes of the parameters only when it prepares the request.
        return urlencode(request["body"], doseq=True) if is_form else request

    body = serialize(params).body or b""
    return Case(
        f"write {name}",
        len(body) if isinstance(body, bytes) else 0,
        goal,
        theirs,
        ours,
    )


def reading(name: str, service: str, operation: str, body: bytes, goal: int = 0) -> Case:
    """Return a case that parses a response."""
    model = models.ours(service)
    parse = load(model.metadata).parser(model.operation(operation))
    response = Response(200, "OK", [("x-amzn-requestid", "1")], body)
    shape = models.theirs(service).operation_model(operation).output_shape
    their_parser = create_parser(models.protocols()[service])
    their_response = {
        "status_code": 200,
        "headers": HeadersDict({"x-amzn-requestid": "1"}),
        "body": body,
        "context": {"operation_name": operation},
    }
    expected = their_parser.parse(their_response, shape)
    expected.pop("ResponseMetadata")
    if {**parse(response), "ResponseMetadata": {}} != {**expected, "ResponseMetadata": {}}:
        raise AssertionError(f"{name}: the results differ")
    return Case(
        f"read {name}",
        len(body),
        goal,
        lambda: their_parser.parse(their_response, shape),
        lambda: parse(response),
    )


def item(number: int, blob: Any) -> dict[str, Any]:
    """Return an item of a table, about 900 bytes."""
    return {
        "pk": {"S": f"user#{number:07}"},
        "sk": {"S": "profile#2026-01-01T00:00:00Z"},
        "name": {"S": "Jane Example-Doe"},
        "email": {"S": "jane.example@example.com"},
        "age": {"N": "42"},
        "active": {"BOOL": True},
        "score": {"N": "12345.678"},
        "tags": {"SS": ["alpha", "beta", "gamma"]},
        "numbers": {"NS": ["1", "2", "3"]},
        "picture": {"B": blob},
        "nothing": {"NULL": True},
        "address": {
            "M": {
                "street": {"S": "1 Long Street"},
                "city": {"S": "Springfield"},
                "zip": {"S": "12345"},
                "place": {"L": [{"N": "1.2345"}, {"N": "6.789"}]},
            }
        },
        "history": {
            "L": [
                {"M": {"at": {"N": "1700000000"}, "what": {"S": "created"}}},
                {"M": {"at": {"N": "1700000100"}, "what": {"S": "updated"}}},
            ]
        },
        "version": {"N": "7"},
    }


def put_item() -> dict[str, Any]:
    """Return the parameters of a PutItem."""
    return {
        "TableName": "my-table-with-a-name",
        "Item": item(1, b"0123456789abcdef0123456789abcdef"),
        "ReturnConsumedCapacity": "TOTAL",
        "ConditionExpression": "attribute_not_exists(#pk) AND #v < :v",
        "ExpressionAttributeNames": {"#pk": "pk", "#v": "version"},
        "ExpressionAttributeValues": {":v": {"N": "42"}},
    }


def described_table() -> dict[str, Any]:
    """Return the answer to a DescribeTable, about 1.2 KB."""
    arn = "arn:aws:dynamodb:us-east-1:123456789012:table/my-table"
    throughput = {"NumberOfDecreasesToday": 0, "ReadCapacityUnits": 5, "WriteCapacityUnits": 5}
    return {
        "Table": {
            "AttributeDefinitions": [
                {"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk", "gsi")
            ],
            "TableName": "my-table",
            "KeySchema": [
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
            "TableStatus": "ACTIVE",
            "CreationDateTime": 1700000000.123,
            "ProvisionedThroughput": {**throughput, "LastIncreaseDateTime": 1700000000.0},
            "TableSizeBytes": 123456,
            "ItemCount": 1000,
            "TableArn": arn,
            "TableId": "12345678-1234-1234-1234-123456789012",
            "GlobalSecondaryIndexes": [
                {
                    "IndexName": "gsi-index",
                    "KeySchema": [{"AttributeName": "gsi", "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "ALL"},
                    "IndexStatus": "ACTIVE",
                    "ProvisionedThroughput": throughput,
                    "IndexSizeBytes": 1234,
                    "ItemCount": 10,
                    "IndexArn": f"{arn}/index/gsi-index",
                }
            ],
            "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
            "LatestStreamLabel": "2026-01-01T00:00:00.000",
            "DeletionProtectionEnabled": False,
            "TableClassSummary": {"TableClass": "STANDARD"},
        }
    }


def queried(count: int) -> dict[str, Any]:
    """Return the answer to a Query."""
    blob = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
    items = [item(number, blob) for number in range(count)]
    return {"Items": items, "Count": count, "ScannedCount": count}


def function(number: int) -> dict[str, Any]:
    """Return an element of a Lambda ListFunctions answer, nulls included, as Lambda sends them."""
    name = f"function-{number}"
    return {
        "FunctionName": name,
        "FunctionArn": f"arn:aws:lambda:us-east-1:123456789012:function:{name}",
        "Runtime": "python3.12",
        "Role": "arn:aws:iam::123456789012:role/service-role/lambda",
        "Handler": "app.handler",
        "CodeSize": 12345,
        "Description": "",
        "Timeout": 30,
        "MemorySize": 512,
        "LastModified": "2026-01-01T00:00:00.000+0000",
        "CodeSha256": "w7w0000000000000000000000000000000000000000=",
        "Version": "$LATEST",
        "VpcConfig": None,
        "KMSKeyArn": None,
        "TracingConfig": {"Mode": "PassThrough"},
        "Environment": {"Variables": {"STAGE": "prod", "LEVEL": "info"}},
        "Layers": None,
        "PackageType": "Zip",
        "Architectures": ["x86_64"],
        "EphemeralStorage": {"Size": 512},
    }


def as_json(answer: object) -> bytes:
    """Return an answer as a service sends it."""
    return json.dumps(answer, separators=(",", ":")).encode()


def put_records() -> dict[str, Any]:
    """Return the parameters of a Kinesis PutRecords of ten records."""
    records = [{"Data": b"x" * 100, "PartitionKey": f"key-{number}"} for number in range(10)]
    return {"StreamName": "my-stream", "Records": records}


def cases() -> list[Callable[[], Case]]:
    """Return the cases; each is made when its turn comes."""
    functions = {"Functions": [function(number) for number in range(50)], "NextMarker": None}
    without_nulls = json.loads(
        as_json(functions), object_hook=lambda d: {k: v for k, v in d.items() if v is not None}
    )
    return [
        lambda: writing("DescribeTable", "dynamodb", "DescribeTable", {"TableName": "my-table"}),
        lambda: writing("PutItem", "dynamodb", "PutItem", put_item(), goal=10),
        lambda: writing("PutRecords, 10", "kinesis", "PutRecords", put_records()),
        lambda: writing(
            "Lambda Invoke",
            "lambda",
            "Invoke",
            {"FunctionName": "my-function", "Payload": b"{}", "InvocationType": "Event"},
        ),
        lambda: reading(
            "DescribeTable", "dynamodb", "DescribeTable", as_json(described_table()), goal=20
        ),
        lambda: reading("GetItem", "dynamodb", "GetItem", as_json({"Item": item(1, "eA==")})),
        lambda: reading("Query, 100 KB", "dynamodb", "Query", as_json(queried(140)), goal=20),
        lambda: reading("Query, 1 MB", "dynamodb", "Query", as_json(queried(1400))),
        lambda: reading("ListFunctions", "lambda", "ListFunctions", as_json(without_nulls)),
        lambda: reading("ListFunctions, nulls", "lambda", "ListFunctions", as_json(functions)),
        lambda: writing(
            "RunInstances", "ec2", "RunInstances", xml_payloads.run_instances(), goal=5
        ),
        lambda: writing(
            "DeleteObjects, 1000", "s3", "DeleteObjects", xml_payloads.delete_objects(1000), goal=5
        ),
        lambda: reading(
            "GetCallerIdentity", "sts", "GetCallerIdentity", xml_payloads.caller_identity()
        ),
        lambda: reading(
            "ListObjectsV2, 1000", "s3", "ListObjectsV2", xml_payloads.listing(1000), goal=15
        ),
        lambda: reading(
            "DescribeInstances, 100",
            "ec2",
            "DescribeInstances",
            xml_payloads.instances(100),
            goal=8,
        ),
    ]


def repeated(call: Call, times: int) -> float:
    """Return CPU seconds of a call, the loop around it included (about 0.05 us)."""
    started = time.process_time()
    for _ in range(times):
        call()
    return (time.process_time() - started) / times


def compare(case: Case) -> tuple[float, float, float]:
    """Return medians: CPU seconds of theirs and of ours, and the ratio of the two in a round."""
    case.theirs(), case.ours()
    theirs_times = max(1, int(SECONDS / repeated(case.theirs, 3)))
    ours_times = max(1, int(SECONDS / repeated(case.ours, 3)))
    rounds = [
        (repeated(case.theirs, theirs_times), repeated(case.ours, ours_times))
        for _ in range(ROUNDS)
    ]
    return (
        statistics.median(theirs for theirs, _ in rounds),
        statistics.median(ours for _, ours in rounds),
        statistics.median(theirs / ours for theirs, ours in rounds),
    )


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.protocols", description=__doc__)
    parser.add_argument("name", nargs="?", default="", help="only cases with this in their name")
    wanted = parser.parse_args().name
    print(f"{'':<32}{'bytes':>10}{'botocore':>12}{'ours':>10}{'ratio':>8}{'goal':>6}")
    for make in cases():
        case = make()
        if wanted not in case.name:
            continue
        theirs, ours, ratio = compare(case)
        goal = case.goal or ""
        print(
            f"{case.name:<32}{case.size:>10,}{theirs * 1e6:>12,.1f}{ours * 1e6:>10,.1f}"
            f"{ratio:>8.1f}{goal:>6}"
        )
        sys.stdout.flush()


if __name__ == "__main__":
    main()
