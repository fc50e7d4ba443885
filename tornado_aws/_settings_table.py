"""Which settings exist: their names, values, environment variables, file keys and defaults.

`TABLE` is the one place that says so: `tornado_aws.settings` resolves it, the documentation and
``python -m tornado_aws configure show`` print it. `CODE_TABLE` has the options that are no
settings.
"""

# Annotations are not postponed here: `typing` would compile the text of each field, 20 us a field.

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from tornado_aws._setting_kinds import (
    BOOLEAN,
    BOOLEAN_OR_AUTO,
    BYTES,
    CLIENT_CERT,
    COUNT,
    CREDENTIALS,
    FUNCTION,
    NAMES,
    OBSERVERS,
    OPTIONAL_SECONDS,
    PATH,
    PROXY,
    REGION,
    ROLE_NAME,
    SECONDS,
    SIZE,
    TEXT,
    TEXT_OR_EMPTY,
    TRANSPORT,
    TRUTH,
    URL,
    VERIFY,
    Kind,
    choice,
)
from tornado_aws.exceptions import ConfigurationError


class Setting(NamedTuple):
    """One row of the table.

    Attributes:
        name: name of the argument and of the field of `Settings`.
        kind: what values it can have.
        environment: environment variables, the first one that is set counts.
        file_keys: keys in the profile, ``a.b`` for sub-property b of property a.
        default: the value when nothing sets it.
        help: what it does, in a sentence.
        late_environment: variables that are looked at after the profile.
    """

    name: str
    kind: Kind
    environment: tuple[str, ...] = ()
    file_keys: tuple[str, ...] = ()
    default: Any = None
    help: str = ""
    late_environment: tuple[str, ...] = ()


_CHECKSUMS = choice("when_supported", "when_required")

