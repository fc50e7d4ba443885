"""Compiled endpoint rules against botocore's engine, and against hostile values."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.endpoint_provider import EndpointProvider
from hypothesis import given, settings
from hypothesis import strategies as st

from codegen.distill import PARAMETERS, WITHOUT_HOST
from tests.conformance import endpoint_rules
from tornado_aws.endpoints import resolve_raw
from tornado_aws.endpoints.partition_data import REGIONS
from tornado_aws.endpoints.partitions import PARTITIONS_BY_NAME
from tornado_aws.exceptions import EndpointError

# Those with rules of their own kind; of the others some are drawn.
SPECIAL = ["s3", "s3control", "dynamodb", "kinesis", "sts", "iam", "events", "acm", "neptune-graph"]
FILES = endpoint_rules.rule_set_files(SPECIAL) + random.Random("rule sets").sample(
    endpoint_rules.rule_set_files(), 50
)
SPECIAL_FILES = endpoint_rules.rule_set_files(SPECIAL)
HOSTILE = [
    *(
        "x.evil.com/#",
        "x.evil.com/",
        "a@evil.com",
        "evil.com?x",
        "evil.com\\",
        "evil.com:80",
        "a b",
    ),
    *("a\r\nHost: evil.com", "evil.com%2f", "[::1]", "", ".", "a..b", "evil.com/.amazonaws.com"),
]
# Where hosts that the rules make may end; `localhost` is DynamoDB Local.
SUFFIXES = (
    *(f".{each.dns_suffix}" for each in PARTITIONS_BY_NAME.values()),
    *(f".{each.dual_stack_dns_suffix}" for each in PARTITIONS_BY_NAME.values()),
    *(".on.aws", "localhost", ".aws.dev", ".api.aws", ".app.aws"),
    *(".signin.aws", ".signin.aws.amazon.com"),
)


def name(path: Path) -> str:
    """Return the name of a rule set's service and version."""
    return f"{path.parent.parent.name}-{path.parent.name}"


@pytest.mark.parametrize("path", sorted(set(FILES)), ids=name)
def test_equals_botocore(path: Path) -> None:
    """URL, properties, headers and error texts are those of botocore's engine."""
    count, differences = endpoint_rules.compare(path, each=6)
    assert count > 100
    assert differences == []


@pytest.mark.parametrize("path", sorted({*SPECIAL_FILES, *FILES[-6:]}), ids=name)
def test_hostile_values_stay_in_their_place(path: Path) -> None:
    """Whatever a parameter is, the request goes to a host of AWS or nowhere."""
    rule_set = endpoint_rules.load(path)
    resolve = endpoint_rules.compiled(rule_set, path)
    for params in hostile_params(rule_set):
        try:
            url = resolve(params).url
        except EndpointError:
            continue
        assert stays(url), (params, url)


# Texts that look like parts of URLs, and any others.
TEXTS = st.one_of(
    st.text(max_size=40),
    st.text(alphabet="evil.com:/@#?%\\[]-_*0 \r\n\t\x00", max_size=24),
    st.from_regex(r"arn:aws:[a-z0-9-]{0,12}:[^:]{0,8}:[^:]{0,8}:[^\n]{0,24}", fullmatch=True),
)


@pytest.mark.parametrize("path", SPECIAL_FILES, ids=name)
@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_no_text_moves_a_request(path: Path, data: st.DataObject) -> None:
    """Whatever text stands in whatever parameter."""
    resolve, bases, names = special(path)
    params = {**data.draw(bases), data.draw(names): data.draw(TEXTS)}
    try:
        url = resolve(params).url
    except EndpointError:
        return
    assert stays(url), (params, url)


@cache
def special(path: Path) -> tuple[Any, st.SearchStrategy[Any], st.SearchStrategy[str]]:
    """Return compiled rules, good parameters for them, and the names of those that are texts."""
    rule_set = endpoint_rules.load(path)
    bases = st.sampled_from(list(hostile_bases(rule_set)))
    return endpoint_rules.compiled(rule_set, path), bases, st.sampled_from(texts(rule_set))


def stays(url: str) -> bool:
    """Tell whether a URL is at a host of AWS."""
    host = urlsplit(url).hostname or ""
    return re.fullmatch(r"[a-z0-9._-]+", host) is not None and host.endswith(SUFFIXES)


def texts(rule_set: Any) -> list[str]:
    """Return the names of the parameters that are texts, but for the endpoint."""
    return [
        name
        for name, spec in rule_set["parameters"].items()
        if spec["type"].lower() == "string" and name != "Endpoint"
    ]


def hostile_bases(rule_set: Any) -> Iterator[endpoint_rules.Params]:
    """Return parameters that are good, without an endpoint of one's own."""
    for params in endpoint_rules.cases(rule_set, random.Random("hostile"), 2):
        params.pop("Endpoint", None)
        yield params


def hostile_params(rule_set: Any) -> Iterator[endpoint_rules.Params]:
    """Return good parameters with one of them replaced by something bad."""
    for params in hostile_bases(rule_set):
        for text in texts(rule_set):
            for bad in HOSTILE:
                yield {**params, text: bad}


def test_every_service_has_its_host() -> None:
    """By a name alone the raw client finds what the rules of some services say of all regions."""
    newest = {path.parent.parent.name: path for path in endpoint_rules.rule_set_files()}
    drawn = random.Random("services").sample(sorted(newest), 30)
    special = {"acm", "cloudfront", "iam", "neptune-graph", "organizations", "route53", "s3"}
    for service in sorted(special.union(drawn) - WITHOUT_HOST.keys()):
        assert raw_differences(service, newest[service]) == []


def raw_differences(service: str, path: Path) -> list[Any]:
    """Return where `resolve_raw` and botocore's engine differ, in any region and variant."""
    rule_set = endpoint_rules.load(path)
    provider = EndpointProvider(rule_set, endpoint_rules.partitions())
    metadata = endpoint_rules.metadata(service)
    differences = []
    for region in REGIONS:
        for fips, dual in ((False, False), (True, False), (False, True), (True, True)):
            given = {
                **PARAMETERS.get(service, {}),
                "Region": region,
                "UseFIPS": fips,
                "UseDualStack": dual,
            }
            params = {key: value for key, value in given.items() if key in rule_set["parameters"]}
            theirs = endpoint_rules.botocores(provider, params)
            mine: Any
            try:
                mine = tuple(resolve_raw(service, region, use_fips=fips, use_dualstack=dual))
            except EndpointError as error:
                mine = str(error).partition(": ")[2]
            if not isinstance(theirs, str):
                theirs = as_raw(theirs, metadata, region)
            if mine != theirs:
                differences.append((region, fips, dual, mine, theirs))
    return differences


def as_raw(endpoint: Any, metadata: Any, region: str) -> tuple[str, str, str]:
    """Return what botocore would sign an endpoint for."""
    url, properties, _ = endpoint
    scheme = (properties.get("authSchemes") or [{}])[0]
    usual = metadata.get("signingName", metadata["endpointPrefix"])
    return url, scheme.get("signingName", usual), scheme.get("signingRegion", region)
