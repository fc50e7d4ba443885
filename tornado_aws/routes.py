"""Where calls go and how they are signed: from settings and an operation's parameters to a `Route`.

Generated services are routed by their own endpoint rules, which `Router` feeds with the settings
and with what an operation contributes; the raw client by distilled data (`raw_route`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from operator import methodcaller
from types import ModuleType
from typing import Any, NamedTuple

from tornado_aws.bearer import SCHEME, Bearer, is_needed, variable
from tornado_aws.credentials.source import CredentialSource
from tornado_aws.customizations import NONE, Hooks
from tornado_aws.endpoints import Endpoint, real_region, resolve_raw
from tornado_aws.exceptions import CredentialsError, UnsupportedOperationError
from tornado_aws.model import Operation
from tornado_aws.settings import Settings
from tornado_aws.signing import SigV4
from tornado_aws.sigv2 import SigV2
from tornado_aws.sigv4a import SigV4A
from tornado_aws.transport import Headers
from tornado_aws.urls import BaseURL, parse_base

# Services whose paths are signed as they are and whose payload's hash is a header: by their signing
# names, for the raw client, and by what their models say.
_S3_SIGNING = frozenset({"s3", "s3express", "s3-outposts", "s3-object-lambda"})
_S3_VERSIONS = frozenset({"s3", "s3v4"})

# Where signed requests carry the token of their credentials.
_TOKEN = "X-Amz-Security-Token"  # noqa: S105 - a header's name
_SESSION_TOKEN = "X-Amz-S3session-Token"  # noqa: S105 - as above

# What models call the signatures that services of old take (SimpleDB).
_OLD = "v2"

_SESSION = "sigv4-s3express"
_PLAIN = {"name": "sigv4"}
_KINDS = ("sigv4", _SESSION, _OLD, "none")
# What several regions take; it costs thirty times as much, so that another kind goes before it.
_MANY_REGIONS = "sigv4a"
_PREFERABLE = frozenset({"sigv4", _SESSION, _MANY_REGIONS, SCHEME})

# Routes kept for parameters that were seen; a program that touches more buckets starts anew.
_MOST_ROUTES = 1024

Context = Callable[[Mapping[str, Any]], dict[str, Any]]


class Route(NamedTuple):
    """Where calls go and how they are signed.

    Attributes:
        base: the endpoint.
        signer: signs the requests; None sends them unsigned.
        headers: what is added to every request.
        wants_session: whether the credentials to sign with are those of a session, which the
            service gives for each resource.
        source: gives the credentials to sign with, or the token; None for the client's own.
        is_discovered: whether the service itself told the endpoint.
        needs: the module that signing will import, which takes too long on the loop; "" for none.
        wants_token: whether the requests carry a bearer token, which `source` gives.
    """

    base: BaseURL
    signer: SigV4 | None
    headers: Headers
    wants_session: bool = False
    source: CredentialSource | None = None
    is_discovered: bool = False
    needs: str = ""
    wants_token: bool = False

    def __repr__(self) -> str:
        return f"<Route {self.base.origin.scheme}://{self.base.host}{self.base.path}>"


def raw_route(service: str, settings: Settings) -> Route:
    """Return the route of a service that is known by its name alone.

    Raises:
        EndpointError: there is no endpoint for this service and region.
    """
    given = settings.endpoint
    found = resolve_raw(
        service,
        settings.region,
        use_fips=settings.use_fips_endpoint and given is None,
        use_dualstack=settings.use_dualstack_endpoint and given is None,
    )
    signer = make_signer(
        found.signing_name, found.signing_region, found.signing_name in _S3_SIGNING
    )
    return Route(parse_base(given or found.url), signer, [])


def make_signer(service: str, region: str, is_s3: bool, has_session: bool = False) -> SigV4:
    """Return a signer that follows the rules of S3 or those of the other services.

    Args:
        service: the signing name.
        region: the signing region.
        is_s3: whether S3's rules hold.
        has_session: whether the token of the credentials is that of a session of S3 Express.
    """
    return SigV4(
        service,
        region,
        double_encode=not is_s3,
        normalize_path=not is_s3,
        sign_payload_header=is_s3,
        token_header=_SESSION_TOKEN if has_session else _TOKEN,
    )


def context_of(operation: Operation, rules: ModuleType, hooks: Hooks = NONE) -> Context | None:
    """Return a function from parameters to what they contribute to the endpoint's parameters.

    None when the operation contributes nothing that the rules look at. What is peculiar to the
    service counts before a static value, that before a member, and that before an expression.
    """
    used: Mapping[str, str] = rules.USED
    queries: Mapping[str, Callable[[Any], Any]] = getattr(rules, "OPERATION_CONTEXT", {}).get(
        operation.name, {}
    )
    members = operation.input.shape.members if operation.input is not None else {}
    named = {
        use.traits["contextParam"]["name"]: name
        for name, use in members.items()
        if "contextParam" in use.traits and use.traits["contextParam"]["name"] in used
    }
    static = {
        name: entry["value"]
        for name, entry in operation.traits.get("staticContextParams", {}).items()
        if name in used
    }
    peculiar = _peculiar(hooks)
    sources: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
        **queries,
        **{name: methodcaller("get", member) for name, member in named.items()},
        **{name: partial(_constant, value) for name, value in static.items()},
    }
    if not (sources or peculiar):
        return None

    def context(params: Mapping[str, Any]) -> dict[str, Any]:
        found = {name: source(params) for name, source in sources.items()}
        if peculiar is not None:
            found.update(peculiar(params))
        return found

    return context


def _constant(value: Any, _: Mapping[str, Any]) -> Any:
    return value


def _peculiar(hooks: Hooks) -> Callable[[Mapping[str, Any]], Mapping[str, Any]] | None:
    """Return what an operation of a peculiar service contributes, None for nothing."""
    if hooks.endpoint is None:
        return hooks.endpoint_params
    endpoint = hooks.endpoint
    return lambda params: {"Endpoint": endpoint(params)}


class Router:
    """Routes the calls of one generated client.

    Args:
        rules: the package's ``endpoints`` module.
        metadata: what the model says of the service.
        settings: the settings in force.
        bearer: where the service's bearer token comes from, None without one.

    Attributes:
        needs_account: whether `route` wants the account id of the credentials.
    """

    def __init__(
        self,
        rules: ModuleType,
        metadata: Mapping[str, Any],
        settings: Settings,
        bearer: Bearer | None = None,
    ) -> None:
        used: Mapping[str, str] = rules.USED
        settings = _with_real_region(settings)
        self._resolve: Callable[[dict[str, Any]], Endpoint] = rules.resolve
        self._metadata = metadata
        self._region = settings.region or ""
        self._regions = settings.sigv4a_signing_region_set
        self._preferred = settings.auth_scheme_preference or ()
        # As in the SDKs, a token for this service counts more than preferences from outside.
        self._is_preferred_in_code = settings.sources["auth_scheme_preference"] == "argument"
        self._bearer = bearer
        self._signers: dict[tuple[object, ...], SigV4] = {}
        self._routes: dict[tuple[Any, ...], Route] = {}
        self._fixed = {
            name: value
            for name, built_in in used.items()
            if (value := _built_in(built_in or name, settings, used)) is not None
        }
        self.needs_account = (
            used.get("AccountId") == "AWS::Auth::AccountId"
            and settings.account_id_endpoint_mode != "disabled"
        )

    def route(self, context: Mapping[str, Any], account_id: str | None = None) -> Route:
        """Return the route of a call.

        Args:
            context: what the operation's parameters contribute.
            account_id: the account of the credentials.

        Raises:
            EndpointError: the rules have no endpoint for it; the text is theirs.
            UnsupportedOperationError: the endpoint wants a signature of another kind.
        """
        key: tuple[Any, ...] = (account_id, *context.items())
        try:
            route = self._routes.get(key)
        except TypeError:  # a list
            key = (account_id, *map(_hashable, context.values()), *context)
            route = self._routes.get(key)
        if route is None:
            if len(self._routes) >= _MOST_ROUTES:
                self._routes.clear()
            route = self._routes[key] = self._make(context, account_id)
        return route

    def _make(self, context: Mapping[str, Any], account_id: str | None) -> Route:
        account = {"AccountId": account_id} if self.needs_account else {}
        given = {name: value for name, value in context.items() if value is not None}
        if "Endpoint" in self._fixed:
            given.pop("Endpoint", None)
        endpoint = self._resolve({**self._fixed, **account, **given})
        headers = [(name, ", ".join(values)) for name, values in endpoint.headers.items()]
        base = parse_base(endpoint.url)
        scheme = self._scheme(endpoint)
        if self._bearer is not None and scheme["name"] == SCHEME:
            return Route(base, None, headers, source=self._bearer.source, wants_token=True)
        signer = self._signer(scheme, given.get("Region", self._region))
        needs = signer.needs if isinstance(signer, SigV4A) else ""
        return Route(base, signer, headers, scheme["name"] == _SESSION, needs=needs)

    def _scheme(self, endpoint: Endpoint) -> Mapping[str, Any]:
        """Return the way to sign: the preferred one of those that endpoint and service take.

        Raises:
            CredentialsError: the service takes a bearer token alone, and there is none.
        """
        metadata, bearer, preferred = self._metadata, self._bearer, self._preferred
        if is_needed(metadata):
            if bearer is None:
                raise _no_token(metadata)
            return {"name": SCHEME}
        is_chosen_in_code = preferred and self._is_preferred_in_code
        if bearer is not None and bearer.is_for_service and not is_chosen_in_code:
            return {"name": SCHEME}
        schemes = endpoint.properties.get("authSchemes") or _schemes_of(metadata)
        if bearer is not None:
            schemes = [*schemes, {"name": SCHEME}]
        for name in preferred:
            for scheme in schemes:
                if scheme["name"] == name in _PREFERABLE:
                    return scheme
        return _first_known(schemes, endpoint.url)

    def _signer(self, scheme: Mapping[str, Any], region: str) -> SigV4 | None:
        if scheme["name"] == "none":
            return None
        metadata = self._metadata
        name = scheme.get("signingName") or metadata.get("signingName", metadata["endpointPrefix"])
        is_s3 = metadata.get("signatureVersion") in _S3_VERSIONS
        if scheme["name"] == _MANY_REGIONS:
            regions = self._regions or tuple(scheme.get("signingRegionSet") or [region])
            return self._kept(SigV4A, name, regions, is_s3)
        region = scheme.get("signingRegion") or region
        if scheme["name"] == _OLD:
            return self._kept(SigV2, name, region)
        return self._kept(make_signer, name, region, is_s3, scheme["name"] == _SESSION)

    def _kept(self, make: Callable[..., SigV4], *arguments: object) -> SigV4:
        key = (make, *arguments)
        if key not in self._signers:
            self._signers[key] = make(*arguments)
        return self._signers[key]


def _schemes_of(metadata: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the ways to sign that a model names, for endpoints that name none."""
    if metadata.get("signatureVersion") == _OLD:
        return [{"name": _OLD}]
    names = [name.removeprefix("aws.auth#") for name in metadata.get("auth", ())]
    return [{"name": name} for name in names if name in _PREFERABLE] or [_PLAIN]


