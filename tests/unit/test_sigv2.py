"""Signature Version 2; tests/conformance/test_wire.py compares it with botocore for SimpleDB."""

from __future__ import annotations

from unittest import mock
from urllib.parse import parse_qsl

import pytest
from botocore.auth import SigV2Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials
from hypothesis import given, settings
from hypothesis import strategies as st

from tornado_aws.credentials import Credentials
from tornado_aws.exceptions import UnsupportedOperationError
from tornado_aws.sigv2 import SigV2
from tornado_aws.transport.fields import pairs_of

NOW = 1_500_000_000.0
STAMP = "2017-07-14T02:40:00Z"
SIGNER = SigV2("sdb", "us-east-1")


def form_of(params: dict[str, str], token: str | None) -> dict[str, str]:
    """Return what is sent for parameters."""
    form = "&".join(AWSRequest("GET", "http://h", params=params).prepare().url.split("?")[1:])
    credentials = Credentials("AKID", "secret", token)
    signed = SIGNER.signed_form(credentials, "POST", "SDB.example.com", "/", form.encode(), NOW)
    return dict(parse_qsl(signed.decode(), keep_blank_values=True))


@settings(max_examples=50, deadline=None)
@given(
    st.dictionaries(st.text("aZ9.-_~ +/é", min_size=1), st.text("aZ9.-_~ +/&=é東"), max_size=5),
    st.sampled_from([None, "a/token+="]),
)
def test_forms_are_signed_as_by_botocore(params: dict[str, str], token: str | None) -> None:
    """Whatever the parameters are, temporary credentials included."""
    request = AWSRequest("POST", "https://sdb.example.com/", data={"Action": "A", **params})
    with mock.patch("botocore.auth.time.strftime", return_value=STAMP):
        SigV2Auth(BotocoreCredentials("AKID", "secret", token)).add_auth(request)
    assert form_of({"Action": "A", **params}, token) == request.data


def test_nothing_is_added_to_the_headers() -> None:
    """The form has it all."""
    keys = Credentials("AKID", "secret")
    sent = SIGNER.authorize(keys, "POST", "h", "/", "", [("A", "b")], b"", NOW)
    assert pairs_of(sent) == [("Host", "h"), ("A", "b")]


def test_there_are_no_presigned_urls() -> None:
    """The error says why."""
    with pytest.raises(UnsupportedOperationError, match="no presigned URLs for sdb"):
        SIGNER.presign(Credentials("AKID", "secret"), "GET", "https://h/")
