"""Credentials and region from the instance metadata service."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest

from tests.support.credential_sources import document, ends_in, engine, keys, make_context
from tests.support.scripted_server import (
    BROKEN,
    Asked,
    Reply,
    ScriptedServer,
    scripted_server,
    silence,
)
from tornado_aws.credentials import Credentials
from tornado_aws.credentials.providers import Absent, imds
from tornado_aws.credentials.providers.imds import InstanceMetadata, instance_region
from tornado_aws.credentials.refresh import Refreshing
from tornado_aws.exceptions import CredentialsError

TOKEN = "/latest/api/token"
ROLES = "/latest/meta-data/iam/security-credentials/"
REGION = "/latest/meta-data/placement/region"
IDENTITY = "/latest/dynamic/instance-identity/document"


class Instance:
    """A metadata service, version 2, whose answers tests replace."""

    def __init__(self) -> None:
        self.tokens = 0
        self.good_tokens: set[str] = set()
        self.needs_token = True
        self.number = 0
        self.lifetime = 3600.0
        self.replies: dict[str, Reply | Callable[[Asked], Awaitable[Reply]]] = {}
        self.pages = {REGION: b"eu-west-1", ROLES: b"role+a"}

    async def __call__(self, asked: Asked) -> Reply:
        reply = self.replies.get(asked.target)
        if reply is not None:
            return reply if isinstance(reply, Reply) else await reply(asked)
        if asked.target == TOKEN:
            return self._token(asked)
        if (
            self.needs_token
            and asked.headers.get("x-aws-ec2-metadata-token") not in self.good_tokens
        ):
            return Reply(401)
        if asked.target == f"{ROLES}role+a":
            self.number += 1
            return Reply(200, document(str(self.number), self.lifetime, Code="Success"))
        page = self.pages.get(asked.target)
        return Reply(404, b"nothing") if page is None else Reply(200, page)

    def _token(self, asked: Asked) -> Reply:
        if asked.method != "PUT" or not asked.headers.get("x-aws-ec2-metadata-token-ttl-seconds"):
            return Reply(400)
        self.tokens += 1
        token = f"hushtoken{self.tokens}=="
        self.good_tokens = {token}
        return Reply(200, token.encode(), (("x-aws-ec2-metadata-token-ttl-seconds", "21600"),))


async def hang(asked: Asked) -> Reply:
    return await silence()


class Running(NamedTuple):
    server: ScriptedServer
    provider: InstanceMetadata
    region: Callable[[], Awaitable[str]]


@asynccontextmanager
async def running(instance: Instance, **options: Any) -> AsyncIterator[Running]:
    async with scripted_server(instance) as server, engine() as transport:
        given = {"ec2_metadata_service_endpoint": server.url + "/", **options}
        context = make_context(options=given, transport=transport)
        yield Running(
            server,
            InstanceMetadata(context),
            lambda: instance_region(context.settings, lambda: transport),
        )


def load(instance: Instance, **options: Any) -> tuple[Credentials | Exception, list[Asked]]:
    """Load once; give the credentials or the error, and the requests."""

    async def main() -> tuple[Credentials | Exception, list[Asked]]:
        async with running(instance, **options) as run:
            try:
                return await run.provider.load(None), run.server.asked
            except (Absent, CredentialsError) as error:
                return error, run.server.asked

    return asyncio.run(main())


def region(instance: Instance, **options: Any) -> tuple[str, list[str]]:
    """Ask for the region; give it or why there is none, and what was asked."""

    async def main() -> tuple[str, list[str]]:
        async with running(instance, **options) as run:
            try:
                found = await run.region()
            except Absent as absent:
                found = f"none: {absent}"
            return found, [asked.target for asked in run.server.asked]

    return asyncio.run(main())


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imds, "PAUSE", 0.0)


def test_credentials_come_with_a_token() -> None:
    """The token is fetched by PUT and sent with both requests; paths have single slashes."""
    found, asked = load(Instance())
    assert isinstance(found, Credentials)
    assert keys(found) == ("AKID1", "hush1", "hushtoken1")
    assert found.source == "imds"
    assert [(one.method, one.target) for one in asked] == [
        ("PUT", TOKEN),
        ("GET", ROLES),
        ("GET", f"{ROLES}role+a"),
    ]
    assert asked[0].headers["x-aws-ec2-metadata-token-ttl-seconds"] == "21600"
    assert {one.headers["x-aws-ec2-metadata-token"] for one in asked[1:]} == {"hushtoken1=="}


def test_a_role_that_is_given_is_asked_for_by_its_name() -> None:
    """The service is not asked which role there is; one that it has not is no source."""
    instance = Instance()
    instance.replies[f"{ROLES}mine@x"] = Reply(200, document("MINE"))
    found, asked = load(instance, ec2_instance_profile_name="mine@x")
    assert isinstance(found, Credentials)
    assert found.access_key == "AKIDMINE"
    assert [one.target for one in asked] == [TOKEN, f"{ROLES}mine@x"]
    error, _ = load(instance, ec2_instance_profile_name="other")
    assert isinstance(error, Absent)
    assert str(error) == f"the service has nothing at {ROLES}other"


def test_a_token_is_used_until_it_ends() -> None:
    """The second load asks for no other token."""
    instance = Instance()

    async def main() -> None:
        async with running(instance) as run:
            await run.provider.load(None)
            assert (await run.provider.load(None)).access_key == "AKID2"

    asyncio.run(main())
    assert instance.tokens == 1


def test_an_old_token_is_replaced() -> None:
    """A 401 makes another token be fetched, once; the credentials come with that."""
    instance = Instance()

    async def main() -> None:
        async with running(instance) as run:
            await run.provider.load(None)
            instance.good_tokens = set()
            assert (await run.provider.load(None)).access_key == "AKID2"

    asyncio.run(main())
    assert instance.tokens == 2


def test_a_service_that_accepts_no_token_is_not_asked_for_ever() -> None:
    """Two refusals are enough."""
    instance = Instance()
    instance.replies[ROLES] = Reply(401)
    error, asked = load(instance)
    assert isinstance(error, Absent)
    assert [one.target for one in asked] == [TOKEN, ROLES, TOKEN, ROLES]


@pytest.mark.parametrize("status", [403, 404, 405, 301, 429, 500, 501])
def test_version_1_is_asked_where_there_are_no_tokens(status: int) -> None:
    """The requests go without one then; what stands in for the service may say anything."""
    instance = Instance()
    instance.needs_token = False
    instance.replies[TOKEN] = Reply(status)
    found, asked = load(instance)
    assert isinstance(found, Credentials)
    assert not any("x-aws-ec2-metadata-token" in one.headers for one in asked)


def test_version_1_is_asked_where_the_answer_never_comes() -> None:
    """Behind a hop limit of 1 the request for a token hangs; the others are answered."""
    instance = Instance()
    instance.needs_token = False

    instance.replies[TOKEN] = hang
    found, asked = load(instance, metadata_service_timeout=0.05)
    assert isinstance(found, Credentials)
    # That is waited for once.
    assert [one.target for one in asked] == [TOKEN, ROLES, f"{ROLES}role+a"]


def test_a_service_that_wants_a_token_after_all_is_asked_for_one() -> None:
    """Its answer to the first request for a token may have been lost."""
    instance = Instance()
    lost = [hang]

    async def answer(asked: Asked) -> Reply:
        return await lost.pop()(asked) if lost else instance._token(asked)

    instance.replies[TOKEN] = answer
    found, asked = load(instance, metadata_service_timeout=0.2)
    assert isinstance(found, Credentials)
    assert [one.target for one in asked] == [TOKEN, ROLES, TOKEN, ROLES, f"{ROLES}role+a"]


def test_version_1_is_not_asked_when_that_is_switched_off() -> None:
    """No request goes without a token, and the reason says so."""
    instance = Instance()
    instance.needs_token = False
    instance.replies[TOKEN] = Reply(404)
    error, asked = load(instance, ec2_metadata_v1_disabled=True)
    assert isinstance(error, Absent)
    assert "switched off" in str(error)
    assert [one.target for one in asked] == [TOKEN]


@pytest.mark.parametrize(
    ("reply", "times"),
    [
        (Reply(400), 1),
        (Reply(500), 6),
        (Reply(503), 6),
        (Reply(429), 6),
        (Reply(403), 2),
        (Reply(200, b""), 1),
        (Reply(200, b"<html>\n</html>"), 1),
    ],
)
def test_a_token_that_cannot_be_had_is_no_source(reply: Reply, times: int) -> None:
    """Failures that may pass are tried again; the reason tells of them, not of what follows."""
    instance = Instance()
    instance.replies[TOKEN] = reply
    error, asked = load(instance)
    assert isinstance(error, Absent)
    assert f"status {reply.status}" in str(error)
    assert [one.target for one in asked].count(TOKEN) == times


def test_an_instance_without_a_role_is_no_source() -> None:
    """404, an empty list and a captive portal's page are all no role."""
    for reply in (Reply(404), Reply(200, b" \n"), Reply(200, b"<html>\n<body>")):
        instance = Instance()
        instance.replies[ROLES] = reply
        assert isinstance(load(instance)[0], Absent)


