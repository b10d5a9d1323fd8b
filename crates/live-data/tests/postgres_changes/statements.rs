//! What each kind of statement is reported as.

use live_data::{ChangeEvent, Columns};

use crate::following::{Following, columns, published, row, server, setup, table};

/// A payment of a member.
fn of(member: &str) -> Option<Columns> {
    columns(&[("member_id", member)])
}

#[track_caller]
fn check(following: &mut Following<'_>, sql: &str, expected: &[ChangeEvent]) {
    following.server.execute(sql);
    let mut tables = Vec::new();
    let mut changes = following.changes();
    // A truncated table may be reported twice.
    changes.retain(|change| match change {
        ChangeEvent::Table(_) if tables.contains(change) => false,
        ChangeEvent::Table(_) => {
            tables.push(change.clone());
            true
        }
        _ => true,
    });
    assert_eq!(changes, expected, "{sql}");
}

#[test]
fn statements_are_reported_row_by_row() {
    let Some(server) = published() else { return };
    let mut following = Following::begin(&server);
    let payment =
        |old: Option<&str>, new: Option<&str>| row("payments", old.and_then(of), new.and_then(of));
    let mut check = |sql: &str, expected: &[ChangeEvent]| check(&mut following, sql, expected);
    check(
        "INSERT INTO payments VALUES (1, 'A', 10), (2, 'B', 20)",
        &[payment(None, Some("A")), payment(None, Some("B"))],
    );
    check(
        "UPDATE payments SET amount = 11 WHERE id = 1",
        &[payment(Some("A"), Some("A"))],
    );
    check(
        "UPDATE payments SET member_id = 'B' WHERE id = 1",
        &[payment(Some("A"), Some("B"))],
    );
    check(
        "UPDATE payments SET id = 3 WHERE id = 2",
        &[payment(Some("B"), Some("B"))],
    );
    check(
        "INSERT INTO payments VALUES (3, 'C', 1) ON CONFLICT (id) DO UPDATE SET member_id = 'C'",
        &[payment(Some("B"), Some("C"))],
    );
    check(
        "DELETE FROM payments WHERE id = 3",
        &[payment(Some("C"), None)],
    );
    check(
        "COPY payments FROM STDIN;\n7\tD\t1\n8\tE\t2\n\\.\n",
        &[payment(None, Some("D")), payment(None, Some("E"))],
    );
    check("BEGIN; DELETE FROM payments; ROLLBACK", &[]);
    check(
        "BEGIN; DELETE FROM payments WHERE id = 7; SAVEPOINT s; DELETE FROM payments WHERE id = 8; \
         ROLLBACK TO s; COMMIT",
        &[payment(Some("D"), None)],
    );
    check("TRUNCATE payments", &[table("payments")]);
    check(
        "INSERT INTO claim_events VALUES ('CLM-1', 'filed')",
        &[row("claim_events", None, columns(&[]))],
    );
    check("INSERT INTO undeclared VALUES (1)", &[]);
    check(
        "INSERT INTO claims VALUES ('CLM-1', 'A', NULL, '')",
        &[row(
            "claims",
            None,
            columns(&[("member_id", "A"), ("employer_id", "-")]),
        )],
    );
}

#[test]
fn a_transaction_is_one_position() {
    let Some(server) = published() else { return };
    let mut following = Following::begin(&server);
    // More than is handed over at once.
    server.execute(
        "INSERT INTO payments SELECT n, 'M' || n % 7, 0 FROM generate_series(1, 2500) AS n",
    );
    let mut rows = 0;
    loop {
        match following.next() {
            ChangeEvent::Row(_) => rows += 1,
            ChangeEvent::Position { .. } if rows == 0 => {}
            event => {
                assert!(matches!(event, ChangeEvent::Position { .. }), "{event:?}");
                break;
            }
        }
    }
    assert_eq!(rows, 2_500);
}

#[test]
fn without_an_identity_the_former_owner_is_unknown() {
    let Some(server) = published() else { return };
    server.execute("ALTER TABLE payments REPLICA IDENTITY DEFAULT");
    let mut following = Following::begin(&server);
    let lacks = following.feed.lacks();
    assert_eq!(lacks.len(), 1, "{lacks:?}");
    assert!(lacks[0].contains("ALTER TABLE public.payments REPLICA IDENTITY FULL;"));
    check(
        &mut following,
        "INSERT INTO payments VALUES (1, 'A', 1); UPDATE payments SET member_id = 'B'; \
         UPDATE payments SET id = 2; DELETE FROM payments",
        &[
            row("payments", None, of("A")),
            row("payments", columns(&[]), of("B")),
            row("payments", columns(&[]), of("B")),
            row("payments", columns(&[]), None),
        ],
    );
}

