"""Right uses of generated clients: both type checkers accept every line."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from tornado_aws.services.cloudformation import CloudFormation
from tornado_aws.services.dynamodb import DynamoDB
from tornado_aws.services.dynamodb import exceptions as errors
from tornado_aws.services.dynamodb import types as shapes
from tornado_aws.services.ec2 import EC2
from tornado_aws.services.ecs import ECS
from tornado_aws.services.iam import IAM
from tornado_aws.services.kinesis import Kinesis
from tornado_aws.services.kms import KMS
from tornado_aws.services.logs import CloudWatchLogs
from tornado_aws.services.rds import RDS
from tornado_aws.services.s3 import S3
from tornado_aws.services.s3 import types as s3_types
from tornado_aws.services.sqs import SQS

from tornado_aws import AsyncAWSClient, AWSClient, transfers
from tornado_aws.exceptions import AWSError, WaiterError
from tornado_aws.pagination import PaginationConfig, Paginator
from tornado_aws.waiting import WaiterConfig


async def make_clients() -> None:
    """A client takes options, or a client, and is a context manager."""
    async with DynamoDB(region="eu-west-1", endpoint="http://127.0.0.1:8000") as dynamodb:
        view: DynamoDB = dynamodb.with_options(read_timeout=900)
        await view.list_tables()
    shared = AsyncAWSClient("dynamodb", region="eu-west-1")
    DynamoDB(shared).close()
    with AWSClient("dynamodb", max_clients=4, use_curl=True) as blocking:
        assert blocking.fetch("GET").code == 200


async def read_results(dynamodb: DynamoDB) -> str:
    """Members of results are read without ado, and know their types."""
    result = await dynamodb.describe_table(TableName="pets")
    table = result["Table"]
    made: datetime = table["CreationDateTime"]
    count: int = table["ItemCount"]
    keys: list[str] = [key["AttributeName"] for key in table["KeySchema"]]
    if table["TableStatus"] == "ACTIVE" or table["TableStatus"] == "A_NEW_ONE":
        return f"{made.isoformat()} {count} {keys}"
    return result["ResponseMetadata"]["RequestId"]


async def write_items(dynamodb: DynamoDB) -> None:
    """Nested and recursive parameters are dicts, written in place or made before."""
    await dynamodb.put_item(
        TableName="pets",
        Item={"name": {"S": "tom"}, "tags": {"L": [{"S": "a"}, {"M": {"n": {"N": "1"}}}]}},
        ReturnValues="ALL_OLD",
    )
    item: dict[str, shapes.AttributeValue] = {"name": {"S": "tom"}, "photo": {"B": b"..."}}
    await dynamodb.put_item(TableName="pets", Item=item)
    request: shapes.WriteRequest = {"PutRequest": {"Item": item}}
    await dynamodb.batch_write_item(RequestItems={"pets": [request]})
    await dynamodb.batch_get_item(
        RequestItems={"pets": {"Keys": [{"name": {"S": "tom"}}], "ConsistentRead": True}}
    )


async def give_results_back(dynamodb: DynamoDB) -> list[Mapping[str, shapes.AttributeValueOutput]]:
    """What a result holds is accepted as a parameter."""
    items: list[Mapping[str, shapes.AttributeValueOutput]] = []
    page = await dynamodb.scan(TableName="pets")
    items += page["Items"]
    page = await dynamodb.scan(TableName="pets", ExclusiveStartKey=page["LastEvaluatedKey"])
    last = page.get("LastEvaluatedKey")
    await dynamodb.scan(TableName="pets", ExclusiveStartKey=last)
    for each in page["Items"]:
        await dynamodb.put_item(TableName="pets", Item=each)
    left = (await dynamodb.batch_write_item(RequestItems={}))["UnprocessedItems"]
    await dynamodb.batch_write_item(RequestItems=left)
    return items


async def go_through_pages(dynamodb: DynamoDB, s3: S3, ecs: ECS, rds: RDS) -> list[str]:
    """Pages are the operation's results, items the members of its first result key."""
    titles: list[str] = []
    async for page in dynamodb.paginate_scan(TableName="pets", PaginationConfig={"PageSize": 5}):
        scanned: shapes.ScanOutput = page
        count: int = page["Count"] + scanned["ScannedCount"]
        titles += [each["name"]["S"] for each in page["Items"][:count]]
    async for item in dynamodb.paginate_scan(TableName="pets", FilterExpression="x").items():
        titles.append(item["name"]["S"])
    async for name in dynamodb.paginate_list_tables().items():
        titles.append(name.upper())
    objects = s3.paginate_list_objects_v2(Bucket="b", PaginationConfig={"MaxItems": 9})
    titles += [prefix["Prefix"] async for prefix in objects.items("CommonPrefixes")]
    async for each in objects.items():
        size: int = each["Size"]
        titles.append(f"{each['Key']} {size} {each['LastModified'].isoformat()}")
    token: str | None = objects.resume_token
    again: PaginationConfig = {"StartingToken": token, "Prefetch": True}
    everything: Paginator[s3_types.ListObjectsV2Output, s3_types.Object]
    everything = s3.paginate_list_objects_v2(Bucket="b", PaginationConfig=again)
    titles += [found["Key"] async for found in everything.items()]
    titles += [arn async for arn in ecs.paginate_list_tasks(cluster="c").items()]
    portions = rds.paginate_download_db_log_file_portion(DBInstanceIdentifier="d", LogFileName="f")
    titles += [text async for text in portions.items()]
    return [*titles, *(await objects.build_full_result())]


