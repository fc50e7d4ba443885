"""Where calls go and what they are signed for: this library's clients against botocore's.

``python -m tests.conformance.routes`` compares some settings and operations of every service of
botocore's data folder (some minutes); ``--settings``, ``--operations`` and service names make it
longer or shorter.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any, NamedTuple
from unittest import mock
from urllib.parse import urlsplit

import botocore.session
from botocore import awsrequest
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointProviderError,
    MissingDependencyException,
    NoAuthTokenError,
)

from codegen.queries import compile_query
from codegen.rules import compile_rules
from tests.conformance import endpoint_rules, models
from tests.conformance.random_params import ALL, REQUIRED, Maker, Unbounded, is_supported
from tests.support import wire_modules
from tornado_aws import loading
from tornado_aws.credentials import Credentials
from tornado_aws.exceptions import (
    CredentialsError,
    EndpointError,
    ParamValidationError,
    UnsupportedOperationError,
)
from tornado_aws.model import Operation
from tornado_aws.service import ServiceClient
from tornado_aws.transport import Request

from . import oracle

REGIONS = [
    *("us-east-1", "us-east-1", "us-west-2", "eu-central-1", "ap-southeast-7", "us-new-7"),
    *("cn-north-1", "us-gov-west-1", "us-iso-east-1", "us-isob-east-1", "eusc-de-east-1"),
    *("fips-us-east-1", "us-gov-west-1-fips", "us-west-2-fips", "aws-global", "aws-cn-global"),
]
ENDPOINTS = [
    *("https://example.com", "http://localhost:4566", "https://10.1.2.3:8000/base/path"),
    *("https://[::1]:8443", "https://beta.example.com:443", "http://example.com/a%20b"),
]
ACCOUNT = "123456789012"
# A signature of version 4a is for no region.
_SCOPE = re.compile(r"Credential=[^/]+/[0-9]{8}/(?:([^/]*)/)?([^/]*)/aws4_request")
# Parameters by which the rules of several services look for a part of the host.
_ARN_NAMES = re.compile(r"(Arn|ARN|TableName|SourceTableName)$")

Options = Mapping[str, Any]


class Address(NamedTuple):
    """Where a request goes and what it is signed for; empty texts for one that is not signed."""

    scheme: str
    host: str
    path: str
    name: str = ""
    region: str = ""
    headers: tuple[tuple[str, str], ...] = ()


class Refused(NamedTuple):
    """Why nothing was sent."""

    kind: str
    text: str = ""


class Case(NamedTuple):
    """A call: the settings of the client in this library's terms, the operation, its parameters."""

    service: str
    options: Options
    operation: str
    params: Mapping[str, Any]


# --- ours -----------------------------------------------------------------------------------------


class Sent(Exception):
    """Ends a call where its request would be sent."""


class _Wire:
    """A transport that sends nothing."""

    async def send(self, request: Request, _timeouts: object) -> Any:
        raise Sent(request)

    def close(self) -> None:
        """There is nothing to close."""


async def ours(case: Case) -> Address | Refused:
    """Return where our client sends a call."""
    credentials = Credentials("AKID", "secret", account_id=case.options.get("account_id"))
    options = {name: item for name, item in case.options.items() if name != "account_id"}
    with mock.patch.object(loading, "make_engine", return_value=_Wire()):
        client = client_class(case.service)(credentials=credentials, validate=False, **options)
        try:
            await client._call(case.operation, case.params)
        except Sent as sent:
            return _of_request(case.service, sent.args[0])
        except EndpointError as error:
            return Refused("rule", str(error))
        except ParamValidationError:
            return Refused("parameter")
        except CredentialsError:
            return Refused("token")
        except UnsupportedOperationError:
            return Refused("unsupported")
        finally:
            client.close()
    raise AssertionError("a call ends with a request or an error")


def _of_request(service: str, request: Request) -> Address:
    headers = {name.lower(): value for name, value in request.headers}
    return _address(
        service,
        request.origin.scheme,
        headers["host"],
        request.target.partition("?")[0],
        headers,
    )


