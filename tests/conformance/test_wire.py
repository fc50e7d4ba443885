"""What our clients send for a call, against what botocore's clients send for it."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import pytest

from . import models
from .differential import cases
from .random_params import STYLES, Unbounded
from .wire import Pair

SEED = 20260801
# Those with customizations of their own, and signatures or endpoints that few services have.
SPECIAL = [
    *(
        "apigateway",
        "autoscaling",
        "cloudsearchdomain",
        "codecatalyst",
        "docdb",
        "dynamodb",
        "events",
        "glacier",
    ),
    *("kinesis", "neptune", "rds", "route53", "s3", "s3control", "s3outposts", "sqs", "sts"),
    *("codecatalyst", "sdb", "timestream-query", "timestream-write"),
]
DRAWN = Random(SEED).sample(sorted({*models.protocols()} - set(SPECIAL)), 40)


def differences(service: str, names: list[str], styles: Sequence[str] = tuple(STYLES)) -> list[str]:
    """Return what differs between the requests of both clients."""
    found = []
    with Pair(service) as pair:
        for case in cases(service, names, [SEED], styles):
            try:
                found.append(pair.difference(case))
            except Unbounded:
                continue
    return [str(each) for each in found if each]


@pytest.mark.parametrize("service", SPECIAL)
def test_peculiar_services_are_sent_the_same(service: str) -> None:
    """Every operation's request is that of botocore's client, its handlers included."""
    assert differences(service, models.ours(service).operation_names, ["all"]) == []


@pytest.mark.parametrize("service", sorted(DRAWN))
def test_services_are_sent_the_same(service: str) -> None:
    """Method, host, path, query, headers, body and signature are those of botocore's client."""
    names = models.ours(service).operation_names
    assert differences(service, Random(service).sample(names, min(len(names), 2))) == []
