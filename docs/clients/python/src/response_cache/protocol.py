"""Get or fill, as a protocol without I/O that both clients run.

It is a generator: it yields what to do next, and is sent the result or the exception.
"""

from __future__ import annotations

import json
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, TypeVar

from .counts import Counts, Event, logger
from .errors import CacheError, CacheRefused
from .question import Question
from .results import (
    Answer,
    Failed,
    Found,
    Fresh,
    Negative,
    Permit,
    Stale,
    Stored,
    StoredAnswer,
    same,
)


@dataclass(frozen=True)
class Look:
    """Look the question up; the result is a `Found`."""


@dataclass(frozen=True)
class Compute:
    """Call the function; the result is an `Answer`."""


@dataclass(frozen=True)
class Refresh:
    """Run `refresh` in the background; the result says whether it is started."""

    permit: Permit


@dataclass(frozen=True)
class Fill:
    """Fill the permit; the result is a `Stored`."""

    permit: Permit
    answer: Answer


@dataclass(frozen=True)
class Fail:
    """End the permit with a reason; the result is what the waiters get, a `Found`."""

    permit: Permit
    reason: str


@dataclass(frozen=True)
class Release:
    """Give the permit up. Must not be stopped by a cancellation."""

    permit: Permit


Step = Look | Compute | Refresh | Fill | Fail | Release
T = TypeVar("T")
Running = Generator[Step, Any, T]
Steps = Running[dict[str, Any]]

_EVENTS: dict[type, Event] = {Fresh: "fresh", Stale: "stale", Negative: "negative"}


def get_or_fill(question: Question, counts: Counts, strict: bool) -> Steps:
    """Answers the question from the cache, or computes and fills its answer.

    Without `strict`, an error of the cache means computing, and nothing else.
    """
    # A caller that was waited for may have failed; the second look-up gets its turn.
    for _ in range(2):
        found = yield from _look(counts, strict)
        if not isinstance(found, Failed):
            break
    if isinstance(found, Fresh | Stale | Negative):
        return (yield from _serve(found, question, counts, strict))
    if isinstance(found, Permit):
        if found.ask.is_for(question):
            return (yield from compute_and_fill(found, counts, strict))
        logger.warning(
            "%s: computing without the cache: the service reads the question otherwise; give "
            "slots in the form of the catalogue, and a user for a user's answers alone",
            question.intent,
        )
        yield from _release(found, counts)
    answer = yield from _compute(counts)
    return dict(answer.data)


def _look(counts: Counts, strict: bool) -> Running[Found | None]:
    try:
        found: Found = yield Look()
    except CacheError as error:
        counts.error("look-up", error)
        if strict:
            raise
        return None
    counts.reached()
    return found


def _serve(
    found: Fresh | Stale | Negative, question: Question, counts: Counts, strict: bool
) -> Steps:
    counts.add(_EVENTS[type(found)])
    if found.permit is None:
        return found.answer.data
    if not found.permit.ask.is_for(question):
        yield from _release(found.permit, counts)
        return found.answer.data
    if (yield Refresh(found.permit)):
        return found.answer.data
    data = yield from refresh(found.permit, counts, strict)
    return found.answer.data if data is None else data


def refresh(permit: Permit, counts: Counts, strict: bool) -> Running[dict[str, Any] | None]:
    """Computes and fills a due answer; `None` if the function failed, which is logged."""
    try:
        return (yield from compute_and_fill(permit, counts, strict))
    except Exception as error:
        if strict and isinstance(error, CacheError):
            raise
        logger.warning("%s: a refresh failed: %s", permit.ask.intent, type(error).__name__)
        return None


def compute_and_fill(permit: Permit, counts: Counts, strict: bool) -> Steps:
    """Computes the answer of a permit and ends the permit in any case."""
    try:
        answer = yield from _compute(counts)
    except Exception as error:
        stale = yield from _fail(permit, error, counts)
        if stale is not None:
            return stale.data
        raise
    except BaseException:
        yield from _release(permit, counts)
        raise
    data = dict(answer.data)
    if not survives_json(data):
        logger.warning(
            "%s: not stored: JSON would change the data, so that a hit would differ",
            permit.ask.intent,
        )
        counts.add("not_stored")
        yield from _release(permit, counts)
        return data
    try:
        stored: Stored = yield Fill(permit, answer)
    except CacheError as error:
        counts.error("fill", error)
        counts.add("not_stored")
        if isinstance(error, CacheRefused) and error.code != "no_such_permit":
            # Those who wait get their turn now, not at the permit's deadline.
            yield from _release(permit, counts)
        if strict:
            raise
        return data
    except BaseException:
        yield from _release(permit, counts)
        raise
    counts.add("stored" if stored.stored else "not_stored")
    return data


def _compute(counts: Counts) -> Running[Answer]:
    counts.add("computed")
    try:
        answer: Answer = yield Compute()
    except BaseException:
        counts.add("compute_failed")
        raise
    return answer


def _fail(permit: Permit, error: Exception, counts: Counts) -> Running[StoredAnswer | None]:
    try:
        # The name alone: the text may hold what the waiters must not see.
        found: Found = yield Fail(permit, type(error).__name__)
    except CacheError as failure:
        counts.error("fail", failure)
        return None
    return found.answer if isinstance(found, Fresh | Stale | Negative) else None


def _release(permit: Permit, counts: Counts) -> Running[None]:
    counts.add("released")
    try:
        yield Release(permit)
    except CacheError as error:
        counts.error("release", error)


def survives_json(data: dict[str, Any]) -> bool:
    """Whether a hit would return exactly this."""
    try:
        return same(json.loads(json.dumps(data, allow_nan=False)), data)
    except (TypeError, ValueError, RecursionError):
        return False
