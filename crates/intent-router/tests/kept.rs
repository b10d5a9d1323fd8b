//! Answers that are exported, written, read and imported by another process.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must panic")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use cache_keys::Md5Scheme;
use intent_router::{
    CanonicalJson, Catalogue, Freshness, KeptAnswer, KeyMode, KeywordDetector, LiveData, Pattern,
    Selector, classes,
};
use support::{Bench, CLAIM, ask, bench_with, is_hit};

const SECRET: [u8; 16] = [7; 16];
const MINUTE: Duration = Duration::from_secs(60);

/// A process that knows the secret. Its clock starts at zero.
fn process(secret: [u8; 16]) -> Bench {
    let bench = bench_with(|builder| builder.scheme(Arc::new(Md5Scheme::with_secret(secret))));
    let negative = Freshness::ttl(MINUTE * 5).with_negative_ttl(MINUTE * 5);
    let classes = bench.router.cache().classes();
    classes.set_freshness(classes::LIVE_DATA, negative);
    bench
}

/// The answers of a process as they come back from a file.
fn kept(bench: &Bench) -> Vec<KeptAnswer> {
    let lines = bench
        .router
        .export()
        .map(|kept| serde_json::to_string(&kept).unwrap());
    lines
        .map(|line| serde_json::from_str(&line).unwrap())
        .collect()
}

#[test]
fn answers_come_back_to_their_owners_with_their_ages() {
    let old = process(SECRET);
    let first = ask(&old, CLAIM, "a", "beneficiary");
    old.clock.advance(MINUTE);
    ask(&old, CLAIM, "b", "beneficiary");
    let nobody = ask(&old, CLAIM, "NOBODY", "beneficiary");
    ask(&old, "good morning", "a", "beneficiary");
    let answers = kept(&old);
    assert_eq!(answers.len(), 4);

    let new = process(SECRET);
    let imported = new.router.import(answers, || MINUTE);
    assert_eq!((imported.stored, imported.left_out), (4, 0));
    let again = ask(&new, CLAIM, "a", "beneficiary");
    assert!(is_hit(&again));
    assert_eq!(again.answer.json(), first.answer.json());
    assert_eq!(again.answer.digest(), first.answer.digest());
    assert_eq!(again.answer.calls(), first.answer.calls());
    assert_eq!(again.key, first.key);
    let none = ask(&new, CLAIM, "NOBODY", "beneficiary");
    assert!(is_hit(&none));
    assert_eq!(none.answer.json(), nobody.answer.json());
    assert!(is_hit(&ask(&new, "good morning", "b", "employer")));
    // Not another user's, another role's, or that to another message.
    assert!(!is_hit(&ask(&new, CLAIM, "c", "beneficiary")));
    assert!(!is_hit(&ask(&new, CLAIM, "a", "employer")));
    assert!(!is_hit(&ask(
        &new,
        "status of my claim",
        "a",
        "beneficiary"
    )));

    // One minute before the export, one since: three are left.
    new.clock.advance(MINUTE * 3);
    assert!(is_hit(&ask(&new, CLAIM, "a", "beneficiary")));
    new.clock.advance(Duration::from_nanos(1));
    assert!(!is_hit(&ask(&new, CLAIM, "a", "beneficiary")));
    assert!(is_hit(&ask(&new, CLAIM, "b", "beneficiary")));
}

#[test]
fn an_imported_answer_is_reached_by_every_selector() {
    let digest = {
        let old = process(SECRET);
        ask(&old, CLAIM, "a", "beneficiary").key.unwrap()
    };
    for selector in [
        Selector::Key(digest),
        Selector::User(CanonicalJson::string("a")),
        Selector::Intent("claim_status".to_owned()),
        Selector::Role(CanonicalJson::string("beneficiary")),
        Selector::Class("live_data".to_owned()),
        Selector::Tag("claim:a".to_owned()),
        Selector::TagOf {
            record: "claim:a".to_owned(),
            user: CanonicalJson::string("a"),
        },
        Selector::Pattern(Pattern::new("claim_*/a/*")),
        Selector::All,
    ] {
        // As it comes back from a log of invalidations.
        let line = serde_json::to_string(&selector).unwrap();
        let read: Selector = serde_json::from_str(&line).unwrap();
        assert_eq!(read, selector);

        let old = process(SECRET);
        ask(&old, CLAIM, "a", "beneficiary");
        let new = process(SECRET);
        new.router.import(kept(&old), || MINUTE);
        assert_eq!(new.router.cache().invalidate(&read), 1, "{line}");
        assert!(!is_hit(&ask(&new, CLAIM, "a", "beneficiary")), "{line}");
    }
}

#[test]
fn identifiers_of_any_json_come_back_as_they_were() {
    for id in [
        "42",
        "\"42\"",
        "1e300",
        "[1.0, {\"é\": null}]",
        "1.50",
        "true",
    ] {
        let id = CanonicalJson::parse(id).unwrap();
        let selector = Selector::User(id);
        let line = serde_json::to_string(&selector).unwrap();
        assert_eq!(serde_json::from_str::<Selector>(&line).unwrap(), selector);
    }
}

#[test]
fn answers_of_another_definition_are_left_out() {
    let old = process(SECRET);
    ask(&old, CLAIM, "a", "beneficiary");
    ask(&old, "good morning", "a", "beneficiary");
    let new = process(SECRET);
    // Another key mode is another definition, of every intent.
    let catalogue = Arc::new(Catalogue::built_in().with_key(KeyMode::Normalised));
    let detector = Arc::new(KeywordDetector::new(&catalogue));
    let records: Arc<dyn LiveData> = new.source.clone();
    let changed = new.router.renewed(catalogue, detector, records).unwrap();
    let imported = changed.import(kept(&old), || MINUTE);
    assert_eq!((imported.stored, imported.left_out), (0, 2));
}

#[test]
fn nothing_is_found_under_another_secret_or_past_its_ttl() {
    let old = process(SECRET);
    ask(&old, CLAIM, "a", "beneficiary");
    let new = process([8; 16]);
    assert_eq!(new.router.import(kept(&old), || MINUTE).stored, 1);
    assert!(!is_hit(&ask(&new, CLAIM, "a", "beneficiary")));

    let late = process(SECRET);
    let imported = late
        .router
        .import(kept(&old), || MINUTE * 5 + Duration::from_nanos(1));
    assert_eq!((imported.stored, imported.left_out), (0, 1));
}

#[test]
fn the_oldest_are_exported_first() {
    let old = process(SECRET);
    for user in ["a", "b", "c", "d", "e", "f"] {
        ask(&old, CLAIM, user, "beneficiary");
        old.clock.advance(MINUTE / 2);
    }
    let ages: Vec<u64> = old
        .router
        .export()
        .map(|kept| {
            serde_json::to_value(&kept).unwrap()["age"]
                .as_u64()
                .unwrap()
        })
        .collect();
    assert_eq!(ages.len(), 6);
    assert!(ages.is_sorted_by(|older, younger| older > younger));
}

#[test]
fn a_kept_answer_is_read_only_if_it_is_whole() {
    let old = process(SECRET);
    ask(&old, CLAIM, "a", "beneficiary");
    let line = serde_json::to_string(&old.router.export().next().unwrap()).unwrap();
    let cut = line.replace("\"class\":\"live_data\",", "");
    assert_ne!(cut, line);
    assert!(serde_json::from_str::<KeptAnswer>(&cut).is_err());
    let more = line.replacen('{', "{\"later\":1,", 1);
    assert!(serde_json::from_str::<KeptAnswer>(&more).is_err());
}
