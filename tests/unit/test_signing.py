"""Signing requests and URLs: what is sent, what is respected, what is refused and kept."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from unittest import mock
from urllib.parse import parse_qsl, urlsplit

import pytest
from tornado.httputil import HTTPHeaders

from tornado_aws.credentials import Credentials
from tornado_aws.exceptions import AWSClientException, ParamValidationError
from tornado_aws.signing import EMPTY_HASH, SigV4, signature, signing_key
from tornado_aws.transport.fields import pairs_of

KEYS = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
TEMPORARY = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "t0ken+/==")
URL = "https://example.amazonaws.com/"
TIME = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
VANILLA = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"


@pytest.fixture
def signer() -> SigV4:
    """Return the signer of the published examples."""
    return SigV4("service", "us-east-1")


@pytest.fixture
def s3() -> SigV4:
    """Return a signer with S3's rules."""
    return SigV4(
        "s3", "us-east-1", double_encode=False, normalize_path=False, sign_payload_header=True
    )


def signed_names(sent: dict[str, str]) -> str:
    """Return the value of ``SignedHeaders``."""
    return sent["Authorization"].split("SignedHeaders=")[1].split(",")[0]


def test_what_is_added(signer: SigV4) -> None:
    """The caller's headers come back, with host, date and authorization added."""
    sent = signer.sign(KEYS, "POST", URL, {"X-A": "1", "User-Agent": "me"}, b"{}", TIME)
    assert list(sent) == ["X-A", "User-Agent", "Host", "X-Amz-Date", "Authorization"]
    assert sent["Host"] == "example.amazonaws.com"
    assert sent["X-Amz-Date"] == "20150830T123600Z"
    assert signed_names(sent) == "host;x-a;x-amz-date"


@pytest.mark.parametrize(
    "headers",
    [
        {"X-A": "1", "X-B": "2"},
        [("X-A", "1"), ("X-B", "2")],
        (("X-B", "2"), ("X-A", "1")),
        iter([("X-A", "1"), ("X-B", "2")]),
        [["X-A", "1"], ["X-B", "2"]],
        HTTPHeaders({"X-A": "1", "X-B": "2"}),
    ],
)
def test_headers_in_any_form(signer: SigV4, headers: Any) -> None:
    """A mapping, pairs and Tornado's headers give the same signature."""
    sent = signer.sign(KEYS, "GET", URL, headers, None, TIME)
    plain = signer.sign(KEYS, "GET", URL, {"x-a": "1", "x-b": "2"}, None, TIME)
    assert sent["Authorization"] == plain["Authorization"]


def test_no_headers(signer: SigV4) -> None:
    """Headers may be None."""
    assert signer.sign(KEYS, "GET", URL, None, None, TIME)["Authorization"].endswith(VANILLA)


@pytest.mark.parametrize("name", ["x-a", "X-A"])
def test_repeated_headers_become_one_line(signer: SigV4, name: str) -> None:
    """A name given twice, in whatever case, is sent once with both values, as it is signed."""
    sent = signer.sign(KEYS, "GET", URL, [("x-a", " 1"), (name, "2 ")], None, TIME)
    joined = signer.sign(KEYS, "GET", URL, {"x-a": "1,2"}, None, TIME)
    assert sent == joined


def test_folded_header_is_sent_on_one_line(signer: SigV4) -> None:
    """What is sent cannot hold the line feed that the caller's value held."""
    sent = signer.sign(KEYS, "GET", URL, {"X-A": "1\r\n  2"}, None, TIME)
    assert sent["X-A"] == "1 2"


