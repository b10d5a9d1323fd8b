//! Messages that are too long to be folded or read.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must panic")]

mod support;

use std::collections::BTreeSet;

use intent_router::{
    Bypass, CacheOutcome, Catalogue, Date, Detector, Guard, KeyMode, KeywordDetector, Reading,
    Request, Slots, Source, UserContext, key_text, normalise,
};
use proptest::prelude::*;
use support::{bench, now};

/// Reads a message by the intent for claims under a key mode.
fn read(mode: KeyMode, message: &str) -> (Reading, String) {
    let catalogue = Catalogue::built_in().with_key(mode);
    let intent = catalogue.get("claim_status").unwrap();
    let today = Date::new(2025, 3, 14).unwrap();
    let reading = Reading::of(intent, &catalogue, message, today, 1.0);
    let text = key_text(intent, message, &reading).into_owned();
    (reading, text)
}

/// A message that grows past the bound, with a slot in it.
fn given_up(head: &str) -> String {
    head.to_owned() + " claim CLM-2025-000001 " + &"ﷺ".repeat(100)
}

#[test]
fn have_no_slots_and_the_guard_for_length() {
    let (reading, text) = read(KeyMode::Slots, &given_up(""));
    assert!(reading.found().is_empty());
    assert_eq!(reading.guard(), Some(Guard::Length));
    assert_eq!(text, given_up(""));
    let catalogue = Catalogue::built_in();
    let intent = catalogue.get("claim_status").unwrap();
    let today = Date::new(2025, 3, 14).unwrap();
    assert!(Slots::find(intent, catalogue, &given_up(""), today).is_empty());
    let found = KeywordDetector::new(catalogue).explain(&given_up(""));
    assert!(found.is_empty());
}

/// A list of many claims is read, and so is a question of many words; what takes
/// long to read, whatever it says, is not.
#[test]
fn are_those_of_more_words_than_anybody_asks() {
    let claims = |count: usize| {
        let claims: Vec<_> = (0..count).map(|n| format!("CLM-2025-{n:06}")).collect();
        read(
            KeyMode::Slots,
            &("claim status ".to_owned() + &claims.join(" ")),
        )
        .0
    };
    assert_eq!(claims(190).guard(), None);
    assert_eq!(claims(190).slots().values("claim_number").count(), 190);
    assert!(claims(199).slots().is_empty());
    assert_eq!(claims(199).guard(), Some(Guard::Length));
    assert!(claims(200).found().is_empty());
    let words = |head: &str| read(KeyMode::Slots, &(head.to_owned() + &" claim".repeat(599))).0;
    assert_eq!(words("CLM-2025-000001").found().len(), 0);
    let fewer = read(
        KeyMode::Slots,
        &("CLM-2025-000001".to_owned() + &" claim".repeat(597)),
    )
    .0;
    assert_eq!(fewer.found().len(), 1);
    assert_eq!(fewer.guard(), Some(Guard::Length));
}

#[test]
fn are_not_answered_from_records_even_if_the_intent_is_forced() {
    let bench = bench();
    let long = "claim status of BEN-000002 ".to_owned() + &"é".repeat(40_000);
    for message in [given_up("BEN-000002"), given_up(""), long] {
        let context = UserContext::new("BEN-000001", "beneficiary");
        let mut request = Request::new(&*message, context);
        for forced in [None, Some("claim_status".to_owned())] {
            request.forced_intent = forced;
            let routed = now(bench.router.route(&request)).unwrap();
            let unknown = CacheOutcome::Bypass(Bypass::UnknownIntent);
            assert_eq!(routed.cache, unknown);
            assert_eq!(routed.answer.source(), Source::Fallback);
        }
    }
    assert_eq!(bench.source.calls(), 0);
}

/// One that is given up for its length may be the normal form of a shorter one.
#[test]
fn are_not_taken_for_a_message_that_folds_to_them() {
    let short = "ŉ".repeat(30_000);
    let long = normalise(&short).into_owned();
    assert_eq!(read(KeyMode::Normalised, &short).1, long);
    assert_ne!(read(KeyMode::Normalised, &long).1, long);
}

proptest! {
    /// Messages that only differ in what folding leaves out never share a text.
    #[test]
    fn prop_have_key_texts_of_their_own(
        heads in prop::collection::btree_set("[ aAéÉ１1.?]{0,6}", 1..8),
    ) {
        let (mut texts, mut others) = (BTreeSet::new(), BTreeSet::new());
        for head in &heads {
            let message = given_up(head);
            let (_, text) = read(KeyMode::Normalised, &message);
            prop_assert_ne!(&normalise(&text), &text, "no normal form");
            prop_assert!(texts.insert(text));
            // Nor is it the text of the message that looks like it.
            let (_, other) = read(KeyMode::Normalised, &normalise(&message));
            others.insert(other);
        }
        prop_assert!(texts.is_disjoint(&others));
    }
}
