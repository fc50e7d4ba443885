"""The demo and the local AWS it runs against: they say the truth and leave nothing behind."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from examples import demo, local_aws

ROOT = Path(__file__).parents[2]


def accepts(port: int) -> bool:
    """Tell whether something listens on a port of loopback."""
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return False
    return True


def test_the_demo_succeeds_and_leaves_nothing_behind(tmp_path: Path) -> None:
    """The demo ends with status 0, uncoloured in a pipe, and its files are gone."""
    done = subprocess.run(
        [sys.executable, "-m", "examples.demo"],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.rstrip().endswith("All came as it should.")
    assert "\x1b" not in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_step_that_goes_wrong_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """A result that is not the expected one is marked and makes the demo fail."""

    async def two(_: object) -> str:
        return "two"

    assert asyncio.run(demo.run(demo.Step("A title", two, None, "three"), demo.Show())) is False
    assert "not as expected: two" in capsys.readouterr().out


def test_the_local_aws_is_gone_afterwards() -> None:
    """Its port refuses connections as soon as the context ends, even by an error."""
    with pytest.raises(ZeroDivisionError), local_aws.local_aws() as aws:
        raise ZeroDivisionError
    assert not accepts(urlsplit(aws.endpoint).port or 0)


ABANDON = """
import os
from examples.local_aws import local_aws

with local_aws() as aws:
    print(aws.endpoint, flush=True)
    os.kill(os.getpid(), 9)
"""


def test_the_local_aws_ends_with_a_killed_program(tmp_path: Path) -> None:
    """A program that is killed takes its server with it."""
    done = subprocess.run(
        [sys.executable, "-c", ABANDON],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    port = urlsplit(done.stdout.strip()).port or 0
    deadline = time.monotonic() + 10
    while accepts(port) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not accepts(port)


def test_a_server_that_does_not_start_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What the server printed before it gave up is in the error."""
    broken = tmp_path / "ministack" / "bin" / "python"
    broken.parent.mkdir(parents=True)
    broken.write_text("#!/bin/sh\necho no such module >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    with pytest.raises(local_aws.LocalAWSError, match="no such module"), local_aws.local_aws():
        pass
