"""What is peculiar to S3, through its generated client: addresses, regions, errors in successes."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from hashlib import md5
from typing import Any

import pytest

from generated.s3 import S3
from tests.support.written_transport import WrittenTransport, header
from tornado_aws import exceptions
from tornado_aws.transport import Response

OK = Response(200, "OK", [])
KEYS = {"access_key": "AKID", "secret_key": "SECRET"}
ELSEWHERE = [("x-amz-bucket-region", "eu-west-1")]
MOVED = Response(301, "Moved", ELSEWHERE, b"<Error><Code>PermanentRedirect</Code></Error>")
SILENT = Response(301, "Moved", [], b"<Error><Code>PermanentRedirect</Code></Error>")
FAILED_MIDWAY = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n\n<Error><Code>InternalError</Code>'
    b"<Message>We encountered an internal error.</Message><RequestId>R</RequestId></Error>"
)
COPIED = b"<CopyObjectResult><ETag>&quot;e&quot;</ETag></CopyObjectResult>"


def calls(
    test: Callable[[S3], Awaitable[Any]], *responses: Response, **options: Any
) -> WrittenTransport:
    """Run a test with a client that is answered with these responses; return what was sent."""
    transport = WrittenTransport(*responses)

    async def main() -> None:
        made = {"region": "us-west-2", "transport": transport, **KEYS, **options}
        async with S3(**made) as s3:
            await test(s3)

    asyncio.run(main())
    return transport


# --- addresses ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "params", "url"),
    [
        ({}, {"Bucket": "b-1"}, "https://b-1.s3.us-west-2.amazonaws.com/k"),
        ({}, {"Bucket": "b_1"}, "https://s3.us-west-2.amazonaws.com/b_1/k"),
        ({}, {"Bucket": "b.1"}, "https://s3.us-west-2.amazonaws.com/b.1/k"),
        (
            {"s3_addressing_style": "path"},
            {"Bucket": "b-1"},
            "https://s3.us-west-2.amazonaws.com/b-1/k",
        ),
        ({"endpoint": "http://10.0.0.1:9000"}, {"Bucket": "b-1"}, "http://10.0.0.1/b-1/k"),
        ({"endpoint": "http://h/base"}, {"Bucket": "b-1"}, "http://h/base/b-1/k"),
        (
            {"s3_use_accelerate_endpoint": True},
            {"Bucket": "b-1"},
            "https://b-1.s3-accelerate.amazonaws.com/k",
        ),
        (
            {},
            {"Bucket": "b-1", "Key": "a//b/../c d+é%"},
            "https://b-1.s3.us-west-2.amazonaws.com/a//b/../c%20d%2B%C3%A9%25",
        ),
        (
            {"s3_addressing_style": "path"},
            {"Bucket": "arn:aws:s3:us-east-2:123456789012:accesspoint:ap"},
            "https://ap-123456789012.s3-accesspoint.us-east-2.amazonaws.com/k",
        ),
    ],
)
def test_buckets_are_in_the_host_where_they_can_be(
    options: dict[str, Any], params: dict[str, Any], url: str
) -> None:
    """The bucket is in the URL once, and the key as it is."""
    sent = calls(lambda s3: s3.delete_object(**{"Key": "k", **params}), OK, **options)
    assert sent.urls == [url]


def test_a_bucket_alone_is_a_path_without_a_slash_at_its_end() -> None:
    """In a path the bucket is all of it; in a host there is a slash."""

    async def main(s3: S3) -> None:
        await s3.list_objects_v2(Bucket="b-1", Prefix="p")
        await s3.get_bucket_location(Bucket="b-1")
        await s3.list_buckets()

    sent = calls(main, OK, OK, OK)
    assert sent.urls == [
        "https://b-1.s3.us-west-2.amazonaws.com/?list-type=2&encoding-type=url&prefix=p",
        "https://s3.us-west-2.amazonaws.com/b-1?location",
        "https://s3.us-west-2.amazonaws.com/",
    ]


@pytest.mark.parametrize("bucket", ["", "a/b", "..", "b@evil.com", "evil.com#", "a b", "b\r\nx: y"])
def test_a_name_that_is_no_buckets_moves_nothing(bucket: str) -> None:
    """It is refused, or it is in the path of S3's own host."""

    async def main(s3: S3) -> None:
        if bucket == "..":
            await s3.delete_object(Bucket=bucket, Key="k")
        else:
            with pytest.raises(exceptions.ParamValidationError, match="Bucket"):
                await s3.delete_object(Bucket=bucket, Key="k")

    sent = calls(main, OK)
    assert {each.origin.host for each in sent.requests} <= {"s3.us-west-2.amazonaws.com"}


