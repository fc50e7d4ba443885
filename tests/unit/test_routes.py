"""From settings and parameters to where a call goes and how it is signed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import pytest

from tests.conformance import models
from tornado_aws.bearer import bearer
from tornado_aws.config import parse_profiles
from tornado_aws.credentials import Credentials
from tornado_aws.credentials.source import CredentialSource, static
from tornado_aws.customizations import Hooks
from tornado_aws.endpoints import Endpoint
from tornado_aws.exceptions import CredentialsError, EndpointError, UnsupportedOperationError
from tornado_aws.model import Operation
from tornado_aws.routes import Route, Router, context_of, make_signer, raw_route
from tornado_aws.settings import Settings
from tornado_aws.settings import resolve as resolve_settings
from tornado_aws.sigv2 import SigV2
from tornado_aws.sigv4a import SigV4A

USED = {"Region": "AWS::Region", "UseFIPS": "AWS::UseFIPS", "Endpoint": "SDK::Endpoint"}
METADATA = {"endpointPrefix": "svc", "signingName": "signed"}


class Rules:
    """A rule set that keeps what it is asked, and answers `endpoint`."""

    def __init__(self, endpoint: Endpoint, **used: str) -> None:
        self.asked: list[dict[str, Any]] = []
        self.module = ModuleType("rules")
        vars(self.module).update(USED={**USED, **used}, resolve=self._resolve)
        self._endpoint = endpoint

    def _resolve(self, params: dict[str, Any]) -> Endpoint:
        self.asked.append(params)
        return self._endpoint


def rules(*schemes: Mapping[str, Any], **used: str) -> Rules:
    properties = {"authSchemes": list(schemes)} if schemes else {}
    return Rules(Endpoint("https://svc.example.com", properties), **used)


def settings(**options: Any) -> Settings:
    return resolve_settings({"region": "us-west-2", **options}, {}, parse_profiles())


def router(rule_set: Rules, metadata: Mapping[str, Any] = METADATA, **options: Any) -> Router:
    return Router(rule_set.module, metadata, settings(**options))


def scope(route: Route) -> str:
    """Return the scope that a route's signatures have."""
    assert route.signer is not None
    headers = route.signer.sign(Credentials("AKID", "secret"), "GET", "https://h/", {}, b"")
    return headers["Authorization"].split("Credential=AKID/")[1][9:].split("/aws4_request")[0]


def asked(used: Mapping[str, str] | None = None, **options: Any) -> dict[str, Any]:
    """Return what a rule set is asked with these settings."""
    rule_set = rules(**(used or {}))
    router(rule_set, **options).route({})
    return rule_set.asked[0]


# --- the raw client -------------------------------------------------------------------------------


def test_a_raw_route_goes_where_the_service_is() -> None:
    """Host, signing name and region follow from the name of the service."""
    route = raw_route("email", settings())
    assert (route.base.url, scope(route)) == (
        "https://email.us-west-2.amazonaws.com",
        "us-west-2/ses",
    )
    assert repr(route) == "<Route https://email.us-west-2.amazonaws.com>"


def test_a_raw_route_goes_to_the_endpoint_that_was_given() -> None:
    """Base path and port of an endpoint stay, and it is the whole answer to FIPS and dual-stack."""
    options = {"endpoint": "http://localhost:4566/base/", "use_fips_endpoint": True}
    route = raw_route("iam", settings(**options, use_dualstack_endpoint=True))
    assert (route.base.url, scope(route)) == ("http://localhost:4566/base", "us-east-1/iam")


# --- settings -------------------------------------------------------------------------------------


@pytest.mark.parametrize("region", ["fips-us-west-2", "us-west-2-fips"])
def test_pseudo_regions_mean_a_region_and_fips(region: str) -> None:
    """The rules and the signature never see such a name."""
    rule_set = rules()
    route = router(rule_set, region=region).route({})
    assert rule_set.asked == [{"Region": "us-west-2", "UseFIPS": True}]
    assert scope(route) == "us-west-2/signed"


