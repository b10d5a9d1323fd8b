//! Key modes: which messages share an answer, and what the source is shown.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must panic")]

mod support;

use std::sync::Arc;

use intent_router::{
    CacheOutcome, CacheService, Catalogue, KeywordDetector, Request, Routed, Router, Selector,
    UserContext,
};
use support::{FakeSource, now};

fn router(key: &str) -> Router {
    let catalogue = Catalogue::parse(&format!(
        r#"
        [slots.claim_number]
        kind = "pattern"
        pattern = "CLM-####"
        [[intent]]
        name = "claim_status"
        kind = "live_data"
        key = "{key}"
        phrases = ["claim"]
        slots = ["claim_number"]
        tags = ["claim:{{claim_number}}"]
        [[intent.query]]
        name = "claims"
        sql = "SELECT claim_number FROM claims WHERE member = :user_id AND number = :claim_number"
        "#
    ))
    .unwrap();
    let catalogue = Arc::new(catalogue);
    let detector = Arc::new(KeywordDetector::new(&catalogue));
    let cache = Arc::new(CacheService::builder().build().unwrap());
    Router::new(catalogue, detector, Arc::new(FakeSource::default()), cache).unwrap()
}

fn ask(router: &Router, message: &str) -> Routed {
    let request = Request::new(message, UserContext::new("BEN-000001", "beneficiary"));
    now(router.route(&request)).unwrap()
}

/// Asks both messages in turn: whether the second is answered as the first.
#[track_caller]
fn check(key: &str, first: &str, second: &str, shared: bool) {
    let router = router(key);
    let first = ask(&router, first);
    assert!(matches!(
        first.cache,
        CacheOutcome::Miss { stored: true, .. }
    ));
    let second = ask(&router, second);
    let hit = matches!(second.cache, CacheOutcome::Hit { .. });
    assert_eq!(hit, shared, "{key}: {:?}", second.cache);
    assert_eq!(first.key == second.key, shared);
}

#[test]
fn message_mode_shares_the_same_bytes_only() {
    check("message", "claim CLM-0001", "claim CLM-0001", true);
    check("message", "claim CLM-0001", "Claim CLM-0001", false);
    check("message", "claim CLM-0001", "claim CLM-0001?", false);
}

#[test]
fn normalised_mode_shares_what_folds_to_the_same_text() {
    check("normalised", "claim CLM-0001", " Claim  clm-0001 ?", true);
    check("normalised", "claim CLM-0001", "ｃｌａｉｍ CLM-0001", true);
    check("normalised", "claim CLM-0001", "the claim CLM-0001", false);
    check("normalised", "claim CLM-0001", "claim CLM-0002", false);
}

#[test]
fn slots_mode_shares_every_wording_about_the_same_record() {
    check(
        "slots",
        "claim CLM-0001",
        "what of my claim clm 0001?",
        true,
    );
    check("slots", "claim CLM-0001", "claim CLM-0002", false);
    check(
        "slots",
        "claim CLM-0001",
        "claim CLM-0001 and CLM-0002",
        false,
    );
    check("slots", "claim CLM-0001", "my claim", false);
    check("slots", "my claim", "what about the claim", true);
}

#[test]
fn normalised_mode_folds_no_number_into_another() {
    // NFKC turns these into "m2", "11⁄2" and "1".
    for (first, second) in [
        ("claim for 5 m2", "claim for 5 m²"),
        ("claim 11⁄2", "claim 1½"),
        ("claim 1", "claim ①"),
        ("claim 1.5", "claim 15"),
        ("claim iv", "claim Ⅳ"),
    ] {
        check("normalised", first, second, false);
        check("normalised", second, first, false);
        check("normalised", second, second, true);
    }
    // Another width or typeface of a digit is the digit.
    check("normalised", "claim 12", "claim １𝟐", true);
    // The key text of a message that is kept unchanged is not a normal form.
    check("normalised", "claim m²", " claim m²", false);
}

#[test]
fn slots_mode_falls_back_to_the_message() {
    for other in [
        "claim CLM-0001 not",
        "claim CLM-0001 and a banana",
        "claim CLM-0001 5",
        "claim CLM-0001 in May",
        "claim since CLM-0001",
        "claim CLM-0001 approved",
        "claim CLM-0001 ➔",
        "claim CLM-000①",
    ] {
        check("slots", "claim CLM-0001", other, false);
        check("slots", other, other, true);
        // As it came, byte for byte.
        check("slots", other, &format!("{other} "), false);
        check("slots", other, &other.to_uppercase(), false);
    }
}

