"""Where STS is asked for the credentials of a role."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from tests.support.credential_sources import document, engine
from tests.support.fake_services import FakeServices
from tests.support.scripted_server import Asked, Reply, scripted_server
from tornado_aws.config import parse_profiles
from tornado_aws.credentials.chain import default_source
from tornado_aws.settings import resolve

# Without a configuration file no region is assumed.
ROLE = (
    "[default]\nrole_arn = arn:aws-cn:iam::123456789012:role/r\n"
    "credential_source = Ec2InstanceMetadata\n"
)
PAGES = {
    "/latest/api/token": b"hushtoken",
    "/latest/meta-data/iam/security-credentials/": b"role",
    "/latest/meta-data/iam/security-credentials/role": document(),
    "/latest/meta-data/placement/region": b"cn-north-1",
}


async def regions(machine: bytes, **options: Any) -> list[str]:
    """Return where STS is asked on a machine in a region."""

    async def answer(asked: Asked) -> Reply:
        page = {**PAGES, "/latest/meta-data/placement/region": machine}.get(asked.target)
        return Reply(200, page) if page else Reply(404)

    services = FakeServices()
    profiles = replace(parse_profiles("", ROLE), config_exists=False)
    async with scripted_server(answer) as server, engine() as transport:
        given = {"ec2_metadata_service_endpoint": server.url, **options}
        settings = resolve(given, {}, profiles)
        source = default_source(settings, profiles, {}, lambda: transport, call=services)
        await source.get()
        source.close()
    return [call.region for call in services.calls]


@pytest.mark.parametrize(
    ("machine", "options", "region"),
    [
        (b"cn-north-1", {}, "cn-north-1"),
        (b"cn-north-1", {"region": "cn-northwest-1"}, "cn-northwest-1"),
        (b"", {}, "us-east-1"),
    ],
)
def test_sts_is_asked_in_the_region_of_the_client(
    machine: bytes, options: dict[str, Any], region: str
) -> None:
    """It is the machine's if none is configured: roles of other partitions are known only there."""
    assert asyncio.run(regions(machine, **options)) == [region]
