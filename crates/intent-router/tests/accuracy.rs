//! How often the built-in keyword detector is right.

use intent_router::Catalogue;
use intent_router::{Detection, Detector, KeywordDetector};

/// Prints every mistake and returns how many wordings were detected right.
fn right<'a>(wordings: impl Iterator<Item = (&'a str, &'a str)>) -> (usize, usize) {
    let detector = KeywordDetector::new(Catalogue::built_in());
    let (mut right, mut all) = (0, 0);
    for (text, intent) in wordings {
        let found = detector.detect(text);
        all += 1;
        if found.intent == intent {
            right += 1;
        } else {
            println!(
                "{intent}: {text:?} is taken for {} ({:.2})",
                found.intent, found.confidence
            );
        }
    }
    (right, all)
}

#[test]
fn examples_of_the_catalogue() {
    let intents = Catalogue::built_in().intents();
    let examples = intents.iter().flat_map(|intent| {
        intent
            .examples
            .iter()
            .map(|text| (text.as_str(), intent.name.as_str()))
    });
    let (right, all) = right(examples);
    println!("examples: {right} of {all} right");
    assert!(right * 100 >= all * 95);
    let _ = Detection::UNKNOWN;
}
