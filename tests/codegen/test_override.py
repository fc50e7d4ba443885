"""Corrections of models: they apply, or say that they no longer do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from codegen.importer import data_folder
from codegen.load import SERVICE, find, load
from codegen.override import Method, Optional, Override, Parameter, obsolete, override
from codegen.overrides import OVERRIDES
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


@pytest.mark.parametrize(
    ("correction", "message"),
    [
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
