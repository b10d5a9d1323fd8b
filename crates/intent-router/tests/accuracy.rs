//! How often the built-in detectors are right: the phrases alone, and the
//! trained model with the phrases. Each test prints its mistakes and its figure:
//! `cargo test -p intent-router --test accuracy -- --nocapture`.

// The figures are what these tests are for.
#![allow(clippy::print_stdout)]

use std::collections::BTreeMap;

use intent_router::{
    Catalogue, CombinedDetector, Detection, Detector, KeywordDetector, LinearDetector,
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Wording {
    text: String,
    intent: String,
}

/// Wordings that were written after the phrases and not used to improve them.
fn held_out() -> Vec<Wording> {
    labelled(include_str!("data/heldout.jsonl"))
}

/// Members' questions as people type them: short, misspelt, some in other
/// languages. They were written before the present examples and are none of them.
fn members() -> Vec<Wording> {
    labelled(include_str!("data/members.jsonl"))
}

/// Ordinary messages about something else.
const OFF_TOPIC: &str = include_str!("data/off_topic.txt");

/// Messages about something else that share a word with an intent.
const SHARED_WORDS: &str = include_str!("data/shared_words.txt");

fn labelled(lines: &str) -> Vec<Wording> {
    let lines = lines.lines();
    lines
        .map(|line| serde_json::from_str(line).expect("a JSON object"))
        .collect()
}

fn combined() -> CombinedDetector {
    CombinedDetector::new(Catalogue::built_in(), LinearDetector::built_in())
}

/// Prints every mistake, and returns the share of right answers.
fn accuracy<'a>(
    what: &str,
    detector: &dyn Detector,
    wordings: impl Iterator<Item = (&'a str, &'a str)>,
) -> f64 {
    let (mut right, mut all) = (0, 0);
    for (text, intent) in wordings {
        let found = detector.detect(text);
        all += 1;
        if found.intent == intent {
            right += 1;
        } else {
            println!(
                "{text:?} ({intent}) is taken for {} ({:.2})",
                found.intent, found.confidence
            );
        }
    }
    let share = f64::from(right) / f64::from(all);
    println!("{what}: {right} of {all} are right, {:.1} %", 100.0 * share);
    share
}

#[test]
fn examples_of_the_catalogue_are_recognised() {
    let intents = Catalogue::built_in().intents();
    let examples = intents.iter().flat_map(|intent| {
        let name = intent.name.as_str();
        intent
            .examples
            .iter()
            .map(move |text| (text.as_str(), name))
    });
    let detector = KeywordDetector::new(Catalogue::built_in());
    // Short and foreign examples are for the model: they contain no phrase.
    assert!(accuracy("examples", &detector, examples) >= 0.85);
}

#[test]
fn most_wordings_never_seen_are_recognised() {
    let wordings = held_out();
    let pairs = wordings
        .iter()
        .map(|wording| (wording.text.as_str(), wording.intent.as_str()));
    let detector = KeywordDetector::new(Catalogue::built_in());
    let keyword = accuracy("held-out wordings, phrases", &detector, pairs.clone());
    assert!(keyword >= 0.8);
    let combined = accuracy("held-out wordings, combined", &combined(), pairs);
    assert!(combined >= 0.92 && combined > keyword);
}

#[test]
fn held_out_wordings_cover_every_intent_and_are_no_examples() {
    let catalogue = Catalogue::built_in();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for Wording { text, intent } in held_out().into_iter().chain(members()) {
        let is_example = catalogue
            .intents()
            .iter()
            .any(|intent| intent.examples.contains(&text));
        assert!(!is_example, "{text:?} is an example");
        *counts.entry(intent).or_default() += 1;
    }
    for intent in catalogue.intents() {
        assert!(
            counts.get(&intent.name).is_some_and(|count| *count >= 10),
            "of {}",
            intent.name
        );
    }
}

/// How many messages that belong to no intent are taken for one.
fn wrongly_routed(what: &str, detector: &dyn Detector, messages: &str) -> usize {
    let (mut wrong, mut all) = (0, 0);
    for text in messages.lines() {
        let found = detector.detect(text);
        all += 1;
        if found.intent != Detection::UNKNOWN {
            wrong += 1;
            println!(
                "{text:?} is taken for {} ({:.2})",
                found.intent, found.confidence
            );
        }
    }
    println!("out of scope, {what}: {wrong} of {all} are taken for an intent");
    wrong
}

#[test]
fn few_questions_about_something_else_are_taken_for_an_intent() {
    let keyword = KeywordDetector::new(Catalogue::built_in());
    let messages = include_str!("data/out_of_scope.txt");
    assert!(wrongly_routed("phrases", &keyword, messages) <= 9);
    assert!(wrongly_routed("combined", &combined(), messages) <= 4);
}

#[test]
fn members_questions_are_recognised_as_people_type_them() {
    let wordings = members();
    let pairs = wordings
        .iter()
        .map(|wording| (wording.text.as_str(), wording.intent.as_str()));
    let share = accuracy("members' questions, combined", &combined(), pairs);
    assert!(share >= 0.88);
}

#[test]
fn other_topics_are_left_alone_even_where_they_share_a_word() {
    let combined = combined();
    assert!(wrongly_routed("off-topic, combined", &combined, OFF_TOPIC) <= 3);
    assert!(wrongly_routed("shared words, combined", &combined, SHARED_WORDS) <= 22);
}

#[test]
fn messages_out_of_scope_are_not_those_that_the_model_was_taught() {
    let taught = Catalogue::built_in().out_of_scope();
    let other = include_str!("data/out_of_scope.txt").lines();
    for text in other.chain(OFF_TOPIC.lines()).chain(SHARED_WORDS.lines()) {
        assert!(taught.iter().all(|known| known != text), "{text:?}");
    }
}