def _first_known(schemes: Sequence[Mapping[str, Any]], url: str) -> Mapping[str, Any]:
    """Return the first way to sign that is known here."""
    for known in (_KINDS, (_MANY_REGIONS,)):
        for scheme in schemes:
            if scheme["name"] in known:
                return scheme
    names = ", ".join(each["name"] for each in schemes)
    raise UnsupportedOperationError(
        f"{url} wants a signature of the kind {names}, which this version cannot"
        f" make; it can make sigv4, {_SESSION} and {_MANY_REGIONS}"
    )


def _with_real_region(settings: Settings) -> Settings:
    """Return settings whose region is none of the names that stand for FIPS hosts, too."""
    region, is_fips = real_region(settings.region or "")
    return replace(settings, region=region, use_fips_endpoint=True) if is_fips else settings


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _no_token(metadata: Mapping[str, Any]) -> CredentialsError:
    reason = (
        f"{metadata['serviceId']} takes a bearer token, from {variable(metadata)} or from a profile"
        " with sso_session"
    )
    return CredentialsError(source="bearer", reason=reason)


def _built_in(name: str, settings: Settings, used: Mapping[str, str]) -> Any:
    """Return the value of a rule set's parameter that the settings decide, None without one."""
    is_s3 = any(each.startswith("AWS::S3") for each in used.values())
    found = _BUILT_INS.get(name)
    return found(settings, is_s3) if found is not None else None


