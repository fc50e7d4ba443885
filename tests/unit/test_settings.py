"""Where settings come from, and what values they can have."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from botocore.configprovider import (
    BOTOCORE_DEFAUT_SESSION_VARIABLES,
    DEFAULT_PROXIES_CONFIG_VARS,
    DEFAULT_S3_CONFIG_VARS,
)

from tornado_aws.config import Profiles, parse_profiles
from tornado_aws.exceptions import ConfigurationError, NoProfileError
from tornado_aws.settings import TABLE, Settings, needs_machine, resolve

ROWS = {row.name: row for row in TABLE}
NO_FILES = Profiles()


def one(name: str, options: Any = None, environ: Any = None, config: str | None = None) -> Any:
    """Resolve everything and return one setting's value and source."""
    profiles = NO_FILES if config is None else parse_profiles(config)
    settings = resolve(options or {}, environ or {}, profiles)
    return getattr(settings, name), settings.sources[name]


def test_the_fields_are_the_rows_of_the_table() -> None:
    """Every setting of the table is a field, in the table's order but for two more."""
    names = [field.name for field in fields(Settings)]
    assert sorted(names) == sorted([*ROWS, "sources", "environ_proxies"])


def test_names_and_variables_are_given_once() -> None:
    """No two rows have a name or variable in common, and each says what it does."""
    variables = [name for row in TABLE for name in row.environment + row.late_environment]
    assert len(ROWS) == len(TABLE)
    assert len(set(variables)) == len(variables)
    assert all(row.help.endswith(".") and row.kind.allowed for row in TABLE)


# What botocore's table calls the settings that are called otherwise here.
BOTOCORE_NAMES = {
    "ca_bundle": "verify",
    "parameter_validation": "validate",
    **{f"s3_{name}": name for name in DEFAULT_S3_CONFIG_VARS if name.startswith("s3_")},
}
CODE = re.compile(r"``([a-z0-9_]+)``")
DOCS = Path(__file__).parents[2] / "docs" / "configuration.rst"


def _botocore_rows() -> Iterator[tuple[str, set[str], set[str]]]:
    """Yield the name, variables and keys of each setting of botocore."""
    for prefix, table in (
        ("", BOTOCORE_DEFAUT_SESSION_VARIABLES),
        ("s3_", DEFAULT_S3_CONFIG_VARS),
        ("", DEFAULT_PROXIES_CONFIG_VARS),
    ):
        for name, (keys, variables, *_) in table.items():
            listed = [keys] if isinstance(keys, str | tuple) else keys or []
            full = prefix + name
            yield (
                BOTOCORE_NAMES.get(full, full),
                {variables} if isinstance(variables, str) else set(variables or []),
                {key if isinstance(key, str) else ".".join(key) for key in listed},
            )


def test_every_setting_of_botocore_is_known_or_said_to_be_missing() -> None:
    """What botocore reads has a row with its variables and keys, or is named on the page."""
    _, _, missing = DOCS.read_text(encoding="utf-8").partition("\nSettings of botocore\n")
    told = {
        name for entry in re.findall(r"^- (.*?)[:(]", missing, re.M) for name in CODE.findall(entry)
    }
    unknown = set()
    for name, variables, keys in _botocore_rows():
        row = ROWS.get(name)
        if row is None:
            unknown.add(name)
            continue
        assert variables <= {*row.environment, *row.late_environment}, name
        assert keys <= set(row.file_keys), name
    assert unknown == told


def test_without_anything_every_setting_has_its_default() -> None:
    """Defaults come from the table; without a configuration file no region is assumed."""
    settings = resolve({}, {}, NO_FILES)
    assert set(settings.sources.values()) == {"default"}
    for row in TABLE:
        assert getattr(settings, row.name) == row.default
    assert settings.region is None


# A row's value as text and what becomes of it.
SAMPLES = {
    "a text": ("x", "x"),
    "a path": ("/x", "/x"),
    "true or false": ("True", True),
    "true, false or auto": ("Auto", "auto"),
    "a positive number of seconds": ("2.5", 2.5),
    "a whole number from 1": ("7", 7),
    "a whole number of bytes, 0 to 10485760": ("0", 0),
    "a region's name: letters, digits and hyphens": ("eu-west-1", "eu-west-1"),
    "a URL with scheme http or https and a host": ("http://h:1", "http://h:1"),
    "True, False, or the path of a CA file": ("/ca.pem", "/ca.pem"),
    "a name of letters, digits and +=,.@_-": ("a+b", "a+b"),
    "names separated by commas, or a list of names": ("a, b", ("a", "b")),
}


