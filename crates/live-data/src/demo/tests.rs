//! The demo data is what it says, and the same for the same seed.

use std::fmt::Write as _;

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use super::*;

fn demo(members: u32, seed: u64) -> Connection {
    let demo = MemoryDemo::generate(&DemoOptions { members, seed }).unwrap();
    demo._anchor
}

fn tables(connection: &Connection) -> Vec<String> {
    let sql = "SELECT name FROM pragma_table_list
               WHERE schema = 'main' AND type = 'table' AND name <> 'sqlite_schema'
               ORDER BY name";
    let mut names = connection.prepare(sql).unwrap();
    let names = names.query_map([], |row| row.get(0)).unwrap();
    names.map(Result::unwrap).collect()
}

/// All rows of a table, one a line, in the order of their columns.
fn dump(connection: &Connection, sql: &str) -> String {
    let mut statement = connection.prepare(sql).unwrap();
    let columns = statement.column_count();
    let mut rows = statement.query([]).unwrap();
    let mut text = String::new();
    while let Some(row) = rows.next().unwrap() {
        for column in 0..columns {
            match row.get_ref(column).unwrap() {
                ValueRef::Null => text.push('-'),
                ValueRef::Integer(number) => write!(text, "{number}").unwrap(),
                ValueRef::Text(value) => text.push_str(std::str::from_utf8(value).unwrap()),
                other => panic!("{other:?} may differ between platforms"),
            }
            text.push('|');
        }
        text.push('\n');
    }
    text
}

fn dump_all(connection: &Connection) -> String {
    let mut text = String::new();
    for table in tables(connection) {
        let rows = dump(connection, &format!("SELECT * FROM {table}"));
        let mut rows: Vec<&str> = rows.lines().collect();
        rows.sort_unstable();
        writeln!(text, "{table}\n{}", rows.join("\n")).unwrap();
    }
    text
}

/// FNV-1a, 64 bits.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[test]
fn one_seed_gives_the_same_data_everywhere() {
    let first = dump_all(&demo(200, 1));
    assert_eq!(first, dump_all(&demo(200, 1)));
    assert_ne!(first, dump_all(&demo(200, 2)));
    // A change of the data on purpose changes this number, and is told in the
    // changelog: users' examples rely on the data.
    assert_eq!(hash(&first), 13_138_436_376_550_426_352);
}

#[test]
fn a_file_holds_the_same_data_as_memory() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("crm.db");
    let options = DemoOptions {
        members: 30,
        seed: 5,
    };
    write_demo(&path, &options).unwrap();
    let file = dump_all(&Connection::open(&path).unwrap());
    assert_eq!(file, dump_all(&demo(30, 5)));
}

#[test]
fn more_members_leave_the_first_ones_as_they_are() {
    let (few, many) = (demo(40, 3), demo(120, 3));
    for (table, owner) in [
        ("members", "member_id"),
        ("beneficiaries", "member_id"),
        ("claims", "member_id"),
        ("payments", "member_id"),
        ("documents", "member_id"),
        ("pensions", "member_id"),
    ] {
        let sql = format!(
            "SELECT * FROM {table} WHERE {owner} <= 'BEN-000040' OR {owner} IN ('EMP-0001', 'EMP-0002')
             ORDER BY 1"
        );
        assert_eq!(dump(&few, &sql), dump(&many, &sql), "{table}");
    }
}

#[test]
fn the_data_is_sound() {
    let connection = &demo(400, 9);
    assert_eq!(dump(connection, "PRAGMA foreign_key_check"), "");
    assert_eq!(dump(connection, "PRAGMA integrity_check"), "ok|\n");
    assert_eq!(dump(connection, "SELECT count(*) FROM employers"), "20|\n");
    let never = [
        "SELECT * FROM claims WHERE injured_on >= filed_on OR decided_on < filed_on
             OR closed_on < decided_on OR updated_on > '2025-11-20'
             OR (status = 'closed') <> (closed_on IS NOT NULL)",
        "SELECT * FROM claim_events WHERE happened_on > '2025-11-20'",
        "SELECT * FROM claim_events a JOIN claim_events b
             ON a.claim_number = b.claim_number AND b.sequence = a.sequence + 1
             AND b.happened_on < a.happened_on",
        "SELECT * FROM payments WHERE paid_on > '2025-11-20' OR paid_on < scheduled_on",
        "SELECT * FROM payments p JOIN claims c USING (claim_number) WHERE p.scheduled_on < c.filed_on",
        "SELECT * FROM documents WHERE received_on < requested_on OR reviewed_on < received_on",
        "SELECT * FROM tickets WHERE updated_on < opened_on",
        "SELECT * FROM members WHERE registered_on > updated_on OR updated_on > '2025-11-20'",
        "SELECT * FROM documents d JOIN claims c USING (claim_number)
             WHERE d.member_id NOT IN (c.member_id, c.employer_id)",
    ];
    for sql in never {
        assert_eq!(dump(connection, sql), "", "{sql}");
    }
    for (table, column) in [
        ("claims", "status"),
        ("payments", "status"),
        ("payments", "kind"),
        ("documents", "status"),
        ("tickets", "status"),
        ("pensions", "status"),
    ] {
        let sql = format!("SELECT DISTINCT {column} FROM {table} ORDER BY 1");
        let seen = dump(connection, &sql).lines().count();
        let schema = format!("SELECT sql FROM sqlite_schema WHERE name = '{table}'");
        let schema = dump(connection, &schema);
        let (_, check) = schema.split_once(&format!("({column} IN (")).unwrap();
        let (allowed, _) = check.split_once(')').unwrap();
        assert_eq!(
            seen,
            allowed.split(',').count(),
            "{table}.{column} is varied"
        );
    }
}

#[test]
fn the_first_member_has_one_of_everything_whatever_the_seed() {
    for seed in [0, 1, 2, 77, u64::MAX] {
        let demo = demo(1, seed);
        for table in [
            "claims",
            "payments",
            "pensions",
            "documents",
            "tickets",
            "claim_drafts",
        ] {
            let sql = format!("SELECT 1 FROM {table} WHERE member_id = 'BEN-000001'");
            assert_ne!(dump(&demo, &sql), "", "{table}, seed {seed}");
        }
        let sql = "SELECT claim_number FROM claims ORDER BY filed_on DESC LIMIT 1";
        assert_eq!(dump(&demo, sql), "CLM-2025-000001|\n");
    }
}
