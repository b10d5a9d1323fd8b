//! Caching as told in headers: the request's `Cache-Control` (RFC 9111), the
//! response's `Cache-Status` (RFC 9211), `Age` and `ETag`.

use std::time::Duration;

use cache_core::Reuse;
use http::{HeaderMap, HeaderValue, header};
use intent_router::{CacheOutcome, CacheUse, Routed};

/// How a request wants the cache to be used, by its `Cache-Control`.
///
/// `no-store` forbids it; `no-cache` and `max-age=0` take no stored answer;
/// `max-age=N` takes one that is fresh and at most so old: whoever names an age
/// gets nothing stale. A `max-age` that is not a number is read as 0. Directives
/// that mean nothing here are ignored, as RFC 9111 asks.
pub(crate) fn cache_use(headers: &HeaderMap) -> CacheUse {
    let mut reuse = Reuse::Any;
    for value in headers.get_all(header::CACHE_CONTROL) {
        // What is not text is no directive, but those beside it are.
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
        // More digits than a u64 holds: any age will do, as long as it is fresh.
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

/// The `Cache-Status` of a routed request.
pub(crate) fn cache_status(routed: &Routed) -> String {
    let mut text = handling(routed.cache);
    if let Some(key) = routed.key {
        text.push_str(&format!("; key=\"{key}\""));
    }
    text
}

fn handling(cache: CacheOutcome) -> String {
    match cache {
        CacheOutcome::Hit { remaining, .. } => format!("router; hit; ttl={}", remaining.as_secs()),
        CacheOutcome::Stale {
            overdue, failed, ..
        } => {
            // In whole seconds, rounded down as that of a fresh one is, so that
            // what is stale always shows as such.
            let seconds = overdue.as_secs() + u64::from(overdue.subsec_nanos() > 0);
            // A request that went on to the source is no hit, though what it
            // got was stored.
            if failed {
                format!("router; fwd=stale; ttl=-{seconds}; detail=stale-if-error")
            } else {
                format!("router; hit; ttl=-{seconds}")
            }
        }
        CacheOutcome::Miss { stored, requested } => {
            let forwarded = if requested { "request" } else { "miss" };
            let stored = if stored { "; stored" } else { "" };
            format!("router; fwd={forwarded}{stored}")
        }
        CacheOutcome::Collapsed => "router; fwd=miss; collapsed".to_owned(),
        CacheOutcome::Bypass(why) => format!("router; fwd=bypass; detail={}", why.as_str()),
        _ => "router".to_owned(),
    }
}

/// Writes what the cache did into the headers of a response.
pub(crate) fn describe(routed: &Routed, cache_status: &str, headers: &mut HeaderMap) {
    let mut set = |name, text: String| {
        // All of these texts are ASCII of our own making.
        if let Ok(value) = HeaderValue::try_from(text) {
            headers.insert(name, value);
        }
    };
    set(header::CACHE_CONTROL, "private".to_owned());
    // Strong, since equal bodies have equal tags.
    set(header::ETAG, format!("\"{}\"", routed.answer.digest()));
    set(
        header::HeaderName::from_static("cache-status"),
        cache_status.to_owned(),
    );
    if let CacheOutcome::Hit { age, .. } | CacheOutcome::Stale { age, .. } = routed.cache {
        set(header::AGE, age.as_secs().to_string());
    }
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
    fn what_is_stale_has_a_negative_ttl() {
        let check = |overdue: Duration, failed: bool, expect: &str| {
            let age = Duration::from_secs(300) + overdue;
            let cache = CacheOutcome::Stale {
                age,
                overdue,
                failed,
            };
            assert_eq!(handling(cache), expect);
        };
        let millis = Duration::from_millis;
        check(Duration::from_nanos(1), false, "router; hit; ttl=-1");
        check(millis(1_000), false, "router; hit; ttl=-1");
        check(millis(5_001), false, "router; hit; ttl=-6");
        check(
            millis(412_000),
            true,
            "router; fwd=stale; ttl=-412; detail=stale-if-error",
        );
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
