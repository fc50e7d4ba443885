"""Scenarios of the credential chain: environment and files and answers -> credentials or an error.

Every endpoint is on one local server: `SERVER` in a text stands for its URL, `HOME` for the home
folder.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.support.credential_sources import document
from tests.support.scripted_server import Reply
from tornado_aws.exceptions import (
    ConfigParserError,
    CredentialsError,
    NoCredentialsError,
    NoProfileError,
)

SERVER = "{server}"
HOME = "{home}"

TOKEN = "PUT /latest/api/token"
ROLES = "GET /latest/meta-data/iam/security-credentials/"
CONTAINER = "GET /credentials"

ROLE = "arn:aws:iam::123456789012:role/reader"
FIRST_ROLE = "arn:aws:iam::210987654321:role/first"
END = "2099-01-01T00:00:00Z"


@dataclass(frozen=True)
class Found:
    """Credentials that must be found.

    Attributes:
        source: where.
        access_key: their access key.
        account: the account that they are known to belong to.
        region: the client's region.
    """

    source: str
    access_key: str
    account: str | None = None
    region: str | None = None


@dataclass(frozen=True)
class Fails:
    """An error that must come.

    Attributes:
        kind: its class.
        text: a regular expression that its text matches.
    """

    kind: type[Exception]
    text: str


@dataclass(frozen=True)
class Scenario:
    """One case.

    Attributes:
        expected: what comes of it.
        environ: the environment variables.
        config: the configuration file, None for no file.
        credentials: the credentials file, None for no file.
        files: other files by their path in the home folder.
        profile: the profile that is named in code.
        answers: by method and path, or for STS and its like the name of the operation; answers of
            a list are given one after the other, the last one for ever. All else is 404.
        asked: what must have been asked, in this order, with the access key of who signed.
    """

    expected: Found | Fails
    environ: Mapping[str, str] = field(default_factory=dict)
    config: str | None = None
    credentials: str | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    profile: str | None = None
    answers: Mapping[str, Reply | Sequence[Reply]] = field(default_factory=dict)
    asked: Sequence[str] = ()


def pair(name: str, *more: str) -> str:
    keys = (f"aws_access_key_id = {name}", "aws_secret_access_key = hush", *more)
    return "\n".join([*keys, ""])


def assumed(name: str, operation: str = "AssumeRole", role: str = ROLE) -> Reply:
    """Return STS's answer."""
    account = role.split(":")[4]
    body = (
        f"<{operation}Response><{operation}Result><Credentials><AccessKeyId>{name}</AccessKeyId>"
        f"<SecretAccessKey>hush</SecretAccessKey><SessionToken>hush</SessionToken>"
        f"<Expiration>{END}</Expiration></Credentials><AssumedRoleUser><AssumedRoleId>A:x"
        f"</AssumedRoleId><Arn>arn:aws:sts::{account}:assumed-role/r/x</Arn></AssumedRoleUser>"
        f"</{operation}Result></{operation}Response>"
    )
    return Reply(200, body.encode(), (("Content-Type", "text/xml"),))


def refused(status: int, code: str) -> Reply:
    """Return an error of STS."""
    body = f"<ErrorResponse><Error><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>"
    return Reply(status, body.encode(), (("Content-Type", "text/xml"),))


def json_reply(document: Any, status: int = 200) -> Reply:
    return Reply(status, json.dumps(document).encode(), (("Content-Type", "application/json"),))


PROCESS = f"credential_process = cat {HOME}/printed\n"


def printed(**more: object) -> dict[str, str]:
    """Return the file that the program prints."""
    keys = {"Version": 1, "AccessKeyId": "AKIDPROCESS", "SecretAccessKey": "hush", **more}
    return {"printed": json.dumps(keys)}


