"""Real servers on loopback; every test of this folder carries the mark `integration`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent


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