#[test]
fn large_values_that_do_not_change_keep_their_owner() {
    let Some(server) = published() else { return };
    // So long that the server stores it out of line, and does not send it again.
    server.execute(
        "ALTER TABLE payments ALTER member_id SET STORAGE EXTERNAL; \
         INSERT INTO payments VALUES (1, repeat('A', 10000), 1)",
    );
    let long = "A".repeat(10_000);
    let mut following = Following::begin(&server);
    let sql = "UPDATE payments SET amount = 2";
    check(
        &mut following,
        sql,
        &[row("payments", of(&long), of(&long))],
    );
    server.execute("ALTER TABLE payments REPLICA IDENTITY DEFAULT");
    following.gap();
    let sql = "UPDATE payments SET amount = 3";
    check(
        &mut following,
        sql,
        &[row("payments", columns(&[]), columns(&[]))],
    );
}

#[test]
fn owners_are_texts_that_are_unique() {
    let Some(server) = server() else { return };
    server.execute(
        "ALTER TABLE payments ALTER member_id TYPE char(5); \
         ALTER TABLE claims ALTER member_id TYPE int USING 0, ALTER employer_id TYPE uuid USING NULL",
    );
    setup(&server).apply().unwrap();
    let mut following = Following::begin(&server);
    check(
        &mut following,
        "INSERT INTO payments VALUES (1, 'A', 1); \
         INSERT INTO claims VALUES ('1', 7, 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11')",
        &[
            row("payments", None, of("?")),
            row(
                "claims",
                None,
                columns(&[
                    ("member_id", "7"),
                    ("employer_id", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
                ]),
            ),
        ],
    );
}

#[test]
fn another_schema_changes_the_whole_table() {
    let Some(server) = published() else { return };
    server.execute("INSERT INTO payments VALUES (1, 'A', 1)");
    let mut following = Following::begin(&server);
    server.execute("ALTER TABLE payments ADD COLUMN more int DEFAULT 7");
    let changed = |event: &ChangeEvent| *event == table("payments");
    // No row tells of it.
    while !changed(&following.next()) {}
    server.execute("ALTER TABLE payments ALTER member_id TYPE text USING member_id || 'x'");
    while !changed(&following.next()) {}
    server.execute("INSERT INTO payments VALUES (2, 'B', 1)");
    assert!(
        following
            .changes()
            .contains(&row("payments", None, of("B")))
    );
}

#[test]
fn partitions_and_children_count_for_their_parents() {
    let Some(server) = server() else { return };
    server.execute(
        "DROP TABLE payments; DROP TABLE adjusters;
         CREATE TABLE payments (id int, member_id text, amount int) PARTITION BY RANGE (id);
         CREATE TABLE small PARTITION OF payments FOR VALUES FROM (0) TO (10);
         CREATE TABLE adjusters (adjuster_id text);
         CREATE TABLE seniors () INHERITS (adjusters);",
    );
    setup(&server).apply().unwrap();
    assert!(setup(&server).statements().is_empty());
    let mut following = Following::begin(&server);
    let covers = following.covers();
    assert_eq!(covers, ["adjusters", "claim_events", "claims", "payments"]);
    check(
        &mut following,
        "INSERT INTO payments VALUES (1, 'A'); UPDATE small SET member_id = 'B'; TRUNCATE small; \
         INSERT INTO seniors VALUES ('S')",
        &[
            row("payments", None, of("A")),
            row("payments", of("A"), of("B")),
            table("payments"),
            row("adjusters", None, columns(&[])),
        ],
    );
    // A new partition is found at its first row at the latest.
    server.execute(
        "CREATE TABLE large PARTITION OF payments FOR VALUES FROM (10) TO (20); \
         INSERT INTO payments VALUES (11, 'C')",
    );
    following.gap();
    server.execute("INSERT INTO payments VALUES (12, 'D')");
    assert_eq!(following.changes(), [row("payments", None, of("D"))]);
}