ENV = {"AWS_ACCESS_KEY_ID": "AKIDENV", "AWS_SECRET_ACCESS_KEY": "hush"}
REGIONAL = {"AWS_REGION": "eu-west-1"}
NO_IMDS = {**REGIONAL, "AWS_EC2_METADATA_DISABLED": "true"}
WEB = {
    "AWS_WEB_IDENTITY_TOKEN_FILE": "~/token",
    "AWS_ROLE_ARN": ROLE,
    "AWS_ROLE_SESSION_NAME": "me",
}
TOKEN_FILE = {"token": "the-token\n"}
IMDS = {
    TOKEN: Reply(200, b"hush-token"),
    ROLES: Reply(200, b"role"),
    f"{ROLES}role": Reply(200, document("IMDS", Code="Success")),
}
FROM_IMDS = (TOKEN, ROLES, f"{ROLES}role")
WITH_WEB_IDENTITY = "AssumeRoleWithWebIdentity"

STATIC = {
    "the environment counts before the profile": Scenario(
        Found("env", "AKIDENV", region="eu-west-1"),
        {**NO_IMDS, **ENV},
        f"[default]\n{pair('AKIDPROFILE')}",
    ),
    "the environment counts before the profile that it names": Scenario(
        Found("env", "AKIDENV"),
        {**NO_IMDS, **ENV, "AWS_PROFILE": "p"},
        f"[profile p]\n{pair('AKIDPROFILE')}",
    ),
    "a profile that is named in code counts before the environment": Scenario(
        Found("config-file", "AKIDPROFILE"),
        {**NO_IMDS, **ENV},
        f"[profile p]\n{pair('AKIDPROFILE')}",
        profile="p",
    ),
    "half a pair in the environment is an error": Scenario(
        Fails(CredentialsError, "AWS_SECRET_ACCESS_KEY is not"),
        {**NO_IMDS, "AWS_ACCESS_KEY_ID": "AKIDENV"},
        f"[default]\n{pair('AKIDPROFILE')}",
    ),
    "empty variables are not set": Scenario(
        Found("credentials-file", "AKIDFILE"),
        {**NO_IMDS, "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_PROFILE": ""},
        credentials=f"[default]\n{pair('AKIDFILE')}",
    ),
    "the credentials file counts before the configuration file": Scenario(
        Found("credentials-file", "AKIDFILE", "123456789012"),
        NO_IMDS,
        f"[default]\n{pair('AKIDCONFIG')}",
        f"[default]\n{pair('AKIDFILE', 'aws_account_id = 123456789012')}",
    ),
    "half a pair in a file is an error": Scenario(
        Fails(CredentialsError, "no aws_secret_access_key"),
        NO_IMDS,
        f"[default]\n{pair('AKIDCONFIG')}",
        "[default]\naws_access_key_id = AKIDFILE\n",
    ),
    "a profile that does not exist is an error": Scenario(
        Fails(NoProfileError, "gone"), {**NO_IMDS, **ENV, "AWS_PROFILE": "gone"}, "[default]\n"
    ),
    "a malformed file is an error though the environment has keys": Scenario(
        Fails(ConfigParserError, "line 2"), {**NO_IMDS, **ENV}, "[default]\nhush hush\n"
    ),
    "without anything every source is told": Scenario(
        Fails(NoCredentialsError, r"(?s)env: .*config-file: .*container: .*imds: .*DISABLED"),
        NO_IMDS,
    ),
    "files may be elsewhere": Scenario(
        Found("credentials-file", "AKIDFILE", region="us-east-2"),
        {"AWS_CONFIG_FILE": "~/c", "AWS_SHARED_CREDENTIALS_FILE": "~/k", "AWS_PROFILE": "p"},
        files={"c": "[profile p]\nregion = us-east-2\n", "k": f"[p]\n{pair('AKIDFILE')}"},
    ),
}

