"""Client of the response cache service: see the README for its use."""

from .async_client import AsyncResponseCache
from .cached import cached
from .client import ResponseCache
from .counts import Counts
from .errors import CacheError, CacheRefused, CacheUnavailable, MalformedReply, NotJson
from .question import Question, User, UserLike
from .results import (
    Answer,
    Ask,
    Bypass,
    Failed,
    Found,
    Fresh,
    InFlight,
    Negative,
    Permit,
    Stale,
    Stored,
    StoredAnswer,
)
from .settings import Settings

__all__ = [
    "Answer",
    "Ask",
    "AsyncResponseCache",
    "Bypass",
    "CacheError",
    "CacheRefused",
    "CacheUnavailable",
    "Counts",
    "Failed",
    "Found",
    "Fresh",
    "InFlight",
    "MalformedReply",
    "Negative",
    "NotJson",
    "Permit",
    "Question",
    "ResponseCache",
    "Settings",
    "Stale",
    "Stored",
    "StoredAnswer",
    "User",
    "UserLike",
    "cached",
]
