"""Clock skew from error responses."""

from __future__ import annotations

from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tornado_aws.clock_skew import LARGEST_SKEW, SMALLEST_SKEW, correction

NOW = 1_790_000_000.0


@pytest.mark.parametrize("skew", [-1200.0, 1200.0, 300.0, 86400.0])
def test_a_skew_error_with_a_distant_date_gives_the_difference(skew: float) -> None:
    """The correction is the service's time minus ours."""
    date = formatdate(NOW + skew, usegmt=True)
    assert correction("RequestTimeTooSkewed", date, NOW) == skew


@pytest.mark.parametrize(
    ("code", "date"),
    [
        ("ResourceNotFoundException", formatdate(NOW + 1200, usegmt=True)),
        ("InvalidSignatureException", formatdate(NOW + 10, usegmt=True)),
        ("InvalidSignatureException", formatdate(NOW + 365 * 86400, usegmt=True)),
        ("InvalidSignatureException", None),
        ("InvalidSignatureException", ""),
        ("InvalidSignatureException", "tomorrow"),
        ("InvalidSignatureException", "Thu, 01 Jan 99999999999999999999 00:00:00 GMT"),
        ("InvalidSignatureException", "Thu, 01 Jan 2026 00:00:00 +999999999999"),
        ("InvalidSignatureException", "9" * 5000),
    ],
)
def test_nothing_else_moves_the_clock(code: str, date: str | None) -> None:
    """Another error, a near date, an absurd date or no date at all give no correction."""
    assert correction(code, date, NOW) is None


def test_a_correction_that_is_out_of_date_is_replaced() -> None:
    """When this machine's clock was set right meanwhile, the correction goes back to nothing."""
    date = formatdate(NOW, usegmt=True)
    assert correction("InvalidSignatureException", date, NOW, used=1200.0) == 0.0
    assert correction("InvalidSignatureException", date, NOW, used=10.0) is None


@given(st.text())
def test_any_date_text_is_judged_within_the_bounds(date: str) -> None:
    """Whatever a server writes, the correction is bounded."""
    skew = correction("RequestExpired", date, NOW)
    assert skew is None or SMALLEST_SKEW <= abs(skew) <= LARGEST_SKEW
