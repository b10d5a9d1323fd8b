//! Stale answers within `stale_if_error`: served where the source fails.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must panic")]

mod support;

use std::pin::pin;
use std::sync::atomic::Ordering;
use std::time::Duration;

use intent_router::{Freshness, Request, RouteError, UserContext};
use support::stale::{
    ROLE, USER, ask, fail, forgiving, overdue, policy, request, secs, stale, version,
};
use support::{bench, is_stored_miss, now, poll_once};

#[test]
fn a_stale_answer_stands_in_for_a_failing_source_within_its_window() {
    let (bench, _) = overdue(forgiving());
    fail(&bench, true);
    for _ in 0..2 {
        let routed = ask(&bench);
        assert_eq!(stale(&routed), Some((secs(1), true)));
        assert_eq!(version(&routed), 0);
    }
    bench.clock.advance(secs(59));
    assert_eq!(stale(&ask(&bench)), Some((secs(60), true)));
    bench.clock.advance(Duration::from_nanos(1));
    let error = now(bench.router.route(&request())).unwrap_err();
    assert!(matches!(error, RouteError::Source(_)), "{error}");
    fail(&bench, false);
    assert_eq!(version(&ask(&bench)), 1);
}

#[test]
fn while_the_source_answers_nobody_gets_what_is_only_good_for_a_failure() {
    let (bench, refreshes) = overdue(forgiving());
    let routed = ask(&bench);
    assert!(is_stored_miss(&routed));
    assert_eq!(version(&routed), 1);
    assert!(refreshes.take().is_empty());
}

#[test]
fn all_who_waited_for_a_failed_fill_get_the_same_answer() {
    let (bench, _) = overdue(forgiving());
    let calls = bench.source.record_calls.load(Ordering::SeqCst);
    let request = request();
    bench.source.held.store(true, Ordering::SeqCst);
    let mut filler = pin!(bench.router.route(&request));
    let mut waiter = pin!(bench.router.route(&request));
    assert!(poll_once(filler.as_mut()).is_pending());
    assert!(poll_once(waiter.as_mut()).is_pending());
    fail(&bench, true);
    bench.source.held.store(false, Ordering::SeqCst);
    let (filled, waited) = (now(filler).unwrap(), now(waiter).unwrap());
    assert_eq!(stale(&filled), Some((secs(1), true)));
    assert_eq!(filled.cache, waited.cache);
    assert_eq!(filled.answer.json(), waited.answer.json());
    assert_eq!(
        bench.source.record_calls.load(Ordering::SeqCst),
        calls + 1,
        "the source is asked once"
    );
}

#[test]
fn a_stored_membership_replaces_a_failing_look_up() {
    let bench = bench();
    let short = Freshness::ttl(secs(1)).with_stale_if_error(secs(60));
    policy(&bench, intent_router::classes::USER_CONTEXT, short);
    ask(&bench);
    bench.clock.advance(secs(2));
    let history = Request::new("show my payment history", UserContext::new(USER, ROLE));
    bench.source.members_failing.store(true, Ordering::SeqCst);
    assert!(is_stored_miss(&now(bench.router.route(&history)).unwrap()));
    bench.clock.advance(secs(60));
    let contact = Request::new("show me my account details", UserContext::new(USER, ROLE));
    assert!(now(bench.router.route(&contact)).is_err());
}
