"""What single services do beside their protocol."""

from __future__ import annotations

import asyncio
import io
import json
from base64 import b64encode
from hashlib import md5, sha256
from importlib import import_module
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from botocore import handlers, utils
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conformance import models
from tornado_aws import customizations
from tornado_aws.customizations import Hooks, glacier
from tornado_aws.exceptions import ParamValidationError
from tornado_aws.protocols import HTTPParts, load, rest_json
from tornado_aws.routes import Route, make_signer
from tornado_aws.transport import Headers, Response
from tornado_aws.uploads import upload
from tornado_aws.urls import parse_base

OK = Response(200, "OK", [])


def hooks(service: str, operation: str) -> Hooks:
    return customizations.hooks(models.ours(service).operation(operation))


def before(service: str, operation: str, **params: Any) -> dict[str, Any]:
    """Return the parameters that are serialised for those of the caller, which stay the same."""
    change = hooks(service, operation).before_serialize
    assert change is not None
    given = dict(params)
    changed = dict(change(params))
    assert params == given
    return changed


def sent(service: str, operation: str, parts: HTTPParts) -> HTTPParts:
    change = hooks(service, operation).after_serialize
    assert change is not None
    return change(parts)


def after(service: str, operation: str, result: dict[str, Any], **params: Any) -> dict[str, Any]:
    change = hooks(service, operation).after_parse
    assert change is not None
    return change(result, OK, params)


def parts(body: bytes | None = None, query: str = "", headers: Headers | None = None) -> HTTPParts:
    return HTTPParts("GET", "/", query, headers or [], body)


def test_most_services_have_no_peculiarities() -> None:
    """A service that is not in the table has no hooks, nor has an ordinary operation."""
    assert hooks("sqs", "SendMessage") == Hooks()
    assert hooks("ec2", "DescribeInstances") == Hooks()


def test_every_entry_of_the_table_names_a_module_and_a_service() -> None:
    """The table has no entry that nothing would find."""
    ids = {models.load(name)["metadata"]["serviceId"] for name in models.protocols()}
    for service_id, module in customizations.MODULES.items():
        assert service_id in ids
        assert callable(import_module(f"tornado_aws.customizations.{module}").hooks)


# --- parameters -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("service", "operation"),
    [("ec2", "RunInstances"), ("autoscaling", "CreateLaunchConfiguration")],
)
@pytest.mark.parametrize("data", ["#!ü", "#!ü".encode(), bytearray("#!ü".encode())])
def test_user_data_is_sent_in_base64(service: str, operation: str, data: Any) -> None:
    """Text and bytes alike; what is neither is left for validation to find."""
    assert before(service, operation, UserData=data) == {"UserData": "IyHDvA=="}
    assert before(service, operation, UserData=7) == {"UserData": 7}
    assert before(service, operation) == {}


@pytest.mark.parametrize(
    ("operation", "member", "given", "expected"),
    [
        ("GetHostedZone", "Id", "/hostedzone/Z1", "Z1"),
        ("GetHostedZone", "Id", "Z1", "Z1"),
        ("GetHostedZone", "Id", 7, 7),
        ("GetChange", "Id", "/change/C1", "C1"),
        ("GetReusableDelegationSet", "Id", "/delegationset/N1", "N1"),
        ("ChangeResourceRecordSets", "HostedZoneId", "/hostedzone/Z1", "Z1"),
    ],
)
def test_route53_ids_lose_their_kind(
    operation: str, member: str, given: Any, expected: Any
) -> None:
    """An id of one answer can be a parameter of the next call."""
    assert before("route53", operation, **{member: given}) == {member: expected}


def test_glacier_means_the_own_account() -> None:
    """An account that is not named is the caller's."""
    assert before("glacier", "ListVaults") == {"accountId": "-"}
    assert before("glacier", "ListVaults", accountId=None) == {"accountId": "-"}
    assert before("glacier", "ListVaults", accountId="1") == {"accountId": "1"}


@pytest.mark.parametrize(
    "bucket",
    [
        "my-bucket",
        "My.Old_Bucket",
        "arn:aws:s3:us-east-1:123456789012:accesspoint/mine",
        "arn:aws-cn:s3-outposts:cn-north-1:123456789012:outpost/op-1/accesspoint/mine",
    ],
)
def test_names_and_arns_of_buckets_pass(bucket: str) -> None:
    """What can be a bucket is left alone."""
    assert before("s3", "HeadBucket", Bucket=bucket) == {"Bucket": bucket}


