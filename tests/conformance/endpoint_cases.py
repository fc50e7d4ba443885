"""AWS's own endpoint test cases, for the rules alone and for calls of a client.

``endpoint-tests.json.xz`` holds the cases that the rule sets of botocore's services come with
(``endpoint-tests-1.json``, in the source distribution of botocore, Apache License 2.0), without
their comments. ``python -m tests.conformance.endpoint_cases FOLDER`` packs them anew from the
``tests/functional/endpoint-rules`` of an unpacked source distribution.
"""

from __future__ import annotations

import argparse
import json
import lzma
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock
from urllib.parse import urlsplit

import botocore

from tests.conformance import routes
from tests.conformance.routes import Address, Refused
from tornado_aws import routes as runtime

FILE = Path(__file__).with_name("endpoint-tests.json.xz")
Json = Any

# The settings of a client that stand for a built-in parameter, where one does.
SETTINGS: Mapping[str, str] = {
    "AWS::Auth::AccountId": "account_id",
    "AWS::Auth::AccountIdEndpointMode": "account_id_endpoint_mode",
    "AWS::Region": "region",
    "AWS::S3::Accelerate": "s3_use_accelerate_endpoint",
    "AWS::S3::DisableMultiRegionAccessPoints": "s3_disable_multiregion_access_points",
    "AWS::S3::UseArnRegion": "s3_use_arn_region",
    "AWS::S3Control::UseArnRegion": "s3_use_arn_region",
    "AWS::UseDualStack": "use_dualstack_endpoint",
    "AWS::UseFIPS": "use_fips_endpoint",
    "SDK::Endpoint": "endpoint",
}
_LEGACY = {
    "AWS::S3::UseGlobalEndpoint": "s3_us_east_1_regional_endpoint",
    "AWS::STS::UseGlobalEndpoint": "sts_regional_endpoints",
}


class CallCase(NamedTuple):
    """A call of a client and what must come of it.

    Attributes:
        service: the service.
        operation: the operation.
        params: its parameters.
        built_ins: the built-in parameters of the rules.
        expected: the endpoint or the error, as the case has it.
    """

    service: str
    operation: str
    params: Mapping[str, Any]
    built_ins: Mapping[str, Any]
    expected: Json


@cache
def cases() -> Mapping[str, list[Json]]:
    """Return the cases of each service."""
    packed = json.loads(lzma.decompress(FILE.read_bytes()))
    services: Mapping[str, list[Json]] = packed["services"]
    return services


def call_cases() -> Iterator[CallCase]:
    """Return the calls that the cases tell of."""
    for service, some in cases().items():
        for case in some:
            for each in case.get("operationInputs", ()):
                yield CallCase(
                    service,
                    each["operationName"],
                    each.get("operationParams", {}),
                    each.get("builtInParams", {}),
                    case["expect"],
                )


def wanted(expected: Json) -> Json:
    """Return what `endpoint_rules.ours` must give for a case."""
    if "error" in expected:
        return expected["error"]
    endpoint = expected["endpoint"]
    return [endpoint["url"], endpoint.get("properties", {}), endpoint.get("headers", {})]


def settings(case: CallCase) -> dict[str, Any] | None:
    """Return the settings of a client that has the built-ins of a case; None if there are none.

    There are none where settings of a client cannot say it: a client that has an endpoint of its
    own looks at neither FIPS nor dual-stack, as botocore's does not, and path style is no wish for
    what has no path style (accelerated buckets and ARNs).
    """
    options: dict[str, Any] = {"region": "us-east-1", "disable_host_prefix_injection": True}
    given = case.built_ins
    if "SDK::Endpoint" in given and (given.get("AWS::UseFIPS") or given.get("AWS::UseDualStack")):
        return None
    if case.service == "s3":
        style = _addressing_style(case)
        if style is None:
            return None
        options["s3_addressing_style"] = style
    if case.service == "s3control":
        options["s3_use_arn_region"] = True  # what the rules take it for when it is not set
    for name, value in given.items():
        if name in SETTINGS:
            options[SETTINGS[name]] = value
    for name, setting in _LEGACY.items():
        options[setting] = "legacy" if given.get(name) else "regional"
    return options


def _addressing_style(case: CallCase) -> str | None:
    if not case.built_ins.get("AWS::S3::ForcePathStyle"):
        return "virtual"
    return None if is_path_style_out(case) else "path"


def is_path_style_out(case: CallCase) -> bool:
    """Tell whether a case wants path style where there is none, for which a client does not ask."""
    if not case.built_ins.get("AWS::S3::ForcePathStyle"):
        return False
    bucket = case.params.get("Bucket", "")
    return bucket.startswith("arn:") or bool(case.built_ins.get("AWS::S3::Accelerate"))


async def by_settings(case: CallCase, options: Mapping[str, Any]) -> Address | Refused:
    """Return where a client with these settings sends the call."""
    return await routes.ours(routes.Case(case.service, options, case.operation, case.params))


async def by_built_ins(case: CallCase) -> Address | Refused:
    """Return where a client sends the call whose built-ins are what the case says."""
    options = {
        "region": case.built_ins.get("AWS::Region", "us-east-1"),
        "account_id": case.built_ins.get("AWS::Auth::AccountId"),
        "account_id_endpoint_mode": "preferred",
        "disable_host_prefix_injection": True,
    }
    with mock.patch.object(runtime, "_built_in", lambda name, *_: case.built_ins.get(name)):
        return await by_settings(case, options)


def agrees(got: Address | Refused, expected: Json) -> bool:
    """Tell whether a request went where a case says, signed and with headers as it says."""
    if "error" in expected:
        return got == Refused("rule", expected["error"])
    if not isinstance(got, Address):
        return False
    endpoint = expected["endpoint"]
    url = urlsplit(endpoint["url"])
    headers = {
        (name.lower(), ", ".join(each)) for name, each in endpoint.get("headers", {}).items()
    }
    return (
        (got.scheme, got.host) == (url.scheme, url.netloc)
        and got.path.startswith(url.path)
        and headers.issubset(got.headers)
        and _is_signed_as(got, endpoint.get("properties", {}).get("authSchemes", ()))
    )


def _is_signed_as(got: Address, schemes: Sequence[Json]) -> bool:
    """Tell whether a request is signed in one of the ways that the endpoint names, if any."""
    return not schemes or any(_fits(got, scheme) for scheme in schemes)


def _fits(got: Address, scheme: Mapping[str, str]) -> bool:
    # A signature of version 4a is for no single region.
    region = "any" if scheme["name"] == "sigv4a" else scheme.get("signingRegion", got.region)
    return (got.name, got.region) == (scheme.get("signingName", got.name), region)


def pack(folder: Path) -> None:
    """Write `FILE` from the cases in a folder."""
    services = {
        path.parent.name: [
            {name: part for name, part in case.items() if name != "documentation"}
            for case in json.loads(path.read_text())["testCases"]
        ]
        for path in sorted(folder.glob("*/endpoint-tests-1.json"))
    }
    text = json.dumps(
        {"botocore": botocore.__version__, "services": services}, separators=(",", ":")
    )
    FILE.write_bytes(lzma.compress(text.encode(), preset=9))


def main() -> int:
    """Pack the cases of the folder that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="tests/functional/endpoint-rules of botocore")
    pack(parser.parse_args().folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
