"""The raw clients against a server that records what arrives."""

from __future__ import annotations

import asyncio
import copy
import gc
import inspect
import pickle
import threading
import time
from contextlib import nullcontext
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from tornado import gen
from tornado.httpclient import AsyncHTTPClient, HTTPError, HTTPResponse
from tornado.httputil import HTTPHeaders
from tornado.ioloop import IOLoop

from tests.support.raw_fetch import EXPIRED, KEYS, MISSING, fetch
from tests.support.recording_server import Answer, RecordingServer
from tornado_aws import AsyncAWSClient, AWSClient, exceptions
from tornado_aws.credentials import Credentials
from tornado_aws.events import Observer
from tornado_aws.signing import SigV4
from tornado_aws.transport.fields import pairs_of


def test_connections_of_a_blocking_client_are_counted_from_any_thread(
    server: RecordingServer,
) -> None:
    """While calls run in other threads, and after the end, too."""
    client = AWSClient("dynamodb", endpoint=server.url, **KEYS)
    assert client.pool_stats() == (0, 0, 0, 0, 0)

    def work() -> None:
        for _ in range(5):
            client.fetch("POST")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        assert client.pool_stats().requests <= 20
        thread.join()
    stats = client.pool_stats()
    assert (stats.requests, stats.waiting, stats.open - stats.idle) == (20, 0, 0)
    client.close()
    assert client.pool_stats().open == 0


