"""What an error response says, whatever its format.

Services answer errors in the format of their protocol, but gateways, load balancers and emulators
answer in others; the raw client does not even know the protocol. So the format is taken from the
response itself:

* JSON (``__type``, ``code``, ``Code``; headers ``x-amzn-errortype``, ``x-amzn-query-error``), bare
  or within ``Error`` or ``Output``;
* XML (``<ErrorResponse><Error>``, ``<Response><Errors><Error>``, ``<Errors><Error>``, bare
  ``<Error>``, ``<AccessDeniedException>`` and the like; with any namespace or none);
* CBOR (``__type``);
* plain text, which becomes the message, no or another body: the status is the code, and the error
  is AWS's only if the response has an AWS request id.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Mapping
from http.client import responses
from typing import Any, NamedTuple

from tornado_aws import txml
from tornado_aws.transport import Response

REQUEST_ID_HEADERS = ("x-amzn-requestid", "x-amz-request-id")

# The root of a body that is an error as a whole. S3 sends blanks before it for as long as it is at
# work. An ``Error`` within another root is part of a result: of one object that DeleteObjects left.
_ERROR_ROOT = re.compile(rb"\s*(?:<\?xml[^>]*\?>\s*)?<Error[\s/>]")

# What holds the error where JSON itself names none: of services with forms, asked for JSON, and of
# others that know no operation to answer for.
_ENVELOPES = ("Error", "Output")

# Characters of a text that become an error's message.
_LONGEST_TEXT = 1000

_CHARSET = re.compile(r"""charset\s*=\s*["']?([\w.:-]+)""", re.IGNORECASE)
_MARKS = ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


class ErrorDetails(NamedTuple):
    """What an error response says.

    Attributes:
        code: the error code without namespace; the status as text when the body names none.
        message: the service's text, "" when there is none.
        request_id: the service's id of the request, None when there is none.
        error: what botocore gives as ``ClientError.response["Error"]``: ``Code``, ``Message`` and,
            with XML, the other elements beside them.
        is_aws: whether the response is an AWS error at all.
        host_id: S3's second id, None elsewhere.
    """

    code: str
    message: str
    request_id: str | None
    error: dict[str, Any]
    is_aws: bool
    host_id: str | None = None


def parse(response: Response) -> ErrorDetails:
    """Return what an error response (status >= 300) says; never raises."""
    if response.headers.get("smithy-protocol") == "rpc-v2-cbor":
        return _from_members(response, _cbor_members(response.body))
    text = _text(response)
    if text.startswith("<"):
        return _from_xml(response, text)
    if text.startswith("{"):
        return _from_members(response, _json_members(text))
    return _from_members(response, _plain_message(response, text))


def embedded_in_success(response: Response) -> ErrorDetails | None:
    """Return the error that the whole body of a response with status 200 is, if it is one.

    S3 answers CopyObject, CompleteMultipartUpload and others like this when they fail midway.
    """
    if not _ERROR_ROOT.match(response.body):
        return None
    details = _from_xml(response, _text(response))
    return details if details.is_aws else None


def _text(response: Response) -> str:
    """Return the body as text: in the charset that its type names, else as its first bytes say."""
    body = response.body
    named = _CHARSET.search(response.headers.get("content-type", ""))
    by_mark = next((charset for mark, charset in _MARKS if body.startswith(mark)), "utf-8")
    try:
        text = body.decode(named[1] if named else by_mark, "replace")
    except (LookupError, ValueError):  # there is no such charset, or it is none of texts
        text = body.decode("utf-8", "replace")
    return text.lstrip("\ufeff \t\r\n")


def _from_members(response: Response, members: Mapping[str, Any]) -> ErrorDetails:
    headers = response.headers
    request_id = request_id_of(headers) or _first_text(members, "RequestId") or None
    named = headers.get("x-amzn-errortype") or _name(members)
    if not named:
        members = _out_of_envelope(members)
        named = _name(members)
    code = _without_namespace(named)
    # The last is what OAuth 2.0 calls it (RFC 6749 section 5.2), as in SSO OIDC's errors.
    message = _first_text(members, "message", "Message", "errorMessage", "error_description")
    is_aws = bool(code) or request_id is not None
    error = {"Message": message, "Code": code or str(response.status)}
    query_error = headers.get("x-amzn-query-error", "")
    if ";" in query_error:
        original, kind = query_error.split(";", 1)
        error = {**error, "QueryErrorCode": error["Code"], "Code": original, "Type": kind}
    if not members and not message:
        error["Message"] = responses.get(response.status, "")
    return ErrorDetails(error["Code"], error["Message"], request_id, error, is_aws)