SOURCE = f"[profile base]\n{pair('AKIDBASE')}"
ROLES_OF_PROFILES = {
    "a role of a source profile": Scenario(
        Found("assume-role", "AKIDROLE", "123456789012"),
        NO_IMDS,
        f"[default]\nrole_arn = {ROLE}\nsource_profile = base\nexternal_id = 42\n{SOURCE}",
        answers={"AssumeRole": assumed("AKIDROLE")},
        asked=["AssumeRole as AKIDBASE"],
    ),
    "a role of a role": Scenario(
        Found("assume-role", "AKIDROLE", "123456789012"),
        NO_IMDS,
        f"[default]\nrole_arn = {ROLE}\nsource_profile = first\n"
        f"[profile first]\nrole_arn = {FIRST_ROLE}\nsource_profile = base\n{SOURCE}",
        answers={"AssumeRole": [assumed("AKIDFIRST", role=FIRST_ROLE), assumed("AKIDROLE")]},
        asked=["AssumeRole as AKIDBASE", "AssumeRole as AKIDFIRST"],
    ),
    "keys beside the role count before the next role": Scenario(
        Found("assume-role", "AKIDROLE"),
        NO_IMDS,
        f"[default]\nrole_arn = {ROLE}\nsource_profile = first\n[profile first]\n"
        f"role_arn = {FIRST_ROLE}\nsource_profile = base\n{pair('AKIDOWN')}{SOURCE}",
        answers={"AssumeRole": assumed("AKIDROLE")},
        asked=["AssumeRole as AKIDOWN"],
    ),
    "a role with the keys of its own profile": Scenario(
        Found("assume-role", "AKIDROLE"),
        NO_IMDS,
        f"[default]\nrole_arn = {ROLE}\nsource_profile = default\n{pair('AKIDOWN')}",
        answers={"AssumeRole": assumed("AKIDROLE")},
        asked=["AssumeRole as AKIDOWN"],
    ),
    "source profiles that go round are an error": Scenario(
        Fails(CredentialsError, "default -> a -> default"),
        NO_IMDS,
        f"[default]\nrole_arn = {ROLE}\nsource_profile = a\n"
        f"[profile a]\nrole_arn = {FIRST_ROLE}\nsource_profile = default\n",
    ),
    "a source profile that does not exist is an error": Scenario(
        Fails(CredentialsError, "'gone' does not exist"),
        NO_IMDS,
        f"[default]\nrole_arn = {ROLE}\nsource_profile = gone\n",
    ),
    "a source profile without credentials is an error": Scenario(
        Fails(CredentialsError, "'a' gave no credentials"),
        NO_IMDS,
        f"[default]\nrole_arn = {ROLE}\nsource_profile = a\n[profile a]\nregion = x\n",
    ),
    "a source profile with half a pair is an error": Scenario(
        Fails(CredentialsError, "no aws_access_key_id"),
        NO_IMDS,
        f"[default]\nrole_arn = {ROLE}\nsource_profile = a\n[profile a]\naws_secret_access_key=x\n",
    ),
    "a role without a source is an error": Scenario(
        Fails(CredentialsError, "needs source_profile or credential_source"),
        NO_IMDS,
        f"[default]\nrole_arn = {ROLE}\n{pair('AKIDOWN')}",
    ),
    "a role with two sources is an error": Scenario(
        Fails(CredentialsError, "both source_profile and credential_source"),
        NO_IMDS,
        f"[default]\nrole_arn = {ROLE}\nsource_profile = base\ncredential_source = Environment\n"
        f"{SOURCE}",
    ),
    "a source that does not exist is an error": Scenario(
        Fails(CredentialsError, "'Cloud' is none of Environment, EcsContainer, Ec2Instance"),
        NO_IMDS,
        f"[default]\nrole_arn = {ROLE}\ncredential_source = Cloud\n",
    ),
    "a role of the environment's keys": Scenario(
        Found("assume-role", "AKIDROLE"),
        {**NO_IMDS, **ENV},
        f"[profile p]\nrole_arn = {ROLE}\ncredential_source = Environment\n",
        profile="p",
        answers={"AssumeRole": assumed("AKIDROLE")},
        asked=["AssumeRole as AKIDENV"],
    ),
    "a role of the instance": Scenario(
        Found("assume-role", "AKIDROLE"),
        REGIONAL,
        f"[default]\nrole_arn = {ROLE}\ncredential_source = Ec2InstanceMetadata\n",
        answers={**IMDS, "AssumeRole": assumed("AKIDROLE")},
        asked=[*FROM_IMDS, "AssumeRole as AKIDIMDS"],
    ),
    "a role of the container": Scenario(
        Found("assume-role", "AKIDROLE"),
        {**NO_IMDS, "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{SERVER}/credentials"},
        f"[default]\nrole_arn = {ROLE}\ncredential_source = EcsContainer\n",
        answers={CONTAINER: Reply(200, document("BOX")), "AssumeRole": assumed("AKIDROLE")},
        asked=[CONTAINER, "AssumeRole as AKIDBOX"],
    ),
    "a role of a container that is none is an error": Scenario(
        Fails(CredentialsError, "EcsContainer gave nothing"),
        NO_IMDS,
        f"[default]\nrole_arn = {ROLE}\ncredential_source = EcsContainer\n",
    ),
    "a role of a program's keys": Scenario(
        Found("assume-role", "AKIDROLE"),
        NO_IMDS,
        f"[default]\nrole_arn = {ROLE}\nsource_profile = a\n" f"[profile a]\n{PROCESS}",
        files=printed(),
        answers={"AssumeRole": assumed("AKIDROLE")},
        asked=["AssumeRole as AKIDPROCESS"],
    ),
    "STS that fails is asked again": Scenario(
        Found("assume-role", "AKIDROLE"),
        NO_IMDS,
        f"[default]\nrole_arn = {ROLE}\nsource_profile = base\n{SOURCE}",
        answers={"AssumeRole": [refused(500, "InternalFailure"), assumed("AKIDROLE")]},
        asked=["AssumeRole as AKIDBASE"] * 2,
    ),
    "STS that is too busy is asked again": Scenario(
        Found("assume-role", "AKIDROLE"),
        NO_IMDS,
        f"[default]\nrole_arn = {ROLE}\nsource_profile = base\n{SOURCE}",
        answers={"AssumeRole": [refused(400, "Throttling"), assumed("AKIDROLE")]},
        asked=["AssumeRole as AKIDBASE"] * 2,
    ),
    "STS that refuses ends the search": Scenario(
        Fails(CredentialsError, "role/reader failed.*AccessDenied"),
        REGIONAL,
        f"[default]\nrole_arn = {ROLE}\nsource_profile = base\n{SOURCE}",
        answers={**IMDS, "AssumeRole": refused(403, "AccessDenied")},
        asked=["AssumeRole as AKIDBASE"],
    ),
}

