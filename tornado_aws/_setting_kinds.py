"""What values settings can have, and how each is read from arguments, files and variables."""

# Annotations are not postponed here: `typing` would compile the text of each field, 20 us a field.

import math
import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from tornado_aws.credentials import Credentials


class Kind(NamedTuple):
    """What values a setting can have.

    Attributes:
        allowed: the values, for error texts and the documentation.
        parse: from an argument, or the text of a file or variable, to the value; raises ValueError.
    """

    allowed: str
    parse: Callable[[Any], Any]


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError
    return value


_BOOLEANS = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False}
_BOOLEANS |= {"on": True, "off": False}


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    try:
        return _BOOLEANS[_text(value).strip().lower()]
    except KeyError:
        raise ValueError from None


def _boolean_or_auto(value: Any) -> bool | str:
    is_auto = isinstance(value, str) and value.strip().lower() == "auto"
    return "auto" if is_auto else _boolean(value)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError
    number = float(value)
    if not math.isfinite(number):
        raise ValueError
    return number


def _seconds(value: Any) -> float:
    number = _number(value)
    if number <= 0:
        raise ValueError
    return number


def _optional_seconds(value: Any) -> float | None:
    return None if value is None else _seconds(value)


def _integer(value: Any, least: int, most: float = math.inf) -> int:
    if isinstance(value, bool | float):
        raise ValueError
    number = int(value)
    if not least <= number <= most:
        raise ValueError
    return number


def _url(value: Any) -> str:
    parts = urlsplit(_text(value))
    if parts.scheme not in {"http", "https"} or not parts.hostname or not parts.netloc.isascii():
        raise ValueError
    if any(character.isspace() or ord(character) < 0x20 for character in value):
        raise ValueError
    _ = parts.port  # raises ValueError for an impossible one
    return str(value)


def _proxy(value: Any) -> str:
    return "" if value == "" else _url(value)


def _verify(value: Any) -> bool | str:
    return value if isinstance(value, bool) else _text(_path(value))


def _path(value: Any) -> Any:
    return value.__fspath__() if hasattr(value, "__fspath__") else value


def _client_cert(value: Any) -> str | tuple[str, str]:
    if isinstance(value, tuple | list):
        certificate, key = (_text(_path(part)) for part in value)
        return certificate, key
    return _text(_path(value))


# A region goes into host names: one label of letters, digits and hyphens, as botocore checks it.
def _region(value: Any) -> str:
    name = _text(value)
    letters = name.replace("-", "")
    is_label = letters.isascii() and letters.isalnum() and name == name.strip("-")
    if not is_label or name.isdigit() or len(name) > 63:
        raise ValueError
    return name


# Names of ways to sign, and what regions may be given as: a part of one for all that fit. Compiled
# when one is given, as the other one is: every start would have to wait for it.
_LISTED = r"[A-Za-z0-9.#*-]+"


def _names(value: Any) -> tuple[str, ...]:
    given = _text(value).split(",") if isinstance(value, str) else list(value)
    names = tuple(_text(name).strip() for name in given)
    if not names or not all(re.fullmatch(_LISTED, name) for name in names):
        raise ValueError
    return names


# It becomes a part of a path.
_ROLE_NAME = r"[A-Za-z0-9+=,.@_-]{1,128}"


def _role_name(value: Any) -> str:
    name = _text(value).strip()
    if not re.fullmatch(_ROLE_NAME, name):
        raise ValueError
    return name


def choice(*values: str) -> Kind:
    def parse(value: Any) -> str:
        word = _text(value).strip().lower()
        if word not in values:
            raise ValueError
        return word

    return Kind(" or ".join(values), parse)


def _text_or_empty(value: Any) -> str:
    return value if value == "" else _text(value)


def _credentials(value: Any) -> Any:
    return value if isinstance(value, Credentials) else _function(value)


def _function(value: Any) -> Any:
    if not callable(value):
        raise ValueError
    return value


def _size(value: Any) -> int:
    if not isinstance(value, int):
        raise ValueError
    return _integer(value, 1)


def _transport(value: Any) -> Any:
    _function(value.send)
    return value


def _observers(value: Any) -> tuple[Any, ...]:
    from tornado_aws.events import Observer  # noqa: PLC0415 - most clients have none

    # An iterator would be at its end when the client wants to tell them something.
    if not isinstance(value, Sequence) or not all(isinstance(each, Observer) for each in value):
        raise ValueError
    return tuple(value)


TEXT = Kind("a text", _text)
PATH = Kind("a path", lambda value: _text(_path(value)))
BOOLEAN = Kind("true or false", _boolean)
BOOLEAN_OR_AUTO = Kind("true, false or auto", _boolean_or_auto)
SECONDS = Kind("a positive number of seconds", _seconds)
OPTIONAL_SECONDS = Kind("a positive number of seconds, or None for no bound", _optional_seconds)
COUNT = Kind("a whole number from 1", lambda value: _integer(value, 1))
# The largest size that the compression of requests may begin at: botocore's bound.
BYTES = Kind("a whole number of bytes, 0 to 10485760", lambda value: _integer(value, 0, 10485760))
REGION = Kind("a region's name: letters, digits and hyphens", _region)
URL = Kind("a URL with scheme http or https and a host", _url)
PROXY = Kind("a URL with scheme http or https and a host, or '' for none", _proxy)
VERIFY = Kind("True, False, or the path of a CA file", _verify)
ROLE_NAME = Kind("a name of letters, digits and +=,.@_-", _role_name)
TEXT_OR_EMPTY = Kind("a text", _text_or_empty)
TRUTH = Kind("True or False", bool)
NAMES = Kind("names separated by commas, or a list of names", _names)
CLIENT_CERT = Kind("a path, or a pair of paths (certificate, key)", _client_cert)
CREDENTIALS = Kind(
    "a Credentials, or a function, asynchronous or not, that returns one", _credentials
)
FUNCTION = Kind("a function, asynchronous or not", _function)
SIZE = Kind("a whole number of bytes, or None for no bound", _size)
OBSERVERS = Kind("instances of tornado_aws.events.Observer, in a list", _observers)
TRANSPORT = Kind("a Transport, such as those of tornado_aws.testing", _transport)
