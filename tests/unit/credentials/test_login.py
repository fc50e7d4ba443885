"""Credentials that ``aws login`` has left, and the proof that refreshes them."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import logging
import stat
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from tests.support.credential_sources import keys, make_context
from tests.support.fake_services import SIGN_IN, FakeServices, Refusal
from tests.support.threads import in_threads
from tornado_aws.credentials import Credentials
from tornado_aws.credentials.providers import Absent
from tornado_aws.credentials.providers.dpop import dpop_proof
from tornado_aws.credentials.providers.login import Login
from tornado_aws.exceptions import AWSError, CredentialsError

SESSION = "arn:aws:sts::123456789012:assumed-role/Admin/admin"
KEY = ec.generate_private_key(ec.SECP256R1())


def pem(key: Any) -> str:
    form = PrivateFormat.PKCS8 if isinstance(key, ed25519.Ed25519PrivateKey) else _EC_FORM
    return str(key.private_bytes(Encoding.PEM, form, NoEncryption()).decode())


_EC_FORM = PrivateFormat.TraditionalOpenSSL


class Home:
    """A home folder with a login as the CLI leaves it."""

    def __init__(self, folder: Path) -> None:
        self.environ = {"HOME": str(folder), "AWS_REGION": "eu-west-1"}
        name = hashlib.sha256(SESSION.encode()).hexdigest()
        self.file = folder / ".aws" / "login" / "cache" / f"{name}.json"
        self.file.parent.mkdir(parents=True)

    def login(self, remaining: float = 900, **more: Any) -> None:
        end = datetime.now(UTC) + timedelta(seconds=remaining)
        document = {
            "accessToken": {
                "accessKeyId": "AKIDOLD",
                "secretAccessKey": "hushold",
                "sessionToken": "husholdtoken",
                "accountId": "123456789012",
                "expiresAt": end.strftime("%Y-%m-%dT%H:%M:%SZ"),
            },
            "clientId": "arn:client",
            "refreshToken": "hushrefresh",
            "idToken": "hushid",
            "dpopKey": pem(KEY),
            **more,
        }
        self.file.write_text(json.dumps({k: v for k, v in document.items() if v is not None}))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def load(
    home: Home, services: FakeServices | None, rejected: Credentials | None = None
) -> Credentials:
    context = make_context(
        f"[default]\nlogin_session = {SESSION}", environ=home.environ, call=services
    )
    return asyncio.run(Login(context).load(rejected))


def test_a_fresh_login_is_used_as_it_is(home: Home) -> None:
    """Nothing is called while the cached credentials live long enough."""
    services = FakeServices()
    home.login(310)
    found = load(home, services)
    assert keys(found) == ("AKIDOLD", "hushold", "husholdtoken")
    assert (found.account_id, found.source) == ("123456789012", "login")
    assert not services.calls


def test_a_login_may_be_kept_elsewhere(home: Home) -> None:
    """The variable is the CLI's; its value may begin with the home folder."""
    home.login()
    moved = home.file.parents[3] / "mine"
    home.file.parent.rename(moved)
    home.environ["AWS_LOGIN_CACHE_DIRECTORY"] = "~/mine"
    assert load(home, FakeServices()).access_key == "AKIDOLD"
    home.environ["AWS_LOGIN_CACHE_DIRECTORY"] = str(moved)
    assert load(home, FakeServices()).access_key == "AKIDOLD"


@pytest.mark.parametrize("remaining", [290, -1])
def test_an_old_login_is_refreshed_and_kept_for_the_cli(home: Home, remaining: float) -> None:
    """The new tokens are used and saved for the owner only; what else the file has stays."""
    services = FakeServices()
    home.login(remaining)
    found = load(home, services)
    assert keys(found) == ("AKIDNEW", "hushnew", "hushnewtoken")
    assert found.account_id == "123456789012"
    [call] = services.calls
    assert call == (
        "signin",
        "CreateOAuth2Token",
        "eu-west-1",
        {
            "tokenInput": {
                "clientId": "arn:client",
                "refreshToken": "hushrefresh",
                "grantType": "refresh_token",
            }
        },
        None,
    )
    saved = json.loads(home.file.read_text())
    assert saved["accessToken"]["accessKeyId"] == "AKIDNEW"
    assert saved["accessToken"]["accountId"] == "123456789012"
    assert datetime.fromisoformat(saved["accessToken"]["expiresAt"]) > datetime.now(UTC)
    assert (saved["refreshToken"], saved["idToken"]) == ("hushrefresh2", "hushid")
    assert stat.S_IMODE(home.file.stat().st_mode) == 0o600


