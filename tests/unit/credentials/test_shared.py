"""One source for the clients of one configuration."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.support.credential_sources import ends_in, make_context
from tornado_aws.config import FilePaths, parse_profiles
from tornado_aws.credentials import Credentials
from tornado_aws.credentials.exchange import Exchange
from tornado_aws.credentials.shared import (
    _SOURCES,
    Same,
    share,
    share_function,
    source_key,
    source_region,
)
from tornado_aws.credentials.source import CredentialFunction, CredentialSource, from_callable
from tornado_aws.exceptions import ClientClosedError


class Maker:
    """Makes sources, and counts what they cost and how often they are closed."""

    def __init__(self) -> None:
        self.closed: list[int] = []
        self.loads = 0

    def __call__(self, exchange: Exchange) -> tuple[CredentialSource, Callable[[], None]]:
        number = len(self.closed)
        self.closed.append(0)

        def close() -> None:
            self.closed[number] += 1

        return from_callable(self.load), close

    async def load(self) -> Credentials:
        self.loads += 1
        return Credentials(f"AKID{self.loads}", "hush")


def nothing_is_left() -> bool:
    return not any(sources.by_key or sources.by_function for sources in _SOURCES.values())


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
    assert maker.closed == [1]


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
        assert maker.closed[0] == 0
        assert await second.get() is old
        with pytest.raises(ClientClosedError):
            await first.get()
        with pytest.raises(ClientClosedError):
            await first.renew(old)
        second.close()
        assert maker.closed[0] == 1
        third = share("key", maker)
        assert await third.get() != old
        third.close()

    asyncio.run(main())
    assert nothing_is_left()


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
    assert nothing_is_left()


@pytest.mark.parametrize("kind", ["function", "method", "unhashable"])
def test_clients_with_one_function_share_what_it_returns(kind: str) -> None:
    """It is called once, as long as any of them is open."""

    class Unhashable:
        """Is equal to everything, and cannot be hashed."""

        __hash__ = None  # type: ignore[assignment]

        def __eq__(self, other: object) -> bool:
            return True

        async def __call__(self) -> Credentials:
            return await maker.load()

    async def function() -> Credentials:
        return await maker.load()

    maker, other = Maker(), Unhashable()
    functions: dict[str, Callable[[], CredentialFunction]] = {
        "function": lambda: function,
        "method": lambda: maker.load,  # another object each time
        "unhashable": lambda: other,
    }

    async def main() -> None:
        leases = [share_function(functions[kind]()) for _ in range(10)]
        found = await asyncio.gather(*(lease.get() for lease in leases))
        assert {credentials.access_key for credentials in found} == {"AKID1"}
        own = share_function(Unhashable())
        assert (await own.get()).access_key == "AKID2"
        for lease in (*leases, own):
            lease.close()
        again = share_function(functions[kind]())
        assert (await again.get()).access_key == "AKID3"
        again.close()

    asyncio.run(main())
    assert nothing_is_left()


def test_a_function_and_its_credentials_go_with_the_last_client_closed_or_not() -> None:
    """A program that makes a function for each client, and closes none, does not grow."""
    left: list[weakref.ref[object]] = []

    async def use() -> None:
        async def function() -> Credentials:
            return Credentials("AKID", "hush")

        left.append(weakref.ref(function))
        await share_function(function).get()

    async def main() -> None:
        await use()
        gc.collect()
        assert left[0]() is None
        assert nothing_is_left()

    asyncio.run(main())


def test_loops_share_what_a_function_returns() -> None:
    """Credentials that end are fetched once for all of them."""
    calls: list[None] = []

    def function() -> Credentials:
        calls.append(None)
        return Credentials("AKID", "hush", expiration=ends_in(3600))

    def of_another_loop() -> Credentials:
        async def main() -> Credentials:
            lease = share_function(function)
            try:
                return await lease.get()
            finally:
                lease.close()

        return asyncio.run(main())

    async def main() -> None:
        lease = share_function(function)
        assert await asyncio.to_thread(of_another_loop) is await lease.get()
        lease.close()

    asyncio.run(main())
    assert len(calls) == 1


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
    profiles = parse_profiles(config)
    settings = replace(settings, region=source_region(settings, environ, profiles))
    extras: dict[str, Any] = {"mfa_code": mfa_code, "role_cache": role_cache}
    return source_key(settings, environ, paths, profiles, use_curl=use_curl, **extras)


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
        (key(), key("[profile p]\n[profile q]\naws_access_key_id = A")),
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
        key("[default]\nrole_arn = r\nsource_profile = q\n[profile q]\nx = 1"),
        key("[default]\nrole_arn = r\nsource_profile = q\n[profile q]\nx = 2"),
        key("[default]\nsso_session = s\n[sso-session s]\nx = 1"),
        key("[default]\nsso_session = s\n[sso-session s]\nx = 2"),
    ]
    assert len(set(keys)) == len(keys)


def test_a_key_holds_no_secret() -> None:
    """Environment, proxy and profile go into it as a digest."""
    environ = {"AWS_SECRET_ACCESS_KEY": "hush"}
    config = "[default]\naws_secret_access_key = hush"
    assert "hush" not in repr(key(config, environ, proxy="http://user:hush@proxy"))


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