# --- regions --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "response",
    [
        MOVED,
        Response(307, "Moved", ELSEWHERE),
        Response(
            400,
            "Bad",
            [],
            b"<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-1</Region></Error>",
        ),
    ],
)
def test_a_bucket_elsewhere_is_found_and_remembered(response: Response) -> None:
    """The call is signed for the bucket's region and sent there, the next one at once."""

    async def main(s3: S3) -> None:
        await s3.put_object(Bucket="b-1", Key="k", Body=b"data")
        await s3.with_options(read_timeout=7).delete_object(Bucket="b-1", Key="k")
        await s3.delete_object(Bucket="b-2", Key="k")

    sent = calls(main, response, OK, OK, OK)
    assert [url.split("?")[0] for url in sent.urls] == [
        "https://b-1.s3.us-west-2.amazonaws.com/k",
        "https://b-1.s3.eu-west-1.amazonaws.com/k",
        "https://b-1.s3.eu-west-1.amazonaws.com/k",
        "https://b-2.s3.us-west-2.amazonaws.com/k",
    ]
    assert sent.regions == ["us-west-2", "eu-west-1", "eu-west-1", "us-west-2"]
    assert [each.body for each in sent.requests[:2]] == [b"data", b"data"]


def test_a_silent_redirect_is_asked_about() -> None:
    """HEAD of the bucket tells its region, with whatever status."""
    sent = calls(
        lambda s3: s3.delete_object(Bucket="b-1", Key="k"),
        SILENT,
        Response(403, "Forbidden", ELSEWHERE),
        OK,
    )
    assert [each.method for each in sent.requests] == ["DELETE", "HEAD", "DELETE"]
    assert sent.regions == ["us-west-2", "us-west-2", "eu-west-1"]


def test_what_stays_silent_is_the_error_it_was() -> None:
    """Nothing goes round in circles."""

    async def main(s3: S3) -> None:
        with pytest.raises(exceptions.AWSError) as caught:
            await s3.delete_object(Bucket="b-1", Key="k")
        assert caught.value.code == "PermanentRedirect"
        with pytest.raises(exceptions.AWSError):
            await s3.head_bucket(Bucket="b-1")

    assert len(calls(main, SILENT, SILENT, SILENT).requests) == 3


def test_a_bucket_that_moves_again_and_again_is_given_up() -> None:
    """A call is redirected once."""

    async def main(s3: S3) -> None:
        with pytest.raises(exceptions.AWSError, match="PermanentRedirect"):
            await s3.delete_object(Bucket="b-1", Key="k")

    assert len(calls(main, MOVED, MOVED).requests) == 2


def test_an_answer_cannot_choose_the_host() -> None:
    """A region that is none is not followed."""
    evil = Response(301, "Moved", [("x-amz-bucket-region", "evil.com/#")], b"")

    async def main(s3: S3) -> None:
        with pytest.raises(exceptions.AWSError):
            await s3.delete_object(Bucket="b-1", Key="k")

    assert len(calls(main, evil).requests) == 1


def test_an_endpoint_of_ones_own_is_kept_when_the_region_changes() -> None:
    """Only what is signed for differs then."""
    sent = calls(
        lambda s3: s3.delete_object(Bucket="b-1", Key="k"), MOVED, OK, endpoint="http://minio:9000"
    )
    assert {each.origin.host for each in sent.requests} == {"minio"}
    assert sent.regions == ["us-west-2", "eu-west-1"]


@pytest.mark.parametrize("answers", [[MOVED], [SILENT, Response(403, "Forbidden", ELSEWHERE)]])
def test_what_can_be_read_once_is_not_sent_twice(answers: list[Response]) -> None:
    """The error is raised, and the next call knows the region."""

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(64):
            yield bytes(65536)

    async def main(s3: S3) -> None:
        with pytest.raises(exceptions.AWSError, match="PermanentRedirect"):
            await s3.put_object(Bucket="b-1", Key="k", Body=pieces(), ContentLength=64 * 65536)
        await s3.put_object(Bucket="b-1", Key="k", Body=pieces(), ContentLength=64 * 65536)

    sent = calls(main, *answers, OK)
    assert [each.method for each in sent.requests if each.method != "HEAD"] == ["PUT", "PUT"]
    assert sent.regions[-1] == "eu-west-1"


