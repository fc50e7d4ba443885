"""What is each setting's value, and where does it come from?

`resolve` looks up every row of `TABLE`: argument, environment variable, profile, default. Nothing
here reads a file, the environment or the clock: all that is passed in. An empty environment
variable or property counts as not set.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tornado_aws._setting_kinds import OPTIONAL_SECONDS
from tornado_aws._settings_table import (
    CODE_TABLE,
    ROWS,
    TABLE,
    Setting,
    read,
    shown,
    unknown,
)
from tornado_aws.config import Profiles, Section
from tornado_aws.exceptions import ConfigurationError, NoProfileError

__all__ = [
    "CODE_TABLE",
    "TABLE",
    "Setting",
    "Settings",
    "configured_region",
    "needs_machine",
    "resolve",
    "snake_service_id",
]

ARGUMENT = "argument"
DEFAULT = "default"
MACHINE = "imds"

_PROFILE, _REGION, _ENDPOINT = (ROWS[name] for name in ("profile", "region", "endpoint"))
_ORDINARY = tuple(row for row in TABLE if row not in (_PROFILE, _REGION, _ENDPOINT))


@dataclass(frozen=True, kw_only=True, eq=False)
class Settings:
    """Every setting's value; the fields are the rows of `TABLE`, which says what they do.

    Attributes:
        sources: where each value comes from, by the setting's name: ``argument``, the name of an
            environment variable, ``profile NAME``, ``default``, or ``imds`` for the machine's
            region.
        environ_proxies: the proxy variables of the environment, as `TransportOptions` has them.
    """

    profile: str
    region: str | None
    endpoint: str | None = field(repr=False)  # may hold a password, as may the proxies
    ignore_configured_endpoint_urls: bool
    use_fips_endpoint: bool
    use_dualstack_endpoint: bool
    endpoint_discovery_enabled: bool | str
    account_id_endpoint_mode: str
    sts_regional_endpoints: str
    auth_scheme_preference: tuple[str, ...] | None
    sigv4a_signing_region_set: tuple[str, ...] | None
    disable_host_prefix_injection: bool
    connect_timeout: float | None
    tls_timeout: float | None
    read_timeout: float | None
    request_timeout: float | None
    pool_timeout: float | None
    total_timeout: float | None
    max_clients: int
    max_attempts: int | None
    retry_mode: str
    retry_lost_writes: bool
    defaults_mode: str
    verify: bool | str
    client_cert: str | tuple[str, str] | None
    proxy: str | None = field(repr=False)
    validate: bool
    user_agent_appid: str | None
    request_checksum_calculation: str
    response_checksum_validation: str
    disable_request_compression: bool
    request_min_compression_size_bytes: int
    s3_addressing_style: str
    s3_use_accelerate_endpoint: bool
    s3_use_dualstack_endpoint: bool
    s3_use_arn_region: bool | None
    s3_us_east_1_regional_endpoint: str
    s3_disable_multiregion_access_points: bool
    s3_disable_express_session_auth: bool
    ec2_metadata_disabled: bool
    ec2_metadata_v1_disabled: bool
    ec2_metadata_service_endpoint: str | None
    ec2_metadata_service_endpoint_mode: str | None
    imds_use_ipv6: bool
    ec2_instance_profile_name: str | None
    metadata_service_timeout: float
    metadata_service_num_attempts: int
    config_file: str
    credentials_file: str
    environ_proxies: tuple[tuple[str, str], ...] = field(repr=False)
    sources: Mapping[str, str]


def resolve(
    options: Mapping[str, Any],
    environ: Mapping[str, str],
    profiles: Profiles,
    service_id: str | None = None,
    machine: str | None = None,
) -> Settings:
    """Find the value of every setting.

    Args:
        options: the arguments that were given, by name. None counts as not given, but for the
            timeouts, which it unbinds.
        environ: the environment variables.
        profiles: what the configuration and credentials files say.
        service_id: the ``serviceId`` of the service's model, to find an endpoint that is configured
            for it alone; None to look for a general one.
        machine: the region that the machine is in; None while that is unknown.

    Returns:
        The settings. ``region`` is None when nothing names one and there is no configuration file.
        `needs_machine` tells whether to ask the machine and to resolve them again.

    Raises:
        NoProfileError: the profile that was asked for is in neither file.
        ConfigurationError: values are impossible; the text names each one's setting, source and
            allowed values.
    """
    lookup = _Lookup(options, environ, profiles, service_id, machine)
    lookup.resolve_all()
    if lookup.faults:
        raise ConfigurationError("; ".join(lookup.faults))
    return Settings(
        **lookup.values, environ_proxies=environ_proxies(environ), sources=lookup.sources
    )


def configured_region(
    settings: Settings, environ: Mapping[str, str], profiles: Profiles
) -> str | None:
    """Return the region that the environment or the profile names, whatever code names.

    None when they name none. Nobody has had to get it right where code names another one, so an
    impossible one counts as none.

    Args:
        settings: what `resolve` gave for `environ` and `profiles`.
        environ: the environment variables.
        profiles: what the configuration and credentials files say.
    """
    lookup = _Lookup({}, environ, profiles, None, None)
    lookup.section = profiles.profiles.get(settings.profile, {})
    lookup._settle(_REGION, lookup._general(_REGION))
    return None if lookup.faults else lookup.values["region"]


class _Candidate(NamedTuple):
    """A value that is set somewhere, as it stands there.

    Attributes:
        source: where, as `Settings.sources` has it.
        value: the argument or text.
    """

    source: str
    value: Any


class _Lookup:
    """One run of `resolve`: what it looks in, and what it has found."""

    def __init__(
        self,
        options: Mapping[str, Any],
        environ: Mapping[str, str],
        profiles: Profiles,
        service_id: str | None,
        machine: str | None,
    ) -> None:
        self.options = options
        self.environ = environ
        self.profiles = profiles
        self.service_id = service_id
        self.machine = machine
        self.values: dict[str, Any] = {}
        self.sources: dict[str, str] = {}
        self.faults: list[str] = []
        self.section: Section = {}

    def resolve_all(self) -> None:
        self.faults.extend(unknown(self.options))
        self._settle(_PROFILE, self._general(_PROFILE))
        self.section = self._chosen_profile()
        for setting in _ORDINARY:
            self._settle(setting, self._general(setting))
        self._settle(_REGION, self._region())
        self._settle(_ENDPOINT, self._endpoint())
        self._apply_defaults_mode()

    def _settle(self, setting: Setting, found: _Candidate | None) -> None:
        """Keep what was found, or the default."""
        if found is None:
            found = _Candidate(DEFAULT, setting.default)
        self.values[setting.name], self.sources[setting.name] = found.value, found.source
        if found.source == DEFAULT:
            return
        try:
            self.values[setting.name] = read(setting, found.value, found.source)
        except ConfigurationError as error:
            self.faults.append(error.msg)

    def _general(self, setting: Setting) -> _Candidate | None:
        return (
            self._argument(setting)
            or self._variable(setting.environment)
            or self._property(self.values.get("profile"), self.section, setting.file_keys)
            or self._variable(setting.late_environment)
        )

    def _argument(self, setting: Setting) -> _Candidate | None:
        value = self.options.get(setting.name)
        unbound = setting.kind is OPTIONAL_SECONDS and setting.name in self.options
        return _Candidate(ARGUMENT, value) if value is not None or unbound else None

    def _variable(self, names: Iterable[str]) -> _Candidate | None:
        for name in names:
            if value := self.environ.get(name):
                return _Candidate(name, value)
        return None

    def _property(
        self, profile: str | None, section: Section, keys: Iterable[str]
    ) -> _Candidate | None:
        for key in keys:
            if value := _property(section, key):
                return _Candidate(f"profile {profile}", value)
        return None

    def _chosen_profile(self) -> Section:
        name = self.values["profile"]
        if name in self.profiles.profiles:
            return self.profiles.profiles[name]
        if self.sources["profile"] != DEFAULT:
            raise NoProfileError(
                self.profiles.not_found(name), path=self.profiles.config_path, profile=name
            )
        return {}

    def _region(self) -> _Candidate | None:
        """As for any setting, then the promises of the original library for a program without one.

        They are the region of ``[default]``, and us-east-1 where there is a configuration file.
        What the machine says comes last.
        """
        default = self.profiles.profiles.get("default", {})
        return (
            self._general(_REGION)
            or self._property("default", default, ("region",))
            or (_Candidate(DEFAULT, "us-east-1") if self.profiles.config_exists else None)
            or (_Candidate(MACHINE, self.machine) if self.machine else None)
        )

    def _endpoint(self) -> _Candidate | None:
        given = self._argument(_ENDPOINT)
        if given is not None or self.values["ignore_configured_endpoint_urls"] is True:
            return given
        own = None if self.service_id is None else snake_service_id(self.service_id)
        return (
            (self._variable([f"AWS_ENDPOINT_URL_{own.upper()}"]) if own else None)
            or self._variable(["AWS_ENDPOINT_URL"])
            or (self._service_endpoint(own.lower()) if own else None)
            or self._property(self.values["profile"], self.section, ("endpoint_url",))
        )

    def _service_endpoint(self, service: str) -> _Candidate | None:
        name = self.section.get("services")
        if not name:
            return None
        section = self.profiles.services.get(name) if isinstance(name, str) else None
        if section is None:
            self.faults.append(
                f"services = {shown(name)} (from profile {self.values['profile']}) names no"
                f" section [services {shown(name)}] of {self.profiles.config_path}"
            )
            return None
        value = _property(section, f"{service}.endpoint_url")
        return _Candidate(f"services {name}", value) if value else None

    def _apply_defaults_mode(self) -> None:
        if self.sources["connect_timeout"] != DEFAULT:
            return
        mode = self.values["defaults_mode"]
        if mode == "auto":
            here = _own_region(self.environ) or self.machine
            mode = _automatic_mode(here, self.values["region"])
        self.values["connect_timeout"] = _CONNECT_TIMEOUTS.get(mode, self.values["connect_timeout"])


# Connect timeouts of the modes, in seconds: botocore/data/sdk-default-configuration.json.
_CONNECT_TIMEOUTS = {"standard": 3.1, "in-region": 1.1, "cross-region": 3.1, "mobile": 30.0}


def _own_region(environ: Mapping[str, str]) -> str | None:
    """Return the region that the program runs in, as far as the environment says it."""
    if not environ.get("AWS_EXECUTION_ENV"):
        return None
    return environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION")


def _automatic_mode(here: str | None, region: str | None) -> str:
    """Choose a mode by the region that the program runs in, as botocore does."""
    if here is None:
        return "standard"
    return "in-region" if here == region else "cross-region"


def needs_machine(settings: Settings, environ: Mapping[str, str]) -> bool:
    """Tell whether the machine's region would change the settings.

    Args:
        settings: resolved without it.
        environ: the environment variables.
    """
    by_place = settings.defaults_mode == "auto" and settings.sources["connect_timeout"] == DEFAULT
    return settings.region is None or (by_place and _own_region(environ) is None)


def _property(section: Section, key: str) -> Any:
    outer, _, inner = key.partition(".")
    value = section.get(outer)
    if not inner:
        return value
    return value.get(inner) if isinstance(value, dict) else None


def snake_service_id(service_id: str) -> str:
    """Return a service's id as a variable of its endpoint ends, but for the case."""
    return service_id.replace(" ", "_").replace("-", "_")


_PROXY_VARIABLES = ("http_proxy", "https_proxy", "no_proxy")


def environ_proxies(environ: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Pick the proxy variables as sorted pairs; names in lower case count before upper case.

    In a CGI program HTTP_PROXY is a header of the client's request (CVE-2016-5385), and not taken.
    """
    pairs = []
    for name in _PROXY_VARIABLES:
        upper = None if name == "http_proxy" and "REQUEST_METHOD" in environ else name.upper()
        value = environ.get(name) or (environ.get(upper) if upper else None)
        if value:
            pairs.append((name, value))
    return tuple(pairs)
