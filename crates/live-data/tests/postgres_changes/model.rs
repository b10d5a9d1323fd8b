//! What the feed invalidates, against the database itself.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use intent_router::{Catalogue, ChangeGate, Selector};
use live_data::{ChangeFeed, Follower};
use proptest::prelude::*;

use crate::following::{Following, published};

const MEMBERS: [&str; 3] = ["A", "B", "C"];

/// A change of a payment.
#[derive(Clone, Debug)]
enum Change {
    Put {
        id: u8,
        member: usize,
        amount: u8,
    },
    Move {
        id: u8,
        to: u8,
    },
    Delete {
        id: u8,
    },
    Truncate,
    /// Changes that do not come to pass.
    Undone(Vec<Change>),
}

impl Change {
    fn sql(&self) -> String {
        match self {
            Self::Put { id, member, amount } => format!(
                "INSERT INTO payments VALUES ({id}, '{0}', {amount}) \
                 ON CONFLICT (id) DO UPDATE SET member_id = '{0}', amount = {amount};",
                MEMBERS[*member]
            ),
            Self::Move { id, to } => format!(
                "UPDATE payments SET id = {to} WHERE id = {id} \
                 AND NOT EXISTS (SELECT FROM payments WHERE id = {to});"
            ),
            Self::Delete { id } => format!("DELETE FROM payments WHERE id = {id};"),
            Self::Truncate => "TRUNCATE payments;".to_owned(),
            Self::Undone(changes) => {
                let sql: String = changes.iter().map(Self::sql).collect();
                format!("SAVEPOINT undone; {sql} ROLLBACK TO undone;")
            }
        }
    }
}

fn change() -> impl Strategy<Value = Change> {
    let simple = prop_oneof![
        6 => (0u8..6, 0..MEMBERS.len(), 0u8..3)
            .prop_map(|(id, member, amount)| Change::Put { id, member, amount }),
        2 => (0u8..6, 0u8..6).prop_map(|(id, to)| Change::Move { id, to }),
        2 => (0u8..6).prop_map(|id| Change::Delete { id }),
        1 => Just(Change::Truncate),
    ];
    let undone = prop::collection::vec(simple.clone(), 1..3).prop_map(Change::Undone);
    prop_oneof![8 => simple, 1 => undone]
}

/// The payments of each member, and of all (`*`).
fn answers(following: &Following<'_>) -> BTreeMap<String, String> {
    let one = |member: &str| {
        format!(
            "SELECT '{member}=', id, amount FROM payments \
        WHERE member_id = '{member}' OR '{member}' = '*' ORDER BY id;"
        )
    };
    let members = MEMBERS.iter().copied().chain(["*"]);
    let script: String = members.clone().map(one).collect();
    let said = following.server.execute(&script);
    let rows = |member: &str| {
        let begin = format!("{member}=");
        let rows = said.lines().filter(|line| line.starts_with(&begin));
        rows.collect::<Vec<_>>().join("\n")
    };
    members
        .map(|member| (member.to_owned(), rows(member)))
        .collect()
}

/// Whether an invalidation of payments reaches an answer.
fn reaches(selectors: &[Selector], member: &str) -> bool {
    selectors.iter().any(|selector| match selector {
        Selector::Records { kind, users } if kind.as_deref() == Some("payment") => {
            let Some(users) = users else { return true };
            member == "*" || users.iter().any(|user| user == member)
        }
        _ => false,
    })
}

#[test]
fn prop_what_differs_is_invalidated_and_nothing_else() {
    let Some(server) = published() else { return };
    let following = RefCell::new(Following::begin(&server));
    let cases = ProptestConfig {
        cases: ProptestConfig::default().cases / 8,
        ..ProptestConfig::default()
    };
    let transactions = prop::collection::vec(prop::collection::vec(change(), 1..4), 1..4);
    proptest!(cases, |(transactions in transactions)| {
        let mut following = following.borrow_mut();
        let gate = Arc::new(ChangeGate::new(following.feed.coverage()));
        let longest = Duration::from_secs(3_600);
        let mut follower = Follower::new(Catalogue::built_in(), gate, longest);
        let parse = following.feed.positions().unwrap();
        let mut catch_up = |following: &mut Following<'_>| {
            let at = following.server.execute("SELECT pg_current_wal_insert_lsn()");
            let end = parse(&at).unwrap();
            let mut selectors = Vec::new();
            while follower.position() < Some(end) {
                let event = following.next();
                if let Some(invalidation) = follower.take(event) {
                    selectors.extend(invalidation.selectors.clone());
                    follower.applied(invalidation, Instant::now());
                }
            }
            selectors
        };
        catch_up(&mut following);
        let mut before = answers(&following);
        for changes in &transactions {
            let sql: String = changes.iter().map(Change::sql).collect();
            server.execute(&format!("BEGIN; {sql} COMMIT;"));
            let selectors = catch_up(&mut following);
            let now = answers(&following);
            let is_touched = |member: &str| changes.iter().any(|change| match change {
                Change::Put { member: at, .. } => MEMBERS[*at] == member,
                Change::Truncate => true,
                _ => false,
            });
            for (member, answer) in &now {
                let reached = reaches(&selectors, member);
                if *answer != before[member] {
                    prop_assert!(reached, "{member} after {sql}: {selectors:?}");
                } else if reached && member != "*" && !changes.iter().any(|c| matches!(c, Change::Truncate)) {
                    // The same answer in the end, by a row of the member that was written.
                    let had_rows = !before[member].is_empty();
                    prop_assert!(had_rows || is_touched(member), "{member} after {sql}");
                }
            }
            before = now;
        }
    });
}