def sample(allowed: str) -> tuple[str, Any]:
    """Return a text that a setting can have and its value; a choice's last word."""
    word = allowed.rsplit(" or ", maxsplit=1)[-1]
    return SAMPLES.get(allowed, (word.upper(), word))


GENERAL = [row for row in TABLE if row.name not in {"profile", "endpoint", "region"}]


@pytest.mark.parametrize("row", [row for row in GENERAL if row.environment], ids=lambda r: r.name)
def test_environment_variables_are_read(row: Any) -> None:
    """Each variable of the table sets its setting, and is named as the source."""
    text, value = sample(row.kind.allowed)
    for variable in row.environment:
        assert one(row.name, environ={variable: text}) == (value, variable)


@pytest.mark.parametrize("row", [row for row in GENERAL if row.file_keys], ids=lambda r: r.name)
def test_properties_of_the_profile_are_read(row: Any) -> None:
    """Each key of the table sets its setting; the environment counts before it."""
    text, value = sample(row.kind.allowed)
    for key in row.file_keys:
        outer, _, inner = key.partition(".")
        config = f"[profile p]\n{outer} = " + (f"\n  {inner} = {text}" if inner else text)
        chosen = {"profile": "p"}
        assert one(row.name, chosen, config=config) == (value, "profile p")
        for variable in row.environment:
            assert one(row.name, chosen, {variable: text}, config)[1] == variable


def test_arguments_count_before_everything() -> None:
    """Argument, environment, profile, default is the order."""
    config = "[default]\nmax_attempts = 3"
    assert one("max_attempts", {"max_attempts": 5}, {"AWS_MAX_ATTEMPTS": "4"}, config) == (
        5,
        "argument",
    )
    assert one("max_attempts", {}, {"AWS_MAX_ATTEMPTS": "4"}, config) == (4, "AWS_MAX_ATTEMPTS")
    assert one("max_attempts", {}, {"AWS_MAX_ATTEMPTS": ""}, config) == (3, "profile default")
    assert one("max_attempts", {"max_attempts": None}) == (None, "default")


def test_false_is_a_value() -> None:
    """An argument that is False or 0 is not the same as none."""
    assert one("verify", {"verify": False}, {"AWS_CA_BUNDLE": "/ca"}) == (False, "argument")
    assert (
        one("use_fips_endpoint", {"use_fips_endpoint": False}, {"AWS_USE_FIPS_ENDPOINT": "true"})[0]
        is False
    )
    assert (
        one("request_min_compression_size_bytes", {"request_min_compression_size_bytes": 0})[0] == 0
    )


def test_none_unbinds_a_timeout() -> None:
    """A timeout that is given as None is no bound, not the default."""
    assert one("read_timeout", {"read_timeout": None}) == (None, "argument")
    assert one("read_timeout") == (60.0, "default")
    assert one("connect_timeout") == (10.0, "default")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_attempts", 0),
        ("max_attempts", 2.5),
        ("max_attempts", True),
        ("max_attempts", "x"),
        ("read_timeout", 0),
        ("read_timeout", -1),
        ("read_timeout", "soon"),
        ("read_timeout", float("nan")),
        ("read_timeout", float("inf")),
        ("read_timeout", True),
        ("read_timeout", [1]),
        ("retry_mode", "fast"),
        ("retry_mode", 3),
        ("use_fips_endpoint", "perhaps"),
        ("use_fips_endpoint", 2),
        ("region", "eu_west"),
        ("region", "a.b"),
        ("region", "-a"),
        ("region", "12"),
        ("region", "x" * 64),
        ("region", "us-east-1\n"),
        ("endpoint", "ftp://h"),
        ("endpoint", "h:80"),
        ("endpoint", "http://"),
        ("endpoint", "http://h:99999"),
        ("endpoint", "http://h/a b"),
        ("endpoint", "http://h\r\n"),
        ("proxy", "localhost:3128"),
        ("verify", 1),
        ("verify", ""),
        ("client_cert", ("a",)),
        ("client_cert", ("a", "b", "c")),
        ("client_cert", 1),
        ("request_min_compression_size_bytes", 10485761),
        ("max_clients", 0),
        ("ec2_instance_profile_name", "../x"),
        ("auth_scheme_preference", "sigv4,,sigv4a"),
        ("auth_scheme_preference", []),
        ("auth_scheme_preference", 4),
        ("sigv4a_signing_region_set", "us-west-2\r\nX: y"),
        ("sigv4a_signing_region_set", ["us-west-2", 3]),
    ],
)
def test_an_impossible_value_is_an_error_that_says_what_is_allowed(name: str, value: Any) -> None:
    """The error names setting, source and allowed values."""
    with pytest.raises(ConfigurationError) as caught:
        resolve({name: value}, {}, NO_FILES)
    text = str(caught.value)
    assert f"{name} = " in text
    assert "from argument" in text
    assert f"allowed: {ROWS[name].kind.allowed}" in text


