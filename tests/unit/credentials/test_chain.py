"""The chain: its order, its errors, and botocore beside it."""

from __future__ import annotations

import asyncio
import json
import logging
import pickle
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import BotoCoreError
from moto.server import ThreadedMotoServer

from tests.support.blocking import blocking_calls
from tests.support.credential_sources import document, engine, keys, make_context, no_transport
from tests.support.fake_services import FakeServices
from tests.support.scripted_server import Asked, Reply, scripted_server
from tornado_aws.config import ProfileFiles, file_paths, parse_profiles
from tornado_aws.credentials import Credentials, refresh
from tornado_aws.credentials.chain import ORDER, default_source
from tornado_aws.credentials.source import CredentialSource
from tornado_aws.exceptions import AWSClientException, CredentialsError, NoCredentialsError
from tornado_aws.settings import resolve
from tornado_aws.transport import Transport

ENV = {"AWS_ACCESS_KEY_ID": "ENV", "AWS_SECRET_ACCESS_KEY": "hush"}
OFF = {"AWS_EC2_METADATA_DISABLED": "true"}


def pair(name: str) -> str:
    return f"aws_access_key_id = {name}\naws_secret_access_key = hush\n"


def process(name: str) -> str:
    text = json.dumps({"Version": 1, "AccessKeyId": name, "SecretAccessKey": "hush"})
    return f"credential_process = {sys.executable} -S -c 'print({json.dumps(text)})'\n"


def source(
    config: str = "",
    credentials: str = "",
    environ: Mapping[str, str] | None = None,
    profile: str | None = None,
    transport: Transport | None = None,
    **more: Any,
) -> CredentialSource:
    environ = {**OFF, **(environ or {})}
    profiles = parse_profiles(config, credentials)
    settings = resolve({"profile": profile}, environ, profiles)
    factory = no_transport if transport is None else lambda: transport
    return default_source(settings, profiles, environ, factory, **more)


def load(*arguments: Any, **more: Any) -> Credentials:
    return asyncio.run(source(*arguments, **more).get())


def test_the_page_of_the_configuration_shows_the_chain() -> None:
    """Its picture has every source, in the order in which they are asked."""
    page = Path(__file__).parents[3] / "docs" / "configuration.rst"
    names = [make(make_context()).name for make in ORDER]
    _, _, picture = page.read_text(encoding="utf-8").partition(".. code-block:: none")
    shown = re.findall(
        r"^    ([a-z-]+)  ", picture.partition("NoCredentialsError")[0], re.MULTILINE
    )
    assert shown == ["arguments", *names]


def test_the_order_of_the_sources() -> None:
    """Taking the first source away each time uncovers the next one, to the last."""
    config = (
        f"[default]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = b\n{process('PROCESS')}"
        f"{pair('CONFIG')}[profile b]\n{pair('B')}"
    )
    credentials = f"[default]\n{pair('FILE')}"
    found = []

    async def answer(asked: Asked) -> Reply:
        return Reply(200, document("CONTAINER"))

    async def main() -> None:
        async with scripted_server(answer) as server, engine() as transport:
            environ = {**ENV, "AWS_CONTAINER_CREDENTIALS_FULL_URI": server.url}
            texts = [config, credentials]

            async def note() -> None:
                sources = source(
                    texts[0], texts[1], environ, transport=transport, call=FakeServices()
                )
                credentials = await sources.get()
                found.append((credentials.source, credentials.access_key))

            await note()
            environ.pop("AWS_ACCESS_KEY_ID")
            await note()
            texts[0] = config.replace("role_arn", "x")
            await note()
            texts[1] = ""
            await note()
            texts[0] = texts[0].replace("credential_process", "y")
            await note()
            texts[0] = ""
            await note()

    asyncio.run(main())
    assert found == [
        ("env", "ENV"),
        ("assume-role", "AKID1"),
        ("credentials-file", "FILE"),
        ("process", "PROCESS"),
        ("config-file", "CONFIG"),
        ("container", "AKIDCONTAINER"),
    ]


