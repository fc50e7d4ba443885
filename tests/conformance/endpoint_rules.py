"""Compiled endpoint rule sets against botocore's engine, for every service.

``python -m tests.conformance.endpoint_rules`` compares all rule sets of botocore's data folder with
many parameters each (some minutes); ``--each`` and service names make it shorter.
"""

from __future__ import annotations

import argparse
import ast
import gzip
import itertools
import json
import random
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

import botocore
from botocore.endpoint_provider import EndpointProvider
from botocore.exceptions import EndpointProviderError

from codegen.rules import compile_rules
from tornado_aws.endpoints import Endpoint
from tornado_aws.endpoints.partitions import PARTITIONS_BY_NAME as PARTITIONS
from tornado_aws.exceptions import EndpointError

DATA = Path(botocore.__file__).parent / "data"
Json = Any
Params = dict[str, Any]

REGIONS = [
    *("us-east-1", "us-west-2", "eu-central-1", "us-east-2", "ap-southeast-7", "us-new-7"),
    *("cn-north-1", "cn-northwest-1", "us-gov-west-1", "us-gov-east-1", "eusc-de-east-1"),
    *("us-iso-east-1", "us-isob-east-1", "eu-isoe-west-1", "us-isof-south-1"),
    *("aws-global", "aws-cn-global", "aws-us-gov-global", "aws-iso-global", "local", "snow"),
    *("us.east.1", "us-east-1.example", "mars", "-bad-", "us-east-1!"),
]
ENDPOINTS = [
    *("https://example.com", "http://localhost:4566", "https://10.1.2.3:8000/base/path"),
    *("https://[::1]/x", "https://example.com/a%20b//c/", "ftp://example.com", "https://e.com?q=1"),
    *("not a url", "https://beta.example.com", "https://123456789012.ddb.us-east-1.amazonaws.com"),
    *("https://control.vpce-1a2b.s3.us-west-2.vpce.amazonaws.com", "https://example.com:port"),
    *("https://kinesis-beta.example.com", "kinesis-beta.example.com"),
    *("https://dynamodb.us-east-1.api.aws", "https://kinesis.us-east-1.api.aws"),
]


def outposts_alias(hardware: str, region: str, outpost: str) -> str:
    """Return a bucket alias whose parts stand where the rules cut them out of its end."""
    return f"bucket-{hardware}{outpost.ljust(17, '0')}{'x' * 20}{region}0--op-s3"


BUCKETS = [
    *("bucket", "my.bucket.name", "UPPER", "10.0.0.1", "a b", "bücket", "-x-", "ab", "b_c"),
    *(f"mybucket--{'z' * n}--x-s3" for n in (6, 8, 9, 13, 14, 20, 3)),
    *(f"mybucket--{'z' * n}--xa-s3" for n in (8, 9, 13, 14, 20, 3)),
    *("Bad.Bucket--usw2-az1--x-s3", "mybucket--usw2_az1--x-s3"),
    *(
        outposts_alias(*parts)
        for parts in itertools.product("eox", ["beta", "use1"], ["op-1", "op_1"])
    ),
]
WORDS = [
    "required",
    "preferred",
    "disabled",
    "data",
    "control",
    "managementconsole",
    "",
    "a.b",
    "x_y",
]
ACCOUNTS = ["123456789012", "", "12345", "bad account", "us-west-2"]
STREAM_IDS = [
    "a" * 20 + "-bcd",
    "abcdefghij-klmnopqrst",
    "0123456789.01234567890123",
    "a" * 24,
    "a" * 10 + "-" + "b" * 13,
]
RESOURCES = {
    "s3": [
        *("accesspoint:myendpoint", "accesspoint/myendpoint", "accesspoint:my-mrap.mrap"),
        *(
            "accesspoint",
            "accesspoint:",
            "accesspoint:bad name",
            "accesspoint:a.b",
            "bucket_name:b",
        ),
        *("accesspoint:a:b", "unknown:x", ""),
    ],
    "s3-object-lambda": [
        *("accesspoint:mybanner", "accesspoint/mybanner", "accesspoint:bad*name", "other:x"),
        *("accesspoint:a:b", "accesspoint"),
    ],
    "s3-outposts": [
        "outpost:op-01234567890123456:accesspoint:reports",
        "outpost/op-01234567890123456/accesspoint/reports",
        "outpost/op-01234567890123456/bucket/mybucket",
        "outpost:op-01234567890123456:bucket:mybucket",
        "outpost:op-01234567890123456:job:x",
        *("outpost:op_bad:accesspoint:x", "outpost", "outpost:op-1", "outpost:op-1:accesspoint"),
        *("outpost:op-1:bucket", "outpost:op-1:accesspoint:bad*name"),
    ],
    "dynamodb": ["table/name", "table"],
    "kinesis": [
        *("stream/name", "stream:name", "stream/", "stream", "stream/name/consumer/c:1"),
        *("channel/name-1234", "channel/", "other/x", "channel/" + "c" * 30, "channel"),
    ],
    "events": ["event-bus/bus"],
    "kinesisvideo": ["stream/name/1"],
    "cloudfront": ["key-value-store/k"],
}


