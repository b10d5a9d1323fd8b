"""Where the service is, and how long to wait for it."""

from __future__ import annotations

import os
from dataclasses import dataclass

import httpx

DEFAULT_URL = "http://127.0.0.1:8080"


@dataclass(frozen=True)
class Settings:
    """The settings of a client.

    `url` and `token` default to the variables `RESPONSE_CACHE_URL` and
    `RESPONSE_CACHE_TOKEN`. `timeout`, in seconds, bounds each exchange with the service, and
    `wait` how long a look-up waits for another caller's answer in addition. With `strict`,
    errors of the cache are raised instead of computing without it.
    """

    url: str | None = None
    token: str | None = None
    timeout: float = 2.0
    wait: float = 5.0
    strict: bool = False

    def base_url(self) -> str:
        return self.url or os.environ.get("RESPONSE_CACHE_URL") or DEFAULT_URL

    def headers(self) -> dict[str, str]:
        """The headers of every request."""
        token = self.token or os.environ.get("RESPONSE_CACHE_TOKEN")
        return {"Authorization": f"Bearer {token}"} if token else {}

    def timeouts(self, wait: float) -> httpx.Timeout:
        """The limits for a request that the service may hold for `wait` seconds."""
        return httpx.Timeout(self.timeout, read=self.timeout + wait)
