//! Look-ups whose callers compute what is missing, one rule a test.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must panic")]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use cache_keys::CanonicalJson;
use intent_router::{
    Bypass, CacheLookup, CacheOutcome, CacheService, CacheUse, Catalogue, Computed, Date,
    FillPermit, KeywordDetector, Owner, Refusal, Request, Reuse, RouteError, Router, Selector,
    UserContext,
};
use serde_json::json;
use support::{Bench, CLAIM, FakeSource, ask, bench, is_hit, now};

fn request(message: &str, user: &str) -> Request {
    Request::new(message, UserContext::new(user, "beneficiary"))
}

fn look_up(router: &Router, message: &str, user: &str) -> CacheLookup {
    router.look_up(&request(message, user), None).unwrap()
}

fn permit(found: CacheLookup) -> FillPermit {
    match found {
        CacheLookup::Missing(permit) => permit,
        other => panic!("no permit: {other:?}"),
    }
}

fn is_stored(found: &CacheLookup) -> bool {
    matches!(found, CacheLookup::Answered(..))
}

fn computed(tags: &[&str]) -> Computed {
    let tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
    Computed::new(json!({ "claims": [] }), tags)
}

const CATALOGUE: &str = r#"
    [slots.claim]
    kind = "pattern"
    pattern = "CLM-####"
    [[intent]]
    name = "claims"
    kind = "live_data"
    answered_by = "caller"
    phrases = ["claim"]
    slots = ["claim"]
    [[intent]]
    name = "claim_slots"
    kind = "live_data"
    answered_by = "caller"
    key = "slots"
    phrases = ["the claim of"]
    slots = ["claim"]
    tags = ["claim:{claim}"]
    [[intent]]
    name = "hours"
    kind = "knowledge_base"
    answered_by = "caller"
    phrases = ["opening hours"]
"#;

/// A router whose intents are all answered by callers.
fn callers() -> (Router, Arc<FakeSource>) {
    let catalogue = Arc::new(Catalogue::parse(CATALOGUE).unwrap());
    let source = Arc::new(FakeSource::default());
    let detector = Arc::new(KeywordDetector::new(&catalogue));
    let cache = Arc::new(CacheService::builder().build().unwrap());
    let records = Arc::clone(&source) as _;
    let router = Router::new(catalogue, detector, records, cache).unwrap();
    (router, source)
}

#[test]
fn a_fill_is_what_a_route_finds_and_the_other_way_round() {
    let bench: Bench = bench();
    let filled = permit(look_up(&bench.router, CLAIM, "A")).fill(computed(&[]));
    assert_eq!(filled.stored, Ok(()));
    let routed = ask(&bench, CLAIM, "A", "beneficiary");
    assert!(is_hit(&routed));
    assert_eq!(routed.answer.json(), filled.answer.json());
    assert_eq!(bench.source.calls(), 0);
    let routed = ask(&bench, CLAIM, "B", "beneficiary");
    let CacheLookup::Answered(found, None) = look_up(&bench.router, CLAIM, "B") else {
        panic!("not found");
    };
    assert!(matches!(found.cache, CacheOutcome::Hit { .. }));
    assert_eq!(found.answer.json(), routed.answer.json());
}

#[test]
fn an_invalidation_beats_the_fill_and_its_later_waiters() {
    let bench = bench();
    let early = permit(look_up(&bench.router, CLAIM, "A"));
    let CacheLookup::InFlight(before) = look_up(&bench.router, CLAIM, "A") else {
        panic!("not in flight");
    };
    bench
        .router
        .cache()
        .invalidate(&Selector::Intent("claim_status".to_owned()));
    let CacheLookup::InFlight(after) = look_up(&bench.router, CLAIM, "A") else {
        panic!("not in flight");
    };
    let filled = early.fill(computed(&[]));
    assert_eq!(filled.stored, Err(Refusal::Invalidated));
    let CacheLookup::Answered(shared, None) = now(before.wait()) else {
        panic!("a look-up of before the invalidation gets the answer");
    };
    assert_eq!(shared.answer.json(), filled.answer.json());
    let next = permit(now(after.wait()));
    assert_eq!(next.fill(computed(&[])).stored, Ok(()));
}

