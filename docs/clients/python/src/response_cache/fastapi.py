"""The cache in FastAPI: a lifespan that closes it, and a dependency.

Needs the extra: `pip install response-cache[fastapi]`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI
from fastapi.requests import HTTPConnection

from .async_client import AsyncResponseCache


def cache_lifespan(
    cache: AsyncResponseCache | None = None,
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """A lifespan for `FastAPI(lifespan=…)` that offers this cache, and closes it at the end.

    Without a `cache`, one with the settings of the environment is made. In a lifespan of
    your own: `async with cache_lifespan()(app): yield`.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with cache or AsyncResponseCache() as opened:
            app.state.response_cache = opened
            yield

    return lifespan


def response_cache(connection: HTTPConnection) -> AsyncResponseCache:
    """The application's cache, as a dependency: `Depends(response_cache)`."""
    cache = getattr(connection.app.state, "response_cache", None)
    if not isinstance(cache, AsyncResponseCache):
        raise RuntimeError("the application has no cache: FastAPI(lifespan=cache_lifespan())")
    return cache


Cache = Annotated[AsyncResponseCache, Depends(response_cache)]
"""A parameter of this type is the application's cache."""
