//! The routing rules, one by one.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must panic")]

mod support;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use cache_core::Reuse;
use cache_keys::CanonicalJson;
use intent_router::{
    Answer, Bypass, CacheOutcome, CacheUse, Capacity, Owner, Principal, Request, Response,
    RouteError, Selector, Source, UserContext,
};
use support::{Bench, CLAIM, ask, bench, bench_with, is_hit, is_stored_miss, now};

#[test]
fn a_repeated_question_is_a_hit_with_the_stored_response() {
    let bench = bench();
    let first = ask(&bench, CLAIM, "BEN-000001", "beneficiary");
    bench.clock.advance(Duration::from_secs(7));
    let second = ask(&bench, CLAIM, "BEN-000001", "beneficiary");
    assert!(is_stored_miss(&first));
    assert_eq!(
        second.cache,
        CacheOutcome::Hit {
            age: Duration::from_secs(7),
            remaining: Duration::from_secs(293),
        }
    );
    assert_eq!(first.answer.json(), second.answer.json());
    assert_eq!(first.key, second.key);
    assert_eq!((first.calls, second.calls), (2, 0));
    assert_eq!(first.answer.source(), Source::LiveData);
    assert_eq!(first.answer.intent(), "claim_status");
}

#[test]
fn an_answer_is_served_until_its_ttl_has_passed_and_not_longer() {
    let bench = bench();
    ask(&bench, CLAIM, "BEN-000001", "beneficiary");
    bench.clock.advance(Duration::from_secs(300));
    assert!(is_hit(&ask(&bench, CLAIM, "BEN-000001", "beneficiary")));
    bench.clock.advance(Duration::from_nanos(1));
    let late = ask(&bench, CLAIM, "BEN-000001", "beneficiary");
    assert!(is_stored_miss(&late));
}

#[test]
fn a_source_shortens_the_ttl_and_never_lengthens_it() {
    for (max_age, ttl) in [(Some(60), 60), (Some(900), 300), (None, 300)] {
        let bench = bench();
        *bench.source.max_age.lock().unwrap() = max_age.map(Duration::from_secs);
        ask(&bench, CLAIM, "BEN-000001", "beneficiary");
        // A TTL of its own is rounded down by less than a millisecond.
        bench
            .clock
            .advance(Duration::from_secs(ttl) - Duration::from_millis(1));
        assert!(is_hit(&ask(&bench, CLAIM, "BEN-000001", "beneficiary")));
        bench.clock.advance(Duration::from_millis(2));
        assert!(!is_hit(&ask(&bench, CLAIM, "BEN-000001", "beneficiary")));
    }
}

#[test]
fn an_answer_that_its_source_does_not_want_stored_is_not() {
    let bench = bench();
    *bench.source.max_age.lock().unwrap() = Some(Duration::ZERO);
    for _ in 0..2 {
        let routed = ask(&bench, CLAIM, "BEN-000001", "beneficiary");
        assert!(!is_hit(&routed) && !is_stored_miss(&routed));
    }
}

#[test]
fn another_user_role_message_or_guest_is_never_a_hit() {
    let bench = bench();
    ask(&bench, CLAIM, "BEN-000001", "beneficiary");
    assert!(!is_hit(&ask(&bench, CLAIM, "BEN-000002", "beneficiary")));
    assert!(!is_hit(&ask(&bench, CLAIM, "BEN-000001", "employer")));
    assert!(!is_hit(&ask(
        &bench,
        "what is my claim status",
        "BEN-000001",
        "beneficiary"
    )));
    let guest = now(bench
        .router
        .route(&Request::new(CLAIM, UserContext::guest())))
    .unwrap();
    assert_eq!(guest.cache, CacheOutcome::Bypass(Bypass::Unidentified));
    assert_eq!(guest.answer.source(), Source::Fallback);
    assert_eq!(guest.calls, 0);
}