WEB_IDENTITIES = {
    "a web identity of the environment": Scenario(
        Found("web-identity", "AKIDWEB", "123456789012"),
        {**NO_IMDS, **WEB},
        files=TOKEN_FILE,
        answers={WITH_WEB_IDENTITY: assumed("AKIDWEB", WITH_WEB_IDENTITY)},
        asked=[f"{WITH_WEB_IDENTITY} as nobody"],
    ),
    "a web identity of the profile": Scenario(
        Found("web-identity", "AKIDWEB"),
        {**NO_IMDS, "AWS_PROFILE": "p"},
        f"[profile p]\nrole_arn = {ROLE}\nweb_identity_token_file = ~/token\n",
        files=TOKEN_FILE,
        answers={WITH_WEB_IDENTITY: assumed("AKIDWEB", WITH_WEB_IDENTITY)},
        asked=[f"{WITH_WEB_IDENTITY} as nobody"],
    ),
    "a web identity as the source of a role": Scenario(
        Found("assume-role", "AKIDROLE"),
        NO_IMDS,
        f"[default]\nrole_arn = {ROLE}\nsource_profile = web\n[profile web]\n"
        f"role_arn = {FIRST_ROLE}\nweb_identity_token_file = ~/token\n",
        files=TOKEN_FILE,
        answers={
            WITH_WEB_IDENTITY: assumed("AKIDWEB", WITH_WEB_IDENTITY),
            "AssumeRole": assumed("AKIDROLE"),
        },
        asked=[f"{WITH_WEB_IDENTITY} as nobody", "AssumeRole as AKIDWEB"],
    ),
    "a profile in code counts before the environment's web identity": Scenario(
        Found("config-file", "AKIDPROFILE"),
        {**NO_IMDS, **WEB},
        f"[profile p]\n{pair('AKIDPROFILE')}",
        files=TOKEN_FILE,
        profile="p",
    ),
    "a token file that is missing is an error": Scenario(
        Fails(CredentialsError, "token cannot be read: No such file"), {**NO_IMDS, **WEB}
    ),
    "a web identity without a role is an error": Scenario(
        Fails(CredentialsError, "no AWS_ROLE_ARN or role_arn"),
        {**NO_IMDS, "AWS_WEB_IDENTITY_TOKEN_FILE": "~/token"},
        files=TOKEN_FILE,
    ),
    "a token that STS refuses ends the search": Scenario(
        Fails(CredentialsError, "InvalidIdentityToken"),
        {**NO_IMDS, **WEB},
        files=TOKEN_FILE,
        answers={WITH_WEB_IDENTITY: refused(400, "InvalidIdentityToken")},
        asked=[f"{WITH_WEB_IDENTITY} as nobody"],
    ),
}