def rule_set_files(services: Sequence[str] = ()) -> list[Path]:
    """Return the files of all rule sets, or of some services'."""
    files = sorted(DATA.glob("*/*/endpoint-rule-set-1.json.gz"))
    return [path for path in files if not services or path.parent.parent.name in services]


def partitions() -> Json:
    """Return botocore's partition data, anew each time: its engine changes it."""
    return json.loads((DATA / "partitions.json").read_text())


def metadata(service: str) -> Json:
    """Return the metadata of a service's newest model."""
    newest = sorted((DATA / service).glob("*/service-2.json.gz"))[-1]
    return load(newest)["metadata"]


def load(path: Path) -> Json:
    """Return the content of a zipped file of JSON."""
    return json.loads(gzip.decompress(path.read_bytes()))


def compiled(rule_set: Json, path: Path) -> Callable[[Mapping[str, Any]], Endpoint]:
    """Return the function that a rule set compiles to."""
    text = compile_rules(rule_set, title=path.parent.parent.name, path=path).text
    names: dict[str, Any] = {}
    exec(compile(text, str(path), "exec"), names)
    resolve: Callable[[Mapping[str, Any]], Endpoint] = names["resolve"]
    return resolve


def ours(resolve: Callable[[Mapping[str, Any]], Endpoint], params: Params) -> Json:
    """Return what the compiled rules say: an endpoint's parts, or an error's text."""
    try:
        endpoint = resolve(params)
    except EndpointError as error:
        return str(error)
    return [endpoint.url, endpoint.properties, endpoint.headers]


def botocores(provider: EndpointProvider, params: Params) -> Json:
    """Return what botocore's engine says: an endpoint's parts, or an error's text."""
    given = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in params.items()
        if value is not None
    }
    try:
        endpoint = provider.resolve_endpoint(**given)
    except EndpointProviderError as error:
        return error.kwargs["msg"]
    except KeyError as error:
        return f"crash: {error!r} is not set"  # a template that fills in what was not given
    return [endpoint.url, endpoint.properties, endpoint.headers]


def cases(rule_set: Json, rng: random.Random, each: int) -> Iterator[Params]:
    """Return parameters: each region with the switches, then some for each endpoint and error.

    Args:
        rule_set: the rule set.
        rng: source of randomness.
        each: how many for each endpoint and error of the rules.
    """
    specs = rule_set["parameters"]
    pools = {name: pool(name, spec["type"].lower(), rule_set) for name, spec in specs.items()}
    needed = {
        name: pools[name][1]
        for name, spec in specs.items()
        if spec.get("required") and spec.get("default") is None
    }
    for region in REGIONS:
        for fips, dual in itertools.product((False, True), (False, True)):
            yield _known(specs, {**needed, "Region": region, "UseFIPS": fips, "UseDualStack": dual})
    for endpoint in ENDPOINTS:
        yield _known(specs, {**needed, "Endpoint": endpoint, "Region": "us-east-1"})
        yield _known(specs, {**needed, "Endpoint": endpoint})
    for wanted in _wanted(rule_set["rules"]):
        for _ in range(each):
            others = rng.choice([0.05, 0.2, 0.7])
            params = {
                name: rng.choice(values)
                for name, values in pools.items()
                if name in needed or rng.random() < (0.9 if name == "Region" else others)
            }
            for name in wanted.keys() & pools.keys():
                params[name] = wanted[name](rng, pools[name])
            yield {name: value for name, value in params.items() if value is not None}


