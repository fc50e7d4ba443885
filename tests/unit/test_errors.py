"""Error responses of every format."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tornado_aws import errors
from tornado_aws.transport import Response

ID = ("x-amzn-RequestId", "R1")


def respond(status: int, body: str | bytes = b"", *headers: tuple[str, str]) -> Response:
    data = body.encode() if isinstance(body, str) else body
    return Response(status, "Reason", list(headers), data)


@pytest.mark.parametrize(
    ("members", "code", "message"),
    [
        (
            {"__type": "ns.v1#ResourceNotFoundException", "message": "m"},
            "ResourceNotFoundException",
            "m",
        ),
        ({"__type": "Foo:http://internal/x", "Message": "m"}, "Foo", "m"),
        ({"__type": "aws.x#Foo:http://internal/x#y"}, "Foo", ""),
        ({"code": "Foo", "message": "m"}, "Foo", "m"),
        ({"Code": "Foo", "Message": None, "message": "x"}, "Foo", "x"),
        ({"__type": "Foo", "error": "e", "error_description": "d"}, "Foo", "d"),
        ({"__type": "Foo", "message": "m", "error_description": "d"}, "Foo", "m"),
        ({"message": "only text"}, None, "only text"),
        ({"code": 17, "message": "number"}, "17", "number"),
        ({"__type": {"odd": 1}, "message": ["odd"]}, None, ""),
    ],
)
@pytest.mark.parametrize("status", [400, 403, 500])
def test_json_errors_at_any_status(
    members: dict[str, object], code: str | None, message: str, status: int
) -> None:
    """Code and message are found whatever status, charset and spelling; no code is the status."""
    response = respond(
        status, json.dumps(members), ("Content-Type", "application/json; charset=utf-8"), ID
    )
    details = errors.parse(response)
    assert (details.code, details.message) == (code or str(status), message)
    assert details.request_id == "R1"
    assert details.is_aws


@pytest.mark.parametrize(
    ("body", "code", "message", "request_id"),
    [
        (
            {"Error": {"Code": "ExpiredToken", "Message": "m", "Type": "Sender"}, "RequestId": "X"},
            "ExpiredToken",
            "m",
            "X",
        ),
        (
            {"Output": {"__type": "coral#UnknownOperationException", "message": None}},
            "UnknownOperationException",
            "",
            None,
        ),
        ({"__type": "Own", "message": "m", "Error": {"Code": "Inner"}}, "Own", "m", None),
        ({"Error": "text", "Output": ["x"]}, "400", "", None),
    ],
)
def test_json_errors_in_an_envelope(
    body: dict[str, object], code: str, message: str, request_id: str | None
) -> None:
    """Services with forms, asked for JSON, wrap errors; others those of no operation of theirs."""
    details = errors.parse(respond(400, json.dumps(body)))
    assert (details.code, details.message, details.request_id) == (code, message, request_id)
    assert details.error == {"Code": code, "Message": message}
    assert details.is_aws == (code != "400")


def test_the_error_type_header_wins_over_the_body() -> None:
    """rest-json services name the error in x-amzn-errortype."""
    response = respond(404, '{"code": "Other"}', ("X-Amzn-ErrorType", "NotFound:http://x/"))
    assert errors.parse(response).code == "NotFound"


def test_query_compatible_services_keep_their_old_code() -> None:
    """x-amzn-query-error gives the code, the body's own is kept beside it."""
    response = respond(
        400,
        '{"__type": "com.amazonaws.sqs#QueueDoesNotExist", "message": "m"}',
        ("x-amzn-query-error", "AWS.SimpleQueueService.NonExistentQueue;Sender"),
    )
    details = errors.parse(response)
    assert details.code == "AWS.SimpleQueueService.NonExistentQueue"
    assert details.error == {
        "Message": "m",
        "Code": "AWS.SimpleQueueService.NonExistentQueue",
        "QueryErrorCode": "QueueDoesNotExist",
        "Type": "Sender",
    }


