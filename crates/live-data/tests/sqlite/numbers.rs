//! Record numbers of the demo data, as messages name them.

use intent_router::{Date, Detector, KeywordDetector, SlotSpec};
use live_data::write_demo;
use rusqlite::Connection;
use tempfile::TempDir;

use super::*;

/// Each kind of record that a message can name: its table, the slot and the
/// column of its number, the intent that it belongs to, and a question.
const KINDS: [(&str, &str, &str, &str); 4] = [
    (
        "claims",
        "claim_number",
        "claim_status",
        "What is the status of",
    ),
    (
        "payments",
        "payment_number",
        "payment_status",
        "When will I be paid",
    ),
    (
        "documents",
        "document_number",
        "document_status",
        "Have you received my document",
    ),
    (
        "tickets",
        "ticket_number",
        "technical_help",
        "What became of my support ticket",
    ),
];

fn written(members: u32) -> (TempDir, Connection) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("crm.db");
    let demo = DemoOptions {
        members,
        ..DemoOptions::default()
    };
    write_demo(&path, &demo).unwrap();
    let connection = Connection::open(path).unwrap();
    (folder, connection)
}

fn numbers(connection: &Connection, slot: &str, table: &str, which: &str) -> Vec<String> {
    let sql = format!("SELECT {slot} FROM {table} WHERE {which} ORDER BY 1");
    let mut statement = connection.prepare(&sql).unwrap();
    let numbers = statement.query_map([], |row| row.get(0)).unwrap();
    numbers.map(Result::unwrap).collect()
}

fn found_in(catalogue: &Catalogue, intent: &str, message: &str) -> Slots {
    let today = Date::new(2025, 11, 20).unwrap();
    Slots::find(catalogue.get(intent).unwrap(), catalogue, message, today)
}

#[test]
fn every_record_number_is_found_in_a_message() {
    let (_folder, connection) = written(200);
    let catalogue = catalogue();
    let patterns = catalogue.slots().filter_map(|(name, spec)| match spec {
        SlotSpec::Pattern { .. } => Some(name),
        _ => None,
    });
    let mut slots = KINDS.map(|(_, slot, ..)| slot);
    slots.sort_unstable();
    assert!(patterns.eq(slots), "each kind of record has its slot");
    for (table, slot, intent, _) in KINDS {
        let numbers = numbers(&connection, slot, table, "true");
        assert!(numbers.len() > 50, "{table}");
        for number in numbers {
            let found = found_in(&catalogue, intent, &format!("About {number}, please."));
            assert!(
                found.iter().eq([(slot, number.as_str())]),
                "{number}: {found:?}"
            );
        }
    }
}

#[test]
fn a_question_about_a_record_of_ones_own_finds_just_that_record() {
    let (_folder, connection) = written(60);
    let desk = Desk::demo(catalogue(), &SqliteOptions::default());
    let detector = KeywordDetector::new(&desk.catalogue);
    let who = person("BEN-000001");
    for (table, slot, intent, question) in KINDS {
        let own = numbers(&connection, slot, table, "member_id = 'BEN-000001'");
        assert!(own.len() > 1, "there are {table} to choose from");
        for number in own {
            let message = format!("{question} {number}?");
            assert_eq!(detector.detect(&message).intent, intent, "{message}");
            let slots = found_in(&desk.catalogue, intent, &message);
            let found = desk
                .ask(intent, Some(&who), &slots, &message)
                .unwrap()
                .value;
            let found_numbers: Vec<_> = rows(&found.data, table)
                .iter()
                .map(|row| row[slot].clone())
                .collect();
            assert_eq!(found_numbers, [number.as_str()], "{message}");
            let kind = slot.trim_end_matches("_number");
            let tag = format!("{kind}:{number}");
            assert!(found.tags.contains(&tag), "{tag} in {:?}", found.tags);
        }
    }
}
