//! The headers about caching: the request's `Cache-Control` (RFC 9111), the
//! response's `Cache-Status` (RFC 9211), `Age` and `ETag`.

use std::time::Duration;

use cache_core::Reuse;
use cache_keys::Digest;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use intent_router::{CacheOutcome, CacheUse, Routed};

/// The use of the cache that a request's `Cache-Control` asks for.
///
/// `no-store` forbids it; `no-cache` and `max-age=0` take no stored answer;
/// `max-age=N` takes one that is fresh and at most N seconds old, never a stale
/// one. A `max-age` that is not a number is read as 0. Other directives are
/// ignored, as RFC 9111 asks.
pub(crate) fn cache_use(headers: &HeaderMap) -> CacheUse {
    let mut reuse = Reuse::Any;
    for value in headers.get_all(header::CACHE_CONTROL) {
        // Directives with bytes that are not UTF-8 match none of those below.
        for directive in String::from_utf8_lossy(value.as_bytes()).split(',') {
            let (name, argument) = match directive.split_once('=') {
                Some((name, argument)) => (name.trim(), argument.trim().trim_matches('"')),
                None => (directive.trim(), ""),
            };
            let asked = match name.to_ascii_lowercase().as_str() {
                "no-store" => return CacheUse::Forbidden,
                "no-cache" => Reuse::Nothing,
                "max-age" => max_age(argument),
                _ => continue,
            };
            reuse = stricter(reuse, asked);
        }
    }
    CacheUse::Allowed(reuse)
}

fn max_age(argument: &str) -> Reuse {
    match argument.parse::<u64>() {
        Ok(seconds) if seconds > 0 => Reuse::MaxAge(Duration::from_secs(seconds)),
        // More than a u64 holds: any age, as long as the answer is fresh.
        Err(_) if !argument.is_empty() && argument.bytes().all(|b| b.is_ascii_digit()) => {
            Reuse::MaxAge(Duration::MAX)
        }
        _ => Reuse::Nothing,
    }
}

fn stricter(a: Reuse, b: Reuse) -> Reuse {
    match (a, b) {
        (Reuse::Nothing, _) | (_, Reuse::Nothing) => Reuse::Nothing,
        (Reuse::MaxAge(a), Reuse::MaxAge(b)) => Reuse::MaxAge(a.min(b)),
        (Reuse::Any, other) | (other, Reuse::Any) => other,
    }
}

/// The text of `Cache-Status`.
pub(crate) fn cache_status(outcome: CacheOutcome, key: Option<Digest>) -> String {
    let mut text = format!("router; {}", outcome.cache_status());
    if let Some(key) = key {
        text.push_str("; key=\"");
        text.push_str(&key.to_string());
        text.push('"');
    }
    text
}

/// Sets `Cache-Status`, `Age`, `ETag` and `Cache-Control` of a response.
pub(crate) fn describe(routed: &Routed, headers: &mut HeaderMap) {
    let mut set = |name, text: String| {
        // All of these texts are ASCII.
        if let Ok(value) = HeaderValue::try_from(text) {
            headers.insert(name, value);
        }
    };
    // Strong, since equal bodies have equal tags.
    set(header::ETAG, format!("\"{}\"", routed.answer.digest()));
    set(
        HeaderName::from_static("cache-status"),
        cache_status(routed.cache, routed.key),
    );
    if let Some(age) = routed.cache.age() {
        set(header::AGE, age.as_secs().to_string());
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private"));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: &str, expect: CacheUse) {
        let mut headers = HeaderMap::new();
        let bytes = HeaderValue::from_bytes(value.as_bytes());
        headers.insert(header::CACHE_CONTROL, bytes.expect("a header value"));
        assert_eq!(cache_use(&headers), expect, "{value}");
    }

    #[test]
    fn request_directives_are_honoured() {
        let at_most = |s| CacheUse::Allowed(Reuse::MaxAge(Duration::from_secs(s)));
        check("", CacheUse::Allowed(Reuse::Any));
        check("no-cache", CacheUse::Allowed(Reuse::Nothing));
        check("NO-CACHE", CacheUse::Allowed(Reuse::Nothing));
        check("no-store", CacheUse::Forbidden);
        check("max-age=60, no-store", CacheUse::Forbidden);
        check("max-age=60", at_most(60));
        check("max-age=\"60\"", at_most(60));
        check("max-age = 60", at_most(60));
        check("max-age=60, max-age=5", at_most(5));
        check("max-age=60, no-cache", CacheUse::Allowed(Reuse::Nothing));
        check("max-age=0", CacheUse::Allowed(Reuse::Nothing));
        check("max-age=-5", CacheUse::Allowed(Reuse::Nothing));
        check("max-age=soon", CacheUse::Allowed(Reuse::Nothing));
        check("max-age", CacheUse::Allowed(Reuse::Nothing));
        check(
            "max-age=99999999999999999999",
            CacheUse::Allowed(Reuse::MaxAge(Duration::MAX)),
        );
        check("no-store, \u{e9}", CacheUse::Forbidden);
        check("only-if-cached-not", CacheUse::Allowed(Reuse::Any));
        check("max-stale=60", CacheUse::Allowed(Reuse::Any));
        check("max-stale, max-age=60", at_most(60));
    }
}