@pytest.mark.parametrize(
    ("service", "variable"),
    [
        ("dynamodb", "DYNAMODB"),
        ("logs", "CLOUDWATCH_LOGS"),
        ("monitoring", "CLOUDWATCH"),
        ("email", "SES"),
        ("streams.dynamodb", "DYNAMODB_STREAMS"),
    ],
)
def test_endpoints_are_configured_under_the_ids_of_services(
    server: RecordingServer, monkeypatch: pytest.MonkeyPatch, service: str, variable: str
) -> None:
    """The variable is the one that other SDKs read, whichever name the client was given."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv(f"AWS_ENDPOINT_URL_{variable}", server.url)
    with AWSClient(service, **KEYS) as client:
        assert client.fetch("GET").code == 200


def test_keys_that_a_program_replaces_in_its_environment_are_used(
    server: RecordingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once a service has rejected the old ones."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "OLDKEY")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush")
    with AWSClient("dynamodb", region="us-east-1", endpoint=server.url) as client:
        client.fetch("POST")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "NEWKEY")
        server.queue(EXPIRED)
        client.fetch("POST")
    signed = [str(request.header("Authorization")) for request in server.requests]
    found = [name for each in signed for name in ("OLDKEY", "NEWKEY") if f"={name}/" in each]
    assert found == ["OLDKEY", "OLDKEY", "NEWKEY"]


@pytest.mark.parametrize("make", [AsyncAWSClient, AWSClient])
def test_clients_are_not_pickled(make: Any) -> None:
    """Their keys would go with them; the error says what to do instead."""
    with make("dynamodb", **KEYS) if make is AWSClient else nullcontext(make("x", **KEYS)) as one:
        for attempt in (pickle.dumps, copy.deepcopy):
            with pytest.raises(TypeError, match="make another one"):
                attempt(one)


def test_the_signature_of_the_original_library_is_kept() -> None:
    """Names, order and defaults of the arguments are a contract."""
    asynchronous = inspect.signature(AsyncAWSClient.__init__).parameters
    names = [*list(asynchronous)[1:13]]
    assert names == [
        "service",
        "profile",
        "region",
        "access_key",
        "secret_key",
        "security_token",
        "endpoint",
        "max_clients",
        "use_curl",
        "io_loop",
        "force_instance",
        "options",
    ]
    assert [asynchronous[name].default for name in names[7:11]] == [100, False, None, True]
    blocking = list(inspect.signature(AWSClient.__init__).parameters)
    assert blocking[1:8] == names[:7]
    for cls in (AWSClient, AsyncAWSClient):
        fetching = inspect.signature(cls.fetch).parameters
        assert list(fetching)[1:7] == [
            "method",
            "path",
            "query_args",
            "headers",
            "body",
            "recursed",
        ]
        assert fetching["path"].default == "/"
        assert fetching["raise_error"].default is True
    assert issubclass(AsyncAWSClient, AWSClient)
    assert (AWSClient.ASYNC, AsyncAWSClient.ASYNC, AWSClient.SCHEME) == (False, True, "https")


def test_a_request_arrives_signed_and_the_response_is_tornados(server: RecordingServer) -> None:
    """The signature is right for what arrived; body, headers and code come back."""
    server.queue(Answer(200, b'{"a":1}', (("X-Twice", "1"), ("x-twice", "2"))))
    headers = {"X-Amz-Target": "DynamoDB_20120810.ListTables", "Content-Type": "text/x"}
    response = fetch(server, "post", "/p", {"q": "a b"}, headers, '{"é":1}')
    assert isinstance(response, HTTPResponse)
    assert (response.code, response.body, response.error) == (200, b'{"a":1}', None)
    assert response.headers.get_list("X-Twice") == ["1", "2"]
    assert response.effective_url == f"{server.url}/p?q=a%20b"
    (request,) = server.requests
    assert (request.method, request.target) == ("POST", "/p?q=a%20b")
    assert request.body == '{"é":1}'.encode()
    assert request.header("Content-Type") == "text/x"
    expected = SigV4("dynamodb", "us-east-1").authorize(
        Credentials("AKID", "SECRET"),
        "POST",
        request.header("Host") or "",
        "/p",
        "q=a%20b",
        list(headers.items()),
        request.body,
        datetime.strptime(request.header("X-Amz-Date") or "", "%Y%m%dT%H%M%S%z").timestamp(),
    )
    assert request.header("Authorization") == dict(pairs_of(expected))["Authorization"]


def test_query_arguments_and_headers_of_every_kind(server: RecordingServer) -> None:
    """Lists repeat, None has no value; headers may be HTTPHeaders or pairs and may repeat."""
    many = HTTPHeaders()
    many.add("X-Many", "1")
    many.add("X-Many", "2")
    fetch(server, "GET", "/?base=1", {"a": [1, True], "b": None}, many)
    fetch(server, "GET", "x y", headers=[("X-Many", "3")])
    first, second = server.requests
    assert first.target == "/?base=1&a=1&a=true&b"
    assert first.header("X-Many") == "1, 2"
    assert (second.target, second.header("X-Many")) == ("/x%20y", "3")


def test_arguments_of_wrong_types_are_refused_together_by_the_awaitable(
    server: RecordingServer,
) -> None:
    """Nothing is sent of what would only be a guess, and `fetch` itself raises nothing."""
    wrong: Any = ("GE T", None, {"a": {"b": 1}, 2: "c", "d": [b"x", object()]}, {"X": None, 5: "y"})

    async def main() -> exceptions.ParamValidationError:
        async with AsyncAWSClient("dynamodb", endpoint=server.url, **KEYS) as client:
            untyped: Any = client.fetch
            call = untyped(*wrong, body={"not": "encoded"})
            with pytest.raises(exceptions.ParamValidationError) as caught:
                await call
        return caught.value

    error = asyncio.run(main())
    assert error.faults == [
        "method: it should be a word such as GET",
        "path: it should be a text, not a NoneType",
        "query_args['a']: a dict is no text, number, bool, None or list",
        "query_args: a name should be a text, not a int",
        "query_args['d']: a list is no text, number, bool, None or list",
        "headers['X']: the value should be a text, not a NoneType",
        "headers: a name should be a text, not a int",
        "body: a dict is no text, bytes, file, path or iterable of bytes",
    ]
    assert server.requests == []


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (("GET", "/", "a=1"), "query_args: they should be a mapping of names to values, not a str"),
        (("GET", "/", None, "X: y"), "headers: a str is no pair of a name and a value"),
        (("GET", "/", {"a": "\ud800"}), "a text holds half a character, .*"),
    ],
)
def test_an_argument_of_a_wrong_type_is_named(
    server: RecordingServer, arguments: Any, fault: str
) -> None:
    """A text is neither a mapping nor pairs; half a character is no text that can be sent."""
    with pytest.raises(exceptions.ParamValidationError, match=fault):
        fetch(server, *arguments)
    assert server.requests == []


@pytest.mark.parametrize("service", [None, "", b"dynamodb"])
def test_what_is_no_name_of_a_service_is_refused_at_once(service: Any) -> None:
    """A mistake here must not wait for the first call."""
    with pytest.raises(exceptions.ConfigurationError, match="service = "):
        AWSClient(service, **KEYS)


def test_query_values_that_can_be_read_once_repeat_their_name(server: RecordingServer) -> None:
    """An iterable of any kind is a list of values."""
    fetch(server, "GET", "/", {"a": (each for each in "xy"), "b": {1: None}.keys(), "c": []})
    assert server.requests[0].target == "/?a=x&a=y&b=1"


def test_methods_with_and_without_a_body(server: RecordingServer) -> None:
    """A GET has no body, a DELETE may have one, a HEAD gives none back."""
    assert fetch(server, "GET", body=None).code == 200
    assert fetch(server, "DELETE", body=b"why not").code == 200
    assert fetch(server, "HEAD").body == b""
    assert [request.body for request in server.requests] == [b"", b"why not", b""]


def test_a_callers_host_is_signed_and_sent(server: RecordingServer) -> None:
    """Virtual-host style of S3 depends on it."""
    fetch(server, "GET", "/key", headers={"Host": "bucket.s3.amazonaws.com"})
    (request,) = server.requests
    assert request.header("Host") == "bucket.s3.amazonaws.com"


def test_an_endpoints_base_path_is_joined_and_signed(server: RecordingServer) -> None:
    """There is one slash between base and path, and no question mark without a query."""
    fetch(server, "GET", "/x", client={"endpoint": f"{server.url}/base/"})
    assert server.requests[0].target == "/base/x"


@pytest.mark.parametrize(
    "target", ["/a/../b", "/a//b", "/a/./b", "/%2e%2e/x", "/a%2Fb", "/?list-type=2&x"]
)
def test_the_path_on_the_wire_is_the_callers(server: RecordingServer, target: str) -> None:
    """Dot segments, double slashes and escapes stay."""
    fetch(server, "GET", target)
    assert server.requests[0].target == target


def test_a_service_error_has_its_attributes(server: RecordingServer) -> None:
    """Code, message, status, request id and the whole response are there."""
    server.queue(MISSING)
    with pytest.raises(exceptions.AWSError) as caught:
        fetch(server, "POST")
    error = caught.value
    assert (error.code, error.message) == ("ResourceNotFoundException", "no table")
    assert (error.status_code, error.request_id) == (400, "R1")
    assert error.response.code == 400


def test_what_is_no_aws_error_stays_tornados(server: RecordingServer) -> None:
    """An error page of something in between is an HTTPError with the response in it."""
    server.queue(Answer(404, b"<html>not here</html>"))
    with pytest.raises(HTTPError) as caught:
        fetch(server, "GET")
    assert caught.value.code == 404
    assert caught.value.response is not None


def test_an_empty_head_error_with_a_request_id_is_an_aws_error(server: RecordingServer) -> None:
    """S3 answers HEAD with a status alone."""
    server.queue(Answer(404, b"", (("x-amz-request-id", "R"),)))
    with pytest.raises(exceptions.AWSError) as caught:
        fetch(server, "HEAD", "/bucket/key")
    assert (caught.value.code, caught.value.status_code) == ("404", 404)


def test_raise_error_false_returns_the_response(server: RecordingServer) -> None:
    """The caller looks at the code himself."""
    server.queue(MISSING)
    assert fetch(server, "POST", raise_error=False).code == 400


def test_redirects_are_not_followed(server: RecordingServer) -> None:
    """A signature is made for one host."""
    server.queue(Answer(302, b"", (("Location", f"{server.url}/elsewhere"),)))
    assert fetch(server, "GET", raise_error=False).code == 302
    assert len(server.requests) == 1


def test_compressed_bodies_come_as_they_are(server: RecordingServer) -> None:
    """Nothing asks for compression, and nothing is decompressed behind the caller's back."""
    server.queue(Answer(200, b"\x1f\x8bnot gzip", (("Content-Encoding", "gzip"),)))
    response = fetch(server, "GET")
    assert response.body == b"\x1f\x8bnot gzip"
    assert server.requests[0].header("Accept-Encoding") is None


