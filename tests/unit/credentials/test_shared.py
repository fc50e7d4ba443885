"""One source for the clients of one configuration."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.support.credential_sources import make_context
from tornado_aws.credentials import Credentials
from tornado_aws.credentials.exchange import Exchange
from tornado_aws.credentials.shared import _SOURCES, configuration_key, share
from tornado_aws.credentials.source import CredentialSource, from_callable
from tornado_aws.exceptions import ClientClosedError
from tornado_aws.transport import PoolStats, Request, Response, Timeouts, Transport


class Engine:
    """An engine that only knows whether it is closed."""

    def __init__(self) -> None:
        self.closed = 0

    async def send(self, request: Request, timeouts: Timeouts) -> Response:
        raise AssertionError

    def close(self) -> None:
        self.closed += 1

    def stats(self) -> PoolStats:
        raise AssertionError


class Maker:
    """Makes sources and counts what they cost."""

    def __init__(self) -> None:
        self.engines: list[Engine] = []
        self.loads = 0

    def __call__(self, exchange: Exchange) -> tuple[CredentialSource, Transport]:
        engine = Engine()
        self.engines.append(engine)
        return from_callable(self._load), engine

    async def _load(self) -> Credentials:
        self.loads += 1
        return Credentials(f"AKID{self.loads}", "hush")


def test_clients_of_one_configuration_share_a_source() -> None:
    """However many they are, credentials are loaded once, and renewed once."""
    maker = Maker()

    async def main() -> None:
        leases = [share("key", maker) for _ in range(100)]
        found = await asyncio.gather(*(lease.get() for lease in leases))
        assert {credentials.access_key for credentials in found} == {"AKID1"}
        renewed = await asyncio.gather(*(lease.renew(found[0]) for lease in leases))
        assert {credentials and credentials.access_key for credentials in renewed} == {"AKID2"}
        for lease in leases:
            lease.close()

    asyncio.run(main())
    assert maker.loads == 2
    assert [engine.closed for engine in maker.engines] == [1]


def test_other_configurations_have_other_sources() -> None:
    """The key decides."""
    maker = Maker()

    async def main() -> None:
        leases = [share("one", maker), share("two", maker)]
        assert await leases[0].get() != await leases[1].get()
        for lease in leases:
            lease.close()

    asyncio.run(main())


def test_a_source_lives_as_long_as_any_of_its_users() -> None:
    """Closing one client leaves the others theirs; after the last one everything is made anew."""
    maker = Maker()

    async def main() -> None:
        first, second = share("key", maker), share("key", maker)
        old = await first.get()
        first.close()
        first.close()
        assert maker.engines[0].closed == 0
        assert await second.get() is old
        with pytest.raises(ClientClosedError):
            await first.get()
        with pytest.raises(ClientClosedError):
            await first.renew(old)
        second.close()
        assert maker.engines[0].closed == 1
        third = share("key", maker)
        assert await third.get() != old
        third.close()

    asyncio.run(main())
    assert not any(_SOURCES.values())


def test_loops_share_nothing_and_leave_nothing() -> None:
    """A refresh belongs to its loop; what unclosed clients leave behind goes with the next one."""
    maker = Maker()

    async def use(close: bool) -> None:
        lease = share("key", maker)
        await lease.get()
        if close:
            lease.close()

    asyncio.run(use(close=False))
    asyncio.run(use(close=True))
    assert maker.loads == 2
    assert not any(_SOURCES.values())


def key(config: str = "[profile p]", environ: dict[str, str] | None = None, **options: Any) -> Any:
    environ = environ or {}
    return configuration_key(
        make_context(config, environ=environ, options=options).settings, environ
    )


def test_equal_configurations_have_equal_keys() -> None:
    """What credentials do not depend on makes no difference."""
    assert key() == key()
    assert key(read_timeout=5) == key(read_timeout=6)
    assert key(environ={"PATH": "x"}) == key(environ={"PATH": "y"})


def test_different_configurations_have_different_keys() -> None:
    """Profile, where it was named, region, metadata settings, files and variables count."""
    keys = [
        key(),
        key(profile="p"),
        key(environ={"AWS_PROFILE": "p"}),
        key(region="eu-west-1"),
        key(metadata_service_timeout=7),
        key(ec2_instance_profile_name="r"),
        key(environ={"AWS_ACCESS_KEY_ID": "A"}),
        key(environ={"AWS_ACCESS_KEY_ID": "B"}),
        key(environ={"HOME": "/x"}),
    ]
    assert len(set(keys)) == len(keys)


def test_a_key_holds_no_secret() -> None:
    """The environment goes into it as a digest."""
    assert "hush" not in repr(key(environ={"AWS_SECRET_ACCESS_KEY": "hush"}))