@pytest.mark.parametrize("bucket", ["", "a/b", "a b", "a\n", "ü", "a" * 256, "arn:aws:s3:::x"])
def test_other_buckets_are_refused(bucket: str) -> None:
    """A bucket's name can never change the path or the host of a request."""
    with pytest.raises(ParamValidationError, match=r"Bucket: .* access point"):
        before("s3", "GetObject", Bucket=bucket, Key="k")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("bucket/key", "bucket/key"),
        ("bucket/a b/ü?x", "bucket/a%20b/%C3%BC%3Fx"),
        ("bucket/a b?versionId=v1", "bucket/a%20b?versionId=v1"),
        ({"Bucket": "b", "Key": "a b"}, "b/a%20b"),
        (
            {"Bucket": "b", "Key": "k?versionId=x", "VersionId": "v"},
            "b/k%3FversionId%3Dx?versionId=v",
        ),
        (
            {"Bucket": "arn:aws:s3:us-east-1:123456789012:accesspoint/a", "Key": "k"},
            "arn%3Aaws%3As3%3Aus-east-1%3A123456789012%3Aaccesspoint/a/object/k",
        ),
        (7, 7),
    ],
)
@pytest.mark.parametrize("operation", ["CopyObject", "UploadPartCopy"])
def test_copy_sources_are_quoted(operation: str, source: Any, expected: Any) -> None:
    """A source is text or its parts, and its key is percent-encoded, as botocore does it."""
    params = {"CopySource": source}
    handlers.handle_copy_source_param(params)
    assert before("s3", operation, CopySource=source) == params == {"CopySource": expected}


def test_a_copy_source_needs_bucket_and_key() -> None:
    """Every part that is missing is named."""
    with pytest.raises(ParamValidationError) as caught:
        before("s3", "CopyObject", CopySource={"VersionId": "v"})
    assert caught.value.faults == ["CopySource.Bucket: missing", "CopySource.Key: missing"]


@pytest.mark.parametrize("key", ["k" * 32, b"\xff" * 32])
def test_customer_keys_are_sent_with_their_md5(key: Any) -> None:
    """A key is encoded unless its MD5 is given, which says that it is encoded already."""
    data = key.encode() if isinstance(key, str) else key
    encoded = b64encode(data).decode()
    digest = b64encode(md5(data, usedforsecurity=False).digest()).decode()
    for operation in ("GetObject", "PutObject", "UploadPartCopy", "HeadObject"):
        changed = before("s3", operation, SSECustomerKey=key)
        assert changed == {"SSECustomerKey": encoded, "SSECustomerKeyMD5": digest}
    copied = before("s3", "CopyObject", CopySourceSSECustomerKey=key)
    assert copied["CopySourceSSECustomerKeyMD5"] == digest
    given = {"SSECustomerKey": key, "SSECustomerKeyMD5": "given"}
    assert before("s3", "GetObject", **given) == given


def test_metadata_must_be_ascii() -> None:
    """Every value that S3 would refuse or garble is named."""
    good = {"Metadata": {"a": "b"}}
    assert before("s3", "PutObject", **good) == good
    with pytest.raises(ParamValidationError, match=r"Metadata\.ü: .*\n.*Metadata\.a: "):
        before("s3", "CopyObject", Metadata={"ü": "x", "a": "é", "b": "c"})


# --- requests -------------------------------------------------------------------------------------


def test_api_gateway_is_asked_for_json() -> None:
    """An ``Accept`` that the operation has itself stays."""
    assert sent("apigateway", "GetApiKeys", parts()).headers == [("Accept", "application/json")]
    own = [("accept", "application/hal+json")]
    assert sent("apigateway", "GetApiKeys", parts(headers=own)).headers == own


def test_a_search_is_posted() -> None:
    """The query becomes the body."""
    assert sent("cloudsearchdomain", "Search", parts(query="format=sdk&q=a%20b")) == HTTPParts(
        "POST",
        "/",
        "",
        [("Content-Type", "application/x-www-form-urlencoded")],
        b"format=sdk&q=a%20b",
    )


@pytest.mark.parametrize("service", ["dynamodb", "timestream-query", "timestream-write"])
def test_asking_for_endpoints_names_the_version(service: str) -> None:
    """Endpoint discovery needs the API's version."""
    version = models.load(service)["metadata"]["apiVersion"]
    described = sent(service, "DescribeEndpoints", parts())
    assert described.headers == [("x-amz-api-version", version)]


