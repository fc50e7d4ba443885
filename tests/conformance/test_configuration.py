"""Configuration and credentials beside botocore's, on the same files and variables.

`DIFFERENCES` holds what is another thing on purpose, with what each side makes of it: the SDKs'
common rules count where botocore has its own.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import botocore.session
import pytest
from botocore.configprovider import (
    BOTOCORE_DEFAUT_SESSION_VARIABLES,
    DEFAULT_S3_CONFIG_VARS,
    ConfiguredEndpointProvider,
)
from botocore.exceptions import BotoCoreError
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tornado_aws.config import Profiles, parse_profiles
from tornado_aws.exceptions import ConfigParserError, ConfigurationError
from tornado_aws.settings import resolve

from .environments import ENVIRONMENTS, Environment, ours, theirs, with_empty_values

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]


def plain(variables: Mapping[str, str], **profiles: Mapping[str, str]) -> Environment:
    return Environment(profiles, {}, None, variables, None)


PAIR = {"aws_access_key_id": "AKID1", "aws_secret_access_key": "hush1"}
WEB = {"role_arn": "arn:aws:iam::1:role/r", "web_identity_token_file": "{home}/token"}
TO_PAIR = {"role_arn": "arn:aws:iam::1:role/r", "source_profile": "a"}
TO_ITSELF = {"role_arn": "arn:aws:iam::1:role/r", "source_profile": "default"}


@example(plain({}, default=TO_ITSELF))
@example(plain({}, default={**TO_ITSELF, **PAIR}))
@example(plain({}, default={**TO_ITSELF, "source_profile": "a"}, a=TO_ITSELF))
@example(plain({}, default={**TO_ITSELF, "source_profile": "a"}, a={**TO_ITSELF, **PAIR}))
@example(plain({"AWS_ACCESS_KEY_ID": "AKIDENV"}, default=PAIR))
@example(plain({}, default={**PAIR, "aws_session_token": "1", "aws_security_token": "2"}))
@example(Environment({"a": {}}, {}, {"a": PAIR}, {"AWS_ACCESS_KEY_ID": "AKIDENV"}, "a"))
# The region of [default], which the library takes for want of another, is not botocore's.
@example(replace(plain({}, default={"region": "eu-west-1"}, a=WEB), profile="a"))
@given(ENVIRONMENTS)
@settings(max_examples=120, suppress_health_check=SLOW)
def test_the_chain_finds_what_botocore_finds(environment: Environment) -> None:
    """The same source, keys, account and region, the same calls, or an error on both sides."""
    with tempfile.TemporaryDirectory() as folder:
        variables = environment.write(Path(folder))
        expected = theirs(environment, variables).comparable()
        assert ours(environment, variables).comparable() == expected


def test_a_duration_that_is_no_number_is_an_error(tmp_path: Path) -> None:
    """Botocore passes over it, and the role's credentials live for an hour, unasked."""
    environment = plain({}, default={**TO_PAIR, "duration_seconds": "2h"}, a=PAIR)
    variables = environment.write(tmp_path)
    assert ours(environment, variables).kind == "error"
    assert theirs(environment, variables).kind == "assume-role"


@example((plain({}, default=PAIR), plain({}, default={**PAIR, "sso_role_name": ""})))
@example(
    (
        plain({}, default=TO_PAIR, a=PAIR),
        plain({}, default={**TO_PAIR, "web_identity_token_file": ""}, a=PAIR),
    )
)
@given(with_empty_values())
@settings(max_examples=60, suppress_health_check=SLOW)
def test_what_is_empty_is_not_set(environments: tuple[Environment, Environment]) -> None:
    """Neither a variable nor a property, whatever botocore makes of it."""
    found = []
    for environment in environments:
        with tempfile.TemporaryDirectory() as folder:
            found.append(ours(environment, environment.write(Path(folder))).comparable())
    assert found[0] == found[1]