#[test]
fn users_that_python_calls_false_are_guests() {
    let bench = bench();
    for id in ["null", "false", "0", "0.0", "-0.0", "\"\"", "[]", "{}"] {
        let context = UserContext {
            user_id: Some(CanonicalJson::parse(id).unwrap()),
            ..UserContext::default()
        };
        let routed = now(bench.router.route(&Request::new(CLAIM, context))).unwrap();
        assert_eq!(
            routed.cache,
            CacheOutcome::Bypass(Bypass::Unidentified),
            "{id}"
        );
    }
    for id in ["true", "1", "0.5", "\"0\"", "\" \"", "[0]", "{\"a\": null}"] {
        let context = UserContext {
            user_id: Some(CanonicalJson::parse(id).unwrap()),
            ..UserContext::default()
        };
        let routed = now(bench.router.route(&Request::new(CLAIM, context))).unwrap();
        assert!(is_stored_miss(&routed), "{id}");
    }
    assert_eq!(bench.router.cache().stats().total_requests(), 7);
}

#[test]
fn users_whose_json_differs_do_not_share() {
    let bench = bench();
    let ids = [
        "1",
        "1.0",
        "true",
        "\"1\"",
        "[1]",
        "12345678901234567890123",
    ];
    for id in ids {
        let context = UserContext {
            user_id: Some(CanonicalJson::parse(id).unwrap()),
            ..UserContext::default()
        };
        let routed = now(bench.router.route(&Request::new(CLAIM, context))).unwrap();
        assert!(!is_hit(&routed), "{id}");
    }
}

#[test]
fn an_absent_role_is_the_role_guest() {
    let bench = bench();
    let absent = UserContext {
        user_id: Some(CanonicalJson::string("BEN-000001")),
        ..UserContext::default()
    };
    now(bench.router.route(&Request::new(CLAIM, absent))).unwrap();
    assert!(is_hit(&ask(&bench, CLAIM, "BEN-000001", "guest")));
}

#[test]
fn an_empty_or_unknown_message_falls_back_and_asks_nobody() {
    let bench = bench();
    for message in ["", "   ", "colourless green ideas sleep furiously"] {
        let routed = ask(&bench, message, "BEN-000001", "beneficiary");
        let response = routed.answer.response().unwrap();
        assert_eq!(response.intent, "unknown", "{message:?}");
        assert_eq!(response.source, Source::Fallback);
        assert_eq!(routed.cache, CacheOutcome::Bypass(Bypass::UnknownIntent));
    }
    let empty = ask(&bench, "", "BEN-000001", "beneficiary");
    assert_eq!(empty.answer.response().unwrap().confidence, 0.0);
    assert_eq!(bench.source.calls(), 0);
}

#[test]
fn a_known_forced_intent_is_taken_and_an_unknown_one_ignored() {
    let bench = bench();
    let mut request = Request::new(CLAIM, UserContext::new("BEN-000001", "beneficiary"));
    request.forced_intent = Some("pension_inquiry".to_owned());
    let forced = now(bench.router.route(&request)).unwrap();
    assert_eq!(forced.answer.intent(), "pension_inquiry");
    assert_eq!(forced.answer.response().unwrap().confidence, 1.0);
    request.forced_intent = Some("no_such_intent".to_owned());
    let ignored = now(bench.router.route(&request)).unwrap();
    assert_eq!(ignored.answer.intent(), "claim_status");
}

#[test]
fn knowledge_base_answers_are_everyones_under_their_own_class() {
    let bench = bench();
    let first = ask(&bench, "good morning", "BEN-000001", "beneficiary");
    assert_eq!(first.answer.source(), Source::KnowledgeBase);
    assert_eq!(first.calls, 1, "no member is looked up");
    bench.clock.advance(Duration::from_secs(3_600));
    assert!(is_hit(&ask(&bench, "good morning", "EMP-0001", "employer")));
    let guest = Request::new("good morning", UserContext::guest());
    assert!(is_hit(&now(bench.router.route(&guest)).unwrap()));
    bench.clock.advance(Duration::from_nanos(1));
    assert!(!is_hit(&now(bench.router.route(&guest)).unwrap()));
}

