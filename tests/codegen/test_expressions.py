"""JMESPath expressions are followed through shapes."""

from __future__ import annotations

from typing import Any

import pytest

from codegen.cycles import required_cycles
from codegen.expressions import expression_faults


def structure(**members: str) -> dict[str, Any]:
    """Make a structure of member names and shapes."""
    return {
        "type": "structure",
        "members": {name: {"shape": each} for name, each in members.items()},
    }


SHAPES = {
    "Root": structure(Pets="Pets", Zoos="Zoos", Next="Text", Any="Document", Lists="ListOfPets"),
    "Pets": {"type": "list", "member": {"shape": "Pet"}},
    "ListOfPets": {"type": "list", "member": {"shape": "Pets"}},
    "Zoos": {"type": "map", "key": {"shape": "Text"}, "value": {"shape": "Pets"}},
    "Pet": structure(Name="Text", State="State"),
    "State": structure(Code="Text"),
    "Text": {"type": "string"},
    "Document": {"type": "structure", "members": {}, "document": True},
}


@pytest.mark.parametrize(
    "expression",
    [
        "Next",
        "Pets[-1].Name",
        "Pets[].State.Code",
        "Pets[*].State.Code",
        "Pets[0:2].Name",
        "Lists[][].Name",
        "Lists[].Name",
        "Zoos.london[0].Name",
        "Zoos.*[].Name",
        "Pets[?State.Code=='x'].Name",
        "Next || Pets[-1].Name",
        "length(Pets[?State.Code!='x']) > `0`",
        "Any.whatever[0].there",
        "Pets[].[Name, State.Code][]",
        "Pets | [0].Name",
        "keys(Zoos)",
        "!(Next == 'x')",
    ],
)
def test_expressions_that_name_members_are_sound(expression: str) -> None:
    """Every form that paginators and waiters use is understood."""
    assert list(expression_faults(expression, "Root", SHAPES)) == []


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("Nxt", "Root has no member 'Nxt'; did you mean Next?"),
        ("Pets.Name", "Pets, a list, has no member 'Name'"),
        ("Pets[].Stat.Code", "Pet has no member 'Stat'; did you mean State?"),
        ("Pets[?Stat=='x'].Name", "Pet has no member 'Stat'; did you mean State?"),
        ("Next[0]", "Text, a string, is no list"),
        ("Next || Pets[-1].Nam", "Pet has no member 'Nam'; did you mean Name?"),
        ("length(Pts)", "Root has no member 'Pts'; did you mean Pets?"),
        ("Zoos.london[0].Nam", "Pet has no member 'Nam'; did you mean Name?"),
    ],
)
def test_names_that_are_not_there_are_found(expression: str, message: str) -> None:
    """A wrong name is reported with the expression and the nearest right one."""
    assert list(expression_faults(expression, "Root", SHAPES)) == [f"in {expression!r} {message}"]


def test_cycles_of_required_members_are_found_once_each() -> None:
    """Only chains of required structures count: lists, maps, options and unions end them."""

    def requiring(**members: str) -> dict[str, Any]:
        return {**structure(**members), "required": list(members)}

    shapes = {
        "A": requiring(B="B"),
        "B": requiring(C="C", D="D"),
        "C": requiring(A="A"),
        "D": requiring(Self="D"),
        "E": structure(E="E"),
        "F": requiring(Fs="Fs"),
        "Fs": {"type": "list", "member": {"shape": "F"}},
        "G": {**requiring(G="G"), "union": True},
        "Into": requiring(A="A"),
    }
    assert [place for place, _ in required_cycles(shapes)] == [
        "shape A, member B",
        "shape D, member Self",
    ]
