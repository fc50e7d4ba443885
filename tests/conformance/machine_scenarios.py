"""Scenarios of the credential chain where the machine gives the credentials."""

from __future__ import annotations

from tests.support.credential_sources import document
from tests.support.scripted_server import BROKEN, Reply
from tornado_aws.exceptions import ConfigNotFound, CredentialsError, NoCredentialsError

from .scenarios import (
    CONTAINER,
    ENV,
    FROM_IMDS,
    HOME,
    IMDS,
    NO_IMDS,
    REGIONAL,
    ROLES,
    SERVER,
    TOKEN,
    Fails,
    Found,
    Scenario,
    json_reply,
    pair,
)

REGION = "GET /latest/meta-data/placement/region"
IDENTITY = "GET /latest/dynamic/instance-identity/document"

BOX = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{SERVER}/credentials"}
CONTAINERS = {
    "a container's endpoint counts before the instance's": Scenario(
        Found("container", "AKIDBOX"),
        {**REGIONAL, **BOX},
        answers={**IMDS, CONTAINER: Reply(200, document("BOX"))},
        asked=[CONTAINER],
    ),
    "a container's endpoint with a token": Scenario(
        Found("container", "AKIDBOX"),
        {**NO_IMDS, **BOX, "AWS_CONTAINER_AUTHORIZATION_TOKEN": "Basic hush"},
        answers={f"{CONTAINER} with Basic hush": Reply(200, document("BOX"))},
        asked=[f"{CONTAINER} with Basic hush"],
    ),
    "a token file counts before the token": Scenario(
        Found("container", "AKIDBOX"),
        {
            **NO_IMDS,
            **BOX,
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": "old",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": f"{HOME}/box",
        },
        files={"box": "hush-of-file"},
        answers={f"{CONTAINER} with hush-of-file": Reply(200, document("BOX"))},
        asked=[f"{CONTAINER} with hush-of-file"],
    ),
    "a container's endpoint that refuses ends the search": Scenario(
        Fails(CredentialsError, "status 403"),
        {**REGIONAL, **BOX},
        answers={**IMDS, CONTAINER: Reply(403, b"no")},
        asked=[CONTAINER],
    ),
    "an endpoint elsewhere is not asked without TLS": Scenario(
        Fails(CredentialsError, "'example.invalid' .* is not allowed without TLS"),
        {**NO_IMDS, "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://example.invalid/x"},
    ),
    "the profile counts before the container": Scenario(
        Found("config-file", "AKIDPROFILE"),
        {**NO_IMDS, **BOX},
        f"[default]\n{pair('AKIDPROFILE')}",
    ),
}

