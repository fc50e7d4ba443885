"""The User-Agent header."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from tornado_aws.user_agent import identity, is_lambda, user_agent

WORD = re.compile(r"[a-z-]+/[!$%&'*+.^_`|~0-9A-Za-z-]*(#[!$%&'*+.^_`|~0-9A-Za-z-]*)?")


def test_it_names_library_platform_mode_and_program() -> None:
    """What is not known is left out."""
    plain = user_agent("3.0.0", "standard", None, {})
    assert plain.startswith("tornado-aws/3.0.0 ua/2.1 os/")
    assert plain.endswith(" cfg/retry-mode#standard")
    full = user_agent("3.0.0", "adaptive", "my app", {"AWS_EXECUTION_ENV": "AWS_ECS_FARGATE"})
    assert full.endswith(" exec-env/AWS_ECS_FARGATE cfg/retry-mode#adaptive app/my-app")


@given(st.text(min_size=1), st.text())
def test_nothing_a_program_says_can_add_words_or_headers(app_id: str, where: str) -> None:
    """Every word keeps its form."""
    for word in user_agent("3", "standard", app_id, {"AWS_EXECUTION_ENV": where}).split(" "):
        assert WORD.fullmatch(word), word


def test_lambdas_trace_id_goes_along_without_what_a_header_cannot_hold() -> None:
    """It is read for each request, since each invocation has another."""
    assert identity("agent", {}) == [("User-Agent", "agent")]
    headers = identity("agent", {"_X_AMZN_TRACE_ID": "Root=1-a;\r\nX: y"})
    assert headers == [("User-Agent", "agent"), ("X-Amzn-Trace-Id", "Root=1-a;X: y")]
    assert is_lambda({"AWS_LAMBDA_FUNCTION_NAME": "f"})
    assert not is_lambda({})
