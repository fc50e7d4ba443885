"""What an installation gives: the built wheel and an editable one, looked at from outside."""

from __future__ import annotations

import json
import os
import shutil
import sys
import zipfile
from pathlib import Path

import pytest

import tornado_aws
from tests.support.distribution import (
    FOLDERS,
    ROOT,
    build_sdist,
    build_wheel,
    copy_sources,
    install_editable,
    metadata,
    names,
    run,
)

PACKAGES = ("tornado_aws", "tornado_aws.codegen", "tornado_aws.services.dynamodb")


def import_places(python: str | Path, prelude: str, cwd: Path) -> dict[str, str]:
    """Import every package in a fresh isolated interpreter and tell where each came from."""
    program = (
        f"import importlib, json, sys; {prelude}\n"
        f"print(json.dumps({{n: importlib.import_module(n).__file__ for n in {PACKAGES}}}))"
    )
    places: dict[str, str] = json.loads(run(python, "-I", "-c", program, cwd=cwd))
    return places


def test_the_wheel_gives_every_package(installed: Path) -> None:
    """Runtime, generator and services are imported from the installed wheel."""
    places = import_places(sys.executable, f"sys.path.insert(0, {str(installed)!r})", installed)
    assert all(place.startswith(f"{installed}{os.sep}") for place in places.values()), places


def test_an_editable_installation_gives_every_package(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Runtime, generator and services are imported from the sources, under the same names."""
    sources = copy_sources(tmp_path_factory.mktemp("sources"))
    python = install_editable(sources, tmp_path_factory.mktemp("editable"))
    places = import_places(python, "pass", python.parent)
    folders = {name: Path(place).relative_to(sources).parts[0] for name, place in places.items()}
    assert folders == dict(zip(PACKAGES, FOLDERS, strict=True))


def test_this_installation_gives_every_package(tmp_path: Path) -> None:
    """What is installed where the tests run gives all names from any folder."""
    assert set(import_places(sys.executable, "pass", tmp_path)) == set(PACKAGES)


def test_the_wheel_has_what_typing_and_rendering_need(wheel: zipfile.Path) -> None:
    """The marker of typed packages and the templates are no modules, and are there all the same."""
    templates = {
        f"tornado_aws/codegen/{path.relative_to(ROOT / 'codegen')}"
        for path in (ROOT / "codegen" / "templates").iterdir()
    }
    assert templates
    assert {"tornado_aws/py.typed", *templates} <= names(wheel)


def test_the_wheel_has_every_generated_service(wheel: zipfile.Path) -> None:
    """No service of the sources is forgotten."""
    services = {path.parent.name for path in (ROOT / "generated").glob("*/__init__.py")}
    inits = {name for name in names(wheel) if name.endswith("/__init__.py")}
    assert services
    assert {f"tornado_aws/services/{service}/__init__.py" for service in services} <= inits


def test_the_wheel_has_nothing_else(wheel: zipfile.Path) -> None:
    """Models, tests and the like stay at home."""
    tops = {name.split("/")[0] for name in names(wheel)}
    assert tops == {"tornado_aws", f"tornado_aws-{tornado_aws.__version__}.dist-info"}
    assert not [name for name in names(wheel) if ".json" in name]


def test_the_source_distribution_gives_the_same_wheel(wheel: zipfile.Path, tmp_path: Path) -> None:
    """What is published as source has everything that the wheel is made of, and no test."""
    (tmp_path / "sources").mkdir()
    unpacked = build_sdist(copy_sources(tmp_path / "sources"), tmp_path)
    assert not (unpacked / "tests").exists()
    assert (unpacked / "CHANGELOG.rst").is_file()
    again = build_wheel(unpacked, tmp_path)
    assert names(again) == names(wheel)


def test_the_version_stands_in_one_place(wheel: zipfile.Path) -> None:
    """The distribution's version is the package's."""
    assert metadata(wheel)["Version"] == tornado_aws.__version__


def test_the_metadata_says_what_is_needed(wheel: zipfile.Path) -> None:
    """Python version, licence and extras are declared; nothing but two packages is required."""
    data = metadata(wheel)
    assert data["Requires-Python"] == ">=3.11"
    assert data["License-Expression"] == "BSD-3-Clause"
    extras = {"bench", "codegen", "crt", "curl", "docs", "login", "search", "sigv4a", "test"}
    assert set(data.get_all("Provides-Extra", [])) == extras
    required = [line for line in data.get_all("Requires-Dist", []) if "extra ==" not in line]
    assert [line.split(">")[0] for line in required] == ["tornado", "msgspec"]


LIGHT = """
import json, logging, signal, sys
import tornado.httpclient

def state():
    client = tornado.httpclient.AsyncHTTPClient.configured_class()
    return client, signal.getsignal(signal.SIGINT), list(logging.root.handlers)

before, known = state(), set(sys.modules)
import {name}
assert state() == before, state()
print(json.dumps(sorted(set(sys.modules) - known)))
"""

HEAVY = {"aiohttp", "black", "boto3", "botocore", "click", "jinja2", "pycurl", "xml", "ssl"}


@pytest.mark.parametrize("name", ["tornado_aws", "tornado_aws.services.dynamodb"])
def test_importing_is_light_and_changes_nothing(name: str, tmp_path: Path) -> None:
    """An import beyond Tornado's loads no heavy module and leaves global state alone."""
    output = run(sys.executable, "-I", "-c", LIGHT.format(name=name), cwd=tmp_path)
    loaded = {module.split(".")[0] for module in json.loads(output)}
    assert not loaded & HEAVY


MAKING = """
import json, sys
from tornado_aws.services.ec2 import EC2
EC2(region="us-east-1", access_key="A", secret_key="S")
print(json.dumps([name for name in sys.modules if name.startswith("tornado_aws.")]))
"""
NEEDED = {
    *(
        "_setting_kinds",
        "_settings_table",
        "client",
        "credentials",
        "credentials.explicit",
        "deadline",
    ),
    *("exceptions", "flight", "pagination", "queries", "service", "session"),
    *("services", "services.ec2", "services.ec2.client", "services.ec2.exceptions"),
    "services.ec2.paginators",
}


def test_making_a_client_imports_nothing_that_only_calls_need(tmp_path: Path) -> None:
    """Each module takes a tenth of a millisecond at least, and every start has to wait for it."""
    output = run(sys.executable, "-I", "-c", MAKING, cwd=tmp_path)
    assert {name.removeprefix("tornado_aws.") for name in json.loads(output)} == NEEDED


def test_the_examples_fit_the_types_of_the_wheel(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The programs in examples/ pass a strict type checker that sees the installed wheel."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.setenv("MYPYPATH", str(installed))
    options = ("--strict", "--explicit-package-bases", "--follow-imports=silent")
    run(sys.executable, "-m", "mypy", *options, "examples", cwd=tmp_path)
