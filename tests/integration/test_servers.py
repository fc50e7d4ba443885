"""The servers themselves, seen with boto3: what other tests conclude from them rests on this."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from examples.local_aws import LocalAWS


def client(service: str, endpoint: str, access_key: str, secret_key: str) -> Any:
    """Make a boto3 client that tries once."""
    return boto3.client(
        service,
        region_name="us-east-1",
        endpoint_url=endpoint,
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_key,
        config=Config(retries={"total_max_attempts": 1}),
    )


@pytest.mark.parametrize(
    ("service", "operation"),
    [("dynamodb", "list_tables"), ("sts", "get_caller_identity"), ("s3", "list_buckets")],
)
def test_local_aws_accepts_its_user(aws: LocalAWS, service: str, operation: str) -> None:
    """The user that the fixture makes may call every service."""
    boto = client(service, aws.endpoint, aws.access_key, aws.secret_key)
    try:
        answer = getattr(boto, operation)()
    finally:
        boto.close()
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200


@pytest.mark.parametrize(
    ("service", "operation", "code"),
    [
        ("dynamodb", "list_tables", "InvalidSignatureException"),
        ("sts", "get_caller_identity", "SignatureDoesNotMatch"),
        ("s3", "list_buckets", "SignatureDoesNotMatch"),
    ],
)
def test_local_aws_refuses_a_wrong_secret(
    aws: LocalAWS, service: str, operation: str, code: str
) -> None:
    """A signature made with another secret is refused with the protocol's own error."""
    boto = client(service, aws.endpoint, aws.access_key, "not the secret")
    try:
        with pytest.raises(ClientError) as caught:
            getattr(boto, operation)()
    finally:
        boto.close()
    assert caught.value.response["Error"]["Code"] == code


def test_moto_answers(moto_server: str) -> None:
    """moto is up and answers any key."""
    boto = client("sqs", moto_server, "any", "key")
    try:
        url = boto.create_queue(QueueName="servers")["QueueUrl"]
    finally:
        boto.close()
    assert url.endswith("/servers")
