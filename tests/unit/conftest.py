"""What the tests of several modules need."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.recording_server import RecordingServer, recording_server


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    """Run a server that records what arrives."""
    with recording_server() as running:
        yield running
