"""TLS settings: one `ssl.SSLContext` for each way of checking, made once and off the event loop.

Reading the system's certificates takes some 36 ms, so a context is shared by every client of the
process with the same settings, and made anew only when a file it was made from has changed.
"""

from __future__ import annotations

import ssl
import warnings
from errno import EINVAL
from functools import lru_cache
from pathlib import Path

from tornado_aws.exceptions import ConfigurationError

ClientCert = str | tuple[str, str] | None


class InsecureTLSWarning(UserWarning):
    """Certificates are not checked, because ``verify=False`` was asked for."""


def load_context(verify: bool | str, client_cert: ClientCert) -> ssl.SSLContext:
    """Return the context for these settings. Blocking: it reads files.

    Args:
        verify: check certificates against the system's CAs (True), against this CA file or folder,
            or not at all (False), which warns.
        client_cert: a file with certificate and key, or (certificate file, key file).

    Raises:
        ConfigurationError: a file does not exist, cannot be read or holds no certificate.
    """
    if verify is False:
        warnings.warn(
            "verify=False: certificates are not checked; anyone on the way can read and change what"
            " is sent, credentials included",
            InsecureTLSWarning,
            stacklevel=2,
        )
    names = [verify] if isinstance(verify, str) else []
    names += [client_cert] if isinstance(client_cert, str) else client_cert or ()
    return _shared_context(verify, client_cert, tuple(_changed_at(name) for name in names))


def _changed_at(name: str) -> int:
    try:
        return Path(name).stat().st_mtime_ns
    except OSError as error:
        raise ConfigurationError(
            f"The TLS file {name} (verify= or client_cert=) cannot be read: {error.strerror}"
        ) from error


@lru_cache(maxsize=32)
def _shared_context(
    verify: bool | str, client_cert: ClientCert, _changed: tuple[int, ...]
) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # Of TLS 1.2 only, and gone from 1.3; `TLSLine.write` relies on it.
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols(["http/1.1"])
    if verify is False:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif verify is True:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    else:
        _load_cas(context, verify)
    if client_cert is not None:
        _load_client_cert(context, client_cert)
    return context


def _load_cas(context: ssl.SSLContext, name: str) -> None:
    is_folder = Path(name).is_dir()
    try:
        context.load_verify_locations(**{"capath" if is_folder else "cafile": name})
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(
            f"The CA file {name} (verify=) holds no usable certificates: {_reason(error)}"
        ) from error


def _load_client_cert(context: ssl.SSLContext, client_cert: str | tuple[str, str]) -> None:
    certificate, key = (client_cert, None) if isinstance(client_cert, str) else client_cert
    try:
        # Without a password callback OpenSSL would ask on the terminal.
        context.load_cert_chain(certificate, key, _no_password)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(
            f"The client certificate {certificate} with the key {key or certificate} "
            f"(client_cert=) cannot be used: {_reason(error)}"
        ) from error


def _no_password() -> str:
    raise ssl.SSLError(EINVAL, "the key is encrypted; keys with a password are not supported")


def _reason(error: OSError) -> str:
    return getattr(error, "reason", None) or error.strerror or str(error)