def test_rejected_credentials_are_refreshed(home: Home) -> None:
    """However long they were to live."""
    home.login()
    old = load(home, FakeServices())
    assert load(home, FakeServices(), rejected=old).access_key == "AKIDNEW"


def test_the_request_carries_a_proof_of_the_key(home: Home) -> None:
    """The header is a token of RFC 9449 for that URL, signed with the cached key."""
    services = FakeServices()
    home.login(0)
    load(home, services)
    header, payload, signature = services.headers["DPoP"].split(".")
    assert _opened(payload)["htu"] == SIGN_IN
    assert _opened(payload)["htm"] == "POST"
    assert abs(_opened(payload)["iat"] - datetime.now(UTC).timestamp()) < 60
    assert _opened(header) | {"jwk": None} == {"typ": "dpop+jwt", "alg": "ES256", "jwk": None}
    jwk = _opened(header)["jwk"]
    point = KEY.public_key().public_numbers()
    assert (jwk["kty"], jwk["crv"]) == ("EC", "P-256")
    assert int.from_bytes(_bytes(jwk["x"]), "big") == point.x
    raw = _bytes(signature)
    halves = [int.from_bytes(half, "big") for half in (raw[:32], raw[32:])]
    KEY.public_key().verify(
        utils.encode_dss_signature(*halves),
        f"{header}.{payload}".encode(),
        ec.ECDSA(hashes.SHA256()),
    )


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _opened(part: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(_bytes(part))
    return document


@pytest.mark.parametrize("missing", ["accessToken", "refreshToken", "clientId", "dpopKey"])
def test_an_incomplete_login_needs_another_one(home: Home, missing: str) -> None:
    """The error names what is missing and what to do."""
    home.login(900, **{missing: None})
    with pytest.raises(CredentialsError, match=f"no {missing}.*aws login --profile default"):
        load(home, FakeServices())


@pytest.mark.parametrize("contents", [None, "", "[]", '{"accessToken": 1}'])
def test_no_login_needs_one(home: Home, contents: str | None) -> None:
    """No file and garbage are the same to the user."""
    if contents is not None:
        home.file.write_text(contents)
    with pytest.raises(CredentialsError, match="aws login --profile default"):
        load(home, FakeServices())


class Denying(FakeServices):
    """Refuses with the error codes of the sign-in service."""

    def __init__(self, detail: str) -> None:
        super().__init__()
        self.detail = detail

    async def __call__(self, *arguments: Any, **more: Any) -> dict[str, Any]:
        raise AWSError("AccessDeniedException", "no", 400, None, {"error": self.detail})


@pytest.mark.parametrize("detail", ["TOKEN_EXPIRED", "USER_CREDENTIALS_CHANGED"])
def test_a_login_that_is_no_longer_good_needs_another_one(home: Home, detail: str) -> None:
    """The service says so by a code."""
    home.login(-1)
    with pytest.raises(CredentialsError, match=f"{detail}.*aws login --profile default"):
        load(home, Denying(detail))


class Faster(Denying):
    """Refuses a refresh token that another process has used up meanwhile."""

    def __init__(self, home: Home, remaining: float, key: str) -> None:
        super().__init__("TOKEN_EXPIRED")
        self.home = home
        self.end = datetime.now(UTC) + timedelta(seconds=remaining)
        self.key = key

    async def __call__(self, *arguments: Any, **more: Any) -> dict[str, Any]:
        login = json.loads(self.home.file.read_text())
        login["accessToken"]["accessKeyId"] = self.key
        login["accessToken"]["expiresAt"] = self.end.strftime("%Y-%m-%dT%H:%M:%SZ")
        self.home.file.write_text(json.dumps({**login, "refreshToken": "hushtheirs"}))
        return await super().__call__(*arguments, **more)


def test_what_a_faster_process_has_saved_is_used(home: Home) -> None:
    """The file stays as the other process left it."""
    home.login(-1)
    assert load(home, Faster(home, 600, "AKIDTHEIRS")).access_key == "AKIDTHEIRS"
    assert json.loads(home.file.read_text())["refreshToken"] == "hushtheirs"


@pytest.mark.parametrize(("remaining", "key"), [(-1, "AKIDTHEIRS"), (600, "AKIDREJECTED")])
def test_what_a_faster_process_has_saved_must_be_usable(
    home: Home, remaining: float, key: str
) -> None:
    """Credentials that ended, or that a service has rejected, leave the refusal as the error."""
    home.login(600)
    login = json.loads(home.file.read_text())
    login["accessToken"]["accessKeyId"] = "AKIDREJECTED"
    services = Faster(home, remaining, key)
    login["accessToken"]["expiresAt"] = services.end.strftime("%Y-%m-%dT%H:%M:%SZ")
    home.file.write_text(json.dumps(login))
    rejected = load(home, None) if remaining > 0 else None
    with pytest.raises(CredentialsError, match="TOKEN_EXPIRED"):
        load(home, services, rejected)


class OnceOnly(Denying):
    """Refuses a refresh token that was used before."""

    def __init__(self) -> None:
        super().__init__("TOKEN_EXPIRED")
        self.used: list[str] = []

    async def __call__(self, *arguments: Any, **more: Any) -> dict[str, Any]:
        given = arguments[3]["tokenInput"]["refreshToken"]
        is_good = given not in self.used
        self.used.append(given)
        await asyncio.sleep(0.05)
        if not is_good:
            await super().__call__(*arguments, **more)
        number = len(self.used)
        keys = {"accessKeyId": f"AKID{number}", "secretAccessKey": "hush", "sessionToken": "hush"}
        output = {"accessToken": keys, "expiresIn": 900, "refreshToken": f"hush{number}"}
        return {"tokenOutput": output}


def test_one_refresh_is_for_all_loops_and_profiles(home: Home) -> None:
    """Programs may have several loops; a second use of the refresh token would be refused."""
    home.login(-1)
    services = OnceOnly()

    async def main(number: int, rejected: Credentials | None) -> Credentials:
        config = f"[profile p{number}]\nlogin_session = {SESSION}"
        environ = {**home.environ, "AWS_PROFILE": f"p{number}"}
        return await Login(make_context(config, environ=environ, call=services)).load(rejected)

    first = in_threads(4, lambda number: main(number, None))
    assert [found.access_key for found in first] == ["AKID1"] * 4
    second = in_threads(4, lambda number: main(number, first[number]))
    assert [found.access_key for found in second] == ["AKID2"] * 4
    assert services.used == ["hushrefresh", "hush1"]


def test_other_refusals_are_told_as_they_are(home: Home, caplog: Any) -> None:
    """A login would not help."""
    caplog.set_level(logging.DEBUG)
    home.login(-1)
    for services in (Denying("INSUFFICIENT_PERMISSIONS"), FakeServices()):
        services.refusals = [Refusal.ConnectTimeout]
        with pytest.raises(CredentialsError, match="CreateOAuth2Token failed") as caught:
            load(home, services)
        assert "hush" not in f"{caught.value}{caplog.text}"


class Strange(FakeServices):
    """Answers with something of its own first, then as it should."""

    def __init__(self, output: object) -> None:
        super().__init__()
        self.output = output

    def _login(self, params: Mapping[str, Any]) -> dict[str, Any]:
        if len(self.calls) == 1:
            return {"tokenOutput": self.output}
        return super()._login(params)


HALF = {"accessKeyId": "AKIDHALF", "sessionToken": "hushhalf"}
WHOLE = {**HALF, "secretAccessKey": "hushwhole"}
INCOMPLETE: dict[str, tuple[Any, str]] = {
    "nothing": (None, "expiresIn is missing"),
    "a list": ([], "expiresIn is missing"),
    "no keys": ({"accessToken": {}, "expiresIn": 900}, "no AccessKeyId"),
    "half of the keys": ({"accessToken": HALF, "expiresIn": 900}, "no SecretAccessKey"),
    "no end": ({"accessToken": WHOLE}, "expiresIn is missing"),
    "no possible end": ({"accessToken": WHOLE, "expiresIn": 10**16}, "expiresIn is missing"),
}


@pytest.mark.parametrize(("output", "reason"), INCOMPLETE.values(), ids=INCOMPLETE)
def test_an_incomplete_answer_leaves_the_login_as_it_is(
    home: Home, output: object, reason: str
) -> None:
    """Nothing is saved of it, and the error says what helps if it comes again."""
    home.login(-1)
    before = home.file.read_text()
    with pytest.raises(CredentialsError, match=f"{reason}.*aws login --profile") as caught:
        load(home, Strange(output))
    assert home.file.read_text() == before
    assert "hush" not in f"{caught.value}{caught.value.__cause__!r}"


def test_the_refresh_token_of_an_incomplete_answer_is_not_lost(home: Home) -> None:
    """The one that was sent is used up; the next load goes on with the new one."""
    home.login(-1)
    before = json.loads(home.file.read_text())
    services = Strange({"accessToken": {}, "expiresIn": 900, "refreshToken": "hushnext"})
    with pytest.raises(CredentialsError, match="no AccessKeyId"):
        load(home, services)
    assert json.loads(home.file.read_text()) == {**before, "refreshToken": "hushnext"}
    assert load(home, services).access_key == "AKIDNEW"
    assert services.calls[1].params["tokenInput"]["refreshToken"] == "hushnext"


@pytest.mark.parametrize("change", [{}, {"accessKeyId": None}, {"expiresAt": "soon"}])
def test_a_login_without_whole_credentials_is_refreshed(home: Home, change: Any) -> None:
    """It counts as ended, as long as it has a refresh token."""
    home.login(900)
    login = json.loads(home.file.read_text())
    token = {**login["accessToken"], **change} if change else {}
    home.file.write_text(json.dumps({**login, "accessToken": token}))
    services = FakeServices()
    assert load(home, services).access_key == "AKIDNEW"
    assert services.operations() == ["CreateOAuth2Token"]


def test_credentials_that_still_live_are_used_when_a_refresh_fails(
    home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    """The failure is logged."""
    home.login(200)
    assert load(home, Denying("TOKEN_EXPIRED")).access_key == "AKIDOLD"
    assert "TOKEN_EXPIRED" in caplog.text
    assert "hush" not in caplog.text


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("hush", "no private key"),
        (pem(ec.generate_private_key(ec.SECP384R1())), "not on the curve P-256"),
        (pem(ed25519.Ed25519PrivateKey.generate()), "not on the curve P-256"),
    ],
)
def test_a_wrong_key_is_an_error_that_does_not_show_it(home: Home, key: str, reason: str) -> None:
    """Neither the key nor the library's own text is told."""
    home.login(-1, dpopKey=key)
    with pytest.raises(CredentialsError, match=reason) as caught:
        load(home, FakeServices())
    assert "hush" not in f"{caught.value}{caught.value.__cause__!r}"


def test_without_the_extra_the_error_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a refresh needs the package."""
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives", None)
    with pytest.raises(CredentialsError, match=r"tornado-aws\[login\]"):
        dpop_proof(pem(KEY), SIGN_IN, 0, "x")


def test_without_a_way_to_the_service_the_error_says_so(home: Home) -> None:
    """A chain can be made without one."""
    home.login(-1)
    with pytest.raises(CredentialsError, match="a way to call the sign-in service"):
        load(home, None)


def test_a_profile_without_a_login_is_passed_over() -> None:
    """The property is what counts."""
    with pytest.raises(Absent):
        asyncio.run(Login(make_context("[default]")).load(None))


def test_a_folder_that_cannot_be_written_fails_no_call(
    home: Home, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new credentials are used all the same."""

    def refuse(path: Path, document: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tornado_aws.credentials.providers.login.write_json", refuse)
    home.login(-1)
    assert load(home, FakeServices()).access_key == "AKIDNEW"
    assert "Permission denied" in caplog.text
    assert "hush" not in caplog.text
