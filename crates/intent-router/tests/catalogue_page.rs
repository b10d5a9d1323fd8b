//! Checks the worked example and the errors in `docs/catalogue.md`.

use std::path::Path;

use intent_router::{Catalogue, Date, Detector, KeywordDetector, Reading, Slots};

/// The page's first TOML block, and the problems that it shows; `None` if the
/// workspace's documentation is missing.
#[allow(clippy::unwrap_used, reason = "a test that cannot go on must panic")]
fn example() -> Option<(String, String)> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/catalogue.md");
    let page = std::fs::read_to_string(page).ok()?;
    let block = |start: &str, end: &str| {
        let (_, rest) = page.split_once(start).unwrap();
        rest.split_once(end).unwrap().0.to_owned()
    };
    Some((block("```toml\n", "```"), block("```text\n", "\n```")))
}

#[test]
fn the_worked_example_holds() {
    let Some((toml, _)) = example() else {
        println!("skipped: there is no docs/catalogue.md here");
        return;
    };
    let catalogue = Catalogue::parse(&toml).unwrap();
    let detector = KeywordDetector::new(&catalogue);
    let check = |message: &str, expect: &str| {
        assert_eq!(detector.detect(message).intent, expect, "of {message:?}");
    };
    check("Hello, which books have I borrowed?", "loans");
    check("which books have I borowed", "loans");
    check("LIB-00042", "card");
    check("book", "loans");
    check("good morning", "greeting");
    check("what is the time", "unknown");

    let today = Date::new(2025, 3, 14).unwrap();
    let key = |message: &str| {
        let intent = catalogue.get(&detector.detect(message).intent).unwrap();
        let slots = Slots::find(intent, &catalogue, message, today);
        // No guard applies to any of them.
        let confidence = detector.detect(message).confidence;
        let reading = Reading::of(intent, &catalogue, message, today, confidence);
        assert_eq!((reading.slots(), reading.guard()), (&slots, None));
        slots.key_text()
    };
    assert_eq!(key("What have I borrowed this month?"), "period=2025-03");
    assert_eq!(key("my loans of March 2025"), "period=2025-03");
    assert_eq!(key("lib 00042"), "card=LIB-00042");
}

#[test]
fn mistakes_in_the_worked_example_are_told_as_shown() {
    let Some((mut toml, problems)) = example() else {
        println!("skipped: there is no docs/catalogue.md here");
        return;
    };
    for (right, wrong) in [
        ("\"LIB-#####\"", "\"LIB\""),
        ("slots = [\"period\"]", "slots = [\"perod\"]"),
        ("\"borrowed\", weight = 2", "\"borrowed\", weight = -2"),
        ("phrases = [\"library card\"", "phrase = [\"library card\""),
    ] {
        assert_eq!(toml.matches(right).count(), 1, "{right}");
        toml = toml.replace(right, wrong);
    }
    let told = Catalogue::parse(&toml).unwrap_err().to_string();
    // A mistake may cause further errors, so the output may have more than the page.
    for problem in problems.lines() {
        assert!(
            told.lines().any(|line| line == problem),
            "{problem}\nin:\n{told}"
        );
    }
}