START_URL = "https://portal.example/start"
CACHE = ".aws/sso/cache/"
ROLE_CREDENTIALS = "GET /federation/credentials?role_name=R&account_id=123456789012"
CREATE_TOKEN = "POST /token"
SSO_SESSION = (
    "[default]\nsso_session = s\nsso_account_id = 123456789012\nsso_role_name = R\n"
    f"[sso-session s]\nsso_region = eu-west-1\nsso_start_url = {START_URL}\n"
)
SSO_LEGACY = (
    f"[default]\nsso_start_url = {START_URL}\nsso_region = eu-west-1\n"
    "sso_account_id = 123456789012\nsso_role_name = R\n"
)
FROM_SSO = json_reply(
    {
        "roleCredentials": {
            "accessKeyId": "AKIDSSO",
            "secretAccessKey": "hush",
            "sessionToken": "hush",
            "expiration": 4070908800000,
        }
    }
)


def sso_token(key: str, end: str = END, **more: str) -> dict[str, str]:
    """Return the file in which the CLI keeps a token."""
    text = json.dumps({"accessToken": "hush", "expiresAt": end, "startUrl": START_URL, **more})
    return {f"{CACHE}{hashlib.sha1(key.encode()).hexdigest()}.json": text}


SSO = {
    "a session of IAM Identity Center": Scenario(
        Found("sso", "AKIDSSO", "123456789012"),
        NO_IMDS,
        SSO_SESSION,
        files=sso_token("s"),
        answers={ROLE_CREDENTIALS: FROM_SSO},
        asked=[ROLE_CREDENTIALS],
    ),
    "a profile of IAM Identity Center without a session": Scenario(
        Found("sso", "AKIDSSO"),
        NO_IMDS,
        SSO_LEGACY,
        files=sso_token(START_URL),
        answers={ROLE_CREDENTIALS: FROM_SSO},
        asked=[ROLE_CREDENTIALS],
    ),
    "a token that has ended is refreshed": Scenario(
        Found("sso", "AKIDSSO"),
        NO_IMDS,
        SSO_SESSION,
        files=sso_token(
            "s",
            "2020-01-01T00:00:00Z",
            refreshToken="hush",
            clientId="c",
            clientSecret="hush",
            registrationExpiresAt=END,
        ),
        answers={
            CREATE_TOKEN: json_reply({"accessToken": "hush2", "expiresIn": 3600}),
            ROLE_CREDENTIALS: FROM_SSO,
        },
        asked=[CREATE_TOKEN, ROLE_CREDENTIALS],
    ),
    "a token that has ended and cannot be refreshed needs a login": Scenario(
        Fails(CredentialsError, "run: aws sso login --profile default"),
        NO_IMDS,
        SSO_LEGACY,
        files=sso_token(START_URL, "2020-01-01T00:00:00Z"),
    ),
    "without a token a login is needed": Scenario(
        Fails(CredentialsError, "run: aws sso login --profile default"), NO_IMDS, SSO_SESSION
    ),
    "a token that the portal refuses needs a login": Scenario(
        Fails(CredentialsError, "run: aws sso login"),
        NO_IMDS,
        SSO_SESSION,
        files=sso_token("s"),
        answers={
            ROLE_CREDENTIALS: json_reply({"message": "no", "__type": "UnauthorizedException"}, 401)
        },
        asked=[ROLE_CREDENTIALS],
    ),
    "a session that is not there is an error": Scenario(
        Fails(CredentialsError, r"no section \[sso-session s\]"),
        NO_IMDS,
        SSO_SESSION.replace("[sso-session s]", "[sso-session t]"),
    ),
}

