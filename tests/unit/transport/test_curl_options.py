"""What is set in every handle of a curl engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pycurl")

import pycurl

from tornado_aws.transport import TransportOptions
from tornado_aws.transport.curl_options import fixed_options


def options(**fields: Any) -> dict[int, Any]:
    """Return the fixed options for these fields of `TransportOptions`."""
    return dict(fixed_options(TransportOptions(**fields)))


def test_only_the_named_cas_are_trusted(tmp_path: Path) -> None:
    """A file or folder of CAs takes the place of those that libcurl was built with."""
    file = str(tmp_path / "ca.pem")
    by_file, by_folder = options(verify=file), options(verify=str(tmp_path))
    for ca_file, ca_folder in (
        (pycurl.CAINFO, pycurl.CAPATH),
        (pycurl.PROXY_CAINFO, pycurl.PROXY_CAPATH),
    ):
        assert (by_file[ca_file], by_file[ca_folder]) == (file, None)
        assert (by_folder[ca_file], by_folder[ca_folder]) == (None, str(tmp_path))


def test_checks_are_switched_off_by_name_only() -> None:
    """Nothing but verify=False touches the checks, which libcurl makes by itself."""
    checks = {
        pycurl.SSL_VERIFYPEER,
        pycurl.SSL_VERIFYHOST,
        pycurl.PROXY_SSL_VERIFYPEER,
        pycurl.PROXY_SSL_VERIFYHOST,
    }
    assert not checks & set(options())
    assert not checks & set(options(verify="/ca.pem"))
    assert {options(verify=False)[check] for check in checks} == {0}


@pytest.mark.parametrize(
    ("given", "files"), [("both.pem", ("both.pem", "both.pem")), (("c", "k"), ("c", "k"))]
)
def test_certificate_and_key_may_be_in_one_file(given: Any, files: tuple[str, str]) -> None:
    """One name stands for both files."""
    found = options(client_cert=given)
    assert (found[pycurl.SSLCERT], found[pycurl.SSLKEY]) == files


def test_libcurl_accepts_every_option() -> None:
    """Each option is known to the libcurl at hand."""
    curl = pycurl.Curl()
    for option, value in fixed_options(TransportOptions()):
        curl.setopt(option, value)
    curl.close()