@pytest.mark.parametrize(
    ("name", "given", "value"),
    [
        ("verify", Path("/ca.pem"), "/ca.pem"),
        ("client_cert", (Path("/c"), "/k"), ("/c", "/k")),
        ("client_cert", "/c", "/c"),
        ("proxy", "", ""),
        ("proxy", "http://user:pw@[::1]:3128", "http://user:pw@[::1]:3128"),
        ("read_timeout", 5, 5.0),
        ("retry_mode", "Adaptive", "adaptive"),
        ("auth_scheme_preference", "sigv4a , aws.auth#sigv4", ("sigv4a", "aws.auth#sigv4")),
        ("sigv4a_signing_region_set", ["us-*", "eu-west-1"], ("us-*", "eu-west-1")),
        ("sigv4a_signing_region_set", "*", ("*",)),
        ("endpoint", "https://h/base/path", "https://h/base/path"),
    ],
)
def test_arguments_may_be_of_several_types(name: str, given: Any, value: Any) -> None:
    """Paths, pairs, numbers and words in any case are understood."""
    assert one(name, {name: given}) == (value, "argument")


@pytest.mark.parametrize(
    ("text", "value"), [("1", True), ("yes", True), ("ON", True), ("0", False), (" false ", False)]
)
def test_truth_is_written_in_several_ways(text: str, value: bool) -> None:
    """What plainly means yes or no is taken so."""
    assert one("ec2_metadata_disabled", environ={"AWS_EC2_METADATA_DISABLED": text})[0] is value


def test_all_faults_are_told_at_once() -> None:
    """One error names every impossible value, with its source, and unknown options."""
    environ = {"AWS_RETRY_MODE": "fast"}
    with pytest.raises(ConfigurationError) as caught:
        resolve(
            {"read_timeout": -1, "regoin": "x"},
            environ,
            parse_profiles("[default]\nuse_fips_endpoint = 7\ns3 =\n  addressing_style = odd"),
        )
    text = str(caught.value)
    assert "no option regoin; did you mean region?" in text
    assert "read_timeout = -1 (from argument)" in text
    assert "retry_mode = 'fast' (from AWS_RETRY_MODE)" in text
    assert "use_fips_endpoint = '7' (from profile default)" in text
    assert "s3_addressing_style = 'odd' (from profile default)" in text


def test_the_names_that_boto_has_for_options_are_known() -> None:
    """Who comes from boto3 is told what its options are called here."""
    boto = {"region_name": "x", "aws_access_key_id": "x", "endpoint_url": "x"}
    with pytest.raises(ConfigurationError) as caught:
        resolve(boto, {}, parse_profiles(""))
    assert str(caught.value) == (
        "there is no option region_name; it is called region here;"
        " there is no option aws_access_key_id; it is called access_key here;"
        " there is no option endpoint_url; it is called endpoint here"
    )


def test_a_table_where_a_text_belongs_is_an_error() -> None:
    """Sub-properties of a property that has none are told, not shown."""
    with pytest.raises(ConfigurationError, match="region = a table of properties"):
        resolve({}, {}, parse_profiles("[default]\nregion =\n  hush = x"))


def test_passwords_in_urls_are_not_shown() -> None:
    """Neither an error nor the repr of the settings shows a URL with a password."""
    with pytest.raises(ConfigurationError) as caught:
        resolve({"proxy": "user:hush@host"}, {}, NO_FILES)
    assert "hush" not in str(caught.value)
    settings = resolve(
        {"proxy": "http://user:hush@host", "endpoint": "http://u:hush@h"},
        {"HTTPS_PROXY": "http://u:hush@h"},
        NO_FILES,
    )
    assert "hush" not in repr(settings)


@pytest.mark.parametrize(
    ("options", "environ", "profile"),
    [
        ({"profile": "a"}, {"AWS_PROFILE": "b"}, ("a", "argument")),
        ({}, {"AWS_PROFILE": "b"}, ("b", "AWS_PROFILE")),
        ({}, {"AWS_DEFAULT_PROFILE": "c", "AWS_PROFILE": "b"}, ("c", "AWS_DEFAULT_PROFILE")),
        ({}, {"AWS_PROFILE": ""}, ("default", "default")),
    ],
)
def test_the_profile_is_chosen_as_botocore_chooses_it(
    options: Any, environ: Any, profile: tuple[str, str]
) -> None:
    """Argument, AWS_DEFAULT_PROFILE, AWS_PROFILE, default."""
    config = "[profile a]\n[profile b]\n[profile c]"
    assert one("profile", options, environ, config) == profile