# botocore's name of a setting -> ours, and texts that both take.
BOOLEANS = ["true", "True", "false", "FALSE"]
SETTINGS: dict[str, tuple[str, list[str]]] = {
    "ca_bundle": ("verify", ["/ca.pem"]),
    "metadata_service_timeout": ("metadata_service_timeout", ["1", "7"]),
    "metadata_service_num_attempts": ("metadata_service_num_attempts", ["1", "4"]),
    "ec2_metadata_service_endpoint": ("ec2_metadata_service_endpoint", ["http://127.0.0.1:8"]),
    "ec2_metadata_service_endpoint_mode": ("ec2_metadata_service_endpoint_mode", ["ipv6", "ipv4"]),
    "ec2_metadata_v1_disabled": ("ec2_metadata_v1_disabled", BOOLEANS),
    "imds_use_ipv6": ("imds_use_ipv6", BOOLEANS),
    "use_dualstack_endpoint": ("use_dualstack_endpoint", BOOLEANS),
    "use_fips_endpoint": ("use_fips_endpoint", BOOLEANS),
    "ignore_configured_endpoint_urls": ("ignore_configured_endpoint_urls", BOOLEANS),
    "sts_regional_endpoints": ("sts_regional_endpoints", ["regional", "legacy"]),
    "retry_mode": ("retry_mode", ["standard", "adaptive", "legacy"]),
    "defaults_mode": ("defaults_mode", ["standard", "legacy", "in-region"]),
    "max_attempts": ("max_attempts", ["1", "9"]),
    "user_agent_appid": ("user_agent_appid", ["my-app"]),
    "request_min_compression_size_bytes": ("request_min_compression_size_bytes", ["0", "128"]),
    "disable_request_compression": ("disable_request_compression", BOOLEANS),
    "sigv4a_signing_region_set": ("sigv4a_signing_region_set", ["us-east-1", "*"]),
    "request_checksum_calculation": (
        "request_checksum_calculation",
        ["when_required", "when_supported"],
    ),
    "response_checksum_validation": (
        "response_checksum_validation",
        ["when_required", "when_supported"],
    ),
    "account_id_endpoint_mode": ("account_id_endpoint_mode", ["required", "disabled"]),
    "disable_host_prefix_injection": ("disable_host_prefix_injection", BOOLEANS),
    "auth_scheme_preference": ("auth_scheme_preference", ["sigv4a"]),
    "s3.addressing_style": ("s3_addressing_style", ["path", "virtual"]),
    "s3.use_accelerate_endpoint": ("s3_use_accelerate_endpoint", BOOLEANS),
    "s3.use_dualstack_endpoint": ("s3_use_dualstack_endpoint", BOOLEANS),
    "s3.use_arn_region": ("s3_use_arn_region", BOOLEANS),
    "s3.us_east_1_regional_endpoint": ("s3_us_east_1_regional_endpoint", ["legacy", "regional"]),
    "s3.s3_disable_multiregion_access_points": ("s3_disable_multiregion_access_points", BOOLEANS),
}


def _places(name: str) -> tuple[list[str], list[str]]:
    """Return the variables and the keys of a setting of botocore."""
    section, _, inner = name.rpartition(".")
    table = DEFAULT_S3_CONFIG_VARS if section else BOTOCORE_DEFAUT_SESSION_VARIABLES
    keys, variable = table[inner][:2]
    listed = keys if isinstance(keys, list) else [keys]
    return (
        [variable] if variable else [],
        [key if isinstance(key, str) else ".".join(key) for key in listed],
    )


@st.composite
def configured(draw: st.DrawFn) -> tuple[dict[str, str], str]:
    """Draw variables and a configuration file that set some of the settings."""
    variables: dict[str, str] = {}
    lines: list[str] = []
    nested: dict[str, str] = {}
    for name in draw(st.lists(st.sampled_from(sorted(SETTINGS)), max_size=6, unique=True)):
        names, keys = _places(name)
        text = st.sampled_from(SETTINGS[name][1])
        for variable in names:
            if draw(st.booleans()):
                variables[variable] = draw(text)
        for key in keys:
            if draw(st.booleans()):
                if key.startswith("s3."):
                    nested[key.removeprefix("s3.")] = draw(text)
                else:
                    lines.append(f"{key} = {draw(text)}")
    if nested:
        lines += ["s3 =", *(f"  {key} = {value}" for key, value in nested.items())]
    return variables, "\n".join(["[default]", *lines, ""])