/// A message may read like the slots of another. Every pair is asked for in
/// both orders.
#[test]
fn no_message_is_taken_for_the_slots_of_another() {
    let messages = [
        "claim CLM-0001",
        "claim_number=CLM-0001",
        "=claim_number=CLM-0001",
        "==claim_number=CLM-0001",
        "claim_number=CLM-0001;x=claim",
        "claim_number\\=CLM-0001",
        "claim",
        "claim=",
        "=claim",
        "=",
    ];
    let router = router("slots");
    let key = |message: &str| {
        let mut request = Request::new(message, UserContext::new("BEN-000001", "beneficiary"));
        request.forced_intent = Some("claim_status".to_owned());
        let routed = now(router.route(&request)).unwrap();
        let shown = routed.answer.response().unwrap().data["message"].clone();
        (routed.key.unwrap(), shown)
    };
    for (i, first) in messages.iter().enumerate() {
        for second in &messages[i + 1..] {
            assert_ne!(key(first).0, key(second).0, "{first:?} and {second:?}");
            assert_ne!(key(first).1, key(second).1, "{first:?} and {second:?}");
        }
    }
    // What the source is shown is what the key was made of.
    assert_eq!(key("claim CLM-0001").1, "claim_number=CLM-0001");
    assert_eq!(key("claim_number=CLM-0001").1, "=claim_number=CLM-0001");
    assert_eq!(key("claim").1, "");
    assert_eq!(key("not a claim").1, "not a claim");
}

#[test]
fn messages_that_share_a_key_look_alike_to_the_source() {
    for message in ["claim CLM-0001", " CLAIM  clm-0001 ?"] {
        let routed = ask(&router("normalised"), message);
        assert_eq!(
            routed.answer.response().unwrap().data["message"],
            "claim clm-0001"
        );
    }
    for message in ["claim CLM-0001", "what of my claim clm 0001?"] {
        let routed = ask(&router("slots"), message);
        assert_eq!(
            routed.answer.response().unwrap().data["message"],
            "claim_number=CLM-0001"
        );
    }
    let routed = ask(&router("message"), " CLAIM  clm-0001 ?");
    assert_eq!(
        routed.answer.response().unwrap().data["message"],
        " CLAIM  clm-0001 ?"
    );
}

#[test]
fn an_answer_about_a_record_that_the_message_names_goes_with_it() {
    let router = router("message");
    ask(&router, "claim CLM-0001");
    ask(&router, "claim CLM-0002");
    let tag = |number: &str| Selector::Tag(format!("claim:{number}"));
    assert_eq!(router.cache().invalidate(&tag("CLM-0003")), 0);
    assert_eq!(router.cache().invalidate(&tag("CLM-0001")), 1);
    assert_eq!(router.cache().invalidate(&tag("CLM-0002")), 1);
}

#[test]
fn the_key_of_the_message_that_was_answered_names_its_answer() {
    for (mode, first, other) in [
        ("slots", "what of my claim clm 0001?", "claim CLM-0001"),
        ("normalised", " Claim  CLM-0001 ?", "claim clm-0001"),
        ("message", "claim CLM-0001", "Claim CLM-0001"),
    ] {
        let router = router(mode);
        let stored = ask(&router, first).key.unwrap();
        let key = |message: &str| {
            let context = UserContext::new("BEN-000001", "beneficiary");
            let key = router.cache().key("claim_status", &context, message);
            *key.unwrap().digest()
        };
        let removed = |key| router.cache().invalidate(&Selector::Key(key));
        assert_eq!(removed(key("claim CLM-0009")), 0, "{mode}");
        assert_eq!(removed(key(first)), 1, "{mode}");
        let again = ask(&router, first);
        assert!(matches!(again.cache, CacheOutcome::Miss { .. }), "{mode}");
        assert_eq!(again.key, Some(stored));
        // The key that the response tells removes it for every wording.
        ask(&router, other);
        assert!(removed(stored) >= 1, "{mode}");
        let again = ask(&router, first);
        assert!(matches!(again.cache, CacheOutcome::Miss { .. }), "{mode}");
    }
}
