"""What a generated package says and does: the zoo, generated, imported, called."""

from __future__ import annotations

import ast
import asyncio
import importlib
import inspect
import re
import subprocess
import sys
import typing
from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import AsyncMock

import black
import pytest
from black.mode import Mode, TargetVersion

from codegen.format import format_text
from codegen.load import PAGINATORS, SERVICE, Model, Source, load
from codegen.manifest import Wishes
from codegen.override import Method, Parameter
from codegen.pipeline import generate
from codegen.spelling import method_name
from tests.codegen import zoo
from tornado_aws.exceptions import AWSError, ClientClosedError

COMMAND = [sys.executable, "-m", "codegen"]


@pytest.fixture
def package(tmp_path: Path) -> Iterator[ModuleType]:
    """Give the zoo's package, imported."""
    zoo.write(tmp_path)
    with zoo.imported(tmp_path) as module:
        yield module


class Recorder:
    """Takes the place of the runtime's call."""

    async def __call__(self, name: str, params: Mapping[str, object]) -> Any:
        """Remember what was called."""
        self.name, self.params = name, params
        return {"called": name}


def test_the_package_exports_its_client(package: ModuleType) -> None:
    """The class is named as boto users know it and is all that is exported."""
    assert package.__all__ == ["Zoo"]
    assert package.Zoo.__name__ == "Zoo"
    assert package.Zoo._model().metadata["endpointPrefix"] == "zoo"


def test_each_operation_is_a_coroutine_with_keyword_only_parameters(package: ModuleType) -> None:
    """Required parameters come first and have no default; the others are None unless given."""
    methods = {
        name: inspect.signature(method)
        for name, method in vars(package.Zoo).items()
        if inspect.iscoroutinefunction(method)
    }
    assert set(methods) == {
        "create_animal",
        "describe_animal",
        "list_animals",
        "close_gates",
        "get_picture",
        "watch",
        "generate_presigned_url",
    }
    parameters = methods["create_animal"].parameters
    required = [each.name for each in parameters.values() if each.default is each.empty]
    assert required == ["self", "Kind", "Name"]
    assert all(
        each.kind is each.KEYWORD_ONLY for each in parameters.values() if each.name != "self"
    )
    assert parameters["Token"].default is None


def test_a_method_hands_its_parameters_to_the_runtime(package: ModuleType) -> None:
    """Every parameter goes on under the name of its member, given or not."""
    recorder = Recorder()
    client = package.Zoo.__new__(package.Zoo)
    client._call = recorder
    result = asyncio.run(client.describe_animal(Name="tom"))
    assert result == {"called": "DescribeAnimal"}
    assert recorder.name == "DescribeAnimal"
    assert recorder.params == {"Name": "tom", "str": None}


def test_the_urls_of_a_client_are_for_its_own_methods(package: ModuleType) -> None:
    """The type of the method's name lists what boto3 calls the operations, and nothing else."""
    names = typing.get_args(importlib.import_module("zoo.types").ClientMethod)
    assert list(names) == sorted(method_name(each) for each in package.Zoo._model().operation_names)
    client = package.Zoo.__new__(package.Zoo)
    client._presigned_url = AsyncMock(return_value="https://zoo")
    assert asyncio.run(client.generate_presigned_url("close_gates", {"a": 1}, 9)) == "https://zoo"
    client._presigned_url.assert_awaited_once_with("close_gates", {"a": 1}, 9, None)


def test_an_operation_may_take_the_place_of_the_method_of_urls(tmp_path: Path) -> None:
    """Where a correction gives it that name, there is no other method of the name."""
    renamed = Method("zoo", "CloseGates", name="generate_presigned_url", reason="it is a test")
    text = zoo.files(Wishes(overrides=(renamed,)))
    assert text["client.py"].count("def generate_presigned_url(") == 1
    assert "ClientMethod" not in text["types.py"]


