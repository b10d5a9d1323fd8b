//! Nobody ever sees a row of somebody else, checked by SQL of its own.

use live_data::write_demo;
use proptest::prelude::*;
use rusqlite::Connection;

use super::*;

const MEMBERS: u32 = 120;

/// Whose a row is, by the first of these columns that it has.
const OWNERS: &[(&str, &str)] = &[
    (
        "payment_number",
        "SELECT member_id FROM payments WHERE payment_number = ?1",
    ),
    (
        "document_number",
        "SELECT member_id FROM documents WHERE document_number = ?1",
    ),
    (
        "pension_number",
        "SELECT member_id FROM pensions WHERE pension_number = ?1",
    ),
    (
        "ticket_number",
        "SELECT member_id FROM tickets WHERE ticket_number = ?1",
    ),
    (
        "draft_number",
        "SELECT member_id FROM claim_drafts WHERE draft_number = ?1",
    ),
    (
        "claim_number",
        "SELECT member_id FROM claims WHERE claim_number = ?1
         UNION SELECT employer_id FROM claims WHERE claim_number = ?1",
    ),
    ("member_id", "SELECT ?1"),
];

/// Queries whose rows are the same for every member of a kind.
const SHARED: &[&str] = &["services", "articles", "steps", "required_documents"];

fn owners(oracle: &Connection, row: &Map<String, Value>) -> Vec<String> {
    let (column, sql) = OWNERS
        .iter()
        .find(|(column, _)| row.contains_key(*column))
        .unwrap_or_else(|| panic!("no owner can be told: {row:?}"));
    let mut statement = oracle.prepare_cached(sql).unwrap();
    let owners = statement.query_map([row[*column].as_str()], |row| row.get(0));
    owners.unwrap().map(Result::unwrap).collect()
}

/// How much a member was paid in all.
fn paid(oracle: &Connection, member: &str) -> i64 {
    let sql = "SELECT coalesce(sum(amount_cents), 0) FROM payments
               WHERE member_id = ?1 AND paid_on IS NOT NULL";
    oracle.query_one(sql, [member], |row| row.get(0)).unwrap()
}

fn column(oracle: &Connection, sql: &str) -> Vec<String> {
    let mut statement = oracle.prepare(sql).unwrap();
    let values = statement.query_map([], |row| row.get(0)).unwrap();
    values.map(Result::unwrap).collect()
}

#[test]
fn prop_whoever_asks_sees_only_what_belongs_to_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("crm.db");
    let demo = DemoOptions {
        members: MEMBERS,
        ..DemoOptions::default()
    };
    write_demo(&path, &demo).unwrap();
    let catalogue = catalogue();
    let source = SqliteSource::open(&path, &catalogue, &SqliteOptions::default()).unwrap();
    let desk = Desk { catalogue, source };
    let oracle = Connection::open(&path).unwrap();

    let members = column(&oracle, "SELECT member_id FROM members");
    let claims = column(&oracle, "SELECT claim_number FROM claims");
    let others = column(
        &oracle,
        "SELECT payment_number FROM payments UNION ALL SELECT document_number FROM documents
         UNION ALL SELECT ticket_number FROM tickets",
    );
    let personal: Vec<String> = desk
        .catalogue
        .intents()
        .iter()
        .filter(|intent| intent.kind == intent_router::Kind::LiveData)
        .map(|intent| intent.name.clone())
        .collect();
    assert_eq!(personal.len(), 8);

    let question = (
        proptest::sample::select(members),
        proptest::sample::select(personal),
        proptest::option::of(proptest::sample::select(claims)),
        proptest::option::of(proptest::sample::select(others)),
        proptest::sample::select(vec!["beneficiary", "employer", "admin", "guest"]),
    );
    proptest!(|((asker, intent, claim, other, role) in question)| {
        let mut named: Vec<(&str, &str)> = Vec::new();
        named.extend(claim.as_deref().map(|claim| ("claim_number", claim)));
        for slot in ["payment_number", "document_number", "ticket_number"] {
            named.extend(other.as_deref().map(|other| (slot, other)));
        }
        let slots = slots(&named);
        let who = Principal::identify(&UserContext::new(&asker, role)).unwrap();
        let found = desk.ask(&intent, Some(&who), &slots, "show me").unwrap();
        for (query, rows) in found.value.data.as_object().unwrap() {
            if SHARED.contains(&query.as_str()) {
                continue;
            }
            if query == "totals" {
                let shown: i64 = rows.as_array().unwrap().iter()
                    .map(|row| row["amount_cents"].as_i64().unwrap())
                    .sum();
                prop_assert_eq!(shown, paid(&oracle, &asker));
                continue;
            }
            for row in rows.as_array().unwrap() {
                let row = row.as_object().unwrap();
                let owners = owners(&oracle, row);
                prop_assert!(owners.contains(&asker), "{intent}/{query}: {row:?} is of {owners:?}");
            }
        }
    });
}

#[test]
fn whoever_asks_sees_all_that_belongs_to_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("crm.db");
    write_demo(
        &path,
        &DemoOptions {
            members: 40,
            seed: 7,
        },
    )
    .unwrap();
    let catalogue = catalogue();
    let source = SqliteSource::open(&path, &catalogue, &SqliteOptions::default()).unwrap();
    let desk = Desk { catalogue, source };
    let oracle = Connection::open(&path).unwrap();
    for member in column(&oracle, "SELECT member_id FROM members") {
        for (intent, query, table, condition) in [
            (
                "claim_status",
                "claims",
                "claims",
                "member_id = ?1 OR employer_id = ?1",
            ),
            (
                "payment_status",
                "payments",
                "payments",
                "member_id = ?1 AND status <> 'paid'",
            ),
            (
                "payment_history",
                "payments",
                "payments",
                "member_id = ?1 AND status = 'paid'",
            ),
            ("pension_inquiry", "pensions", "pensions", "member_id = ?1"),
            (
                "document_status",
                "documents",
                "documents",
                "member_id = ?1",
            ),
            ("technical_help", "tickets", "tickets", "member_id = ?1"),
            (
                "claim_submission",
                "drafts",
                "claim_drafts",
                "member_id = ?1",
            ),
            ("account_info", "account", "members", "member_id = ?1"),
        ] {
            let sql = format!("SELECT count(*) FROM {table} WHERE {condition}");
            let expected: u32 = oracle.query_one(&sql, [&member], |row| row.get(0)).unwrap();
            let data = desk.data(intent, &member);
            // The catalogue's queries end after fifty rows.
            assert_eq!(
                rows(&data, query).len() as u32,
                expected.min(50),
                "{intent} of {member}"
            );
        }
    }
}
