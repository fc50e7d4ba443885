"""What the library logs of its calls, all at ``DEBUG``: nothing that a caller gets as an error too.

* ``tornado_aws.pipeline``: a line for each attempt: operation, host, status or error code, request
  id, seconds, and what follows. No header, no parameter, no path.
* ``tornado_aws.signing``: the canonical request of each signature, to be compared with the one that
  a service shows when it answers ``SignatureDoesNotMatch``; session tokens and keys are masked.
"""

from __future__ import annotations

import logging
import re

from tornado_aws.canonical import masked
from tornado_aws.credentials import Credentials
from tornado_aws.events import Attempt, Observer
from tornado_aws.signing import SigV4
from tornado_aws.transport import Headers

ATTEMPTS = logging.getLogger("tornado_aws.pipeline")
SIGNATURES = logging.getLogger("tornado_aws.signing")

# Values that callers send in headers and queries and that must not be shown: customers' keys for
# S3's encryption, keys of APIs, tokens, passwords and SAML assertions. An ampersand ends no header.
_SECRETS = re.compile(
    r"(?i)((?:^|[\n&])[\w.%-]*(?:customer-key|api[_-]?key|cookie|token|password|secret|assertion"
    r"|authorization|credential|signature)[\w.%-]*[:=])((?<=:)[^\n]+|[^\n&]+)"
)


class AttemptLog(Observer):
    """Logs each attempt."""

    def attempt_ended(self, attempt: Attempt) -> None:
        call = attempt.call
        ATTEMPTS.debug(
            "%s in %s at %s, attempt %d of %d: %s in %.3f s, request id %s%s",
            call.name,
            call.region,
            call.host,
            attempt.number,
            call.max_attempts,
            _result(attempt),
            attempt.seconds,
            attempt.request_id,
            _what_follows(attempt),
        )


def _result(attempt: Attempt) -> str:
    return " ".join(str(part) for part in (attempt.status, attempt.error) if part is not None)


def _what_follows(attempt: Attempt) -> str:
    if attempt.retry_in is not None:
        return f"; repeated in {attempt.retry_in:.3f} s ({attempt.reason})"
    return f"; not repeated: {attempt.reason}" if attempt.reason else ""


def log_signature(
    signer: SigV4,
    credentials: Credentials,
    method: str,
    url: str,
    headers: Headers,
    body: bytes | str | None,
) -> None:
    """Log the canonical request that was signed, without secrets.

    A `body` that is text stands for its hash, as in `SigV4.authorize`.
    """
    text = signer.explain(method, url, headers, None if isinstance(body, str) else body)
    if isinstance(body, str):
        text = f"{text.rpartition(chr(10))[0]}\n{body}"
    shown = _SECRETS.sub(r"\1***", masked(text))
    for secret in (credentials.secret_key, credentials.security_token):
        if secret:
            shown = shown.replace(secret, "***")
    SIGNATURES.debug("Canonical request signed as %s:\n%s", credentials.access_key, shown)