def _address(
    service: str, scheme: str, host: str, path: str, headers: Mapping[str, str]
) -> Address:
    scope = _SCOPE.search(headers.get("authorization", ""))
    region, name = scope.groups("any") if scope else ("", "")
    added = sorted((each, headers.get(each, "")) for each in rule_headers(service))
    return Address(scheme, host, path, name, region, tuple(added))


@cache
def client_class(service: str) -> type[ServiceClient]:
    """Return a client of a service with the rules that a generated package would have."""
    module = ModuleType(f"compiled_endpoints_of_{service.replace('-', '_')}")
    path = rule_set_path(service)
    exec(compile_rules(endpoint_rules.load(path), title=service, path=path).text, vars(module))
    operations = models.load(service)["operations"].items()
    vars(module)["OPERATION_CONTEXT"] = {
        name: {
            param: eval(compile_query(entry["path"]), _queries())
            for param, entry in data["operationContextParams"].items()
        }
        for name, data in operations
        if "operationContextParams" in data
    }
    sys.modules[module.__name__] = module
    members: dict[str, Any] = {
        **wire_modules.parts(models.ours(service)),
        "_errors": {},
        "_endpoints": module.__name__,
    }
    return type("Client", (ServiceClient,), members)


def _queries() -> dict[str, Any]:
    from tornado_aws import queries  # noqa: PLC0415 - the name that compiled expressions use

    return {"q": queries}


def rule_set_path(service: str) -> Path:
    """Return the file of a service's newest rule set."""
    return sorted((endpoint_rules.DATA / service).glob("*/endpoint-rule-set-1.json.gz"))[-1]


@cache
def rule_headers(service: str) -> frozenset[str]:
    """Return the names of the headers that the rules of a service add, in lower case."""
    return frozenset(_headers_of(endpoint_rules.load(rule_set_path(service))["rules"]))


