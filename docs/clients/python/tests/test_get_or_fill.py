"""Get or fill with the synchronous client, against the real service."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from conftest import Start

from response_cache import (
    Answer,
    CacheRefused,
    CacheUnavailable,
    Fresh,
    InFlight,
    Permit,
    ResponseCache,
    Settings,
    User,
)

STALE = "[cache.classes.live_data]\nttl = '1ms'\n"


class Function:
    """A function that counts its calls, and returns or raises what it is told."""

    def __init__(self, *results: Any) -> None:
        self.results = list(results)
        self.calls = 0

    def __call__(self) -> Any:
        result = self.results[min(self.calls, len(self.results) - 1)]
        self.calls += 1
        if isinstance(result, BaseException):
            raise result
        return result


def test_the_second_caller_is_served(url: str) -> None:
    function = Function(Answer({"claims": [1]}, tags=["claim:1"]), {"claims": [1, 2]})
    with ResponseCache(Settings(url)) as cache:
        for _ in range(2):
            assert cache.get_or_fill("claims", "A", function) == {"claims": [1]}
        assert function.calls == 1
        assert cache.counts.as_dict() == {"computed": 1, "stored": 1, "fresh": 1}
        cache.invalidate(tag="claim:1")
        assert cache.get_or_fill("claims", "A", function) == {"claims": [1, 2]}


def test_another_user_or_role_is_not_served(url: str) -> None:
    function = Function({"whose": 1}, {"whose": 2}, {"whose": 3})
    with ResponseCache(Settings(url)) as cache:
        for number, user in enumerate([User("A"), User("B"), User("A", "agent")], 1):
            assert cache.get_or_fill("claims", user, function) == {"whose": number}


def test_everyones_answer_is_shared_and_a_users_is_never_made_everyones(url: str) -> None:
    with ResponseCache(Settings(url)) as cache:
        assert cache.get_or_fill("hours", "A", Function({"open": "for A"})) == {"open": "for A"}
        assert cache.get_or_fill("hours", None, Function({"open": 9})) == {"open": 9}
        assert cache.get_or_fill("hours", None, Function({"open": 10})) == {"open": 9}
        assert cache.counts["released"] == 1


def test_slots_in_another_form_fill_nothing(url: str) -> None:
    function = Function({"number": 1}, {"number": 2})
    with ResponseCache(Settings(url)) as cache:
        for number in (1, 2):
            data = cache.get_or_fill("claims", "A", function, {"claim": "clm 0001"})
            assert data == {"number": number}
        assert cache.counts["stored"] == 0


def test_callers_wait_for_the_one_that_computes(url: str) -> None:
    begun, go_on = threading.Event(), threading.Event()
    calls = []

    def slow() -> dict[str, int]:
        calls.append(1)
        begun.set()
        assert go_on.wait(20)
        return {"n": len(calls)}

    with ResponseCache(Settings(url)) as cache, ThreadPoolExecutor(5) as threads:
        first = threads.submit(cache.get_or_fill, "claims", "A", slow)
        assert begun.wait(20)
        others = [threads.submit(cache.get_or_fill, "claims", "A", slow) for _ in range(4)]
        assert cache.lookup("A", intent="claims", wait=0) == InFlight()
        go_on.set()
        assert [one.result(20) for one in [first, *others]] == [{"n": 1}] * 5
        assert len(calls) == 1


def test_an_invalidation_beats_a_fill(url: str) -> None:
    with ResponseCache(Settings(url)) as cache:

        def overtaken() -> Answer:
            cache.invalidate(tag="claim:1", user_id="A")
            return Answer({"claims": "old"}, tags=["claim:1"])

        assert cache.get_or_fill("claims", "A", overtaken) == {"claims": "old"}
        assert cache.counts["not_stored"] == 1
        assert cache.get_or_fill("claims", "A", Function({"claims": "new"})) == {"claims": "new"}


def test_an_exception_is_raised_and_ends_the_permit(url: str) -> None:
    with ResponseCache(Settings(url)) as cache:
        for error in (ValueError("secret"), KeyboardInterrupt()):
            with pytest.raises(type(error)):
                cache.get_or_fill("claims", "A", Function(error))
            found = cache.lookup("A", intent="claims", wait=0)
            assert isinstance(found, Permit)
            cache.release(found)
        assert (cache.counts["compute_failed"], cache.counts["released"]) == (2, 1)


def test_a_failure_gives_the_stale_answer_where_the_class_allows_it(start: Start) -> None:
    url = start(STALE + "stale_if_error = '1h'\n")
    with ResponseCache(Settings(url)) as cache:
        cache.get_or_fill("claims", "A", Function({"claims": [1]}))
        wait_until_stale(cache)
        failing = Function(ValueError())
        assert cache.get_or_fill("claims", "A", failing) == {"claims": [1]}
        assert failing.calls == 1


def wait_until_stale(cache: ResponseCache) -> None:
    while isinstance(found := cache.lookup("A", intent="claims"), Fresh):
        pass
    permit = found if isinstance(found, Permit) else found.permit  # type: ignore[union-attr]
    assert permit is not None
    cache.release(permit)


def test_a_stale_answer_is_refreshed_at_once_without_an_executor(start: Start) -> None:
    url = start(STALE + "stale_while_revalidate = '1h'\n")
    with ResponseCache(Settings(url)) as cache:
        cache.get_or_fill("claims", "A", Function({"n": 1}))
        wait_until_stale(cache)
        assert cache.get_or_fill("claims", "A", Function({"n": 2})) == {"n": 2}
        wait_until_stale(cache)
        assert cache.get_or_fill("claims", "A", Function(ValueError())) == {"n": 2}


def test_a_stale_answer_is_refreshed_in_the_executor(start: Start) -> None:
    class Later(Executor):
        """Runs what it is given when the test says so."""

        def __init__(self) -> None:
            self.work: list[Callable[[], Any]] = []

        def submit(self, function: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
            self.work.append(lambda: function(*args, **kwargs))
            return Future()

    url, later = start(STALE + "stale_while_revalidate = '1h'\n"), Later()
    with ResponseCache(Settings(url), executor=later) as cache:
        function = Function({"n": 1}, {"n": 2})
        cache.get_or_fill("claims", "A", function)
        wait_until_stale(cache)
        assert cache.get_or_fill("claims", "A", function) == {"n": 1}
        assert function.calls == 1
        [refresh] = later.work
        refresh()
        assert function.calls == 2
        found = cache.lookup("A", intent="claims")
        assert found.answer.data == {"n": 2}  # type: ignore[union-attr]


@pytest.mark.parametrize("data", [{1: 2}, {"a": (1,)}, {"a": float("nan")}, {"a": object()}])
def test_data_that_json_would_change_is_not_stored(url: str, data: Any) -> None:
    with ResponseCache(Settings(url)) as cache:
        for _ in range(2):
            assert cache.get_or_fill("claims", "A", Function(data)) is not None
        assert (cache.counts["computed"], cache.counts["stored"]) == (2, 0)


def test_what_is_no_answer_is_an_error_and_ends_the_permit(url: str) -> None:
    with ResponseCache(Settings(url)) as cache:
        with pytest.raises(TypeError, match="returned a list"):
            cache.get_or_fill("claims", "A", Function([1]))
        assert isinstance(cache.lookup("A", intent="claims", wait=0), Permit)


def test_without_the_service_the_function_is_called(caplog: pytest.LogCaptureFixture) -> None:
    nowhere = "http://127.0.0.1:1"
    with ResponseCache(Settings(nowhere)) as cache:
        function = Function({"n": 1}, {"n": 2}, ValueError())
        assert [cache.get_or_fill("claims", "A", function) for _ in range(2)] == [
            {"n": 1},
            {"n": 2},
        ]
        with pytest.raises(ValueError):
            cache.get_or_fill("claims", "A", function)
        assert cache.counts["cache_errors"] == 3
    warnings = [record for record in caplog.records if record.levelname == "WARNING"]
    assert len(warnings) == 1
    with ResponseCache(Settings(nowhere, strict=True)) as cache:
        with pytest.raises(CacheUnavailable):
            cache.get_or_fill("claims", "A", function)


def test_an_answer_that_cannot_be_filled_is_returned_and_blocks_nobody(start: Start) -> None:
    url = start("[server]\nmax_body = '1KiB'\n")
    large = {"text": "x" * 2000}
    with ResponseCache(Settings(url)) as cache:
        assert cache.get_or_fill("claims", "A", Function(large)) == large
        found = cache.lookup("A", intent="claims", wait=0)
        assert isinstance(found, Permit)
        cache.release(found)
    with ResponseCache(Settings(url, strict=True)) as cache:
        with pytest.raises(CacheRefused):
            cache.get_or_fill("claims", "A", Function(large))


def test_a_tag_removes_the_answers_that_have_it(url: str) -> None:
    function = Function(Answer({"n": 1}, tags=["room:1"]), {"n": 2})
    with ResponseCache(Settings(url)) as cache:
        cache.get_or_fill("hours", None, function)
        assert cache.invalidate(tag="lift:1") == 0
        assert cache.get_or_fill("hours", None, function) == {"n": 1}
        assert cache.invalidate(tag="room:1") == 1
        assert cache.get_or_fill("hours", None, function) == {"n": 2}


def test_a_waiter_of_a_failure_gets_its_own_turn() -> None:
    ask = {"intent": "claims", "confidence": 1, "message": "", "slots": {}, "doubtful": False}
    permit = {"id": "1", "expires_in": 30}
    replies: list[dict[str, Any]] = [
        {"status": "failed", "reason": "no database"},
        {"status": "permit", "permit": permit, "ask": ask},
        {"stored": True},
    ]

    def reply(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=replies.pop(0))

    with ResponseCache(transport=httpx.MockTransport(reply)) as cache:
        assert cache.get_or_fill("claims", None, Function({"n": 1})) == {"n": 1}
        assert cache.counts["stored"] == 1
    replies += [{"status": "failed", "reason": "no database"}] * 2
    with ResponseCache(transport=httpx.MockTransport(reply)) as cache:
        assert cache.get_or_fill("claims", None, Function({"n": 2})) == {"n": 2}
        assert cache.counts.as_dict() == {"computed": 1}
    assert replies == []
