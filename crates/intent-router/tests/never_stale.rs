//! Requests that are never served a stale answer.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must panic")]

mod support;

use std::time::Duration;

use intent_router::{Bypass, CacheOutcome, CacheUse, Request, Reuse, UserContext};
use support::stale::{ROLE, USER, ask, fail, overdue, request, revalidating, secs, stale, version};
use support::{CLAIM, is_stored_miss, now};

#[test]
fn switched_off_nothing_stale_is_served_and_nothing_refreshed() {
    let (bench, refreshes) = overdue(revalidating().with_stale_if_error(secs(600)));
    ask(&bench);
    let begun = refreshes.only();
    bench.router.cache().set_enabled(false);
    let calls = bench.source.calls();
    let refreshed = now(begun);
    assert!(!refreshed.stored && refreshed.failure.is_none());
    assert_eq!((refreshed.calls, bench.source.calls()), (0, calls));
    let off = ask(&bench);
    assert_eq!(off.cache, CacheOutcome::Bypass(Bypass::CachingOff));
    assert_eq!(version(&off), 1);
    fail(&bench, true);
    assert!(now(bench.router.route(&request())).is_err());
    assert!(refreshes.take().is_empty());
    fail(&bench, false);
    bench.router.cache().set_enabled(true);
    assert_eq!(stale(&ask(&bench)), Some((secs(1), false)));
    assert!(now(refreshes.only()).stored);
}

#[test]
fn nobody_else_is_ever_served_what_is_stale() {
    let (bench, refreshes) = overdue(revalidating().with_stale_if_error(secs(60)));
    for (user, role) in [(USER, "employer"), ("BEN-000002", ROLE)] {
        let other = Request::new(CLAIM, UserContext::new(user, role));
        fail(&bench, true);
        assert!(now(bench.router.route(&other)).is_err());
        fail(&bench, false);
        let routed = now(bench.router.route(&other)).unwrap();
        assert!(is_stored_miss(&routed));
        let data = routed.answer.response().unwrap().data;
        assert_eq!(data["user"], user);
        assert_eq!(data["role"], role);
    }
    assert!(refreshes.take().is_empty());
    assert_eq!(version(&ask(&bench)), 0);
}

#[test]
fn a_request_that_names_an_age_gets_nothing_stale() {
    for reuse in [
        Reuse::MaxAge(secs(1_000)),
        Reuse::MaxAge(Duration::MAX),
        Reuse::Nothing,
    ] {
        let (bench, refreshes) = overdue(revalidating().with_stale_if_error(secs(60)));
        let mut strict = request();
        strict.cache_use = CacheUse::Allowed(reuse);
        fail(&bench, true);
        assert!(now(bench.router.route(&strict)).is_err(), "{reuse:?}");
        fail(&bench, false);
        let routed = now(bench.router.route(&strict)).unwrap();
        assert_eq!(version(&routed), 1, "{reuse:?}");
        assert!(refreshes.take().is_empty());
    }
}
