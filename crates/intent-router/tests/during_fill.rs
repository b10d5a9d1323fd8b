//! Requests and invalidations during a fill: while the source is asked.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must panic")]

mod support;

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::task::Poll;

use cache_keys::CanonicalJson;
use intent_router::{CacheOutcome, Pattern, Request, RouteError, Routed, Selector, UserContext};
use support::{Bench, bench, is_stored_miss, now, poll_once};

fn request() -> Request {
    Request::new(
        "what is my claim status?",
        UserContext::new("BEN-000001", "beneficiary"),
    )
}

/// Asks until the request waits for the source, which holds its answers from now.
fn begin<'b>(
    bench: &'b Bench,
    request: &'b Request,
) -> Pin<Box<impl Future<Output = Answered> + 'b>> {
    bench.source.held.store(true, Ordering::SeqCst);
    let mut asking = Box::pin(bench.router.route(request));
    assert!(poll_once(asking.as_mut()).is_pending());
    asking
}

/// Lets the source answer.
fn release(bench: &Bench) {
    bench.source.held.store(false, Ordering::SeqCst);
}

type Answered = Result<Routed, RouteError>;

fn version(routed: &Routed) -> u64 {
    routed.answer.response().unwrap().data["version"]
        .as_u64()
        .unwrap()
}

#[test]
fn requests_for_one_answer_make_it_once() {
    let bench = bench();
    let request = request();
    let filler = begin(&bench, &request);
    let waiter = begin(&bench, &request);
    release(&bench);
    let filled = now(filler).unwrap();
    let waited = now(waiter).unwrap();
    assert_eq!(waited.cache, CacheOutcome::Collapsed);
    assert_eq!(waited.calls, 0);
    assert_eq!(filled.answer.json(), waited.answer.json());
    assert_eq!(bench.source.record_calls.load(Ordering::SeqCst), 1);
}

#[test]
fn a_cancelled_request_hands_over_to_one_that_waits() {
    let bench = bench();
    let request = request();
    let filler = begin(&bench, &request);
    let waiter = begin(&bench, &request);
    let second = begin(&bench, &request);
    drop(filler);
    release(&bench);
    let took_over = now(waiter).unwrap();
    let waited = now(second).unwrap();
    assert!(matches!(
        took_over.cache,
        CacheOutcome::Miss { stored: true, .. }
    ));
    assert_eq!(waited.cache, CacheOutcome::Collapsed);
}

#[test]
fn a_panicking_source_hands_over_and_poisons_nothing() {
    let bench = bench();
    let request = request();
    let mut filler = begin(&bench, &request);
    let waiter = begin(&bench, &request);
    release(&bench);
    bench.source.panicking.store(true, Ordering::SeqCst);
    let outcome = std::panic::catch_unwind(AssertUnwindSafe(|| poll_once(filler.as_mut())));
    assert!(outcome.is_err());
    drop(filler);
    bench.source.panicking.store(false, Ordering::SeqCst);
    assert!(matches!(
        now(waiter).unwrap().cache,
        CacheOutcome::Miss { stored: true, .. }
    ));
}

#[test]
fn a_failed_fill_is_shared_with_those_who_wait() {
    let bench = bench();
    let request = request();
    let filler = begin(&bench, &request);
    let waiter = begin(&bench, &request);
    bench.source.failing.store(true, Ordering::SeqCst);
    release(&bench);
    assert!(now(filler).is_err());
    assert!(now(waiter).is_err());
    assert_eq!(bench.source.record_calls.load(Ordering::SeqCst), 1);
}

