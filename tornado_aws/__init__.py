"""A fast, typed, asynchronous AWS client for Tornado and asyncio."""

from tornado_aws import exceptions
from tornado_aws.client import AsyncAWSClient, AWSClient

__all__ = ["AWSClient", "AsyncAWSClient", "__version__", "exceptions"]
__version__ = "3.0.0"
