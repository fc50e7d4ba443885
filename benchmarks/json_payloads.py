"""Parameters and answers of the services that speak JSON, as they are on the wire."""

from __future__ import annotations

import json
from typing import Any


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