CREDENTIALS = f"{ROLES}role+a"
FAULTS = {
    "an error code": (
        Reply(200, json.dumps({"Code": "AssumeRoleUnauthorizedAccess", "Message": "no"}).encode()),
        1,
        "AssumeRoleUnauthorizedAccess: no",
    ),
    "garbage": (Reply(200, b"hush"), 3, "not JSON"),
    "half of JSON": (Reply(200, document()[:-5]), 3, "not JSON"),
    "no secret": (Reply(200, document(SecretAccessKey=None)), 1, "no SecretAccessKey"),
    "no end": (Reply(200, document(Expiration=None)), 1, "no Expiration"),
    "a failure": (Reply(500, b"hush"), 3, "status 500"),
    "not found": (Reply(404), 1, "nothing at"),
    "a broken body": (BROKEN, 1, "broke"),
}


@pytest.mark.parametrize(("reply", "times", "reason"), FAULTS.values(), ids=FAULTS)
def test_a_role_whose_credentials_cannot_be_had_is_broken(
    reply: Reply, times: int, reason: str
) -> None:
    """The service has named the role, so its error is told, without the body."""
    instance = Instance()
    instance.replies[CREDENTIALS] = reply
    error, asked = load(instance)
    assert isinstance(error, CredentialsError)
    assert error.source == "imds"
    assert reason in error.reason
    assert "hush" not in str(error)
    assert len([one for one in asked if one.target == CREDENTIALS]) == times