#[test]
fn records_of_the_user_or_of_the_kind_reach_an_answer() {
    let record = |name: &str, user: Option<&str>| match user {
        None => Selector::Tag(name.to_owned()),
        Some(user) => Selector::TagOf {
            record: name.to_owned(),
            user: CanonicalJson::string(user),
        },
    };
    for (tags, selector, reached) in [
        (&["claim:1"][..], record("claim:1", None), true),
        (&["claim:1"], record("claim:1", Some("B")), true),
        // A new record of the user's, of nobody in particular, of another user's.
        (&["claim:1"], record("claim:2", Some("A")), true),
        (&["claim:1"], record("claim:2", None), true),
        (&["claim:1"], record("claim:2", Some("B")), false),
        (&["claim"], record("claim:2", Some("B")), true),
        (&["claim"], record("claim", None), true),
        (&["claim:1"], record("payment:1", Some("A")), false),
    ] {
        let (router, _) = callers();
        let stored = permit(look_up(&router, "my claim", "A")).fill(computed(tags));
        assert_eq!(stored.stored, Ok(()));
        let removed = router.cache().invalidate(&selector);
        assert_eq!(removed, usize::from(reached), "{tags:?} {selector:?}");
        let found = look_up(&router, "my claim", "A");
        assert_eq!(is_stored(&found), !reached, "{tags:?} {selector:?}");
    }
}

#[test]
fn a_route_never_asks_the_source_about_an_intent_of_callers() {
    let (router, source) = callers();
    for stored in [false, true] {
        let routed = now(router.route(&request("my claim", "A"))).unwrap();
        let outcome = CacheOutcome::Bypass(Bypass::AnsweredByCaller);
        assert_eq!(routed.cache, outcome, "{stored}");
        assert!(routed.answer.json().contains("answered_by_caller"));
        if !stored {
            let _ = permit(look_up(&router, "my claim", "A")).fill(computed(&[]));
        }
    }
    assert_eq!(source.record_calls.load(Ordering::SeqCst), 0);
}

#[test]
fn given_slots_identify_the_answer_and_are_what_the_caller_is_told() {
    let (router, _) = callers();
    let slots = |claim: &str| BTreeMap::from([("claim".to_owned(), claim.to_owned())]);
    let look = |intent: &str, message: &str, claim: &str| {
        let mut asked = request(message, "A");
        asked.forced_intent = Some(intent.to_owned());
        router.look_up(&asked, Some(&slots(claim))).unwrap()
    };
    for intent in ["claims", "claim_slots"] {
        // Even where the message would withhold its own slots.
        for message in ["", "all but CLM-0003, CLM-0004"] {
            let first = permit(look(intent, message, "CLM-0001"));
            first.ask(|ask| {
                assert_eq!(ask.slots.get("claim"), Some("CLM-0001"));
                assert!(!ask.doubtful);
            });
            assert_eq!(first.fill(computed(&[])).stored, Ok(()));
            let other = look(intent, message, "CLM-0002");
            assert!(!is_stored(&other), "{intent} {message:?}");
            assert!(is_stored(&look(intent, message, "clm-0001")));
            router.cache().invalidate(&Selector::All);
        }
    }
    // In the key mode `slots` a message with the same slots is the same question.
    let _ = permit(look("claim_slots", "", "CLM-0005")).fill(computed(&[]));
    let same = look_up(&router, "the claim of CLM-0005", "A");
    assert!(is_stored(&same), "{same:?}");
    let mut unknown = request("", "A");
    unknown.forced_intent = Some("claims".to_owned());
    for wrong in [("claim", "none"), ("other", "1")] {
        let slots = BTreeMap::from([(wrong.0.to_owned(), wrong.1.to_owned())]);
        let error = router.look_up(&unknown, Some(&slots)).unwrap_err();
        assert!(matches!(error, RouteError::Conversation(_)), "{error}");
    }
}

