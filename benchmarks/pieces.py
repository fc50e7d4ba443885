"""What single pieces of a call cost: finding the endpoint, going from page to page."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from statistics import median
from types import ModuleType

from tornado_aws.services.dynamodb import endpoints as dynamodb_rules
from tornado_aws.services.dynamodb import paginators
from tornado_aws.services.s3 import endpoints as s3_rules

from benchmarks.rounds import Effort, cpu_us, interleaved, interleaved_functions
from benchmarks.tables import Column, Table, Value
from tornado_aws.config import parse_profiles
from tornado_aws.pagination import Paginator
from tornado_aws.routes import Router
from tornado_aws.settings import resolve

COLUMNS = [Column("CPU µs", "{:,.2f}")]


def tables(effort: Effort) -> Iterator[Table]:
    """Measure endpoints, then pages."""
    costs = interleaved_functions(endpoints(), effort)
    rows: dict[str, list[Value]] = {name: [cpu_us(found)] for name, found in costs.items()}
    yield Table("endpoints", "Finding the endpoint of a call", COLUMNS, rows)
    yield asyncio.run(pages(effort))


def endpoints() -> dict[str, Callable[[], object]]:
    """Return ways to find an endpoint; a bucket's name that changes is a first call each time."""
    dynamodb, s3 = router("dynamodb", dynamodb_rules), router("s3", s3_rules)
    number = count()
    region = {"Region": "us-east-1"}
    return {
        "DynamoDB, again": lambda: dynamodb.route({}),
        "DynamoDB, the rules alone": lambda: dynamodb_rules.resolve(region),
        "S3, again": lambda: s3.route({"Bucket": "my-bucket"}),
        "S3, the rules alone": lambda: s3_rules.resolve({**region, "Bucket": "my-bucket"}),
        "S3, another bucket each time": lambda: s3.route({"Bucket": f"my-bucket-{next(number)}"}),
    }


def router(service: str, rules: ModuleType) -> Router:
    """Return the router of a client."""
    metadata = {"endpointPrefix": service, "serviceId": service, "signatureVersion": "v4"}
    return Router(rules, metadata, resolve({"region": "us-east-1"}, {}, parse_profiles()))


async def pages(effort: Effort) -> Table:
    """Compare a page of a paginator with the call below it, which costs nothing here."""
    number = count()

    async def call(_: Mapping[str, object]) -> object:
        return {"TableNames": ["songs"], "LastEvaluatedTableName": str(next(number))}

    paging = aiter(Paginator[object, object](paginators.LIST_TABLES, call, {"Limit": 1}))
    costs = await interleaved(
        {"the call": lambda: call({}), "a page": lambda: anext(paging)}, effort, 1
    )
    more = median(page.cpu - alone.cpu for alone, page in zip(*costs.values(), strict=True))
    rows: dict[str, list[Value]] = {"a page, above its call": [more * 1e6]}
    return Table("pages", "Going from page to page", COLUMNS, rows)
