"""`EnhancedCacheService` with its old methods, kept by the service.

Instead of `from assistant_crm.services.enhanced_cache_service import …`, write
`from response_cache.enhanced_cache_service import …`.
"""

from __future__ import annotations

import hashlib
import json
import threading
from typing import Any

from .client import ResponseCache
from .counts import logger
from .errors import CacheError
from .protocol import survives_json
from .question import User
from .results import Answer, Ask, Fresh, Negative, Permit, Stale, same


class CacheKey(str):
    """A cache key that knows its question. It equals the plain text of the key."""

    intent: str
    user_context: dict[str, Any]
    message: str
    permit: Permit | None

    def is_asked_by(self, ask: Ask) -> bool:
        """Whether an answer under this key is exactly what the permit asks for.

        It is not where the intent's key is not the message itself, or where the service
        keeps the answer for everyone while somebody asks.
        """
        if ask.message != self.message:
            return False
        if ask.user_id is None:
            return not self.user_context.get("user_id") and "user_role" not in self.user_context
        user = User.of(self.user_context)
        return same(ask.user_id, user.id) and same(ask.user_role, user.role)


class EnhancedCacheService:
    """The cache of the Python service, with the same methods; safe to share by threads.

    Keys are those of `get_cache_key`, as they know their question. `set` stores the answer
    of a question that `get` missed with the same key object; an answer that was read before
    an invalidation is not stored. `ttl_config` limits what `get` returns, within the TTL of
    the intent's class in the service. Without the service `get` returns `None`.
    """

    def __init__(self, cache: ResponseCache | None = None) -> None:
        self.cache = cache or ResponseCache()
        self.cache_stats = {"hits": 0, "misses": 0, "invalidations": 0, "total_requests": 0}
        self.ttl_config = {
            "live_data": 300,
            "knowledge_base": 3600,
            "user_context": 1800,
            "intent_routing": 600,
        }
        self._lock = threading.Lock()

    def get_cache_key(self, intent: str, user_context: dict[str, Any], message: str = "") -> str:
        """The key of a question, in the same bytes as before."""
        key_data = {
            "intent": intent,
            "user_id": user_context.get("user_id", "guest"),
            "user_role": user_context.get("user_role", "guest"),
            "message_hash": _md5(message)[:8] if message else "",
        }
        key = CacheKey(_md5(json.dumps(key_data, sort_keys=True)))
        key.intent, key.message, key.permit = intent, message, None
        names = ("user_id", "user_role")
        key.user_context = {name: user_context[name] for name in names if name in user_context}
        return key

    def get(self, cache_key: str, cache_type: str = "live_data") -> dict[str, Any] | None:
        """The stored data, or `None`."""
        data = self._look_up(cache_key, cache_type)
        with self._lock:
            self.cache_stats["total_requests"] += 1
            self.cache_stats["misses" if data is None else "hits"] += 1
        return data

    def set(self, cache_key: str, data: dict[str, Any], cache_type: str = "live_data") -> None:
        """Stores data under a key that `get` missed. `cache_type` counts in `get` alone."""
        if not isinstance(cache_key, CacheKey) or cache_key.permit is None:
            self._not_stored("`set` needs the key that `get` missed")
            return
        permit, cache_key.permit = cache_key.permit, None
        try:
            if survives_json(data):
                stored = self.cache.fill(permit, Answer(data))
                self.cache.counts.add("stored" if stored.stored else "not_stored")
            else:
                self._not_stored("JSON would change the data")
                self.cache.release(permit)
        except CacheError as error:
            self.cache.counts.error("set", error)

    def invalidate_pattern(self, pattern: str) -> int:
        """Removes what the pattern matches; returns how many answers that were.

        Raises `CacheError`, since an invalidation that is lost leaves old answers in use.
        """
        selector = {"pattern": pattern} if pattern else {"all": True}
        invalidated = self.cache.invalidate(**selector)
        with self._lock:
            self.cache_stats["invalidations"] += invalidated
        return invalidated

    def get_performance_stats(self) -> dict[str, Any]:
        """The counts of this object, and the number of answers in the service.

        Without the service, or the scope `metrics`, `cache_size` is absent.
        """
        with self._lock:
            stats = dict(self.cache_stats)
        total = stats["total_requests"]
        if total == 0:
            return {"hit_rate": 0, "cache_stats": stats}
        result = {"hit_rate": round(stats["hits"] / total * 100, 2), "cache_stats": stats}
        try:
            result["cache_size"] = self.cache.stats()["cache_size"]
        except CacheError as error:
            self.cache.counts.error("stats", error)
        return result

    def _look_up(self, key: str, cache_type: str) -> dict[str, Any] | None:
        if not isinstance(key, CacheKey):
            logger.warning("not served: `get` needs a key of `get_cache_key`")
            return None
        ttl = self.ttl_config.get(cache_type, 300)
        try:
            found = self.cache.lookup(
                key.user_context,
                intent=key.intent,
                message=key.message,
                wait=0,
                cache_control=f"max-age={max(0, int(ttl))}",
            )
            self.cache.counts.reached()
            match found:
                case Permit():
                    self._keep(found, key)
                case Fresh() | Stale() | Negative():
                    if found.permit is not None:
                        # The data is returned, so that no `set` follows.
                        self.cache.release(found.permit)
                    return found.answer.data
        except CacheError as error:
            self.cache.counts.error("get", error)
        return None

    def _keep(self, permit: Permit, key: CacheKey) -> None:
        if key.is_asked_by(permit.ask):
            key.permit = permit
            return
        self._not_stored(
            f"the service reads the question of `{key.intent}` otherwise: the intent needs "
            '`key = "message"`, and `kind = "live_data"` if it has a user'
        )
        self.cache.release(permit)

    def _not_stored(self, why: str) -> None:
        self.cache.counts.add("not_stored")
        logger.warning("not stored: %s", why)


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


_lock = threading.Lock()
_cache_service: EnhancedCacheService | None = None


def get_cache_service() -> EnhancedCacheService:
    """The process's own instance, with the settings of the environment."""
    global _cache_service
    with _lock:
        if _cache_service is None:
            _cache_service = EnhancedCacheService()
        return _cache_service
