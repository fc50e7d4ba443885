"""What requests and results cost, against botocore's serialiser and parser on the same payload.

Serialising includes validation. Everything is measured in one process and without a network.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode

from botocore.awsrequest import HeadersDict
from botocore.parsers import create_parser
from botocore.serialize import create_serializer

from benchmarks import json_payloads, xml_payloads
from benchmarks.rounds import Effort, cpu_ratio, cpu_us, interleaved_functions
from benchmarks.tables import Column, Table, Value
from tests.conformance import models
from tornado_aws.protocols import load
from tornado_aws.transport import Response
from tornado_aws.validation import validator

Call = Callable[[], object]

COLUMNS = [
    Column("bytes"),
    Column("botocore µs", "{:,.1f}"),
    Column("µs", "{:,.1f}"),
    Column("times faster", "{:.1f}"),
]


class Case(NamedTuple):
    """Two calls that do the same.

    Attributes:
        name: what is done.
        size: length of the request's or the response's body in bytes.
        theirs: botocore's way.
        ours: this library's way.
    """

    name: str
    size: int
    theirs: Call
    ours: Call


def writing(name: str, service: str, operation: str, params: Mapping[str, Any]) -> Case:
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
    return Case(name, len(body) if isinstance(body, bytes) else 0, theirs, ours)


def reading(name: str, service: str, operation: str, body: bytes) -> Case:
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
        name,
        len(body),
        lambda: their_parser.parse(their_response, shape),
        lambda: parse(response),
    )


def requests() -> Iterator[Case]:
    """Give the cases of requests; each is made when its turn comes."""
    invocation = {"FunctionName": "my-function", "Payload": b"{}", "InvocationType": "Event"}
    yield writing("DynamoDB DescribeTable", "dynamodb", "DescribeTable", {"TableName": "songs"})
    yield writing("DynamoDB PutItem", "dynamodb", "PutItem", json_payloads.put_item())
    yield writing("Kinesis PutRecords, 10", "kinesis", "PutRecords", json_payloads.put_records())
    yield writing("Lambda Invoke", "lambda", "Invoke", invocation)
    yield writing("EC2 RunInstances", "ec2", "RunInstances", xml_payloads.run_instances())
    yield writing(
        "S3 DeleteObjects, 1,000 keys", "s3", "DeleteObjects", xml_payloads.delete_objects(1000)
    )


def results() -> Iterator[Case]:
    """Give the cases of results."""
    as_json = json_payloads.as_json
    table = as_json(json_payloads.described_table())
    yield reading("DynamoDB DescribeTable", "dynamodb", "DescribeTable", table)
    item = as_json({"Item": json_payloads.item(1, "eA==")})
    yield reading("DynamoDB GetItem", "dynamodb", "GetItem", item)
    for count, size in ((140, "100 KB"), (1400, "1 MB")):
        body = as_json(json_payloads.queried(count))
        yield reading(f"DynamoDB Query, {size}", "dynamodb", "Query", body)
    functions = {
        "Functions": [json_payloads.function(number) for number in range(50)],
        "NextMarker": None,
    }
    dense = json.loads(
        as_json(functions), object_hook=lambda d: {k: v for k, v in d.items() if v is not None}
    )
    yield reading("Lambda ListFunctions, 50", "lambda", "ListFunctions", as_json(dense))
    yield reading("the same with nulls in it", "lambda", "ListFunctions", as_json(functions))
    identity = xml_payloads.caller_identity()
    yield reading("STS GetCallerIdentity", "sts", "GetCallerIdentity", identity)
    listing = xml_payloads.listing(1000)
    yield reading("S3 ListObjectsV2, 1,000 keys", "s3", "ListObjectsV2", listing)
    instances = xml_payloads.instances(100)
    yield reading("EC2 DescribeInstances, 100", "ec2", "DescribeInstances", instances)


def tables(effort: Effort) -> Iterator[Table]:
    """Measure requests, then results."""
    for name, title, cases in (
        ("requests", "Validating and serialising the parameters of a call", requests),
        ("results", "Parsing the answer to a call", results),
    ):
        rows = {case.name: compare(case, effort) for case in cases()}
        yield Table(name, title, COLUMNS, rows, drawn=3)


def compare(case: Case, effort: Effort) -> list[Value]:
    """Measure the two calls of a case in turns."""
    costs = interleaved_functions({"theirs": case.theirs, "ours": case.ours}, effort)
    theirs, ours = costs["theirs"], costs["ours"]
    return [float(case.size), cpu_us(theirs), cpu_us(ours), cpu_ratio(theirs, ours)]
