//! Messages about other people, and messages that go on from another.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must panic")]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;

use intent_router::{
    Bypass, CacheOutcome, CacheService, Catalogue, CombinedDetector, Conversation, LinearDetector,
    Request, RouteError, Routed, Router, Source, UserContext,
};
use support::{Bench, FakeSource, ask, bench, is_hit, is_stored_miss, now};

/// A member's request after a message of that intent that named these slots.
fn after(intent: &str, slots: &[(&str, &str)], message: &str) -> Request {
    let slots = slots.iter().map(|(name, value)| (*name, *value));
    let mut context = UserContext::new("BEN-000001", "beneficiary");
    context.conversation = Some(Conversation {
        intent: intent.to_owned(),
        slots: slots
            .map(|(n, v)| (n.to_owned(), v.to_owned()))
            .collect::<BTreeMap<_, _>>(),
    });
    Request::new(message, context)
}

fn route(bench: &Bench, request: &Request) -> Routed {
    now(bench.router.route(request)).unwrap()
}

/// A router with the built-in model as its detector.
fn with_model() -> Router {
    let model = LinearDetector::built_in();
    let catalogue = Arc::new(Catalogue::built_in().clone());
    let detector = Arc::new(CombinedDetector::new(&catalogue, model));
    let cache = Arc::new(CacheService::builder().build().unwrap());
    let source = Arc::new(FakeSource::default());
    Router::new(catalogue, detector, source, cache).unwrap()
}

