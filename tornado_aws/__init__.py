"""A fast, typed, asynchronous AWS client for Tornado and asyncio."""