def test_an_endpoint_is_the_whole_answer_to_fips_and_dual_stack() -> None:
    """The rules refuse the combination, so the switches are left out as botocore does."""
    used = {"UseDualStack": "AWS::UseDualStack"}
    found = asked(used, endpoint="http://h", use_fips_endpoint=True, use_dualstack_endpoint=True)
    assert found == {
        "Endpoint": "http://h",
        "Region": "us-west-2",
        "UseDualStack": False,
        "UseFIPS": False,
    }


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, False),
        ({"s3_addressing_style": "path"}, True),
        ({"s3_addressing_style": "virtual"}, False),
        ({"endpoint": "http://h"}, True),
        ({"endpoint": "http://h", "s3_addressing_style": "virtual"}, False),
        ({"endpoint": "http://h", "s3_use_accelerate_endpoint": True}, False),
    ],
)
def test_buckets_are_in_the_path_of_endpoints_that_were_given(
    options: dict[str, Any], expected: bool
) -> None:
    """A custom endpoint rarely has a host name for each bucket; acceleration needs one."""
    used = {"ForcePathStyle": "AWS::S3::ForcePathStyle"}
    assert asked(used, **options)["ForcePathStyle"] is expected


@pytest.mark.parametrize(
    ("parameter", "options", "expected"),
    [
        ("AWS::S3::Accelerate", {"s3_use_accelerate_endpoint": True}, True),
        ("AWS::S3::UseArnRegion", {}, True),
        ("AWS::S3::UseArnRegion", {"s3_use_arn_region": False}, False),
        ("AWS::S3Control::UseArnRegion", {}, False),
        ("AWS::S3Control::UseArnRegion", {"s3_use_arn_region": True}, True),
        ("AWS::UseDualStack", {"s3_use_dualstack_endpoint": True}, False),
        ("AWS::Auth::AccountIdEndpointMode", {"account_id_endpoint_mode": "required"}, "required"),
        ("AWS::STS::UseGlobalEndpoint", {"sts_regional_endpoints": "legacy"}, True),
        (
            "AWS::S3::UseGlobalEndpoint",
            {"s3_us_east_1_regional_endpoint": "legacy", "region": "us-east-1"},
            True,
        ),
        ("AWS::S3::UseGlobalEndpoint", {"s3_us_east_1_regional_endpoint": "legacy"}, False),
    ],
)
def test_built_in_parameters_have_the_settings_values(
    parameter: str, options: dict[str, Any], expected: object
) -> None:
    """Each built-in name of the rules stands for a setting."""
    assert asked({"Parameter": parameter}, **options)["Parameter"] == expected


def test_dual_stack_of_s3_is_for_s3_alone() -> None:
    """The option counts for rules that look at S3's own parameters."""
    used = {"D": "AWS::UseDualStack", "A": "AWS::S3::Accelerate"}
    assert asked(used, s3_use_dualstack_endpoint=True)["D"] is True


def test_the_account_is_asked_for_where_the_rules_look_at_it() -> None:
    """Credentials are not needed for endpoints of other services, nor when it is switched off."""
    used = {"AccountId": "AWS::Auth::AccountId"}
    rule_set = rules(**used)
    wants = router(rule_set)
    assert wants.needs_account
    wants.route({}, "123456789012")
    assert rule_set.asked[0]["AccountId"] == "123456789012"
    assert not router(rules(**used), account_id_endpoint_mode="disabled").needs_account
    assert not router(rules()).needs_account


# --- what operations contribute -------------------------------------------------------------------


def operation(service: str, name: str) -> Operation:
    return models.ours(service).operation(name)


def test_static_parameters_count_before_members_and_members_before_expressions() -> None:
    """What is peculiar to the service counts most; what the rules do not know is left out."""
    module = rules(RequiresAccountId="", AccountId="", Extra="", Expression="").module
    vars(module)["OPERATION_CONTEXT"] = {
        "GetPublicAccessBlock": {
            "AccountId": lambda _: "from the expression",
            "Expression": lambda params: params["AccountId"].upper(),
        }
    }
    hooks = Hooks(endpoint_params=lambda params: {"Extra": len(params)})
    context = context_of(operation("s3control", "GetPublicAccessBlock"), module, hooks)
    assert context is not None
    assert context({"AccountId": "a"}) == {
        "AccountId": "a",
        "Expression": "A",
        "Extra": 1,
        "RequiresAccountId": True,
    }


