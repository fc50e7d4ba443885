"""Wrong uses of generated clients: both type checkers refuse the marked lines and no others."""

from __future__ import annotations

from tornado_aws.services.dynamodb import DynamoDB
from tornado_aws.services.dynamodb import exceptions as errors
from tornado_aws.services.kms import KMS
from tornado_aws.services.s3 import S3
from tornado_aws.services.sqs import SQS


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