/// With every selector, an answer read before the invalidation is neither stored
/// after it nor served to a request that began after it.
#[test]
fn every_invalidation_beats_a_fill_in_flight() {
    let digest = now(bench().router.route(&request())).unwrap().key.unwrap();
    let selectors = [
        Selector::Key(digest),
        Selector::User(CanonicalJson::string("BEN-000001")),
        Selector::Intent("claim_status".to_owned()),
        Selector::Role(CanonicalJson::string("beneficiary")),
        Selector::Class("live_data".to_owned()),
        Selector::Tag("claim:BEN-000001".to_owned()),
        Selector::Pattern(Pattern::new("BEN-000001")),
        Selector::Pattern(Pattern::new("claim_status/*")),
        Selector::All,
    ];
    for selector in selectors {
        let bench = bench();
        let request = request();
        let early = begin(&bench, &request);

        bench.source.write("BEN-000001");
        let removed = bench.router.cache().invalidate(&selector);
        assert_eq!(removed, 0, "nothing was stored yet");
        let late = begin(&bench, &request);

        release(&bench);
        let early = now(early).unwrap();
        assert_eq!(version(&early), 0);
        assert!(
            matches!(early.cache, CacheOutcome::Miss { stored: false, .. }),
            "{selector:?}: {:?}",
            early.cache
        );
        let late = now(late).unwrap();
        assert_eq!(version(&late), 1, "{selector:?}");
        let after = now(bench.router.route(&request)).unwrap();
        assert_eq!(version(&after), 1, "{selector:?}");
    }
}

/// A request after the invalidation does not get an error from before it.
#[test]
fn every_invalidation_beats_an_error_in_flight() {
    let selectors = [
        Selector::User(CanonicalJson::string("BEN-000001")),
        Selector::Intent("claim_status".to_owned()),
        Selector::Pattern(Pattern::new("BEN-000001")),
        Selector::All,
    ];
    for selector in selectors {
        let bench = bench();
        let request = request();
        let early = begin(&bench, &request);
        bench.router.cache().invalidate(&selector);
        let late = begin(&bench, &request);
        release(&bench);
        bench.source.failing.store(true, Ordering::SeqCst);
        assert!(now(early).is_err());
        bench.source.failing.store(false, Ordering::SeqCst);
        assert!(now(late).is_ok(), "{selector:?}");
    }
}

/// Nothing is stored after the switch, neither the answer nor the membership; and
/// nothing that was stored before is lost.
#[test]
fn switching_off_beats_a_fill_in_flight() {
    let bench = bench();
    let cache = bench.router.cache();
    bench.source.members_held.store(true, Ordering::SeqCst);
    let request = request();
    let filler = begin(&bench, &request);
    let waiter = begin(&bench, &request);
    cache.set_enabled(false);
    bench.source.members_held.store(false, Ordering::SeqCst);
    release(&bench);
    let filled = now(filler).unwrap();
    assert!(
        matches!(filled.cache, CacheOutcome::Miss { stored: false, .. }),
        "{:?}",
        filled.cache
    );
    assert_eq!(now(waiter).unwrap().cache, CacheOutcome::Collapsed);
    assert_eq!(cache.stats().entries, 0);
    assert_eq!(cache.member_stats().entries, 0);
    cache.set_enabled(true);
    assert!(is_stored_miss(&now(bench.router.route(&request)).unwrap()));
}

#[test]
fn an_invalidation_of_something_else_leaves_a_fill_alone() {
    let selectors = [
        Selector::User(CanonicalJson::string("BEN-000002")),
        Selector::Intent("payment_history".to_owned()),
        Selector::Role(CanonicalJson::string("employer")),
        Selector::Class("knowledge_base".to_owned()),
        Selector::Tag("claim:BEN-000002".to_owned()),
        Selector::Pattern(Pattern::new("BEN-000002")),
    ];
    for selector in selectors {
        let bench = bench();
        let request = request();
        let mut early = begin(&bench, &request);
        bench.router.cache().invalidate(&selector);
        release(&bench);
        match poll_once(early.as_mut()) {
            Poll::Ready(Ok(routed)) => assert!(
                matches!(routed.cache, CacheOutcome::Miss { stored: true, .. }),
                "{selector:?}"
            ),
            other => panic!("{selector:?}: {other:?}"),
        }
    }
}