def _headers_of(rules: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for rule in rules:
        if rule["type"] == "tree":
            yield from _headers_of(rule["rules"])
        elif rule["type"] == "endpoint":
            yield from (name.lower() for name in rule["endpoint"].get("headers", ()))


# --- botocore's -----------------------------------------------------------------------------------


class Theirs:
    """Botocore's client of a service with some settings."""

    def __init__(self, service: str, options: Options) -> None:
        self._service = service
        self._caught: list[awsrequest.AWSPreparedRequest] = []
        session = botocore.session.Session()
        session.set_credentials("AKID", "secret", account_id=options.get("account_id"))
        for name in ("sts_regional_endpoints", "account_id_endpoint_mode"):
            if name in options:
                session.set_config_variable(name, options[name])
        self._client = session.create_client(
            service,
            region_name=options["region"],
            endpoint_url=options.get("endpoint"),
            config=Config(
                parameter_validation=False,
                retries={"total_max_attempts": 1},
                use_fips_endpoint=options.get("use_fips_endpoint"),
                use_dualstack_endpoint=options.get("use_dualstack_endpoint"),
                inject_host_prefix=not options.get("disable_host_prefix_injection", False),
                s3=_s3_options(options),
            ),
        )
        self._client.meta.events.register("before-send", self._catch)

    def address(self, case: Case) -> Address | Refused:
        """Return where the client sends a call."""
        self._caught.clear()
        try:
            self._client._make_api_call(case.operation, dict(case.params))
        except ClientError:
            return self._of_caught()
        except NoAuthTokenError:
            return Refused("token")
        except MissingDependencyException:
            return Refused("unsupported")
        except BotoCoreError as error:
            rule = error if isinstance(error, EndpointProviderError) else error.__cause__
            if isinstance(rule, EndpointProviderError):
                return Refused("rule", rule.kwargs.get("msg", str(rule)))
            return Refused("parameter", repr(error))
        except TypeError:  # awscrt, which makes signatures of version 4a, takes texts alone
            return Refused("crash")
        raise AssertionError("the stub's status 500 must raise ClientError")

    def _catch(self, request: awsrequest.AWSPreparedRequest, **_: Any) -> Any:
        self._caught.append(request)
        return awsrequest.AWSResponse(request.url, 500, {}, oracle.RawBody())

    def _of_caught(self) -> Address:
        request = self._caught[0]
        url = urlsplit(request.url)
        headers = {
            name.lower(): item.decode() if isinstance(item, bytes) else str(item)
            for name, item in request.headers.items()
        }
        standard = {"http": ":80", "https": ":443"}[url.scheme]
        host = url.netloc.removesuffix(standard)
        return _address(self._service, url.scheme, host, url.path, headers)


_S3_NAMES = {
    "s3_addressing_style": "addressing_style",
    "s3_use_accelerate_endpoint": "use_accelerate_endpoint",
    "s3_use_dualstack_endpoint": "use_dualstack_endpoint",
    "s3_use_arn_region": "use_arn_region",
    "s3_us_east_1_regional_endpoint": "us_east_1_regional_endpoint",
    "s3_disable_express_session_auth": "disable_s3_express_session_auth",
}


def _s3_options(options: Options) -> dict[str, Any] | None:
    found = {theirs: options[name] for name, theirs in _S3_NAMES.items() if name in options}
    return found or None


# --- cases ----------------------------------------------------------------------------------------


def settings(service: str, random: Random) -> dict[str, Any]:
    """Return settings that matter for endpoints, in this library's terms."""
    options: dict[str, Any] = {"region": random.choice(REGIONS)}
    for name in ("use_fips_endpoint", "use_dualstack_endpoint"):
        if random.random() < 0.25:
            options[name] = True
    if random.random() < 0.25:
        options["endpoint"] = random.choice(ENDPOINTS)
    is_ip = re.search(r"//[0-9[]", options.get("endpoint", ""))
    if is_ip or random.random() < 0.15:  # we put nothing before an address, botocore does
        options["disable_host_prefix_injection"] = True
    if random.random() < 0.5:
        options["account_id"] = ACCOUNT
    if random.random() < 0.5:
        modes = ["preferred", "required", "disabled"]
        options["account_id_endpoint_mode"] = random.choice(modes)
    return options | _own_settings(service, options, random)


def _own_settings(service: str, options: Options, random: Random) -> dict[str, Any]:
    """Return settings that matter for one service alone."""
    if service == "sts" and random.random() < 0.5:
        return {"sts_regional_endpoints": "legacy"}
    if service == "s3":
        return _s3_settings(random)
    if service == "s3control" and "[" in options.get("endpoint", ""):
        return {"endpoint": ENDPOINTS[0]}  # the rules put the account before the brackets
    return {}


def _s3_settings(random: Random) -> dict[str, Any]:
    choices: dict[str, Sequence[Any]] = {
        "s3_addressing_style": ("virtual", "path", "auto"),
        "s3_use_accelerate_endpoint": (True,),
        "s3_use_dualstack_endpoint": (True,),
        "s3_use_arn_region": (True, False),
        "s3_us_east_1_regional_endpoint": ("legacy", "regional"),
        "s3_disable_express_session_auth": (True,),
    }
    some = {name: random.choice(each) for name, each in choices.items() if random.random() < 0.2}
    # Botocore's default is still the one of old.
    return {"s3_us_east_1_regional_endpoint": "regional", **some}


def cases(service: str, seed: int, clients: int, operations: int) -> Iterator[list[Case]]:
    """Return cases of a service, those of the same settings together."""
    model = models.ours(service)
    names = [each for each in model.operation_names if is_supported(model.operation(each))]
    for index in range(clients):
        random = Random(f"{service} {seed} {index}")
        options = settings(service, random)
        chosen = _draw(service, names, random, operations)
        drawn = [_case(service, options, each, random) for each in chosen]
        yield [case for case in drawn if case is not None]


def _draw(service: str, names: Sequence[str], random: Random, count: int) -> list[str]:
    """Return operations, half of them of those that the rules hear something of."""
    model = models.ours(service)
    special = [name for name in names if _is_special(model.operation(name))]
    few = random.sample(special, min(len(special), (count + 1) // 2))
    return [*few, *random.sample(names, min(len(names), count - len(few)))]


def _is_special(operation: Operation) -> bool:
    own = ("staticContextParams", "operationContextParams", "endpoint", "authtype")
    members = operation.input.shape.members.values() if operation.input else ()
    return any(name in operation.traits for name in own) or any(
        "contextParam" in use.traits for use in members
    )


def _case(service: str, options: Options, name: str, random: Random) -> Case | None:
    operation = models.ours(service).operation(name)
    try:
        params = Maker(random, random.choice([ALL, REQUIRED])).parameters(operation)
    except Unbounded:
        return None
    params.pop("ContentLength", None)  # it must be right
    rule_set = endpoint_rules.load(rule_set_path(service))
    members = operation.input.shape.members if operation.input else {}
    for member, use in members.items():
        param = use.traits.get("contextParam", {}).get("name")
        if param in rule_set["parameters"] and member in params:
            kind = rule_set["parameters"][param]["type"].lower()
            if kind == "string":
                params[member] = random.choice(endpoint_rules.pool(param, kind, rule_set))
    if "operationContextParams" in operation.traits:
        params = _with_arns(params, random)
    return Case(service, options, name, params)


def _with_arns(value: Any, random: Random) -> Any:
    """Return parameters in which some names are ARNs."""
    if isinstance(value, list):
        return [_with_arns(item, random) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: (
            random.choice(endpoint_rules.arns())
            if _ARN_NAMES.search(name) and isinstance(item, str) and random.random() < 0.7
            else _with_arns(item, random)
        )
        for name, item in value.items()
    }


# --- comparing ------------------------------------------------------------------------------------


# What botocore does differently, for the sake of the past most of it.
OTHERWISE = {
    "codecatalyst": "nothing is sent without a token",
    "importexport": "signed with version 2 where its rules name no other",
    "sdb": "signed with version 2",
}


def services() -> list[str]:
    """Return the services that have a model and a rule set."""
    files = ("service-2.json.gz", "endpoint-rule-set-1.json.gz")
    having = [
        {path.parts[-3] for path in endpoint_rules.DATA.glob(f"*/*/{file}")} for file in files
    ]
    return sorted(set.intersection(*having) - OTHERWISE.keys())


def differences(service: str, seed: int, clients: int, operations: int) -> tuple[int, list[str]]:
    """Compare calls of a service; return how many, and what differs."""
    return asyncio.run(_differences(service, seed, clients, operations))


async def _differences(
    service: str, seed: int, clients: int, operations: int
) -> tuple[int, list[str]]:
    count, found = 0, []
    for group in cases(service, seed, clients, operations):
        theirs: Theirs | None = None
        for case in group:
            theirs = theirs or Theirs(service, case.options)
            expected, got = theirs.address(case), await ours(case)
            count += 1
            if not agree(case, got, expected):
                found.append(f"{case}\n  ours     {got}\n  botocore {expected}")
    return count, found


def agree(case: Case, got: Address | Refused, expected: Address | Refused) -> bool:
    """Tell whether two answers are the same."""
    prefix = models.load(case.service)["metadata"]["endpointPrefix"]
    if isinstance(got, Address) and prefix in _global_of_old():
        # Where the rules name no region, botocore still looks one up in a table of old.
        region = case.options["region"].replace("fips-", "").replace("-fips", "")
        if got.region == region and isinstance(expected, Address):
            got = got._replace(region=expected.region)
    if got == expected or expected == Refused("crash"):
        return True
    if isinstance(expected, Address):
        # Where both will do, botocore makes signatures of version 4a if it can.
        return isinstance(got, Address) and got._replace(region="any") == expected
    if isinstance(got, Address):
        return False
    return got.kind == expected.kind != "rule"


@cache
def _global_of_old() -> frozenset[str]:
    """Return the endpoint prefixes that botocore's table of old has one region for."""
    table = json.loads((endpoint_rules.DATA / "endpoints.json").read_text())["partitions"][0]
    return frozenset(
        name for name, each in table["services"].items() if "partitionEndpoint" in each
    )


def main() -> int:
    """Compare what the command line says and print the differences."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("services", nargs="*", help="folders of services; all without any")
    parser.add_argument("--seed", type=int, default=1, help="where choices begin (default: 1)")
    parser.add_argument("--settings", type=int, default=6, help="clients of a service")
    parser.add_argument("--operations", type=int, default=6, help="operations of a client")
    arguments = parser.parse_args()
    total, different = 0, 0
    for service in arguments.services or services():
        count, found = differences(
            service, arguments.seed, arguments.settings, arguments.operations
        )
        total, different = total + count, different + len(found)
        for text in found[:5]:
            sys.stdout.write(f"{text}\n")
    sys.stdout.write(f"{total} calls, {different} differences\n")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
