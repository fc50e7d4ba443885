"""Passwords made of a signature, compared with botocore's."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from datetime import UTC, datetime, timedelta
from typing import Any

import botocore.auth
import botocore.model
import botocore.session
import botocore.signers
import pytest

from tornado_aws import tokens
from tornado_aws.credentials import Credentials
from tornado_aws.exceptions import ParamValidationError

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
KEYS = ("AKID", "secret", "to/ken+")


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A session of botocore that signs in Python, at that moment."""
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: NOW.replace(tzinfo=None))
    monkeypatch.setitem(botocore.auth.AUTH_TYPE_MAPS, "v4-query", botocore.auth.SigV4QueryAuth)
    session = botocore.session.Session()
    session.set_credentials(*KEYS)
    return session


def test_passwords_for_rds_are_those_of_botocore(session: Any) -> None:
    """With a user's name that must be escaped."""
    client = session.create_client("rds", region_name="eu-west-1")
    expected = client.generate_db_auth_token("db.test", 5432, "a b/ü")
    made = tokens.rds(Credentials(*KEYS), "eu-west-1", "db.test", 5432, "a b/ü", NOW.timestamp())
    assert made == expected


@pytest.mark.parametrize("admin", [False, True])
def test_passwords_for_dsql_are_those_of_botocore(session: Any, admin: bool) -> None:
    """For both kinds of user."""
    client = session.create_client("dsql", region_name="eu-west-1")
    kind = "admin_" if admin else ""
    generate = getattr(client, f"generate_db_connect_{kind}auth_token")
    made = tokens.dsql(
        Credentials(*KEYS),
        "eu-west-1",
        "db.test",
        admin=admin,
        expires=60,
        timestamp=NOW.timestamp(),
    )
    assert made == generate("db.test", ExpiresIn=60)


def test_tokens_for_eks_are_what_the_published_recipe_makes(session: Any) -> None:
    """A URL of STS that is signed together with the name of the cluster."""
    signer = botocore.signers.RequestSigner(
        botocore.model.ServiceId("STS"),
        "eu-west-1",
        "sts",
        "v4",
        session.get_credentials(),
        session.get_component("event_emitter"),
    )
    request = {
        "method": "GET",
        "url": "https://sts.eu-west-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15",
        "body": {},
        "headers": {"x-k8s-aws-id": "cluster"},
        "context": {},
    }
    expected = signer.generate_presigned_url(
        request, region_name="eu-west-1", expires_in=60, operation_name=""
    )
    made = tokens.eks(Credentials(*KEYS), "eu-west-1", "cluster", NOW.timestamp())
    prefix, _, encoded = made.partition(".")
    assert prefix == "k8s-aws-v1"
    assert urlsafe_b64decode(f"{encoded}{'=' * (-len(encoded) % 4)}").decode() == expected
    assert not made.endswith("=")


def test_in_china_sts_has_another_name() -> None:
    """Its partition has a domain of its own."""
    made = tokens.eks(Credentials(*KEYS), "cn-north-1", "cluster", 0.0).partition(".")[2]
    url = urlsafe_b64decode(f"{made}{'=' * (-len(made) % 4)}")
    assert url.startswith(b"https://sts.cn-north-1.amazonaws.com.cn/?")


def test_what_is_no_host_is_refused() -> None:
    """A slash in it would sign another place."""
    with pytest.raises(ParamValidationError, match="host"):
        tokens.rds(Credentials(*KEYS), "eu-west-1", "db test", 5432, "user")


def test_passwords_end_with_their_credentials() -> None:
    """They say so, instead of promising more."""
    soon = Credentials(*KEYS, NOW + timedelta(seconds=20))
    when = NOW.timestamp()
    made = [
        tokens.rds(soon, "eu-west-1", "db.test", 5432, "me", when),
        tokens.dsql(soon, "eu-west-1", "db.test", timestamp=when),
    ]
    assert all("X-Amz-Expires=20&" in each for each in made)
    encoded = tokens.eks(soon, "eu-west-1", "cluster", when).removeprefix("k8s-aws-v1.")
    assert b"X-Amz-Expires=20&" in urlsafe_b64decode(f"{encoded}===")
