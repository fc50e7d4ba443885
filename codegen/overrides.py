"""The corrections of AWS's models; see `codegen.override` for what each kind does."""

from __future__ import annotations

from collections.abc import Sequence

from .override import Method, Optional, Override, Parameter

OVERRIDES: Sequence[Override] = (
    Parameter(
        "logs",
        "CreateExportTask",
        member="from",
        name="fromTime",
        reason="from is a Python keyword; fromTime is the name that boto users know",
    ),
    Parameter(
        "cloudsearchdomain",
        "Search",
        member="return",
        name="returnFields",
        reason="return is a Python keyword; returnFields is the name that boto users know",
    ),
    Method(
        "redshift-serverless",
        "GetCredentials",
        name="get_credentials",
        reason="boto users know it so; a client's own credentials are those of the client it uses",
    ),
    Optional(
        "glacier",
        member="accountId",
        reason='"-", the account of the credentials, is sent when it is left out',
    ),
)


def corrections(service: str) -> list[Override]:
    """Return the corrections of one service."""
    return [each for each in OVERRIDES if each.service == service]