TABLE: Sequence[Setting] = (
    # botocore and the original library look at AWS_DEFAULT_PROFILE first. A program that moves here
    # must not find itself in another account, so it is the same here where both are set.
    Setting(
        "profile",
        TEXT,
        ("AWS_DEFAULT_PROFILE", "AWS_PROFILE"),
        default="default",
        help="Profile of the configuration and credentials files.",
    ),
    Setting(
        "region",
        REGION,
        ("AWS_REGION", "AWS_DEFAULT_REGION"),
        ("region",),
        help="Region that requests go to and are signed for.",
    ),
    Setting(
        "endpoint",
        URL,
        ("AWS_ENDPOINT_URL_<SERVICE>", "AWS_ENDPOINT_URL"),
        ("services.<service>.endpoint_url", "endpoint_url"),
        help="Base URL to use instead of the service's own.",
    ),
    Setting(
        "ignore_configured_endpoint_urls",
        BOOLEAN,
        ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",),
        ("ignore_configured_endpoint_urls",),
        default=False,
        help="Take an endpoint from code only, not from environment or profile.",
    ),
    Setting(
        "use_fips_endpoint",
        BOOLEAN,
        ("AWS_USE_FIPS_ENDPOINT",),
        ("use_fips_endpoint",),
        default=False,
        help="Use endpoints with FIPS 140 cryptography.",
    ),
    Setting(
        "use_dualstack_endpoint",
        BOOLEAN,
        ("AWS_USE_DUALSTACK_ENDPOINT",),
        ("use_dualstack_endpoint",),
        default=False,
        help="Use endpoints that have IPv6 and IPv4 addresses.",
    ),
    Setting(
        "endpoint_discovery_enabled",
        BOOLEAN_OR_AUTO,
        ("AWS_ENDPOINT_DISCOVERY_ENABLED", "AWS_ENABLE_ENDPOINT_DISCOVERY"),
        ("endpoint_discovery_enabled",),
        default="auto",
        help="Ask services for their endpoints: where they need it (``auto``), where they offer it"
        " (``true``), never.",
    ),
    Setting(
        "account_id_endpoint_mode",
        choice("preferred", "disabled", "required"),
        ("AWS_ACCOUNT_ID_ENDPOINT_MODE",),
        ("account_id_endpoint_mode",),
        default="preferred",
        help="Whether the account's id goes into host names where a service offers that.",
    ),
    Setting(
        "sts_regional_endpoints",
        choice("regional", "legacy"),
        ("AWS_STS_REGIONAL_ENDPOINTS",),
        ("sts_regional_endpoints",),
        default="regional",
        help="Ask STS in the region, or (legacy) globally.",
    ),
    Setting(
        "auth_scheme_preference",
        NAMES,
        ("AWS_AUTH_SCHEME_PREFERENCE",),
        ("auth_scheme_preference",),
        help="Ways to sign in order of preference: ``sigv4a, sigv4, httpBearerAuth``; a service"
        " that has none of them is signed for as without it.",
    ),
    Setting(
        "sigv4a_signing_region_set",
        NAMES,
        ("AWS_SIGV4A_SIGNING_REGION_SET",),
        ("sigv4a_signing_region_set",),
        help="Regions that signatures for several regions are for, instead of the endpoint's.",
    ),
    Setting(
        "disable_host_prefix_injection",
        BOOLEAN,
        ("AWS_DISABLE_HOST_PREFIX_INJECTION",),
        ("disable_host_prefix_injection",),
        default=False,
        help="Leave out the host prefix that some operations ask for.",
    ),
    Setting(
        "connect_timeout",
        OPTIONAL_SECONDS,
        default=10.0,
        help="Bound on name resolution, TCP and TLS together.",
    ),
    Setting(
        "tls_timeout",
        OPTIONAL_SECONDS,
        help="Bound on a TLS handshake, within connect_timeout.",
    ),
    Setting(
        "read_timeout",
        OPTIONAL_SECONDS,
        default=60.0,
        help="Bound on silence while sending or receiving.",
    ),
    Setting(
        "request_timeout",
        OPTIONAL_SECONDS,
        help="Bound on one attempt in total; a raw fetch has 30 seconds when nothing is given.",
    ),
    Setting("pool_timeout", OPTIONAL_SECONDS, help="Bound on waiting for a free connection."),
    Setting(
        "total_timeout",
        OPTIONAL_SECONDS,
        help="Bound on the whole call: what the first one looks up, credentials, retries and all.",
    ),
    Setting("max_clients", COUNT, default=100, help="Most connections open at once."),
    Setting(
        "max_attempts",
        COUNT,
        ("AWS_MAX_ATTEMPTS",),
        ("max_attempts",),
        help="Attempts of a call, the first one included; without it the retry mode decides.",
    ),
    Setting(
        "retry_mode",
        choice("standard", "adaptive", "legacy", "none"),
        ("AWS_RETRY_MODE",),
        ("retry_mode",),
        default="standard",
        help="How calls are retried; ``legacy`` is another name of ``standard`` here, ``none``"
        " sends each call once.",
    ),
    Setting(
        "retry_lost_writes",
        BOOLEAN,
        default=False,
        help="Repeat a call whose answer was lost even if it may then be executed twice, as boto3"
        " does.",
    ),
    Setting(
        "defaults_mode",
        choice("legacy", "standard", "in-region", "cross-region", "mobile", "auto"),
        ("AWS_DEFAULTS_MODE",),
        ("defaults_mode",),
        default="legacy",
        help="Set of defaults for timeouts. auto chooses by the region that the program runs in, as"
        " botocore does: that of the environment where AWS_EXECUTION_ENV is set, else the"
        " instance's, which is asked at the first call; standard where neither is known.",
    ),
    Setting(
        "verify",
        VERIFY,
        ("AWS_CA_BUNDLE",),
        ("ca_bundle",),
        default=True,
        help="Check certificates; a path checks them against that CA file.",
        late_environment=("REQUESTS_CA_BUNDLE",),
    ),
    Setting("client_cert", CLIENT_CERT, help="Client certificate, with its key or beside it."),
    Setting(
        "proxy",
        PROXY,
        help="Proxy of every request; without it HTTP_PROXY, HTTPS_PROXY and NO_PROXY count.",
    ),
    Setting(
        "validate",
        BOOLEAN,
        (),
        ("parameter_validation",),
        default=True,
        help="Check parameters against the model before sending.",
    ),
    Setting(
        "user_agent_appid",
        TEXT,
        ("AWS_SDK_UA_APP_ID",),
        ("sdk_ua_app_id",),
        help="Name of the application, sent in the User-Agent header.",
    ),
    Setting(
        "request_checksum_calculation",
        _CHECKSUMS,
        ("AWS_REQUEST_CHECKSUM_CALCULATION",),
        ("request_checksum_calculation",),
        default="when_supported",
        help="When request bodies get a checksum.",
    ),
    Setting(
        "response_checksum_validation",
        _CHECKSUMS,
        ("AWS_RESPONSE_CHECKSUM_VALIDATION",),
        ("response_checksum_validation",),
        default="when_supported",
        help="When checksums of response bodies are asked for and checked.",
    ),
    Setting(
        "disable_request_compression",
        BOOLEAN,
        ("AWS_DISABLE_REQUEST_COMPRESSION",),
        ("disable_request_compression",),
        default=False,
        help="Never compress request bodies.",
    ),
    Setting(
        "request_min_compression_size_bytes",
        BYTES,
        ("AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES",),
        ("request_min_compression_size_bytes",),
        default=10240,
        help="Size in bytes from which request bodies are compressed where a service allows it.",
    ),
    Setting(
        "s3_addressing_style",
        choice("auto", "virtual", "path"),
        (),
        ("s3.addressing_style",),
        default="auto",
        help="Where the bucket's name goes: host or path.",
    ),
    Setting(
        "s3_use_accelerate_endpoint",
        BOOLEAN,
        (),
        ("s3.use_accelerate_endpoint",),
        default=False,
        help="Use S3's acceleration endpoint.",
    ),
    Setting(
        "s3_use_dualstack_endpoint",
        BOOLEAN,
        (),
        ("s3.use_dualstack_endpoint",),
        default=False,
        help="As use_dualstack_endpoint, for S3 alone.",
    ),
    Setting(
        "s3_use_arn_region",
        BOOLEAN,
        ("AWS_S3_USE_ARN_REGION",),
        ("s3_use_arn_region", "s3.use_arn_region"),
        help="Follow the region of an ARN that is given as a bucket.",
    ),
    Setting(
        "s3_us_east_1_regional_endpoint",
        choice("regional", "legacy"),
        ("AWS_S3_US_EAST_1_REGIONAL_ENDPOINT",),
        ("s3_us_east_1_regional_endpoint", "s3.us_east_1_regional_endpoint"),
        default="regional",
        help="Use S3's endpoint of us-east-1, or (legacy) the global one.",
    ),
    Setting(
        "s3_disable_multiregion_access_points",
        BOOLEAN,
        ("AWS_S3_DISABLE_MULTIREGION_ACCESS_POINTS",),
        ("s3_disable_multiregion_access_points", "s3.s3_disable_multiregion_access_points"),
        default=False,
        help="Refuse multi-region access points.",
    ),
    Setting(
        "s3_disable_express_session_auth",
        BOOLEAN,
        ("AWS_S3_DISABLE_EXPRESS_SESSION_AUTH",),
        ("s3_disable_express_session_auth",),
        default=False,
        help="Sign for S3 Express without sessions.",
    ),
    Setting(
        "ec2_metadata_disabled",
        BOOLEAN,
        ("AWS_EC2_METADATA_DISABLED",),
        (),
        default=False,
        help="Never ask the instance metadata service.",
    ),
    Setting(
        "ec2_metadata_v1_disabled",
        BOOLEAN,
        ("AWS_EC2_METADATA_V1_DISABLED",),
        ("ec2_metadata_v1_disabled",),
        default=False,
        help="Never ask the instance metadata service without a token.",
    ),
    Setting(
        "ec2_metadata_service_endpoint",
        URL,
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT",),
        ("ec2_metadata_service_endpoint",),
        help="Where the instance metadata service is.",
    ),
    Setting(
        "ec2_metadata_service_endpoint_mode",
        choice("ipv4", "ipv6"),
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",),
        ("ec2_metadata_service_endpoint_mode",),
        help="Which of the instance metadata service's two addresses to use.",
    ),
    Setting(
        "imds_use_ipv6",
        BOOLEAN,
        ("AWS_IMDS_USE_IPV6",),
        ("imds_use_ipv6",),
        default=False,
        help="As ec2_metadata_service_endpoint_mode = ipv6, which counts when both are set.",
    ),
    Setting(
        "ec2_instance_profile_name",
        ROLE_NAME,
        ("AWS_EC2_INSTANCE_PROFILE_NAME",),
        ("ec2_instance_profile_name",),
        help="Role whose credentials the instance metadata service is asked for, instead of the one"
        " that it names.",
    ),
    Setting(
        "metadata_service_timeout",
        SECONDS,
        ("AWS_METADATA_SERVICE_TIMEOUT",),
        ("metadata_service_timeout",),
        default=1.0,
        help="Bound on one request to the instance metadata service.",
    ),
    Setting(
        "metadata_service_num_attempts",
        COUNT,
        ("AWS_METADATA_SERVICE_NUM_ATTEMPTS",),
        ("metadata_service_num_attempts",),
        default=1,
        help="Attempts of one request to the instance metadata service.",
    ),
    Setting(
        "config_file",
        PATH,
        ("AWS_CONFIG_FILE",),
        (),
        default="~/.aws/config",
        help="The configuration file.",
    ),
    Setting(
        "credentials_file",
        PATH,
        ("AWS_SHARED_CREDENTIALS_FILE",),
        (),
        default="~/.aws/credentials",
        help="The credentials file.",
    ),
)