fn reason(routed: &Routed) -> String {
    let data = routed.answer.response().unwrap().data;
    data["reason"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn another_persons_records_are_not_answered_by_the_askers() {
    let bench = bench();
    for message in [
        "what is the claim status of BEN-000002",
        "payment status of ben 000002",
        "claims of EMP-0001",
        "my wife's claim status",
        "what is the status of my husband's claim?",
        "show the payments of my colleague",
    ] {
        for _ in 0..2 {
            let routed = ask(&bench, message, "BEN-000001", "beneficiary");
            assert_eq!(
                routed.cache,
                CacheOutcome::Bypass(Bypass::OtherPerson),
                "{message}"
            );
            assert_eq!(routed.answer.source(), Source::Fallback);
            assert_eq!(reason(&routed), "other_person", "{message}");
        }
    }
    assert_eq!(bench.source.calls(), 0);
    assert_eq!(bench.router.cache().stats().total_requests(), 0);
    // Who is meant may be the asker.
    let own = ask(
        &bench,
        "claim status of ben-000001",
        "BEN-000001",
        "beneficiary",
    );
    assert!(is_stored_miss(&own));
    // Who nobody is signed in cannot be told from another.
    let guest = Request::new("claim status of BEN-000001", UserContext::guest());
    assert_eq!(reason(&route(&bench, &guest)), "unidentified");
}

/// A message that continues another is not small talk, whatever a model predicts.
#[test]
fn only_small_talk_is_taken_for_it() {
    let router = with_model();
    let context = UserContext::new("BEN-000001", "beneficiary");
    for (message, expect) in [
        ("and before that?", "unknown"),
        ("and the next one?", "unknown"),
        ("is it done yet", "unknown"),
        ("that is all, thanks", "goodbye"),
        ("thats all for today", "goodbye"),
        ("good morning", "greeting"),
        ("ok bye now", "goodbye"),
    ] {
        let request = Request::new(message, context.clone());
        let routed = now(router.route(&request)).unwrap();
        assert_eq!(routed.answer.intent(), expect, "{message}");
    }
    let mut forced = Request::new("and before that?", UserContext::guest());
    forced.forced_intent = Some("goodbye".to_owned());
    assert_eq!(
        now(router.route(&forced)).unwrap().answer.intent(),
        "goodbye"
    );
}

#[test]
fn a_message_that_goes_on_needs_the_one_before() {
    let bench = bench();
    for message in [
        "and for last month?",
        "is it approved?",
        "what about 2024-03?",
    ] {
        let routed = ask(&bench, message, "BEN-000001", "beneficiary");
        assert_eq!(routed.answer.intent(), "unknown", "{message}");
        assert_eq!(reason(&routed), "needs_context", "{message}");
        assert_eq!(routed.cache, CacheOutcome::Bypass(Bypass::NeedsContext));
    }
    assert_eq!(bench.source.calls(), 0);
    let routed = route(&bench, &after("payment_history", &[], "and for 2024-03?"));
    assert_eq!(routed.answer.intent(), "payment_history");
    assert!(is_stored_miss(&routed));
}

/// The conversation is part of what is asked: two that differ share nothing.
#[test]
fn conversations_that_differ_do_not_share() {
    let bench = bench();
    let message = "is it approved?";
    let claim = |number: &str| after("claim_status", &[("claim_number", number)], message);
    let requests = [
        claim("CLM-2025-000001"),
        claim("CLM-2025-000002"),
        after("claim_status", &[], message),
        after(
            "document_status",
            &[("claim_number", "CLM-2025-000001")],
            message,
        ),
    ];
    for request in &requests {
        assert!(is_stored_miss(&route(&bench, request)), "{request:?}");
    }
    for request in &requests {
        assert!(is_hit(&route(&bench, request)), "{request:?}");
    }
    // Another way to write the same number.
    assert!(is_hit(&route(&bench, &claim("clm 2025 000001"))));
}

/// A message that needs no context gets the same answer in every conversation.
#[test]
fn a_message_that_stands_alone_takes_nothing_over() {
    let bench = bench();
    let message = "what is my claim status?";
    assert!(is_stored_miss(&ask(
        &bench,
        message,
        "BEN-000001",
        "beneficiary"
    )));
    let request = after("payment_history", &[("period", "2024")], message);
    assert!(is_hit(&route(&bench, &request)));
}

#[test]
fn a_conversation_that_cannot_be_read_is_an_error() {
    let bench = bench();
    let check = |slots: &[(&str, &str)], expect: &str| {
        let request = after("payment_history", slots, "and for 2024-03?");
        let error = now(bench.router.route(&request)).unwrap_err();
        assert!(matches!(error, RouteError::Conversation(_)));
        let error = error.to_string();
        assert!(error.contains(expect), "{error}");
    };
    check(
        &[("claim_number", "drop table")],
        "slot `claim_number` cannot be read",
    );
    check(
        &[("claim_number", "CLM-2025-000001 or 1")],
        "\"CLM-2025-000001 or 1\"",
    );
    check(
        &[("claim_number", "")],
        "slot `claim_number` cannot be read",
    );
    check(
        &[("colour", "red")],
        "has no slot `colour`; its slots are claim_number",
    );
    // One whose intent is gone is none.
    let routed = route(
        &bench,
        &after("gone", &[("colour", "red")], "and for 2024-03?"),
    );
    assert_eq!(reason(&routed), "needs_context");
}

#[test]
fn a_forced_intent_takes_over_what_was_said_about_it() {
    let bench = bench();
    let mut request = after(
        "claim_status",
        &[("claim_number", "CLM-2025-000001")],
        "and now?",
    );
    request.forced_intent = Some("claim_status".to_owned());
    assert!(is_stored_miss(&route(&bench, &request)));
    let alone = Request {
        user_context: UserContext::new("BEN-000001", "beneficiary"),
        ..request.clone()
    };
    assert!(is_stored_miss(&route(&bench, &alone)));
    // What was said about another intent does not count.
    let mut other = after("payment_history", &[], "and now?");
    other.forced_intent = Some("claim_status".to_owned());
    assert!(is_hit(&route(&bench, &other)));
}

/// Questions of members about themselves are their own, and need no context.
#[test]
fn held_out_questions_of_members_are_not_refused() {
    let lines = [
        include_str!("data/heldout.jsonl"),
        include_str!("data/members.jsonl"),
    ];
    let router = with_model();
    let (mut asked, mut refused) = (0, Vec::new());
    for line in lines.iter().flat_map(|lines| lines.lines()) {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let message = line["text"].as_str().unwrap();
        let context = UserContext::new("BEN-000001", "beneficiary");
        let routed = now(router.route(&Request::new(message, context))).unwrap();
        asked += 1;
        if let CacheOutcome::Bypass(Bypass::OtherPerson | Bypass::NeedsContext) = routed.cache {
            refused.push(format!("{message}: {}", reason(&routed)));
        }
    }
    println!("{} of {asked} refused: {refused:#?}", refused.len());
    assert!(refused.len() * 50 <= asked, "{refused:#?}");
}