def test_most_operations_contribute_nothing() -> None:
    """There is nothing to compute at each call then."""
    assert context_of(operation("sqs", "ListQueues"), rules().module) is None
    assert context_of(operation("s3", "GetObject"), rules().module) is None


def test_an_endpoint_in_the_parameters_gives_way_to_the_clients_own() -> None:
    """A caller who sets an endpoint wants every request there."""
    hooks = Hooks(endpoint=lambda params: params.get("PredictEndpoint"))
    rule_set = rules()
    context = context_of(operation("machinelearning", "Predict"), rule_set.module, hooks)
    assert context is not None
    given = context({"PredictEndpoint": "https://predict.example.com"})
    router(rule_set).route(given)
    router(rule_set, endpoint="http://mine").route(given)
    router(rule_set).route(context({}))
    assert [each.get("Endpoint") for each in rule_set.asked] == [
        "https://predict.example.com",
        "http://mine",
        None,
    ]


# --- routes ---------------------------------------------------------------------------------------


def test_a_route_is_made_once_for_the_same_parameters() -> None:
    """Parameters, their names and the account tell routes apart; lists are as good as texts."""
    rule_set = rules(AccountId="AWS::Auth::AccountId", Bucket="", Other="", Arns="")
    one = router(rule_set)
    route = one.route({"Bucket": "b"})
    assert one.route({"Bucket": "b"}) is route
    for other in (
        {"Other": "b"},
        {"Bucket": "c"},
        {},
        {"Arns": ["b"]},
        {"Bucket": "b", "Other": "c"},
    ):
        assert one.route(other) is not route
    assert one.route({"Bucket": "b"}, "123456789012") is not route
    assert one.route({"Arns": ["b"]}) is one.route({"Arns": ["b"]})
    assert len(rule_set.asked) == 7


def test_the_routes_that_are_kept_are_bounded() -> None:
    """A program that touches bucket after bucket does not grow."""
    rule_set = rules(Bucket="")
    one = router(rule_set)
    first = one.route({"Bucket": "0"})
    for number in range(3000):
        one.route({"Bucket": str(number)})
    assert len(rule_set.asked) == 3000
    assert one.route({"Bucket": "2999"}) is one.route({"Bucket": "2999"})
    assert one.route({"Bucket": "0"}) == first


def test_headers_of_an_endpoint_are_sent() -> None:
    """Several values of one header are one line."""
    endpoint = Endpoint("https://h/p", {}, {"x-one": ["1"], "x-two": ["2", "3"]})
    route = Router(Rules(endpoint).module, METADATA, settings()).route({})
    assert route.headers == [("x-one", "1"), ("x-two", "2, 3")]
    assert route.base.path == "/p"


@pytest.mark.parametrize(
    ("schemes", "expected"),
    [
        ((), "us-west-2/signed"),
        (({"name": "sigv4"},), "us-west-2/signed"),
        (({"name": "sigv4", "signingName": "n", "signingRegion": "r"},), "r/n"),
        (
            ({"name": "sigv4a", "signingName": "a"}, {"name": "sigv4", "signingName": "n"}),
            "us-west-2/n",
        ),
    ],
)
def test_the_first_known_scheme_says_what_is_signed_for(
    schemes: tuple[dict[str, Any], ...], expected: str
) -> None:
    """Names and regions that a scheme leaves out are the service's and the client's."""
    assert scope(router(rules(*schemes)).route({})) == expected


@pytest.mark.parametrize(
    ("given", "signed"), [({}, "eu-*"), ({"sigv4a_signing_region_set": ["a", "b"]}, "a,b")]
)
def test_the_regions_that_are_set_count_before_those_of_the_endpoint(
    given: dict[str, Any], signed: str
) -> None:
    """A signature for several regions is for those that the settings name."""
    rule_set = rules({"name": "sigv4a", "signingName": "n", "signingRegionSet": ["eu-*"]})
    route = Router(rule_set.module, METADATA, settings(**given)).route({})
    assert route.signer is not None
    head = route.signer.sign(Credentials("AKID", "hush"), "GET", "https://h/", {}, b"")
    assert head["X-Amz-Region-Set"] == signed