def test_a_date_or_signature_of_the_callers_is_replaced(server: RecordingServer) -> None:
    """Never two dates, never a signature that is not ours."""
    given = {"X-Amz-Date": "20200101T000000Z", "authorization": "mine", "X-Other": "1"}
    fetch(server, "GET", headers=given)
    (request,) = server.requests
    assert (request.header("X-Amz-Date") or "").startswith(time.strftime("%Y"))
    assert (request.header("Authorization") or "").startswith("AWS4-HMAC-SHA256 ")
    assert request.header("X-Other") == "1"


def test_a_header_is_sent_once_though_the_caller_has_it_too(server: RecordingServer) -> None:
    """The caller's own wins: two of a name would be signed as one, and not be what was signed."""
    given = {"AMZ-SDK-Request": "attempt=7", "amz-sdk-invocation-id": "mine", "user-agent": "me"}
    fetch(server, "GET", headers=given)
    names = [name.lower() for name, _ in server.requests[0].headers]
    assert len(names) == len(set(names))
    for name, value in given.items():
        assert server.requests[0].header(name) == value


def test_the_blocking_client_reads_a_changed_credentials_file_after_a_rejection(
    server: RecordingServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files that something else renews are read again, and the call repeated with their keys."""
    path = tmp_path / "credentials"
    text = "[default]\naws_access_key_id = AKID{}\naws_secret_access_key = SECRET\n"
    path.write_text(text.format(1))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(path))
    with AWSClient("dynamodb", region="us-east-1", endpoint=server.url) as client:
        assert client.fetch("POST").code == 200
        path.write_text(text.format(22))
        server.queue(EXPIRED)
        assert client.fetch("POST").code == 200
    keys = [(request.header("Authorization") or "").split("/")[0] for request in server.requests]
    assert [key.rpartition("=")[2] for key in keys] == ["AKID1", "AKID1", "AKID22"]


def test_what_a_caller_handles_is_not_logged_as_an_error(
    server: RecordingServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither a client that is made nor an expected error is news for whoever reads the log."""
    caplog.set_level("INFO")
    server.queue(MISSING)
    with pytest.raises(exceptions.AWSError):
        fetch(server, "POST")
    assert [each for each in caplog.records if each.name.startswith("tornado_aws")] == []


def test_explicit_keys_win_over_the_environment(
    server: RecordingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the environment's keys nor its session token are mixed in."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ENVKEY")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "ENVSECRET")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "ENVTOKEN")
    fetch(server, "GET")
    (request,) = server.requests
    assert "Credential=AKID/" in (request.header("Authorization") or "")
    assert request.header("X-Amz-Security-Token") is None


def test_the_environments_keys_are_used_without_explicit_ones(
    server: RecordingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keys, token and region all come from the environment."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ENVKEY")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "ENVSECRET")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "ENVTOKEN")
    monkeypatch.setenv("AWS_REGION", "eu-west-3")
    fetch(server, "GET", client={"access_key": None, "secret_key": None, "region": None})
    (request,) = server.requests
    assert "ENVKEY" in (request.header("Authorization") or "")
    assert "/eu-west-3/dynamodb/" in (request.header("Authorization") or "")
    assert request.header("X-Amz-Security-Token") == "ENVTOKEN"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"access_key": "A"}, "secret_key must be given"),
        ({"secret_key": "S"}, "access_key must be given"),
        ({"security_token": "T"}, "access_key and secret_key must be given"),
        ({"max_attempts": 0}, "max_attempts"),
        ({"verfy": True}, "did you mean verify"),
        ({"endpoint": "localhost:8000"}, "endpoint"),
        ({"region": "evil.com/#"}, "region"),
        ({"credential": None}, "did you mean credentials"),
        ({"config": object()}, r"is an option here \(read_timeout=, max_attempts=\)"),
        ({"credentials": ("A", "hidden")}, r"credentials = tuple\(\.\.\.\) \(from argument\)"),
        ({"access_key": "A", "secret_key": b"hidden"}, r"secret_key = bytes\(\.\.\.\)"),
        ({"mfa_code": "hidden"}, "mfa_code = .* allowed: a function"),
        ({"observers": [exceptions]}, "instances of tornado_aws.events.Observer"),
        ({"observers": iter([Observer()])}, "instances of tornado_aws.events.Observer"),
        ({"transport": "curl"}, "a Transport"),
        ({"max_response_size": "10"}, "a whole number of bytes"),
    ],
)
def test_impossible_options_are_refused_when_the_client_is_made(
    options: dict[str, Any], message: str
) -> None:
    """The error names the option before anything is sent, and no secret."""
    with pytest.raises(exceptions.AWSClientException, match=message) as caught:
        AsyncAWSClient("dynamodb", **options)
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_attemps": 1}, "did you mean max_attempts"),
        ({"region": "eu-west-1"}, "region cannot differ from call to call"),
        ({"observers": []}, "observers cannot differ from call to call"),
    ],
)
def test_a_view_refuses_what_does_not_exist_and_what_is_the_clients(
    options: dict[str, Any], message: str
) -> None:
    """The two are told apart."""
    with pytest.raises(exceptions.ConfigurationError, match=message):
        AsyncAWSClient("dynamodb").with_options(**options)