INSTANCES = {
    "a role of the instance alone": Scenario(
        Found("imds", "AKIDIMDS", region="eu-west-1"), REGIONAL, answers=IMDS, asked=FROM_IMDS
    ),
    "a configuration without credentials leaves it to the instance": Scenario(
        Found("imds", "AKIDIMDS", region="us-east-2"),
        config="[default]\nregion = us-east-2\noutput = json\n",
        answers=IMDS,
        asked=FROM_IMDS,
    ),
    "a role that the environment names": Scenario(
        Found("imds", "AKIDMINE"),
        {**REGIONAL, "AWS_EC2_INSTANCE_PROFILE_NAME": "mine"},
        answers={**IMDS, f"{ROLES}mine": Reply(200, document("MINE"))},
        asked=[TOKEN, f"{ROLES}mine"],
    ),
    "a role that the profile names": Scenario(
        Found("imds", "AKIDMINE"),
        REGIONAL,
        "[default]\nec2_instance_profile_name = mine\n",
        answers={**IMDS, f"{ROLES}mine": Reply(200, document("MINE"))},
        asked=[TOKEN, f"{ROLES}mine"],
    ),
    "region and role of the instance": Scenario(
        Found("imds", "AKIDIMDS", region="eu-central-2"),
        answers={**IMDS, REGION: Reply(200, b"eu-central-2")},
        asked=[*FROM_IMDS, TOKEN, REGION],
    ),
    "region of an old service": Scenario(
        Found("env", "AKIDENV", region="eu-central-2"),
        ENV,
        answers={TOKEN: IMDS[TOKEN], IDENTITY: json_reply({"region": "eu-central-2"})},
        asked=[TOKEN, REGION, IDENTITY],
    ),
    "no region anywhere": Scenario(
        Fails(ConfigNotFound, "config.*gave none .AWS_EC2_METADATA_DISABLED is set.; pass region="),
        {**ENV, "AWS_EC2_METADATA_DISABLED": "true"},
    ),
    "a region that a busy service does not give": Scenario(
        Fails(ConfigNotFound, "placement/region with status 429"),
        ENV,
        answers={TOKEN: IMDS[TOKEN], REGION: Reply(429)},
        asked=[TOKEN, *[REGION] * 3],
    ),
    "version 1 where there are no tokens": Scenario(
        Found("imds", "AKIDIMDS"),
        REGIONAL,
        answers={**IMDS, TOKEN: Reply(404)},
        asked=[TOKEN, ROLES, f"{ROLES}role"],
    ),
    "version 1 may be switched off in the environment": Scenario(
        Fails(NoCredentialsError, "imds: no token"),
        {**REGIONAL, "AWS_EC2_METADATA_V1_DISABLED": "true"},
        answers={**IMDS, TOKEN: Reply(404)},
        asked=[TOKEN],
    ),
    "version 1 may be switched off in the profile": Scenario(
        Fails(NoCredentialsError, "imds: no token"),
        REGIONAL,
        "[default]\nec2_metadata_v1_disabled = true\n",
        answers={**IMDS, TOKEN: Reply(403)},
        asked=[TOKEN],
    ),
    "the instance may be left alone": Scenario(
        Fails(NoCredentialsError, "AWS_EC2_METADATA_DISABLED"), NO_IMDS, answers=IMDS
    ),
    "an instance without a role": Scenario(
        Fails(NoCredentialsError, "imds: .*nothing at"),
        REGIONAL,
        answers={TOKEN: IMDS[TOKEN]},
        asked=[TOKEN, ROLES],
    ),
    "a request for a token that is refused ends the search": Scenario(
        Fails(NoCredentialsError, "imds: .*status 400"),
        REGIONAL,
        answers={**IMDS, TOKEN: Reply(400)},
        asked=[TOKEN],
    ),
    "a service that is busy is asked again": Scenario(
        Found("imds", "AKIDIMDS"),
        REGIONAL,
        answers={**IMDS, ROLES: [Reply(503), Reply(429), Reply(200, b"role")]},
        asked=[TOKEN, ROLES, ROLES, ROLES, f"{ROLES}role"],
    ),
    "an answer that breaks off is asked for again": Scenario(
        Found("imds", "AKIDIMDS"),
        {**REGIONAL, "AWS_METADATA_SERVICE_NUM_ATTEMPTS": "2"},
        answers={**IMDS, f"{ROLES}role": [BROKEN, Reply(200, document("IMDS"))]},
        asked=[*FROM_IMDS, f"{ROLES}role"],
    ),
    "an error in a good answer is an error": Scenario(
        Fails(CredentialsError, "AssumeRoleUnauthorizedAccess: not trusted"),
        REGIONAL,
        answers={
            **IMDS,
            f"{ROLES}role": json_reply(
                {"Code": "AssumeRoleUnauthorizedAccess", "Message": "not trusted"}
            ),
        },
        asked=FROM_IMDS,
    ),
    "credentials that have ended are used on": Scenario(
        Found("imds", "AKIDOLD"),
        REGIONAL,
        answers={**IMDS, f"{ROLES}role": Reply(200, document("OLD", -3600, Code="Success"))},
        asked=FROM_IMDS,
    ),
}

MACHINE_SCENARIOS = {**CONTAINERS, **INSTANCES}