async def wait_for_states(dynamodb: DynamoDB, s3: S3) -> str:
    """Waiters take the operation's parameters and give its result."""
    last = await dynamodb.wait_until_table_exists(
        TableName="pets", WaiterConfig={"Delay": 0.5, "MaxAttempts": 3, "MaxDelay": 10}
    )
    made: datetime = last["Table"]["CreationDateTime"]
    patience: WaiterConfig = {"Delay": 1}
    await s3.wait_until_object_exists(Bucket="b", Key="k", WaiterConfig=patience)
    try:
        await dynamodb.wait_until_table_not_exists(TableName="pets")
    except WaiterError as error:
        return f"{error.reason} {error.attempts + 1} {error.elapsed:.1f} {error.last_response}"
    return made.isoformat()


async def catch_errors(dynamodb: DynamoDB) -> str:
    """Modelled errors are classes of the client and of the module."""
    try:
        await dynamodb.describe_table(TableName="pets")
    except dynamodb.exceptions.ResourceNotFoundException as error:
        return error.code
    except (DynamoDB.exceptions.LimitExceededException, errors.InternalServerError) as error:
        return error.message
    except AWSError as error:
        return str(error.request_id)
    return ""


async def use_other_services(sqs: SQS, kms: KMS, logs: CloudWatchLogs, ecs: ECS) -> None:
    """Blobs, timestamps, lists, maps with known keys, renamed parameters."""
    await sqs.create_queue(QueueName="q", Attributes={"VisibilityTimeout": "30"})
    await sqs.receive_message(QueueUrl="q", MessageSystemAttributeNames=["SenderId"])
    await sqs.receive_message(QueueUrl="q", MessageAttributeNames=("a", "b"))
    ciphertext: bytes = (await kms.encrypt(KeyId="k", Plaintext="text"))["CiphertextBlob"]
    await kms.decrypt(CiphertextBlob=bytearray(ciphertext))
    await kms.import_key_material(
        KeyId="k", ImportToken=b"", EncryptedKeyMaterial=b"", ValidTo=datetime.now(UTC)
    )
    await logs.create_export_task(logGroupName="g", fromTime=0, to=1, destination="b")
    empty = await logs.delete_log_group(logGroupName="g")
    assert empty["ResponseMetadata"]["HTTPStatusCode"] == 200
    await ecs.describe_tasks(cluster="c", tasks=["t"])


async def use_streams(s3: S3, kinesis: Kinesis, client: AsyncAWSClient) -> int:
    """Streams of bytes and of events say what they give."""
    got = await s3.get_object(Bucket="b", Key="k")
    async with got["Body"] as body:
        await s3.put_object(Bucket="b", Key="copy", Body=body)
    subscribed = await kinesis.subscribe_to_shard(
        ConsumerARN="arn", ShardId="0", StartingPosition={"Type": "LATEST"}
    )
    size = 0
    async for event in subscribed["EventStream"]:
        for record in event["SubscribeToShardEvent"]["Records"]:
            size += len(record["Data"])
    response = await client.fetch("PUT", "/b/k", body=[b"pieces"], stream=True)
    async for piece in response.stream:
        size += len(piece)
    url: str = await s3.generate_presigned_url("get_object", Params={"Bucket": "b", "Key": "k"})
    method: s3_types.ClientMethod = "put_object"
    url = await s3.generate_presigned_url(method, {"Bucket": "b", "Key": "k"}, 60, "PUT")
    form = await s3.generate_presigned_post("b", "k", ExpiresIn=60)
    return size + len(url) + len(form["fields"]["key"])


async def use_what_the_runtime_makes(cf: CloudFormation, ec2: EC2, iam: IAM, s3: S3) -> str | None:
    """Values that are not what the models say, taken and given."""
    policy = (await iam.get_role(RoleName="r"))["Role"]["AssumeRolePolicyDocument"]["Statement"]
    template = (await cf.get_template(StackName="s"))["TemplateBody"]
    resources = template if isinstance(template, str) else template["Resources"]
    await ec2.run_instances(MinCount=1, MaxCount=1, UserData=b"#!/bin/sh")
    source = {"Bucket": "b", "Key": "k", "VersionId": "v"}
    await s3.copy_object(Bucket="b", Key="k", CopySource=source, SSECustomerKey=b"key")
    await s3.copy_object(Bucket="b", Key="k", CopySource="b/k", SSECustomerKey="key")
    region = (await s3.get_bucket_location(Bucket="b"))["LocationConstraint"]
    return region or f"{policy} {resources}"


async def move_files(s3: S3) -> None:
    """Whatever can be read is a source, and paths may be objects."""
    for source in (Path("file"), "file", b"bytes", [b"pieces"]):
        await transfers.upload(s3, source, Bucket="b", Key="k", Metadata={"a": "b"})
    await transfers.download(s3, Path("copy"), Bucket="b", Key="k", VersionId=None)
    S3(config_file=Path("config"), verify=Path("ca"), client_cert=(Path("c"), "k")).close()
