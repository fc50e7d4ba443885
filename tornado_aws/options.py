"""What clients and their raw requests take, as types.

What each option means, its environment variable and its key in the configuration file are in the
table of `tornado_aws.settings`.
"""

# Annotations are not postponed here: `typing` would compile the text of each field, 20 us a field.

import os
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias, TypedDict

from tornado_aws.credentials import Credentials

if TYPE_CHECKING:
    from tornado_aws.events import Observer
    from tornado_aws.transport import Transport

QueryValue: TypeAlias = str | int | float | bool | None
QueryArgs: TypeAlias = Mapping[str, QueryValue | Iterable[QueryValue]]
HeadersArg: TypeAlias = Mapping[str, str] | Iterable[tuple[str, str]]

PathOption: TypeAlias = str | os.PathLike[str]

CredentialsOption: TypeAlias = (
    Credentials | Callable[[], Credentials] | Callable[[], Awaitable[Credentials]]
)


class CallOptions(TypedDict, total=False):
    """Options that may differ from call to call (``client.with_options``); times in seconds."""

    connect_timeout: float | None
    tls_timeout: float | None
    read_timeout: float | None
    request_timeout: float | None
    pool_timeout: float | None
    total_timeout: float | None
    max_attempts: int
    retry_mode: Literal["standard", "adaptive", "legacy", "none"]
    retry_lost_writes: bool
    validate: bool


class ExtraOptions(CallOptions, total=False):
    """Keyword-only options of every client."""

    verify: bool | PathOption
    client_cert: PathOption | tuple[PathOption, PathOption] | None
    proxy: str | None
    use_fips_endpoint: bool
    use_dualstack_endpoint: bool
    credentials: CredentialsOption | None
    mfa_code: Callable[[str], str | Awaitable[str]] | None
    role_cache: PathOption | None
    max_response_size: int | None
    observers: Sequence["Observer"]
    transport: "Transport | None"
    user_agent_appid: str | None
    config_file: PathOption | None
    credentials_file: PathOption | None
    ignore_configured_endpoint_urls: bool
    disable_host_prefix_injection: bool
    endpoint_discovery_enabled: bool | Literal["auto"]
    account_id_endpoint_mode: Literal["preferred", "disabled", "required"]
    sts_regional_endpoints: Literal["regional", "legacy"]
    auth_scheme_preference: str | Sequence[str] | None
    sigv4a_signing_region_set: str | Sequence[str] | None
    defaults_mode: Literal["legacy", "standard", "in-region", "cross-region", "mobile", "auto"]
    request_checksum_calculation: Literal["when_supported", "when_required"]
    response_checksum_validation: Literal["when_supported", "when_required"]
    disable_request_compression: bool
    request_min_compression_size_bytes: int
    s3_addressing_style: Literal["auto", "virtual", "path"]
    s3_use_accelerate_endpoint: bool
    s3_use_dualstack_endpoint: bool
    s3_use_arn_region: bool
    s3_us_east_1_regional_endpoint: Literal["regional", "legacy"]
    s3_disable_multiregion_access_points: bool
    s3_disable_express_session_auth: bool
    ec2_metadata_disabled: bool
    ec2_metadata_v1_disabled: bool
    ec2_metadata_service_endpoint: str | None
    ec2_metadata_service_endpoint_mode: Literal["ipv4", "ipv6"]
    imds_use_ipv6: bool
    ec2_instance_profile_name: str | None
    metadata_service_timeout: float
    metadata_service_num_attempts: int


class BlockingOptions(ExtraOptions, total=False):
    """Keyword-only options of `AWSClient`."""

    max_clients: int
    use_curl: bool


class ClientOptions(BlockingOptions, total=False):
    """Every option of a generated client: those of `AsyncAWSClient` without the service."""

    profile: str | None
    region: str | None
    access_key: str | None
    secret_key: str | None
    security_token: str | None
    endpoint: str | None
    force_instance: bool