def test_renamed_parameters_keep_their_names_on_the_wire(tmp_path: Path) -> None:
    """A parameter with a name of its own in Python becomes the member that it stands for."""
    overrides = (
        Parameter("zoo", "DescribeAnimal", member="str", name="text", reason="it is a test"),
        Method("zoo", "CloseGates", name="close", reason="it is a test"),
    )
    zoo.write(tmp_path, Wishes(overrides=overrides))
    with zoo.imported(tmp_path) as package:
        recorder = Recorder()
        client = package.Zoo.__new__(package.Zoo)
        client._call = recorder
        asyncio.run(client.describe_animal(Name="tom", text="x"))
        assert recorder.params == {"Name": "tom", "str": "x"}
        assert inspect.iscoroutinefunction(package.Zoo.close)


def test_leaving_a_client_closes_it_where_an_operation_is_called_close(tmp_path: Path) -> None:
    """``async with`` closes the connections at its end, and sends nothing."""
    renamed = Method("zoo", "CloseGates", name="close", reason="it is a test")
    zoo.write(tmp_path, Wishes(overrides=(renamed,)))

    async def leave(client: Any) -> None:
        client._call = recorder = AsyncMock()
        async with client:
            pass
        recorder.assert_not_called()
        with pytest.raises(ClientClosedError):
            await client.get_credentials()

    with zoo.imported(tmp_path) as package:
        asyncio.run(leave(package.Zoo(region="us-east-1", access_key="a", secret_key="s")))


def test_operations_that_differ_in_their_case_have_paginators_of_their_own() -> None:
    """Once a correction has told their methods apart, each pages its own operation."""
    loaded = load(zoo.source())
    service = deepcopy(loaded.service)
    paged = {"input": {"shape": "Paged"}, "output": {"shape": "Paged"}}
    service["operations"] = {name: {"name": name, **paged} for name in ("ListPets", "listPets")}
    service["shapes"]["Paged"] = {
        "type": "structure",
        "members": {"Token": {"shape": "Text"}, "Names": {"shape": "Text"}},
    }
    service["shapes"]["Text"] = {"type": "string"}
    entry = {"input_token": "Token", "output_token": "Token", "result_key": "Names"}
    pages = {"pagination": dict.fromkeys(service["operations"], entry)}
    model = Model(loaded.source, {SERVICE: service, PAGINATORS: pages}, "")
    renamed = Method("zoo", "listPets", name="list_small_pets", reason="it is a test")
    texts = generate(model, Wishes(overrides=(renamed,))).files
    constants = dict(re.findall(r'^(\w+) = Pages\(\s*"(\w+)"', texts["paginators.py"], re.M))
    assert sorted(constants.values()) == ["ListPets", "listPets"]
    for method, operation in (("list_pets", "ListPets"), ("list_small_pets", "listPets")):
        _, _, rest = texts["client.py"].partition(f"def paginate_{method}(")
        constant, *_ = re.findall(r"paginators\.(\w+)", rest)
        assert constants[constant] == operation


def test_errors_are_classes_found_by_their_codes(package: ModuleType) -> None:
    """A modelled error has a class, in the module and on the client, kept by its code."""
    exceptions = importlib.import_module("zoo.exceptions")
    assert issubclass(exceptions.AnimalExists, AWSError)
    assert package.Zoo.exceptions.AnimalExists is exceptions.AnimalExists
    assert exceptions.BY_CODE["Animal.Exists"] is exceptions.AnimalExists
    assert set(exceptions.BY_CODE) == {"Animal.Exists", "AnimalOutput", "ZooClosedException"}
    assert package.Zoo._errors is exceptions.BY_CODE
    assert not hasattr(package.Zoo.exceptions, "ElephantExists")


@pytest.mark.parametrize("name", ["types", "wire", "endpoints", "waiters"])
def test_a_client_is_made_without_what_it_may_not_need(package: ModuleType, name: str) -> None:
    """A program pays for types when it asks for them, and for what calls need when it calls."""
    package.Zoo(region="eu-west-1", access_key="A", secret_key="S")
    assert "zoo.client" in sys.modules
    assert f"zoo.{name}" not in sys.modules


