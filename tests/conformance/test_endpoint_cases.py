"""AWS's own endpoint test cases: all services' rules, and calls captured where they are sent."""

from __future__ import annotations

import asyncio
from importlib import import_module
from pathlib import Path

from codegen.load import find
from codegen.spelling import module_name
from tests.conformance import endpoint_cases, endpoint_rules, routes
from tests.conformance.endpoint_cases import CallCase
from tests.conformance.routes import Refused

MODELS = Path(__file__).parents[2] / "models"
CALLS = list(endpoint_cases.call_cases())
# What the rules would put into the path, and no bucket can be named.
NO_BUCKETS = ("bucket name", "example.com#")


def test_rules_give_what_the_cases_say() -> None:
    """URL, properties, headers and error texts of every service are those of the cases."""
    compared, different = 0, list[object]()
    for service, cases in endpoint_cases.cases().items():
        path = routes.rule_set_path(service)
        resolve = endpoint_rules.compiled(endpoint_rules.load(path), path)
        for case in cases:
            got = endpoint_rules.ours(resolve, case.get("params", {}))
            compared += 1
            if got != endpoint_cases.wanted(case["expect"]):
                different.append((service, case, got))
    assert different[:3] == []
    assert compared > 14_000


def test_generated_packages_give_what_the_cases_say() -> None:
    """So do the modules that users import."""
    compared, different = 0, list[object]()
    for source in find(MODELS):
        module = import_module(f"generated.{module_name(source.service)}.endpoints")
        for case in endpoint_cases.cases()[source.service]:
            got = endpoint_rules.ours(module.resolve, case.get("params", {}))
            compared += 1
            if got != endpoint_cases.wanted(case["expect"]):
                different.append((source.service, case, got))
    assert different[:3] == []
    assert compared > 1_500


def test_calls_go_where_the_cases_say() -> None:
    """Operations contribute to the endpoint what the rules want, and obey what these say."""

    async def main() -> list[object]:
        chosen = [case for case in CALLS if not endpoint_cases.is_path_style_out(case)]
        found = [(case, await endpoint_cases.by_built_ins(case)) for case in chosen]
        return [each for each in found if not _agrees(*each)]

    assert asyncio.run(main())[:3] == []
    assert len(CALLS) > 600


def test_settings_stand_for_built_ins() -> None:
    """A client's settings lead to the same as the parameters that they stand for."""

    async def main() -> tuple[int, list[object]]:
        count, different = 0, list[object]()
        for case in CALLS:
            options = endpoint_cases.settings(case)
            if options is not None:
                count += 1
                got = await endpoint_cases.by_settings(case, options)
                if not _agrees(case, got):
                    different.append((case, options, got))
        return count, different

    count, different = asyncio.run(main())
    assert different[:3] == []
    assert count > 500


def _agrees(case: CallCase, got: routes.Address | Refused) -> bool:
    # A client refuses these before any rule sees them, as botocore's does.
    if got == Refused("parameter"):
        return "error" in case.expected or case.params.get("Bucket") in NO_BUCKETS
    return endpoint_cases.agrees(got, case.expected)
