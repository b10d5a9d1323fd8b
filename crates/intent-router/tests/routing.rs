//! The routing rules, one by one (contract of the router: README, "Routing").

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must panic")]

mod support;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use cache_core::{Reuse, TtlClass};
use cache_keys::{CacheKey, CanonicalJson, KeyError, KeyParts, KeyScheme, Md5Scheme};
use intent_router::{
    Answer, Bypass, CacheOutcome, CacheUse, Capacity, Owner, Pattern, Principal, Request, Response,
    RouteError, Routed, Selector, Source, UserContext,
};
use support::{Bench, bench, bench_with, now};

const CLAIM: &str = "what is my claim status?";

fn ask(bench: &Bench, message: &str, user: &str, role: &str) -> Routed {
    let request = Request::new(message, UserContext::new(user, role));
    now(bench.router.route(&request)).unwrap()
}

fn is_hit(routed: &Routed) -> bool {
    matches!(routed.cache, CacheOutcome::Hit { .. })
}

fn is_stored_miss(routed: &Routed) -> bool {
    matches!(routed.cache, CacheOutcome::Miss { stored: true, .. })
}

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
            user_role: None,
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
            user_role: None,
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
            user_role: None,
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
        user_role: None,
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
    assert_eq!(first.calls, 1, "nobody's profile is needed");
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
    assert_eq!(bench.source.profile_calls.load(Ordering::SeqCst), 2);
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
fn profiles_are_looked_up_once_within_their_class() {
    let bench = bench();
    ask(&bench, CLAIM, "BEN-000001", "beneficiary");
    let other = ask(
        &bench,
        "show my payment history",
        "BEN-000001",
        "beneficiary",
    );
    assert_eq!(other.calls, 1, "the profile was known");
    bench.clock.advance(Duration::from_secs(1_801));
    let late = ask(&bench, CLAIM, "BEN-000001", "beneficiary");
    assert_eq!(late.calls, 2, "the profile had expired");
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
    assert_eq!(newest.calls, 2, "a stored profile is not accepted either");
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
fn invalidation_reaches_what_it_names_and_counts_it() {
    let bench = bench();
    let fill = || {
        let mut keys = Vec::new();
        for (user, role) in [
            ("BEN-000001", "beneficiary"),
            ("BEN-000001", "employer"),
            ("BEN-000002", "beneficiary"),
        ] {
            for message in [CLAIM, "show my payment history"] {
                keys.push(ask(&bench, message, user, role).key.unwrap());
            }
        }
        ask(&bench, "good morning", "BEN-000001", "beneficiary");
        keys
    };
    let text = CanonicalJson::string;
    let keys = fill();
    let cases = [
        (Selector::Key(keys[0]), 1),
        (Selector::User(text("BEN-000001")), 4),
        (Selector::User(text("BEN-00000")), 0),
        (Selector::Intent("claim_status".to_owned()), 3),
        (Selector::Role(text("beneficiary")), 4),
        (Selector::Class("live_data".to_owned()), 6),
        (Selector::Class("knowledge_base".to_owned()), 1),
        (Selector::Class("user_context".to_owned()), 3),
        (Selector::Class("nonesuch".to_owned()), 0),
        (Selector::Tag("claim:BEN-000002".to_owned()), 2),
        (Selector::Tag("intent=claim_status".to_owned()), 0),
        (Selector::Pattern(Pattern::new("BEN-000001")), 4),
        (
            Selector::Pattern(Pattern::new("claim_status/*/beneficiary")),
            2,
        ),
        (
            Selector::Pattern(Pattern::new(&keys[3].to_string()[5..20])),
            1,
        ),
        (Selector::All, 7),
    ];
    for (selector, expect) in cases {
        fill();
        assert_eq!(
            bench.router.cache().invalidate(&selector),
            expect,
            "{selector:?}"
        );
        assert_eq!(
            bench.router.cache().invalidate(&selector),
            0,
            "{selector:?} again"
        );
    }
}

#[test]
fn expired_answers_do_not_count_as_removed() {
    let bench = bench();
    ask(&bench, CLAIM, "BEN-000001", "beneficiary");
    bench.clock.advance(Duration::from_secs(301));
    ask(&bench, CLAIM, "BEN-000002", "beneficiary");
    assert_eq!(bench.router.cache().invalidate(&Selector::All), 1);
}

/// A scheme under which all requests collide, digest and check alike.
struct AllTheSame(CacheKey);

impl AllTheSame {
    fn new() -> Self {
        let parts = KeyParts {
            intent: "any",
            user_id: cache_keys::Field::Absent,
            user_role: cache_keys::Field::Absent,
            message: "",
        };
        Self(Md5Scheme::default().key(&parts).unwrap())
    }
}

impl KeyScheme for AllTheSame {
    fn key(&self, _: &KeyParts<'_>) -> Result<CacheKey, KeyError> {
        Ok(self.0)
    }
}

#[test]
fn owner_and_role_are_compared_even_when_every_key_collides() {
    let bench = bench_with(|builder| builder.scheme(Arc::new(AllTheSame::new())));
    for (user, role) in [
        ("BEN-000001", "beneficiary"),
        ("BEN-000002", "beneficiary"),
        ("BEN-000001", "employer"),
    ] {
        let routed = ask(&bench, CLAIM, user, role);
        assert!(is_stored_miss(&routed), "{user} {role}");
        assert_eq!(routed.answer.response().unwrap().data["user"], user);
        assert_eq!(routed.answer.response().unwrap().data["role"], role);
    }
    for (user, role) in [("BEN-000001", "beneficiary"), ("BEN-000002", "beneficiary")] {
        let routed = ask(&bench, CLAIM, user, role);
        assert!(is_hit(&routed));
        assert_eq!(routed.answer.response().unwrap().data["user"], user);
    }
    let digest = *AllTheSame::new().0.digest();
    let removed = bench.router.cache().invalidate(&Selector::Key(digest));
    assert_eq!(removed, 3, "a digest names every entry that has it");
}

/// A scheme whose digests are the same for all messages, and whose independent
/// checks are not.
struct SameDigest([Md5Scheme; 2]);

impl KeyScheme for SameDigest {
    fn key(&self, parts: &KeyParts<'_>) -> Result<CacheKey, KeyError> {
        let message = "";
        self.0[parts.message.len() % 2].key(&KeyParts { message, ..*parts })
    }
}

#[test]
fn messages_whose_digests_collide_do_not_share() {
    let scheme = SameDigest([1, 2].map(|n| Md5Scheme::with_secret([n; 16])));
    let bench = bench_with(|builder| builder.scheme(Arc::new(scheme)));
    let who = |message| ask(&bench, message, "BEN-000001", "beneficiary");
    let first = who("what is my claim status?");
    let second = who("what is my claim status");
    assert_eq!(first.key, second.key);
    assert!(is_stored_miss(&second));
    assert_eq!(
        who("what is my claim status")
            .answer
            .response()
            .unwrap()
            .data["message"],
        "what is my claim status"
    );
    let key = Selector::Key(first.key.unwrap());
    assert_eq!(bench.router.cache().invalidate(&key), 2);
}

#[test]
fn a_user_is_not_mistaken_for_a_role_or_an_intent_of_that_name() {
    let bench = bench();
    ask(&bench, CLAIM, "beneficiary", "claim_status");
    let cache = bench.router.cache();
    let text = CanonicalJson::string;
    for selector in [
        Selector::User(text("claim_status")),
        Selector::Role(text("beneficiary")),
        Selector::Intent("beneficiary".to_owned()),
        Selector::Tag("beneficiary".to_owned()),
        Selector::Tag("\"beneficiary\"".to_owned()),
    ] {
        assert_eq!(cache.invalidate(&selector), 0, "{selector:?}");
    }
    assert_eq!(cache.invalidate(&Selector::Role(text("claim_status"))), 1);
}

#[test]
fn an_absent_role_and_a_null_one_differ() {
    let bench = bench();
    let route = |context: &str| {
        let context = serde_json::from_str(context).unwrap();
        now(bench.router.route(&Request::new(CLAIM, context))).unwrap()
    };
    let absent = route(r#"{"user_id": "BEN-000001"}"#);
    let null = route(r#"{"user_id": "BEN-000001", "user_role": null}"#);
    assert!(is_stored_miss(&null));
    assert_ne!(absent.key, null.key);
    assert!(is_hit(&route(
        r#"{"user_id": "BEN-000001", "user_role": null}"#
    )));
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
    let class = TtlClass::LIVE_DATA;
    let own = answer(Source::LiveData, "BEN-000001");
    for unfit in [
        answer(Source::Fallback, "BEN-000001"),
        answer(Source::LiveData, "BEN-000002"),
    ] {
        assert!(!cache.set(entry(), unfit, class, &[]));
        assert!(cache.get(&entry(), class).is_none());
    }
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