# Options that are no settings: they have neither an environment variable nor a key in a file.
CODE_TABLE: Sequence[Setting] = (
    Setting("access_key", TEXT_OR_EMPTY, help="Access key id; with secret_key."),
    Setting("secret_key", TEXT_OR_EMPTY, help="Secret access key."),
    Setting("security_token", TEXT_OR_EMPTY, help="Session token of temporary credentials."),
    Setting(
        "credentials",
        CREDENTIALS,
        help="Credentials in place of those that are found, or where to get them.",
    ),
    Setting(
        "mfa_code",
        FUNCTION,
        help="Is given the serial number of an MFA device and returns its code.",
    ),
    Setting(
        "role_cache",
        PATH,
        help="Folder in which the credentials of roles are shared with the AWS CLI:"
        " ``~/.aws/cli/cache``.",
    ),
    Setting(
        "max_response_size",
        SIZE,
        help="Longest body of a response that is read whole; a longer one is an error.",
    ),
    Setting(
        "observers",
        OBSERVERS,
        help="Are told of calls and attempts.",
    ),
    Setting(
        "transport",
        TRANSPORT,
        help="Sends requests in the place of the client's own connections.",
    ),
    Setting("use_curl", TRUTH, default=False, help="Send through libcurl; needs pycurl."),
    Setting(
        "force_instance",
        TRUTH,
        default=True,
        help="Keep connections for this client alone; if false, share them with the clients of the"
        " same event loop whose connections have the same options.",
    ),
)

