//! The worked example of `docs/catalogue.md` does what the page says.

use std::path::Path;

use intent_router::{Catalogue, Date, Detector, KeywordDetector, Slots};

/// The first TOML block of the page; nothing where the crate stands without
/// the workspace's documentation.
fn example() -> Option<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/catalogue.md");
    let page = std::fs::read_to_string(page).ok()?;
    let (_, rest) = page.split_once("```toml\n")?;
    Some(rest.split_once("```")?.0.to_owned())
}

#[test]
fn the_worked_example_holds() {
    let Some(toml) = example() else {
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
        Slots::find(intent, &catalogue, message, today).key_text()
    };
    assert_eq!(key("What have I borrowed this month?"), "period=2025-03");
    assert_eq!(key("my loans of March 2025"), "period=2025-03");
    assert_eq!(key("lib 00042"), "card=LIB-00042");
}