@pytest.mark.parametrize("name", ["Host", "host", "HOST"])
def test_own_host_is_respected(signer: SigV4, name: str) -> None:
    """A caller's Host is signed and sent instead of the URL's."""
    sent = signer.sign(KEYS, "GET", URL, {name: "bucket.example.com"}, None, TIME)
    as_url = signer.sign(KEYS, "GET", "https://bucket.example.com/", {}, None, TIME)
    assert sent[name] == "bucket.example.com"
    assert [key.lower() for key in sent].count("host") == 1
    assert sent["Authorization"] == as_url["Authorization"]


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://Example.COM:443/", "example.com"),
        ("http://example.com:80/", "example.com"),
        ("https://example.com:80/", "example.com:80"),
        ("http://example.com:8000", "example.com:8000"),
        ("https://user:pass@example.com/", "example.com"),
        ("https://[::1]:443/", "[::1]"),
        ("https://[2001:DB8::1]:8443/", "[2001:db8::1]:8443"),
        ("HTTPS://example.com?a", "example.com"),
    ],
)
def test_host_of_url(signer: SigV4, url: str, host: str) -> None:
    """The host is in lower case, without default port and user information."""
    assert signer.sign(KEYS, "GET", url, {}, None, TIME)["Host"] == host


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/path",
        "example.com/",
        "ftp://example.com/",
        "https:///path",
        "https://exa mple.com/",
        "https://exämple.com/",
        "https://a\\b/",
        "https://example.com/a\r\nX-Evil: 1",
        "https://example.com/\0",
        "https://evil.com#@example.com\n/",
        "https://[::1/",
        "https://example.com:port/",
    ],
)
def test_bad_urls_are_refused(signer: SigV4, url: str) -> None:
    """A URL without scheme and valid host, or with control characters, is an error."""
    with pytest.raises(ParamValidationError, match=r"The (URL|host) "):
        signer.sign(KEYS, "GET", url, {}, None, TIME)


def test_bad_url_shows_no_secrets(signer: SigV4) -> None:
    """The error for a URL keeps user information and query to itself."""
    with pytest.raises(ParamValidationError) as caught:
        signer.sign(KEYS, "GET", "ftp://user:hunter2@example.com/?key=hunter3", {}, None, TIME)
    assert "hunter" not in str(caught.value)


@pytest.mark.parametrize("name", ["X-Amz-Date", "x-amz-date", "Date", "DATE", "Authorization"])
def test_never_two_dates_or_signatures(signer: SigV4, name: str) -> None:
    """A date or authorization of the caller's is replaced by the signature's own."""
    sent = signer.sign(KEYS, "GET", URL, {name: "20010101T000000Z"}, None, TIME)
    assert sent == signer.sign(KEYS, "GET", URL, {}, None, TIME)


def test_date_of_the_same_second_stays(signer: SigV4) -> None:
    """A Date that says the same as X-Amz-Date is sent and signed, as in S3's examples."""
    date = "Sun, 30 Aug 2015 12:36:00 GMT"
    sent = signer.sign(KEYS, "GET", URL, {"Date": date}, None, TIME)
    assert sent["Date"] == date
    assert signed_names(sent) == "date;host;x-amz-date"


def test_signing_again_replaces_everything(signer: SigV4) -> None:
    """Headers that were signed before can be signed again, by other credentials and later."""
    first = signer.sign(TEMPORARY, "GET", URL, {"X-A": "1"}, None, TIME)
    later = TIME + timedelta(hours=1)
    other = Credentials("AKIDOTHER", "other", "new token")
    again = signer.sign(other, "GET", URL, first, None, later)
    assert again == signer.sign(other, "GET", URL, {"X-A": "1"}, None, later)


def test_session_token(signer: SigV4) -> None:
    """The session token is sent and signed; a stale one of the caller's is replaced."""
    sent = signer.sign(TEMPORARY, "GET", URL, {"x-amz-security-token": "stale"}, None, TIME)
    assert sent["X-Amz-Security-Token"] == "t0ken+/=="
    assert "x-amz-security-token" not in sent
    assert signed_names(sent) == "host;x-amz-date;x-amz-security-token"


def test_own_session_token_stays_without_one(signer: SigV4) -> None:
    """A token given as a header is signed when the credentials have none."""
    sent = signer.sign(KEYS, "GET", URL, {"X-Amz-Security-Token": "own"}, None, TIME)
    assert sent["X-Amz-Security-Token"] == "own"
    assert "x-amz-security-token" in signed_names(sent)


