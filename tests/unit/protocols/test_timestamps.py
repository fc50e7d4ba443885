"""Timestamps in every format."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from botocore.serialize import create_serializer
from botocore.utils import parse_timestamp
from hypothesis import given, settings
from hypothesis import strategies as st

from tornado_aws.protocols import timestamps

MOMENT = datetime(2014, 4, 29, 18, 30, 38, tzinfo=UTC)
INDIA = timezone(timedelta(hours=5, minutes=30))
MOMENTS = st.datetimes(datetime(1000, 1, 1), datetime(9999, 12, 30), timezones=st.just(UTC))

READ: list[tuple[Any, datetime]] = [
    (1398796238, MOMENT),
    (1398796238.0, MOMENT),
    (1398796238.25, MOMENT.replace(microsecond=250000)),
    (Decimal("1398796238.5"), MOMENT.replace(microsecond=500000)),
    ("1398796238", MOMENT),
    ("1398796238.5", MOMENT.replace(microsecond=500000)),
    (-1, datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)),
    (-62135596800, datetime(1, 1, 1, tzinfo=UTC)),
    (253402300799, datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ("2014-04-29T18:30:38Z", MOMENT),
    ("2014-04-29t18:30:38z", MOMENT),
    (" 2014-04-29T18:30:38Z ", MOMENT),
    ("2014-04-29 18:30:38", MOMENT),
    ("2014-04-29T18:30:38+00:00", MOMENT),
    ("2014-04-30T00:00:38+05:30", MOMENT),
    ("2014-04-29T13:30:38-0500", MOMENT),
    ("2014-04-29T18:30:38.1Z", MOMENT.replace(microsecond=100000)),
    ("2014-04-29T18:30:38.123456789Z", MOMENT.replace(microsecond=123456)),
    ("2014-04-29", datetime(2014, 4, 29, tzinfo=UTC)),
    ("20140429T183038Z", MOMENT),
    ("Tue, 29 Apr 2014 18:30:38 GMT", MOMENT),
    ("Tue, 29 Apr 2014 18:30:38.456 GMT", MOMENT.replace(microsecond=456000)),
    ("29 Apr 2014 18:30:38 UTC", MOMENT),
    ("Wed, 30 Apr 2014 00:00:38 +0530", MOMENT),
    ("Tue, 29 Apr 2014 13:30:38 -05:00", MOMENT),
    ("Tuesday, 29-Apr-14 18:30:38 GMT", MOMENT),
    ("Tue Apr 29 18:30:38 2014", MOMENT),
    ("Tue, 29-Apr-2014 18:30:38 UTC", MOMENT),
]
WRONG: list[Any] = [
    "",
    "yesterday",
    "2014-13-01T00:00:00Z",
    "2014-02-30",
    "2014-04-29T18:30:60Z",
    "Sat, 30 Feb 2014 18:30:38 GMT",
    "29 Foo 2014 18:30:38 GMT",
    "Apr 29, 2014 6:30:38 PM",
    "Tue, 29 Apr 2014 20:30:38 CEST",
    "Tue Apr 29 20:30:38 CEST 2014",
    "0001-01-01T00:00:00+05:00",
    "nan",
    float("nan"),
    float("inf"),
    1e20,
    10**400,
    253402300800,
    None,
    [],
    timedelta(1),
]


@pytest.mark.parametrize(("value", "moment"), READ, ids=[repr(case[0]) for case in READ])
def test_every_format_is_read(value: Any, moment: datetime) -> None:
    """Numbers, ISO 8601 and all HTTP dates are read, and are aware and in UTC."""
    got = timestamps.parse(value)
    assert got == moment
    assert got.tzinfo is UTC


@pytest.mark.parametrize("value", WRONG, ids=lambda value: repr(value)[:40])
def test_what_is_no_timestamp_is_an_error(value: Any) -> None:
    """Anything else is a ValueError, whatever it is."""
    with pytest.raises(ValueError):  # noqa: PT011 - texts differ by Python's version
        timestamps.to_datetime(value)


def test_datetimes_are_taken_to_utc() -> None:
    """A naive datetime means UTC, an aware one keeps its moment."""
    assert timestamps.to_datetime(MOMENT.replace(tzinfo=None)) == MOMENT
    got = timestamps.to_datetime(MOMENT.astimezone(INDIA))
    assert (got, got.tzinfo) == (MOMENT, UTC)


def test_formats_look_as_the_services_want_them() -> None:
    """Whole seconds are ints and have no fraction; years have four digits."""
    early = datetime(987, 1, 2, 3, 4, 5, 60, tzinfo=UTC)
    assert timestamps.to_unix(MOMENT) == 1398796238
    assert isinstance(timestamps.to_unix(MOMENT), int)
    assert timestamps.to_unix(MOMENT.replace(microsecond=123456)) == 1398796238.123456
    assert timestamps.to_iso8601(MOMENT) == "2014-04-29T18:30:38Z"
    assert timestamps.to_iso8601(early) == "0987-01-02T03:04:05.000060Z"
    assert timestamps.to_rfc822(MOMENT) == "Tue, 29 Apr 2014 18:30:38 GMT"
    assert timestamps.to_rfc822(early) == "Tue, 02 Jan 0987 03:04:05 GMT"


@settings(max_examples=100)
@given(MOMENTS, st.sampled_from(sorted(timestamps.FORMATS)), st.sampled_from([UTC, INDIA]))
def test_moments_are_written_as_botocore_writes_them(
    moment: datetime, name: str, zone: timezone
) -> None:
    """Every format equals botocore's, for any moment in any zone."""
    serializer = create_serializer("json", include_validation=False)
    moment = moment.astimezone(zone)
    expected = serializer._convert_timestamp_to_str(moment, name)
    got = timestamps.FORMATS[name](timestamps.to_datetime(moment))
    assert (got, type(got)) == (expected, type(expected))


@settings(max_examples=100)
@given(MOMENTS, st.sampled_from(sorted(timestamps.FORMATS)))
def test_what_is_written_is_read_again(moment: datetime, name: str) -> None:
    """Reading gives the moment back, as exactly as the format can say it."""
    got = timestamps.parse(timestamps.FORMATS[name](moment))
    exact = {"iso8601": 0, "rfc822": 1, "unixtimestamp": 1e-4}[name]
    assert abs(got - moment) <= timedelta(seconds=exact)


@settings(max_examples=100)
@given(st.floats(-1e10, 1e11))
def test_numbers_are_read_as_botocore_reads_them(seconds: float) -> None:
    """The nearest microsecond is the same one."""
    assert timestamps.parse(seconds) == parse_timestamp(seconds)
