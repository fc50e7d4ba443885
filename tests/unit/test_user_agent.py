"""The User-Agent header."""

from __future__ import annotations

import os
import re
from unittest import mock

import pytest
from botocore.handlers import add_recursion_detection_header
from hypothesis import given
from hypothesis import strategies as st

from tornado_aws.transport.fields import fields_of, pairs_of
from tornado_aws.user_agent import identity, user_agent

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


@pytest.mark.parametrize(
    "trace", ["Root=1-5e-3;Parent=2;Sampled=1", "a\r\nX: y", "ü %/?#", "-=;:+&[]{}\"',~"]
)
def test_lambdas_trace_id_goes_along_as_botocore_sends_it(trace: str) -> None:
    """What a header cannot hold is percent-encoded."""
    environ = {"AWS_LAMBDA_FUNCTION_NAME": "f", "_X_AMZN_TRACE_ID": trace}
    request: dict[str, dict[str, str]] = {"headers": {}}
    with mock.patch.dict(os.environ, environ):
        add_recursion_detection_header(request)
    said = identity("agent", environ, "id", "attempt=1; max=3")
    assert pairs_of(said) == [
        ("User-Agent", "agent"),
        ("amz-sdk-invocation-id", "id"),
        ("amz-sdk-request", "attempt=1; max=3"),
        *request["headers"].items(),
    ]
    assert said == fields_of(pairs_of(said))
