"""Random environments - variables, files and a profile in code - and what is made of them.

`theirs` and `ours` resolve the same environment with botocore and with this library. STS and SSO
are stubs on both sides that note what they are asked.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import botocore.credentials
import botocore.session
import botocore.tokens
from botocore.exceptions import BotoCoreError, ProfileNotFound
from hypothesis import strategies as st

from tests.support.credential_sources import no_transport
from tornado_aws.config import ProfileFiles, file_paths
from tornado_aws.credentials import Credentials
from tornado_aws.credentials.chain import default_source
from tornado_aws.exceptions import AWSClientException, NoCredentialsError, NoProfileError
from tornado_aws.settings import Settings, resolve

Section = Mapping[str, str]

START_URL = "https://portal.example/start"
END = datetime(2100, 1, 1, tzinfo=UTC)
PRINTED = {"Version": 1, "AccessKeyId": "AKIDPROCESS", "SecretAccessKey": "hush"}
PROCESSES = {
    "good": {**PRINTED, "SessionToken": "hush", "Expiration": "2100-01-01T00:00:00Z"},
    "static": {**PRINTED, "AccountId": "123123123123"},
    "newer": {**PRINTED, "Version": 2},
    "half": {"Version": 1, "AccessKeyId": "AKIDPROCESS"},
}
LOGIN_SESSION = "arn:aws:sts::222233334444:assumed-role/Admin/me"

# Names that both dialects of the files take; botocore takes more in the credentials file.
PROFILES = ("default", "a", "b", "c d")


class Style(NamedTuple):
    """How the files are written; it makes no difference.

    Attributes:
        equals: what stands between a property's name and its value.
        end: the end of a line.
        between: what stands between lines.
    """

    equals: str = " = "
    end: str = "\n"
    between: str = ""


PLAIN = Style()
STYLES = st.builds(
    Style,
    st.sampled_from([" = ", "=", "\t=\t", "  ="]),
    st.sampled_from(["\n", "\r\n", " \n", "\t\n"]),
    st.sampled_from(["", "\n", "# é = ü\n", ";\n"]),
)


@dataclass(frozen=True)
class Environment:
    """What a program finds.

    Attributes:
        profiles: the configuration file's profiles, None for no file.
        sessions: its ``[sso-session]`` sections.
        credentials: the credentials file's profiles, None for no file.
        variables: the environment variables.
        profile: the profile that is named in code.
        style: how the files are written.
    """

    profiles: Mapping[str, Section] | None
    sessions: Mapping[str, Section]
    credentials: Mapping[str, Section] | None
    variables: Mapping[str, str]
    profile: str | None
    style: Style = PLAIN

    def write(self, home: Path) -> dict[str, str]:
        """Put the files into a home folder; return the environment variables."""
        folder = home / ".aws"
        (folder / "sso" / "cache").mkdir(parents=True)
        for key in (START_URL, "s"):
            name = hashlib.sha1(key.encode()).hexdigest()
            token = {"accessToken": f"token of {key}", "expiresAt": "2100-01-01T00:00:00Z"}
            (folder / "sso" / "cache" / f"{name}.json").write_text(json.dumps(token))
        (home / "token").write_text("the-token")
        for name, printed in PROCESSES.items():
            (home / f"{name}.py").write_text(f"print({json.dumps(printed)!r})")
        (home / "bad.py").write_text("raise SystemExit(1)")
        _log_in(folder)
        if self.profiles is not None:
            config = {_header("profile", name): each for name, each in self.profiles.items()}
            config |= {_header("sso-session", name): each for name, each in self.sessions.items()}
            self._put(folder / "config", config, home)
        if self.credentials is not None:
            self._put(folder / "credentials", self.credentials, home)
        variables = {name: _filled_in(value, home) for name, value in self.variables.items()}
        return {**variables, "HOME": str(home), "AWS_EC2_METADATA_DISABLED": "true"}

    def _put(self, path: Path, sections: Mapping[str, Section], home: Path) -> None:
        text = _filled_in(_written(sections, self.style), home)
        path.write_text(text, encoding="utf-8", newline="")


def _log_in(folder: Path) -> None:
    """Leave what ``aws login`` leaves."""
    cache = folder / "login" / "cache"
    cache.mkdir(parents=True)
    token = {
        "accessKeyId": "AKIDLOGIN",
        "secretAccessKey": "hush",
        "sessionToken": "token",
        "accountId": "222233334444",
        "expiresAt": "2100-01-01T00:00:00Z",
    }
    login = {
        "accessToken": token,
        "tokenType": "aws_sigv4",
        "refreshToken": "hush",
        "idToken": "hush",
        "clientId": "client",
        "dpopKey": "hush",
    }
    name = hashlib.sha256(LOGIN_SESSION.encode()).hexdigest()
    (cache / f"{name}.json").write_text(json.dumps(login))


def _header(kind: str, name: str) -> str:
    if (kind, name) == ("profile", "default"):
        return name
    return f'{kind} "{name}"' if " " in name else f"{kind} {name}"


def _written(sections: Mapping[str, Section], style: Style) -> str:
    lines = []
    for header, section in sections.items():
        lines += [f"[{header}]", *(f"{key}{style.equals}{each}" for key, each in section.items())]
    return style.between.join(f"{line}{style.end}" for line in lines)


def _filled_in(text: str, home: Path) -> str:
    return text.replace("{home}", str(home)).replace("{python}", sys.executable)


KEYS = {
    "aws_access_key_id": ["AKID1", "AKID2"],
    "aws_secret_access_key": ["hush1", "hush=="],
    "aws_session_token": ["token1"],
    "aws_security_token": ["token2"],
    "aws_account_id": ["111122223333"],
}
ROLE = {
    "role_arn": ["arn:aws:iam::1:role/r", "arn:aws:iam::2:role/q"],
    "source_profile": [*PROFILES, "gone"],
    "credential_source": ["Environment", "EcsContainer", "Ec2InstanceMetadata", "Nonsense"],
    "external_id": ["external"],
    "role_session_name": ["me"],
    "duration_seconds": ["900"],
}
OPTIONAL = {name: ROLE[name] for name in ("external_id", "role_session_name", "duration_seconds")}
WEB_IDENTITY = {
    "role_arn": ["arn:aws:iam::3:role/w"],
    "web_identity_token_file": ["{home}/token", "{home}/gone"],
    "role_session_name": ["me"],
}
SSO = {
    "sso_session": ["s", "t", "gone"],
    "sso_start_url": [START_URL, "https://other.example"],
    "sso_region": ["eu-west-1"],
    "sso_account_id": ["444455556666"],
    "sso_role_name": ["R"],
}
SESSION = {
    "sso_start_url": [START_URL, "https://other.example"],
    "sso_region": ["eu-west-1", "us-east-1"],
    "sso_registration_scopes": ["sso:account:access"],
}
PROCESS = {
    "credential_process": [f"{{python}} -S {{home}}/{name}.py" for name in (*PROCESSES, "bad")]
}
LOGIN = {"login_session": [LOGIN_SESSION, "gone"]}
OTHER = {"region": ["eu-west-1", "us-east-2"], "output": ["json"], "cli_pager": ["", "é"]}
KEY_VARIABLES = {
    "AWS_ACCESS_KEY_ID": ["AKIDENV", ""],
    "AWS_SECRET_ACCESS_KEY": ["hushenv", ""],
    "AWS_SESSION_TOKEN": ["tokenenv", ""],
    "AWS_SECURITY_TOKEN": ["tokenenv2"],
    "AWS_ACCOUNT_ID": ["777788889999"],
    "AWS_CREDENTIAL_EXPIRATION": [
        "2100-01-01T00:00:00Z",
        "2100-01-01T00:00:00+01:00",
        "2000-01-01T00:00:00Z",
        "soon",
        "",
    ],
}
OTHER_VARIABLES = {
    "AWS_PROFILE": [*PROFILES, "gone"],
    "AWS_DEFAULT_PROFILE": [*PROFILES],
    "AWS_DEFAULT_REGION": ["ap-south-1"],
    "AWS_CONFIG_FILE": ["~/.aws/config", "{home}/.aws/credentials", "{home}/none"],
    "AWS_SHARED_CREDENTIALS_FILE": ["{home}/.aws/credentials", "~/none"],
    "AWS_WEB_IDENTITY_TOKEN_FILE": ["{home}/token", "{home}/gone"],
    "AWS_ROLE_ARN": ["arn:aws:iam::9:role/e"],
    "AWS_ROLE_SESSION_NAME": ["named-in-environment"],
}

Pool = Mapping[str, list[str]]


def _all(pool: Pool, *names: str) -> st.SearchStrategy[dict[str, str]]:
    return st.fixed_dictionaries({name: st.sampled_from(pool[name]) for name in names or pool})


def _some(pool: Pool) -> st.SearchStrategy[dict[str, str]]:
    return st.fixed_dictionaries(
        {}, optional={name: st.sampled_from(values) for name, values in pool.items()}
    )


def _merged(strategy: st.SearchStrategy[dict[str, str]]) -> st.SearchStrategy[dict[str, str]]:
    return st.lists(strategy, min_size=1, max_size=3).map(
        lambda groups: {name: value for group in groups for name, value in group.items()}
    )


SECTIONS = _merged(
    st.one_of(
        _all(KEYS, "aws_access_key_id", "aws_secret_access_key"),
        _some(KEYS),
        _all(ROLE, "role_arn", "source_profile"),
        _some(ROLE),
        _all(WEB_IDENTITY),
        _some(WEB_IDENTITY),
        _all(SSO),
        _all(SSO, *list(SSO)[1:]),
        _some(SSO),
        _all(PROCESS),
        _all(LOGIN),
        _some(OTHER),
    )
)

# What the last profile of a chain of roles can have.
_SOURCES = st.one_of(
    _all(KEYS, "aws_access_key_id", "aws_secret_access_key"),
    _all(WEB_IDENTITY),
    _all(SSO),
    _all(SSO, *list(SSO)[1:]),
    _all(PROCESS),
    _all(LOGIN),
    _all(ROLE, "role_arn", "credential_source"),
)


@st.composite
def _chains(draw: st.DrawFn) -> dict[str, dict[str, str]]:
    """Draw profiles each of which has a role of the next one."""
    names = draw(st.permutations(PROFILES))[: draw(st.integers(2, len(PROFILES)))]
    role = _all(ROLE, "role_arn")
    profiles = {
        name: {**draw(_some(OPTIONAL)), **draw(role), "source_profile": source}
        for name, source in pairwise(names)
    }
    return {**profiles, names[-1]: draw(_merged(_SOURCES))}


ENVIRONMENTS = st.builds(
    Environment,
    profiles=st.one_of(
        st.fixed_dictionaries(
            {"default": SECTIONS, "a": SECTIONS}, optional={"b": SECTIONS, "c d": SECTIONS}
        ),
        _chains(),
        st.none(),
    ),
    sessions=st.dictionaries(st.sampled_from(["s", "t"]), _some(SESSION), max_size=2),
    credentials=st.one_of(
        st.dictionaries(st.sampled_from(PROFILES[:3]), SECTIONS | _some(KEYS), max_size=2),
        st.none(),
    ),
    variables=_merged(st.one_of(st.just({}), _some(KEY_VARIABLES), _some(OTHER_VARIABLES))),
    profile=st.one_of(st.none(), st.sampled_from(["default", "a"]), st.sampled_from([*PROFILES])),
    style=STYLES,
)


# What may be empty, and is as if it were not there then. Of botocore that is true of some only.
_PROPERTIES = sorted({*KEYS, *ROLE, *WEB_IDENTITY, *SSO, *PROCESS, *LOGIN, *OTHER})
_VARIABLES = sorted({*KEY_VARIABLES, *OTHER_VARIABLES})


@st.composite
def with_empty_values(draw: st.DrawFn) -> tuple[Environment, Environment]:
    """Draw an environment, and the same with variables and properties that are empty."""

    def more(values: Section, names: list[str]) -> Section:
        return {**dict.fromkeys(draw(st.lists(st.sampled_from(names), max_size=4)), ""), **values}

    def more_in_each(sections: Mapping[str, Section] | None) -> Mapping[str, Section] | None:
        if sections is None:
            return None
        return {name: more(section, _PROPERTIES) for name, section in sections.items()}

    environment = draw(ENVIRONMENTS)
    return environment, replace(
        environment,
        profiles=more_in_each(environment.profiles),
        credentials=more_in_each(environment.credentials),
        variables=more(environment.variables, _VARIABLES),
    )


class Outcome(NamedTuple):
    """What came of an environment.

    Attributes:
        kind: ``no profile``, ``error``, ``none`` or the source of the credentials.
        region: the region that is set.
        credentials: access key, secret key, token and account.
        calls: what STS and SSO were asked, and with whose key.
    """

    kind: str
    region: str | None = None
    credentials: tuple[str | None, ...] = ()
    calls: tuple[object, ...] = ()

    def comparable(self) -> Outcome:
        """Return what must be the same on both sides: of errors that there is one."""
        if self.kind in {"no profile", "error"}:
            return Outcome(self.kind)
        return self


class _Services:
    """STS and SSO, for both sides."""

    def __init__(self) -> None:
        self.calls: list[object] = []

    def call(
        self, operation: str, region: str | None, params: Mapping[str, Any], key: str | None
    ) -> dict[str, Any]:
        shown = dict(params)
        if str(shown.get("RoleSessionName")).startswith(("botocore-session-", "tornado-aws-")):
            shown["RoleSessionName"] = "a name of its own"
        # Without a region botocore cannot call STS; here it is asked where every account may.
        self.calls.append((operation, region or "us-east-1", tuple(sorted(shown.items())), key))
        if operation == "GetRoleCredentials":
            keys = {"accessKeyId": "AKIDSSO", "secretAccessKey": "hush", "sessionToken": "token"}
            return {"roleCredentials": {**keys, "expiration": int(END.timestamp() * 1000)}}
        account = params["RoleArn"].split(":")[4]
        return {
            "Credentials": {
                "AccessKeyId": f"AKIDROLE{params['RoleArn'][-1]}",
                "SecretAccessKey": "hush",
                "SessionToken": "token",
                "Expiration": END,
            },
            "AssumedRoleUser": {
                "Arn": f"arn:aws:sts::{account}:assumed-role/r/me",
                "AssumedRoleId": "x",
            },
        }


# botocore's names of sources -> ours.
SOURCES = {
    "assume-role-with-web-identity": "web-identity",
    "shared-credentials-file": "credentials-file",
    "custom-process": "process",
}


def theirs(environment: Environment, variables: Mapping[str, str]) -> Outcome:
    """Resolve a written environment with botocore."""
    services = _Services()
    with _botocore(variables, services) as make_session:
        session = make_session(environment.profile)
        try:
            session.get_scoped_config()
        except ProfileNotFound:
            return Outcome("no profile")
        except BotoCoreError:
            return Outcome("error")
        region = session.get_config_variable("region")
        try:
            found = session.get_credentials()
            if found is None:
                return Outcome("none", region, (), tuple(services.calls))
            keys = found.get_frozen_credentials()
        except (BotoCoreError, OSError, RuntimeError, ValueError):  # some for ends that have come
            return Outcome("error", region)
        return Outcome(
            SOURCES.get(found.method, found.method),
            region,
            (keys.access_key, keys.secret_key, keys.token, keys.account_id or found.account_id),
            tuple(services.calls),
        )


@contextmanager
def _botocore(
    variables: Mapping[str, str], services: _Services
) -> Iterator[Callable[[str | None], Any]]:
    """Let botocore see these variables only, and speak to the stubs."""

    def make_client(session: Any, service: str, **options: Any) -> Any:
        config = options.get("config")
        unsigned = config is not None and config.signature_version is botocore.UNSIGNED
        region = options.get("region_name") or getattr(config, "region_name", None)

        def method(operation: str) -> Callable[..., Any]:
            return lambda **params: services.call(
                operation,
                region or session.get_config_variable("region"),
                params,
                None if unsigned else options.get("aws_access_key_id"),
            )

        return mock.Mock(
            assume_role=method("AssumeRole"),
            assume_role_with_web_identity=method("AssumeRoleWithWebIdentity"),
            get_role_credentials=method("GetRoleCredentials"),
        )

    def make_session(profile: str | None) -> Any:
        session = botocore.session.Session(profile=profile)
        # Of the instance: sources of credentials call it too.
        session.create_client = lambda service, **options: make_client(session, service, **options)
        return session

    cache = str(Path(variables["HOME"]) / ".aws" / "sso" / "cache")
    with (
        mock.patch.dict(os.environ, variables, clear=True),
        mock.patch.object(botocore.credentials, "create_nested_client", make_client),
        mock.patch.object(botocore.tokens, "create_nested_client", make_client),
        mock.patch.object(botocore.credentials.SSOProvider, "_SSO_TOKEN_CACHE_DIR", cache),
        mock.patch.object(botocore.tokens.SSOTokenProvider, "_SSO_TOKEN_CACHE_DIR", cache),
    ):
        yield make_session


def ours(environment: Environment, variables: Mapping[str, str]) -> Outcome:
    """Resolve a written environment with this library."""
    files = ProfileFiles(file_paths(variables))
    try:
        settings = resolve({"profile": environment.profile}, variables, files.load())
    except NoProfileError:
        return Outcome("no profile")
    except AWSClientException:
        return Outcome("error")
    # Regions that the configuration does not name, but the library assumes, are not botocore's.
    named = settings.sources["region"] in {
        "AWS_DEFAULT_REGION",
        f"profile {settings.profile}",
    }
    region = settings.region if named else None
    services = _Services()
    # STS is asked in them; botocore's is a stub that is asked without.
    settings = replace(settings, region=region, ec2_metadata_disabled=True)
    try:
        found = asyncio.run(_load(settings, files, variables, services))
    except NoCredentialsError:
        return Outcome("none", region, (), tuple(services.calls))
    except AWSClientException:
        return Outcome("error", region)
    keys = (found.access_key, found.secret_key, found.security_token, found.account_id)
    return Outcome(found.source, region, keys, tuple(services.calls))


async def _load(
    settings: Settings, files: ProfileFiles, variables: Mapping[str, str], services: _Services
) -> Credentials:
    async def call(
        service: str,
        operation: str,
        region: str,
        params: Mapping[str, Any],
        credentials: Credentials | None,
        *,
        headers: Callable[[str], Mapping[str, str]] | None = None,
    ) -> dict[str, Any]:
        key = None if credentials is None else credentials.access_key
        return services.call(operation, region, params, key)

    source = default_source(
        settings, files.load(), variables, no_transport, reload=files.load, call=call
    )
    return await source.get()
