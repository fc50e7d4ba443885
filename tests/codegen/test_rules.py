"""Endpoint rule sets compiled to modules: their text, their faults, their warnings."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import black
import pytest
from black.mode import Mode, TargetVersion

from codegen.faults import FaultyModel
from codegen.rules import compile_rules, default_rules
from tests.conformance import endpoint_rules
from tornado_aws.endpoints import Endpoint
from tornado_aws.exceptions import EndpointError

PATH = Path("models/pets/2020-01-01/endpoint-rule-set-1.json")
MODE = Mode(line_length=100, target_versions={TargetVersion.PY311})
PARAMETERS = {
    "Region": {"type": "String", "builtIn": "AWS::Region"},
    "UseFIPS": {"type": "Boolean", "builtIn": "AWS::UseFIPS", "required": True, "default": False},
    "Endpoint": {"type": "String", "builtIn": "SDK::Endpoint"},
    "Name": {"type": "String"},
    "Flag": {"type": "Boolean"},
    "Names": {"type": "StringArray"},
}
NAME = PARAMETERS["Name"]
Json = Any


def fn(name: str, *arguments: Json, assign: str | None = None) -> Json:
    """Return a call as a rule set has it; a name in angle brackets is a reference."""
    argv = [
        {"ref": each[1:-1]} if isinstance(each, str) and each[:1] == "<" else each
        for each in arguments
    ]
    return {"fn": name, "argv": argv, **({"assign": assign} if assign else {})}


def endpoint(url: Json, *conditions: Json, **more: Json) -> Json:
    """Return a rule that gives an endpoint."""
    return {"type": "endpoint", "conditions": [*conditions], "endpoint": {"url": url, **more}}


def error(text: str, *conditions: Json) -> Json:
    """Return a rule that gives an error."""
    return {"type": "error", "conditions": [*conditions], "error": text}


def tree(conditions: list[Json], *rules: Json) -> Json:
    """Return a rule that gives further rules."""
    return {"type": "tree", "conditions": conditions, "rules": [*rules]}


def rule_set(*rules: Json, parameters: Mapping[str, Json] = PARAMETERS) -> Json:
    """Return a rule set."""
    return {"version": "1.0", "parameters": parameters, "rules": [*rules]}


def text_of(*rules: Json) -> str:
    """Return the module of some rules."""
    return compile_rules(rule_set(*rules), title="Pets", path=PATH).text


def body_of(*rules: Json) -> str:
    """Return what `resolve` does after it read its parameters."""
    lines = text_of(*rules).partition("known(params, PARAMETERS)\n")[2].splitlines()
    return "\n".join(
        line[4:] for line in lines if " = string(" not in line and "(params" not in line
    )


def resolver(*rules: Json) -> Callable[[Mapping[str, Any]], Endpoint]:
    """Return `resolve` of some rules."""
    return endpoint_rules.compiled(rule_set(*rules), PATH)


def faults_of(*rules: Json) -> list[str]:
    """Return what is wrong with some rules."""
    with pytest.raises(FaultyModel) as caught:
        text_of(*rules)
    return [str(fault) for fault in caught.value.faults]


def warnings_of(*rules: Json) -> list[str]:
    """Return what can never apply in some rules."""
    found = compile_rules(rule_set(*rules), title="Pets", path=PATH).warnings
    return [f"{fault.place}: {fault.message}" for fault in found]


def test_module_reads_as_written_by_hand() -> None:
    """A usual rule set becomes a module that one can read from top to bottom."""
    module = compile_rules(default_rules("pets"), title="Pets", path=PATH, header="# Header\n").text
    head, function, code = module.partition("\n\n\ndef resolve")
    assert head.startswith('''# Header
"""Endpoints of Pets, compiled from its endpoint rule set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tornado_aws.endpoints.rules import Endpoint, aws_partition, known, label, string
from tornado_aws.exceptions import EndpointError

