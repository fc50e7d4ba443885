"""A fast, typed, asynchronous AWS client for Tornado and asyncio."""

__version__ = "3.0.0"