ROWS: Mapping[str, Setting] = {setting.name: setting for setting in TABLE}
CODE_ROWS: Mapping[str, Setting] = {setting.name: setting for setting in CODE_TABLE}


def read(setting: Setting, value: Any, source: str) -> Any:
    """Return what a text or argument means.

    Raises:
        ConfigurationError: it is not possible; the text names setting, value, source and what is.
    """
    try:
        return setting.kind.parse(value)
    except (ValueError, TypeError, AttributeError):
        raise ConfigurationError(
            f"{setting.name} = {_told(setting, value)} (from {source}) is not possible;"
            f" allowed: {setting.kind.allowed}"
        ) from None


def _told(setting: Setting, value: Any) -> str:
    """Return an impossible value as an error may show it, which must not show a secret."""
    if setting.name in CODE_ROWS:
        return f"{type(value).__name__}(...)"
    # A URL can hold a password, and an impossible one holds it in an unknown place.
    if setting.kind in (URL, PROXY) and "@" in str(value):
        return "a URL with a password"
    return shown(value)


def check(options: Mapping[str, Any]) -> None:
    """Check arguments before anything else is known.

    Raises:
        ConfigurationError: options are unknown or impossible; the text has all faults.
    """
    faults = unknown(options)
    for name, value in options.items():
        setting = ROWS.get(name) or CODE_ROWS.get(name)
        if setting is not None and value is not None:
            try:
                read(setting, value, "argument")
            except ConfigurationError as error:
                faults.append(error.msg)
    if faults:
        raise ConfigurationError("; ".join(faults))


def unknown(options: Mapping[str, Any]) -> list[str]:
    """Return a text for each option that does not exist, with the nearest one that does."""
    return [
        f"there is no option {name}{_hint(name)}"
        for name in options
        if name not in ROWS and name not in CODE_ROWS
    ]


# What boto3's clients, sessions and configuration objects call these.
_BOTO = {
    "aws_access_key_id": "access_key",
    "aws_secret_access_key": "secret_key",
    "aws_session_token": "security_token",
    "endpoint_url": "endpoint",
    "max_pool_connections": "max_clients",
    "parameter_validation": "validate",
    "profile_name": "profile",
    "proxies": "proxy",
    "region_name": "region",
}


def _hint(name: str) -> str:
    if name in _BOTO:
        return f"; it is called {_BOTO[name]} here"
    if name == "config":
        return "; each of its settings is an option here (read_timeout=, max_attempts=)"
    from difflib import get_close_matches  # noqa: PLC0415 - for a mistake only

    near = get_close_matches(name, [*ROWS, *CODE_ROWS], 1)
    return f"; did you mean {near[0]}?" if near else ""


def shown(value: Any) -> str:
    """Return a value as error texts show it."""
    return "a table of properties" if isinstance(value, dict) else repr(value)