def botocore_settings(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return what botocore makes of the settings."""
    with mock.patch.dict(os.environ, environ, clear=True):
        session = botocore.session.Session()
        s3 = session.get_config_variable("s3") or {}
        return {
            name: s3.get(name[3:]) if name.startswith("s3.") else session.get_config_variable(name)
            for name in SETTINGS
        }


@given(configured())
@settings(max_examples=60)
def test_settings_are_botocores(case: tuple[dict[str, str], str]) -> None:
    """What variables and profile set has the same value, and nothing else is set."""
    variables, text = case
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config"
        path.write_text(text)
        environ = {**variables, "AWS_CONFIG_FILE": str(path), "HOME": folder}
        found = resolve({}, environ, parse_profiles(text))
        expected = botocore_settings(environ)
    for name, (row, _) in SETTINGS.items():
        if found.sources[row] != "default":
            value = getattr(found, row)
            value = ",".join(value) if isinstance(value, tuple) else value
            # botocore leaves some numbers and truths as they are written.
            assert value == expected[name] or as_written(value) == expected[name], name
        else:
            assert expected[name] == UNSET[name], name


def as_written(value: Any) -> str:
    return str(value).removesuffix(".0")


UNSET = botocore_settings({"HOME": "/nowhere"})


URLS = [f"http://host{number}" for number in range(3)]
SERVICES = ["dynamodb", "logs", "elbv2", "s3"]
IDS = {"dynamodb": "DynamoDB", "logs": "CloudWatch Logs", "elbv2": "Elastic Load Balancing v2"}


@st.composite
def endpoints(draw: st.DrawFn) -> tuple[str, dict[str, str], str]:
    """Draw a service, variables and a configuration file that configure endpoints."""
    names = ["AWS_ENDPOINT_URL", *(f"AWS_ENDPOINT_URL_{name}" for name in IDENTIFIERS)]
    variables = draw(
        st.dictionaries(st.sampled_from(names), st.sampled_from(["", *URLS]), max_size=3)
    )
    lines = ["[default]"]
    if draw(st.booleans()):
        lines.append(f"endpoint_url = {draw(st.sampled_from(URLS))}")
    if draw(st.booleans()):
        lines.append(f"services = {draw(st.sampled_from(['one', 'two', 'gone']))}")
    for section in ("one", "two"):
        lines.append(f"[services {section}]")
        for name in draw(st.lists(st.sampled_from(IDENTIFIERS), unique=True, max_size=3)):
            lines += [f"{name.lower()} =", f"  endpoint_url = {draw(st.sampled_from(URLS))}"]
    return draw(st.sampled_from(SERVICES)), variables, "\n".join([*lines, ""])


IDENTIFIERS = ["DYNAMODB", "CLOUDWATCH_LOGS", "ELASTIC_LOAD_BALANCING_V2", "S3", "LOGS"]


@given(endpoints())
@settings(max_examples=100)
def test_endpoints_are_configured_as_for_botocore(case: tuple[str, dict[str, str], str]) -> None:
    """The same URL, or the same complaint about a section that is not there."""
    service, variables, text = case
    parsed = parse_profiles(text)
    full = {"services": dict(parsed.services)}
    try:
        expected = ConfiguredEndpointProvider(
            full, dict(parsed.profiles["default"]), service, variables
        ).provide()
    except BotoCoreError:
        # It takes an empty section for none.
        gone = parsed.profiles["default"].get("services")
        if gone in parsed.services:
            return
        with pytest.raises(ConfigurationError, match="names no section"):
            resolve({}, variables, parsed, IDS.get(service, service))
        return
    found = resolve({}, variables, parsed, IDS.get(service, service))
    assert found.endpoint == expected
    off = {**variables, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}
    assert resolve({}, off, parsed, IDS.get(service, service)).endpoint is None


# Lines on which the dialects agree, so that any order of them means the same to both.
HEADERS = ["[default]", "[profile a]", '[profile "a b"]', "[profile 'q']", "[profile\tz] # x"]
HEADERS += ["[other]", "[sso-session s]", "[services v]", "[PROFILE p]", "[profilea]"]
HEADERS += ["[profile b]#x"]
PROPERTIES = ["region = x", "Output=json", "k = v#c", "e = a=b", "empty =", "u = é", 'q = "q"']
PROPERTIES += ["p = %(x)s", "h = $HOME/~", "v = one\n  two # not a comment\n\tthree = 3"]
PROPERTIES += ["s3 =\n  x = 1\n\n  y =\n  in valid = 2", "t =\n\tendpoint_url = http://h\n  z=1"]
PROPERTIES += ["bad =\n  no equals sign"]
BETWEEN = ["", " ", "# comment", "; comment", "  # comment", "\t"]


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Draw the text of a configuration file."""
    lines: list[str] = []
    for header in draw(st.lists(st.sampled_from(HEADERS), unique=True, min_size=1, max_size=4)):
        lines.append(header)
        for text in draw(st.lists(st.sampled_from(PROPERTIES), unique=True, max_size=4)):
            lines += [*draw(st.lists(st.sampled_from(BETWEEN), max_size=2)), text]
    return "\n".join([*lines, ""]).replace("\n", draw(st.sampled_from(["\n", "\r\n"])))


def botocores(text: str) -> Any:
    """Return what botocore reads in a configuration file: profiles, sessions and services."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config"
        path.write_bytes(text.encode())
        environ = {"AWS_CONFIG_FILE": str(path), "HOME": folder}
        with mock.patch.dict(os.environ, environ, clear=True):
            try:
                full = botocore.session.Session().full_config
            except BotoCoreError:
                return None
    return full["profiles"], full.get("sso_sessions", {}), full.get("services", {})


def own(text: str) -> Any:
    try:
        parsed: Profiles = parse_profiles(text)
    except ConfigParserError:
        return None
    return parsed.profiles, parsed.sso_sessions, parsed.services


@given(texts())
@settings(max_examples=150)
def test_files_are_read_as_by_botocore(text: str) -> None:
    """Headers, quotes, nesting, continuation and comments mean the same, or fail on both sides."""
    assert own(text) == botocores(text)


class Difference(NamedTuple):
    """A text that means two things.

    Attributes:
        text: the configuration file.
        profiles: its profiles here; None for an error.
        botocores: its profiles for botocore; None for an error.
    """

    text: str
    profiles: Any
    botocores: Any


DIFFERENCES = {
    "a section that comes again adds to the first": Difference(
        "[profile a]\nb = 1\n[profile a]\nc = 2", {"a": {"b": "1", "c": "2"}}, None
    ),
    "a property that comes again replaces the first": Difference(
        "[profile a]\nb = 1\nb = 2", {"a": {"b": "2"}}, None
    ),
    "[profile default] puts [default] out of force": Difference(
        "[profile default]\nb = 1\n[default]\nc = 2",
        {"default": {"b": "1"}},
        {"default": {"c": "2"}},
    ),
    "a comment may follow a value": Difference(
        "[profile a]\nb = c # d\ne = f ; g",
        {"a": {"b": "c", "e": "f"}},
        {"a": {"b": "c # d", "e": "f ; g"}},
    ),
    "white space may surround a section's name": Difference(
        "[ profile a ]\nb = 1", {"a": {"b": "1"}}, {}
    ),
    "a colon is no equals sign": Difference("[profile a]\nb: 1", None, {"a": {"b": "1"}}),
    "names with a space are no properties": Difference(
        "[profile a]\nb c = 1", {"a": {}}, {"a": {"b c": "1"}}
    ),
    "names with other characters are no profiles": Difference(
        "[profile a!]\nb = 1", {}, {"a!": {"b": "1"}}
    ),
    "a sub-property has a name": Difference(
        "[profile a]\nb =\n  = c", None, {"a": {"b": {"": "c"}}}
    ),
    "names of sub-properties are in lower case, too": Difference(
        "[profile a]\nb =\n  C = d", {"a": {"b": {"c": "d"}}}, {"a": {"b": {"C": "d"}}}
    ),
    "a byte order mark is no text": Difference("\ufeff[profile a]\nb = 1", {"a": {"b": "1"}}, None),
}


@pytest.mark.parametrize("difference", DIFFERENCES.values(), ids=DIFFERENCES)
def test_files_are_read_by_the_common_rules_of_the_sdks(difference: Difference) -> None:
    """Where botocore has rules of its own, the others' count; each side is seen doing so."""
    found, expected = own(difference.text), botocores(difference.text)
    assert (found and found[0]) == difference.profiles
    assert (expected and expected[0]) == difference.botocores