def test_without_a_signing_name_the_endpoint_prefix_counts() -> None:
    """Most models name only one of them."""
    assert scope(router(rules(), {"endpointPrefix": "svc"}).route({})) == "us-west-2/svc"


def test_a_scheme_may_say_that_nothing_is_signed() -> None:
    """There is no signer then."""
    assert router(rules({"name": "none"})).route({}).signer is None


def test_a_scheme_that_nobody_can_sign_is_named() -> None:
    """The error says what the endpoint wants, and what there is."""
    with pytest.raises(UnsupportedOperationError, match=r"kind sigv9, which .* can make sigv4"):
        router(rules({"name": "sigv9"})).route({})


def test_services_of_old_have_their_forms_signed() -> None:
    """SimpleDB takes signatures of version 2 alone."""
    signer = router(rules(), {**METADATA, "signatureVersion": "v2"}).route({}).signer
    assert isinstance(signer, SigV2)


def test_routes_share_their_signers() -> None:
    """A signer keeps the day's key, which is worth keeping."""
    one = router(rules(Bucket=""))
    assert one.route({"Bucket": "a"}).signer is one.route({"Bucket": "b"}).signer


@pytest.mark.parametrize("service", ["s3", "s3-outposts", "s3-object-lambda", "s3express"])
def test_s3_and_its_kin_sign_paths_as_they_are(service: str) -> None:
    """The payload's hash is a header for them, and nothing is encoded twice."""
    scheme = {"name": "sigv4", "signingName": service}
    route = router(rules(scheme), {**METADATA, "signatureVersion": "s3"}).route({})
    credentials = Credentials("AKID", "secret")
    assert route.signer is not None
    signed = route.signer.sign(credentials, "GET", "https://h/a//b/../c%20d", {}, b"", 1.5e9)
    expected = make_signer(service, "us-west-2", True).sign(
        credentials, "GET", "https://h/a//b/../c%20d", {}, b"", 1.5e9
    )
    assert signed == expected
    assert "X-Amz-Content-SHA256" in signed


def test_the_control_of_outposts_is_signed_like_other_services() -> None:
    """Its model says so, though its signing name is that of S3 on Outposts."""
    scheme = {"name": "sigv4", "signingName": "s3-outposts"}
    route = router(rules(scheme), {**METADATA, "signatureVersion": "v4"}).route({})
    assert route.signer is not None
    signed = route.signer.sign(Credentials("AKID", "secret"), "GET", "https://h/", {}, b"")
    assert "X-Amz-Content-SHA256" not in signed


def test_another_region_of_the_rules_is_signed_for() -> None:
    """What an operation says of the region holds for the signature, too."""
    assert scope(router(rules()).route({"Region": "eu-west-1"})) == "eu-west-1/signed"


TAKES = {**METADATA, "auth": ["aws.auth#sigv4", "smithy.api#httpBearerAuth"]}
ENVIRON = {"AWS_BEARER_TOKEN_SIGNED": "secret-token"}


def token_of(route: Route) -> str | None:
    """Return the token that requests on a route carry."""
    if not route.wants_token or route.source is None:
        return None
    assert route.signer is None
    return asyncio.run(route.source.get()).security_token


def with_tokens(
    metadata: Mapping[str, Any],
    environ: Mapping[str, str],
    login: CredentialSource | None = None,
    given: Settings | None = None,
) -> Route:
    """Return the route of a service with these tokens."""
    found = bearer(metadata, environ, login)
    return Router(rules().module, metadata, given or settings(), found).route({})


LOGIN = static(Credentials("", "", "login-token"))


def test_a_bearer_token_takes_the_place_of_a_signature() -> None:
    """It is looked for under the service's signing name, and only where the service takes one."""
    route = with_tokens(TAKES, ENVIRON, LOGIN)
    assert token_of(route) == "secret-token"
    assert "secret-token" not in repr(route)
    assert with_tokens(METADATA, ENVIRON, LOGIN).signer is not None
    assert with_tokens(TAKES, {}).signer is not None


