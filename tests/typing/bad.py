"""Wrong uses of generated clients: both type checkers refuse the marked lines and no others."""

from __future__ import annotations

from tornado_aws.services.dynamodb import DynamoDB
from tornado_aws.services.dynamodb import exceptions as errors
from tornado_aws.services.iam import IAM
from tornado_aws.services.kms import KMS
from tornado_aws.services.s3 import S3
from tornado_aws.services.sqs import SQS

from tornado_aws import transfers


async def misuse_dynamodb(dynamodb: DynamoDB) -> None:
    """Wrong names, types, values and keys."""
    await dynamodb.describe_table(tableName="pets")  # error
    await dynamodb.describe_table()  # error
    await dynamodb.describe_table("pets")  # error
    await dynamodb.describe_table(TableName=1)  # error
    await dynamodb.describe_tables()  # error
    await dynamodb.put_item(TableName="pets", Item={"name": {"Str": "tom"}})  # error
    await dynamodb.put_item(TableName="pets", Item={"name": {"S": 1}})  # error
    await dynamodb.put_item(TableName="pets", Item={}, ReturnValues="SOME")  # error
    await dynamodb.batch_write_item(RequestItems={"p": [{"Put": {}}]})  # error
    await dynamodb.batch_write_item(RequestItems={"p": [{"PutRequest": {}}]})  # error
    await dynamodb.batch_get_item(RequestItems={"p": {"Keys": "name"}})  # error
    await dynamodb.scan(TableName="pets", AttributesToGet="name")  # error
    result = await dynamodb.describe_table(TableName="pets")
    assert result["Tables"]  # error
    assert result["Table"]["Name"]  # error
    assert result["Table"]["ItemCount"] + "1"  # error
    assert (await dynamodb.list_tables())["TableNames"] + 1  # error
    DynamoDB(regoin="eu-west-1")  # error
    dynamodb.with_options(region="eu-west-1")  # error


async def misuse_pages(dynamodb: DynamoDB, s3: S3) -> None:
    """Tokens are the paginator's own affair; pages and items are what the operation gives."""
    dynamodb.paginate_scan()  # error
    dynamodb.paginate_scan(TableName="pets", ExclusiveStartKey={})  # error
    dynamodb.paginate_scan(TableName="pets", Select="SOME")  # error
    dynamodb.paginate_scan(TableName="pets", PaginationConfig={"Pagesize": 1})  # error
    dynamodb.paginate_scan(TableName="pets", PaginationConfig={"MaxItems": "1"})  # error
    dynamodb.paginate_put_item(TableName="pets")  # error
    await dynamodb.paginate_scan(TableName="pets")  # error
    for _ in dynamodb.paginate_scan(TableName="pets"):  # error
        pass
    async for page in dynamodb.paginate_scan(TableName="pets"):
        assert page["Item"]  # error
    async for item in dynamodb.paginate_scan(TableName="pets").items():
        assert item["name"]["Str"]  # error
        assert item.name  # error
    async for name in dynamodb.paginate_list_tables().items():
        assert name["TableName"]  # error
    async for each in s3.paginate_list_objects_v2(Bucket="b").items():
        assert each["key"]  # error


async def misuse_waiters(dynamodb: DynamoDB) -> None:
    """Parameters are those of the operation that is called, the configuration has three keys."""
    await dynamodb.wait_until_table_exists()  # error
    await dynamodb.wait_until_table_exists(tableName="pets")  # error
    await dynamodb.wait_until_table_is_there(TableName="pets")  # error
    await dynamodb.wait_until_table_exists(TableName="p", WaiterConfig={"Delays": 1})  # error
    await dynamodb.wait_until_table_exists(TableName="p", WaiterConfig={"Delay": "1"})  # error
    last = await dynamodb.wait_until_table_exists(TableName="pets")
    assert last["Tables"]  # error


async def misuse_errors(dynamodb: DynamoDB) -> None:
    """Errors that no service has."""
    try:
        await dynamodb.list_tables()
    except dynamodb.exceptions.TableNotThereException:  # error
        pass
    except errors.TableNotThereException:  # error
        pass
    except DynamoDB.exceptions.ResourceNotFoundException as error:
        raise RuntimeError(error.status) from None  # error


async def misuse_others(sqs: SQS, kms: KMS) -> None:
    """Unknown keys of maps, wrong blobs."""
    await sqs.create_queue(QueueName="q", Attributes={"Visibility": "30"})  # error
    await sqs.send_message_batch(QueueUrl="q", Entries=[{"Id": "1"}])  # error
    await kms.encrypt(KeyId="k", Plaintext=1.5)  # error


async def misuse_urls(s3: S3, kms: KMS, name: str) -> None:
    """URLs for methods that a client has not, or by the API's own name."""
    await s3.generate_presigned_url("get_objects")  # error
    await s3.generate_presigned_url("GetObject")  # error
    await s3.generate_presigned_url(name)  # error
    await kms.generate_presigned_url("get_object")  # error
    await s3.generate_presigned_url("get_object", ExpiresIn="60")  # error


async def misuse_what_the_runtime_makes(iam: IAM, s3: S3) -> None:
    """Policies are decoded in results, and text in parameters; the region may be None."""
    role = (await iam.get_role(RoleName="r"))["Role"]
    role["AssumeRolePolicyDocument"].encode()  # error
    await iam.create_role(RoleName="s", AssumeRolePolicyDocument={"Statement": []})  # error
    await s3.list_parts(Bucket="b", Key="k", UploadId="u", SSECustomerKey=b"key")  # error
    (await s3.get_bucket_location(Bucket="b"))["LocationConstraint"].upper()  # error


async def misuse_transfers(s3: S3) -> None:
    """A bucket and a key are needed, and a source that can be read."""
    await transfers.upload(s3, "file", Bucket="b")  # error
    await transfers.upload(s3, 1, Bucket="b", Key="k")  # error
    await transfers.download(s3, b"file", Bucket="b", Key="k")  # error
    await transfers.copy(s3, CopySource={}, Key="k")  # error
    S3(observers=["metrics"], config_file=1)  # error
