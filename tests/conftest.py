"""What holds for every test.

* The user's AWS settings, proxies and home folder are out of reach.
* Nothing but loopback is reached: an attempt fails the test, even when the code under test
  swallows the refusal.
* A test leaves nothing behind: no variable of the environment, and no event loop, socket or task.
"""

from __future__ import annotations

import gc
import ipaddress
import logging
import os
import socket
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from examples.local_aws import LocalAWS, local_aws
from tests.support import distribution
from tornado_aws.credentials.providers import imds

_PROXIES = {"http_proxy", "https_proxy", "all_proxy", "no_proxy"}

# A read timeout or a refusal is what code under test handles; this must look like neither.
_refused: list[str] = []


class NetworkRefused(BaseException):
    """A test tried to reach something else than this machine."""


def _is_private(name: str) -> bool:
    return name.startswith("AWS_") or name.lower() in _PROXIES


def _leave_user_settings() -> None:
    for name in filter(_is_private, list(os.environ)):
        del os.environ[name]
    os.environ["HOME"] = _HOME.name


def _guard_network(event: str, arguments: tuple[Any, ...]) -> None:
    if event in {"socket.connect", "socket.sendto"}:
        _, address = arguments
        _allow_only_loopback(address[0] if isinstance(address, tuple) else "localhost")
    elif event in {"socket.getaddrinfo", "socket.gethostbyname"}:
        _allow_only_loopback(arguments[0])


def _allow_only_loopback(host: str | bytes | None) -> None:
    name = host.decode() if isinstance(host, bytes) else host or "localhost"
    if name.endswith(".invalid"):  # RFC 6761: exists nowhere, so that no resolver need be asked
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    if name == "localhost" or name.endswith(".localhost") or _is_loopback(name):
        return
    _refused.append(name)
    raise NetworkRefused(name)


def _is_loopback(name: str) -> bool:
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


# Timing decides no test; where a failure must be repeatable, so are the generated examples.
settings.register_profile("project", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("project")

_HOME = tempfile.TemporaryDirectory(prefix="tests-home-")
_leave_user_settings()
sys.addaudithook(_guard_network)


@pytest.fixture(autouse=True)
def no_network() -> Iterator[None]:
    """Fail a test that tried to leave this machine."""
    _refused.clear()
    yield
    assert not _refused, f"the test tried to reach {', '.join(_refused)}"


@pytest.fixture(autouse=True)
def clean_environment() -> Iterator[None]:
    """Fail a test that leaves settings behind, in the environment or in the home folder."""
    yield
    left = [name for name in os.environ if _is_private(name)]
    files = [path.name for path in Path(_HOME.name).glob(".aws")]
    assert not left + files, f"the test left {', '.join(left + files)} behind"


@pytest.fixture(autouse=True)
def no_known_region() -> None:
    """Forget what metadata services of earlier tests said: ports come again."""
    imds._LOOKUPS.clear()


@pytest.fixture(autouse=True)
def no_lost_errors(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Fail a test after which asyncio complains: a task destroyed, an exception nobody saw."""
    yield
    lost = [
        record.getMessage()
        for when in ("setup", "call")
        for record in caplog.get_records(when)
        if record.name == "asyncio" and record.levelno >= logging.ERROR
    ]
    assert not lost, f"asyncio complains: {lost}"


@pytest.fixture(autouse=True, scope="module")
def nothing_leaked() -> Iterator[None]:
    """Find the loops and sockets that a module's tests never closed.

    Their destructors warn, and warnings are errors; the collector is run once a module because
    once a test would double the time of the suite. What is left then is the session's, above all
    hundreds of models: it is not looked through again.
    """
    yield
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def aws() -> Iterator[LocalAWS]:
    """Run a local AWS that checks signatures, and make a user that may do everything."""
    with local_aws() as running:
        yield running


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.Path:
    """Build the wheel of the working tree."""
    sources = distribution.copy_sources(tmp_path_factory.mktemp("sources"))
    return distribution.build_wheel(sources, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def installed(wheel: zipfile.Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel into a folder of its own, to be put first on a path."""
    return distribution.install(wheel, tmp_path_factory.mktemp("installed"))
