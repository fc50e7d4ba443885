"""Builds and installs the distribution away from the sources and without a network."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import zipfile
from email import message_from_string
from email.message import Message
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ("tornado_aws", "codegen", "generated")
FILES = ("setup.py", "pyproject.toml", "MANIFEST.in", "README.rst", "CHANGELOG.rst", "LICENSE")


def run(*arguments: str | Path, cwd: Path) -> str:
    """Run a program and return what it prints; fail the test when it fails."""
    command = [str(argument) for argument in arguments]
    done = subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def pip(*arguments: str | Path, cwd: Path) -> None:
    """Run pip with nothing but what is installed."""
    run(sys.executable, "-m", "pip", *arguments, cwd=cwd)


def copy_sources(target: Path) -> Path:
    """Copy what the distribution is made of, and nothing that an earlier build left."""
    for name in FOLDERS:
        shutil.copytree(ROOT / name, target / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        shutil.copy(ROOT / name, target)
    return target


def build_wheel(sources: Path, target: Path) -> zipfile.Path:
    """Build the wheel of `sources` in the folder `target`."""
    pip("wheel", "--no-deps", "--no-build-isolation", "--no-index", "-w", target, ".", cwd=sources)
    return zipfile.Path(next(target.glob("*.whl")))


def build_sdist(sources: Path, target: Path) -> Path:
    """Build the source distribution of `sources`; return the folder that it unpacks to."""
    program = f"from setuptools import build_meta as b; print(b.build_sdist({str(target)!r}))"
    name = run(sys.executable, "-c", program, cwd=sources).split()[-1]
    shutil.unpack_archive(target / name, target, filter="data")
    return target / name.removesuffix(".tar.gz")


def install(wheel: zipfile.Path, target: Path) -> Path:
    """Install a wheel alone into the folder `target`."""
    path = str(wheel.root.filename)
    pip("install", "--no-deps", "--no-index", "--target", target, path, cwd=target)
    return target


def install_editable(sources: Path, target: Path) -> Path:
    """Install `sources` editable into an environment of their own; return its interpreter."""
    run(sys.executable, "-m", "venv", "--without-pip", target, cwd=target)
    # Dependencies come from the environment of the tests: a folder that a .pth file names is
    # searched, the .pth files in it, which may be another editable installation's, are not.
    packages = sysconfig.get_path("purelib")
    site = target / Path(packages).relative_to(sys.prefix)
    (site / "dependencies.pth").write_text(packages)
    python = target / "bin" / "python"
    options = ("--no-deps", "--no-build-isolation", "--no-index", "--ignore-installed")
    pip("--python", python, "install", *options, "--editable", sources, cwd=target)
    return python


def names(wheel: zipfile.Path) -> set[str]:
    """List the files of a wheel."""
    return set(wheel.root.namelist())


def metadata(wheel: zipfile.Path) -> Message:
    """Read a wheel's metadata."""
    name = next(name for name in names(wheel) if name.endswith(".dist-info/METADATA"))
    return message_from_string(wheel.root.read(name).decode())