@pytest.mark.parametrize(
    ("options", "environ"),
    [({"profile": "x"}, {}), ({}, {"AWS_PROFILE": "x"}), ({"profile": "default"}, {})],
)
def test_an_unknown_profile_is_an_error(options: Any, environ: Any) -> None:
    """A profile that was asked for must exist; it never falls back on another one's values."""
    with pytest.raises(NoProfileError) as caught:
        resolve(options, environ, parse_profiles("[profile y]\nregion = us-west-2"))
    assert caught.value.profile == (options.get("profile") or "x")
    assert caught.value.path == "the configuration text"
    assert "was not found in the configuration text or the credentials text" in str(caught.value)


def test_a_profile_of_the_credentials_file_exists() -> None:
    """A profile may stand in either file."""
    profiles = parse_profiles("", "[x]")
    assert resolve({"profile": "x"}, {}, profiles).profile == "x"


REGIONS = "[profile p]\nregion = us-west-2\n[profile q]\n[default]\nregion = ap-south-1"


@pytest.mark.parametrize(
    ("options", "environ", "config", "region"),
    [
        ({"region": "eu-west-1"}, {"AWS_REGION": "eu-west-2"}, REGIONS, ("eu-west-1", "argument")),
        (
            {},
            {"AWS_REGION": "eu-west-2", "AWS_DEFAULT_REGION": "eu-west-3"},
            REGIONS,
            ("eu-west-2", "AWS_REGION"),
        ),
        ({}, {"AWS_DEFAULT_REGION": "eu-west-3"}, REGIONS, ("eu-west-3", "AWS_DEFAULT_REGION")),
        ({"profile": "p"}, {}, REGIONS, ("us-west-2", "profile p")),
        ({"profile": "q"}, {}, REGIONS, ("ap-south-1", "profile default")),
        ({}, {}, "", ("us-east-1", "default")),
        ({}, {}, None, (None, "default")),
    ],
)
def test_the_region_is_found_in_the_promised_order(
    options: Any, environ: Any, config: Any, region: Any
) -> None:
    """Argument, the two variables, profile, default profile, us-east-1 if there is a file."""
    assert one("region", options, environ, config) == region


ENDPOINTS = """
[profile p]
services = s
endpoint_url = http://profile
[profile q]
endpoint_url = http://profile
[services s]
elastic_load_balancing_v2 =
  endpoint_url = http://service
"""


