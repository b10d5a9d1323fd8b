//! Negative entries: that there is no such member.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must panic")]

mod support;

use std::sync::atomic::Ordering;
use std::time::Duration;

use cache_keys::CanonicalJson;
use intent_router::{Freshness, Pattern, Request, Selector, Source, UserContext};
use support::stale::{
    ROLE, USER, ask, fail, overdue, policy, reason, request, revalidating, secs, ttl,
};
use support::{bench, is_hit, is_stored_miss, now};

/// A member who is gone has no records to be shown, in whatever window.
#[test]
fn that_there_is_no_such_member_takes_the_place_of_a_stale_answer() {
    for negative_ttl in [None, Some(secs(10))] {
        let mut freshness = revalidating().with_stale_if_error(secs(600));
        freshness.negative_ttl = negative_ttl;
        let (bench, refreshes) = overdue(freshness);
        policy(
            &bench,
            intent_router::classes::USER_CONTEXT,
            Freshness::ttl(secs(1)),
        );
        bench.source.forget(USER);
        ask(&bench);
        let refreshed = now(refreshes.only());
        assert_eq!(refreshed.stored, negative_ttl.is_some());
        let after = ask(&bench);
        assert_eq!(reason(&after), "no_such_member");
        assert_eq!(is_hit(&after), negative_ttl.is_some());
        assert!(refreshes.take().is_empty());
    }
}

#[test]
fn that_there_is_no_such_member_is_kept_for_its_own_time_only() {
    let bench = bench();
    let freshness = revalidating()
        .with_stale_if_error(secs(600))
        .with_negative_ttl(secs(10));
    policy(&bench, intent_router::classes::LIVE_DATA, freshness);
    bench.source.forget(USER);
    let first = ask(&bench);
    assert!(is_stored_miss(&first));
    assert_eq!(first.answer.source(), Source::Fallback);
    bench.clock.advance(secs(10));
    let second = ask(&bench);
    assert!(is_hit(&second));
    assert_eq!(second.answer.json(), first.answer.json());
    assert_eq!(bench.source.member_calls.load(Ordering::SeqCst), 1);
    let stats = bench.router.cache().stats();
    assert_eq!((stats.negative, stats.entries), (1, 1));
    // No window applies to it.
    bench.clock.advance(Duration::from_nanos(1));
    fail(&bench, true);
    bench.source.remember(USER);
    assert!(now(bench.router.route(&request())).is_err());
    fail(&bench, false);
    assert_eq!(ask(&bench).answer.source(), Source::LiveData);
}

#[test]
fn a_member_who_appears_is_known_after_an_invalidation() {
    let digest = ask(&bench()).key.unwrap();
    for (selector, reaches_member) in [
        (Selector::User(CanonicalJson::string(USER)), true),
        (Selector::Role(CanonicalJson::string(ROLE)), true),
        (Selector::All, true),
        (Selector::Key(digest), false),
        (Selector::Intent("claim_status".to_owned()), false),
        (Selector::Class("live_data".to_owned()), false),
        (Selector::Pattern(Pattern::new(USER)), false),
    ] {
        let bench = bench();
        let negative = ttl().with_negative_ttl(secs(60));
        policy(&bench, intent_router::classes::LIVE_DATA, negative);
        if reaches_member {
            policy(&bench, intent_router::classes::USER_CONTEXT, negative);
        }
        bench.source.forget(USER);
        ask(&bench);
        bench.source.remember(USER);
        assert_eq!(reason(&ask(&bench)), "no_such_member");
        assert_eq!(
            bench.router.cache().invalidate(&selector),
            1,
            "{selector:?}"
        );
        let after = ask(&bench);
        assert_eq!(after.answer.source(), Source::LiveData, "{selector:?}");
    }
}

#[test]
fn an_invalidation_of_a_record_that_was_named_reaches_what_is_kept_of_no_member() {
    let bench = bench();
    policy(
        &bench,
        intent_router::classes::LIVE_DATA,
        ttl().with_negative_ttl(secs(60)),
    );
    bench.source.forget(USER);
    let message = "what is the status of claim CLM-2025-000123?";
    let named = Request::new(message, UserContext::new(USER, ROLE));
    assert!(is_stored_miss(&now(bench.router.route(&named)).unwrap()));
    let tag = Selector::Tag("claim:CLM-2025-000123".to_owned());
    assert_eq!(bench.router.cache().invalidate(&tag), 1);
}

#[test]
fn an_unknown_member_is_looked_up_once_for_all_intents() {
    let bench = bench();
    policy(
        &bench,
        intent_router::classes::USER_CONTEXT,
        ttl().with_negative_ttl(secs(60)),
    );
    bench.source.forget(USER);
    let history = Request::new("show my payment history", UserContext::new(USER, ROLE));
    for _ in 0..2 {
        assert_eq!(reason(&ask(&bench)), "no_such_member");
        let other = now(bench.router.route(&history)).unwrap();
        assert_eq!(reason(&other), "no_such_member");
    }
    assert_eq!(bench.source.member_calls.load(Ordering::SeqCst), 1);
    let cache = bench.router.cache();
    assert_eq!(cache.stats().entries, 0, "their class keeps none");
    cache.invalidate(&Selector::User(CanonicalJson::string(USER)));
    bench.source.remember(USER);
    assert_eq!(ask(&bench).answer.source(), Source::LiveData);
}
