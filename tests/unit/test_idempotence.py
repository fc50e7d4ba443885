"""Which requests may be executed twice."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest

from tests.support import tiny_model
from tornado_aws.idempotence import OPERATIONS, is_idempotent, is_idempotent_request
from tornado_aws.model import ServiceModel


def wire_model(service: str) -> ServiceModel:
    """Return the model of a generated service."""
    name = {"lambda": "lambda_"}.get(service, service.replace("-", "_"))
    wire = import_module(f"generated.{name}.wire")
    return ServiceModel(wire.SERVICE, wire.OPERATIONS, wire.SHAPES)


def _operation(name: str = "Do", service_id: str = "Tiny", **traits: Any) -> bool:
    model = tiny_model.service({}, {name: traits}, serviceId=service_id)
    return is_idempotent(model.operation(name))


def test_the_model_or_the_method_says_so() -> None:
    """By HTTP and by the models' two traits; a POST alone says nothing."""
    assert not _operation()
    assert _operation(idempotent=True)
    assert _operation(readonly=True)
    for method in ("GET", "HEAD", "PUT", "DELETE"):
        assert _operation(http={"method": method, "requestUri": "/"})
    for method in ("POST", "PATCH"):
        assert not _operation(http={"method": method, "requestUri": "/"})


def test_a_token_makes_an_operation_safe() -> None:
    """The service knows the second request by it."""
    for token in (True, False):
        shapes = {
            "Input": tiny_model.structure(
                {"Token": {"shape": "string", "idempotencyToken": token}, "A": {"shape": "string"}}
            ),
        }
        model = tiny_model.service(shapes, {"Do": {"input": {"shape": "Input"}}})
        assert is_idempotent(model.operation("Do")) is token


@pytest.mark.parametrize(
    ("service", "safe", "unsafe"),
    [
        (
            "dynamodb",
            "DescribeTable Query BatchGetItem TransactWriteItems DeleteItem",
            "PutItem UpdateItem BatchWriteItem ExecuteStatement CreateTable",
        ),
        ("sqs", "ReceiveMessage DeleteMessageBatch GetQueueUrl", "SendMessage CreateQueue"),
        ("kinesis", "GetRecords", "PutRecord PutRecords"),
        ("kms", "Decrypt GenerateDataKey ReEncrypt VerifyMac", "CreateKey CreateGrant"),
        ("lambda", "GetFunction DeleteFunction", "Invoke"),
        ("s3", "PutObject GetObject CompleteMultipartUpload DeleteObjects", "RestoreObject"),
        ("sts", "AssumeRole GetCallerIdentity", ""),
        ("ec2", "DescribeInstances RunInstances", "RebootInstances"),
        ("cognito-idp", "AdminGetUser", "AdminCreateUser SignUp"),
        ("sns", "ListTopics", "Publish"),
    ],
)
def test_operations_that_users_know(service: str, safe: str, unsafe: str) -> None:
    """Reads, computations and deletions may; what counts, sends or creates may not."""
    model = wire_model(service)
    found = {name: is_idempotent(model.operation(name)) for name in f"{safe} {unsafe}".split()}
    assert found == {name: name in safe.split() for name in found}


def test_the_operations_that_are_named_exist() -> None:
    """A misspelt name in the table would be no rule at all."""
    for service_id, names in OPERATIONS.items():
        assert names <= set(wire_model(service_id.lower()).operation_names)


@pytest.mark.parametrize(
    ("method", "query", "headers", "body", "expected"),
    [
        ("GET", "", [], None, True),
        ("PUT", "", [], b"x", True),
        ("POST", "", [], b"{}", False),
        ("PATCH", "", [], b"{}", False),
        ("POST", "", [("x-amz-target", "DynamoDB_20120810.ListTables")], b"{}", True),
        ("POST", "", [("X-Amz-Target", "DynamoDB_20120810.UpdateItem")], b"{}", False),
        ("POST", "", [], b"Version=2011-06-15&Action=GetCallerIdentity", True),
        ("POST", "", [], b"Action=Publish&Message=Action%3DGetTopic", False),
        ("POST", "Action=ListTopics", [], b"", True),
        ("POST", "MyAction=ListTopics", [], b"", False),
        ("POST", "", [], object(), False),
    ],
)
def test_raw_requests_are_known_by_method_target_or_action(
    method: str, query: str, headers: Any, body: Any, expected: bool
) -> None:
    """Nothing else of a raw request is known."""
    assert is_idempotent_request(method, query, headers, body) is expected