#[test]
fn an_unknown_member_gets_an_honest_answer_that_is_not_cached() {
    let bench = bench();
    for _ in 0..2 {
        let routed = ask(&bench, CLAIM, "NOBODY-1", "beneficiary");
        let response = routed.answer.response().unwrap();
        assert_eq!(response.source, Source::Fallback);
        assert_eq!(response.data["reason"], "no_such_member");
        assert!(matches!(
            routed.cache,
            CacheOutcome::Miss { stored: false, .. }
        ));
    }
    assert_eq!(bench.source.member_calls.load(Ordering::SeqCst), 2);
    assert_eq!(bench.source.record_calls.load(Ordering::SeqCst), 0);
    assert_eq!(bench.router.cache().stats().entries, 0);
}

#[test]
fn a_source_error_is_returned_and_not_cached() {
    let bench = bench();
    bench.source.failing.store(true, Ordering::SeqCst);
    let request = Request::new(CLAIM, UserContext::new("BEN-000001", "beneficiary"));
    let error = now(bench.router.route(&request)).unwrap_err();
    assert!(matches!(error, RouteError::Source(_)), "{error}");
    bench.source.failing.store(false, Ordering::SeqCst);
    assert!(is_stored_miss(&now(bench.router.route(&request)).unwrap()));
}

#[test]
fn members_are_looked_up_once_within_their_class() {
    let bench = bench();
    ask(&bench, CLAIM, "BEN-000001", "beneficiary");
    let other = ask(
        &bench,
        "show my payment history",
        "BEN-000001",
        "beneficiary",
    );
    assert_eq!(other.calls, 1, "the membership was stored");
    bench.clock.advance(Duration::from_secs(1_801));
    let late = ask(&bench, CLAIM, "BEN-000001", "beneficiary");
    assert_eq!(late.calls, 2, "the membership had expired");
}

#[test]
fn caching_off_asks_the_source_every_time_and_on_again_finds_what_is_fresh() {
    let bench = bench();
    let stored = ask(&bench, CLAIM, "BEN-000001", "beneficiary");
    bench.router.cache().set_enabled(false);
    for _ in 0..2 {
        let off = ask(&bench, CLAIM, "BEN-000001", "beneficiary");
        assert_eq!(off.cache, CacheOutcome::Bypass(Bypass::CachingOff));
        assert_eq!(off.calls, 2);
        assert_ne!(
            off.answer.response().unwrap().data["serial"],
            stored.answer.response().unwrap().data["serial"]
        );
    }
    assert_eq!(bench.router.cache().stats().total_requests(), 1);
    bench.router.cache().set_enabled(true);
    assert!(is_hit(&ask(&bench, CLAIM, "BEN-000001", "beneficiary")));
}

