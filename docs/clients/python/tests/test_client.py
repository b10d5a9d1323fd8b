"""The calls of the synchronous client, against the real service."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from conftest import Start

from response_cache import (
    Answer,
    Bypass,
    CacheRefused,
    CacheUnavailable,
    Failed,
    Fresh,
    InFlight,
    MalformedReply,
    Negative,
    NotJson,
    Permit,
    ResponseCache,
    Settings,
    Stale,
    Stored,
    User,
    UserLike,
)


def permit(found: object) -> Permit:
    assert isinstance(found, Permit), found
    return found


def test_a_permit_is_given_filled_and_served(url: str) -> None:
    with ResponseCache(Settings(url)) as cache:
        user = User("A", "member")
        asked = permit(cache.lookup(user, intent="claims", slots={"claim": "CLM-0001"}))
        assert 0 < asked.expires_in <= 30
        assert asked.ask.intent == "claims"
        assert asked.ask.slots == {"claim": "CLM-0001"}
        assert (asked.ask.user_id, asked.ask.user_role) == ("A", "member")
        waiting = cache.lookup(user, intent="claims", slots={"claim": "CLM-0001"}, wait=0)
        assert waiting == InFlight()
        answer = Answer({"claims": [1]}, tags=["claim:CLM-0001"], ttl=60)
        assert cache.fill(asked, answer) == Stored(True)
        found = cache.lookup(user, intent="claims", slots={"claim": "CLM-0001"})
        assert isinstance(found, Fresh)
        assert found.answer.data == {"claims": [1]}
        assert found.ttl is not None and 0 < found.ttl <= 60
        with pytest.raises(CacheRefused) as refused:
            cache.fill(asked, answer)
        assert (refused.value.status, refused.value.code) == (404, "no_such_permit")
        assert cache.invalidate(tag="claim:CLM-0001") == 1
        permit(cache.lookup(user, intent="claims", slots={"claim": "CLM-0001"}))


def test_other_users_roles_and_slots_are_other_questions(url: str) -> None:
    with ResponseCache(Settings(url)) as cache:
        questions: list[tuple[UserLike, dict[str, str]]] = [
            ("A", {}),
            ("B", {}),
            ({"user_id": "A", "user_role": "agent"}, {}),
            ("A", {"claim": "CLM-0001"}),
            ("A", {"claim": "CLM-0002"}),
            ("A", {"period": "2025-03"}),
        ]
        for number, (user, slots) in enumerate(questions):
            asked = permit(cache.lookup(user, intent="claims", slots=slots))
            cache.fill(asked, {"number": number})
        for number, (user, slots) in enumerate(questions):
            found = cache.lookup(user, intent="claims", slots=slots)
            assert isinstance(found, Fresh) and found.answer.data == {"number": number}


def test_a_failure_and_a_release_end_a_permit(url: str) -> None:
    with ResponseCache(Settings(url)) as cache:
        first = permit(cache.lookup("A", intent="claims"))
        cache.release(first)
        second = permit(cache.lookup("A", intent="claims"))
        assert second.id != first.id
        assert cache.fail(second, "no database") == Failed("no database")
        permit(cache.lookup("A", intent="claims"))


def test_negative_and_stale_answers(start: Start) -> None:
    url = start(
        "[cache.classes.live_data]\nttl = '1ms'\nstale_while_revalidate = '1h'\n"
        "negative_ttl = '1h'\n"
    )
    with ResponseCache(Settings(url)) as cache:
        nothing = permit(cache.lookup("A", intent="claims"))
        cache.fill(nothing, Answer({"claims": []}, negative=True))
        found = cache.lookup("A", intent="claims")
        assert isinstance(found, Negative) and found.answer.data == {"claims": []}
        cache.fill(permit(cache.lookup("B", intent="claims")), {"claims": [1]})
        while isinstance(found := cache.lookup("B", intent="claims"), Fresh):
            pass
        assert isinstance(found, Stale) and found.answer.data == {"claims": [1]}
        assert found.ttl is not None and found.ttl <= 0
        assert found.permit is not None and found.permit.ask.user_id == "B"


def test_the_other_endpoints(url: str) -> None:
    with ResponseCache(Settings(url)) as cache:
        assert cache.route("my claim", "A").source == "fallback"
        permit(cache.lookup("A", message="my claim"))
        assert cache.stats()["cache_stats"]["misses"] == 1
        assert cache.caching() is True
        assert cache.caching(False) is False
        assert cache.lookup("A", intent="claims") == Bypass("caching-off")
        assert isinstance(cache.lookup(None, intent="claims"), Bypass)


def test_a_token_is_sent(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "0123456789abcdef" * 2
    monkeypatch.setenv("ASSISTANT_TOKEN", secret)
    url = start(
        "[auth]\nmode = 'token'\n"
        "tokens = [{ name = 'assistant', env = 'ASSISTANT_TOKEN', "
        "scopes = ['fill', 'ask-for-anyone'] }]\n"
    )
    with ResponseCache(Settings(url)) as cache, pytest.raises(CacheRefused) as refused:
        cache.lookup("A", intent="claims")
    assert refused.value.status == 401
    monkeypatch.setenv("RESPONSE_CACHE_URL", url)
    monkeypatch.setenv("RESPONSE_CACHE_TOKEN", secret)
    with ResponseCache() as cache:
        permit(cache.lookup("A", intent="claims"))


def test_every_failure_is_a_cache_error(url: str) -> None:
    cache = ResponseCache(Settings(url))
    with pytest.raises(CacheRefused) as refused:
        cache.lookup("A", intent="nothing")
    assert refused.value.code == "unknown_intent"
    with pytest.raises(NotJson):
        cache.lookup({"user_id": object()}, intent="claims")
    cache.close()
    with pytest.raises(CacheUnavailable):
        cache.lookup("A", intent="claims")
    with ResponseCache(Settings(f"{url}livez/")) as elsewhere, pytest.raises(CacheRefused):
        elsewhere.stats()
    with ResponseCache(Settings("http://127.0.0.1:1")) as nowhere:
        with pytest.raises(CacheUnavailable):
            nowhere.invalidate(all=True)


def test_a_reply_of_another_form_is_told() -> None:
    replies: list[Any] = [{}, {"status": "new"}, {"status": "fresh"}, {"status": "permit"}, [], 0]

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=replies.pop())

    with ResponseCache(transport=httpx.MockTransport(answer)) as cache:
        while replies:
            with pytest.raises(MalformedReply):
                cache.lookup("A", intent="claims")