Choice = Callable[[random.Random, list[Any]], Any]


def _wanted(rules: Sequence[Json], above: Mapping[str, Choice] | None = None) -> Iterator[Json]:
    """Return for each endpoint and error what the conditions above it say of parameters."""
    for rule in rules:
        wanted = dict(above or {})
        for condition in rule["conditions"]:
            wanted.update(_demand(condition, True))
        if rule["type"] == "tree":
            yield from _wanted(rule["rules"], wanted)
        else:
            yield wanted


def _demand(condition: Json, met: bool) -> Mapping[str, Choice]:
    """Return how to choose the parameter that a condition asks about directly."""
    name, arguments = condition["fn"], condition["argv"]
    if name == "not":
        return _demand(arguments[0], not met)
    refs = [each["ref"] for each in arguments if isinstance(each, dict) and "ref" in each]
    if len(refs) != 1 or name not in ("isSet", "booleanEquals", "stringEquals"):
        return {}
    others = [each for each in arguments if not isinstance(each, dict)]
    if name == "isSet":
        return {refs[0]: _any_of_pool if met else _nothing}
    if not others:
        return {}
    value = others[0]
    if name == "booleanEquals":
        return {refs[0]: lambda _rng, _pool: value is met}
    return {refs[0]: lambda rng, values: value if met else rng.choice(values)}


def _any_of_pool(rng: random.Random, values: list[Any]) -> Any:
    return rng.choice([value for value in values if value is not None])


def _nothing(_rng: random.Random, _values: list[Any]) -> None:
    return None


def _known(specs: Json, params: Params) -> Params:
    return {name: value for name, value in params.items() if name in specs}


def pool(name: str, kind: str, rule_set: Json) -> list[Any]:
    """Return values of a parameter that reach as many rules as possible."""
    if kind == "boolean":
        return [True, False]
    if kind == "stringarray":
        return [[], ["arn:aws:dynamodb:us-east-1:123456789012:table/t"], ["x", "y"]]
    if name == "Region":
        return [*REGIONS[:3] * 8, *REGIONS, *compared_with(name, rule_set)]
    if name == "Endpoint":
        return [*[None] * len(ENDPOINTS), *ENDPOINTS]
    if "account" in name.lower() and "mode" not in name.lower():
        return ACCOUNTS
    if name == "Bucket":
        return [*BUCKETS * 3, *arns()]
    if "arn" in name.lower() or name in ("AccessPointName", "ResourceIdentifier"):
        return [*arns(), *access_points()]
    return [*compared_with(name, rule_set) * 2, *WORDS, "name", "op-01234567890123456", *STREAM_IDS]


def access_points() -> list[str]:
    """Return names of S3 Express access points with zones of every length."""
    return [f"ap--{'z' * n}--xa-s3" for n in (6, 8, 9, 13, 14, 20, 3)]