def test_the_token_of_a_login_is_used_where_tokens_are_preferred() -> None:
    """It is for no service alone, so that keys go before it."""
    assert with_tokens(TAKES, {}, LOGIN).signer is not None
    preferring = settings(auth_scheme_preference="httpBearerAuth")
    assert token_of(with_tokens(TAKES, {}, LOGIN, preferring)) == "login-token"
    assert with_tokens(TAKES, {}, None, preferring).signer is not None
    assert with_tokens(METADATA, {}, LOGIN, preferring).signer is not None


TWO = ({"name": "sigv4", "signingName": "one"}, {"name": "sigv4a", "signingName": "many"})


@pytest.mark.parametrize(
    ("preferred", "schemes", "auth", "name"),
    [
        ("sigv4a", TWO, (), "many"),
        ("unknown, sigv4a,sigv4", TWO, (), "many"),
        ("sigv4", TWO[::-1], (), "one"),
        ("noAuth", TWO, (), "one"),
        ("sigv4a", TWO[:1], ("aws.auth#sigv4a",), "one"),
        ("sigv4a", (), ("aws.auth#sigv4", "aws.auth#sigv4a"), "signed"),
        ("sigv4a", (), (), "signed"),
    ],
)
def test_the_preferred_way_to_sign_is_taken_if_there_is_it(
    preferred: str, schemes: tuple[Mapping[str, Any], ...], auth: tuple[str, ...], name: str
) -> None:
    """The endpoint says what there is, or else the model; unknown names are passed over."""
    metadata = {**METADATA, "auth": auth}
    signer = router(rules(*schemes), metadata, auth_scheme_preference=preferred).route({}).signer
    assert signer is not None
    offered = [each["name"] for each in schemes] or [each[9:] for each in auth]
    is_for_many = preferred != "sigv4" and preferred != "noAuth" and "sigv4a" in offered
    assert (signer.service, isinstance(signer, SigV4A)) == (name, is_for_many)


def test_a_preference_in_code_counts_more_than_a_token() -> None:
    """One from the environment does not, nor one that names tokens first."""
    environ = {**ENVIRON, "AWS_AUTH_SCHEME_PREFERENCE": "sigv4"}

    def is_signed(given: Settings) -> bool:
        return with_tokens(TAKES, environ, given=given).signer is not None

    from_outside = resolve_settings({"region": "us-west-2"}, environ, parse_profiles())
    assert from_outside.auth_scheme_preference == ("sigv4",)
    assert not is_signed(from_outside)
    assert is_signed(settings(auth_scheme_preference="sigv4"))
    assert not is_signed(settings(auth_scheme_preference=["httpBearerAuth", "sigv4"]))


@pytest.mark.parametrize(
    "only", [{"signatureVersion": "bearer"}, {"auth": ["smithy.api#httpBearerAuth"]}]
)
def test_a_service_that_takes_tokens_alone_gets_no_signature(only: Mapping[str, Any]) -> None:
    """CodeCatalyst: without a token nothing is sent, and the error says where one is looked for."""
    takes = {**METADATA, "serviceId": "Svc", **only}
    with pytest.raises(CredentialsError, match="Svc takes a bearer token, from AWS_BEARER_TOKEN_S"):
        with_tokens(takes, {})
    preferring = settings(auth_scheme_preference="sigv4")
    for given in (settings(), preferring):
        assert token_of(with_tokens(takes, ENVIRON, LOGIN, given)) == "secret-token"
        assert token_of(with_tokens(takes, {}, LOGIN, given)) == "login-token"


@pytest.mark.parametrize("url", ["ftp://h", "https://u@h", "https://h?q", "https://a.[::1]", "h"])
def test_an_endpoint_that_is_no_base_url_is_refused(url: str) -> None:
    """Whatever rules or settings say, requests go to http and https hosts."""
    with pytest.raises(EndpointError):
        Router(Rules(Endpoint(url)).module, METADATA, settings()).route({})


def test_errors_are_not_kept() -> None:
    """An error is not remembered as a route: the next call asks again."""
    calls = []

    def resolve(params: dict[str, Any]) -> Endpoint:
        calls.append(params)
        raise EndpointError("no")

    module = ModuleType("failing")
    vars(module).update(USED=USED, resolve=resolve)
    one = Router(module, METADATA, settings())
    for _ in range(2):
        with pytest.raises(EndpointError, match=r"^no$"):
            one.route({})
    assert len(calls) == 2