def test_token_header_of_another_name() -> None:
    """S3 Express carries its token in a header and query parameter of its own."""
    signer = SigV4("s3express", "us-east-1", token_header="X-Amz-S3session-Token")
    sent = signer.sign(TEMPORARY, "GET", URL, {}, None, TIME)
    assert sent["X-Amz-S3session-Token"] == "t0ken+/=="
    assert "X-Amz-Security-Token" not in sent
    assert "X-Amz-S3session-Token=t0ken%2B%2F%3D%3D" in signer.presign(TEMPORARY, "GET", URL)


@pytest.mark.parametrize("body", [None, b"", ""])
def test_payload_header(s3: SigV4, body: bytes | str | None) -> None:
    """S3 gets the payload's hash as a header, signed like the others."""
    sent = s3.sign(KEYS, "GET", URL, {}, body, TIME)
    assert sent["X-Amz-Content-SHA256"] == EMPTY_HASH
    assert signed_names(sent) == "host;x-amz-content-sha256;x-amz-date"


@pytest.mark.parametrize("name", ["X-Amz-Content-SHA256", "x-amz-content-sha256"])
def test_own_payload_hash(signer: SigV4, s3: SigV4, name: str) -> None:
    """A caller's hash, or the word that stands for one, is signed instead of the body's."""
    for each in (signer, s3):
        one = each.sign(KEYS, "PUT", URL, {name: "UNSIGNED-PAYLOAD"}, b"one", TIME)
        two = each.sign(KEYS, "PUT", URL, {name: "UNSIGNED-PAYLOAD"}, b"two", TIME)
        assert one == two
        assert one[name] == "UNSIGNED-PAYLOAD"
        assert [key.lower() for key in one].count("x-amz-content-sha256") == 1


def test_text_body_is_utf8(signer: SigV4) -> None:
    """A body given as text is signed as its UTF-8 bytes."""
    assert signer.sign(KEYS, "POST", URL, {}, "ü", TIME) == signer.sign(
        KEYS, "POST", URL, {}, "ü".encode(), TIME
    )


def test_every_body_counts(signer: SigV4) -> None:
    """Two bodies in the same second, all else equal, have two signatures."""
    one = signer.sign(KEYS, "POST", URL, {}, b"1", TIME)
    two = signer.sign(KEYS, "POST", URL, {}, b"2", TIME)
    assert one["Authorization"] != two["Authorization"]


def test_method_in_upper_case(signer: SigV4) -> None:
    """The method is signed in upper case, as it is sent."""
    assert signer.sign(KEYS, "get", URL, {}, None, TIME)["Authorization"].endswith(VANILLA)


@pytest.mark.parametrize("method", ["", "GET /\n", "GE T", "GET\r\n"])
def test_bad_methods_are_refused(signer: SigV4, method: str) -> None:
    """A method that is no token is an error."""
    with pytest.raises(ParamValidationError):
        signer.sign(KEYS, method, URL, {}, None, TIME)


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "a\rb", "a\0b"])
def test_header_injection_is_refused(signer: SigV4, value: str) -> None:
    """A value that would add a line to the request is refused by all three ways to sign."""
    with pytest.raises(AWSClientException, match="control character"):
        signer.sign(KEYS, "GET", URL, {"X-A": value}, None, TIME)
    with pytest.raises(AWSClientException, match="control character"):
        signer.presign(KEYS, "GET", URL, {"X-A": value})
    with pytest.raises(AWSClientException, match="control character"):
        signer.authorize(KEYS, "GET", "h", "/", "", [("X-A", value)], None, 0.0)


@pytest.mark.parametrize("value", [3, None, b"bytes", ["list"], {"a": 1}])
def test_values_must_be_text(signer: SigV4, value: Any) -> None:
    """A header value that is not text is an error that names the header."""
    with pytest.raises(ParamValidationError, match="X-A"):
        signer.sign(KEYS, "GET", URL, {"X-A": value}, None, TIME)
    with pytest.raises(ParamValidationError, match="X-A"):
        signer.authorize(KEYS, "GET", "h", "/", "", [("X-A", value)], None, 0.0)


