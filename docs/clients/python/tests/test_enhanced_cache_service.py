"""The class of the Python service, with the caching of its router, over the real service."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from typing import Any

import pytest
from conftest import Start

from response_cache import CacheError, Permit, ResponseCache, Settings
from response_cache.enhanced_cache_service import EnhancedCacheService, get_cache_service

User = dict[str, Any]
A: User = {"user_id": "A", "user_role": "member"}
B: User = {"user_id": "B", "user_role": "member"}


class Router:
    """What the Python service's `route_request` does around its source."""

    def __init__(self, cache: EnhancedCacheService) -> None:
        self.cache_service = cache
        self.computed = 0
        self.source = "live_data"

    def route_request(self, message: str, user_context: User, intent: str = "claims") -> Any:
        cache_key = self.cache_service.get_cache_key(intent, user_context, message)
        if user_context.get("user_id"):
            cached_response = self.cache_service.get(cache_key, "live_data")
            if cached_response:
                return cached_response
        self.computed += 1
        response = {"source": self.source, "data": f"{message} of {user_context}"}
        if user_context.get("user_id") and response.get("source") == "live_data":
            self.cache_service.set(cache_key, response, "live_data")
        return response


def service(url: str) -> EnhancedCacheService:
    return EnhancedCacheService(ResponseCache(Settings(url)))


def test_the_router_works_as_before(url: str) -> None:
    cache = service(url)
    router = Router(cache)
    assert cache.get_performance_stats() == {"hit_rate": 0, "cache_stats": cache.cache_stats}
    first = router.route_request("my claim", A)
    assert router.route_request("my claim", A) == first
    assert router.computed == 1
    assert router.route_request("my claim", B) != first
    assert router.route_request("my claim?", A) != first
    assert router.computed == 3
    assert cache.get_performance_stats() == {
        "hit_rate": 25.0,
        "cache_stats": {"hits": 1, "misses": 3, "invalidations": 0, "total_requests": 4},
        "cache_size": 3,
    }
    assert cache.invalidate_pattern(cache.get_cache_key("claims", A, "my claim")[4:20]) == 1
    assert cache.invalidate_pattern("claims/B/*") == 1
    assert cache.cache_stats["invalidations"] == 2
    router.route_request("my claim?", A)
    assert router.computed == 3
    assert cache.invalidate_pattern("") == 1
    cache.cache.close()


def test_keys_are_those_of_the_program() -> None:
    cache = EnhancedCacheService()
    questions: list[tuple[str, User, str]] = [
        ("claim_status", {"user_id": "BEN-000001", "user_role": "beneficiary"}, "my claim?"),
        ("claims", {}, ""),
        ("claims", {"user_id": None, "user_role": {"b": [1.5, True], "a": "é😀"}}, "où?"),
        ("claims", {"user_id": 10**30, "name": "unread"}, "\x7f"),
    ]
    lines = [
        json.dumps({"intent": intent, "user_context": user, "message": message})
        for intent, user, message in questions
    ]
    program = os.environ.get("ROUTER_PROGRAM", "router")
    printed = subprocess.run(
        [program, "key"], input="\n".join(lines), capture_output=True, text=True, check=True
    )
    assert printed.stdout.split() == [cache.get_cache_key(*question) for question in questions]
    cache.cache.close()


def test_questions_of_one_key_do_not_share_an_answer(url: str) -> None:
    seen: dict[str, str] = {}
    number = 0
    while True:
        message = f"my claim {number}"
        hashed = hashlib.md5(message.encode()).hexdigest()[:8]
        if hashed in seen:
            break
        seen[hashed] = message
        number += 1
    router = Router(service(url))
    cache = router.cache_service
    other = seen[hashed]
    assert cache.get_cache_key("claims", A, other) == cache.get_cache_key("claims", A, message)
    assert router.route_request(other, A) != router.route_request(message, A)
    assert router.computed == 2
    cache.cache.close()


def test_an_invalidation_beats_a_set(url: str) -> None:
    cache = service(url)
    key = cache.get_cache_key("claims", A)
    assert cache.get(key) is None
    cache.cache.invalidate(user_id="A")
    cache.set(key, {"claims": "old"})
    assert cache.get(key) is None
    cache.cache.close()


def test_a_shorter_ttl_counts_at_once(url: str) -> None:
    cache = service(url)
    key = cache.get_cache_key("claims", A)
    assert cache.get(key) is None
    cache.set(key, {"n": 1})
    assert cache.get(key) == {"n": 1}
    cache.ttl_config["live_data"] = 0
    assert cache.get(key) is None
    cache.cache.close()


@pytest.mark.parametrize(
    ("intent", "user", "message"),
    [("hours", A, ""), ("hours", {"user_role": "member"}, ""), ("by_slots", A, "claim CLM-0001")],
)
def test_what_the_question_does_not_identify_is_not_stored(
    start: Start, intent: str, user: User, message: str
) -> None:
    catalogue = """
        [slots.claim]
        kind = "pattern"
        pattern = "CLM-####"
        [[intent]]
        name = "by_slots"
        kind = "live_data"
        answered_by = "caller"
        key = "slots"
        phrases = ["claim"]
        slots = ["claim"]
        [[intent]]
        name = "hours"
        kind = "knowledge_base"
        answered_by = "caller"
        phrases = ["hours"]
    """
    cache = service(start(catalogue=catalogue))
    key = cache.get_cache_key(intent, user, message)
    for _ in range(2):
        assert cache.get(key) is None
        cache.set(key, {"n": 1})
    # Its permit is given up, too.
    found = cache.cache.lookup(user, intent=intent, message=message, wait=0)
    assert isinstance(found, Permit)
    cache.cache.close()


def test_only_what_get_missed_is_set(url: str) -> None:
    cache = service(url)
    key = cache.get_cache_key("claims", A)
    cache.set(key, {"n": 1})
    cache.set(str(key), {"n": 1})
    assert cache.get(str(key)) is None
    assert cache.get(key) is None
    cache.set(key, {"n": (1,)})
    assert cache.get(key) is None
    cache.set(key, {"n": 2})
    cache.set(key, {"n": 3})
    assert cache.get(key) == {"n": 2}
    assert cache.cache.counts["not_stored"] == 4
    cache.cache.close()


def test_without_the_service_nothing_is_cached_and_no_invalidation_is_lost() -> None:
    router = Router(service("http://127.0.0.1:1"))
    cache = router.cache_service
    for _ in range(2):
        assert router.route_request("my claim", A)["source"] == "live_data"
    assert router.computed == 2
    assert cache.get_performance_stats() == {"hit_rate": 0.0, "cache_stats": cache.cache_stats}
    with pytest.raises(CacheError):
        cache.invalidate_pattern("A")
    cache.cache.close()


def test_the_process_has_one_instance() -> None:
    assert get_cache_service() is get_cache_service()
    get_cache_service().cache.close()
