"""The synchronous client."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from types import TracebackType
from typing import Any, TypeVar

import httpx

from . import calls, protocol
from .calls import Call, Computed, as_answer
from .counts import Counts
from .errors import CacheUnavailable
from .question import Question, User, UserLike
from .results import Found, Permit, Stored, StoredAnswer
from .settings import Settings

T = TypeVar("T")


class ResponseCache:
    """A client of the service. Safe to share between threads; close it, or use it by `with`.

    Settings are those of `Settings`. With an `executor`, stale answers are refreshed in it;
    without one, the caller that is given the permit refreshes at once and returns the new
    answer. Each method but `get_or_fill` raises `CacheError`.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        executor: Executor | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.settings = settings or Settings()
        self.counts = Counts()
        self._executor = executor
        self._http = httpx.Client(
            base_url=self.settings.base_url(),
            headers=self.settings.headers(),
            transport=transport,
        )

    def close(self) -> None:
        """Closes the connections. Refreshes in the executor then end without filling."""
        self._http.close()

    def __enter__(self) -> ResponseCache:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def get_or_fill(
        self,
        intent: str,
        user: UserLike | None,
        compute: Callable[[], Computed],
        slots: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Returns the stored answer, or calls `compute` and stores what it returns.

        `compute` must read nothing but what `intent`, `user` and `slots` say, and records of
        the database. Its exceptions are raised, unless the class allows a stale answer.
        """
        question = Question(intent, None if user is None else User.of(user), dict(slots or {}))
        steps = protocol.get_or_fill(question, self.counts, self.settings.strict)
        return self._run(steps, question, compute)

    def lookup(
        self,
        user: UserLike | None,
        *,
        intent: str | None = None,
        message: str | None = None,
        slots: Mapping[str, str] | None = None,
        wait: float | None = None,
        deadline: float | None = None,
        cache_control: str | None = None,
    ) -> Found:
        """Looks an answer up. A permit in the result must be filled, failed or released."""
        wait = self.settings.wait if wait is None else wait
        return self._send(
            calls.lookup(
                user,
                intent=intent,
                message=message,
                slots=slots,
                wait=wait,
                deadline=deadline,
                cache_control=cache_control,
            )
        )

    def fill(self, permit: Permit | str, answer: Computed) -> Stored:
        """Ends a permit with its answer, and gives it to all who wait."""
        return self._send(calls.fill(permit, as_answer(answer)))

    def fail(self, permit: Permit | str, reason: str) -> Found:
        """Ends a permit with a failure; returns what those who wait get."""
        return self._send(calls.fail(permit, reason))

    def release(self, permit: Permit | str) -> None:
        """Gives a permit up: the next caller that waits gets it."""
        self._send(calls.release(permit))

    def route(self, message: str, user: UserLike, intent: str | None = None) -> StoredAnswer:
        """Asks the service itself, for intents that its source answers."""
        return self._send(calls.route(message, user, intent))

    def invalidate(self, **selector: Any) -> int:
        """Removes answers by one of `key`, `user_id`, `intent`, `role`, `tag`, `pattern`,
        `all=True`, `**{"class": …}`, or by `tag` with `user_id`; returns how many.

        Call it after the change is committed. An error means that old answers may be served.
        """
        return self._send(calls.invalidate(selector))

    def stats(self) -> dict[str, Any]:
        """The statistics of the service."""
        return self._send(calls.stats())

    def caching(self, enabled: bool | None = None) -> bool:
        """Whether caching is on, after switching it if `enabled` is given."""
        return self._send(calls.caching(enabled))

    def _send(self, call: Call[T]) -> T:
        try:
            response = self._http.request(
                call.method,
                call.path,
                content=call.content,
                headers=call.headers,
                timeout=self.settings.timeouts(call.wait),
            )
        except (httpx.HTTPError, httpx.InvalidURL, RuntimeError) as error:
            # A closed client raises RuntimeError.
            raise CacheUnavailable(f"{call.path}: {type(error).__name__}: {error}") from error
        return call.result(response)

    def _run(
        self, steps: protocol.Running[T], question: Question, compute: Callable[[], Computed]
    ) -> T:
        try:
            step = next(steps)
            while True:
                try:
                    result = self._do(step, question, compute)
                except BaseException as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(result)
        except StopIteration as end:
            value: T = end.value
            return value

    def _do(
        self, step: protocol.Step, question: Question, compute: Callable[[], Computed]
    ) -> object:
        match step:
            case protocol.Look():
                return self.lookup(question.user, intent=question.intent, slots=question.slots)
            case protocol.Compute():
                return as_answer(compute())
            case protocol.Refresh(permit=permit):
                return self._refresh(permit, question, compute)
            case protocol.Fill(permit, answer):
                return self.fill(permit, answer)
            case protocol.Fail(permit, reason):
                return self.fail(permit, reason)
            case protocol.Release(permit):
                self.release(permit)
                return None

    def _refresh(self, permit: Permit, question: Question, compute: Callable[[], Computed]) -> bool:
        if self._executor is None:
            return False
        steps = protocol.refresh(permit, self.counts, strict=False)
        try:
            self._executor.submit(self._run, steps, question, compute)
        except RuntimeError:
            # The executor is shut down.
            return False
        return True
