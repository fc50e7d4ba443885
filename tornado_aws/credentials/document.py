"""The JSON documents in which processes and HTTP endpoints hand over credentials."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from tornado_aws.credentials import Credentials
from tornado_aws.exceptions import CredentialsError

__all__ = [
    "explanation",
    "load_object",
    "parse_credentials",
    "parse_lifetime",
    "parse_milliseconds",
    "parse_time",
]

# An explanation is for a line of a log; what is longer is no explanation.
_EXPLANATION_LIMIT = 300


def load_object(text: bytes, source: str) -> dict[str, Any]:
    """Parse a JSON object.

    Raises:
        CredentialsError: it is none; the text never quotes it, as it may hold a secret.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        # "from None": the decoder's own error holds the document.
        raise CredentialsError(source=source, reason="the answer is not JSON") from None
    if not isinstance(document, dict):
        raise CredentialsError(source=source, reason="the answer is not a JSON object")
    return document


def parse_credentials(
    document: Mapping[str, Any], source: str, *, temporary: bool = False
) -> Credentials:
    """Make credentials of a document with ``AccessKeyId`` and the other keys that AWS uses.

    Args:
        document: the document.
        source: the provider's name.
        temporary: whether token and expiration must be there.

    Raises:
        CredentialsError: a key is missing or has an impossible value; names the key.
    """
    # The endpoints call it Token; STS and the processes call it SessionToken.
    token_key = "Token" if "Token" in document else "SessionToken"
    required = ["AccessKeyId", "SecretAccessKey", *([token_key, "Expiration"] if temporary else [])]
    missing = [key for key in required if not document.get(key)]
    if missing:
        raise CredentialsError(
            source=source, reason=f"the answer has no {' and no '.join(missing)}"
        )
    texts = ["AccessKeyId", "SecretAccessKey", token_key]
    wrong = [key for key in texts if not isinstance(document.get(key), str | None)]
    if wrong:
        raise CredentialsError(source=source, reason=f"{' and '.join(wrong)} must be text")
    return Credentials(
        document["AccessKeyId"],
        document["SecretAccessKey"],
        document.get(token_key) or None,
        expiration=parse_time(document.get("Expiration"), source),
        account_id=_account_id(document.get("AccountId"), source),
        source=source,
    )


def _account_id(value: Any, source: str) -> str | None:
    """Return an account's id, which some programs print as a number."""
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return f"{value:012d}"
    if not isinstance(value, str | None):
        raise CredentialsError(source=source, reason="AccountId must be text")
    return value or None


def explanation(document: Mapping[str, Any]) -> str:
    """Return why an endpoint gave no credentials, as it says itself: code and message.

    The keys are ``Code`` and ``Message``, in lower case at some endpoints. What cannot be printed
    is left out, and the end of a long text.

    Returns:
        One line; "" where the document explains nothing, or reports success.
    """
    code, message = (document.get(key, document.get(key.lower())) for key in ("Code", "Message"))
    if code == "Success":
        return ""
    text = ": ".join(part for part in (code, message) if isinstance(part, str) and part)
    return "".join(filter(str.isprintable, " ".join(text.split())))[:_EXPLANATION_LIMIT]


def parse_time(value: Any, source: str) -> datetime | None:
    """Parse an ISO 8601 time, which is UTC unless it says otherwise; None and "" stay None.

    The AWS CLI's caches have times that end in ``UTC``.

    Raises:
        CredentialsError: it is no such time.
    """
    if not value:
        return None
    try:
        time = value if isinstance(value, datetime) else _from_text(value)
    except (ValueError, TypeError, AttributeError):
        raise CredentialsError(
            source=source, reason="Expiration is not a time in ISO 8601"
        ) from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _from_text(text: str) -> datetime:
    return datetime.fromisoformat(text.removesuffix("UTC"))


def parse_lifetime(value: Any, source: str) -> datetime:
    """Return when something ends whose life, in seconds, begins now.

    Raises:
        CredentialsError: it is no possible number of seconds.
    """
    return _parse_number(
        value, lambda seconds: datetime.now(UTC) + timedelta(seconds=seconds), source, "expiresIn"
    )


def parse_milliseconds(value: Any, source: str) -> datetime:
    """Return the time so many milliseconds after 1970 began.

    Raises:
        CredentialsError: it is no possible number of milliseconds.
    """
    return _parse_number(
        value, lambda number: datetime.fromtimestamp(number / 1000, UTC), source, "expiration"
    )


def _parse_number(
    value: Any, convert: Callable[[float], datetime], source: str, name: str
) -> datetime:
    if isinstance(value, int | float) and value > 0:
        try:
            return convert(value)
        except (ValueError, OverflowError, OSError):  # OSError: by the system's own calendar
            pass
    raise CredentialsError(source=source, reason=f"{name} is missing or impossible")
