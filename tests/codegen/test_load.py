"""Finding and reading models."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from codegen.faults import FaultyModel
from codegen.load import PAGINATORS, SERVICE, find, load, read_json


def write(root: Path, name: str, data: Any, *, zipped: bool = False) -> None:
    """Write a model file, zipped or plain."""
    path = root / (f"{name}.gz" if zipped else name)
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(data).encode()
    path.write_bytes(gzip.compress(text) if zipped else text)


def test_the_newest_version_that_has_a_model_is_taken(tmp_path: Path) -> None:
    """A newer folder without ``service-2.json`` does not count."""
    write(tmp_path, "pets/2019-01-01/service-2.json", {"old": 1})
    write(tmp_path, "pets/2020-01-01/service-2.json", {"new": 1}, zipped=True)
    write(tmp_path, "pets/2021-01-01/endpoint-rule-set-1.json", {})
    write(tmp_path, "farms/2021-01-01/endpoint-rule-set-1.json", {})
    (source,) = find(tmp_path)
    assert (source.service, source.api_version) == ("pets", "2020-01-01")
    assert load(source).service == {"new": 1}


def test_extras_are_merged_deeply(tmp_path: Path) -> None:
    """Objects are merged member by member, anything else is replaced; zipped or not."""
    write(tmp_path, "pets/1/service-2.json", {"shapes": {"A": {"type": "string", "enum": [1]}}})
    extras = {"merge": {"shapes": {"A": {"enum": [2]}, "B": {}}}, "version": 1}
    write(tmp_path, "pets/1/service-2.sdk-extras.json", extras, zipped=True)
    write(tmp_path, "pets/1/paginators-1.json", {"pagination": {"X": {"a": 1}}})
    write(tmp_path, "pets/1/paginators-1.sdk-extras.json", {"merge": {"pagination": {"Y": {}}}})
    model = load(find(tmp_path)[0])
    assert model.service == {"shapes": {"A": {"type": "string", "enum": [2]}, "B": {}}}
    assert model.paginators == {"X": {"a": 1}, "Y": {}}


def test_what_is_missing_is_empty(tmp_path: Path) -> None:
    """A service needs no paginators, waiters, rule set and origin."""
    write(tmp_path, "pets/1/service-2.json", {})
    model = load(find(tmp_path)[0])
    assert (model.paginators, model.waiters, model.rule_set, model.origin) == ({}, {}, None, "")
    assert model.path(SERVICE).name == "service-2.json"
    assert model.path(PAGINATORS).name == "paginators-1.json"


def test_a_service_that_is_not_there_is_named_with_its_likes(tmp_path: Path) -> None:
    """The message of an unknown service proposes those that exist."""
    write(tmp_path, "dynamodb/1/service-2.json", {})
    with pytest.raises(FaultyModel, match=r"no model of 'dynamdb'; did you mean dynamodb\?"):
        find(tmp_path, ["dynamdb"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"delay": NaN}', "this is not JSON: NaN is no number"),
        ('{"delay": -Infinity}', "this is not JSON: -Infinity is no number"),
        ('{"delay": 1e999}', "this is not JSON: 1e999 is no number"),
        (f'{{"max": {"9" * 5000}}}', "this is not JSON: .*digits"),
        (r'{"enum": ["\ud83d\ude00", "\ud83d "]}', r"there is half a character, '\\ud83d'"),
    ],
    ids=["nan", "infinity", "too large", "too long", "half a character"],
)
def test_what_generated_code_could_not_hold_is_a_fault(
    tmp_path: Path, content: str, message: str
) -> None:
    """Numbers that are none, and halves of characters, which no file can be written with."""
    path = tmp_path / "service-2.json"
    path.write_text(content)
    with pytest.raises(FaultyModel, match=message):
        read_json(path)


def test_characters_written_as_two_halves_are_whole(tmp_path: Path) -> None:
    """What is beyond 16 bits is written as two escapes, and is one character."""
    path = tmp_path / "service-2.json"
    path.write_text(r'{"enum": ["\ud83d\ude00"]}')
    assert read_json(path) == {"enum": ["\U0001f600"]}


@pytest.mark.parametrize("content", [b"\xff\xfe", b"", b"{", b"\x1f\x8b\x08"])
def test_files_that_are_no_json_are_faults(tmp_path: Path, content: bytes) -> None:
    """Whatever a file holds, reading it ends with a fault that names it."""
    for name in ("service-2.json", "waiters-2.json.gz"):
        path = tmp_path / "pets" / "1" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    with pytest.raises(FaultyModel) as caught:
        load(find(tmp_path)[0])
    assert [fault.file.name for fault in caught.value.faults] == [
        "service-2.json",
        "waiters-2.json.gz",
    ]
