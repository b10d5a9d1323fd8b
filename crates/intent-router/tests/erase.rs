//! The erasure of a user, and what is in flight meanwhile.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must panic")]

mod support;

use std::sync::atomic::Ordering;

use cache_keys::CanonicalJson;
use intent_router::{CacheOutcome, OutcomeClass, Request, UserContext};
use support::{Bench, bench, now, poll_once};

fn request(user: &str, role: &str) -> Request {
    let context = UserContext {
        user_id: Some(CanonicalJson::parse(user).unwrap()),
        user_role: Some(CanonicalJson::string(role)),
        conversation: None,
    };
    Request::new("what is my claim status?", context)
}

fn class_of(bench: &Bench, request: &Request) -> OutcomeClass {
    now(bench.router.route(request)).unwrap().cache.class()
}

#[test]
fn a_user_is_erased_in_every_role_and_another_is_kept() {
    let bench = bench();
    let of_user = [
        request("42", "beneficiary"),
        request("42", "employer"),
        request("\"42\"", "beneficiary"),
    ];
    let other = request("\"421\"", "beneficiary");
    for request in of_user.iter().chain([&other]) {
        assert_eq!(class_of(&bench, request), OutcomeClass::Miss);
        assert_eq!(class_of(&bench, request), OutcomeClass::Hit);
    }
    let cache = bench.router.cache();
    let erased = cache.erase(&CanonicalJson::string("42"));
    assert_eq!((erased.answers, erased.members), (3, 3));
    assert_eq!(cache.stats().entries, 1);
    assert_eq!(cache.member_stats().entries, 1);
    assert_eq!(class_of(&bench, &other), OutcomeClass::Hit);
    for request in &of_user {
        assert_eq!(class_of(&bench, request), OutcomeClass::Miss);
    }
}

/// Whether the source was asked for the membership or for the records when the
/// user was erased, nothing of that is stored.
#[test]
fn an_erasure_beats_what_is_in_flight() {
    for asked_for_records in [false, true] {
        let bench = bench();
        let held = match asked_for_records {
            false => &bench.source.members_held,
            true => &bench.source.held,
        };
        held.store(true, Ordering::SeqCst);
        let request = request("\"BEN-000001\"", "beneficiary");
        let mut asking = Box::pin(bench.router.route(&request));
        assert!(poll_once(asking.as_mut()).is_pending());
        let cache = bench.router.cache();
        cache.erase(&CanonicalJson::string("BEN-000001"));
        held.store(false, Ordering::SeqCst);
        let routed = now(asking).unwrap();
        assert!(
            matches!(routed.cache, CacheOutcome::Miss { stored: false, .. }),
            "{:?}",
            routed.cache
        );
        assert_eq!(cache.stats().entries, 0);
        assert_eq!(cache.member_stats().entries, 0);
    }
}
