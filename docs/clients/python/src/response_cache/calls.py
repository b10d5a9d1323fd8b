"""The requests to the service and the reading of its replies, without any I/O."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import httpx

from .errors import CacheRefused, MalformedReply, NotJson
from .question import User, UserLike
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

T = TypeVar("T")

Computed = Mapping[str, Any] | Answer
"""What a function may return: the data alone, or with its tags."""


def as_answer(computed: Computed) -> Answer:
    """What a function returned, as an answer; raises `TypeError` for anything else."""
    if isinstance(computed, Answer):
        return computed
    if isinstance(computed, Mapping):
        return Answer(computed)
    kind = type(computed).__name__
    raise TypeError(f"an answer is a mapping or an `Answer`, but the function returned a {kind}")


@dataclass(frozen=True)
class Call(Generic[T]):
    """One request, and how its reply is read."""

    method: str
    path: str
    read: Callable[[Any], T]
    body: Any = None
    cache_control: str | None = None
    wait: float = 0.0

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the request, without those of the client."""
        headers = {}
        if self.body is not None:
            headers["Content-Type"] = "application/json"
        if self.cache_control is not None:
            headers["Cache-Control"] = self.cache_control
        return headers

    @property
    def content(self) -> bytes | None:
        """The body as JSON; raises `NotJson` for what JSON cannot hold."""
        try:
            return None if self.body is None else json.dumps(self.body, allow_nan=False).encode()
        except (TypeError, ValueError, RecursionError) as error:
            raise NotJson(f"{self.path}: {error}") from error

    def result(self, response: httpx.Response) -> T:
        """Reads the reply; raises `CacheRefused` or `MalformedReply`."""
        if response.status_code != 200:
            raise _refused(response)
        try:
            return self.read(response.json())
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise MalformedReply(f"{self.path}: {type(error).__name__}: {error}") from error


def lookup(
    user: UserLike | None,
    *,
    intent: str | None,
    message: str | None,
    slots: Mapping[str, str] | None,
    wait: float | None,
    deadline: float | None,
    cache_control: str | None,
) -> Call[Found]:
    body: dict[str, Any] = {"user_context": {} if user is None else User.of(user).context()}
    optional = {
        "intent": intent,
        "message": message,
        "slots": None if slots is None else dict(slots),
        "wait": wait,
        "deadline": deadline,
    }
    body |= {name: value for name, value in optional.items() if value is not None}
    return Call("POST", "/v1/cache/lookup", _found, body, cache_control, wait or 0.0)


def fill(permit: Permit | str, answer: Answer) -> Call[Stored]:
    body = {
        "permit": _id(permit),
        "data": dict(answer.data),
        "tags": list(answer.tags),
        "ttl": answer.ttl,
        "negative": answer.negative,
    }
    return Call("POST", "/v1/cache/fill", lambda r: Stored(r["stored"], r.get("reason")), body)


def fail(permit: Permit | str, reason: str) -> Call[Found]:
    body = {"permit": _id(permit), "reason": reason}
    return Call("POST", "/v1/cache/fail", _found, body)


def release(permit: Permit | str) -> Call[None]:
    return Call("POST", "/v1/cache/release", lambda _: None, {"permit": _id(permit)})


def route(message: str, user: UserLike, intent: str | None) -> Call[StoredAnswer]:
    body: dict[str, Any] = {"message": message, "user_context": User.of(user).context()}
    if intent is not None:
        body["forced_intent"] = intent
    return Call("POST", "/v1/route", _answer, body)


def invalidate(selector: Mapping[str, Any]) -> Call[int]:
    return Call("POST", "/v1/invalidate", lambda r: int(r["invalidated"]), dict(selector))


def stats() -> Call[dict[str, Any]]:
    return Call("GET", "/v1/stats", lambda r: dict(r))


def caching(enabled: bool | None) -> Call[bool]:
    def read(reply: Any) -> bool:
        return bool(reply["enabled"])

    if enabled is None:
        return Call("GET", "/v1/caching", read)
    return Call("PUT", "/v1/caching", read, {"enabled": enabled})


def _id(permit: Permit | str) -> str:
    return permit if isinstance(permit, str) else permit.id


def _refused(response: httpx.Response) -> CacheRefused:
    status = response.status_code
    try:
        problem = response.json()
        return CacheRefused(status, str(problem["code"]), str(problem["detail"]))
    except (ValueError, KeyError, TypeError):
        return CacheRefused(status, "", response.reason_phrase)


def _answer(reply: Any) -> StoredAnswer:
    data = reply["data"]
    if not isinstance(data, dict):
        raise TypeError("`data` is not an object")
    return StoredAnswer(
        source=reply["source"],
        intent=reply["intent"],
        confidence=reply["confidence"],
        data=data,
        timestamp=reply["timestamp"],
    )


def _permit(reply: Any) -> Permit | None:
    if "permit" not in reply:
        return None
    permit, ask = reply["permit"], reply["ask"]
    return Permit(
        id=permit["id"],
        expires_in=permit["expires_in"],
        ask=Ask(
            intent=ask["intent"],
            confidence=ask["confidence"],
            message=ask["message"],
            slots=ask["slots"],
            doubtful=ask["doubtful"],
            today=ask.get("today"),
            user_id=ask.get("user_id"),
            user_role=ask.get("user_role"),
        ),
    )


_ANSWERS: dict[str, type[Fresh] | type[Stale] | type[Negative]] = {
    "fresh": Fresh,
    "stale": Stale,
    "negative": Negative,
}


def _found(reply: Any) -> Found:
    status = reply["status"]
    if status in _ANSWERS:
        answer = _answer(reply["answer"])
        return _ANSWERS[status](answer, reply.get("age"), reply.get("ttl"), _permit(reply))
    if status == "permit":
        permit = _permit(reply)
        if permit is None:
            raise KeyError("permit")
        return permit
    if status == "in_flight":
        return InFlight()
    if status == "failed":
        return Failed(reply["reason"])
    if status == "bypass":
        return Bypass(reply["reason"])
    raise ValueError(f"unknown status {status!r}")
