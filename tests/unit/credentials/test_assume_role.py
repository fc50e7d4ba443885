"""Credentials of roles: in profiles, in code, shared with the AWS CLI."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.credentials import AssumeRoleCredentialFetcher, JSONFileCache
from botocore.credentials import Credentials as BotocoreCredentials

from tests.support.credential_sources import keys, make_context, no_transport
from tests.support.fake_services import FakeServices, Refusal
from tornado_aws.config import parse_profiles
from tornado_aws.credentials import Credentials
from tornado_aws.credentials.chain import default_source
from tornado_aws.credentials.providers.assume_role import AssumeRole, cache_key
from tornado_aws.exceptions import ClientClosedError, CredentialsError
from tornado_aws.settings import resolve

ROLE = "arn:aws:iam::123456789012:role/r"
OTHER = "arn:aws:iam::210987654321:role/s"
BASE = "[profile base]\naws_access_key_id = BASE\naws_secret_access_key = hush\n"


def load(
    services: FakeServices | None,
    config: str,
    credentials: str = "",
    environ: Mapping[str, str] | None = None,
    **more: Any,
) -> Credentials:
    """Load profile p through the whole chain."""
    profiles = parse_profiles(config, credentials)
    settings = resolve({"profile": "p", "region": "eu-west-1"}, environ or {}, profiles)
    source = default_source(settings, profiles, environ or {}, no_transport, call=services, **more)
    return asyncio.run(source.get())


def test_a_role_is_asked_for_with_the_source_profiles_keys() -> None:
    """Every property becomes a parameter of AssumeRole."""
    services = FakeServices()
    found = load(
        services,
        f"{BASE}[profile p]\nrole_arn = {ROLE}\nsource_profile = base\nexternal_id = e\n"
        "role_session_name = me\nduration_seconds = 1800",
    )
    assert keys(found) == ("AKID1", "hush1", "hushtoken1")
    assert (found.source, found.account_id) == ("assume-role", "123456789012")
    [call] = services.calls
    assert (call.service, call.operation, call.region) == ("sts", "AssumeRole", "eu-west-1")
    assert call.credentials == Credentials("BASE", "hush")
    assert call.params == {
        "RoleArn": ROLE,
        "RoleSessionName": "me",
        "ExternalId": "e",
        "DurationSeconds": 1800,
    }


def test_roles_may_be_chained() -> None:
    """The credentials of one role ask for the next one's."""
    services = FakeServices()
    load(
        services,
        f"{BASE}[profile p]\nrole_arn = {ROLE}\nsource_profile = middle\n"
        f"[profile middle]\nrole_arn = {OTHER}\nsource_profile = base",
    )
    assert [call.params["RoleArn"] for call in services.calls] == [OTHER, ROLE]
    assert services.calls[1].credentials == Credentials("AKID1", "hush1", "hushtoken1")
    assert services.calls[0].params["RoleSessionName"].startswith("tornado-aws-")


def test_a_profile_may_name_itself_for_its_own_keys() -> None:
    """Role and keys can stand in one profile."""
    services = FakeServices()
    load(
        services,
        f"[profile p]\nrole_arn = {ROLE}\nsource_profile = p",
        "[p]\naws_access_key_id = OWN\naws_secret_access_key = hush",
    )
    assert services.calls[0].credentials == Credentials("OWN", "hush")


def test_keys_of_a_source_profile_count_before_its_role() -> None:
    """A source profile with keys gives them, though it names a role too."""
    services = FakeServices()
    load(
        services,
        f"[profile p]\nrole_arn = {ROLE}\nsource_profile = q\n[profile q]\nrole_arn = {OTHER}\n"
        "source_profile = nowhere\naws_access_key_id = Q\naws_secret_access_key = hush",
    )
    assert services.calls[0].credentials == Credentials("Q", "hush")


def test_a_source_profile_may_have_any_source(tmp_path: Path) -> None:
    """A web identity token, here, then the role."""
    services = FakeServices()
    (tmp_path / "token").write_text("hush")
    load(
        services,
        f"[profile p]\nrole_arn = {ROLE}\nsource_profile = q\n"
        f"[profile q]\nrole_arn = {OTHER}\nweb_identity_token_file = {tmp_path / 'token'}",
    )
    assert services.operations() == ["AssumeRoleWithWebIdentity", "AssumeRole"]


def test_credential_source_names_the_environment() -> None:
    """Its keys ask for the role, even when the profile was named in code."""
    services = FakeServices()
    environ = {"AWS_ACCESS_KEY_ID": "ENV", "AWS_SECRET_ACCESS_KEY": "hush"}
    load(
        services,
        f"[profile p]\nrole_arn = {ROLE}\ncredential_source = Environment",
        environ=environ,
    )
    assert services.calls[0].credentials == Credentials("ENV", "hush")