#[test]
fn the_rules_of_a_route_say_when_the_cache_is_not_used() {
    let bypass = |router: &Router, request: &Request| match router.look_up(request, None).unwrap() {
        CacheLookup::Bypassed(why) => Some(why),
        _ => None,
    };
    let bench = bench();
    let router = &bench.router;
    let nobody = Request::new(CLAIM, UserContext::default());
    assert_eq!(bypass(router, &nobody), Some(Bypass::Unidentified));
    let other = request("what is the claim status of BEN-000002?", "BEN-000001");
    assert_eq!(bypass(router, &other), Some(Bypass::OtherPerson));
    let unknown = request("colourless green ideas", "A");
    assert_eq!(bypass(router, &unknown), Some(Bypass::UnknownIntent));
    let mut forbidden = request(CLAIM, "A");
    forbidden.cache_use = CacheUse::Forbidden;
    assert_eq!(bypass(router, &forbidden), Some(Bypass::NoStore));
    let held = permit(look_up(router, CLAIM, "A"));
    router.cache().set_enabled(false);
    assert_eq!(
        bypass(router, &request(CLAIM, "A")),
        Some(Bypass::CachingOff)
    );
    // A permit of before gives its answer to those who wait, and stores nothing.
    assert_eq!(held.fill(computed(&[])).stored, Err(Refusal::Shared));
    router.cache().set_enabled(true);
    assert!(!is_stored(&look_up(router, CLAIM, "A")));
}

#[test]
fn stored_answers_are_taken_or_not_as_the_request_says() {
    let bench = bench();
    let _ = permit(look_up(&bench.router, CLAIM, "A")).fill(computed(&[]));
    bench.clock.advance(Duration::from_secs(10));
    let look = |reuse| {
        let mut asked = request(CLAIM, "A");
        asked.cache_use = CacheUse::Allowed(reuse);
        is_stored(&bench.router.look_up(&asked, None).unwrap())
    };
    assert!(look(Reuse::MaxAge(Duration::from_secs(10))));
    assert!(!look(Reuse::MaxAge(Duration::from_secs(9))));
    assert!(!look(Reuse::Nothing));
    assert!(look(Reuse::Any));
}

#[test]
fn a_ttl_only_shortens() {
    for (ttl, passed, found) in [
        (5, 5, true),
        (5, 6, false),
        (1_000, 300, true),
        (1_000, 301, false),
    ] {
        let bench = bench();
        let mut short = computed(&[]);
        short.ttl = Some(Duration::from_secs(ttl));
        let _ = permit(look_up(&bench.router, CLAIM, "A")).fill(short);
        bench.clock.advance(Duration::from_secs(passed));
        assert_eq!(
            is_stored(&look_up(&bench.router, CLAIM, "A")),
            found,
            "{ttl} {passed}"
        );
    }
}

#[test]
fn a_failure_is_the_stale_answer_where_the_class_allows_it() {
    let bench = bench();
    let minute = Duration::from_secs(60);
    let policy = intent_router::Freshness::ttl(minute).with_stale_if_error(minute);
    let policy = policy.with_negative_ttl(minute);
    let classes = bench.router.cache().classes();
    classes.set_freshness(intent_router::classes::LIVE_DATA, policy);
    let first = permit(look_up(&bench.router, CLAIM, "A")).fill(computed(&[]));
    bench.clock.advance(minute * 3 / 2);
    let stale = permit(look_up(&bench.router, CLAIM, "A"))
        .fail("away")
        .unwrap();
    assert_eq!(stale.answer.json(), first.answer.json());
    assert!(stale.cache.is_stale_if_error());
    // Nothing to be found is an answer, too.
    let mut nothing = computed(&[]);
    nothing.negative = true;
    assert_eq!(
        permit(look_up(&bench.router, CLAIM, "B"))
            .fill(nothing)
            .stored,
        Ok(())
    );
    assert!(is_stored(&look_up(&bench.router, CLAIM, "B")));
}

#[test]
fn a_caller_may_read_the_day_and_a_shared_answer_has_no_owner() {
    let (router, _) = callers();
    let at = Date::at_offset(std::time::SystemTime::now(), 0);
    permit(look_up(&router, "my claim", "A")).ask(|ask| assert!(ask.today >= Some(at)));
    let hours = permit(look_up(&router, "opening hours", "A"));
    assert_eq!(*hours.owner(), Owner::Everyone);
    let _ = hours.fill(computed(&[]));
    assert!(is_stored(&look_up(&router, "opening hours", "B")));
}
