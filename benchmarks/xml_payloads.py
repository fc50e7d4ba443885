"""Parameters and answers of the services that speak XML, as they are on the wire."""

from __future__ import annotations

from typing import Any

DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'

INSTANCE = """
            <item>
                <instanceId>i-{number:017x}</instanceId>
                <imageId>ami-0123456789abcdef0</imageId>
                <instanceState>
                    <code>16</code>
                    <name>running</name>
                </instanceState>
                <privateDnsName>ip-10-0-0-{number}.ec2.internal</privateDnsName>
                <dnsName>ec2-192-0-2-{number}.compute-1.amazonaws.com</dnsName>
                <reason/>
                <keyName>my-key</keyName>
                <amiLaunchIndex>0</amiLaunchIndex>
                <productCodes/>
                <instanceType>m5.large</instanceType>
                <launchTime>2026-01-02T03:04:05.000Z</launchTime>
                <placement>
                    <availabilityZone>us-east-1a</availabilityZone>
                    <groupName/>
                    <tenancy>default</tenancy>
                </placement>
                <monitoring>
                    <state>disabled</state>
                </monitoring>
                <subnetId>subnet-0123456789abcdef0</subnetId>
                <vpcId>vpc-0123456789abcdef0</vpcId>
                <privateIpAddress>10.0.0.{number}</privateIpAddress>
                <ipAddress>192.0.2.{number}</ipAddress>
                <sourceDestCheck>true</sourceDestCheck>
                <groupSet>
                    <item>
                        <groupId>sg-0123456789abcdef0</groupId>
                        <groupName>web</groupName>
                    </item>
                </groupSet>
                <architecture>x86_64</architecture>
                <rootDeviceType>ebs</rootDeviceType>
                <rootDeviceName>/dev/xvda</rootDeviceName>
                <blockDeviceMapping>
                    <item>
                        <deviceName>/dev/xvda</deviceName>
                        <ebs>
                            <volumeId>vol-{number:017x}</volumeId>
                            <status>attached</status>
                            <attachTime>2026-01-02T03:04:06.000Z</attachTime>
                            <deleteOnTermination>true</deleteOnTermination>
                        </ebs>
                    </item>
                </blockDeviceMapping>
                <virtualizationType>hvm</virtualizationType>
                <clientToken>01234567-89ab-cdef-0123-{number:012x}</clientToken>
                <tagSet>
                    <item>
                        <key>Name</key>
                        <value>web-{number}</value>
                    </item>
                    <item>
                        <key>environment</key>
                        <value>production</value>
                    </item>
                </tagSet>
                <hypervisor>xen</hypervisor>
                <networkInterfaceSet>
                    <item>
                        <networkInterfaceId>eni-{number:017x}</networkInterfaceId>
                        <subnetId>subnet-0123456789abcdef0</subnetId>
                        <vpcId>vpc-0123456789abcdef0</vpcId>
                        <description/>
                        <ownerId>123456789012</ownerId>
                        <status>in-use</status>
                        <macAddress>02:00:00:00:00:01</macAddress>
                        <privateIpAddress>10.0.0.{number}</privateIpAddress>
                        <sourceDestCheck>true</sourceDestCheck>
                        <groupSet>
                            <item>
                                <groupId>sg-0123456789abcdef0</groupId>
                                <groupName>web</groupName>
                            </item>
                        </groupSet>
                        <attachment>
                            <attachmentId>eni-attach-{number:017x}</attachmentId>
                            <deviceIndex>0</deviceIndex>
                            <status>attached</status>
                            <attachTime>2026-01-02T03:04:05.000Z</attachTime>
                            <deleteOnTermination>true</deleteOnTermination>
                            <networkCardIndex>0</networkCardIndex>
                        </attachment>
                        <privateIpAddressesSet>
                            <item>
                                <privateIpAddress>10.0.0.{number}</privateIpAddress>
                                <primary>true</primary>
                            </item>
                        </privateIpAddressesSet>
                        <ipv6AddressesSet/>
                        <interfaceType>interface</interfaceType>
                    </item>
                </networkInterfaceSet>
                <ebsOptimized>true</ebsOptimized>
                <enaSupport>true</enaSupport>
                <cpuOptions>
                    <coreCount>1</coreCount>
                    <threadsPerCore>2</threadsPerCore>
                </cpuOptions>
                <metadataOptions>
                    <state>applied</state>
                    <httpTokens>required</httpTokens>
                    <httpPutResponseHopLimit>2</httpPutResponseHopLimit>
                    <httpEndpoint>enabled</httpEndpoint>
                </metadataOptions>
            </item>"""


