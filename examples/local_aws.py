"""A local AWS to try things against: ministack on loopback, checking every signature.

Only the standard library is needed here besides ministack itself, so that nothing of the library
shown or tested takes part in preparing its own examination.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

BOOT_SECONDS = 60.0
STOP_SECONDS = 5.0
REGION = "us-east-1"

_POLICY = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"},
}

# The access key `test` is root, and the only one whose signature ministack does not check.
_ROOT_AUTHORIZATION = (
    f"AWS4-HMAC-SHA256 Credential=test/20260101/{REGION}/iam/aws4_request, "
    "SignedHeaders=host, Signature=none"
)

# Runs ministack until this program ends, in whatever way it does: standard input is a pipe from it.
_SERVER = """
import os, runpy, sys, threading

def end_with_parent():
    sys.stdin.buffer.read()
    os._exit(0)

threading.Thread(target=end_with_parent, daemon=True).start()
sys.argv = ["ministack"]
runpy.run_module("ministack", run_name="__main__")
"""

# The environment is ours to decide, or a loopback request could go through the user's proxy.
_open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open


class LocalAWSError(Exception):
    """The local AWS could not be started; the text says why."""


@dataclass(frozen=True)
class LocalAWS:
    """How to reach a running local AWS.

    Attributes:
        endpoint: its URL.
        region: the region to sign for.
        access_key: access key id of a user that may do everything.
        secret_key: the user's secret access key.
    """

    endpoint: str
    region: str
    access_key: str
    secret_key: str = field(repr=False)


@contextmanager
def local_aws() -> Iterator[LocalAWS]:
    """Run a local AWS with one IAM user; it is gone, files included, when the context ends.

    Raises:
        LocalAWSError: it did not come up within `BOOT_SECONDS`, or does not check signatures.
    """
    with tempfile.TemporaryDirectory(prefix="local-aws-") as folder:
        port = _free_port()
        process = _start(Path(folder), port)
        try:
            endpoint = f"http://127.0.0.1:{port}"
            _wait_until_healthy(process, endpoint, Path(folder))
            yield LocalAWS(endpoint, REGION, *_create_user(endpoint))
        finally:
            _stop(process)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _start(folder: Path, port: int) -> subprocess.Popen[bytes]:
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "STATE_DIR": str(folder),
        "AUTH": "true",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": "127.0.0.1",
        "IOT_MTLS_ENABLED": "0",  # it would listen on a fixed port
        "LOG_LEVEL": "WARNING",
    }
    with _log(folder).open("wb") as log:
        return subprocess.Popen(
            [_python(), "-c", _SERVER],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # one group, so that its own children end with it
        )


def _python() -> str:
    """Return the interpreter that has ministack: in an environment of its own, or this one.

    ministack pins versions that the environment around it may need otherwise.
    """
    own = Path(sys.prefix) / "ministack" / "bin" / "python"
    return str(own if own.exists() else sys.executable)


def _log(folder: Path) -> Path:
    return folder / "ministack.log"


def _wait_until_healthy(process: subprocess.Popen[bytes], endpoint: str, folder: Path) -> None:
    deadline = time.monotonic() + BOOT_SECONDS
    while (health := _health(endpoint)) is None:
        if process.poll() is not None:
            raise LocalAWSError(f"ministack did not start:\n{_log(folder).read_text()}")
        if time.monotonic() > deadline:
            raise LocalAWSError(f"ministack gave no answer within {BOOT_SECONDS:.0f} seconds")
        time.sleep(0.05)
    if health.get("auth") != "enabled":
        raise LocalAWSError(
            "this ministack checks no signatures; install ministack 1.5.33 or newer"
        )


def _health(endpoint: str) -> dict[str, object] | None:
    try:
        with _open(f"{endpoint}/_ministack/health", timeout=5) as answer:
            health: dict[str, object] = json.load(answer)
            return health
    except OSError:  # not listening yet
        return None


def _create_user(endpoint: str) -> tuple[str, str]:
    user = {"UserName": "someone"}
    policy = {"PolicyName": "everything", "PolicyDocument": json.dumps(_POLICY)}
    _iam(endpoint, "CreateUser", user)
    _iam(endpoint, "PutUserPolicy", user | policy)
    answer = _iam(endpoint, "CreateAccessKey", user)
    return _element(answer, "AccessKeyId"), _element(answer, "SecretAccessKey")


def _iam(endpoint: str, action: str, parameters: dict[str, str]) -> str:
    body = urlencode({"Action": action, "Version": "2010-05-08", **parameters}).encode()
    headers = {"Authorization": _ROOT_AUTHORIZATION}
    try:
        with _open(urllib.request.Request(endpoint, body, headers), timeout=30) as answer:
            text: str = answer.read().decode()
            return text
    except urllib.error.HTTPError as error:
        with error:
            raise LocalAWSError(f"{action} failed: {error.read().decode()}") from error


def _element(xml: str, name: str) -> str:
    found = re.search(f"<{name}>([^<]+)</{name}>", xml)
    if found is None:
        raise LocalAWSError(f"ministack answered without {name}")
    return found[1]


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.communicate(timeout=STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
