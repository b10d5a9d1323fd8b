use proptest::prelude::*;

use super::*;

fn built_in() -> KeywordDetector {
    KeywordDetector::new(Catalogue::built_in())
}

/// A detector of intents `(name, phrases as TOML)` in that order.
fn of(intents: &[(&str, &str)]) -> KeywordDetector {
    let toml: String = intents
        .iter()
        .map(|(name, rest)| {
            format!("[[intent]]\nname = '{name}'\nkind = 'live_data'\nphrases = {rest}\n")
        })
        .collect();
    KeywordDetector::new(&Catalogue::parse(&toml).unwrap())
}

#[track_caller]
fn check(detector: &KeywordDetector, message: &str, expect: &str) {
    let found = detector.detect(message);
    assert_eq!(
        found.intent,
        expect,
        "of {message:?}: {:?}",
        detector.explain(message)
    );
}

#[test]
fn every_built_in_intent_is_reachable() {
    let detector = built_in();
    for intent in Catalogue::built_in().intents() {
        let reached = |example: &String| detector.detect(example).intent == intent.name;
        assert!(intent.examples.iter().any(reached), "{}", intent.name);
    }
}

#[test]
fn nothing_is_unknown_with_no_confidence_at_all() {
    let detector = built_in();
    for message in [
        "",
        " ",
        "\t\r\n",
        "\u{a0}\u{3000}",
        "?!…",
        "🙂",
        "what is this",
    ] {
        assert_eq!(
            detector.detect(message),
            Detection::unknown(),
            "of {message:?}"
        );
    }
}

#[test]
fn matches_whole_words_only() {
    let detector = of(&[("greeting", "['hi']"), ("pay", "['pay day']")]);
    check(&detector, "hi", "greeting");
    check(&detector, "HI!", "greeting");
    check(&detector, "oh,hi...", "greeting");
    for message in [
        "what is this",
        "hit",
        "chi",
        "hï",
        "hi2",
        "payday",
        "pay the day",
    ] {
        check(&detector, message, "unknown");
    }
    check(&detector, "Pay-Day?", "pay");
}

#[test]
fn folds_case_and_form() {
    let detector = of(&[("street", "['Straße Nº7']"), ("what", "[\"what's up\"]")]);
    check(&detector, "STRASSE  no7", "street");
    check(&detector, "ＳＴＲＡẞＥ nº7", "street");
    check(&detector, "whats up", "what");
    check(&detector, "What’s up?", "what");
}

#[test]
fn a_question_wins_over_a_greeting() {
    let detector = built_in();
    check(&detector, "hello, what is my claim status?", "claim_status");
    check(
        &detector,
        "Good morning! How are you? I would like to know about my pension.",
        "pension_inquiry",
    );
    check(
        &detector,
        "Hi, where is my money? Thank you and have a good day.",
        "payment_status",
    );
    check(&detector, "hello", "greeting");
    check(&detector, "thank you, bye", "goodbye");
}

