//! Stale answers within `stale_while_revalidate` and answers near their end:
//! served at once, while one refresh fills them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must panic")]

mod support;

use std::pin::pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cache_keys::CanonicalJson;
use intent_router::{CacheUse, Pattern, Request, Reuse, Routed, Selector, UserContext};
use support::stale::{
    ROLE, Refreshes, USER, ask, fail, overdue, policy, request, revalidating, secs, stale, ttl,
    version,
};
use support::{bench, is_hit, is_stored_miss, now, poll_once};

#[test]
fn everyone_is_served_the_stale_answer_at_once_while_one_refresh_is_made() {
    let (bench, refreshes) = overdue(revalidating());
    let before = bench.source.calls();
    for _ in 0..20 {
        let routed = ask(&bench);
        assert_eq!(stale(&routed), Some((secs(1), false)));
        assert_eq!((version(&routed), routed.calls), (0, 0));
    }
    assert_eq!(bench.source.calls(), before, "nobody waits for the source");
    let refreshed = now(refreshes.only());
    assert!(refreshed.stored && refreshed.failure.is_none());
    assert_eq!(refreshed.calls, 1, "the membership is fresh");
    let after = ask(&bench);
    assert!(is_hit(&after));
    assert_eq!(version(&after), 1);
    assert!(refreshes.take().is_empty());
    let stats = bench.router.cache().stats();
    assert_eq!((stats.stale, stats.hits, stats.misses), (20, 21, 1));
}

#[test]
fn the_window_ends_when_it_says() {
    let (bench, refreshes) = overdue(revalidating());
    bench.clock.advance(secs(29));
    assert_eq!(stale(&ask(&bench)), Some((secs(30), false)));
    drop(refreshes.take());
    bench.clock.advance(Duration::from_nanos(1));
    let late = ask(&bench);
    assert!(is_stored_miss(&late));
    assert_eq!(version(&late), 1);
    assert!(refreshes.take().is_empty());
}

#[test]
fn a_refresh_that_is_dropped_leaves_the_right_to_the_next() {
    let (bench, refreshes) = overdue(revalidating());
    ask(&bench);
    drop(refreshes.only());
    // Begun, and given up while the source is asked.
    ask(&bench);
    let mut refresh = refreshes.only();
    bench.source.held.store(true, Ordering::SeqCst);
    assert!(poll_once(refresh.as_mut()).is_pending());
    drop(refresh);
    bench.source.held.store(false, Ordering::SeqCst);
    ask(&bench);
    assert!(now(refreshes.only()).stored);
    assert_eq!(version(&ask(&bench)), 1);
}

#[test]
fn one_who_wants_nothing_stale_waits_for_the_refresh_and_may_take_it_over() {
    let (bench, refreshes) = overdue(revalidating());
    ask(&bench);
    let refresh = refreshes.only();
    let mut strict = request();
    strict.cache_use = CacheUse::Allowed(Reuse::MaxAge(Duration::MAX));
    let mut waiting = pin!(bench.router.route(&strict));
    assert!(poll_once(waiting.as_mut()).is_pending());
    drop(refresh);
    let routed = now(waiting).unwrap();
    assert!(is_stored_miss(&routed));
    assert_eq!(version(&routed), 1);
}

#[test]
fn without_a_spawner_who_has_the_right_refreshes_before_the_answer() {
    let bench = bench();
    policy(&bench, intent_router::classes::LIVE_DATA, revalidating());
    ask(&bench);
    bench.source.write(USER);
    bench.clock.advance(secs(301));
    bench.source.held.store(true, Ordering::SeqCst);
    let request = request();
    let mut first = pin!(bench.router.route(&request));
    assert!(poll_once(first.as_mut()).is_pending());
    assert_eq!(version(&ask(&bench)), 0, "the others are served at once");
    bench.source.held.store(false, Ordering::SeqCst);
    assert_eq!(version(&now(first).unwrap()), 1);
    assert_eq!(version(&ask(&bench)), 1);
}