@pytest.mark.parametrize("token", ["a\r\nX-Evil: 1", "a\nb"])
def test_token_injection_is_refused(signer: SigV4, token: str) -> None:
    """A session token that would add a line is refused and not shown."""
    with pytest.raises(ParamValidationError) as caught:
        signer.sign(Credentials("AKID", "secret", token), "GET", URL, {}, None, TIME)
    assert "Evil" not in str(caught.value)


@pytest.mark.parametrize("access_key", ["", "AK\nID", "AK ID", "AKID/x", "AKID,x"])
def test_bad_access_keys_are_refused(signer: SigV4, access_key: str) -> None:
    """An access key that would change the Authorization header's form is an error."""
    with pytest.raises(ParamValidationError, match="access key"):
        signer.sign(Credentials(access_key, "secret"), "GET", URL, {}, None, TIME)


@pytest.mark.parametrize("name", ["", "us east", "a/b", "a\n", "a,b", "ü"])
def test_bad_scopes_are_refused(name: str) -> None:
    """A region or service that cannot stand in a scope is an error."""
    with pytest.raises(ParamValidationError, match="region"):
        SigV4("s3", name)
    with pytest.raises(ParamValidationError, match="service"):
        SigV4(name, "us-east-1")


@pytest.mark.parametrize(
    "when",
    [
        TIME,
        TIME.replace(tzinfo=None),
        TIME.astimezone(timezone(timedelta(hours=-7))),
        TIME + timedelta(microseconds=999_999),
        TIME.timestamp(),
        int(TIME.timestamp()),
    ],
)
def test_time_in_any_form(signer: SigV4, when: datetime | float) -> None:
    """Aware, naive (UTC) and counted times of one second give one signature."""
    assert signer.sign(KEYS, "GET", URL, {}, None, when)["Authorization"].endswith(VANILLA)


def test_clock_is_read_without_a_time(signer: SigV4) -> None:
    """Without a time the request is signed for now."""
    with mock.patch("tornado_aws.signing.time.time", return_value=TIME.timestamp() + 0.7):
        assert signer.sign(KEYS, "GET", URL, {}, None)["Authorization"].endswith(VANILLA)
        assert "X-Amz-Date=20150830T123600Z" in signer.presign(KEYS, "GET", URL)


def test_time_may_jump(signer: SigV4) -> None:
    """What is kept for one second, day or key is never used for another."""
    moments = [TIME, TIME + timedelta(days=1), TIME, TIME - timedelta(seconds=1), TIME]
    sent = [signer.sign(KEYS, "GET", URL, {}, None, when) for when in moments]
    fresh = [SigV4("service", "us-east-1").sign(KEYS, "GET", URL, {}, None, w) for w in moments]
    assert sent == fresh


def test_credentials_may_change(signer: SigV4) -> None:
    """What is kept for one pair of keys is never used for another."""
    other = Credentials("AKIDEXAMPLE", "another secret")
    for keys in (KEYS, other, TEMPORARY, KEYS):
        fresh = SigV4("service", "us-east-1").sign(keys, "GET", URL, {}, None, TIME)
        assert signer.sign(keys, "GET", URL, {}, None, TIME) == fresh


def test_what_is_kept_is_bounded(signer: SigV4) -> None:
    """Many keys and many different requests do not make a signer grow."""
    for number in range(600):
        keys = Credentials("AKID", f"secret {number}")
        signer.sign(keys, "GET", URL, {}, None, TIME)
    for number in range(600):
        signer.sign(KEYS, "GET", f"{URL}{number}", {}, None, TIME)
    assert len(signer._keys) <= SigV4._MOST_KEYS
    assert len(signer._moment.heads) <= SigV4._MOST_HEADS


def test_result_belongs_to_the_caller(signer: SigV4) -> None:
    """Changing what came back changes nothing for the next request."""
    signer.sign(KEYS, "GET", URL, {}, None, TIME).clear()
    assert signer.sign(KEYS, "GET", URL, {}, None, TIME)["Authorization"].endswith(VANILLA)