FAULTS = {
    "nothing to ask with": (f"role_arn = {ROLE}", "needs source_profile or credential_source"),
    "two things to ask with": (
        f"role_arn = {ROLE}\nsource_profile = base\ncredential_source = Environment",
        "both",
    ),
    "an unknown source": (
        f"role_arn = {ROLE}\ncredential_source = environment",
        "none of Environment, EcsContainer, Ec2InstanceMetadata",
    ),
    "a source that gives nothing": (
        f"role_arn = {ROLE}\ncredential_source = Environment",
        "AWS_ACCESS_KEY_ID is not set",
    ),
    "an unknown profile": (f"role_arn = {ROLE}\nsource_profile = x", "'x' does not exist"),
    "a profile without its kind": (
        f"role_arn = {ROLE}\nsource_profile = x\n[x]",
        r"'x' does not exist; the section \[x\] of .* is ignored",
    ),
    "a profile without anything": (
        f"role_arn = {ROLE}\nsource_profile = empty",
        "'empty' gave no credentials",
    ),
    "itself without keys": (f"role_arn = {ROLE}\nsource_profile = p", "goes round: p -> p"),
    "a circle": (f"role_arn = {ROLE}\nsource_profile = loop", "goes round: p -> loop -> p"),
    "an impossible duration": (
        f"role_arn = {ROLE}\nsource_profile = base\nduration_seconds = 1h",
        "duration_seconds must be",
    ),
    "a table": (f"role_arn = {ROLE}\nsource_profile =\n  x = y", "source_profile must be a text"),
    "half a pair": (f"role_arn = {ROLE}\nsource_profile = half", "no aws_secret_access_key"),
}


@pytest.mark.parametrize(("text", "reason"), FAULTS.values(), ids=FAULTS)
def test_a_wrong_configuration_is_an_error_of_its_own(text: str, reason: str) -> None:
    """The chain does not go on to other sources, and STS is not asked."""
    services = FakeServices()
    config = (
        f"{BASE}[profile p]\n{text}\n[profile empty]\n[profile half]\naws_access_key_id = H\n"
        f"[profile loop]\nrole_arn = {OTHER}\nsource_profile = p"
    )
    with pytest.raises(CredentialsError, match=reason):
        load(services, config)
    assert not services.calls


@pytest.mark.parametrize("refusal", list(Refusal))
def test_a_refusal_is_told_with_the_role(refusal: Refusal, caplog: Any) -> None:
    """The chain stops with what STS said."""
    caplog.set_level(logging.DEBUG)
    services = FakeServices()
    services.refusals = [refusal]
    with pytest.raises(CredentialsError, match=refusal.name) as caught:
        load(services, f"{BASE}[profile p]\nrole_arn = {ROLE}\nsource_profile = base")
    assert ROLE in str(caught.value)
    assert "hush" not in f"{caught.value}{caplog.text}"


def test_without_a_way_to_sts_the_error_says_so() -> None:
    """A chain can be made without one."""
    with pytest.raises(CredentialsError, match="a way to call STS"):
        load(None, f"{BASE}[profile p]\nrole_arn = {ROLE}\nsource_profile = base")


MFA = f"{BASE}[profile p]\nrole_arn = {ROLE}\nsource_profile = base\nmfa_serial = arn:mfa"


def test_the_code_of_an_mfa_device_comes_from_a_callback() -> None:
    """Ordinary and coroutine functions are called with the device's serial number."""
    asked = []

    def ordinary(serial: str) -> str:
        asked.append(serial)
        return "123456"

    async def coroutine(serial: str) -> str:
        return ordinary(serial)

    for callback in (ordinary, coroutine):
        services = FakeServices()
        load(services, MFA, mfa_code=callback)
        assert services.calls[0].params["SerialNumber"] == "arn:mfa"
        assert services.calls[0].params["TokenCode"] == "123456"
    assert asked == ["arn:mfa"] * 2


@pytest.mark.parametrize("code", [123456, None, b"123456"])
def test_a_code_that_is_no_text_is_an_error(code: Any) -> None:
    """The zeros at its beginning would be lost in a number; the code is not shown."""

    async def coroutine(serial: str) -> Any:
        return code

    for callback in (lambda serial: code, coroutine):
        services = FakeServices()
        with pytest.raises(CredentialsError, match="mfa_code returned") as caught:
            load(services, MFA, mfa_code=callback)
        assert "123456" not in f"{caught.value}{caught.value.__cause__!r}"
        assert not services.calls


def test_without_a_callback_a_device_is_an_error() -> None:
    """Nothing ever waits for a terminal."""
    with pytest.raises(CredentialsError, match="give mfa_code="):
        load(FakeServices(), MFA)


PARAMS = [
    {"RoleArn": ROLE},
    {"RoleArn": ROLE, "RoleSessionName": "me", "DurationSeconds": 900, "ExternalId": "e"},
    {"RoleArn": ROLE, "SerialNumber": "arn:mfa", "Policy": '{"b": 1, "a": [2]}'},
]


@pytest.mark.parametrize("params", PARAMS)
def test_cached_roles_have_the_names_that_botocore_gives_them(params: dict[str, Any]) -> None:
    """The AWS CLI finds our files and we find its."""
    more = {key: value for key, value in params.items() if key != "RoleArn"}
    fetcher = AssumeRoleCredentialFetcher(
        None, BotocoreCredentials("a", "b"), params["RoleArn"], more
    )
    assert cache_key(params) == fetcher._cache_key