def _use_dualstack(settings: Settings, is_s3: bool) -> bool:
    wanted = settings.use_dualstack_endpoint or (is_s3 and settings.s3_use_dualstack_endpoint)
    return wanted and settings.endpoint is None


def _force_path_style(settings: Settings, _: bool) -> bool:
    style = settings.s3_addressing_style
    if settings.s3_use_accelerate_endpoint:
        return False
    # A custom endpoint rarely has a host name for each bucket.
    return style != "virtual" if settings.endpoint is not None else style == "path"


# By the rule sets' names of built-in and client context parameters.
_BUILT_INS: Mapping[str, Callable[[Settings, bool], Any]] = {
    "AWS::Region": lambda settings, _: settings.region,
    "AWS::UseFIPS": lambda settings, _: settings.use_fips_endpoint and settings.endpoint is None,
    "AWS::UseDualStack": _use_dualstack,
    "SDK::Endpoint": lambda settings, _: settings.endpoint,
    "AWS::Auth::AccountIdEndpointMode": lambda settings, _: settings.account_id_endpoint_mode,
    "AWS::S3::Accelerate": lambda settings, _: settings.s3_use_accelerate_endpoint,
    "AWS::S3::ForcePathStyle": _force_path_style,
    "AWS::S3::UseGlobalEndpoint": lambda settings, _: (
        settings.s3_us_east_1_regional_endpoint == "legacy" and settings.region == "us-east-1"
    ),
    "AWS::S3::DisableMultiRegionAccessPoints": lambda settings, _: (
        settings.s3_disable_multiregion_access_points
    ),
    "AWS::S3::UseArnRegion": lambda settings, _: settings.s3_use_arn_region is not False,
    "AWS::S3Control::UseArnRegion": lambda settings, _: bool(settings.s3_use_arn_region),
    "DisableS3ExpressSessionAuth": lambda settings, _: settings.s3_disable_express_session_auth,
    "AWS::STS::UseGlobalEndpoint": lambda settings, _: settings.sts_regional_endpoints == "legacy",
}