ERROR = "<Type>Sender</Type><Code>Throttling</Code><Message>Rate &amp; more</Message>"


@pytest.mark.parametrize(
    ("body", "request_id"),
    [
        (f"<ErrorResponse><Error>{ERROR}</Error><RequestId>X1</RequestId></ErrorResponse>", "X1"),
        (
            '<?xml version="1.0"?><ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">'
            f"<Error>{ERROR}</Error><RequestId>X1</RequestId></ErrorResponse>",
            "X1",
        ),
        (
            f"<Response><Errors><Error>{ERROR}</Error></Errors><RequestID>X1</RequestID></Response>",
            "X1",
        ),
        (f"<Errors><Error>{ERROR}</Error></Errors>", "R1"),
        (f"<Error>{ERROR}<RequestId>X1</RequestId><HostId>H</HostId></Error>", "X1"),
        (f"<Error>{ERROR}</Error>", "R1"),
        (
            f"<Response><Errors><Error>{ERROR}</Error><Error><Code>B</Code></Error></Errors>"
            "</Response>",
            "R1",
        ),
        (f'<ns:Er xmlns:ns="u"><ns:Error>{ERROR}</ns:Error></ns:Er>', "R1"),
    ],
)
def test_xml_errors_in_every_envelope(body: str, request_id: str) -> None:
    """Any envelope, any namespace; of several errors the first."""
    details = errors.parse(respond(400, body, ID))
    assert (details.code, details.message) == ("Throttling", "Rate & more")
    assert details.request_id == request_id
    assert details.is_aws


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        (
            "<AccessDeniedException>\n  <Message>Unable to determine service/operation name to be"
            " authorized</Message>\n</AccessDeniedException>\n",
            "AccessDeniedException",
            "Unable to determine service/operation name to be authorized",
        ),
        ("<UnknownOperationException/>", "UnknownOperationException", ""),
        ("<n:SlowException xmlns:n='u'>\n</n:SlowException>", "SlowException", ""),
    ],
)
def test_an_xml_error_may_be_named_by_its_root(body: str, code: str, message: str) -> None:
    """Services with JSON answer like this what they take for no operation of theirs."""
    details = errors.parse(respond(403, body))
    assert (details.code, details.message, details.is_aws) == (code, message, True)
    assert details.error == {"Code": code, "Message": message}


@pytest.mark.parametrize(
    ("charset", "named"),
    [
        ("iso-8859-1", "; charset=ISO-8859-1"),
        ("utf-16", '; Charset="utf-16"'),
        ("utf-16", ""),  # the mark at its beginning says so
        ("utf-8-sig", ""),
        ("utf-8", "; charset=no-such-thing"),
        ("utf-8", "; charset=base64"),  # one of Python's, and no charset
        ("utf-8", "; charset=idna"),
    ],
)
@pytest.mark.parametrize(
    "body",
    [
        '{"__type": "Denied", "message": "zu früh"}',
        "<e:Error xmlns:e='urn:x'><e:Code>Denied</e:Code><e:Message>zu früh</e:Message></e:Error>",
    ],
)
def test_the_charset_of_a_body_is_followed(body: str, charset: str, named: str) -> None:
    """Whatever the type says, and without it what the first bytes say."""
    response = respond(403, body.encode(charset), ("Content-Type", f"application/x{named}"))
    details = errors.parse(response)
    assert (details.code, details.message) == ("Denied", "zu früh")


def test_of_several_errors_the_first_counts() -> None:
    """A list of errors is no reason to fail."""
    two = "<Response><Errors><Error><Code>A</Code></Error><Error><Code>B</Code></Error></Errors>"
    assert errors.parse(respond(400, f"{two}<RequestID>R</RequestID></Response>")).code == "A"


def test_an_s3_error_without_message_keeps_its_other_elements() -> None:
    """The elements beside Code are there, ids are not among them."""
    body = "<Error><Code>NoSuchKey</Code><Key>a/b</Key><RequestId>X</RequestId></Error>"
    details = errors.parse(respond(404, body, ("x-amz-id-2", "H2")))
    assert details.error == {"Code": "NoSuchKey", "Key": "a/b", "Message": ""}
    assert (details.request_id, details.host_id) == ("X", "H2")