def listing(count: int) -> bytes:
    """Return the answer to a ListObjectsV2."""
    objects = "".join(
        f"<Contents><Key>photos/2026/{number:06}/picture {number}.jpg</Key>"
        f"<LastModified>2026-01-{number % 28 + 1:02}T03:04:05.000Z</LastModified>"
        f"<ETag>&quot;{number:032x}&quot;</ETag><Size>{number * 1013}</Size>"
        "<StorageClass>STANDARD</StorageClass></Contents>"
        for number in range(count)
    )
    return (
        f'{DECLARATION}<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"<Name>my-bucket</Name><Prefix>photos/</Prefix><KeyCount>{count}</KeyCount>"
        f"<MaxKeys>{count}</MaxKeys><IsTruncated>false</IsTruncated>{objects}</ListBucketResult>"
    ).encode()


def instances(count: int) -> bytes:
    """Return the answer to a DescribeInstances, indented as EC2 indents it."""
    reservations = "".join(
        f"\n        <item>\n            <reservationId>r-{number:017x}</reservationId>"
        f"\n            <ownerId>123456789012</ownerId>\n            <groupSet/>"
        f"\n            <instancesSet>{INSTANCE.format(number=number)}\n            </instancesSet>"
        "\n        </item>"
        for number in range(count)
    )
    return (
        f'{DECLARATION}<DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">'
        "\n    <requestId>01234567-89ab-cdef-0123-456789abcdef</requestId>"
        f"\n    <reservationSet>{reservations}\n    </reservationSet>\n</DescribeInstancesResponse>"
    ).encode()


def caller_identity() -> bytes:
    """Return the answer to a GetCallerIdentity."""
    return b"""<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <GetCallerIdentityResult>
    <Arn>arn:aws:iam::123456789012:user/jane</Arn>
    <UserId>AIDAEXAMPLE</UserId>
    <Account>123456789012</Account>
  </GetCallerIdentityResult>
  <ResponseMetadata>
    <RequestId>01234567-89ab-cdef-0123-456789abcdef</RequestId>
  </ResponseMetadata>
</GetCallerIdentityResponse>
"""


def run_instances() -> dict[str, Any]:
    """Return the parameters of a RunInstances."""
    return {
        "ImageId": "ami-0123456789abcdef0",
        "InstanceType": "m5.large",
        "MinCount": 1,
        "MaxCount": 3,
        "KeyName": "my-key",
        "SecurityGroupIds": ["sg-0123456789abcdef0", "sg-0123456789abcdef1"],
        "SubnetId": "subnet-0123456789abcdef0",
        "UserData": "IyEvYmluL3NoCmVjaG8gaGVsbG8K",
        "EbsOptimized": True,
        "ClientToken": "01234567-89ab-cdef-0123-456789abcdef",
        "BlockDeviceMappings": [
            {
                "DeviceName": "/dev/xvda",
                "Ebs": {"VolumeSize": 100, "VolumeType": "gp3", "DeleteOnTermination": True},
            }
        ],
        "TagSpecifications": [
            {
                "ResourceType": "instance",
                "Tags": [
                    {"Key": "Name", "Value": "web-1"},
                    {"Key": "environment", "Value": "production"},
                ],
            }
        ],
        "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 2},
    }


def delete_objects(count: int) -> dict[str, Any]:
    """Return the parameters of a DeleteObjects."""
    keys = (f"photos/2026/{number:06}/picture {number}.jpg" for number in range(count))
    return {
        "Bucket": "my-bucket",
        "Delete": {"Objects": [{"Key": key} for key in keys], "Quiet": True},
    }