def test_docstrings_tell_constraints_errors_and_where_to_read_on(package: ModuleType) -> None:
    """They are made of the model's structure, without its texts."""
    text = inspect.getdoc(package.Zoo.create_animal) or ""
    for line in (
        "Call CreateAnimal.",
        "    Kind: one of cat, dog, O'Hara's \"fox\".",
        "    Name: 1 to 64 characters.",
        "    Token: made up when it is not given; 1 to 64 characters.",
        "    Parents: 1 to 2 elements.",
        "    A dict with Animal, Created, Filter, Extra, KindsByName.",
        "    exceptions: AnimalExists, ZooClosedException.",
        "See https://docs.aws.amazon.com/goto/WebAPI/zoo-2020-01-01/CreateAnimal",
    ):
        assert line in text.splitlines()
    assert "(deprecated)" in package.Zoo.close_gates.__doc__
    assert "Its kind" not in "".join(zoo.files().values())


def test_every_annotation_of_the_types_means_something(package: ModuleType) -> None:
    """All names in annotations resolve, and required members are told from optional ones."""
    pytest.importorskip("tornado_aws.streams")
    types = importlib.import_module("zoo.types")
    hints = {
        name: typing.get_type_hints(each, include_extras=True)
        for name, each in vars(types).items()
        if typing.is_typeddict(each) and each.__module__ == "zoo.types"
    }
    assert hints["AnimalOutput"]["Picture"] == types.Returned[bytes]
    assert hints["Animal"]["Name"] is str
    assert set(hints["None_"]) == {"from", "__kind"}
    assert hints["AnimalResult"]["ResponseMetadata"] is types.ResponseMetadata
    assert "Unused" not in hints


def test_only_what_is_selected_is_generated(tmp_path: Path) -> None:
    """With some operations chosen, nothing is left of what only the others need."""
    zoo.write(tmp_path, Wishes(operations=["CloseGates", "DescribeAnimal"]))
    with zoo.imported(tmp_path) as package:
        model = package.Zoo._model()
        assert model.operation_names == ["DescribeAnimal", "CloseGates"]
        assert model.has_shape("ZooClosedException")
        assert not model.has_shape("AnimalExists")
        assert not hasattr(package.Zoo.exceptions, "AnimalExists")
        assert not hasattr(package.Zoo, "create_animal")
    header = (tmp_path / "zoo" / "client.py").read_text().splitlines()[1]
    assert "2 of 6 operations" in header


@pytest.mark.parametrize("name", sorted(zoo.files()))
def test_black_leaves_generated_text_alone(name: str) -> None:
    """What is generated is laid out as black does, and formatting it again changes nothing."""
    text = zoo.files()[name]
    mode = Mode(line_length=100, target_versions={TargetVersion.PY311})
    assert black.format_str(text, mode=mode) == text
    if name != "wire.py":
        assert format_text(text) == text


def test_generated_text_is_the_same_for_every_hash_seed(tmp_path: Path) -> None:
    """No set's or dict's order of a single run gets into the text."""
    texts = []
    for seed in ("1", "2"):
        output = tmp_path / seed
        subprocess.run(
            [*COMMAND, "generate", "zoo", "--models", str(zoo.MODELS), "--output", str(output)],
            check=True,
            env={"PYTHONHASHSEED": seed},
            cwd=Path(__file__).parents[2],
            capture_output=True,
        )
        texts.append({path.name: path.read_bytes() for path in (output / "zoo").iterdir()})
    assert texts[0] == texts[1]


def test_no_text_of_a_model_becomes_a_statement(tmp_path: Path) -> None:
    """Texts stand in comments, docstrings and literals, whatever they try to end."""
    evil = '\n"""\nimport os\n\'\'\'\n"\\'
    model = load(zoo.source())
    contents = deepcopy(dict(model.contents))
    service = contents[SERVICE]
    service["metadata"].update(serviceFullName=f"Zoo{evil}", uid=evil, signingName=evil)
    for shape in service["shapes"].values():
        if "enum" in shape:
            shape["enum"].append(evil)
        if shape.get("exception"):
            shape["error"] = {"code": f"{shape.get('error')}{evil}", "httpStatusCode": 400}
    source = Source("zoo", f"2020{evil}", model.source.folder)
    package = generate(Model(source, contents, f"1{evil}"), Wishes())
    for name, text in package.files.items():
        imports = [each for each in ast.walk(ast.parse(text)) if isinstance(each, ast.Import)]
        assert "os" not in [alias.name for each in imports for alias in each.names], name
