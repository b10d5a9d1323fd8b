//! Runs any message through everything that reads messages.

use std::sync::LazyLock;

use intent_router::{
    Catalogue, Date, Detection, Detector, KeyMode, KeywordDetector, Reading, Slots, key_text,
    normalise,
};

static PHRASES: LazyLock<KeywordDetector> =
    LazyLock::new(|| KeywordDetector::new(Catalogue::built_in()));

/// Detects any text and reads its slots: nothing panics, confidences are
/// probabilities, texts that fold to the same have the same slots, and two
/// messages that differ in a slot never have one key.
///
/// # Panics
/// If one of these does not hold.
pub fn message(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let normal = normalise(&text);
    assert_eq!(normalise(&normal), normal, "folded twice");

    let found = PHRASES.detect(&text);
    check(&found, &text);
    let speaks = |intent: &str| {
        let evidence = PHRASES.explain(&text);
        evidence.iter().any(|evidence| evidence.intent == intent)
    };
    assert!(found.intent == Detection::UNKNOWN || speaks(&found.intent));
    assert_eq!(
        PHRASES.detect(&normal),
        found,
        "{text:?} and its folded form"
    );

    let catalogue = Catalogue::built_in();
    // Any day in the middle of the calendar.
    let Some(today) = Date::new(2024, 2, 29) else {
        return;
    };
    for intent in catalogue.intents() {
        let slots = Slots::find(intent, catalogue, &text, today);
        assert_eq!(Slots::find(intent, catalogue, &normal, today), slots);
        let reading = Reading::of(intent, catalogue, &text, today, 1.0);
        assert_eq!(reading.found(), &slots, "{text:?}");
        assert!(reading.guard().is_none() || reading.slots().is_empty());
        let key = key_text(intent, &text, &reading);
        if intent.key == KeyMode::Slots && reading.guard().is_none() {
            assert_eq!(key, slots.key_text());
            // No guard applies: the slots say all of the message.
            let folded = Reading::of(intent, catalogue, &normal, today, 1.0);
            assert!(folded.guard().is_some() || folded.slots() == &slots);
        }
    }
}

fn check(found: &Detection, text: &str) {
    let Detection { intent, confidence } = found;
    assert!(
        (0.0..=1.0).contains(confidence),
        "{confidence} for {text:?}"
    );
    let is_unknown = intent == Detection::UNKNOWN;
    assert_eq!(is_unknown, *confidence == 0.0, "{intent} for {text:?}");
}