PARAMETERS = frozenset({"Region", "Endpoint"})
'''.rstrip("\n"))
    assert f"{function.strip()}{code}" == '''def resolve(params: Mapping[str, Any]) -> Endpoint:
    """Return the endpoint for these parameters.

    Args:
        params: values by the names in `PARAMETERS`; None counts as not given.

    Raises:
        EndpointError: there is no endpoint for them; the text is the rule's own.
    """
    known(params, PARAMETERS)
    region = string(params, "Region")
    endpoint = string(params, "Endpoint")
    if endpoint is not None:
        return Endpoint(endpoint)
    if region is not None:
        partition_result = aws_partition(region)
        return Endpoint(f"https://pets.{label(region)}.{partition_result.dns_suffix}")
    raise EndpointError("Invalid Configuration: Missing Region")
'''


def test_default_rules() -> None:
    """A service without a rule set has its own endpoint, else the usual host."""
    resolve = endpoint_rules.compiled(default_rules("pets"), PATH)
    assert resolve({"Region": "eu-west-1"}) == Endpoint("https://pets.eu-west-1.amazonaws.com")
    assert resolve({"Region": "x", "Endpoint": "http://h:1"}).url == "http://h:1"
    with pytest.raises(EndpointError, match="Missing Region"):
        resolve({})


@pytest.mark.parametrize(
    ("condition", "code"),
    [
        (fn("isSet", "<Name>"), "if name is not None:"),
        (fn("not", fn("isSet", "<Name>")), "if name is None:"),
        (fn("booleanEquals", "<UseFIPS>", True), "if use_fips:"),
        (fn("booleanEquals", False, "<UseFIPS>"), "if not use_fips:"),
        (fn("booleanEquals", "<Flag>", True), "if flag:"),
        (fn("booleanEquals", "<Flag>", False), "if flag is False:"),
        (fn("stringEquals", "a", "<Name>"), 'if name == "a":'),
        (fn("not", fn("stringEquals", "<Name>", "<Region>")), "if name != region:"),
        (fn("isValidHostLabel", "<Name>", True), "if is_valid_host_label(name, True):"),
        (
            fn("not", fn("isValidHostLabel", "<Name>", False)),
            "if not is_valid_host_label(name, False):",
        ),
        (fn("parseURL", "<Name>"), "if parse_url(name) is not None:"),
        (fn("not", fn("isSet", fn("parseURL", "<Name>"))), "if parse_url(name) is None:"),
        (fn("getAttr", "<Names>", "[0]"), "if item(names, 0) is not None:"),
        (fn("stringEquals", fn("getAttr", "<Names>", "[-1]"), "x"), 'if item(names, -1) == "x":'),
        (fn("stringEquals", fn("coalesce", "<Name>", "y"), "x"), 'if coalesce(name, "y") == "x":'),
        (
            fn("stringEquals", fn("ite", "<UseFIPS>", "-fips", ""), "<Name>"),
            'if ("-fips" if use_fips else "") == name:',
        ),
        (fn("isSet", fn("split", "<Name>", "-", 0)), 'if split(name, "-", 0) is not None:'),
        (fn("stringEquals", "{Region}-{Name}", "<Name>"), 'if f"{region}-{name}" == name:'),
    ],
)
def test_conditions(condition: Json, code: str) -> None:
    """Each function of the engine has its form in Python."""
    assert body_of(error("no", condition)).strip().splitlines()[0] == code


def test_conditions_side_by_side() -> None:
    """Conditions of a rule are one line with their assignments; nothing is asked twice."""
    body = body_of(
        error(
            "no {part}",
            fn("isSet", "<Flag>"),
            fn("booleanEquals", "<Flag>", True),
            fn("substring", "<Name>", 0, 2, False, assign="part"),
            fn("stringEquals", "<part>", "ab"),
            fn("isSet", "<part>"),
        )
    )
    assert body.startswith(
        'if flag and (part := substring(name, 0, 2, False)) is not None and part == "ab":\n'
        '    raise EndpointError(f"no {part}")'
    )


def test_assignments_that_always_hold_are_statements() -> None:
    """A partition is never missing, so nothing asks whether it is."""
    body = body_of(
        tree(
            [fn("isSet", "<Region>"), fn("aws.partition", "<Region>", assign="P")],
            error("{P#name}", fn("booleanEquals", fn("getAttr", "<P>", "supportsFIPS"), False)),
            endpoint("https://x.{P#dnsSuffix}"),
        )
    )
    assert body.startswith(
        "if region is not None:\n"
        "    p = aws_partition(region)\n"
        "    if not p.supports_fips:\n"
        "        raise EndpointError(p.name)\n"
        '    return Endpoint(f"https://x.{p.dns_suffix}")'
    )


def test_assignments_that_nothing_uses_are_left_out() -> None:
    """A name that no rule refers to is no variable."""
    body = body_of(error("no", fn("aws.partition", "<Region>", assign="P"), fn("isSet", "<Name>")))
    assert "aws_partition" not in body


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("https://{Name}.x.com", 'f"https://{label(name)}.x.com"'),
        ("https://x.com/{Name}", 'f"https://x.com/{name}"'),
        ("https://x.com?{Name}", 'f"https://x.com?{name}"'),
        (
            "https://{Name}.{Region}.x.com/{Name}",
            'f"https://{label(name)}.{label(region)}.x.com/{name}"',
        ),
        ("{Endpoint}/{Name}", 'f"{endpoint}/{name}"'),
        ({"ref": "Endpoint"}, "endpoint"),
        ("{Endpoint}", "endpoint"),
        ("https://{{x}}.com", '"https://{x}.com"'),
    ],
)
def test_values_in_hosts_are_labels(url: Json, code: str) -> None:
    """What is filled in before the path cannot end the host."""
    assert body_of(endpoint(url)).strip() == f"return Endpoint({code})"


def test_values_found_right_need_no_second_look() -> None:
    """A value that a condition found to be a host label is filled in as it is."""
    body = body_of(endpoint("https://{Name}.x.com", fn("isValidHostLabel", "<Name>", False)))
    assert '    return Endpoint(f"https://{name}.x.com")' in body


def test_url_parts_in_hosts_are_trusted() -> None:
    """An endpoint's own parts are filled in; what follows its path is no host."""
    body = body_of(
        endpoint(
            "{url#scheme}://{Name}.{url#authority}{url#path}{Region}",
            fn("parseURL", "<Endpoint>", assign="url"),
        )
    )
    assert 'f"{url.scheme}://{label(name)}.{url.authority}{url.path}{region}"' in body


def test_properties_and_headers() -> None:
    """Properties and headers keep their form, their texts filled in."""
    resolve = resolver(
        endpoint(
            "https://x.com",
            properties={"authSchemes": [{"name": "sigv4", "signingRegion": "{Region}", "n": 1}]},
            headers={"x-name": [{"ref": "Name"}, "a{Region}"]},
        )
    )
    assert resolve({"Region": "r", "Name": "n"}) == Endpoint(
        "https://x.com",
        {"authSchemes": [{"name": "sigv4", "signingRegion": "r", "n": 1}]},
        {"x-name": ["n", "ar"]},
    )


@pytest.mark.parametrize("text", ['say "no"', "it's", "a\\b", "{{x}}", "both \"a\" and 'b'", "ü\n"])
def test_texts_are_exact(text: str) -> None:
    """Quotes, backslashes and braces come out as they went in, with and without a value."""
    said = text.replace("{{", "{").replace("}}", "}")
    with pytest.raises(EndpointError) as plain:
        resolver(error(text))({})
    with pytest.raises(EndpointError) as filled:
        resolver(error(f"{text}{{Name}}"))({"Name": "{n}"})
    assert (str(plain.value), str(filled.value)) == (said, said + "{n}")


def test_rules_behind_a_list_that_gives_nothing_are_tried() -> None:
    """When none of the rules of a list applies, the next rule does."""
    resolve = resolver(
        tree(
            [fn("isSet", "<Region>")],
            endpoint("https://a", fn("stringEquals", "<Region>", "a")),
            endpoint("https://b", fn("stringEquals", "<Region>", "b")),
        ),
        endpoint("https://other"),
    )
    assert [resolve({"Region": name}).url for name in "abc"] == [
        "https://a",
        "https://b",
        "https://other",
    ]


def test_no_rule_applies() -> None:
    """Parameters that no rule fits are an error that shows them."""
    with pytest.raises(EndpointError, match="No endpoint rule fits the parameters Name='n'"):
        resolver(endpoint("https://a", fn("isSet", "<Region>")))({"Name": "n"})


def test_required_and_unknown_parameters() -> None:
    """A required parameter must be given, used or not; one that is not there may not."""
    parameters = {**PARAMETERS, "Kind": {"type": "string", "required": True}}
    resolve = endpoint_rules.compiled(rule_set(endpoint("https://a"), parameters=parameters), PATH)
    assert resolve({"Kind": "k"}).url == "https://a"
    with pytest.raises(EndpointError, match="need the parameter Kind"):
        resolve({})
    with pytest.raises(EndpointError, match="no parameter Knid"):
        resolve({"Kind": "k", "Knid": "k"})


def test_clients_set_what_is_required_though_no_rule_looks_at_it() -> None:
    """Without it there is no endpoint at all."""
    region = {"type": "String", "builtIn": "AWS::Region", "required": True}
    one = rule_set(endpoint("https://pets.aws"), parameters={"Region": region, "Name": NAME})
    text = compile_rules(one, title="pets", path=PATH).text
    assert 'USED: Mapping[str, str] = {"Region": "AWS::Region"}' in text


def test_names_that_python_has_taken() -> None:
    """Parameters and variables keep clear of keywords, of each other and of what is imported."""
    parameters = {
        name: {"type": "string"} for name in ("Class", "params", "label", "UseIt", "useIt", "Any")
    }
    rules = [
        error(
            "{Class}{params}{label}{UseIt}{useIt}{Any}{item}",
            fn("substring", "<Any>", 0, 1, False, assign="item"),
        )
    ]
    resolve = endpoint_rules.compiled(rule_set(*rules, parameters=parameters), PATH)
    with pytest.raises(EndpointError, match=r"^cplud33$"):
        resolve(
            {
                "Class": "c",
                "params": "p",
                "label": "l",
                "UseIt": "u",
                "useIt": "d",
                "Any": "3",
            }
        )


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        (
            error("no", fn("isSett", "<Name>")),
            "rules[0].conditions[0]: there is no function 'isSett'; did you mean isSet?",
        ),
        (
            error("no", fn("isSet", "<Nmae>")),
            "rules[0].conditions[0]: 'Nmae' is neither a parameter nor assigned before;"
            " did you mean Name?",
        ),
        (
            error("{Regoin}"),
            "rules[0]: 'Regoin' is neither a parameter nor assigned before; did you mean Region?",
        ),
        (
            endpoint("https://{P#dnsSufix}", fn("aws.partition", "<Region>", assign="P")),
            "rules[0]: Partition has no attribute 'dnsSufix'; did you mean dnsSuffix?",
        ),
        (
            error("no", fn("getAttr", "<Name>", "scheme")),
            "rules[0].conditions[0]: str has no attribute 'scheme'",
        ),
        (
            error("no", fn("getAttr", "<Name>", "[0]")),
            "rules[0].conditions[0]: '[0]' takes an element of something that is no list",
        ),
        (
            error("no", fn("substring", "<Name>", 0, 1)),
            "rules[0].conditions[0]: substring takes (str, int, int, bool), not (str, int, int)",
        ),
        (
            error("no", fn("stringEquals", "<Name>", True)),
            "rules[0].conditions[0]: stringEquals takes two values of str, not str and bool",
        ),
        (
            error("{Name}", fn("parseURL", "<Endpoint>", assign="Name")),
            "rules[0].conditions[0]: 'Name' is assigned already",
        ),
        (error("no", {"ref": "Name"}), "rules[0].conditions[0]: {'ref': 'Name'} is no function"),
        (
            error("no", fn("isSet", "a")),
            "rules[0].conditions[0]: isSet takes one argument, a reference or a function",
        ),
        (
            error("no", fn("isSet", {"x": 1})),
            "rules[0].conditions[0]: {'x': 1} is neither a literal nor a reference nor a function",
        ),
        (
            error("no", fn("coalesce", "<Name>")),
            "rules[0].conditions[0]: coalesce takes two or more arguments of one type",
        ),
        (
            error("no", fn("ite", "<Name>", "a", "b")),
            "rules[0].conditions[0]: ite takes a bool and two values of one type",
        ),
        ({"type": "branch", "conditions": []}, "rules[0]: there is no rule of type 'branch'"),
    ],
)
def test_faults_name_their_place(rule: Json, fault: str) -> None:
    """What is no rule is a fault with file, place and the nearest right name."""
    assert faults_of(rule) == [f"{PATH}: {fault}"]


def test_all_faults_at_once() -> None:
    """Every fault is shown, those of parameters too, in the order of their places."""
    parameters = {**PARAMETERS, "Number": {"type": "integer"}}
    rules = [tree([fn("isSet", "<Name>")], error("{A}"), error("{B}", fn("isSet", "<Region>")))]
    with pytest.raises(FaultyModel) as caught:
        compile_rules(rule_set(*rules, parameters=parameters), title="Pets", path=PATH)
    assert [fault.place for fault in caught.value.faults] == [
        "parameter Number",
        "rules[0].rules[0]",
    ]


def test_decision_diagrams_are_not_understood() -> None:
    """The newer form of a rule set, without a tree of rules, is a fault and not an empty module."""
    with pytest.raises(FaultyModel, match="has no rules; the form with a decision diagram"):
        compile_rules(
            {"version": "1.1", "parameters": {}, "nodes": "", "results": []}, title="X", path=PATH
        )


def test_rules_behind_one_that_always_applies_are_reported() -> None:
    """A rule that can never be reached is a warning, and no code."""
    rules = [endpoint("https://a"), error("never")]
    assert warnings_of(*rules) == ["rules[1]: can never apply: a rule before it always does"]
    assert "never" not in text_of(*rules).replace("# never", "")


def test_conditions_that_never_hold_are_reported() -> None:
    """A condition that contradicts what holds already is a warning, and no code."""
    rules = [
        tree(
            [fn("booleanEquals", "<UseFIPS>", True)],
            error("never", fn("booleanEquals", "<UseFIPS>", False)),
            endpoint("https://a"),
        ),
        error("never", fn("booleanEquals", "<UseFIPS>", True)),
        endpoint("https://b"),
    ]
    assert warnings_of(*rules) == [
        "rules[0].rules[0]: can never apply: not use_fips is never true there",
        "rules[1]: can never apply: use_fips is never true there",
    ]


def test_repeated_rules_are_one_function() -> None:
    """A list of rules that occurs twice is compiled once."""
    rules = [
        endpoint("https://a.{Region}.x", fn("stringEquals", "<Name>", "a")),
        endpoint("https://b.{Region}.x", fn("stringEquals", "<Name>", "b")),
        error("neither"),
    ]
    text = text_of(
        tree([fn("booleanEquals", "<UseFIPS>", True)], *rules),
        tree([fn("isSet", "<Region>")], tree([fn("isSet", "<Flag>")], *rules), error("no flag")),
        tree([fn("booleanEquals", "<Flag>", False)], *rules),
        error("none"),
    )
    assert text.count("neither") == 2  # once where the region is known to be set, once where not
    assert "def _rules_1(region: str | None, name: str | None) -> Endpoint:" in text
    assert "def _rules_2(region: str, name: str | None) -> Endpoint:" in text


@pytest.mark.parametrize("service", ["dynamodb", "s3", "sts", "kinesis"])
def test_text_is_stable(service: str) -> None:
    """The same rule set gives the same text, whatever the order of Python's sets."""
    for path in endpoint_rules.rule_set_files([service]):
        rules = endpoint_rules.load(path)
        again = json.loads(json.dumps(rules))
        first = compile_rules(rules, title=service, path=path)
        assert compile_rules(again, title=service, path=path) == first


def test_black_has_little_to_do() -> None:
    """Of many rule sets black leaves nearly all as they are, and all but long conditions."""
    drawn = random.Random("black").sample(endpoint_rules.rule_set_files(), 12)
    for path in drawn:
        text = compile_rules(endpoint_rules.load(path), title="X", path=path).text
        if all(len(line) <= 100 or '"' in line for line in text.splitlines()):
            assert black.format_str(text, mode=MODE) == text
