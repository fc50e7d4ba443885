"""A small program, and how its tests stub its calls: see ``examples/test_playlists.py``."""

from __future__ import annotations

import json

from tornado_aws.services.dynamodb import DynamoDB
from tornado_aws.services.s3 import S3


class NotReadyError(Exception):
    """The table of songs does not exist."""


async def titles(dynamodb: DynamoDB) -> list[str]:
    """Return the titles of all songs, from as many pages as there are."""
    songs = dynamodb.paginate_scan(TableName="songs", ProjectionExpression="title")
    try:
        return sorted([song["title"]["S"] async for song in songs.items()])
    except DynamoDB.exceptions.ResourceNotFoundException as error:
        raise NotReadyError from error


async def publish(dynamodb: DynamoDB, s3: S3, bucket: str) -> int:
    """Write the playlist into a bucket unless it is there already; return its length in songs."""
    songs = await titles(dynamodb)
    text = json.dumps(songs).encode()
    if await published(s3, bucket) != text:
        await s3.put_object(Bucket=bucket, Key="playlist.json", Body=text)
    return len(songs)


async def published(s3: S3, bucket: str) -> bytes | None:
    """Return the playlist that is in a bucket, None without one."""
    try:
        result = await s3.get_object(Bucket=bucket, Key="playlist.json")
    except S3.exceptions.NoSuchKey:
        return None
    async with result["Body"] as body:
        return await body.read()
