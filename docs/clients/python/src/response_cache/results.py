"""What a look-up finds, as types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .question import Question


@dataclass(frozen=True)
class Answer:
    """A computed answer: what to store beside its data.

    `tags` name the records that it is made of, such as `loan:17`: invalidating one removes
    the answer. `ttl`, in seconds, only shortens that of the class. `negative` says that
    there is nothing; such an answer is stored for the `negative_ttl` of the class.
    """

    data: Mapping[str, Any]
    tags: Sequence[str] = ()
    ttl: float | None = None
    negative: bool = False


@dataclass(frozen=True)
class StoredAnswer:
    """An answer of the service. `data` is what a caller filled, or a source's records."""

    source: str
    intent: str
    confidence: float
    data: dict[str, Any]
    timestamp: str


@dataclass(frozen=True)
class Ask:
    """What a permit's answer is to be computed from, and from nothing else."""

    intent: str
    confidence: float
    message: str
    slots: dict[str, str]
    doubtful: bool
    today: str | None = None
    user_id: Any = None
    user_role: Any = None

    def is_for(self, question: Question) -> bool:
        """Whether an answer to `question` is exactly what the permit asks for.

        It is not if the service read a slot in another form, or keeps the answer for
        everyone while the question is a user's.
        """
        asked = (self.intent, self.slots)
        if self.doubtful or asked != (question.intent, dict(question.slots)):
            return False
        user = question.user
        if user is None:
            return self.user_id is None
        return same(self.user_id, user.id) and same(self.user_role, user.role)


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal; unlike `==`, `1`, `1.0` and `True` are not."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


@dataclass(frozen=True)
class Permit:
    """Nothing is stored: compute the answer from `ask`, and fill, fail or release it.

    After `expires_in` seconds the permit passes to the next caller that waits.
    """

    id: str
    expires_in: float
    ask: Ask


@dataclass(frozen=True)
class Fresh:
    """A stored answer within its TTL. With a `permit`, it is due for a refresh by you."""

    answer: StoredAnswer
    age: float | None = None
    ttl: float | None = None
    permit: Permit | None = None


@dataclass(frozen=True)
class Stale:
    """An answer past its TTL that may be served. With a `permit`, refresh it: you alone do."""

    answer: StoredAnswer
    age: float | None = None
    ttl: float | None = None
    permit: Permit | None = None


@dataclass(frozen=True)
class Negative:
    """The stored answer that there is nothing."""

    answer: StoredAnswer
    age: float | None = None
    ttl: float | None = None
    permit: Permit | None = None


@dataclass(frozen=True)
class InFlight:
    """Another caller still computes the answer."""


@dataclass(frozen=True)
class Failed:
    """The caller that was waited for failed; `reason` is what it said."""

    reason: str


@dataclass(frozen=True)
class Bypass:
    """The cache is not used: compute the answer and fill nothing."""

    reason: str


Found = Fresh | Stale | Negative | Permit | InFlight | Failed | Bypass


@dataclass(frozen=True)
class Stored:
    """The reply to a fill. `reason` says why an answer is not stored."""

    stored: bool
    reason: str | None = None