def test_paths_may_be_objects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of files and folders alike."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    (tmp_path / "credentials").write_text(
        "[default]\naws_access_key_id = FILE\naws_secret_access_key = S"
    )

    async def key() -> str:
        async with AsyncAWSClient(
            "dynamodb",
            config_file=tmp_path / "config",
            credentials_file=tmp_path / "credentials",
            role_cache=tmp_path,
        ) as client:
            return (await client.get_credentials()).access_key

    assert asyncio.run(key()) == "FILE"


def test_a_callers_content_type_is_his_and_a_post_has_one(server: RecordingServer) -> None:
    """Query services read a body only as a form."""
    fetch(server, "POST", body="Action=ListUsers")
    fetch(server, "PUT", body="bytes")
    post, put = server.requests
    assert (post.header("Content-Type") or "").startswith("application/x-www-form-urlencoded")
    assert put.header("Content-Type") is None


def test_a_yield_in_a_tornado_coroutine_and_add_future_work(server: RecordingServer) -> None:
    """The original documentation's way of calling."""

    class Example:
        def __init__(self) -> None:
            self.client = AsyncAWSClient("dynamodb", endpoint=server.url, **KEYS)
            self.codes: list[int] = []

        @gen.coroutine
        def run(self) -> Any:
            response = yield self.client.fetch("POST")
            self.codes.append(response.code)
            future = self.client.fetch("POST")
            IOLoop.current().add_future(future, lambda done: self.codes.append(done.result().code))
            yield future
            self.client.close()

    async def main() -> list[int]:
        example = Example()
        await example.run()
        await asyncio.sleep(0)
        return example.codes

    assert asyncio.run(main()) == [200, 200]


