"""The endpoints of instances and containers when anything may go wrong at any request."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from itertools import chain, repeat

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.support.credential_sources import document, engine, make_context
from tests.support.scripted_server import BROKEN, RAW, Asked, Reply, scripted_server, silence
from tornado_aws.credentials import Credentials
from tornado_aws.credentials.providers import Absent, container, imds
from tornado_aws.credentials.providers.container import Container
from tornado_aws.credentials.providers.imds import InstanceMetadata, instance_region
from tornado_aws.exceptions import CredentialsError

TOKEN = "/latest/api/token"
ROLES = "/latest/meta-data/iam/security-credentials/"

Fault = Reply | Callable[[], Awaitable[Reply]]


async def slowly() -> Reply:
    """Answer in time, but not at once."""
    await asyncio.sleep(0.005)
    return Reply(500)


FAULTS: dict[str, Fault] = {
    **{f"status {status}": Reply(status, b"hush") for status in (400, 401, 403, 404, 405, 429)},
    **{f"status {status}": Reply(status) for status in (301, 500, 503)},
    "nothing": Reply(200),
    "garbage": Reply(200, b"\xff\x00hush\r\n\r\n"),
    "half a document": Reply(200, document("A")[:40]),
    "a list": Reply(200, b"[1]"),
    "deep nesting": Reply(200, b"[" * 5000),
    "an error in a good answer": Reply(200, b'{"Code": "Failed", "Message": "later"}'),
    "half a pair": Reply(200, b'{"AccessKeyId": "AKID", "Code": "Success"}'),
    "numbers": Reply(200, b'{"AccessKeyId":1,"SecretAccessKey":2,"Token":3,"Expiration":4}'),
    "an impossible end": Reply(200, document("A", Expiration="soon")),
    "an end long ago": Reply(200, document("A", -86400)),
    "no HTTP": Reply(RAW, b"hush\r\n\r\n"),
    "a broken answer": BROKEN,
    "a hang-up": Reply(RAW, b""),
    "silence": silence,
    "a slow error": slowly,
}

fault_lists = st.lists(st.sampled_from([None, *FAULTS]), max_size=14)


class Flaky:
    """Answers as it should, or with the next fault of a list; none of them for ever."""

    def __init__(self, faults: Sequence[str | None]) -> None:
        self._faults = chain(faults, repeat(None))
        self.asked = 0

    async def __call__(self, asked: Asked) -> Reply:
        self.asked += 1
        name = next(self._faults)
        if name is None:
            return self.good(asked)
        fault = FAULTS[name]
        return fault if isinstance(fault, Reply) else await fault()

    def good(self, asked: Asked) -> Reply:
        if asked.target == TOKEN:
            return Reply(200, b"hushtoken")
        if asked.target == ROLES:
            return Reply(200, b"role")
        if asked.target == "/latest/meta-data/placement/region":
            return Reply(200, b"eu-west-1")
        return Reply(200, document("GOOD"))


@pytest.fixture(autouse=True, scope="module")
def short_times() -> Iterator[None]:
    """Let pauses and bounds be short; what is tested is that there are any."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(imds, "PAUSE", 0.0)
        patch.setattr(imds, "BOUND", 1.0)
        patch.setattr(container, "BOUND", 1.0)
        yield


# Nothing takes so long, seconds: a test that hangs fails.
PATIENCE = 20.0
FAST = {"metadata_service_timeout": 0.05, "metadata_service_num_attempts": 2}
# A token, a list and a document, each at most so often, and once more after a 401.
MOST_REQUESTS = 5 * 2 * imds.ANSWER_ATTEMPTS * imds.ANSWER_ATTEMPTS

ordinary = settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])


@example([None, "an impossible end", "status 400"])
@given(fault_lists)
@ordinary
def test_the_metadata_service_may_fail_in_any_way(faults: Sequence[str | None]) -> None:
    """A load ends with credentials or one of two errors, after few requests; the next ones work."""
    flaky = Flaky(faults)

    async def main() -> None:
        async with scripted_server(flaky) as server, engine() as transport:
            options = {**FAST, "ec2_metadata_service_endpoint": server.url}
            context = make_context(options=options, transport=transport)
            provider = InstanceMetadata(context)
            async with asyncio.timeout(PATIENCE):
                await tried(provider, flaky)
                with suppress(Absent):
                    assert await instance_region(context.settings, lambda: transport) == "eu-west-1"
                while flaky.asked < len(faults):
                    await tried(provider, flaky)
                assert (await provider.load(None)).access_key == "AKIDGOOD"

    asyncio.run(main())


async def tried(provider: InstanceMetadata | Container, flaky: Flaky) -> None:
    before = flaky.asked
    told = ""
    try:
        assert isinstance(await provider.load(None), Credentials)
    except (Absent, CredentialsError) as error:
        told = f"{error}{error!r}"
    assert "hush" not in told
    assert flaky.asked - before <= MOST_REQUESTS


@example(["no HTTP"] * 3)
@given(fault_lists)
@ordinary
def test_a_containers_endpoint_may_fail_in_any_way(faults: Sequence[str | None]) -> None:
    """As for the metadata service."""
    flaky = Flaky(faults)

    async def main() -> None:
        async with scripted_server(flaky) as server, engine() as transport:
            environ = {
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{server.url}/c",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN": "hush",
            }
            context = make_context(environ=environ, transport=transport)
            provider = Container(context, timeout=0.05, pause=0.0)
            async with asyncio.timeout(PATIENCE):
                while flaky.asked < len(faults):
                    before = flaky.asked
                    await tried(provider, flaky)
                    # A request that meets the end of an old connection is sent once more.
                    assert flaky.asked - before <= 2 * container.ATTEMPTS
                assert (await provider.load(None)).access_key == "AKIDGOOD"

    asyncio.run(main())


@given(st.lists(st.sampled_from([*FAULTS]), min_size=1, max_size=14))
@ordinary
def test_a_metadata_service_that_once_worked_never_fails_a_caller(faults: Sequence[str]) -> None:
    """The last credentials are used on, whatever it says."""
    flaky = Flaky([None, None, None, *faults, *["status 500"] * MOST_REQUESTS])

    async def main() -> None:
        async with scripted_server(flaky) as server, engine() as transport:
            options = {**FAST, "ec2_metadata_service_endpoint": server.url}
            provider = InstanceMetadata(make_context(options=options, transport=transport))
            async with asyncio.timeout(PATIENCE):
                for _ in range(4):
                    found = await provider.load(None)
                    assert found.access_key in {"AKIDGOOD", "AKIDA"}
                    assert found.expiration is not None
                    assert found.expiration > datetime.now(UTC)

    asyncio.run(main())