def test_a_profile_in_code_takes_the_environment_out() -> None:
    """Who names a profile in code means it; who names it in the environment sets a default."""
    config = f"[profile p]\n{pair('P')}"
    assert load(config, environ=ENV, profile="p").access_key == "P"
    assert load(config, environ={**ENV, "AWS_PROFILE": "p"}).access_key == "ENV"


def test_no_source_at_all_lists_every_one_with_its_reason() -> None:
    """The error says where was looked and why there was nothing."""
    with pytest.raises(NoCredentialsError) as caught:
        load()
    names = [name for name, _ in caught.value.tried]
    assert names == [
        "env",
        "assume-role",
        "web-identity",
        "sso",
        "credentials-file",
        "login",
        "process",
        "config-file",
        "container",
        "imds",
    ]
    assert all(f"{name}: {reason}" in str(caught.value) for name, reason in caught.value.tried)
    tried = dict(caught.value.tried)
    assert tried["credentials-file"] == "profile 'default' is not in ~/.aws/credentials"
    assert tried["config-file"] == "profile 'default' is not in ~/.aws/config"
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.tried) == (str(caught.value), caught.value.tried)


BROKEN = {
    "env": (("", f"[default]\n{pair('FILE')}", {"AWS_ACCESS_KEY_ID": "ENV"}), "env"),
    "role": ((f"[default]\nrole_arn = arn:x\n{pair('CONFIG')}",), "assume-role"),
    "web": (("", f"[default]\n{pair('F')}", {"AWS_WEB_IDENTITY_TOKEN_FILE": "/x"}), "web-identity"),
    "sso": ((f"[default]\nsso_role_name = r\n{pair('CONFIG')}",), "sso"),
    "file": (
        (f"[default]\n{pair('CONFIG')}", "[default]\naws_access_key_id = A"),
        "credentials-file",
    ),
    "process": ((f"[default]\ncredential_process = false\n{pair('CONFIG')}",), "process"),
}


@pytest.mark.parametrize(("arguments", "name"), BROKEN.values(), ids=BROKEN)
def test_a_broken_source_stops_the_chain(arguments: tuple[Any, ...], name: str) -> None:
    """Its own error is told; what comes after it is never used in its place."""
    with pytest.raises(CredentialsError) as caught:
        load(*arguments)
    assert not isinstance(caught.value, NoCredentialsError)
    assert caught.value.source == name


