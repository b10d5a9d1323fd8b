"""What is asked of the cache, and for whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

DEFAULT_ROLE = "guest"


@dataclass(frozen=True)
class User:
    """Who asks. Answers are kept for this user in this role alone.

    `id` and `role` are JSON values. An `id` that Python calls false identifies nobody, and
    nothing personal is kept for nobody.
    """

    id: Any
    role: Any = DEFAULT_ROLE

    @classmethod
    def of(cls, who: UserLike) -> User:
        """Reads a user, a user's id, or a mapping with `user_id` and `user_role`."""
        if isinstance(who, User):
            return who
        if isinstance(who, Mapping):
            return cls(who.get("user_id"), who.get("user_role", DEFAULT_ROLE))
        return cls(who)

    def context(self) -> dict[str, Any]:
        """The `user_context` of a request."""
        return {"user_id": self.id, "user_role": self.role}


UserLike = User | str | Mapping[str, Any]


@dataclass(frozen=True)
class Question:
    """What identifies an answer: the same question by the same user has the same answer.

    `user` is `None` for an answer that is everyone's. `slots` are in the form of the
    catalogue, such as `2025-03` for a period.
    """

    intent: str
    user: User | None = None
    slots: Mapping[str, str] = field(default_factory=dict)
