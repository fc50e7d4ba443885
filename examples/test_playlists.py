"""Tests of ``examples/playlists.py`` without network or credentials: run them with pytest."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tornado_aws.services.dynamodb import DynamoDB
from tornado_aws.services.s3 import S3

from examples import playlists
from tornado_aws.testing import Stubber

PAGES: list[dict[str, Any]] = [
    {"Items": [{"title": {"S": "Debaser"}}], "LastEvaluatedKey": {"title": {"S": "Debaser"}}},
    {"Items": [{"title": {"S": "Caribou"}}]},
]


def test_every_page_of_songs_is_read() -> None:
    """The second page is asked for with the key that ended the first."""
    dynamodb = DynamoDB()
    scan = {"TableName": "songs", "ProjectionExpression": "title"}
    with Stubber(dynamodb) as stub:
        stub.expect("scan", scan, returns=PAGES[0])
        stub.expect(
            "scan", {**scan, "ExclusiveStartKey": {"title": {"S": "Debaser"}}}, returns=PAGES[1]
        )
        assert asyncio.run(playlists.titles(dynamodb)) == ["Caribou", "Debaser"]


def test_without_a_table_the_program_is_not_ready() -> None:
    """The service's error is the cause."""
    dynamodb = DynamoDB()
    with Stubber(dynamodb) as stub:
        stub.expect("scan", raises="ResourceNotFoundException", message="no such table")
        with pytest.raises(playlists.NotReadyError) as caught:
            asyncio.run(playlists.titles(dynamodb))
    assert isinstance(caught.value.__cause__, dynamodb.exceptions.ResourceNotFoundException)


@pytest.mark.parametrize("before", [None, b"[]"], ids=["absent", "outdated"])
def test_a_new_playlist_is_published(before: bytes | None) -> None:
    """Whether there is none yet or another one."""
    dynamodb, s3 = DynamoDB(), S3()
    with Stubber(dynamodb) as songs, Stubber(s3) as bucket:
        songs.answer("scan", returns=PAGES[1])
        if before is None:
            bucket.expect("get_object", raises="NoSuchKey")
        else:
            bucket.expect("get_object", returns={"Body": before})
        bucket.expect("put_object", {"Bucket": "b", "Key": "playlist.json", "Body": b'["Caribou"]'})
        assert asyncio.run(playlists.publish(dynamodb, s3, "b")) == 1


def test_an_unchanged_playlist_is_left_alone() -> None:
    """Nothing is written: a call of put_object would fail the test."""
    dynamodb, s3 = DynamoDB(), S3()
    with Stubber(dynamodb) as songs, Stubber(s3) as bucket:
        songs.answer("scan", returns=PAGES[1])
        bucket.answer("get_object", returns={"Body": b'["Caribou"]'})
        asyncio.run(playlists.publish(dynamodb, s3, "b"))
    assert [call.operation for call in bucket.calls] == ["GetObject"]