def test_garbage_that_passes_is_survived() -> None:
    """The next answer counts."""
    instance = Instance()
    replies = [Reply(200, b"{"), Reply(503), Reply(200, document())]

    async def answer(asked: Asked) -> Reply:
        return replies.pop(0)

    instance.replies[CREDENTIALS] = answer
    assert isinstance(load(instance)[0], Credentials)


def test_silence_is_given_up() -> None:
    """Each request has its bound, and so have all together."""

    instance = Instance()
    instance.replies = dict.fromkeys([TOKEN, ROLES], hang)
    error, asked = load(instance, metadata_service_timeout=0.05, metadata_service_num_attempts=2)
    assert isinstance(error, Absent)
    assert "no answer within 0.05 seconds" in str(error)
    assert len(asked) == 4


def test_everything_together_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Attempts and timeouts that are set high do not add up to minutes."""
    monkeypatch.setattr(imds, "BOUND", 0.1)

    instance = Instance()
    instance.replies[TOKEN] = hang
    error, _ = load(instance, metadata_service_timeout=60)
    assert "no answer within 0.1 seconds" in str(error)


def test_nothing_listens() -> None:
    """A refused connection is told as it is, and not tried without a token."""

    async def main() -> None:
        async with scripted_server(Instance()) as server:
            url = server.url
        async with engine() as transport:
            options = {"ec2_metadata_service_endpoint": url}
            context = make_context(options=options, transport=transport)
            with pytest.raises(Absent, match="no connection to"):
                await InstanceMetadata(context).load(None)
            assert transport.stats().requests <= 1

    asyncio.run(main())


def test_the_service_can_be_switched_off() -> None:
    """Then nothing is asked, for credentials or region."""
    error, asked = load(Instance(), ec2_metadata_disabled=True)
    assert isinstance(error, Absent)
    assert not asked
    assert region(Instance(), ec2_metadata_disabled=True) == (
        "none: AWS_EC2_METADATA_DISABLED is set",
        [],
    )


@pytest.mark.parametrize(
    ("options", "base"),
    [
        ({}, "http://169.254.169.254"),
        ({"ec2_metadata_service_endpoint_mode": "ipv6"}, "http://[fd00:ec2::254]"),
        ({"imds_use_ipv6": True}, "http://[fd00:ec2::254]"),
        (
            {"imds_use_ipv6": True, "ec2_metadata_service_endpoint_mode": "ipv4"},
            "http://169.254.169.254",
        ),
        (
            {"imds_use_ipv6": True, "ec2_metadata_service_endpoint": "http://h:1/x/"},
            "http://h:1/x",
        ),
    ],
)
def test_where_the_service_is(options: dict[str, Any], base: str) -> None:
    """The settings choose the address; an endpoint counts before the modes."""
    assert imds._base_url(make_context(options=options).settings) == base


def test_ended_credentials_live_on_while_the_service_gives_no_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """In an outage the service repeats them, and the services accept them; a warning says so."""
    instance = Instance()
    instance.lifetime = -100.0

    async def main() -> Credentials:
        async with running(instance) as run:
            source = Refreshing(run.provider)
            return await source.get()

    found = asyncio.run(main())
    assert found.expiration is not None
    assert ends_in(17 * 60 - 10) < found.expiration < ends_in(25 * 60 + 10)
    assert caplog.records[0].levelno == logging.WARNING
    assert "hush" not in caplog.text


@pytest.mark.parametrize("reply", [Reply(500), Reply(200, b"x"), Reply(404)])
def test_known_credentials_live_on_while_the_service_is_down(reply: Reply) -> None:
    """A failing refresh gives the last ones, even ended, and asks again minutes later."""
    instance = Instance()
    instance.lifetime = -1.0

    async def main() -> None:
        async with running(instance) as run:
            first = await run.provider.load(None)
            instance.replies[CREDENTIALS] = instance.replies[TOKEN] = reply
            second = await run.provider.load(None)
            assert second == first
            assert second.expiration is not None
            assert second.expiration > ends_in(16 * 60)
            with pytest.raises((CredentialsError, Absent)):
                await run.provider.load(first)

    asyncio.run(main())


def test_a_thousand_callers_cost_one_fetch() -> None:
    """At the start and at the end of the credentials' life the service is asked once for all."""
    instance = Instance()
    instance.lifetime = 300.0

    async def main() -> None:
        async with running(instance) as run:
            source = Refreshing(run.provider)
            for number in ("AKID1", "AKID2"):
                found = await asyncio.gather(*(source.get() for _ in range(1000)))
                assert {credentials.access_key for credentials in found} == {number}
            assert [asked.target for asked in run.server.asked] == [
                TOKEN,
                *[ROLES, CREDENTIALS] * 2,
            ]

    asyncio.run(main())