#[test]
fn a_request_may_refuse_stored_answers() {
    let bench = bench();
    let mut request = Request::new(CLAIM, UserContext::new("BEN-000001", "beneficiary"));
    let first = now(bench.router.route(&request)).unwrap();
    let plain = CacheOutcome::Miss {
        stored: true,
        requested: false,
    };
    assert_eq!(first.cache, plain);
    bench.clock.advance(Duration::from_secs(10));

    request.cache_use = CacheUse::Allowed(Reuse::MaxAge(Duration::from_secs(10)));
    assert!(is_hit(&now(bench.router.route(&request)).unwrap()));
    request.cache_use = CacheUse::Allowed(Reuse::MaxAge(Duration::from_secs(9)));
    let fresh = now(bench.router.route(&request)).unwrap();
    let expect = CacheOutcome::Miss {
        stored: true,
        requested: true,
    };
    assert_eq!(fresh.cache, expect);

    request.cache_use = CacheUse::Allowed(Reuse::Nothing);
    let newest = now(bench.router.route(&request)).unwrap();
    assert_eq!(newest.cache, expect);
    assert_eq!(
        newest.calls, 2,
        "a stored membership is not accepted either"
    );
    request.cache_use = CacheUse::default();
    let hit = now(bench.router.route(&request)).unwrap();
    assert_eq!(hit.answer.json(), newest.answer.json());

    request.cache_use = CacheUse::Forbidden;
    let unstored = now(bench.router.route(&request)).unwrap();
    assert_eq!(unstored.cache, CacheOutcome::Bypass(Bypass::NoStore));
    request.cache_use = CacheUse::default();
    let hit = now(bench.router.route(&request)).unwrap();
    assert_eq!(hit.answer.json(), newest.answer.json());
}

#[test]
fn caching_may_be_off_from_the_beginning() {
    let bench = bench_with(|builder| builder.enabled(false));
    let routed = ask(&bench, CLAIM, "BEN-000001", "beneficiary");
    assert_eq!(routed.cache, CacheOutcome::Bypass(Bypass::CachingOff));
}

#[test]
fn a_clock_set_before_1970_or_after_9999_is_no_reason_to_panic() {
    for at in [
        SystemTime::UNIX_EPOCH - Duration::from_nanos(1),
        SystemTime::UNIX_EPOCH + Duration::from_secs(253_402_300_800),
    ] {
        let Bench { router, .. } = bench();
        let router = router.with_wall_clock(Arc::new(move || at));
        let request = Request::new(CLAIM, UserContext::new("BEN-000001", "beneficiary"));
        let routed = now(router.route(&request)).unwrap();
        assert_eq!(routed.answer.response().unwrap().timestamp.len(), 24);
    }
}

#[test]
fn set_stores_what_the_router_would_store_and_nothing_else() {
    let bench = bench();
    let cache = bench.router.cache();
    let who = |user| Principal::identify(&UserContext::new(user, "beneficiary")).unwrap();
    let entry = || {
        let owner = Owner::Person(who("BEN-000001"));
        cache.entry_key("claim_status", owner, CLAIM).unwrap()
    };
    let answer = |source, user| {
        let response = Response {
            source,
            intent: "claim_status".to_owned(),
            confidence: 1.0,
            data: serde_json::json!({}),
            timestamp: "2025-11-23T07:00:00.000Z".to_owned(),
        };
        Answer::new(response, Owner::Person(who(user)), 1)
    };
    let class = intent_router::classes::LIVE_DATA;
    let own = answer(Source::LiveData, "BEN-000001");
    for unfit in [
        answer(Source::Fallback, "BEN-000001"),
        answer(Source::LiveData, "BEN-000002"),
    ] {
        assert!(!cache.set(entry(), unfit, class, &[]));
        assert!(cache.get(&entry(), class).is_none());
    }
    cache.set_enabled(false);
    assert!(!cache.set(entry(), own.clone(), class, &[]));
    cache.set_enabled(true);
    assert!(cache.get(&entry(), class).is_none());
    assert!(cache.set(entry(), own.clone(), class, &["claim:7".to_owned()]));
    assert_eq!(
        cache.get(&entry(), class).map(|a| a.json().to_owned()),
        Some(own.json().to_owned())
    );
    let tag = Selector::Tag("claim:7".to_owned());
    assert_eq!(cache.invalidate(&tag), 1);
    let user = Selector::User(CanonicalJson::string("BEN-000001"));
    cache.set(entry(), own, class, &[]);
    assert_eq!(cache.invalidate(&user), 1);
}

#[test]
fn a_zero_capacity_is_refused() {
    let built = intent_router::CacheService::builder()
        .capacity(Capacity::Entries(0))
        .build();
    assert!(built.is_err());
}
