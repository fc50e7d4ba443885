"""Real models with a node missing, replaced or renamed: faults or a package, never a traceback."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import botocore
import pytest

from codegen import pipeline
from codegen.faults import Fault, FaultyModel
from codegen.form import form_faults
from codegen.load import Model, find, load
from codegen.manifest import Wishes

MODELS = Path(__file__).parents[2] / "models"
SERVICES = ("sqs", "kinesis", "sso-oidc", "dynamodbstreams")
CASES = 40  # for each service, each with one or two mutations

Step = str | int
JUNK: tuple[Any, ...] = (
    *(None, 0, -1, 3.5, 10**30, True, "", "x", "a-b", "class", "a..b", "a[", "*", "\n\"'\\", "é"),
    *("structure", "list", "{", "{x}", "{x#y}", [], {}, [None], [[]], [{}], {"a": None}),
    *({"shape": "Nope"}, {"ref": "Region"}, {"ref": 5}, {"fn": "isSet"}, {"fn": 5, "argv": 3}),
)


@cache
def sound(service: str) -> Model:
    """Load a model that is as it should be."""
    (source,) = find(MODELS, [service])
    return load(source)


def places(node: object, before: tuple[Step, ...] = ()) -> Iterator[tuple[Step, ...]]:
    """Yield the path of every node below this one."""
    steps: Any = node.items() if isinstance(node, dict) else ()
    if isinstance(node, list):
        steps = enumerate(node)
    for step, below in steps:
        yield (*before, step)
        yield from places(below, (*before, step))


@cache
def all_places(service: str, kind: str) -> list[tuple[Step, ...]]:
    """Return the paths of all nodes of a file."""
    return list(places(sound(service).contents[kind]))


def mutate(chance: random.Random, content: Any, path: tuple[Step, ...]) -> None:
    """Remove, replace, rename or repeat the node at a path, if it is there still."""
    for step in path[:-1]:
        try:
            content = content[step]
        except (KeyError, IndexError, TypeError):
            return
    last = path[-1]
    if isinstance(content, dict) and last in content:
        what = chance.choice(("remove", "replace", "replace", "rename"))
        value = content.pop(last)
        if what == "replace":
            content[last] = copy.deepcopy(chance.choice(JUNK))
        elif what == "rename":
            content[chance.choice([each for each in JUNK if isinstance(each, str)])] = value
    elif isinstance(content, list) and isinstance(last, int) and last < len(content):
        content[last : last + 1] = chance.choice(([], [copy.deepcopy(chance.choice(JUNK))]))


def broken(service: str, seed: int) -> Model:
    """Return a model with one or two mutations, which the seed decides."""
    chance = random.Random(f"{service} {seed}")
    model = sound(service)
    contents = dict(model.contents)
    for _ in range(chance.choice((1, 1, 2))):
        kind = chance.choice(sorted(contents))
        path = chance.choice(all_places(service, kind))
        contents[kind] = copy.deepcopy(contents[kind])
        mutate(chance, contents[kind], path[: chance.randint(1, len(path))])
    return Model(model.source, contents, model.origin)


@pytest.mark.parametrize("service", SERVICES)
def test_broken_models_end_in_faults_or_in_python(
    service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is in the files, what comes out is faults that name a file, or Python."""
    monkeypatch.setattr(pipeline, "format_text", lambda text, _previous: text)
    found = {"faults": 0, "packages": 0}
    for seed in range(CASES):
        model = broken(service, seed)
        faults: Sequence[Fault] = ()
        try:
            package = pipeline.generate(model, Wishes())
        except FaultyModel as error:
            faults = error.faults
            found["faults"] += 1
            assert faults, seed
        except Exception as error:
            error.add_note(f"with {service}, seed {seed}")
            raise
        else:
            for name, text in package.files.items():
                compile(text, name, "exec")
            found["packages"] += 1
        assert all(fault.file.parent == model.source.folder for fault in faults)
        assert all(fault.message for fault in faults)
    assert all(found.values()), found  # both happen, or this shows nothing


def test_all_models_of_botocore_are_of_the_right_form() -> None:
    """The tables of forms take nothing for wrong that botocore's models have."""

    every = find(Path(botocore.__file__).parent / "data")
    chosen = random.Random("forms").sample(every, 40)
    for source in chosen:
        for kind, content in load(source).contents.items():
            assert list(form_faults(kind, content)) == [], source.service