def _name(members: Mapping[str, Any]) -> str:
    return _first_text(members, "__type", "code", "Code")


def _out_of_envelope(members: Mapping[str, Any]) -> Mapping[str, Any]:
    inner = (members.get(name) for name in _ENVELOPES)
    return next((each for each in inner if isinstance(each, dict)), members)


def _from_xml(response: Response, text: str) -> ErrorDetails:
    try:
        root = _without_namespaces(txml.loads(text))
    except ValueError:
        return _from_members(response, {})
    fault, envelope = _find_xml_error(root)
    if fault is None:
        return _from_members(response, {})
    error = {key: value for key, value in fault.items() if not key.startswith("@")}
    code = _first_text(error, "Code") or str(response.status)
    message = _first_text(error, "Message")
    error.update(Code=code, Message=message)
    request_id = _xml_request_id(error, envelope) or request_id_of(response.headers)
    host_id = error.pop("HostId", None) or response.headers.get("x-amz-id-2")
    return ErrorDetails(code, message, request_id, error, True, host_id)


def _find_xml_error(root: Mapping[str, Any]) -> tuple[dict[str, Any] | None, Mapping[str, Any]]:
    """Return the first error of a document and the element that holds the request id."""
    ((name, element),) = root.items()
    if name == "Error":
        return _as_element(element), {}
    envelope = element if isinstance(element, dict) else {}
    holder = envelope if "Error" in envelope else envelope.get("Errors")
    if isinstance(holder, dict):
        return _as_element(holder.get("Error")), envelope
    # What services with JSON answer to a request that is for no operation of theirs.
    return {**envelope, "Code": name} if name.endswith("Exception") else None, {}


def _as_element(value: Any) -> dict[str, Any] | None:
    first = value[0] if isinstance(value, list) and value else value
    return dict(first) if isinstance(first, dict) else None


def _xml_request_id(error: dict[str, Any], envelope: Mapping[str, Any]) -> str | None:
    own = error.pop("RequestId", None) or error.pop("RequestID", None)
    found = own or envelope.get("RequestId") or envelope.get("RequestID")
    return found if isinstance(found, str) else None


def request_id_of(headers: Mapping[str, str]) -> str | None:
    """Return the service's request id from response headers, None when they have none."""
    for name in REQUEST_ID_HEADERS:
        if name in headers:
            return headers[name]
    return None


def _first_text(members: Mapping[str, Any], *names: str) -> str:
    for name in names:
        value = members.get(name)
        if value is not None and not isinstance(value, dict | list):
            return str(value)
    return ""


def _without_namespace(name: str) -> str:
    """Return ``Name`` of ``namespace#Name:http://...``."""
    return name.split(":", 1)[0].rsplit("#", 1)[-1].strip()


def _without_namespaces(value: Any) -> Any:
    if isinstance(value, dict):
        return {_local_name(key): _without_namespaces(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_namespaces(item) for item in value]
    return value


def _local_name(name: str) -> str:
    return name.rpartition("}")[2].rpartition(":")[2]


def _json_members(text: str) -> Mapping[str, Any]:
    try:
        members = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return members if isinstance(members, dict) else {}


def _plain_message(response: Response, text: str) -> Mapping[str, Any]:
    is_plain = response.headers.get("content-type", "").lower().startswith("text/plain")
    return {"message": text.rstrip()[:_LONGEST_TEXT]} if is_plain and text else {}


def _cbor_members(body: bytes) -> Mapping[str, Any]:
    from tornado_aws.protocols import cbor  # noqa: PLC0415 - few services speak it

    try:
        members = cbor.loads(body)
    except ValueError:
        return {}
    return members if isinstance(members, dict) else {}
