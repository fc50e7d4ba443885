"""No refresh keeps the event loop from its other work."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.support.credential_sources import document, ends_in
from tests.support.fresh_process import FRESH
from tests.support.refreshing_program import CALLERS, CALLS, FUNCTIONS, PAUSE
from tests.support.scripted_server import Asked, Reply, ScriptedServer, scripted_server
from tests.support.slow_callbacks import Spent, always_slow, own_time, slow_callbacks
from tests.support.sso_home import Home

ROOT = Path(__file__).parents[3]
ROLES = "/latest/meta-data/iam/security-credentials/"

# Seconds that the first credentials live: within the window in which all wait for the next ones,
# and within the one in which nobody does.
MANDATORY, ADVISORY = 300, 800

# How long an endpoint thinks, seconds: long enough for every caller to come to wait.
THOUGHT = 0.05


class Machine:
    """A machine with a home folder, and the endpoints that it finds its credentials at.

    Args:
        home: the home folder.
        lifetime: how long the first credentials live, seconds; the next ones live for an hour.

    Attributes:
        home: the home folder.
        signed: how many calls of the service were signed with each access key.
        issued: how many credentials were handed out.
    """

    def __init__(self, home: Path, lifetime: float) -> None:
        self.signed: Counter[str] = Counter()
        self.home = home
        self._lifetime = lifetime
        self.issued = 0

    def write(self, name: str, text: str) -> None:
        """Put a file into the home folder."""
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def next(self) -> tuple[str, datetime]:
        """Return the name of the next credentials, and when they end."""
        self.issued += 1
        return str(self.issued), ends_in(self._lifetime if self.issued == 1 else 3600)

    async def answer(self, asked: Asked) -> Reply:
        if "x-amz-target" in asked.headers:
            self.signed[re.findall(r"=(\w+)/", asked.headers["authorization"])[0]] += 1
            return Reply(200, b"{}")
        await asyncio.sleep(THOUGHT)
        if b"Action=AssumeRole" in asked.body:
            return self._role(asked.body)
        path = asked.target.partition("?")[0]
        answers = {"/federation/credentials": self._sso, "/token": self._token}
        if path in answers:
            return Reply(200, json.dumps(answers[path]()).encode())
        if path in {"/credentials", f"{ROLES}role"}:
            return Reply(200, self.document(Code="Success"))
        return Reply(200, {"/latest/api/token": b"hush", ROLES: b"role"}[path])

    def document(self, **more: Any) -> bytes:
        """Return the next credentials as endpoints and programs hand them over."""
        name, end = self.next()
        return document(name, Expiration=end.isoformat(), **more)

    def _role(self, body: bytes) -> Reply:
        action = re.findall(r"Action=(\w+)", body.decode())[0]
        name, end = self.next()
        text = (
            f"<{action}Response><{action}Result><Credentials><AccessKeyId>AKID{name}</AccessKeyId>"
            "<SecretAccessKey>hush</SecretAccessKey><SessionToken>hush</SessionToken><Expiration>"
            f"{end.isoformat()}</Expiration></Credentials></{action}Result></{action}Response>"
        )
        return Reply(200, text.encode())

    def _sso(self) -> dict[str, Any]:
        name, end = self.next()
        return {
            "roleCredentials": {
                "accessKeyId": f"AKID{name}",
                "secretAccessKey": "hush",
                "sessionToken": "hush",
                "expiration": int(end.timestamp() * 1000),
            }
        }

    def _token(self) -> dict[str, Any]:
        # So short a life that the next refresh of the credentials refreshes this, too.
        return {"accessToken": "hush", "expiresIn": 60, "refreshToken": "hush"}


def container(machine: Machine, url: str) -> dict[str, str]:
    return {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{url}/credentials"}


def instance(machine: Machine, url: str) -> dict[str, str]:
    return {"AWS_EC2_METADATA_SERVICE_ENDPOINT": url, "AWS_EC2_METADATA_DISABLED": "false"}


def process(machine: Machine, url: str) -> dict[str, str]:
    for name in ("now", "later"):
        machine.write(name, machine.document(Version=1, SessionToken="hush").decode())
    lines = (f"sleep {THOUGHT}", "cat ~/now", "if [ -e ~/later ]; then mv ~/later ~/now; fi", "")
    machine.write("program", "\n".join(lines))
    machine.write(".aws/config", f"[default]\ncredential_process = sh {machine.home}/program\n")
    return {}


def role(machine: Machine, url: str) -> dict[str, str]:
    machine.write(
        ".aws/config",
        "[default]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = keys\n"
        "[profile keys]\naws_access_key_id = AKID\naws_secret_access_key = hush\n",
    )
    return {}


def web_identity(machine: Machine, url: str) -> dict[str, str]:
    machine.write("token", "hush")
    return {"AWS_WEB_IDENTITY_TOKEN_FILE": "~/token", "AWS_ROLE_ARN": "arn:aws:iam::1:role/r"}


def sso(machine: Machine, url: str) -> dict[str, str]:
    Home(machine.home, "s").login(60)
    machine.write(
        ".aws/config",
        "[default]\nsso_session = s\nsso_account_id = 1\nsso_role_name = r\n"
        "[sso-session s]\nsso_region = eu-west-1\nsso_start_url = https://portal.example\n",
    )
    return {}


Place = Callable[[Machine, str], dict[str, str]]
PLACES: tuple[Place, ...] = (container, instance, process, role, web_identity, sso)


async def observed(make: Place, lifetime: float, home: Path) -> dict[str, Any]:
    """Run the program once, with a home folder of its own; return what it has seen."""
    machine = Machine(home, lifetime)
    async with scripted_server(machine.answer) as server:
        seen = await _program(machine, server, make(machine, server.url))
    assert machine.signed.total() >= CALLERS * CALLS
    # There was a refresh among them, and only one. Within the mandatory window everybody waits for
    # it, before the first request is signed.
    assert machine.issued == 2
    assert machine.signed.keys() == ({"AKID2"} if lifetime == MANDATORY else {"AKID1", "AKID2"})
    return seen


async def blocked_by(name: str, home: Path) -> dict[str, Any]:
    """Run the program once with a function of its own that blocks; return what it has seen."""
    machine = Machine(home, MANDATORY)
    async with scripted_server(machine.answer) as server:
        return await _program(machine, server, {}, name)


async def _program(
    machine: Machine, server: ScriptedServer, more: Mapping[str, str], *arguments: str
) -> dict[str, Any]:
    environ = {
        **os.environ,
        "HOME": str(machine.home),
        "AWS_REGION": "eu-west-1",
        "AWS_ENDPOINT_URL": server.url,
        "AWS_EC2_METADATA_DISABLED": "true",
        **more,
    }
    command = (*FRESH, sys.executable, "-m", "tests.support.refreshing_program", *arguments)
    running = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, env=environ, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await running.communicate()
    assert running.returncode == 0
    seen: dict[str, Any] = json.loads(output)
    return seen


def _homes(folder: Path) -> Iterator[Path]:
    for number in itertools.count():
        home = folder / str(number)
        home.mkdir()
        yield home


@pytest.mark.parametrize("lifetime", [MANDATORY, ADVISORY], ids=["mandatory", "advisory"])
@pytest.mark.parametrize("make", PLACES, ids=lambda make: make.__name__)
def test_no_refresh_blocks_the_loop(make: Place, lifetime: float, tmp_path: Path) -> None:
    """Nothing takes the loop for 5 ms while 200 callers go on through it, nor waits on it at all.

    The files are read, and all is imported, by a client that is made on the loop.
    """
    homes = _homes(tmp_path)

    def run() -> dict[str, float]:
        seen = asyncio.run(observed(make, lifetime, next(homes)))
        assert not seen["blocked"]
        slow: dict[str, float] = seen["slow"]
        return slow

    assert not always_slow(run)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_that_blocks_the_loop_is_found(name: str, tmp_path: Path) -> None:
    """Whether it sleeps, computes or waits for a lock, it is told where it did."""
    homes = _homes(tmp_path)

    def run() -> dict[str, float]:
        slow: dict[str, float] = asyncio.run(blocked_by(name, next(homes)))["slow"]
        return slow

    place = rf"from {name} \(support/refreshing_program.py:\d+\)"
    assert [name for name in always_slow(run, runs=3) if re.search(place, name)]


def test_what_was_quick_once_is_not_slow() -> None:
    """The rest is told with its shortest time; when nothing is left there are no more runs."""
    runs: list[dict[str, float]] = [{"a": 0.3, "b": 0.2}, {"b": 0.1, "c": 0.3}, {"b": 0.4}, {}]
    later = iter(runs)
    assert always_slow(lambda: next(later), runs=3) == {"b": 0.1}
    assert always_slow(iter(runs[:1] + runs[2:]).__next__) == {}


def test_what_a_machine_takes_from_a_thread_is_not_its_own() -> None:
    """Nor what it waits for a processor; what it waits for by its own doing is."""
    before = Spent(clock=100.0, computing=5.0, queueing=2.0, waits=7)
    taken = Spent(clock=101.0, computing=5.25, queueing=2.5, waits=7)
    assert own_time(before, taken) == 0.25
    assert own_time(before, taken._replace(waits=8)) == 0.5


def test_functions_are_seen_on_the_loops_own_thread_only() -> None:
    """Not those of a loop in another thread, which may take their time."""

    def take_long() -> None:
        time.sleep(PAUSE)

    async def main() -> None:
        asyncio.get_running_loop().call_soon(partial(take_long))
        await asyncio.sleep(0)

    with slow_callbacks() as slow, ThreadPoolExecutor(1) as threads:
        threads.submit(asyncio.run, main()).result()
        assert not [name for name in slow if "take_long" in name]
        asyncio.run(main())
    assert [name for name in slow if "take_long" in name]