def test_threads_share_a_signer(signer: SigV4) -> None:
    """Threads that sign with other keys and times at once do not disturb each other."""
    wrong: list[object] = []

    def work(number: int) -> None:
        keys = Credentials("AKID", f"secret {number}")
        for second in range(300):
            when = TIME + timedelta(seconds=second)
            sent = signer.sign(keys, "GET", URL, {}, None, when)
            fresh = SigV4("service", "us-east-1").sign(keys, "GET", URL, {}, None, when)
            if sent != fresh:
                wrong.append((number, second))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_no_secret_in_repr(signer: SigV4) -> None:
    """A signer that signed shows neither secret, nor token, nor key."""
    signer.sign(TEMPORARY, "GET", URL, {"X-A": "private"}, None, TIME)
    shown = f"{signer!r} {signer._moment!r} {next(iter(signer._moment.heads.values()))!r}"
    assert "SigV4 service us-east-1" in shown
    for secret in (TEMPORARY.secret_key, "t0ken", "private", "Signature"):
        assert secret not in shown


def test_authorize_returns_the_lines_to_send(s3: SigV4) -> None:
    """They say what the other way to sign says, each once."""
    sent = s3.authorize(
        TEMPORARY, "PUT", "b.s3.amazonaws.com", "/k", "", [("X-A", "1")], b"x", TIME.timestamp()
    )
    whole = s3.sign(TEMPORARY, "PUT", "https://b.s3.amazonaws.com/k", {"X-A": "1"}, b"x", TIME)
    assert dict(pairs_of(sent)) == whole
    assert len(pairs_of(sent)) == len(whole)
    assert sent[1] == {name.lower() for name in whole}


def test_authorize_takes_a_ready_payload(s3: SigV4) -> None:
    """Text as payload stands for the hash itself."""
    sent = s3.authorize(KEYS, "PUT", "h", "/k", "", [], "UNSIGNED-PAYLOAD", 0.0)
    assert ("X-Amz-Content-SHA256", "UNSIGNED-PAYLOAD") in pairs_of(sent)


def test_authorize_signs_repeated_headers(signer: SigV4) -> None:
    """Headers sent on two lines are signed as the service joins them."""
    two = signer.authorize(KEYS, "GET", "h", "/", "", [("x-a", "1"), ("X-A", "2")], None, 0.0)
    one = signer.authorize(KEYS, "GET", "h", "/", "", [("x-a", "1,2")], None, 0.0)
    assert dict(pairs_of(two))["Authorization"] == dict(pairs_of(one))["Authorization"]


@pytest.mark.parametrize(
    "name", ["x-amz-date", "X-Amz-Date", "authorization", "x-amz-security-token"]
)
def test_authorize_refuses_its_own_headers(signer: SigV4, name: str) -> None:
    """A request would carry two of these, so they are refused by name."""
    with pytest.raises(ParamValidationError, match=name):
        signer.authorize(TEMPORARY, "GET", "h", "/", "", [(name, "x")], None, 0.0)


def test_authorize_signs_a_host_of_the_callers_own(signer: SigV4) -> None:
    """It is sent in place of the other one, and it is what is signed."""
    own = signer.authorize(KEYS, "GET", "h", "/", "", [("a", "b"), ("host", "own")], None, 0.0)
    assert own == signer.authorize(KEYS, "GET", "own", "/", "", [("a", "b")], None, 0.0)
    assert pairs_of(own)[0] == ("Host", "own")


@pytest.mark.parametrize("expires", [0, -1, 604801, 10**9])
def test_expires_is_checked(signer: SigV4, expires: int) -> None:
    """A presigned URL is valid for a second to a week."""
    with pytest.raises(ParamValidationError, match="expires"):
        signer.presign(KEYS, "GET", URL, expires=expires)


