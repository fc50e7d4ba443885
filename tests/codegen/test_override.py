"""Corrections of models: they apply, or say that they no longer do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import pytest

from codegen.definitions import Class, types_context
from codegen.importer import data_folder
from codegen.load import SERVICE, find, load
from codegen.name import name
from codegen.override import (
    Method,
    Optional,
    Override,
    Parameter,
    Type,
    decided_names,
    obsolete,
    override,
)
from codegen.overrides import OVERRIDES
from codegen.resolve import resolve
from codegen.select import select
from tests.codegen import zoo

REASON = "it is a test"


def test_an_optional_member_need_not_be_given_in_any_operation() -> None:
    """It is taken out of what inputs require, in a copy of the model."""
    model = load(zoo.source())
    changed = override(model, [Optional("zoo", "Name", REASON)])
    shapes = changed.service["shapes"]
    assert shapes["CreateAnimalRequest"]["required"] == ["Token", "Kind"]
    assert shapes["DescribeAnimalRequest"]["required"] == []
    assert shapes["Animal"]["required"] == ["Name"]
    assert model.service["shapes"]["DescribeAnimalRequest"]["required"] == ["Name"]


def test_a_type_is_said_of_a_member_or_of_a_shape() -> None:
    """The annotations have it, the wire has not."""
    types = [
        Type("zoo", "Animal", "Name", REASON, sent="str | bytes", returned="bytes"),
        Type("zoo", "Animal", "", REASON),
    ]
    model = override(load(zoo.source()), types)
    assert model.service["shapes"]["Animal"]["members"]["Name"]["returnedAs"] == "bytes"
    selection = select(model, None)
    names = name(selection, decided_names(types))
    classes = cast(Sequence[Class], types_context(selection, names)["classes"])
    fields = {each.name: each.fields for each in classes}
    assert fields["Animal"]["Name"] == "str | bytes"
    assert fields["AnimalOutput"]["Name"] == "bytes"
    assert resolve(selection) == resolve(select(load(zoo.source()), None))


@pytest.mark.parametrize(
    ("correction", "message"),
    [
        (
            Type("zoo", "Animl", "", REASON),
            "there is no shape 'Animl'; did you mean Animal or Animals?",
        ),
        (
            Type("zoo", "Animal", "Nam", REASON),
            "shape Animal has no member 'Nam'; did you mean Name?",
        ),
        (Optional("zoo", "Age", REASON), "no shape requires 'Age'"),
        (
            Method("zoo", "CloseGate", "close", REASON),
            "there is no operation 'CloseGate'; did you mean CloseGates?",
        ),
        (
            Parameter("zoo", "DescribeAnimal", "string", "text", REASON),
            "operation DescribeAnimal has no member 'string'",
        ),
    ],
)
def test_a_correction_without_its_precondition_is_a_fault(
    correction: Override, message: str
) -> None:
    """Whoever updates a model has to look again at what was corrected."""
    (fault,) = obsolete(load(zoo.source()), [correction])
    assert fault.message == f"a correction (it is a test) does not apply: {message}"


@pytest.mark.parametrize("service", sorted({each.service for each in OVERRIDES}))
def test_the_corrections_apply_to_botocores_models(service: str) -> None:
    """No correction has become obsolete, and each would be missed."""
    model = load(find(data_folder(), [service])[0])
    mine = [each for each in OVERRIDES if each.service == service]
    assert list(obsolete(model, mine)) == []
    nothing: dict[str, object] = {"operations": {}, "shapes": {}}
    empty = replace(model, contents={**model.contents, SERVICE: nothing})
    assert len(list(obsolete(empty, mine))) == len(mine)
