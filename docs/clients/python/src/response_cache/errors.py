"""What can go wrong between a program and the cache service."""

from __future__ import annotations


class CacheError(Exception):
    """The cache service did not do what it was asked."""


class CacheUnavailable(CacheError):
    """The service was not reached, or did not answer in time."""


class CacheRefused(CacheError):
    """The service answered with an error.

    `status` is the HTTP status, `code` the cause for programs, such as `unknown_intent`;
    `code` is empty where the answer is not a problem document.
    """

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(f"{status} {code}: {detail}" if code else f"{status}: {detail}")
        self.status = status
        self.code = code
        self.detail = detail


class MalformedReply(CacheError):
    """The service's reply is not of the documented form; is the URL that of the service?"""


class NotJson(CacheError):
    """What was to be sent, such as a user's id, is not a JSON value."""