def test_unreachable_is_never_remembered() -> None:
    """A service that comes up later is found."""
    instance = Instance()
    instance.replies[TOKEN] = Reply(503)

    async def main() -> None:
        async with running(instance) as run:
            source = Refreshing(run.provider)
            with pytest.raises(Absent):
                await source.get()
            instance.replies.clear()
            assert (await source.get()).access_key == "AKID1"

    asyncio.run(main())


def test_the_region_is_the_placements() -> None:
    """In a local zone the zone's name minus a letter would be wrong."""
    instance = Instance()
    instance.pages[REGION] = b"us-west-2\n"
    assert region(instance) == ("us-west-2", [TOKEN, REGION])


def test_the_region_is_in_the_identity_document_of_old_services() -> None:
    """It is asked where there is no placement/region."""
    instance = Instance()
    del instance.pages[REGION]
    instance.pages[IDENTITY] = json.dumps({"region": "eu-north-1"}).encode()
    assert region(instance) == ("eu-north-1", [TOKEN, REGION, IDENTITY])


@pytest.mark.parametrize(
    ("page", "reason"),
    [(None, "nothing at"), (b"hush", "not JSON"), (b"{}", "no region")],
)
def test_no_region_is_told_with_its_reason(page: bytes | None, reason: str) -> None:
    """It becomes a part of the error that no region is configured."""
    instance = Instance()
    del instance.pages[REGION]
    if page is not None:
        instance.pages[IDENTITY] = page
    found, _ = region(instance)
    assert found.startswith("none: ")
    assert reason in found
    assert "hush" not in found


