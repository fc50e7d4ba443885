"""Timestamps: every format that the services write and read.

Writing takes what callers may pass (`tornado_aws.types.Timestamp`): a datetime, naive ones meaning
UTC, seconds since 1970 as a number or as text, or a date and time in ISO 8601. Reading does not
trust the model's `timestampFormat`: services answer in any of the formats, so a value is recognised
by its look, and the result is always an aware datetime in UTC.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import SupportsFloat

__all__ = ["FORMATS", "parse", "to_datetime", "to_iso8601", "to_rfc822", "to_unix"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_NUMBERS = {month: number for number, month in enumerate(_MONTHS, 1)}

# "Tue, 29 Apr 2014 18:30:38 GMT", the form that RFC 7231 prefers, with what services vary in it:
# fractions of a second, and numeric zones.
_RFC822 = re.compile(
    r"(?:[A-Z][a-z]{2}, )?(\d{1,2}) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d):(\d\d)(\.\d{1,6})?"
    r" (?:GMT|UTC|Z|([+-])(\d\d):?(\d\d))"
)
_ZONES = ("GMT", "UTC", "UT", "Z")


def to_datetime(value: object) -> datetime:
    """Return what a caller passed as an aware datetime in UTC.

    Args:
        value: a datetime (naive: UTC), a number of seconds since 1970, or text that `parse` reads.

    Raises:
        ValueError: it is none of them, or out of the range of years 1 to 9999.
    """
    if isinstance(value, datetime):
        return _utc(value)
    return parse(value)


def parse(value: object) -> datetime:
    """Return what a service answered as an aware datetime in UTC.

    Args:
        value: a number of seconds since 1970, or text: such a number, ISO 8601, or an HTTP date in
            any of its three forms.

    Raises:
        ValueError: it is none of them, or out of the range of years 1 to 9999.
    """
    if isinstance(value, (int, float)):
        return _from_seconds(value)
    if isinstance(value, str):
        return _from_text(value.strip())
    if isinstance(value, SupportsFloat):
        return _from_seconds(float(value))
    raise ValueError(f"a {type(value).__name__} is not a timestamp")


def to_unix(moment: datetime) -> int | float:
    """Return seconds since 1970: an int when they are whole, else microseconds exact."""
    since = moment - _EPOCH
    seconds = since.days * 86400 + since.seconds
    if since.microseconds:
        return (seconds * 1_000_000 + since.microseconds) / 1_000_000
    return seconds


def to_iso8601(moment: datetime) -> str:
    """Return ``2014-04-29T18:30:38Z``, with microseconds when there are some.

    Args:
        moment: in UTC, as `to_datetime` gives it.
    """
    return moment.replace(tzinfo=None).isoformat() + "Z"


def to_rfc822(moment: datetime) -> str:
    """Return ``Tue, 29 Apr 2014 18:30:38 GMT``; fractions of a second are cut off.

    Args:
        moment: in UTC, as `to_datetime` gives it.
    """
    day, month = _DAYS[moment.weekday()], _MONTHS[moment.month - 1]
    return (
        f"{day}, {moment.day:02} {month} {moment.year:04}"
        f" {moment.hour:02}:{moment.minute:02}:{moment.second:02} GMT"
    )


# The models' `timestampFormat`, in lower case, as botocore compares it.
FORMATS: Mapping[str, Callable[[datetime], str | int | float]] = {
    "unixtimestamp": to_unix,
    "iso8601": to_iso8601,
    "rfc822": to_rfc822,
}


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is UTC:
        return moment
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{moment} is out of range in UTC") from error


def _from_seconds(seconds: int | float) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OSError, OverflowError):
        # Some platforms know no time before 1970 or after 2038.
        return _from_far_seconds(seconds)


def _from_far_seconds(seconds: int | float) -> datetime:
    try:
        return _EPOCH + timedelta(seconds=seconds)
    except OverflowError as error:
        raise ValueError(f"{seconds} seconds since 1970 is out of range") from error


def _from_text(text: str) -> datetime:
    if text[4:5] == "-":
        return _utc(datetime.fromisoformat(text.upper()))
    try:
        seconds = float(text)
    except ValueError:
        return _from_http_date(text)
    return _from_seconds(seconds)


def _from_http_date(text: str) -> datetime:
    match = _RFC822.fullmatch(text)
    if match is None:
        return _from_rare_text(text)
    day, month, year, hour, minute, second, fraction, sign, zone_hour, zone_minute = match.groups()
    if month not in _NUMBERS:
        raise ValueError(f"{text!r} is not a timestamp")
    moment = datetime(
        int(year), _NUMBERS[month], int(day), int(hour), int(minute), int(second), tzinfo=UTC
    )
    if fraction:
        moment = moment.replace(microsecond=int(fraction[1:].ljust(6, "0")))
    if sign:
        offset = timedelta(hours=int(zone_hour), minutes=int(zone_minute))
        moment = _utc(moment.replace(tzinfo=timezone(-offset if sign == "-" else offset)))
    return moment


def _from_rare_text(text: str) -> datetime:
    """Read the obsolete HTTP dates (RFC 850, asctime) and ISO 8601 without dashes."""
    # 22 ms to import, and hardly ever needed.
    from email.utils import parsedate_tz  # noqa: PLC0415

    fields = parsedate_tz(text)
    if fields is None:
        try:
            return _utc(datetime.fromisoformat(text))
        except ValueError:
            raise ValueError(f"{text!r} is not a timestamp") from None
    if not all(map(_has_meaning, re.findall("[A-Za-z]+", text))):
        raise ValueError(f"{text!r} is not a timestamp")
    moment = datetime(*fields[:6], tzinfo=UTC)
    return _utc(moment.replace(tzinfo=timezone(timedelta(seconds=fields[9] or 0))))


def _has_meaning(word: str) -> bool:
    """Tell whether a word of a date is understood; others (PM, CEST) change the moment."""
    return word[:3].title() in (*_DAYS, *_MONTHS) or word.upper() in _ZONES
