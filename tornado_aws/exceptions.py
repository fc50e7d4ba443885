"""Every error this library raises, as one tree.

.. code-block:: text

    AWSClientException                  anything below; ``msg`` holds the readable text
    ├── CallError                       a call failed; tells which one, and how often it was sent
    │   ├── AWSError                    the service answered with an error
    │   │   └── <module>.exceptions.*   one class for each error that a service models
    │   ├── ResponseParserError         a successful response cannot be understood
    │   └── RequestException            no complete answer came; ``error`` holds the cause
    │       ├── ConnectError            no connection: DNS, refused, TLS, proxy
    │       │   └── ConnectTimeout
    │       │       └── TLSTimeout
    │       ├── ReadError               the connection broke, or what came is not HTTP
    │       │   └── ReadTimeout
    │       ├── PoolTimeout             every connection of the pool stayed busy
    │       ├── RequestTimeout          one attempt, or the whole call, took too long
    │       └── ClientClosedError       the client was closed before or during the call
    ├── ConfigurationError              a setting has an impossible value
    │   ├── ConfigNotFound              no configuration file and no other source of a region
    │   ├── ConfigParserError           a configuration file is malformed
    │   ├── NoProfileError              the profile that was asked for does not exist
    │   └── CurlNotInstalledError       ``use_curl=True`` without pycurl
    ├── CredentialsError                a source of credentials is present but broken
    │   ├── LocalCredentialsError       local credentials were rejected and have not changed
    │   └── NoCredentialsError          no source had credentials
    ├── EndpointError                   no endpoint for these parameters
    ├── ParamValidationError            parameters do not fit the operation; nothing was sent
    ├── UnsupportedOperationError       the operation needs what this version cannot do
    ├── PaginationError                 pages do not end
    └── WaiterError                     the awaited state was not reached

Errors keep the keyword arguments they are made with as attributes and can be pickled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self


def _rebuild(cls: type[AWSClientException], state: dict[str, Any]) -> AWSClientException:
    error = cls.__new__(cls, state["msg"])
    error.__dict__.update(state)
    return error


class AWSClientException(Exception):
    """Base of all errors of this library.

    Attributes:
        msg: what went wrong, in one readable text; also ``str()`` of the error.
    """

    fmt = "An error occurred"
    defaults: Mapping[str, Any] = {}

    msg: str

    def __init__(self, msg: str | None = None, /, **details: Any) -> None:
        """Make an error.

        Args:
            msg: the whole text; without it the class's own text is filled in from `details`.
            **details: become attributes of the error.
        """
        values = {**self.defaults, **details}
        self.__dict__.update(values)
        self.msg = self.fmt.format(**values) if msg is None else msg
        super().__init__(self.msg)

    def __str__(self) -> str:
        return self.msg

    def __repr__(self) -> str:
        # Not `args`: a part of the text is only known after an error was made.
        return f"{type(self).__name__}({self.msg!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.__dict__.copy())


class CallError(AWSClientException):
    """A call failed: the service said no, or no complete or no intelligible answer came.

    Attributes:
        service: the service's name, "" when the error was made without a call.
        operation: the operation's name, None for a raw ``fetch``.
        region: the region that the client is for.
        host: the host that the request was sent to.
        attempts: how often the request was sent.
        retried: for each attempt but the last why it failed, in order: an error code or the name
            of a class of this module.
    """

    service: str = ""
    operation: str | None = None
    region: str = ""
    host: str = ""
    attempts: int = 1
    retried: tuple[str, ...] = ()

    def locate(
        self,
        service: str,
        operation: str | None,
        region: str,
        host: str,
        retried: tuple[str, ...],
    ) -> Self:
        """Note which call the error ended, unless it is noted; see the class for the arguments."""
        if self.service:
            return self
        self._describe(operation, len(retried) + 1)
        self.service = service
        self.operation = operation
        self.region = region
        self.host = host
        self.attempts = len(retried) + 1
        self.retried = retried
        return self

    def keep(self) -> Self:
        """Return the error as it is: of a stream that belongs to no call."""
        return self

    def _describe(self, operation: str | None, attempts: int) -> None:
        """Put into the text what it does not say yet."""
        called = f"when calling {operation}" if operation else ""
        tries = f"after {attempts} attempts" if attempts > 1 else ""
        if called or tries:
            self.msg = f"{self.msg} ({', '.join(filter(None, (called, tries)))})"


class AWSError(CallError):
    """The service answered with an error.

    Attributes:
        code: the error code, without namespace (``ResourceNotFoundException``); the HTTP status as
            text when the body named none.
        message: the service's own text, "" when there is none.
        status_code: the HTTP status.
        request_id: the service's id of the request, None when the response had none.
        response: for generated clients the dict that botocore gives as ``ClientError.response``
            (``Error``, ``ResponseMetadata`` and the error's own members); for a raw ``fetch`` the
            ``tornado.httpclient.HTTPResponse``.

    `CallError` has the others.
    """

    code: str
    message: str
    status_code: int
    request_id: str | None
    response: Any

    def __init__(
        self,
        code: str = "",
        message: str = "",
        status_code: int = 0,
        request_id: str | None = None,
        response: Any = None,
        *,
        operation: str | None = None,
        attempts: int = 1,
    ) -> None:
        """Make an error from what the service answered; see the class for the arguments."""
        super().__init__(
            _aws_error_text(code, message, operation, attempts),
            code=code,
            message=message,
            status_code=status_code,
            request_id=request_id,
            response=response,
            operation=operation,
            attempts=attempts,
        )

    def _describe(self, operation: str | None, attempts: int) -> None:
        """Leave the text, which has said it from the beginning."""


def _aws_error_text(code: str, message: str, operation: str | None, attempts: int) -> str:
    where = f" when calling {operation}" if operation else ""
    tries = f" (after {attempts} attempts)" if attempts > 1 else ""
    return f"{code}{where}{tries}: {message or 'the service gave no message'}"


class ResponseParserError(CallError):
    """A response that reports success cannot be understood.

    Attributes:
        reason: what is wrong with it.
        response: the response that cannot be parsed; it has ``status``, ``headers`` and ``body``.

    `CallError` has the others.
    """

    fmt = "The response cannot be parsed: {reason}"
    defaults = {"reason": "no reason was given", "response": None}
    reason: str
    response: Any


class RequestException(CallError):
    """No complete HTTP response came.

    Attributes:
        error: the cause: an exception of a lower layer, or a text.
        sent: False when it is certain that the server has not received the request.
        response_started: whether any byte of a response came.

    `CallError` has the others.
    """

    fmt = "The request failed: {error}"
    defaults = {
        "error": "no reason was given",
        "sent": True,
        "response_started": False,
        "attempts": 1,
    }

    error: Any
    sent: bool
    response_started: bool


class ConnectError(RequestException):
    """No connection could be made: name resolution, refusal, TLS or a proxy failed."""

    defaults = {**RequestException.defaults, "sent": False}


class ConnectTimeout(ConnectError):
    """No connection was ready within ``connect_timeout`` seconds."""


class TLSTimeout(ConnectTimeout):
    """A TLS handshake was not complete within ``tls_timeout`` seconds."""


class ReadError(RequestException):
    """The connection broke before the response was complete, or what came is not valid HTTP."""


class ReadTimeout(ReadError):
    """Nothing was received (or could be sent) for ``read_timeout`` seconds."""


class PoolTimeout(RequestException):
    """No connection of the pool became free within ``pool_timeout`` seconds."""

    defaults = {**RequestException.defaults, "sent": False}


class RequestTimeout(RequestException):
    """An attempt took longer than ``request_timeout``, or the call than ``total_timeout``."""


class ClientClosedError(RequestException):
    """The client was closed before the call was made or while it was under way."""

    fmt = "The client is closed"
    defaults = {**RequestException.defaults, "error": "the client is closed"}


class ConfigurationError(AWSClientException):
    """A setting has an impossible value; the text names the setting and its source."""


class ConfigNotFound(ConfigurationError):
    """There is no configuration file, and no other source named a region.

    Attributes:
        path: the file that was looked for.
        reason: why the instance metadata service named none.
    """

    fmt = (
        "No region is configured: {path} does not exist, neither AWS_REGION nor AWS_DEFAULT_REGION"
        " is set, and the instance metadata service gave none ({reason}); pass region="
    )
    defaults = {"reason": "no reason was given"}
    path: str
    reason: str


class ConfigParserError(ConfigurationError):
    """A configuration or credentials file is malformed or cannot be read.

    Attributes:
        path: the file.
        line: the line's number, counted from 1; None when the whole file is at fault.
        reason: what is wrong; never the line's own text, which may hold a secret.
    """

    defaults = {"line": None, "reason": "it cannot be parsed"}
    path: str
    line: int | None
    reason: str

    def __init__(self, msg: str | None = None, /, **details: Any) -> None:
        super().__init__(msg, **details)
        if msg is None:
            place = f"{self.path}, line {self.line}" if self.line is not None else self.path
            self.msg = f"Cannot read the configuration file {place}: {self.reason}"


class NoProfileError(ConfigurationError):
    """The profile that was asked for is in none of the files.

    Attributes:
        path: the configuration file that was read.
        profile: the profile's name.
    """

    fmt = "Profile {profile!r} was not found in {path}"
    path: str
    profile: str


class CurlNotInstalledError(ConfigurationError):
    """``use_curl=True`` was asked for and pycurl cannot be imported."""

    fmt = "use_curl=True needs pycurl: pip install 'tornado-aws[curl]'"


class CredentialsError(AWSClientException):
    """A source of credentials is configured but broken.

    Attributes:
        source: the source's short name (``imds``, ``process``, ...).
        reason: what is wrong with it, without secrets.
    """

    fmt = "Credentials from {source} cannot be used: {reason}"
    defaults = {"source": "an unnamed source", "reason": "no reason was given"}
    source: str
    reason: str


class LocalCredentialsError(CredentialsError):
    """The service rejected local credentials, and their source still holds the same ones."""


class NoCredentialsError(CredentialsError):
    """No source had credentials.

    Attributes:
        tried: for each source, in order, its name and why it gave nothing.
    """

    tried: Sequence[tuple[str, str]]

    def __init__(self, msg: str | None = None, /, **details: Any) -> None:
        details.setdefault("tried", ())
        if msg is None:
            lines = [f"\n  {source}: {reason}" for source, reason in details["tried"]]
            msg = "No AWS credentials were found" + ("; tried:" if lines else "") + "".join(lines)
        super().__init__(msg, **{"source": "the chain", "reason": "nothing found", **details})


class EndpointError(AWSClientException):
    """No endpoint fits the parameters; the text is the rule's own message."""


class ParamValidationError(AWSClientException, ValueError):
    """Parameters do not fit the operation's model; nothing was sent.

    Attributes:
        operation: the operation's name.
        faults: one text for each fault, beginning with its path (``Item.attr.L[3]: ...``).
    """

    defaults = {"operation": "", "faults": ()}
    operation: str
    faults: Sequence[str]

    def __init__(self, msg: str | None = None, /, **details: Any) -> None:
        super().__init__(msg, **details)
        if msg is None:
            lines = "".join(f"\n  {fault}" for fault in self.faults)
            self.msg = f"Invalid parameters for {self.operation}:{lines}"


class UnsupportedOperationError(AWSClientException):
    """The operation needs something that this version of the library cannot do."""


class PaginationError(AWSClientException):
    """Pages cannot be gone through.

    The service repeats a page token, so that they would never end; or what was asked for is
    impossible for the operation, and nothing was sent.
    """


class WaiterError(AWSClientException):
    """The awaited state was not reached.

    Attributes:
        name: the waiter's name.
        reason: why waiting ended.
        last_response: the last response or error dict, None when there was none.
        attempts: how many calls were made.
        elapsed: how long was waited, in seconds.
    """

    fmt = "Waiter {name} failed: {reason}"
    defaults = {"name": "", "reason": "", "last_response": None, "attempts": 0, "elapsed": 0.0}
    name: str
    reason: str
    last_response: Any
    attempts: int
    elapsed: float