# --- responses ------------------------------------------------------------------------------------


def test_an_error_in_a_success_is_repeated_and_then_raised() -> None:
    """A copy that failed midway is an error, whatever the status in front of it."""

    async def main(s3: S3) -> None:
        result = await s3.copy_object(Bucket="b-1", Key="k", CopySource="b-1/l")
        assert result["CopyObjectResult"] == {"ETag": '"e"'}
        with pytest.raises(exceptions.AWSError) as caught:
            await s3.with_options(max_attempts=1).copy_object(
                Bucket="b-1", Key="k", CopySource="b-1/l"
            )
        assert caught.value.code == "InternalError"
        assert caught.value.message == "We encountered an internal error."
        assert caught.value.request_id == "R"

    failed = Response(200, "OK", [], FAILED_MIDWAY)
    assert len(calls(main, failed, Response(200, "OK", [], COPIED), failed).requests) == 3


def test_an_error_of_one_object_is_part_of_the_result() -> None:
    """What DeleteObjects left where it was is told beside what it deleted, and once."""
    body = (
        b"<DeleteResult><Error><Key>a</Key><Code>AccessDenied</Code></Error>"
        b"<Deleted><Key>b</Key></Deleted></DeleteResult>"
    )

    async def main(s3: S3) -> None:
        objects: Any = [{"Key": "a"}, {"Key": "b"}]
        result = await s3.delete_objects(Bucket="b-1", Delete={"Objects": objects})
        assert result["Errors"] == [{"Key": "a", "Code": "AccessDenied"}]
        assert result["Deleted"] == [{"Key": "b"}]

    calls(main, Response(200, "OK", [], body))


def test_an_object_may_look_like_an_error() -> None:
    """What is in an object is nobody's business."""

    async def main(s3: S3) -> None:
        policy = await s3.get_bucket_policy(Bucket="b-1")
        assert policy["Policy"] == FAILED_MIDWAY.decode()

    calls(main, Response(200, "OK", [], FAILED_MIDWAY))


@pytest.mark.parametrize("operation", ["get_object", "head_object"])
def test_an_expiry_that_is_no_time_is_given_as_it_is(operation: str) -> None:
    """The uploader's own text is in the result, and the time that it is not is left out."""

    async def main(s3: S3) -> None:
        result = await getattr(s3, operation)(Bucket="b-1", Key="k")
        assert result["ExpiresString"] == "never"
        assert "Expires" not in result

    calls(main, Response(200, "OK", [("Expires", "never")]))


def test_blanks_before_a_result_are_no_part_of_it() -> None:
    """They keep the connection alive while the parts are put together."""
    body = (
        b'\n \r\n<?xml version="1.0" encoding="UTF-8"?>\n'
        b"<CompleteMultipartUploadResult><ETag>e-1</ETag></CompleteMultipartUploadResult>"
    )

    async def main(s3: S3) -> None:
        result = await s3.complete_multipart_upload(Bucket="b-1", Key="k", UploadId="u")
        assert result["ETag"] == "e-1"

    calls(main, Response(200, "OK", [], body))


def test_keys_of_listings_are_decoded() -> None:
    """They are asked for URL-encoded, since XML cannot say all of them."""
    body = (
        b"<ListBucketResult><EncodingType>url</EncodingType><Contents><Key>a%01+b%25</Key>"
        b"</Contents></ListBucketResult>"
    )

    async def main(s3: S3) -> None:
        listed = await s3.list_objects_v2(Bucket="b-1")
        assert listed["Contents"] == [{"Key": "a\x01 b%"}]

    calls(main, Response(200, "OK", [], body))


@pytest.mark.parametrize("key", [b"k" * 32, "k" * 32])
def test_a_customers_key_is_sent_in_base64_with_its_digest(key: bytes | str) -> None:
    """S3 wants the digest to know the key from a damaged one."""
    own: dict[str, Any] = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": key}
    sent = calls(lambda s3: s3.put_object(Bucket="b-1", Key="k", Body=b"", **own), OK)
    (request,) = sent.requests
    prefix = "x-amz-server-side-encryption-customer"
    assert header(request, f"{prefix}-algorithm") == "AES256"
    assert header(request, f"{prefix}-key") == b64encode(b"k" * 32).decode()
    assert header(request, f"{prefix}-key-MD5") == b64encode(md5(b"k" * 32).digest()).decode()
