"""What happens in the stories of `tests.integration.test_services`."""

from __future__ import annotations

import io
import json
import time
import zipfile
from datetime import UTC, datetime
from typing import Any, NamedTuple

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
_NOW = int(time.time() * 1000)  # events of logs must be young


class Step(NamedTuple):
    """One call of a story.

    Attributes:
        operation: its name, as a method.
        params: its parameters.
        keep: names, and expressions of what of the result they stand for in later steps.
        fails: the code of the error that is expected.
        is_read: whether boto3 does the same and must get the same.
        expect: expressions of the result, and what they must give.
    """

    operation: str
    params: dict[str, Any]
    keep: dict[str, str]
    fails: str | None
    is_read: bool
    expect: dict[str, Any]


def write(operation: str, keep: dict[str, str] | None = None, **params: Any) -> Step:
    """Do something once."""
    return Step(operation, params, keep or {}, None, False, {})


def read(operation: str, expect: dict[str, Any] | None = None, **params: Any) -> Step:
    """Ask for something with both clients."""
    return Step(operation, params, {}, None, True, expect or {})


def fail(operation: str, code: str, **params: Any) -> Step:
    """Ask both clients for what is refused."""
    return Step(operation, params, {}, code, True, {})


def _program() -> bytes:
    """Return a Lambda function, zipped."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("lambda_function.py", "def handler(event, context): return event")
    return file.getvalue()


_TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
)
_POLICY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Deny",
            "Action": "s3:*",
            "Resource": "arn:aws:s3:::a b/${aws:x}/*",
        },
    }
)
_ROLE = "arn:aws:iam::123456789012:role/stories"
_TEMPLATE = json.dumps(
    {"Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "of-a-stack"}}}}
)
_STATES = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}})

STORIES: dict[str, list[Step]] = {
    "apigateway": [
        write("create_rest_api", {"api": "id"}, name="stories", description="für alle"),
        read("get_rest_api", {"name": "stories", "description": "für alle"}, restApiId="$api"),
        write("get_resources", {"root": "items[0].id"}, restApiId="$api"),
        write(
            "create_resource", {"part": "id"}, restApiId="$api", parentId="$root", pathPart="songs"
        ),
        read("get_resource", {"path": "/songs"}, restApiId="$api", resourceId="$part"),
        write(
            "put_method",
            restApiId="$api",
            resourceId="$part",
            httpMethod="GET",
            authorizationType="NONE",
            requestParameters={"method.request.querystring.q": True},
        ),
        read("get_method", restApiId="$api", resourceId="$part", httpMethod="GET"),
        fail("get_rest_api", "NotFoundException", restApiId="none"),
    ],
    "cloudformation": [
        write(
            "create_stack",
            StackName="stories",
            TemplateBody=_TEMPLATE,
            Tags=[{"Key": "a", "Value": "b c"}],
            Capabilities=["CAPABILITY_IAM"],
        ),
        read("describe_stacks", {"Stacks[0].Tags[0].Value": "b c"}, StackName="stories"),
        read("describe_stack_resources", StackName="stories"),
        read("get_template", StackName="stories"),
        read("list_stacks"),
        fail("describe_stacks", "ValidationError", StackName="none"),
    ],
    "cloudwatch": [
        write(
            "put_metric_data",
            Namespace="Stories",
            MetricData=[
                {
                    "MetricName": "told",
                    "Timestamp": NOON,
                    "Value": 1.5,
                    "Unit": "Count",
                    "Dimensions": [{"Name": "Who", "Value": "ü & <x>"}],
                }
            ],
        ),
        read("list_metrics", {"Metrics[0].Dimensions[0].Value": "ü & <x>"}, Namespace="Stories"),
        write(
            "put_metric_alarm",
            AlarmName="too-many",
            ComparisonOperator="GreaterThanThreshold",
            EvaluationPeriods=1,
            MetricName="told",
            Namespace="Stories",
            Period=60,
            Statistic="Sum",
            Threshold=2.5,
        ),
        read("describe_alarms", {"MetricAlarms[0].Threshold": 2.5}, AlarmNames=["too-many"]),
    ],
    "cognito-idp": [
        write("create_user_pool", {"pool": "UserPool.Id"}, PoolName="stories"),
        read("describe_user_pool", {"UserPool.Name": "stories"}, UserPoolId="$pool"),
        write(
            "admin_create_user",
            UserPoolId="$pool",
            Username="ann",
            UserAttributes=[{"Name": "email", "Value": "a@b.c"}],
        ),
        read("admin_get_user", {"Username": "ann"}, UserPoolId="$pool", Username="ann"),
        read("list_users", UserPoolId="$pool", Limit=3),
        fail("admin_get_user", "UserNotFoundException", UserPoolId="$pool", Username="bob"),
    ],
    "dynamodb": [
        write(
            "create_table",
            TableName="stories",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        ),
        write(
            "put_item",
            TableName="stories",
            Item={
                "id": {"S": "1"},
                "bytes": {"B": b"\x00\xff"},
                "set": {"NS": ["1", "2.5"]},
                "nothing": {"NULL": True},
                "deep": {"M": {"list": {"L": [{"BOOL": False}, {"S": "ü"}]}}},
            },
        ),
        read(
            "get_item", {"Item.bytes.B": b"\x00\xff"}, TableName="stories", Key={"id": {"S": "1"}}
        ),
        read("scan", {"Count": 1}, TableName="stories"),
        read("describe_table", TableName="stories"),
        fail(
            "put_item",
            "ConditionalCheckFailedException",
            TableName="stories",
            Item={"id": {"S": "1"}},
            ConditionExpression="attribute_not_exists(id)",
        ),
        fail("describe_table", "ResourceNotFoundException", TableName="none"),
        write("delete_table", TableName="stories"),
    ],
    "dynamodbstreams": [read("list_streams")],
    "ec2": [
        read("describe_regions"),
        read("describe_availability_zones", AllAvailabilityZones=False),
        write("create_vpc", {"vpc": "Vpc.VpcId"}, CidrBlock="10.9.0.0/16"),
        write("create_subnet", {"net": "Subnet.SubnetId"}, VpcId="$vpc", CidrBlock="10.9.1.0/24"),
        write(
            "create_security_group",
            {"group": "GroupId"},
            GroupName="stories",
            Description="of stories",
            VpcId="$vpc",
        ),
        write(
            "authorize_security_group_ingress",
            GroupId="$group",
            IpPermissions=[
                {
                    "IpProtocol": "tcp",
                    "FromPort": 443,
                    "ToPort": 443,
                    "IpRanges": [{"CidrIp": "10.0.0.0/8", "Description": "a & b"}],
                }
            ],
        ),
        read("describe_security_groups", GroupIds=["$group"]),
        write(
            "run_instances",
            {"one": "Instances[0].InstanceId"},
            ImageId="ami-12c6146b",
            MinCount=1,
            MaxCount=1,
            SubnetId="$net",
            SecurityGroupIds=["$group"],
            UserData="#!/bin/sh\necho ü\n",
            TagSpecifications=[
                {"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "one of ü"}]}
            ],
        ),
        read(
            "describe_instances",
            {"Reservations[0].Instances[0].Tags[0].Value": "one of ü"},
            Filters=[{"Name": "instance-id", "Values": ["$one"]}],
        ),
        read("describe_instance_attribute", InstanceId="$one", Attribute="userData"),
        read("describe_vpcs", VpcIds=["$vpc"]),
        fail(
            "describe_instances", "InvalidInstanceID.NotFound", InstanceIds=["i-0123456789abcdef0"]
        ),
    ],
    "ecr": [
        write("create_repository", repositoryName="stories"),
        read("describe_repositories", repositoryNames=["stories"]),
        fail("describe_repositories", "RepositoryNotFoundException", repositoryNames=["none"]),
    ],
    "ecs": [
        write("create_cluster", clusterName="stories"),
        read("describe_clusters", clusters=["stories"]),
        write(
            "register_task_definition",
            family="stories",
            containerDefinitions=[{"name": "a", "image": "b", "memory": 64}],
        ),
        read("describe_task_definition", taskDefinition="stories"),
    ],
    "elbv2": [
        read("describe_load_balancers", {"LoadBalancers": []}),
        write("create_target_group", Name="stories", TargetType="lambda"),
        read("describe_target_groups", Names=["stories"]),
        fail("describe_target_groups", "TargetGroupNotFound", Names=["none"]),
    ],
    "events": [
        write("put_rule", Name="stories", EventPattern='{"source": ["ü"]}', State="DISABLED"),
        read("describe_rule", {"State": "DISABLED"}, Name="stories"),
        read("list_rules"),
        fail("describe_rule", "ResourceNotFoundException", Name="none"),
    ],
    "firehose": [
        write(
            "create_delivery_stream",
            DeliveryStreamName="stories",
            S3DestinationConfiguration={"RoleARN": _ROLE, "BucketARN": "arn:aws:s3:::stories"},
        ),
        read("list_delivery_streams", {"DeliveryStreamNames": ["stories"]}),
        read("describe_delivery_stream", DeliveryStreamName="stories"),
    ],
    "iam": [
        write(
            "create_role",
            RoleName="stories",
            AssumeRolePolicyDocument=_TRUST,
            Tags=[{"Key": "k", "Value": ""}],
        ),
        read(
            "get_role",
            {"Role.AssumeRolePolicyDocument.Version": "2012-10-17"},
            RoleName="stories",
        ),
        read("list_roles", PathPrefix="/", MaxItems=100),
        write("put_role_policy", RoleName="stories", PolicyName="p", PolicyDocument=_POLICY),
        read("get_role_policy", RoleName="stories", PolicyName="p"),
        fail("get_user", "NoSuchEntity", UserName="none"),
    ],
    "kinesis": [
        write("create_stream", StreamName="stories", ShardCount=1),
        write("put_record", StreamName="stories", Data=b"\x00\xffdata", PartitionKey="ü"),
        read("describe_stream_summary", StreamName="stories"),
        write(
            "get_shard_iterator",
            {"from": "ShardIterator"},
            StreamName="stories",
            ShardId="shardId-000000000000",
            ShardIteratorType="TRIM_HORIZON",
        ),
        write("get_records", {"data": "Records[0].Data"}, ShardIterator="$from"),
        read("list_shards", StreamName="stories"),
        fail("describe_stream_summary", "ResourceNotFoundException", StreamName="none"),
    ],
    "kms": [
        write("create_key", {"key": "KeyMetadata.KeyId"}, Description="of stories"),
        read("describe_key", KeyId="$key"),
        write("encrypt", {"secret": "CiphertextBlob"}, KeyId="$key", Plaintext=b"\x00plain"),
        read("decrypt", {"Plaintext": b"\x00plain"}, CiphertextBlob="$secret"),
        fail("describe_key", "NotFoundException", KeyId="4e7a4e4c-0000-4000-8000-000000000000"),
    ],
    "lambda": [
        write(
            "create_function",
            FunctionName="stories",
            Runtime="python3.12",
            Role=_ROLE,
            Handler="lambda_function.handler",
            Code={"ZipFile": _program()},
            Environment={"Variables": {"WHO": "ü"}},
        ),
        read("get_function", FunctionName="stories"),
        read("list_functions", MaxItems=10),
        write("publish_version", FunctionName="stories"),
        read("list_versions_by_function", FunctionName="stories"),
        fail("get_function", "ResourceNotFoundException", FunctionName="none"),
    ],
    "logs": [
        write("create_log_group", logGroupName="/stories", tags={"a": "b"}),
        write("create_log_stream", logGroupName="/stories", logStreamName="ü"),
        write(
            "put_log_events",
            logGroupName="/stories",
            logStreamName="ü",
            logEvents=[{"timestamp": _NOW, "message": "once 🚀"}],
        ),
        read("describe_log_groups", logGroupNamePrefix="/stories"),
        read(
            "get_log_events",
            {"events[0].message": "once 🚀"},
            logGroupName="/stories",
            logStreamName="ü",
            startTime=0,
            startFromHead=True,
        ),
        fail(
            "get_log_events", "ResourceNotFoundException", logGroupName="/none", logStreamName="x"
        ),
    ],
    "rds": [
        write(
            "create_db_instance",
            DBInstanceIdentifier="stories",
            DBInstanceClass="db.t3.micro",
            Engine="postgres",
            MasterUsername="ann",
            MasterUserPassword="p a&ss/word",
            AllocatedStorage=20,
        ),
        write(
            "create_db_parameter_group",
            DBParameterGroupName="stories",
            DBParameterGroupFamily="postgres16",
            Description="a < b",
        ),
        read("describe_db_parameter_groups", DBParameterGroupName="stories"),
        fail("describe_db_instances", "DBInstanceNotFound", DBInstanceIdentifier="none"),
    ],
    "route53": [
        write(
            "create_hosted_zone",
            {"zone": "HostedZone.Id"},
            Name="stories.test",
            CallerReference="1",
        ),
        write(
            "change_resource_record_sets",
            HostedZoneId="$zone",
            ChangeBatch={
                "Comment": "a < b",
                "Changes": [
                    {
                        "Action": "CREATE",
                        "ResourceRecordSet": {
                            "Name": "www.stories.test",
                            "Type": "TXT",
                            "TTL": 60,
                            "ResourceRecords": [{"Value": '"a & b"'}],
                        },
                    }
                ],
            },
        ),
        read("list_resource_record_sets", HostedZoneId="$zone"),
        read("get_hosted_zone", Id="$zone"),
        fail("get_hosted_zone", "NoSuchHostedZone", Id="ZNONE"),
    ],
    "s3": [
        write("create_bucket", Bucket="stories-of-all"),
        write(
            "put_object",
            Bucket="stories-of-all",
            Key="a b/ü+%2F?",
            Body=b"\x00\xff",
            Metadata={"Who": "me"},
            ContentType="x/y",
            Expires=NOON,
            Tagging="k=v%20w",
        ),
        read("head_object", {"Metadata.who": "me"}, Bucket="stories-of-all", Key="a b/ü+%2F?"),
        read("get_object", {"Body": b"\x00\xff"}, Bucket="stories-of-all", Key="a b/ü+%2F?"),
        read("get_object_tagging", Bucket="stories-of-all", Key="a b/ü+%2F?"),
        read("list_objects_v2", {"KeyCount": 1}, Bucket="stories-of-all", Delimiter="|"),
        read("list_objects", {"Contents[0].Key": "a b/ü+%2F?"}, Bucket="stories-of-all"),
        read("list_object_versions", Bucket="stories-of-all"),
        read("get_bucket_location", Bucket="stories-of-all"),
        write(
            "put_bucket_cors",
            Bucket="stories-of-all",
            CORSConfiguration={
                "CORSRules": [{"AllowedMethods": ["GET", "PUT"], "AllowedOrigins": ["http://*.x"]}]
            },
        ),
        read("get_bucket_cors", Bucket="stories-of-all"),
        fail("get_object", "NoSuchKey", Bucket="stories-of-all", Key="none"),
        fail("head_object", "404", Bucket="stories-of-all", Key="none"),
        fail("list_objects_v2", "NoSuchBucket", Bucket="stories-of-none"),
    ],
    "secretsmanager": [
        write("create_secret", Name="stories", SecretBinary=b"\x00\x01", Tags=[]),
        read("get_secret_value", {"SecretBinary": b"\x00\x01"}, SecretId="stories"),
        read("describe_secret", SecretId="stories"),
        fail("get_secret_value", "ResourceNotFoundException", SecretId="none"),
    ],
    "sesv2": [
        write("create_contact_list", ContactListName="stories", Description="ü"),
        read("get_contact_list", {"Description": "ü"}, ContactListName="stories"),
        read("list_contact_lists"),
        fail("get_contact_list", "NotFoundException", ContactListName="none"),
    ],
    "sns": [
        write(
            "create_topic", {"topic": "TopicArn"}, Name="stories", Attributes={"DisplayName": "ü"}
        ),
        read("get_topic_attributes", {"Attributes.DisplayName": "ü"}, TopicArn="$topic"),
        write(
            "publish",
            TopicArn="$topic",
            Message="a & b",
            MessageAttributes={"n": {"DataType": "Binary", "BinaryValue": b"\x00"}},
        ),
        read("list_topics"),
        fail(
            "get_topic_attributes", "NotFound", TopicArn="arn:aws:sns:us-east-1:123456789012:none"
        ),
    ],
    "sqs": [
        write("create_queue", {"url": "QueueUrl"}, QueueName="stories", tags={"a": "b"}),
        write(
            "send_message",
            QueueUrl="$url",
            MessageBody="<ü>",
            MessageAttributes={"n": {"DataType": "Binary", "BinaryValue": b"\x00"}},
        ),
        read("get_queue_attributes", QueueUrl="$url", AttributeNames=["All"]),
        read("get_queue_url", QueueName="stories"),
        write(
            "receive_message",
            {"receipt": "Messages[0].ReceiptHandle"},
            QueueUrl="$url",
            MessageAttributeNames=["All"],
        ),
        write("delete_message", QueueUrl="$url", ReceiptHandle="$receipt"),
        fail("get_queue_url", "AWS.SimpleQueueService.NonExistentQueue", QueueName="none"),
    ],
    "ssm": [
        write("put_parameter", Name="/stories/a", Value="ü", Type="SecureString"),
        read("get_parameter", {"Parameter.Value": "ü"}, Name="/stories/a", WithDecryption=True),
        read("get_parameters_by_path", Path="/stories"),
        fail("get_parameter", "ParameterNotFound", Name="/none"),
    ],
    "stepfunctions": [
        write(
            "create_state_machine",
            {"machine": "stateMachineArn"},
            name="stories",
            definition=_STATES,
            roleArn=_ROLE,
        ),
        read("describe_state_machine", stateMachineArn="$machine"),
        write("start_execution", {"run": "executionArn"}, stateMachineArn="$machine", input="{}"),
        read("list_executions", stateMachineArn="$machine"),
        fail(
            "describe_state_machine",
            "StateMachineDoesNotExist",
            stateMachineArn="arn:aws:states:us-east-1:123456789012:stateMachine:none",
        ),
    ],
    "sts": [
        read("get_caller_identity"),
        write("get_session_token", {"key": "Credentials.AccessKeyId"}, DurationSeconds=900),
    ],
}