@pytest.mark.parametrize(
    ("service", "payload"),
    [
        ("s3", "UNSIGNED-PAYLOAD"),
        ("s3express", "UNSIGNED-PAYLOAD"),
        ("s3-outposts", "UNSIGNED-PAYLOAD"),
        ("s3-object-lambda", "UNSIGNED-PAYLOAD"),
        ("sts", EMPTY_HASH),
    ],
)
def test_payload_of_presigned_urls(service: str, payload: str) -> None:
    """S3 leaves the payload open, other services take presigned requests without a body."""
    signer = SigV4(service, "us-east-1")
    default = signer.presign(KEYS, "GET", URL, timestamp=TIME)
    assert default == signer.presign(KEYS, "GET", URL, timestamp=TIME, payload_hash=payload)
    assert default != signer.presign(KEYS, "GET", URL, timestamp=TIME, payload_hash="0" * 64)


def test_presigned_url(s3: SigV4) -> None:
    """Query, path and token stand escaped in the URL, the signature last, the host as given."""
    url = s3.presign(
        TEMPORARY,
        "put",
        "https://user@Bucket.example.com:443/a b/ü+%2F?x=1 2&acl&y=a+b&x=0#top",
        {"X-Amz-Acl": "private"},
        expires=60,
        timestamp=TIME,
    )
    base, _, query = url.partition("?")
    assert base == "https://Bucket.example.com:443/a%20b/%C3%BC+%2F"
    assert query.startswith("x=1%202&acl=&y=a%20b&x=0&X-Amz-Algorithm=AWS4-HMAC-SHA256&")
    pairs = parse_qsl(query, keep_blank_values=True)
    assert dict(pairs)["X-Amz-Security-Token"] == "t0ken+/=="
    assert dict(pairs)["X-Amz-SignedHeaders"] == "host;x-amz-acl"
    assert dict(pairs)["X-Amz-Expires"] == "60"
    assert pairs[-1][0] == "X-Amz-Signature"
    assert urlsplit(url).fragment == ""


def test_presigning_again_replaces_the_signature(s3: SigV4) -> None:
    """A URL that was presigned before can be presigned again."""
    once = s3.presign(TEMPORARY, "GET", f"{URL}k?x=1", timestamp=TIME)
    assert s3.presign(TEMPORARY, "GET", once, timestamp=TIME) == once
    lasting = s3.presign(KEYS, "GET", once, timestamp=TIME)
    assert lasting == s3.presign(KEYS, "GET", f"{URL}k?x=1", timestamp=TIME)


def test_presigned_url_repeats_in_the_same_second(s3: SigV4) -> None:
    """Signing requests in between changes nothing."""
    once = s3.presign(KEYS, "GET", URL, timestamp=TIME)
    s3.sign(TEMPORARY, "GET", URL, {}, None, TIME + timedelta(days=2))
    assert s3.presign(KEYS, "GET", URL, timestamp=TIME) == once


def test_explain_shows_what_was_signed(signer: SigV4) -> None:
    """The canonical request can be shown afterwards, the session token masked."""
    headers = {"X-A": " 1  2", "User-Agent": "me"}
    sent = signer.sign(TEMPORARY, "post", f"{URL}a/../b?z&y=1", headers, b"{}", TIME)
    assert signer.explain("post", f"{URL}a/../b?z&y=1", sent, b"{}") == (
        "POST\n/b\ny=1&z=\nhost:example.amazonaws.com\nx-a:1 2\nx-amz-date:20150830T123600Z\n"
        "x-amz-security-token:***\n\nhost;x-a;x-amz-date;x-amz-security-token\n"
        "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    )


def test_explain_with_a_payload_header(s3: SigV4) -> None:
    """The payload's header is shown as the payload that was signed."""
    sent = s3.sign(KEYS, "PUT", URL, {"x-amz-content-sha256": "UNSIGNED-PAYLOAD"}, b"x", TIME)
    assert s3.explain("PUT", URL, sent, b"x").endswith("\nUNSIGNED-PAYLOAD")


def test_signature_is_hmac_of_a_derived_key() -> None:
    """The last step is HMAC-SHA256 in hexadecimal."""
    key = signing_key("secret", "20150830", "us-east-1", "iam")
    assert len(key) == 32
    assert len(signature(key, "text")) == 64