@pytest.mark.parametrize(
    ("status", "message"), [(304, "Not Modified"), (403, "Forbidden"), (599, "")]
)
def test_an_empty_error_with_a_request_id_is_an_aws_error(status: int, message: str) -> None:
    """HEAD requests have no body: the status is the code, its usual phrase the message."""
    details = errors.parse(respond(status, b"", ("x-amz-request-id", "R2")))
    assert (details.code, details.message, details.is_aws) == (str(status), message, True)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><body><h1>503</h1></body></html>",
        b"<broken",
        b"<Errors/>",
        b"<Errors>Error</Errors>",
        b"<a><Errors/></a>",
        b"<Error/>",
        b"plain text",
        b"{broken",
        b"{}",
    ],
)
def test_what_is_no_aws_error_is_told_apart(body: bytes) -> None:
    """A load balancer's page is an error with the status as its code, but not AWS's."""
    details = errors.parse(respond(503, body))
    assert (details.code, details.is_aws) == ("503", False)


@pytest.mark.parametrize(
    ("body", "kind", "message"),
    [
        ("upstream connect error\n", "text/plain", "upstream connect error"),
        ("overloaded", "Text/Plain; charset=utf-8", "overloaded"),
        ("x" * 9999, "text/plain", "x" * 1000),
        (" \n", "text/plain", "Service Unavailable"),
        ("<h1>overloaded</h1>", "text/plain", "Service Unavailable"),
        ("overloaded", "application/octet-stream", "Service Unavailable"),
        ("overloaded", "", "Service Unavailable"),
    ],
)
def test_plain_text_is_the_message(body: str, kind: str, message: str) -> None:
    """It is all that a proxy or an emulator says of why."""
    details = errors.parse(respond(503, body, ("Content-Type", kind)))
    assert (details.code, details.message, details.is_aws) == ("503", message, False)
    assert details.error == {"Code": "503", "Message": message}


@given(st.binary() | st.text().map(str.encode), st.sampled_from([b"", b"<", b"{", b"<Error>"]))
def test_any_body_gives_details(body: bytes, start: bytes) -> None:
    """No body makes the parser raise."""
    details = errors.parse(respond(500, start + body))
    assert details.code


@pytest.mark.parametrize("start", [b'{"a":', b'{"a":[', b"<a>", b"["])
def test_a_body_of_any_depth_gives_details(start: bytes) -> None:
    """Nor does nesting without an end."""
    assert errors.parse(respond(500, start[:-1] + start[-1:] * 100_000)).code == "500"
    assert errors.parse(respond(500, start * 100_000)).code == "500"


@pytest.mark.parametrize("blanks", ["", "\n", " \r\n" * 1000])
@pytest.mark.parametrize("declaration", ["", "<?xml version='1.0'?>"])
def test_an_error_within_a_success_is_found(declaration: str, blanks: str) -> None:
    """S3 answers some operations with status 200, blanks while it is at work, and an error."""
    body = "<Error><Code>InternalError</Code><Message>m</Message></Error>"
    details = errors.embedded_in_success(respond(200, f"{declaration}{blanks}{body}"))
    assert details is not None
    assert details.code == "InternalError"


def test_a_success_that_is_no_error_is_left_alone() -> None:
    """Also when it tells errors of some of what was asked for, as DeleteObjects does."""
    part = "<DeleteResult><Error><Key>k</Key><Code>AccessDenied</Code></Error></DeleteResult>"
    assert errors.embedded_in_success(respond(200, part)) is None
    assert errors.embedded_in_success(respond(200, "<CopyObjectResult/>")) is None
    assert errors.embedded_in_success(respond(200, b"<Errors" * 3)) is None
    assert errors.embedded_in_success(respond(200, b"object bytes")) is None