def test_a_client_configures_nothing_global(server: RecordingServer) -> None:
    """Tornado's own client stays what it was, with curl too."""
    before = AsyncHTTPClient.configurable_default(), AsyncHTTPClient._save_configuration()
    fetch(server, "GET", client={"use_curl": True})
    after = AsyncHTTPClient.configurable_default(), AsyncHTTPClient._save_configuration()
    assert after == before


def test_connections_are_kept(server: RecordingServer) -> None:
    """Twenty calls one after the other use one connection."""

    async def main() -> None:
        async with AsyncAWSClient("dynamodb", endpoint=server.url, **KEYS) as client:
            for _ in range(20):
                await client.fetch("POST")

    asyncio.run(main())
    assert server.connections == 1


def test_clients_share_a_pool_only_when_told(server: RecordingServer) -> None:
    """force_instance=False shares connections, and the last client closes them."""

    async def main() -> None:
        options = {**KEYS, "endpoint": server.url, "force_instance": False}
        first = AsyncAWSClient("dynamodb", **options)
        second = AsyncAWSClient("sqs", **options)
        await first.fetch("POST")
        await second.fetch("POST")
        first.close()
        with pytest.raises(exceptions.ClientClosedError):
            await first.fetch("POST")
        await second.fetch("POST")
        second.close()
        async with AsyncAWSClient("dynamodb", endpoint=server.url, **KEYS) as own:
            await own.fetch("POST")

    asyncio.run(main())
    assert server.connections == 2


def test_a_call_in_flight_when_the_client_closes_ends_with_our_error(
    server: RecordingServer,
) -> None:
    """Never with CancelledError, whether it waits for an answer or between attempts."""
    gate = threading.Event()
    server.queue(Answer(gate=gate))

    async def main() -> None:
        client = AsyncAWSClient("dynamodb", endpoint=server.url, **KEYS)
        waiting = client.fetch("POST")
        await server.arrived()
        client.close()
        with pytest.raises(exceptions.ClientClosedError):
            await waiting
        gate.set()

    asyncio.run(main())


def test_a_cancelled_call_is_cancelled_and_others_go_on(server: RecordingServer) -> None:
    """Cancelling one call leaves the client usable."""
    gate = threading.Event()
    server.queue(Answer(gate=gate))

    async def main() -> None:
        async with AsyncAWSClient("dynamodb", endpoint=server.url, max_clients=1, **KEYS) as client:
            waiting = client.fetch("POST")
            await server.arrived()
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            assert (await client.fetch("POST")).code == 200
            gate.set()

    asyncio.run(main())


