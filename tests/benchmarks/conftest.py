"""The server of the benchmarks, running."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks.server import Server, server


@pytest.fixture(scope="session")
def running() -> Iterator[Server]:
    """The server of the benchmarks."""
    with server() as found:
        yield found
