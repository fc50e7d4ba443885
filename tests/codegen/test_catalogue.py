"""Whatever botocore has can be generated: a sample of services, and those that are unusual."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import black
import botocore
import pytest
from black.mode import Mode, TargetVersion

from codegen.importer import data_folder
from codegen.load import find
from codegen.pipeline import generate_all
from codegen.spelling import module_name
from tests.codegen import catalogue

SAMPLE = 40
UNUSUAL = (
    "redshift-serverless",  # a method that hides one of the client's own
    "compute-optimizer-automation",  # long names
    "iot-jobs-data",  # odd members
    "glacier",
    "logs",
    "cloudsearchdomain",
)
MODE = Mode(line_length=100, target_versions={TargetVersion.PY311})

Packages = dict[str, dict[str, str]]


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Packages:
    """Give the packages of a sample of botocore's services."""
    nowhere = tmp_path_factory.mktemp("generated")
    return generate_all(find(data_folder(), services()), {}, nowhere, lambda source: None)


def services() -> list[str]:
    """Choose services, others in each botocore."""
    names = [source.service for source in find(data_folder())]
    assert len(names) > 400
    seed = random.Random(botocore.__version__)
    return sorted({*UNUSUAL, *seed.sample(names, SAMPLE)})


def test_every_service_has_a_package_of_python(packages: Packages) -> None:
    """No model is refused, and all texts compile."""
    assert set(packages) == {module_name(service) for service in services()}
    for module, files in packages.items():
        for name, text in files.items():
            compile(text, f"{module}/{name}", "exec")


def test_no_two_services_of_botocore_make_the_same_package() -> None:
    """All can be generated into one folder."""
    names = [source.service for source in find(data_folder())]
    assert len({module_name(name) for name in names}) == len(names)


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("redshift_serverless", "client.py"),  # a method that hides one of the client's own
        ("compute_optimizer_automation", "types.py"),  # long names
        ("iot_jobs_data", "types.py"),  # odd members
    ],
)
def test_black_leaves_unusual_modules_alone(module: str, name: str, packages: Packages) -> None:
    """They are laid out as black does."""
    text = packages[module][name]
    assert black.format_str(text, mode=MODE) == text


def test_corrected_names_are_those_that_boto_users_know(packages: Packages) -> None:
    """What Python or the client has no place for is called as in botocore."""
    assert "        fromTime: int,\n" in packages["logs"]["client.py"]
    assert '                "from": fromTime,\n' in packages["logs"]["client.py"]
    assert (
        "        returnFields: str | None = None,\n" in packages["cloudsearchdomain"]["client.py"]
    )
    assert "    async def get_credentials(" in packages["redshift_serverless"]["client.py"]
    assert "        accountId: str | None = None,\n" in packages["glacier"]["client.py"]


def test_texts_of_the_services_do_not_get_into_the_packages(packages: Packages) -> None:
    """Nothing of the documentation is left, nor of messages about deprecation."""
    for module, files in packages.items():
        for name, text in files.items():
            assert "<p>" not in text, f"{module}/{name}"
            assert "deprecatedMessage" not in text, f"{module}/{name}"


def test_the_check_of_the_catalogue_sees_what_is_wrong(tmp_path: Path) -> None:
    """A package as generated has no faults; a missing method, a module that cannot be imported and
    a wrong type are told, with the name of the service or the place.
    """
    output = tmp_path / "whole_catalogue"
    assert catalogue.generate(["sts"], output) == "1 packages, 6 files written"
    assert catalogue.generate(["sts"], output) == "1 packages, 0 files written"
    assert found(output) == ""
    client = output / "sts" / "client.py"
    text = client.read_text()
    client.write_text(text.replace("def get_caller_identity", "def get_caller"))
    assert found(output) == "sts: STS has no get_caller_identity\n"
    client.write_text(text + "raise ValueError(7)\n")
    assert found(output) == "sts: ValueError(7)\n"
    client.write_text(text + 'number: int = ""\n')
    (complaint,) = catalogue.check_types(["sts"], output)
    assert "sts/client.py" in complaint
    assert "Incompatible types in assignment" in complaint


def found(output: Path) -> str:
    """Return the faults of STS, found by a process that has imported nothing yet."""
    program = (
        "import sys; from pathlib import Path; from botocore.loaders import Loader;"
        "from tests.codegen.catalogue import faults; output = Path(sys.argv[1]);"
        "sys.path.insert(0, str(output.parent)); print(*faults('sts', output, Loader()), sep='\\n')"
    )
    command = [sys.executable, "-c", program, str(output)]
    done = subprocess.run(command, cwd=catalogue.ROOT, capture_output=True, text=True, check=True)
    return done.stdout.lstrip("\n")
