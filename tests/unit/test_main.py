"""``python -m tornado_aws configure show``."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.credential_sources import document
from tests.support.recording_server import Answer, recording_server
from tornado_aws.__main__ import main
from tornado_aws.settings import TABLE

KEYS = {"AWS_ACCESS_KEY_ID": "AKIDAKIDAKIDAKID", "AWS_SECRET_ACCESS_KEY": "hushhushhushhush/end"}
CONFIG = """[profile p]
region = eu-west-1
endpoint_url = http://user:hush@host
services = s
aws_access_key_id = AKIDPAKIDPAKIDPP
aws_secret_access_key = hushhushhushhush
aws_session_token = hushhushhushhushtoken
aws_account_id = 123456789012
[services s]
s3 =
  endpoint_url = http://s3
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "config"
    file.write_text(CONFIG)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return file


def show(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, tuple[str, str]]:
    """Run the command; return value and source by the setting's name."""
    assert main(["configure", "show", *arguments]) == 0
    rows = [line.split(None, 2) for line in capsys.readouterr().out.splitlines()]
    return {row[0]: (row[1], row[2]) for row in rows if len(row) == 3}


def test_every_setting_is_shown_with_its_source(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Values come from environment, profile and defaults, and say so."""
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "7")
    monkeypatch.setenv("HTTPS_PROXY", "http://user:hush@proxy:1")
    shown = show(capsys, "--profile", "p")
    assert shown.keys() >= {row.name for row in TABLE}
    assert shown["region"] == ("eu-west-1", "profile p")
    assert shown["profile"] == ("p", "argument")
    assert shown["max_attempts"] == ("7", "AWS_MAX_ATTEMPTS")
    assert shown["retry_mode"] == ("standard", "default")
    assert shown["config_file"] == (str(config), "AWS_CONFIG_FILE")
    assert shown["endpoint"] == ("http://***@host", "profile p")
    assert shown["https_proxy"] == ("http://***@proxy:1", "environment")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("user:hush@127.0.0.1:1", "***@127.0.0.1:1"),
        ("http://user:hu/sh@127.0.0.1:1", "http://***@127.0.0.1:1"),
        ("http://user:p@hush@127.0.0.1:1", "http://***@127.0.0.1:1"),
        ("http://hush@127.0.0.1:1/x", "http://***@127.0.0.1:1/x"),
        ("hush:hush://hush@127.0.0.1:1", "***@127.0.0.1:1"),
        ("http://127.0.0.1:1", "http://127.0.0.1:1"),
    ],
)
@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "HTTP_PROXY"])
def test_no_part_of_a_proxys_password_is_shown(
    config: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    url: str,
    shown: str,
) -> None:
    """However the URL is written, and whether it can be used or not."""
    monkeypatch.setenv(variable, url)
    assert main(["configure", "show"]) == 0
    captured = capsys.readouterr()
    assert [variable.lower(), shown, "environment"] in [
        line.split() for line in captured.out.splitlines()
    ]
    assert "hush" not in captured.out + captured.err


def test_no_part_of_an_endpoints_password_is_shown(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name with the same character is no secret."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://user:p@hush@host/x")
    config.write_text("[profile me@work]\nregion = eu-west-1")
    found = show(capsys, "--profile", "me@work")
    assert found["endpoint"] == ("http://***@host/x", "AWS_ENDPOINT_URL")
    assert found["profile"] == ("me@work", "argument")


def test_a_home_folder_that_may_not_be_entered_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The files are not there, as far as this user is concerned."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    tmp_path.chmod(0)
    user = os.geteuid()
    os.seteuid(user or 65534)
    try:
        shown = show(capsys)
    finally:
        os.seteuid(user)
        tmp_path.chmod(0o700)
    assert shown["config_file"] == (f"{tmp_path}/.aws/config", "default, not there")


def test_credentials_are_masked(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The last four characters are enough to recognise a key."""
    assert main(["configure", "show", "--profile", "p"]) == 0
    text = capsys.readouterr().out
    assert "hushhush" not in text
    lines = [line.split() for line in text.splitlines()]
    assert ["access_key", "****************IDPP", "config-file"] in lines
    assert ["secret_key", "****************hush", "config-file"] in lines
    assert ["security_token", "****************oken", "config-file"] in lines
    assert ["account_id", "123456789012", "config-file"] in lines


def test_a_services_own_endpoint_is_shown(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With --service the endpoint is that service's."""
    shown = show(capsys, "--profile", "p", "--service", "S3")
    assert shown["endpoint"] == ("http://s3", "services s")


def test_missing_credentials_are_explained(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each source is listed with its reason; that is no failure of the command."""
    assert main(["configure", "show"]) == 0
    text = capsys.readouterr().out
    assert "No AWS credentials were found" in text
    assert "env: AWS_ACCESS_KEY_ID is not set" in text


def test_a_wrong_configuration_is_an_error(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The error goes to standard error, and the status says so."""
    assert main(["configure", "show", "--profile", "nowhere"]) == 1
    captured = capsys.readouterr()
    assert "Profile 'nowhere' was not found" in captured.err
    assert not captured.out


def test_the_machine_is_asked_for_what_nothing_else_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Region and credentials of an instance are shown with where they come from."""
    token, keys = b"hushtoken", document("hushhushhushhush")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_DEFAULTS_MODE", "auto")
    with recording_server() as server:
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", server.url)
        server.queue(
            *(Answer(200, body) for body in (token, b"eu-central-2", token, b"role", keys))
        )
        shown = show(capsys)
    assert shown["region"] == ("eu-central-2", "imds")
    assert shown["connect_timeout"] == ("1.1", "default")
    assert shown["access_key"] == ("****************hush", "imds")
    assert shown["expiration"][1] == "imds"


def test_the_package_can_be_run(tmp_path: Path) -> None:
    """``python -m tornado_aws`` is the command; without arguments it explains itself."""
    off = {"AWS_EC2_METADATA_DISABLED": "true"}
    environ = {**os.environ, **KEYS, **off, "HOME": str(tmp_path)}
    command = [sys.executable, "-m", "tornado_aws"]
    done = subprocess.run(
        [*command, "configure", "show"], env=environ, capture_output=True, text=True, check=True
    )
    assert "****************/end" in done.stdout
    assert "hush" not in done.stdout
    assert "not found: pass region=" in done.stdout
    assert ".aws/config" in done.stdout
    assert "not there" in done.stdout
    asked = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert asked.returncode == 2
    assert "usage: python -m tornado_aws" in asked.stderr