def test_glacier_uploads_have_checksums() -> None:
    """Those that the caller gives stay; other operations have the version alone."""
    version = ("x-amz-glacier-version", "2012-06-01")
    assert sent("glacier", "ListVaults", parts()).headers == [version]
    body = b"x" * 3_000_000
    digest, tree = sha256(body).hexdigest(), utils.calculate_tree_hash(io.BytesIO(body))
    assert sent("glacier", "UploadArchive", parts(body)).headers == [
        version,
        ("x-amz-content-sha256", digest),
        ("x-amz-sha256-tree-hash", tree),
    ]
    own = ("x-amz-sha256-tree-hash", "own")
    assert sent("glacier", "UploadMultipartPart", parts(body, headers=[own])).headers == [
        own,
        version,
        ("x-amz-content-sha256", digest),
    ]


def test_glacier_uploads_of_files_have_the_checksums_of_their_bytes() -> None:
    """They are computed while the file is read; those that the caller gives stay."""
    body = b"x" * 3_000_000
    operation = models.ours("glacier").operation("UploadArchive")
    route = Route(parse_base("https://h"), make_signer("glacier", "us-east-1", is_s3=False), [])
    sending = upload(operation, rest_json, glacier.hooks(operation).body_hashes)
    assert sending is not None

    def headers(*given: tuple[str, str]) -> dict[str, str]:
        file: Any = io.BytesIO(body)
        request = parts(body, headers=list(given))._replace(body=file)
        return dict(asyncio.run(sending.prepare(request, {}, route, "when_supported")).headers)

    tree = "x-amz-sha256-tree-hash"
    assert headers() == dict(sent("glacier", "UploadArchive", parts(body)).headers[1:])
    assert headers((tree, "own"))[tree] == "own"