@pytest.mark.parametrize(
    ("options", "environ", "endpoint"),
    [
        ({"endpoint": "http://argument"}, {"AWS_ENDPOINT_URL": "http://x"}, "http://argument"),
        (
            {},
            {
                "AWS_ENDPOINT_URL": "http://x",
                "AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2": "http://y",
            },
            "http://y",
        ),
        ({}, {"AWS_ENDPOINT_URL": "http://x", "AWS_ENDPOINT_URL_S3": "http://y"}, "http://x"),
        ({}, {}, "http://service"),
        ({"profile": "q"}, {}, "http://profile"),
        ({}, {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true", "AWS_ENDPOINT_URL": "http://x"}, None),
        ({"endpoint": "http://a", "ignore_configured_endpoint_urls": True}, {}, "http://a"),
    ],
)
def test_endpoints_are_found_in_the_order_of_the_sdks(
    options: Any, environ: Any, endpoint: str | None
) -> None:
    """Argument, variable of the service, variable, services section, profile; or none at all."""
    profiles = parse_profiles(ENDPOINTS)
    options = {"profile": "p", **options}
    settings = resolve(options, environ, profiles, "Elastic Load Balancing v2")
    assert settings.endpoint == endpoint


def test_a_services_section_that_does_not_exist_is_an_error() -> None:
    """The profile means something that is not there; only an endpoint found before it hides it."""
    profiles = parse_profiles("[default]\nservices = nowhere")
    with pytest.raises(ConfigurationError, match=r"\[services 'nowhere'\]"):
        resolve({}, {}, profiles, "S3")
    assert resolve({"endpoint": "http://x"}, {}, profiles, "S3").endpoint == "http://x"
    assert resolve({}, {"AWS_ENDPOINT_URL": "http://x"}, profiles, "S3").endpoint == "http://x"


@pytest.mark.parametrize(
    ("options", "environ", "timeout"),
    [
        ({"defaults_mode": "in-region"}, {}, 1.1),
        ({"defaults_mode": "in-region", "connect_timeout": 7}, {}, 7.0),
        ({}, {"AWS_DEFAULTS_MODE": "mobile"}, 30.0),
        ({"defaults_mode": "auto", "region": "eu-west-1"}, {}, 3.1),
        (
            {"defaults_mode": "auto", "region": "eu-west-1"},
            {"AWS_EXECUTION_ENV": "x", "AWS_REGION": "eu-west-1"},
            1.1,
        ),
        (
            {"defaults_mode": "auto", "region": "eu-west-1"},
            {"AWS_EXECUTION_ENV": "x", "AWS_DEFAULT_REGION": "eu-west-2"},
            3.1,
        ),
    ],
)
def test_the_defaults_mode_sets_the_connect_timeout(
    options: Any, environ: Any, timeout: float
) -> None:
    """A mode changes the default, not a timeout that is given."""
    assert one("connect_timeout", options, environ)[0] == timeout


@pytest.mark.parametrize(
    ("options", "environ", "machine", "timeout"),
    [
        ({"region": "eu-west-1"}, {}, "eu-west-1", 1.1),
        ({"region": "eu-west-1"}, {}, "eu-west-2", 3.1),
        ({}, {}, "eu-west-2", 1.1),
        (
            {"region": "eu-west-1"},
            {"AWS_EXECUTION_ENV": "x", "AWS_REGION": "eu-west-2"},
            "eu-west-1",
            3.1,
        ),
        ({"region": "eu-west-1"}, {"AWS_REGION": "eu-west-1"}, "eu-west-2", 3.1),
    ],
)
def test_the_automatic_mode_goes_by_the_machine_where_the_environment_says_nothing(
    options: Any, environ: Any, machine: str, timeout: float
) -> None:
    """As botocore has it: AWS_REGION counts where AWS itself has set it."""
    options = {"defaults_mode": "auto", **options}
    assert resolve(options, environ, NO_FILES, machine=machine).connect_timeout == timeout


@pytest.mark.parametrize(
    ("options", "environ", "needed"),
    [
        ({}, {}, True),
        ({"region": "eu-west-1"}, {}, False),
        ({"region": "eu-west-1", "defaults_mode": "auto"}, {}, True),
        ({"region": "eu-west-1", "defaults_mode": "auto", "connect_timeout": 3}, {}, False),
        (
            {"region": "eu-west-1", "defaults_mode": "auto"},
            {"AWS_EXECUTION_ENV": "x", "AWS_REGION": "x"},
            False,
        ),
        ({"region": "eu-west-1", "defaults_mode": "in-region"}, {}, False),
    ],
)
def test_the_machine_is_asked_only_where_that_matters(
    options: Any, environ: Any, needed: bool
) -> None:
    """It takes seconds where there is no metadata service."""
    assert needs_machine(resolve(options, environ, NO_FILES), environ) is needed


def test_the_region_of_the_machine_counts_last() -> None:
    """It is named as the source."""
    found = resolve({}, {}, NO_FILES, machine="eu-north-1")
    assert (found.region, found.sources["region"]) == ("eu-north-1", "imds")
    for options, environ, profiles in [
        ({"region": "eu-west-1"}, {}, NO_FILES),
        ({}, {"AWS_REGION": "eu-west-1"}, NO_FILES),
        ({}, {}, parse_profiles("[default]\nregion = eu-west-1")),
    ]:
        assert resolve(options, environ, profiles, machine="eu-north-1").region == "eu-west-1"


def test_the_ca_bundle_of_requests_counts_last() -> None:
    """AWS_CA_BUNDLE, then the profile, then REQUESTS_CA_BUNDLE, as in botocore."""
    environ = {"REQUESTS_CA_BUNDLE": "/r"}
    assert one("verify", environ=environ) == ("/r", "REQUESTS_CA_BUNDLE")
    assert one("verify", environ=environ, config="[default]\nca_bundle = /p")[0] == "/p"
    assert one("verify", environ={**environ, "AWS_CA_BUNDLE": "/a"})[0] == "/a"


def test_proxy_variables_are_picked_in_lower_case_first() -> None:
    """Pairs are sorted, empty ones left out, and a CGI request's header is no proxy."""
    environ = {
        "http_proxy": "http://a",
        "HTTP_PROXY": "http://b",
        "HTTPS_PROXY": "http://c",
        "NO_PROXY": "",
    }
    found = resolve({}, environ, NO_FILES).environ_proxies
    assert found == (("http_proxy", "http://a"), ("https_proxy", "http://c"))
    cgi = {"HTTP_PROXY": "http://b", "REQUEST_METHOD": "GET"}
    assert resolve({}, cgi, NO_FILES).environ_proxies == ()
