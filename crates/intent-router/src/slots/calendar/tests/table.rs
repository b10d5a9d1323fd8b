//! Wordings of periods, and the ranges that each is read as.

mod wordings;

use super::read_on;
use crate::catalogue::Catalogue;
use crate::detect::{CombinedDetector, Detector, LinearDetector};
use crate::slots::Date;
use wordings::{AMOUNTS, DOUBTED, EXCLUDED, LISTS, OPEN, RANGES, RELATIVE, SINGLE};

/// What is read on Saturday, 15 November 2025, when a wording is in a sentence.
fn read(wording: &str) -> Vec<(String, Option<String>)> {
    let today = Date::new(2025, 11, 15).unwrap();
    let messages = [
        format!("payments {wording}"),
        format!("show me my payments {wording} please"),
        format!("What did you pay me {wording}?"),
    ];
    let read = messages.map(|message| {
        let reading = read_on(&message, today);
        // What is doubted never narrows, and what narrows is not doubted.
        assert_eq!(
            reading.guard().is_none(),
            reading.slots().get("period").is_some(),
            "{message:?}: {reading:?}"
        );
        let value = reading.slots().get("period").map(str::to_owned);
        (message, value)
    });
    read.into()
}

/// Each line of the table is a wording and its ranges, with `..` for an open end.
#[track_caller]
fn check(table: &str) {
    let mut count = 0;
    for line in table.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (wording, ranges) = line.rsplit_once(" => ").unwrap();
        let expect = ranges.split(',').map(|range| match range.split_once("..") {
            Some(("", to)) => format!("0001-01-01/{to}"),
            Some((from, "")) => format!("{from}/9999-12-31"),
            Some((from, to)) => format!("{from}/{to}"),
            None => format!("{range}/{range}"),
        });
        let expect = expect.collect::<Vec<_>>().join(",");
        for (message, value) in read(wording.trim()) {
            assert_eq!(value.as_deref(), Some(expect.as_str()), "{message:?}");
        }
        count += 1;
    }
    assert!(count > 5, "the table has {count} lines");
}

#[track_caller]
fn check_doubted(wordings: &str) {
    for wording in wordings
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
    {
        for (message, value) in read(wording) {
            assert_eq!(value, None, "{message:?}");
        }
    }
}

#[test]
fn lists_share_a_year_or_a_month() {
    check(LISTS);
}

#[test]
fn ranges_in_all_common_forms() {
    check(RANGES);
}

#[test]
fn open_ranges_with_their_direction() {
    check(OPEN);
}

#[test]
fn periods_that_count_from_today() {
    check(RELATIVE);
}

#[test]
fn single_periods_and_dates() {
    check(SINGLE);
}

#[test]
fn what_has_no_one_reading_is_doubted() {
    check_doubted(DOUBTED);
}

#[test]
fn exclusions_are_doubted() {
    check_doubted(EXCLUDED);
}

#[test]
fn amounts_are_no_years() {
    check_doubted(AMOUNTS);
    // Nor does a catalogue see one that knows all the words.
    let today = Date::new(2025, 11, 15).unwrap();
    for wording in AMOUNTS.lines().filter(|line| !line.is_empty()) {
        let reading = read_on(&format!("payments {}", wording.trim()), today);
        assert_eq!(reading.found().get("period"), None, "{wording:?}");
    }
}

/// A period does not keep a question from being recognised: the built-in detector
/// takes each wording for a question about payments.
#[test]
fn every_wording_is_detected() {
    let catalogue = Catalogue::built_in();
    let model = LinearDetector::built_in();
    let detector = CombinedDetector::new(catalogue, model);
    let lines = [
        LISTS, RANGES, OPEN, RELATIVE, SINGLE, DOUBTED, EXCLUDED, AMOUNTS,
    ];
    let wordings = lines
        .iter()
        .flat_map(|lines| lines.lines())
        .filter_map(|line| {
            let wording = line.split(" => ").next()?.trim();
            (!wording.is_empty()).then_some(wording)
        });
    let mut missed = Vec::new();
    for wording in wordings {
        for message in [
            format!("payments {wording}"),
            format!("my payments {wording}"),
        ] {
            let intent = detector.detect(&message).intent;
            if !matches!(&*intent, "payment_history" | "payment_status") {
                missed.push(message);
            }
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
}
