"""What requests say of the program that sends them: the ``User-Agent`` header, version 2.1.

The AWS SDKs share this format: ``name/version`` words, with ``#`` before a further value. AWS's
logs show it, which is how an account's owner finds out who calls.
"""

from __future__ import annotations

import platform
import re
from collections.abc import Mapping
from urllib.parse import quote

from tornado_aws.transport import Fields

__all__ = ["identity", "is_lambda", "user_agent"]

# What may not stand in a word becomes a hyphen (the SDKs' rule).
_FORBIDDEN = re.compile(r"[^!$%&'*+.^_`|~0-9A-Za-z-]")

# What stands as it is in a trace id; anything else is percent-encoded, as the SDKs do it.
_TRACE_SAFE = "-=;:+&[]{}\"',"

_NAMES = frozenset({"user-agent", "amz-sdk-invocation-id", "amz-sdk-request"})
_NAMES_WITH_TRACE = _NAMES | {"x-amzn-trace-id"}


def user_agent(
    version: str, retry_mode: str, app_id: str | None, environ: Mapping[str, str]
) -> str:
    """Return the header's value.

    Args:
        version: of this library.
        retry_mode: the retry mode in force.
        app_id: what the program calls itself (``user_agent_appid``).
        environ: the environment variables, for ``AWS_EXECUTION_ENV``.
    """
    words = [
        f"tornado-aws/{version}",
        "ua/2.1",
        f"os/{_word(platform.system().lower())}#{_word(platform.release())}",
        f"md/arch#{_word(platform.machine().lower())}",
        f"lang/python#{platform.python_version()}",
        f"md/pyimpl#{platform.python_implementation()}",
    ]
    if environ.get("AWS_EXECUTION_ENV"):
        words.append(f"exec-env/{_word(environ['AWS_EXECUTION_ENV'])}")
    words.append(f"cfg/retry-mode#{retry_mode}")
    if app_id:
        words.append(f"app/{_word(app_id)}")
    return " ".join(words)


def is_lambda(environ: Mapping[str, str]) -> bool:
    """Tell whether the program runs in AWS Lambda."""
    return "AWS_LAMBDA_FUNCTION_NAME" in environ


def identity(agent: str, environ: Mapping[str, str], invocation: str, attempt: str) -> Fields:
    """Return the header lines that say who sends a request, and which one of a call's it is.

    Args:
        agent: what `user_agent` returned.
        environ: the environment variables as they are now, if they may hold a trace id: Lambda
            sets it anew for each invocation, and a call that carries it on cannot call its own
            function for ever unseen.
        invocation: names the call, the same for all of its attempts.
        attempt: counts the attempts.
    """
    text = (
        f"User-Agent: {agent}\r\namz-sdk-invocation-id: {invocation}\r\n"
        f"amz-sdk-request: {attempt}\r\n"
    )
    trace = environ.get("_X_AMZN_TRACE_ID")
    if trace:
        text = f"{text}X-Amzn-Trace-Id: {quote(trace, safe=_TRACE_SAFE)}\r\n"
        return text, _NAMES_WITH_TRACE
    return text, _NAMES


def _word(text: str) -> str:
    return _FORBIDDEN.sub("-", text)