#[test]
fn the_longest_phrase_hides_those_inside_it() {
    let detector = of(&[
        ("long", "[{ text = 'a b c', weight = 2 }]"),
        ("short", "['b', 'a b', 'b c', 'c', 'a']"),
    ]);
    check(&detector, "a b c", "long");
    check(&detector, "x a b c x", "long");
    let phrases = |message| {
        detector
            .explain(message)
            .iter()
            .map(|found| {
                found
                    .feature
                    .trim_start_matches("phrase ")
                    .trim_matches('"')
                    .to_owned()
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(phrases("a b c"), ["a b c"]);
    // On its own, the shorter phrase counts as well.
    assert_eq!(phrases("a b c b"), ["a b c", "b"]);
    // Phrases that only overlap count both.
    assert_eq!(phrases("b a b d b c a"), ["a", "a b", "b", "b c"]);
}

#[test]
fn a_phrase_counts_once() {
    let detector = built_in();
    let once = detector.detect("claim status").confidence;
    assert_eq!(
        detector.detect("claim status claim status").confidence,
        once
    );
}

#[test]
fn ties_go_to_the_first_in_the_catalogue() {
    let phrases = "[{ text = 'same', weight = 3 }]";
    check(&of(&[("one", phrases), ("two", phrases)]), "same", "one");
    check(&of(&[("two", phrases), ("one", phrases)]), "same", "two");
}

#[test]
fn weak_evidence_is_none() {
    let detector = of(&[(
        "weak",
        "[{ text = 'a', weight = 0.5 }, { text = 'b', weight = 0.5 }]",
    )]);
    check(&detector, "a", "unknown");
    check(&detector, "a b", "weak");
}

#[test]
fn misspelt_words_are_understood() {
    let detector = built_in();
    check(&detector, "wat is my clam staus", "claim_status");
    check(&detector, "paymnt histroy", "payment_history");
    check(&detector, "pasword reset", "technical_help");
}

#[test]
fn extreme_weights_are_harmless() {
    let detector = of(&[
        (
            "one",
            "[{ text = 'a', weight = 1e308 }, { text = 'b', weight = 1e308 }]",
        ),
        ("two", "[{ text = 'a', weight = 1e-308 }]"),
    ]);
    for message in ["a", "a b"] {
        let found = detector.detect(message);
        assert_eq!(found.intent, "one");
        assert!((0.0..=1.0).contains(&found.confidence), "{found:?}");
    }
}

#[test]
fn explains_itself() {
    let detector = of(&[
        ("one", "['pay day']"),
        ("two", "[{ text = 'PAY day', weight = 0.5 }]"),
    ]);
    let found = detector.explain("my pay day");
    let found: Vec<_> = found
        .iter()
        .map(|found| (found.intent.as_str(), found.feature.as_str(), found.weight))
        .collect();
    let phrase = "phrase \"pay day\"";
    assert_eq!(found, [("one", phrase, 2.0), ("two", phrase, 0.5)]);
}

/// The work is linear: quadratic work on a megabyte would not come to an end.
#[test]
fn a_megabyte_is_read_to_its_end() {
    let detector = built_in();
    let check = |part: &str, size: usize| {
        let message = part.repeat(size / part.len()) + " my pension";
        let found = detector.explain(&message);
        assert!(
            found
                .iter()
                .any(|found| found.feature == "phrase \"pension\""),
            "of {part:?}"
        );
    };
    for part in [
        "claim status ",
        "a ",
        "clams",
        "clamz ",
        "'",
        "payment history of ",
    ] {
        check(part, 1 << 20);
    }
    for part in ["é", "\u{301}"] {
        check(part, 60 << 10);
    }
    // Too long to be folded.
    let given_up = "ﷺ".repeat(1_000) + " my pension";
    assert_eq!(detector.explain(&given_up), []);
}

#[test]
fn only_the_first_words_are_corrected() {
    let detector = built_in();
    let found_after = |words: usize| {
        !detector
            .explain(&("x ".repeat(words) + "pensoin"))
            .is_empty()
    };
    assert!(found_after(KeywordDetector::CORRECTED_WORDS - 1));
    assert!(!found_after(KeywordDetector::CORRECTED_WORDS));
}

/// What `found` must be, by looking for every phrase at every position.
fn naive_found(detector: &KeywordDetector, message: &str) -> BTreeSet<usize> {
    let normal = normalise(message);
    let text: Vec<_> = words(&normal).collect();
    let mut spans = Vec::new();
    for (i, phrase) in detector.phrases.iter().enumerate() {
        let phrase: Vec<_> = phrase.text.split(' ').collect();
        for start in 0..(text.len() + 1).saturating_sub(phrase.len()) {
            if text[start..start + phrase.len()] == phrase[..] {
                spans.push((start, start + phrase.len(), i));
            }
        }
    }
    let hidden = |&(start, end, _): &(usize, usize, usize)| {
        spans
            .iter()
            .any(|&(s, e, _)| s <= start && end <= e && (s, e) != (start, end))
    };
    spans
        .iter()
        .filter(|span| !hidden(span))
        .map(|span| span.2)
        .collect()
}

proptest! {
    #[test]
    fn prop_finds_what_a_search_at_every_place_finds(
        phrases in prop::collection::btree_set("[abc]( [abc]){0,3}", 1..8),
        message in "[abcd]( [abcd]){0,12}",
    ) {
        let phrases: Vec<_> = phrases.iter().map(|phrase| format!("'{phrase}'")).collect();
        let detector = of(&[("one", &format!("[{}]", phrases.join(",")))]);
        prop_assert_eq!(detector.found(&message), naive_found(&detector, &message));
    }

    #[test]
    fn prop_confidence_grows_with_evidence_and_distance(e in 1e-3..1e3f64, more in 0.0..1e3f64, r in 0.0..1e3f64) {
        let r = r.min(e);
        prop_assert!((0.0..=1.0).contains(&confidence(e, r)));
        prop_assert!(confidence(e + more, r) >= confidence(e, r));
        prop_assert!(confidence(e, r) >= confidence(e, (r + more).min(e)));
    }

    #[test]
    fn prop_any_message_has_one_answer(message in any::<String>()) {
        let detector = built_in();
        let found = detector.detect(&message);
        prop_assert!((0.0..=1.0).contains(&found.confidence));
        prop_assert_eq!(found.intent == Detection::UNKNOWN, found.confidence == 0.0);
        prop_assert_eq!(detector.detect(&message), found);
    }

    #[test]
    fn prop_what_ends_a_sentence_changes_nothing(pick in any::<prop::sample::Index>(), tail in "[ \t\n.!?,;:…]{0,6}") {
        let detector = built_in();
        let intents = Catalogue::built_in().intents();
        let examples: Vec<_> = intents.iter().flat_map(|intent| &intent.examples).collect();
        let message = pick.get(&examples);
        prop_assert_eq!(detector.detect(&format!("{message}{tail}")), detector.detect(message));
    }
}
