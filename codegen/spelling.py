"""How names of the models are spelled in Python: the rules that boto users know."""

from __future__ import annotations

import re
from collections.abc import Mapping

from .reserved import KEYWORDS

# Words whose capitals do not part them, as boto spells them in lower case.
WORDS: Mapping[str, str] = {
    "HITsFor": "HitsFor",
    "OAuth2": "Oauth2",
    "OTel": "Otel",
    "PartiQL": "Partiql",
    "WhatsApp": "Whatsapp",
    "iSCSI": "Iscsi",
}
_WORD = re.compile("|".join(map(re.escape, WORDS)))
# "ARNs" at the end is one word.
_PLURAL = re.compile(r"[A-Z]{2,}s$")
# A word begins at a capital behind a small letter or a digit, and at one before a small letter.
_BORDER = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=.)(?=[A-Z][a-z])")


def method_name(operation: str) -> str:
    """Return the name of an operation's method: ``DescribeTable`` is ``describe_table``.

    A name that has an underscore is left as it is.
    """
    if "_" in operation:
        return operation
    name = _WORD.sub(lambda match: WORDS[match[0]], operation)
    plural = _PLURAL.search(name)
    if plural:
        name = f"{name[: plural.start()]}_{plural[0].lower()}"
    return _BORDER.sub("_", name).lower()


def client_name(metadata: Mapping[str, str], folder: str) -> str:
    """Return the name of a service's class: ``Amazon CloudWatch Logs`` is ``CloudWatchLogs``."""
    full = metadata.get("serviceFullName", folder)
    name = str(metadata.get("serviceAbbreviation", full))
    return re.sub(r"\W+", "", name.replace("Amazon", "").replace("AWS", ""))


def module_name(folder: str) -> str:
    """Return the name of a service's package: ``cognito-idp`` is ``cognito_idp``."""
    name = re.sub(r"\W", "_", folder)
    return f"{name}_" if name in KEYWORDS else name
