"""Everything that botocore has can be generated."""

from __future__ import annotations

import random

import black
import pytest
from black.mode import Mode, TargetVersion

from codegen.importer import data_folder
from codegen.load import find
from codegen.pipeline import generate_all
from codegen.spelling import module_name

SAMPLE = 6
MODE = Mode(line_length=100, target_versions={TargetVersion.PY311})

Packages = dict[str, dict[str, str]]


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Packages:
    """Give the packages of all services of botocore."""
    nowhere = tmp_path_factory.mktemp("generated")
    return generate_all(find(data_folder()), {}, nowhere, lambda source: None)


def test_every_service_has_a_package(packages: Packages) -> None:
    """No model is refused, and no two services make the same package."""
    services = [source.service for source in find(data_folder())]
    assert len(services) > 400
    assert set(packages) == {module_name(service) for service in services}


def test_generated_text_is_python(packages: Packages) -> None:
    """A sample of modules, others in each botocore, compiles."""
    for module in random.Random(len(packages)).sample(sorted(packages), SAMPLE):
        for name, text in packages[module].items():
            compile(text, f"{module}/{name}", "exec")


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