class Cached:
    """A role with a cache in a folder."""

    def __init__(self, folder: Path) -> None:
        self.services = FakeServices()
        self.context = make_context(call=self.services, role_cache=str(folder))
        self.file = folder / f"{cache_key({'RoleArn': ROLE})}.json"

    def load(self, rejected: Credentials | None = None) -> Credentials:
        async def get_source(rejected: Credentials | None) -> Credentials:
            return Credentials("BASE", "hush")

        role = AssumeRole(self.context, {"RoleArn": ROLE}, get_source)
        return asyncio.run(role.load(rejected))

    def age(self, remaining: float) -> None:
        document = json.loads(self.file.read_text())
        end = datetime.now(UTC) + timedelta(seconds=remaining)
        document["Credentials"]["Expiration"] = end.isoformat()
        self.file.write_text(json.dumps(document))


def test_a_cached_role_costs_no_call(tmp_path: Path) -> None:
    """Another process, or the CLI, has asked already."""
    cached = Cached(tmp_path)
    first = cached.load()
    assert first == cached.load()
    assert len(cached.services.calls) == 1
    assert cached.load().account_id == "123456789012"


def test_the_cache_is_shared_with_botocore(tmp_path: Path) -> None:
    """What either side has put there the other one takes, without asking STS."""
    mine = Cached(tmp_path / "mine").load()
    theirs = botocores_cached(tmp_path / "mine").fetch_credentials()
    assert (theirs["access_key"], theirs["account_id"]) == (mine.access_key, "123456789012")

    client = SimpleNamespace(assume_role=lambda **params: FakeServices()._assumed_role(params))
    theirs = botocores_cached(tmp_path / "theirs", client).fetch_credentials()
    cached = Cached(tmp_path / "theirs")
    found = cached.load()
    assert not cached.services.calls
    assert keys(found) == (theirs["access_key"], theirs["secret_key"], theirs["token"])
    assert found.account_id == theirs["account_id"]
    assert found.expiration is not None
    assert abs(found.expiration - datetime.fromisoformat(theirs["expiry_time"])) < timedelta(
        seconds=1
    )


def botocores_cached(folder: Path, client: object = None) -> Any:
    """Return botocore's fetcher of the role, with its cache in a folder."""
    return AssumeRoleCredentialFetcher(
        lambda *_, **__: client, BotocoreCredentials("a", "b"), ROLE, cache=JSONFileCache(folder)
    )


def test_a_cached_role_that_ends_soon_is_asked_for_again(tmp_path: Path) -> None:
    """A quarter of an hour is too little."""
    cached = Cached(tmp_path)
    cached.load()
    cached.age(890)
    assert cached.load().access_key == "AKID2"
    cached.age(910)
    assert cached.load().access_key == "AKID2"


def test_rejected_credentials_are_not_taken_from_the_cache(tmp_path: Path) -> None:
    """What a service refused is asked for again."""
    cached = Cached(tmp_path)
    first = cached.load()
    assert cached.load(rejected=first).access_key == "AKID2"


@pytest.mark.parametrize("contents", ["", "{}", '{"Credentials": {}}', '{"Credentials": 1}'])
def test_a_spoiled_cache_is_an_empty_cache(tmp_path: Path, contents: str) -> None:
    """STS is asked, and the file is whole again."""
    cached = Cached(tmp_path)
    cached.file.write_text(contents)
    assert cached.load().access_key == "AKID1"
    assert cached.load().access_key == "AKID1"


@pytest.mark.parametrize("user", [1, "me", {"Arn": 1}, {"Arn": "me"}])
def test_a_cached_role_without_its_name_is_good(tmp_path: Path, user: Any) -> None:
    """It says the account, and no more is needed of it."""
    cached = Cached(tmp_path)
    cached.load()
    document = json.loads(cached.file.read_text())
    del document["Credentials"]["AccountId"]
    cached.file.write_text(json.dumps({**document, "AssumedRoleUser": user}))
    found = cached.load()
    assert (found.access_key, found.account_id) == ("AKID1", None)


def test_a_cache_that_cannot_be_written_fails_no_call(tmp_path: Path, caplog: Any) -> None:
    """It is logged, without the credentials."""
    (tmp_path / "file").write_text("")
    assert Cached(tmp_path / "file").load().access_key == "AKID1"
    assert "cannot be cached" in caplog.text
    assert "hush" not in caplog.text


def test_a_closed_client_is_told_as_such() -> None:
    """It is no fault of the role's configuration."""

    class Closed(FakeServices):
        async def __call__(self, *arguments: Any, **more: Any) -> dict[str, Any]:
            raise ClientClosedError(sent=False)

    with pytest.raises(ClientClosedError):
        load(Closed(), f"{BASE}[profile p]\nrole_arn = {ROLE}\nsource_profile = base")