def test_the_chain_stays_with_its_source(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refresh never turns to another source: that might be another account."""
    monkeypatch.setattr(refresh, "REJECTED_PAUSE", 0.0)
    environ = dict(ENV)

    async def main() -> None:
        profiles = parse_profiles("", f"[default]\n{pair('FILE')}")
        settings = resolve({}, environ, profiles)
        chain = default_source(settings, profiles, environ, no_transport)
        first = await chain.get()
        del environ["AWS_ACCESS_KEY_ID"]
        with pytest.raises(CredentialsError, match="they are gone: AWS_ACCESS_KEY_ID is not set"):
            await chain.renew(first)
        environ["AWS_ACCESS_KEY_ID"] = "ENV2"
        second = await chain.renew(first)
        assert second == Credentials("ENV2", "hush")

    asyncio.run(main())


def test_changed_files_are_seen_through_the_chain(tmp_path: Path) -> None:
    """With a way to read the files again, rejected keys are replaced from them."""
    environ = {**OFF, "HOME": str(tmp_path)}
    (tmp_path / ".aws").mkdir()
    file = tmp_path / ".aws" / "credentials"

    async def main() -> None:
        file.write_text(f"[default]\n{pair('OLD')}")
        files = ProfileFiles(file_paths(environ))
        profiles = files.load()
        chain = default_source(
            resolve({}, environ, profiles), profiles, environ, no_transport, reload=files.load
        )
        old = await chain.get()
        file.write_text(f"[default]\n{pair('NEWER')}")
        new = await chain.renew(old)
        assert new == Credentials("NEWER", "hush")
        assert await chain.renew(new) is None

    asyncio.run(main())


SCENARIOS: dict[str, tuple[str, str, dict[str, str], str | None]] = {
    "nothing": ("", "", {}, None),
    "environment": ("", f"[default]\n{pair('F')}", ENV, None),
    "half an environment": ("", f"[default]\n{pair('F')}", {"AWS_ACCESS_KEY_ID": "A"}, None),
    "the other half": ("", f"[default]\n{pair('F')}", {"AWS_SECRET_ACCESS_KEY": "A"}, None),
    "a stray token": ("", f"[default]\n{pair('F')}", {"AWS_SESSION_TOKEN": "T"}, None),
    "credentials file": (f"[default]\n{pair('C')}", f"[default]\n{pair('F')}", {}, None),
    "configuration file": (f"[default]\n{pair('C')}", "", {}, None),
    "profile of a variable": ("", f"[p]\n{pair('P')}", {"AWS_PROFILE": "p"}, None),
    "profile in code": (f"[profile p]\n{pair('P')}", "", ENV, "p"),
    "two profile variables": (
        "",
        f"[p]\n{pair('P')}[q]\n{pair('Q')}",
        {"AWS_PROFILE": "p", "AWS_DEFAULT_PROFILE": "q"},
        None,
    ),
    "unknown profile": ("", f"[p]\n{pair('P')}", {}, "x"),
    "unknown profile of a variable": ("", f"[p]\n{pair('P')}", {**ENV, "AWS_PROFILE": "x"}, None),
    "half a file": ("", "[default]\naws_access_key_id = A", {}, None),
    "the file's other half": ("", "[default]\naws_secret_access_key = A", {}, None),
    "process": (f"[default]\n{process('X')}", "", {}, None),
    "process after the credentials file": (
        f"[default]\n{process('X')}",
        f"[default]\n{pair('F')}",
        {},
        None,
    ),
    "process before the configuration file": (
        f"[default]\n{process('X')}{pair('C')}",
        "",
        {},
        None,
    ),
    "process that fails": ("[default]\ncredential_process = false", "", {}, None),
    "no leak from default": (
        f"[profile p]\n{pair('P')}",
        f"[default]\n{pair('D')}aws_session_token = T",
        {},
        "p",
    ),
    "a profile of both files": ("[profile p]\nregion = x", f"[p]\n{pair('P')}", {}, "p"),
    "role without source": ("[default]\nrole_arn = arn:aws:iam::1:role/r", "", {}, None),
    "role in a circle": (
        "[default]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = q\n"
        "[profile q]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = default",
        "",
        {},
        None,
    ),
    "unknown source profile": (
        "[default]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = q",
        "",
        {},
        None,
    ),
    "login that was never made": ("[default]\nlogin_session = arn:x", "", {}, None),
    "unknown sso session": (
        "[default]\nsso_session = s\nsso_account_id = 1\nsso_role_name = r",
        "",
        {},
        None,
    ),
    "token without role": ("", "", {"AWS_WEB_IDENTITY_TOKEN_FILE": "/nowhere"}, None),
}


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)
def test_environments_mean_what_they_mean_to_botocore(
    scenario: tuple[str, str, dict[str, str], str | None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The same credentials, or an error where botocore has one, or nothing where it has nothing."""
    config, credentials, variables, profile = scenario
    (tmp_path / "config").write_text(config)
    (tmp_path / "credentials").write_text(credentials)
    environ = {
        **OFF,
        **variables,
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
    }
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert _ours(environ, profile) == _botocores(profile)


def _ours(environ: dict[str, str], profile: str | None) -> Any:
    try:
        files = ProfileFiles(file_paths(environ))
        profiles = files.load()
        settings = resolve({"profile": profile}, environ, profiles)
        return keys(asyncio.run(default_source(settings, profiles, environ, no_transport).get()))
    except NoCredentialsError:
        return None
    except AWSClientException:
        return "error"


def _botocores(profile: str | None) -> Any:
    try:
        found = botocore.session.Session(profile=profile).get_credentials()
    except BotoCoreError:
        return "error"
    if found is None:
        return None
    frozen = found.get_frozen_credentials()
    return frozen.access_key, frozen.secret_key, frozen.token


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


class BotocoreCalls:
    """Calls the services through botocore, in threads."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def __call__(
        self,
        service: str,
        operation: str,
        region: str,
        params: Mapping[str, Any],
        credentials: Credentials | None,
        *,
        headers: Callable[[str], Mapping[str, str]] | None = None,
    ) -> dict[str, Any]:
        found = credentials or Credentials("x", "x")
        session = botocore.session.get_session()
        client = session.create_client(
            service,
            region_name=region,
            endpoint_url=self.url,
            aws_access_key_id=found.access_key,
            aws_secret_access_key=found.secret_key,
            aws_session_token=found.security_token,
        )
        try:
            result: dict[str, Any] = await asyncio.to_thread(
                client._make_api_call, operation, dict(params)
            )
        finally:
            client.close()
        return result


def test_a_real_sts_gives_roles(moto: str) -> None:
    """Results as a service gives them are understood, through a chain of two roles."""
    role = "arn:aws:iam::123456789012:role/"
    config = (
        f"[profile p]\nrole_arn = {role}one\nsource_profile = q\nregion = eu-west-1\n"
        f"[profile q]\nrole_arn = {role}two\nsource_profile = base\nduration_seconds = 900\n"
        f"[profile base]\n{pair('AKIDBASE')}"
    )
    found = load(config, profile="p", call=BotocoreCalls(moto))
    assert found.access_key.startswith("ASIA")
    assert (found.account_id, found.source) == ("123456789012", "assume-role")
    assert found.expiration is not None


def test_the_loop_never_blocks_while_many_calls_run_through_refreshes(tmp_path: Path) -> None:
    """Files are read, and programs run, in threads only, for 200 callers and every local source."""
    environ = {**OFF, "HOME": str(tmp_path)}
    (tmp_path / ".aws").mkdir()
    (tmp_path / "token").write_text("hush")
    texts = [
        pair("FILE"),
        process("PROCESS"),
        f"role_arn = arn:aws:iam::1:role/r\nweb_identity_token_file = {tmp_path / 'token'}\n",
        "sso_account_id = 1\nsso_role_name = r\nsso_region = x\nsso_start_url = y\n",
        f"role_arn = arn:aws:iam::1:role/r\nsource_profile = b\n[profile b]\n{pair('B')}",
    ]
    (tmp_path / ".aws" / "sso" / "cache").mkdir(parents=True)
    sso = tmp_path / ".aws" / "sso" / "cache" / "95cb0bfd2977c761298d9624e4b4d4c72a39974a.json"
    sso.write_text(json.dumps({"accessToken": "hush", "expiresAt": "2100-01-01T00:00:00Z"}))
    blocked = []

    async def callers(chain: CredentialSource) -> None:
        first = await chain.get()
        await asyncio.gather(*(chain.get() for _ in range(100)))
        await asyncio.gather(*(chain.renew(first) for _ in range(100)))

    async def main(text: str) -> None:
        (tmp_path / ".aws" / "config").write_text(f"[default]\n{text}")
        files = ProfileFiles(file_paths(environ))
        profiles = files.load()
        chain = default_source(
            resolve({}, environ, profiles),
            profiles,
            environ,
            no_transport,
            reload=files.load,
            call=FakeServices(),
            role_cache=str(tmp_path / "roles"),
        )
        with blocking_calls() as seen:
            await callers(chain)
        blocked.extend(seen)

    for text in texts:
        asyncio.run(main(text))
    assert not blocked


def test_secrets_are_nowhere_to_be_seen(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """No log at any level, no repr and no text of an error holds a secret."""
    caplog.set_level(logging.DEBUG)
    chain = source("", f"[default]\n{pair('FILE')}aws_session_token = hushtoken")
    found = asyncio.run(chain.get())
    shown = f"{chain!r}{vars(chain)!r}{found!r}{caplog.text}"
    for broken, _ in BROKEN.values():
        with pytest.raises(CredentialsError) as caught:
            load(*broken)
        shown += f"{caught.value}{caught.value!r}{pickle.dumps(caught.value)!r}"
    assert "hush" not in shown