@pytest.mark.parametrize("status", [403, 429, 500])
def test_the_identity_document_is_not_asked_of_a_service_that_refuses(status: int) -> None:
    """It is for services that do not know the other path."""
    instance = Instance()
    instance.replies[REGION] = Reply(status, b"no")
    found, asked = region(instance)
    assert f"status {status}" in found
    assert IDENTITY not in asked


def test_the_identity_document_is_not_asked_of_a_service_that_is_silent() -> None:
    """Neither the token's request nor another one is made to wait for it again."""
    instance = Instance()
    instance.replies = dict.fromkeys([TOKEN, REGION], hang)
    found, asked = region(instance, metadata_service_timeout=0.05)
    assert found == "none: no answer within 0.05 seconds"
    assert asked == [TOKEN, REGION]


@pytest.mark.parametrize("page", [b"<html>", b"eu west", b"a.b", b"x" * 64, b"\xff"])
def test_what_cannot_be_a_region_is_none(page: bytes) -> None:
    """A captive portal's page never becomes a part of a host's name."""
    instance = Instance()
    instance.pages[REGION] = page
    assert region(instance)[0] == "none: the service's answer is no region"


def test_the_region_is_asked_once_for_all() -> None:
    """Whoever asks at the same time waits, on any loop; whoever asks later is told at once."""
    instance = Instance()

    async def ask(run: Running) -> set[str]:
        return set(await asyncio.gather(*(run.region() for _ in range(200))))

    async def main() -> None:
        async with running(instance) as run:
            here, there = await asyncio.gather(
                ask(run), asyncio.to_thread(asyncio.run, elsewhere(run.server.url))
            )
            assert here == there == await ask(run) == {"eu-west-1"}
            assert [asked.target for asked in run.server.asked] == [TOKEN, REGION]

    async def elsewhere(url: str) -> set[str]:
        async with engine() as transport:
            context = make_context(options={"ec2_metadata_service_endpoint": url})
            return {await instance_region(context.settings, lambda: transport)}

    asyncio.run(main())


def test_a_failed_search_for_the_region_holds_for_all_for_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A service that is too busy is not asked by everybody; once it works, it is found."""
    instance = Instance()
    instance.replies[REGION] = Reply(429)

    async def main() -> None:
        async with running(instance) as run:
            errors = await asyncio.gather(
                *(run.region() for _ in range(200)), return_exceptions=True
            )
            assert {str(error) for error in errors} == {
                f"the service answered {REGION} with status 429, no body"
            }
            asked = len(run.server.asked)
            assert asked == 1 + imds.ANSWER_ATTEMPTS
            instance.replies.clear()
            with pytest.raises(Absent, match="429"):
                await run.region()
            assert len(run.server.asked) == asked
            monkeypatch.setattr(imds, "time", SimpleNamespace(monotonic=later))
            assert await run.region() == "eu-west-1"

    def later() -> float:
        return time.monotonic() + imds.FAILURE_PAUSE

    asyncio.run(main())


def test_no_token_is_shown(caplog: pytest.LogCaptureFixture) -> None:
    """Neither token nor keys reach the log at any level."""
    caplog.set_level(logging.DEBUG)
    load(Instance())
    assert "hush" not in caplog.text
