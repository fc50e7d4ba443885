"""What single services do beside their protocol, compared with what botocore's client does."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from random import Random
from typing import Any
from unittest import mock

import pytest

from tornado_aws import customizations
from tornado_aws.protocols import load

from . import models, oracle
from .differential import as_sent, operations, request_in
from .random_params import ALL, REQUIRED, Maker, Unbounded

# Other layers' business: checksums, and what a presigned copy needs.
FOREIGN_HEADERS = ("x-amz-checksum-", "x-amz-sdk-checksum-algorithm", "content-md5")

CHANGED: Mapping[str, Mapping[str, Any]] = {
    "apigateway": {},
    "autoscaling": {},
    "cloudsearchdomain": {},
    "dynamodb": {},
    "glacier": {},
    "route53": {},
    "s3": {
        "Bucket": "my-bucket",
        "ChecksumAlgorithm": "SHA256",
        "CopySource": "other-bucket/a key/ü?versionId=v",
    },
    "timestream-query": {},
}


def ours(service: str, name: str, params: Mapping[str, Any]) -> oracle.Sent:
    """Return what we send for parameters, in botocore's terms."""
    operation = models.ours(service).operation(name)
    hooks = customizations.hooks(operation)
    if hooks.before_serialize:
        params = hooks.before_serialize(params)
    parts = load(models.ours(service).metadata).serializer(operation)(params)
    if hooks.after_serialize:
        parts = hooks.after_serialize(parts)
    return as_sent(parts)


def comparable(service: str, sent: oracle.Sent) -> object:
    """Return a request without what belongs to other layers."""
    headers = {
        name: value for name, value in sent.headers.items() if not name.startswith(FOREIGN_HEADERS)
    }
    sent = sent._replace(headers=headers)
    if service == "s3":  # where the bucket goes is for the endpoint's rules to say
        sent = sent._replace(host="", path=sent.path.removeprefix("/my-bucket") or "/")
    return request_in(models.protocols()[service])(sent)


def parameters(service: str, name: str, style: Any) -> dict[str, Any]:
    random = Random(f"{service}.{name}")
    params = Maker(random, style).parameters(models.ours(service).operation(name))
    known = models.ours(service).operation(name).input
    given = CHANGED[service].items()
    return {
        **params,
        **{key: value for key, value in given if known and key in known.shape.members},
    }


@pytest.mark.parametrize("style", [REQUIRED, ALL], ids=["required", "all"])
@pytest.mark.parametrize("service", CHANGED)
def test_requests_are_those_of_botocores_client(service: str, style: Any) -> None:
    """Each operation's request is the one that botocore's client sends, its handlers included."""
    for name in operations(service):
        if name == "GetBucketLocation":
            continue  # botocore's handler fails at the stub's empty answer
        try:
            params = parameters(service, name, style)
        except Unbounded:
            continue
        with mock.patch("uuid.uuid4", return_value=uuid.UUID(int=1)):
            expected = comparable(service, oracle.sent(service, name, params))
            got = comparable(service, ours(service, name, params))
        assert got == expected, name
