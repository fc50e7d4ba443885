"""Copying models from botocore."""

from __future__ import annotations

import json
import re
from importlib.metadata import version
from pathlib import Path

import pytest

from codegen.faults import FaultyModel
from codegen.importer import data_folder, import_services, strip
from codegen.load import find, load
from codegen.manifest import Wishes
from codegen.pipeline import generate

ROOT = Path(__file__).parents[2]


def test_texts_are_left_out_and_names_are_kept() -> None:
    """A member called documentation is no documentation."""
    model = {
        "documentation": "<p>x</p>",
        "examples": {"A": []},
        "shapes": {
            "documentation": {"type": "string", "documentation": "x", "enum": ["documentation"]},
            "A": {
                "members": {"documentation": {"shape": "B", "documentation": "x"}},
                "deprecatedMessage": "x",
                "deprecated": True,
            },
        },
        "waiters": {"description": {"description": "x", "acceptors": [{"expected": "examples"}]}},
    }
    assert strip(model) == {
        "shapes": {
            "documentation": {"type": "string", "enum": ["documentation"]},
            "A": {"members": {"documentation": {"shape": "B"}}, "deprecated": True},
        },
        "waiters": {"description": {"acceptors": [{"expected": "examples"}]}},
    }


@pytest.mark.parametrize("service", ["sqs", "iot-jobs-data", "s3"])
def test_an_imported_model_gives_the_same_package_as_botocores_own(
    service: str, tmp_path: Path
) -> None:
    """Nothing but the recorded origin depends on where a model was read from."""
    (copy,) = import_services([service], tmp_path)
    (original,) = find(data_folder(), [service])
    origin = f", botocore {version('botocore')};"
    imported = generate(load(copy), Wishes()).files
    expected = generate(load(original), Wishes()).files
    assert imported.keys() == expected.keys()
    for name, text in imported.items():
        assert origin in text
        assert _below_comments(text) == _below_comments(expected[name])


def _below_comments(text: str) -> str:
    return re.sub(r"\A(#.*\n)+", "", text)


def test_a_second_import_replaces_the_first(tmp_path: Path) -> None:
    """Files that the newer model no longer has do not stay behind."""
    (copy,) = import_services(["sqs"], tmp_path)
    stale, origin = copy.folder / "waiters-2.json", copy.folder / "origin.json"
    stale.write_text('{"waiters": {}}')
    data = json.loads(origin.read_text())
    origin.write_text(json.dumps({**data, "files": [*data["files"], stale.name]}))
    import_services(["sqs"], tmp_path)
    assert not stale.exists()
    assert json.loads(origin.read_text()) == data


def test_a_second_import_leaves_files_of_ones_own(tmp_path: Path) -> None:
    """Extras that correct a model of AWS's are not lost when a newer one is fetched."""
    (copy,) = import_services(["sqs"], tmp_path)
    own = copy.folder / "service-2.sdk-extras.json"
    own.write_text('{"merge": {}}')
    (copy.folder / "notes.txt").write_text("why")
    import_services(["sqs"], tmp_path)
    assert own.read_text() == '{"merge": {}}'
    assert (copy.folder / "notes.txt").read_text() == "why"


def test_an_import_over_a_broken_origin_writes_nothing(tmp_path: Path) -> None:
    """Where it is not known what an earlier import wrote, nothing of any service is touched."""
    (copy,) = import_services(["sqs"], tmp_path)
    (copy.folder / "origin.json").write_text("{")
    with pytest.raises(FaultyModel, match=r"sqs.*origin\.json: line 1"):
        import_services(["kms", "sqs"], tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["sqs"]


def test_an_unknown_service_is_refused_with_its_likes(tmp_path: Path) -> None:
    """A misspelt name proposes the right ones and copies nothing."""
    with pytest.raises(FaultyModel, match="'dynamodbb'; did you mean dynamodb"):
        import_services(["sqs", "dynamodbb"], tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_models_of_this_project_hold_no_documentation() -> None:
    """No file has markup, and all say which botocore they are from."""
    for source in find(ROOT / "models"):
        for path in source.folder.glob("*.json"):
            assert not re.search(r"<(p|code|a|ul|note)\b[^\"]*>", path.read_text()), path
        origin = json.loads((source.folder / "origin.json").read_text())
        assert re.fullmatch(r"[\d.]+", origin["botocore"])