PROCESSES = {
    "a program's keys": Scenario(
        Found("process", "AKIDPROCESS"),
        NO_IMDS,
        f"[default]\n{PROCESS}",
        files=printed(),
    ),
    "a program's temporary keys": Scenario(
        Found("process", "AKIDPROCESS", "123456789012"),
        NO_IMDS,
        f"[default]\naws_account_id = 123456789012\n{PROCESS}",
        files=printed(SessionToken="hush", Expiration=END),
    ),
    "a program that fails ends the search": Scenario(
        Fails(CredentialsError, "ended with status 3"),
        REGIONAL,
        "[default]\ncredential_process = sh -c 'exit 3'\n",
        answers=IMDS,
    ),
    "a program that prints something else ends the search": Scenario(
        Fails(CredentialsError, "Version is missing or not 1"),
        NO_IMDS,
        f"[default]\n{PROCESS}",
        files=printed(Version=2),
    ),
    "keys that have ended are an error": Scenario(
        Fails(CredentialsError, "ended at 2020"),
        NO_IMDS,
        f"[default]\n{PROCESS}",
        files=printed(SessionToken="hush", Expiration="2020-01-01T00:00:00Z"),
    ),
}

SESSION = "arn:aws:sts::012345678910:assumed-role/Admin/admin"
CREATE_OAUTH2_TOKEN = "POST /v1/token"
LOGIN_PROFILE = f"[default]\nlogin_session = {SESSION}\n"


def login(end: str) -> dict[str, str]:
    """Return the file in which the CLI keeps a login."""
    key = ec.generate_private_key(ec.SECP256R1())
    form = (Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    token = {
        "accessKeyId": "AKIDLOGIN",
        "secretAccessKey": "hush",
        "sessionToken": "hush",
        "accountId": "012345678901",
        "expiresAt": end,
    }
    document = {
        "accessToken": token,
        "clientId": "arn:aws:signin:::devtools/same-device",
        "refreshToken": "hush",
        "dpopKey": key.private_bytes(*form).decode(),
    }
    name = hashlib.sha256(SESSION.encode()).hexdigest()
    return {f".aws/login/cache/{name}.json": json.dumps(document)}


LOGINS = {
    "a login": Scenario(
        Found("login", "AKIDLOGIN", "012345678901"), NO_IMDS, LOGIN_PROFILE, files=login(END)
    ),
    "a login that has ended is refreshed": Scenario(
        Found("login", "AKIDNEW", "012345678901"),
        NO_IMDS,
        LOGIN_PROFILE,
        files=login("2020-01-01T00:00:00Z"),
        answers={
            CREATE_OAUTH2_TOKEN: json_reply(
                {
                    "accessToken": {
                        "accessKeyId": "AKIDNEW",
                        "secretAccessKey": "hush",
                        "sessionToken": "hush",
                    },
                    "tokenType": "aws_sigv4",
                    "expiresIn": 900,
                    "refreshToken": "hush",
                }
            )
        },
        asked=[CREATE_OAUTH2_TOKEN],
    ),
    "a login that cannot be refreshed": Scenario(
        Fails(CredentialsError, "run: aws login --profile default"),
        NO_IMDS,
        LOGIN_PROFILE,
        files=login("2020-01-01T00:00:00Z"),
        answers={
            CREATE_OAUTH2_TOKEN: json_reply(
                {"error": "TOKEN_EXPIRED", "__type": "AccessDeniedException", "message": "x"}, 400
            )
        },
        asked=[CREATE_OAUTH2_TOKEN],
    ),
    "without a login one is needed": Scenario(
        Fails(CredentialsError, "run: aws login --profile default"), NO_IMDS, LOGIN_PROFILE
    ),
}

SCENARIOS = {**STATIC, **ROLES_OF_PROFILES, **WEB_IDENTITIES, **SSO, **PROCESSES, **LOGINS}
