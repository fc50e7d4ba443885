"""Real servers on loopback; every test of this folder carries the mark `integration`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from examples.local_aws import LocalAWS

HERE = Path(__file__).parent

Server = dict[str, Any]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is in this folder."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.integration)


@pytest.fixture(scope="session")
def moto_server() -> Iterator[str]:
    """Run moto, which speaks every protocol and checks no signature; its URL.

    State is shared by all tests of a run: use names of your own.
    """
    from moto.server import ThreadedMotoServer  # noqa: PLC0415 - a second of imports

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def ministack(aws: LocalAWS) -> Server:
    """Options of a client of a server that verifies signatures."""
    return {
        "endpoint": aws.endpoint,
        "region": aws.region,
        "access_key": aws.access_key,
        "secret_key": aws.secret_key,
    }


@pytest.fixture
def moto(moto_server: str) -> Server:
    """Options of a client of a server that knows more of S3, and no signature."""
    keys = {"access_key": "any", "secret_key": "key"}
    return {"endpoint": moto_server, "region": "us-east-1", **keys}


@pytest.fixture(params=["ministack", "moto"])
def server(request: pytest.FixtureRequest) -> Server:
    """Options of a client of either server."""
    options: Server = request.getfixturevalue(request.param)
    return options