/// Whatever the selector: what it removed is not served, and what was read
/// before it is not stored.
#[test]
fn an_invalidation_during_the_refresh_wins() {
    let digest = ask(&bench()).key.unwrap();
    for selector in [
        Selector::Key(digest),
        Selector::User(CanonicalJson::string(USER)),
        Selector::Intent("claim_status".to_owned()),
        Selector::Role(CanonicalJson::string(ROLE)),
        Selector::Class("live_data".to_owned()),
        Selector::Tag("claim:BEN-000001".to_owned()),
        Selector::Pattern(Pattern::new(USER)),
        Selector::All,
    ] {
        let freshness = revalidating().with_stale_if_error(secs(600));
        let (bench, refreshes) = overdue(freshness);
        ask(&bench);
        let mut refresh = refreshes.only();
        bench.source.held.store(true, Ordering::SeqCst);
        assert!(poll_once(refresh.as_mut()).is_pending(), "reads version 1");
        bench.source.write(USER);
        let removed = bench.router.cache().invalidate(&selector);
        assert_eq!(removed, 1, "{selector:?}: a stale answer is a live one");
        bench.source.held.store(false, Ordering::SeqCst);
        let refreshed = now(refresh);
        assert!(!refreshed.stored && refreshed.calls > 0, "{selector:?}");
        // An entry that is gone does not replace a failure either.
        fail(&bench, true);
        assert!(now(bench.router.route(&request())).is_err(), "{selector:?}");
        fail(&bench, false);
        let after = ask(&bench);
        assert!(is_stored_miss(&after), "{selector:?}: {:?}", after.cache);
        assert_eq!(version(&after), 2, "{selector:?}");
    }
}

#[test]
fn a_failed_refresh_changes_nothing_and_the_next_tries_again() {
    let (bench, refreshes) = overdue(revalidating());
    ask(&bench);
    fail(&bench, true);
    let refreshed = now(refreshes.only());
    assert!(!refreshed.stored);
    assert!(refreshed.failure.is_some());
    assert_eq!(bench.router.cache().stats().failed_fills, 1);
    assert_eq!(version(&ask(&bench)), 0);
    fail(&bench, false);
    assert!(now(refreshes.only()).stored);
    assert_eq!(version(&ask(&bench)), 1);
}

#[test]
fn an_answer_near_its_end_is_refreshed_while_it_is_served() {
    let mut bench = bench();
    let refreshes = Refreshes::of(&mut bench);
    // So eager that the draw does not matter.
    let eager = ttl().with_early_refresh(1e9).unwrap();
    policy(&bench, intent_router::classes::LIVE_DATA, eager);
    // It takes a second to make.
    let request = request();
    bench.source.held.store(true, Ordering::SeqCst);
    let mut first = pin!(bench.router.route(&request));
    assert!(poll_once(first.as_mut()).is_pending());
    bench.clock.advance(secs(1));
    bench.source.held.store(false, Ordering::SeqCst);
    now(first).unwrap();
    bench.source.write(USER);
    for _ in 0..5 {
        let routed = ask(&bench);
        assert!(is_hit(&routed));
        assert_eq!(version(&routed), 0);
    }
    assert_eq!(bench.router.cache().stats().early_refreshes, 1);
    fail(&bench, true);
    assert!(!now(refreshes.only()).stored);
    fail(&bench, false);
    assert_eq!(version(&ask(&bench)), 0, "what is fresh outlasts a failure");
    assert!(now(refreshes.only()).stored);
    assert_eq!(version(&ask(&bench)), 1);
}

#[test]
fn a_period_stays_the_one_that_the_key_was_made_of() {
    use std::time::SystemTime;
    let mut bench = bench();
    let refreshes = Refreshes::of(&mut bench);
    let today = Arc::new(Mutex::new(SystemTime::UNIX_EPOCH + secs(20_000 * 86_400)));
    let clock = Arc::clone(&today);
    let wall: intent_router::WallClock = Arc::new(move || *clock.lock().unwrap());
    let source: Arc<dyn intent_router::LiveData> = bench.source.clone();
    let catalogue = r#"
        [[intent]]
        name = "payment_history"
        kind = "live_data"
        key = "slots"
        phrases = ["payments"]
        slots = ["period"]
        [slots.period]
        kind = "period"
    "#;
    let catalogue = Arc::new(intent_router::Catalogue::parse(catalogue).unwrap());
    let detector = Arc::new(intent_router::KeywordDetector::new(&catalogue));
    let cache = Arc::clone(bench.router.cache());
    let spawned = refreshes.clone();
    bench.router = intent_router::Router::new(catalogue, detector, source, cache)
        .unwrap()
        .with_wall_clock(wall)
        .with_spawn(Arc::new(move |refresh| {
            spawned.0.lock().unwrap().push(refresh);
        }));
    policy(&bench, intent_router::classes::LIVE_DATA, revalidating());
    let request = Request::new("payments of last month", UserContext::new(USER, ROLE));
    let asked = |routed: &Routed| routed.answer.response().unwrap().data["message"].clone();
    let first = now(bench.router.route(&request)).unwrap();
    bench.clock.advance(secs(301));
    now(bench.router.route(&request)).unwrap();
    *today.lock().unwrap() += secs(40 * 86_400);
    assert!(now(refreshes.only()).stored);
    *today.lock().unwrap() -= secs(40 * 86_400);
    let refreshed = now(bench.router.route(&request)).unwrap();
    assert!(is_hit(&refreshed));
    assert_ne!(refreshed.answer.json(), first.answer.json());
    assert_eq!(asked(&refreshed), asked(&first));
}