@pytest.mark.parametrize("size", [0, 1, 1 << 20, (1 << 20) + 1, 3 << 20, 7 * (1 << 20) + 5])
def test_tree_hash_is_that_of_botocore(size: int) -> None:
    """Every number of leaves gives the same root."""
    data = bytes(range(256)) * (size // 256 + 1)
    expected = utils.calculate_tree_hash(io.BytesIO(data[:size]))
    assert glacier.tree_hash(data[:size]) == expected
    tree = glacier.TreeHash()
    for start in range(0, size, 700_001):
        tree.update(data[start : min(start + 700_001, size)])
    assert tree.digest().hex() == expected


@pytest.mark.parametrize("operation", ["DeleteObjects", "PutBucketLifecycleConfiguration"])
def test_line_feeds_of_keys_are_references(operation: str) -> None:
    """A reader could change raw ones."""
    assert sent("s3", operation, parts(b"<a>\n</a>")).body == b"<a>&#xA;</a>"
    assert sent("s3", operation, parts()).body is None


def test_predictions_go_to_the_models_endpoint() -> None:
    """The endpoint is a parameter, but never another's host."""
    endpoint = hooks("machinelearning", "Predict").endpoint
    assert endpoint is not None
    url = "https://realtime.machinelearning.us-east-1.amazonaws.com"
    assert endpoint({"PredictEndpoint": url}) == url
    assert endpoint({}) is None
    for wrong in ("http://x.amazonaws.com", "https://evil.example", "x.amazonaws.com", 7):
        with pytest.raises(ParamValidationError, match="PredictEndpoint"):
            endpoint({"PredictEndpoint": wrong})
    assert hooks("machinelearning", "DescribeTags") == Hooks()


# --- responses ------------------------------------------------------------------------------------


def test_console_output_is_text() -> None:
    """It comes in base64; what is not is left as it is."""
    encoded = b64encode(b"boot \xff\n").decode()
    assert after("ec2", "GetConsoleOutput", {"Output": encoded}) == {"Output": "boot \ufffd\n"}
    assert after("ec2", "GetConsoleOutput", {"Output": "ü"}) == {"Output": "ü"}
    assert after("ec2", "GetConsoleOutput", {}) == {}


def test_templates_in_json_are_decoded() -> None:
    """YAML stays text."""
    assert after("cloudformation", "GetTemplate", {"TemplateBody": '{"a": 1}'}) == {
        "TemplateBody": {"a": 1}
    }
    assert after("cloudformation", "GetTemplate", {"TemplateBody": "a: 1"}) == {
        "TemplateBody": "a: 1"
    }
    assert after("cloudformation", "GetTemplate", {}) == {}


def test_policies_are_decoded_at_every_depth() -> None:
    """As botocore decodes them; what is not a policy, or not JSON, stays."""
    policy = quote(json.dumps({"Version": "2012-10-17", "Statement": []}))
    result = {
        "RoleDetailList": [
            {
                "RoleName": "%7B%7D",
                "AssumeRolePolicyDocument": policy,
                "RolePolicyList": [{"PolicyName": "p", "PolicyDocument": policy}],
            }
        ],
        "Policies": [{"PolicyVersionList": [{"Document": "not JSON"}]}],
        "IsTruncated": False,
    }
    expected = json.loads(json.dumps(result))
    model = models.theirs("iam").operation_model("GetAccountAuthorizationDetails")
    handlers.json_decode_policies(expected, model)
    decoded = after("iam", "GetAccountAuthorizationDetails", result)
    assert decoded == expected
    role = decoded["RoleDetailList"][0]
    assert role["AssumeRolePolicyDocument"]["Version"] == "2012-10-17"
    assert role["RoleName"] == "%7B%7D"
    assert hooks("iam", "ListUsers") == Hooks()


@settings(max_examples=60, deadline=None)
@given(st.text(min_size=1), st.booleans())
def test_keys_of_listings_are_decoded(key: str, asked: bool) -> None:
    """Keys that XML cannot carry come back whole, unless the caller asked for encoded ones."""
    key = key.encode("utf-8", "replace").decode()
    encoded = quote_plus(key)
    for operation, items in (
        ("ListObjects", "Contents"),
        ("ListObjectsV2", "Contents"),
        ("ListObjectVersions", "DeleteMarkers"),
    ):
        given = {"EncodingType": "url"} if asked else {}
        assert before("s3", operation, **given)["EncodingType"] == "url"
        result = {"EncodingType": "url", "Delimiter": encoded, items: [{"Key": encoded}, {}]}
        decoded = after("s3", operation, result, **given)
        expected = encoded if asked else key
        assert (decoded["Delimiter"], decoded[items]) == (expected, [{"Key": expected}, {}])


def test_a_listing_that_is_not_encoded_is_left_alone() -> None:
    """Emulators ignore the wish."""
    assert after("s3", "ListObjectsV2", {"Prefix": "a%20b"}) == {"Prefix": "a%20b"}


@pytest.mark.parametrize(
    ("body", "region"),
    [
        (
            '<?xml version="1.0"?><LocationConstraint xmlns="urn:x">eu-west-1</LocationConstraint>',
            "eu-west-1",
        ),
        ('<LocationConstraint xmlns="urn:x"/>', None),
        ('<LocationConstraint xmlns="urn:x"></LocationConstraint>', None),
    ],
)
def test_the_location_of_a_bucket_is_the_root_elements_text(body: str, region: Any) -> None:
    """None is us-east-1."""
    model = models.ours("s3")
    operation = model.operation("GetBucketLocation")
    response = Response(200, "", [], body.encode())
    change = customizations.hooks(operation).after_parse
    assert change is not None
    result = load(model.metadata).parser(operation)(response)
    assert change(result, response, {}) == {"LocationConstraint": region}


@pytest.mark.parametrize(
    ("text", "members"),
    [
        ("Tue, 29 Apr 2014 18:30:38 GMT", {"Expires", "ExpiresString"}),
        ("0", {"Expires", "ExpiresString"}),
        ("never", {"ExpiresString"}),
    ],
)
def test_an_expiry_that_is_no_time_spoils_nothing(text: str, members: set[str]) -> None:
    """The uploader's own text is in the result as it is, and as a time where it is one."""
    model = models.ours("s3")
    operation = model.operation("HeadObject")
    found = customizations.hooks(operation)
    assert found.before_parse is not None
    assert found.after_parse is not None
    response = Response(200, "", [("Expires", text), ("ETag", '"x"')])
    result = load(model.metadata).parser(operation)(found.before_parse(response))
    result = found.after_parse(result, response, {})
    assert set(result) - {"Metadata", "ETag"} == members
    assert result["ExpiresString"] == text
    assert result["ETag"] == '"x"'


def test_errors_in_successes_are_found_where_they_can_be() -> None:
    """Not in an object's own bytes, which may look like an error."""
    error = Response(200, "", [], b"<Error><Code>InternalError</Code></Error>")
    find = hooks("s3", "CopyObject").find_error
    assert find is not None
    details = find(error)
    assert details is not None
    assert details.code == "InternalError"
    assert find(Response(200, "", [], b"<CopyObjectResult/>")) is None
    assert hooks("s3", "GetObject").find_error is None
    assert hooks("s3", "GetBucketPolicy").find_error is None
    assert hooks("s3", "DeleteBucket").find_error is None