@cache
def arns() -> list[str]:
    """Return many ARNs, few of which are right."""
    rng = random.Random("arns")
    regions = ["us-east-1", "us-west-2", "", "cn-north-1", "bad region", "aws-global"]
    right = [
        f"arn:aws:{service}:{region}:123456789012:{resource}"
        for service, resources in RESOURCES.items()
        for resource in resources
        for region in ("us-east-1", "us-west-2", "")
    ]
    wrong = [
        ":".join(
            (
                rng.choice(["arn", "arn", "arn", "urn"]),
                rng.choice(["aws", "aws", "aws", "aws-cn", ""]),
                rng.choice([*RESOURCES, ""]),
                rng.choice(regions),
                rng.choice([*ACCOUNTS[:1] * 3, *ACCOUNTS]),
                resource,
            )
        )
        for resources in RESOURCES.values()
        for resource in resources
        for _ in range(3)
    ]
    return [*right * 2, *wrong]


def compared_with(name: str, rule_set: Json) -> list[str]:
    """Return the texts that the rules compare a parameter with."""
    text = json.dumps(rule_set)
    after = rf'"argv": \[\{{"ref": "{name}"\}}, "([^"]+)"\]'
    before = rf'"argv": \["([^"]+)", \{{"ref": "{name}"\}}\]'
    return sorted({*re.findall(after, text), *re.findall(before, text)})


def agree(mine: Json, theirs: Json) -> bool:
    """Tell whether two results are equal.

    What differs on purpose: a value that cannot stand in a host name is refused here, and there
    put in; for missing and wrong parameters the texts are each library's own.
    """
    if mine == theirs:
        return True
    if not isinstance(mine, str):
        return False
    if mine.endswith(" cannot be part of the host name of an endpoint"):
        value = ast.literal_eval(mine.partition(" cannot")[0])
        return not value or not _HOST_PART.fullmatch(value)
    if not isinstance(theirs, str):
        return False
    return mine.startswith(("No endpoint rule fits", "The endpoint rules need"))


_HOST_PART = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")


@contextmanager
def fewer_partitions_with_everything() -> Iterator[Json]:
    """Let some partitions lack FIPS or dual-stack hosts, here and in what botocore's engine gets.

    Today all have both, so that the errors for those that have not could not be reached.
    """
    lacking = {
        "aws-eusc": (False, True),
        "aws-iso-f": (True, False),
        "aws-iso-e": (False, False),
    }
    data = partitions()
    for partition in data["partitions"]:
        if partition["id"] in lacking:
            fips, dual = lacking[partition["id"]]
            partition["outputs"].update({"supportsFIPS": fips, "supportsDualStack": dual})
    changed = {
        name: partition._replace(
            supports_fips=lacking[name][0], supports_dual_stack=lacking[name][1]
        )
        for name, partition in PARTITIONS.items()
        if name in lacking
    }
    with mock.patch.dict(PARTITIONS, changed):
        yield data


def compare(path: Path, each: int, seed: object = 0) -> tuple[int, list[str]]:
    """Compare one rule set; return how many cases there were, and the differences.

    Args:
        path: the rule set's file.
        each: how many cases for each endpoint and error of its rules.
        seed: chooses the cases.
    """
    rule_set = load(path)
    resolve = compiled(rule_set, path)
    count, differences = 0, []
    with fewer_partitions_with_everything() as data:
        provider = EndpointProvider(rule_set, data)
        for params in cases(rule_set, random.Random(f"{path.parent.name} {seed}"), each):
            mine, theirs = ours(resolve, params), botocores(provider, params)
            count += 1
            if not agree(mine, theirs):
                differences.append(f"{path}: {params}\n  ours     {mine}\n  botocore {theirs}")
    return count, differences


def main() -> int:
    """Compare what the command line says and print the differences."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("services", nargs="*", help="folders of services; all without any")
    parser.add_argument("--each", type=int, default=20, help="cases for each endpoint and error")
    parser.add_argument("--seed", type=int, default=0, help="chooses the cases (default: 0)")
    arguments = parser.parse_args()
    total, different = 0, 0
    for path in rule_set_files(arguments.services):
        count, differences = compare(path, arguments.each, arguments.seed)
        total, different = total + count, different + len(differences)
        for text in differences[:5]:
            sys.stdout.write(f"{text}\n")
    sys.stdout.write(f"{total} cases, {different} differences\n")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
