"""What an installation gives: the built wheel and an editable one, looked at from outside.

Both are made from a copy of the sources, without a network, so that nothing stale is in them and
the working tree stays clean.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from email import message_from_string
from email.message import Message
from pathlib import Path

import pytest

import tornado_aws

ROOT = Path(tornado_aws.__file__).parents[1]
SHIPPED = ("tornado_aws", "codegen", "generated")
PACKAGES = ("tornado_aws", "tornado_aws.codegen", "tornado_aws.services.dynamodb")


def run(*arguments: str | Path, cwd: Path) -> str:
    """Run a program away from the sources and return what it prints."""
    done = subprocess.run(
        [str(argument) for argument in arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, f"{done.args}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def pip(*arguments: str | Path, cwd: Path) -> str:
    """Run pip with nothing but what is installed."""
    return run(sys.executable, "-m", "pip", *arguments, cwd=cwd)


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy what the distribution is made of."""
    copy = tmp_path_factory.mktemp("sources")
    for name in SHIPPED:
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("setup.py", "pyproject.toml", "README.rst", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    return copy


@pytest.fixture(scope="module")
def wheel(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> zipfile.Path:
    """Build the wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-deps", "--no-build-isolation", "--no-index", "-w", folder, ".", cwd=sources)
    return zipfile.Path(next(folder.glob("*.whl")))


@pytest.fixture(scope="module")
def installed(wheel: zipfile.Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel into a folder of its own."""
    target = tmp_path_factory.mktemp("installed")
    path = str(wheel.root.filename)
    pip("install", "--no-deps", "--no-index", "--target", target, path, cwd=target)
    return target


@pytest.fixture(scope="module")
def editable(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the sources editable into an environment of their own; its interpreter."""
    folder = tmp_path_factory.mktemp("editable")
    run(sys.executable, "-m", "venv", "--without-pip", folder, cwd=folder)
    # Dependencies come from the environment of the tests; a folder named in a .pth is searched,
    # its own .pth files, and with them an editable installation there, are not.
    site = folder / Path(sysconfig.get_path("purelib")).relative_to(sys.prefix)
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    python = folder / "bin" / "python"
    options = ("--no-deps", "--no-build-isolation", "--no-index", "--ignore-installed")
    pip("--python", python, "install", *options, "--editable", sources, cwd=folder)
    return python


def names(wheel: zipfile.Path) -> set[str]:
    """List the files of the wheel."""
    return set(wheel.root.namelist())


def metadata(wheel: zipfile.Path) -> Message:
    """Read the wheel's metadata."""
    name = next(name for name in names(wheel) if name.endswith(".dist-info/METADATA"))
    return message_from_string(wheel.root.read(name).decode())


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


def test_an_editable_installation_gives_every_package(editable: Path, sources: Path) -> None:
    """Runtime, generator and services are imported from the sources, under the same names."""
    places = import_places(editable, "pass", editable.parent)
    folders = {name: Path(place).relative_to(sources).parts[0] for name, place in places.items()}
    assert folders == dict(zip(PACKAGES, SHIPPED, strict=True))


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


def test_the_version_stands_in_one_place(wheel: zipfile.Path) -> None:
    """The distribution's version is the package's."""
    assert metadata(wheel)["Version"] == tornado_aws.__version__


def test_the_metadata_says_what_is_needed(wheel: zipfile.Path) -> None:
    """Python version, licence and extras are declared; nothing but two packages is required."""
    data = metadata(wheel)
    assert data["Requires-Python"] == ">=3.11"
    assert data["License-Expression"] == "BSD-3-Clause"
    assert set(data.get_all("Provides-Extra", [])) == {"bench", "codegen", "curl", "docs", "test"}
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
