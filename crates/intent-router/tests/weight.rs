//! What is stored weighs what it occupies, so that a bound in bytes is one.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must panic")]

mod support;

use intent_router::{
    Answer, CacheService, Capacity, Owner, Principal, Request, Response, Source, UserContext,
};
use serde_json::{Value, json};
use support::{bench, now};

/// The weight of one stored answer with this data, records and owner.
fn weight(data: Value, records: &[String], user: &str, role: &str) -> usize {
    let service = CacheService::builder()
        .capacity(Capacity::Bytes(1 << 40))
        .build()
        .unwrap();
    let who = Principal::identify(&UserContext::new(user, role)).unwrap();
    let owner = Owner::Person(who);
    let response = Response {
        source: Source::LiveData,
        intent: "claim_status".to_owned(),
        confidence: 1.0,
        data,
        timestamp: "2025-11-23T07:00:00.000Z".to_owned(),
    };
    let entry = service
        .entry_key("claim_status", owner.clone(), "message")
        .unwrap();
    assert!(service.set(
        entry,
        Answer::new(response, owner, 1),
        intent_router::classes::LIVE_DATA,
        records
    ));
    service.stats().weight.try_into().unwrap()
}

/// What is added to an answer must add at least so much to its weight.
#[track_caller]
fn check(heavier: usize, at_least: usize) {
    let light = weight(json!(""), &[], "u", "r");
    assert!(
        heavier >= light + at_least,
        "{heavier} is not {at_least} more than {light}"
    );
}

#[test]
fn everything_that_an_entry_holds_has_weight() {
    let of = |data| weight(data, &[], "u", "r");
    check(of(json!("x".repeat(4_096))), 4_096);
    check(of(json!(vec![0; 1_000])), 1_999);

    let records: Vec<_> = (0..1_000)
        .map(|n| format!("claim:CLM-2025-{n:06}"))
        .collect();
    check(weight(json!(""), &records, "u", "r"), 1_000 * 40);
    // In the owner, with six bytes for a letter of two.
    let long = "é".repeat(1_001);
    check(weight(json!(""), &[], &long, "r"), 6 * 1_000);
    check(weight(json!(""), &[], "u", &long), 6 * 1_000);
}

/// `README.md` and `docs/use-intent-router.md` state these figures.
#[test]
fn bounds_and_weights_are_the_documented_ones() {
    let service = CacheService::builder().build().unwrap();
    let stats = [
        service.stats(),
        service.member_stats(),
        service.detection_stats(),
    ];
    assert_eq!(stats.map(|s| s.capacity >> 20), [48, 12, 4]);
    let text = r#"{"source":"live_data","intent":"claim_status","confidence":1.0,"data":"","timestamp":"2025-11-23T07:00:00.000Z"}"#;
    let owner = "\"u\"\"r\"".len();
    assert_eq!(
        weight(json!(""), &[], "u", "r"),
        // The tags of the user, the role and the intent.
        256 + text.len() + "claim_status".len() + owner + 3 * 42
    );
}

#[test]
fn memberships_of_long_roles_stay_within_bytes() {
    let bench = bench();
    for n in 0..20 {
        let role = format!("{n}{}", "r".repeat(1 << 20));
        let request = Request::new(
            "what is my claim status?",
            UserContext::new("BEN-000001", &role),
        );
        now(bench.router.route(&request)).unwrap();
    }
    let stats = bench.router.cache().member_stats();
    assert!(stats.weight <= stats.capacity);
    let most = usize::try_from(stats.capacity).unwrap() / (1 << 20);
    assert!((1..=most).contains(&stats.entries), "{}", stats.entries);
}
