"""What a client counts and logs."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from typing import Literal

from .errors import CacheError

logger = logging.getLogger("response_cache")

Event = Literal[
    "fresh",
    "stale",
    "negative",
    "computed",
    "stored",
    "not_stored",
    "compute_failed",
    "released",
    "cache_errors",
]


class Counts:
    """Counts events. Safe to share between threads.

    `fresh`, `stale` and `negative` are answers from the cache, `computed` calls of the
    wrapped function, `compute_failed` those of them that raised, and `cache_errors` failed
    exchanges with the service.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._failing = False

    def add(self, event: Event) -> None:
        with self._lock:
            self._counts[event] += 1

    def error(self, what: str, error: CacheError) -> None:
        """Counts a failed exchange. The first of a run is logged as a warning."""
        with self._lock:
            self._counts["cache_errors"] += 1
            level = logging.DEBUG if self._failing else logging.WARNING
            self._failing = True
        logger.log(level, "computing without the cache: %s: %s", what, error)

    def reached(self) -> None:
        """Notes that the service answers, so that its next failure is logged."""
        with self._lock:
            self._failing = False

    def __getitem__(self, event: Event) -> int:
        with self._lock:
            return self._counts[event]

    def as_dict(self) -> dict[str, int]:
        """The events that occurred, with their counts."""
        with self._lock:
            return dict(self._counts)
