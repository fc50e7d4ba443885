"""One source for the clients of one configuration."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from tests.support.credential_sources import make_context
from tornado_aws.config import FilePaths, parse_profiles
from tornado_aws.credentials import Credentials
from tornado_aws.credentials.exchange import Exchange
from tornado_aws.credentials.shared import _SOURCES, Same, share, source_key, source_region
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


PATHS = FilePaths("a", "b")


def key(
    config: str = "[profile p]",
    environ: dict[str, str] | None = None,
    *,
    paths: FilePaths = PATHS,
    use_curl: bool = False,
    mfa_code: Any = None,
    role_cache: str | None = None,
    **options: Any,
) -> Any:
    environ = environ or {}
    settings = make_context(config, environ=environ, options=options).settings
    settings = replace(settings, region=source_region(settings, environ, parse_profiles(config)))
    return source_key(
        settings, environ, paths, use_curl=use_curl, mfa_code=mfa_code, role_cache=role_cache
    )


class Device:
    """Gives codes, is equal to everything, and cannot be hashed."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return True

    def __call__(self, serial: str) -> str:
        raise AssertionError

    def code(self, serial: str) -> str:
        raise AssertionError


def test_equal_configurations_have_equal_keys() -> None:
    """What credentials do not depend on makes no difference, region and bounds among it."""
    device = Device()
    for one, other in (
        (key(), key()),
        (key(read_timeout=5), key(read_timeout=None)),
        (key(connect_timeout=5, pool_timeout=1), key(tls_timeout=6)),
        (key(environ={"PATH": "x"}), key(environ={"PATH": "y"})),
        (key(region="eu-west-1"), key(region="us-east-1")),
        (key(verify=True), key()),
        (key(client_cert=["c", "k"]), key(client_cert=("c", "k"))),
        (key(mfa_code=device), key(mfa_code=device)),
        (key(mfa_code=device.code), key(mfa_code=device.code)),
    ):
        assert one == other
        assert hash(one) == hash(other)


def test_different_configurations_have_different_keys() -> None:
    """Profile, where it was named, the way to services, files and variables count."""
    keys = [
        key(),
        key(profile="p"),
        key(environ={"AWS_PROFILE": "p"}),
        key(region="cn-north-1"),
        key(metadata_service_timeout=7),
        key(ec2_instance_profile_name="r"),
        key(environ={"AWS_ACCESS_KEY_ID": "A"}),
        key(environ={"AWS_ACCESS_KEY_ID": "B"}),
        key(environ={"HOME": "/x"}),
        key(paths=FilePaths("a", "c")),
        key(use_fips_endpoint=True),
        key(use_dualstack_endpoint=True),
        key(ignore_configured_endpoint_urls=True),
        key(verify=False),
        key(client_cert="c"),
        key(client_cert=("c", "k")),
        key(proxy=""),
        key(proxy="http://a"),
        key(use_curl=True),
        key(mfa_code=Device()),
        key(mfa_code=Device()),
        key(mfa_code=Device().code),
        key(role_cache="folder"),
    ]
    assert len(set(keys)) == len(keys)


def test_a_key_holds_no_secret() -> None:
    """Environment and proxy go into it as a digest."""
    environ = {"AWS_SECRET_ACCESS_KEY": "hush"}
    assert "hush" not in repr(key(environ=environ, proxy="http://user:hush@proxy"))


def test_the_same_function_is_the_same_as_long_as_it_is_in_a_key() -> None:
    """No other object has its identity meanwhile."""
    first = Same(Device())
    assert first not in {Same(Device()) for _ in range(100)}
    assert first != first._parts[0]


@pytest.mark.parametrize(
    ("config", "environ", "region", "expected"),
    [
        ("[default]\nregion = eu-west-1", {}, "us-east-1", "eu-west-1"),
        ("[default]\nregion = eu-west-1", {}, None, "eu-west-1"),
        ("[default]", {"AWS_REGION": "eu-west-2"}, "us-east-1", "eu-west-2"),
        ("[default]", {}, "eu-west-3", "eu-west-3"),
        ("[default]\nregion = eu-west-1", {}, "cn-north-1", "cn-north-1"),
        ("[default]\nregion = fips-us-gov-west-1", {}, "us-gov-east-1", "fips-us-gov-west-1"),
        ("[default]", {"AWS_REGION": "no region"}, "eu-west-3", "eu-west-3"),
        ("[default]", {}, None, "us-east-1"),
        # Another profile's, though clients without a region are for it.
        (
            "[default]\nregion = eu-west-1\n[profile p]",
            {"AWS_PROFILE": "p"},
            "us-east-2",
            "us-east-2",
        ),
    ],
)
def test_other_services_are_asked_in_the_region_of_the_configuration(
    config: str, environ: dict[str, str], region: str | None, expected: str
) -> None:
    """The client's counts where there is none, or one of another partition."""
    settings = make_context(config, environ=environ, options={"region": region}).settings
    assert source_region(settings, environ, parse_profiles(config)) == expected