def test_a_view_has_other_options_and_the_same_connections(server: RecordingServer) -> None:
    """Its timeouts are its own; closing it closes nothing."""
    gate = threading.Event()

    async def main() -> None:
        async with AsyncAWSClient("dynamodb", endpoint=server.url, **KEYS) as client:
            await client.fetch("POST")
            view = client.with_options(request_timeout=0.05, max_attempts=1)
            server.queue(Answer(gate=gate))
            with pytest.raises(exceptions.RequestTimeout):
                await view.fetch("POST")
            gate.set()
            view.close()
            await client.fetch("POST")
            with pytest.raises(exceptions.ConfigurationError, match="verify"):
                client.with_options(verify=False)  # type: ignore[call-arg]

    asyncio.run(main())


def test_get_credentials_gives_those_in_force(server: RecordingServer) -> None:
    """Their source is named, their secret is not shown."""

    async def main() -> Credentials:
        async with AsyncAWSClient("dynamodb", endpoint=server.url, **KEYS) as client:
            return await client.get_credentials()

    credentials = asyncio.run(main())
    assert (credentials.access_key, credentials.source) == ("AKID", "explicit")
    assert "SECRET" not in repr(credentials)
    with AWSClient("dynamodb", None, "us-east-1", "AKID", "SECRET") as client:
        assert client.get_credentials() == credentials


def test_the_blocking_client_works_from_many_threads_and_inside_a_loop(
    server: RecordingServer,
) -> None:
    """Each call gets its own response; no thread is left."""
    codes: list[int] = []
    with AWSClient("dynamodb", endpoint=server.url, **KEYS) as client:
        threads = [
            threading.Thread(target=lambda: codes.append(client.fetch("POST").code))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        async def inside() -> int:
            return client.fetch("POST").code

        codes.append(asyncio.run(inside()))
        server.queue(MISSING)
        with pytest.raises(exceptions.AWSError, match="no table"):
            client.fetch("POST")
    assert codes == [200] * 9
    assert not [thread for thread in threading.enumerate() if "tornado-aws" in thread.name]
    with pytest.raises(exceptions.ClientClosedError):
        client.fetch("POST")


def test_the_blocking_client_can_be_made_inside_a_running_loop(server: RecordingServer) -> None:
    """A notebook has a running loop."""

    async def main() -> int:
        with AWSClient("dynamodb", endpoint=server.url, **KEYS) as client:
            return client.fetch("GET").code

    assert asyncio.run(main()) == 200


def test_a_client_made_before_a_loop_serves_one_loop_after_the_other(
    server: RecordingServer,
) -> None:
    """Programs that call asyncio.run twice keep their client."""
    client = AsyncAWSClient("dynamodb", endpoint=server.url, **KEYS)

    async def main() -> int:
        return (await client.fetch("POST")).code

    assert [asyncio.run(main()), asyncio.run(main())] == [200, 200]
    client.close()


def test_no_secret_is_in_the_repr_or_the_errors_of_a_client(server: RecordingServer) -> None:
    """Neither key nor token can be read off the object."""
    client = AsyncAWSClient("dynamodb", security_token="TOKEN", endpoint=server.url, **KEYS)
    assert "SECRET" not in repr(client)
    assert "TOKEN" not in repr(client)
    client.close()


def test_a_client_that_was_never_used_leaves_nothing() -> None:
    """Making and dropping a client opens no socket and starts no thread."""
    before = set(threading.enumerate())
    for _ in range(3):
        AWSClient("dynamodb", **KEYS)
        AsyncAWSClient("dynamodb", **KEYS)
    gc.collect()
    assert set(threading.enumerate()) <= before


def test_a_refused_connection_is_a_request_exception_and_never_stays_pending() -> None:
    """The cause is kept; the awaitable always ends."""

    async def main() -> None:
        async with AsyncAWSClient(
            "dynamodb", endpoint="http://127.0.0.1:1", max_attempts=1, **KEYS
        ) as client:
            with pytest.raises(exceptions.ConnectError) as caught:
                await client.fetch("POST")
            assert caught.value.sent is False
            assert "127.0.0.1" in str(caught.value)

    asyncio.run(main())
