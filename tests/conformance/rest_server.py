"""What a service puts into the status and the headers of a response (rest-json, rest-xml)."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from datetime import datetime
from random import Random
from typing import Any

from tornado_aws.model import Ref, Shape
from tornado_aws.protocols import timestamps
from tornado_aws.transport import Headers


def head(
    shape: Shape, members: Mapping[str, Any], random: Random, status: int = 200
) -> tuple[int, Headers, dict[str, Any]]:
    """Return status, headers, and the members that are left for the body.

    Args:
        shape: the structure.
        members: its value in terms of the model.
        random: chooses the case of the header names.
        status: the status when no member is bound to it.
    """
    headers: Headers = []
    rest = {}
    for name, value in members.items():
        ref = shape.members[name]
        location = ref.traits.get("location")
        key = ref.traits.get("locationName", name)
        if location == "header":
            headers.append((random.choice((key, key.lower(), key.upper())), _text(ref, value)))
        elif location == "headers":
            headers += [(key + suffix, item) for suffix, item in value.items()]
        elif location == "statusCode":
            status = status + random.randrange(5)
        else:
            rest[name] = value
    return status, headers, rest


def _text(ref: Ref, value: Any) -> str:
    if ref.traits.get("jsonvalue"):
        return b64encode(json.dumps(value).encode()).decode()
    if isinstance(value, list):
        # Commas need quotes, which botocore does not read.
        items = (_text(ref.shape.member, item).replace(",", ".").strip() for item in value)
        return ", ".join(items)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        write = timestamps.FORMATS[ref.traits.get("timestampFormat", "rfc822").lower()]
        return str(write(value.replace(microsecond=0)))
    return str(value).strip()
