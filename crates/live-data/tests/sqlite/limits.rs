//! Nothing takes longer, or grows larger, than it may.

use std::future::Future;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::*;

/// A query that would never end: a test that uses it hangs when neither the
/// deadline nor the loss of the caller ends it.
const ENDLESS: &str = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
                       SELECT count(*) AS n FROM n";

fn one() -> NonZeroUsize {
    NonZeroUsize::MIN
}

/// An intent with an endless query, and `test` with the member's claims.
pub(crate) fn endless_catalogue() -> Catalogue {
    let rest = format!(
        "[[intent.query]]\nname = \"claims\"\n\
         sql = \"SELECT claim_number FROM claims WHERE member_id = :user_id\"\n\
         [[intent]]\nname = \"endless\"\nkind = \"live_data\"\nphrases = [\"endless\"]\n\
         [[intent.query]]\nname = \"n\"\nsql = '''{ENDLESS}'''\n"
    );
    catalogue_of(&[], &rest)
}

#[test]
fn a_query_past_its_deadline_is_interrupted_and_the_pool_goes_on() {
    let options = SqliteOptions {
        connections: one(),
        deadline: Duration::from_millis(40),
        ..SqliteOptions::default()
    };
    let desk = Desk::demo(endless_catalogue(), &options);
    let who = person("BEN-000001");
    for _ in 0..3 {
        let late = desk
            .ask("endless", Some(&who), &Slots::default(), "")
            .unwrap_err();
        assert!(matches!(late, SourceError::Timeout(after) if after == options.deadline));
    }
    // A loaded machine may be late for this one, too, but not for ever.
    let answered = (0..1_000).any(|_| {
        let found = desk.ask("test", Some(&who), &Slots::default(), "");
        found.is_ok_and(|found| rows(&found.value.data, "claims").len() == 3)
    });
    assert!(answered);
}

#[test]
fn a_full_queue_refuses_and_abandoned_questions_make_room() {
    let options = SqliteOptions {
        connections: one(),
        queue: one(),
        deadline: Duration::MAX,
        ..SqliteOptions::default()
    };
    let desk = Desk::demo(endless_catalogue(), &options);
    let who = person("BEN-000001");
    let endless = desk.catalogue.get("endless").unwrap();
    let asked = RequestContext::new(endless, Some(&who), Slots::default(), "");
    let mut context = Context::from_waker(Waker::noop());
    let mut waiting = Vec::new();
    let mut refused = 0;
    for _ in 0..3 {
        let mut future = desk.source.records(asked.ask());
        match Pin::new(&mut future).poll(&mut context) {
            Poll::Pending => waiting.push(future),
            Poll::Ready(Err(SourceError::Unavailable(_))) => refused += 1,
            Poll::Ready(other) => panic!("{other:?}"),
        }
    }
    // One may run and one may wait; whether the first had been taken up when
    // the second came is up to the scheduler.
    assert!((1..=2).contains(&refused), "{refused}");
    // Without a deadline, the endless queries end only because nobody waits for them.
    drop(waiting);
    let found = loop {
        match desk.ask("test", Some(&who), &Slots::default(), "") {
            Err(SourceError::Unavailable(_)) => std::thread::yield_now(),
            other => break other,
        }
    };
    assert_eq!(rows(&found.unwrap().value.data, "claims").len(), 3);
}

#[test]
fn an_answer_is_cut_after_so_many_rows_and_says_so() {
    let options = SqliteOptions {
        max_rows: 2,
        ..SqliteOptions::default()
    };
    let desk = Desk::demo(catalogue(), &options);
    let data = desk.data("account_info", "BEN-000001");
    assert!(data.get("truncated").is_none());
    let data = desk.data("claim_status", "BEN-000001");
    assert_eq!(rows(&data, "claims").len(), 2);
    assert_eq!(data["truncated"], serde_json::json!(["claims", "events"]));
}

#[test]
fn an_answer_is_cut_after_so_many_bytes() {
    let numbers = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9)
                   SELECT hex(zeroblob(50)) AS text, i FROM n";
    let options = SqliteOptions {
        // A row: 4 + 100 bytes of text, 1 + 8 of number.
        max_bytes: 3 * 113,
        ..SqliteOptions::default()
    };
    let queries = [("large", numbers), ("small", "SELECT NULL AS a")];
    let desk = Desk::demo(catalogue_of(&queries, ""), &options);
    let data = desk.data("test", "BEN-000001");
    assert_eq!(rows(&data, "large").len(), 3);
    assert_eq!(data["truncated"], serde_json::json!(["large", "small"]));
}

#[test]
fn values_that_json_cannot_hold_are_errors_that_name_the_column() {
    for value in ["x'00ff'", "9e999"] {
        let sql = format!("SELECT {value} AS odd");
        let desk = Desk::demo(catalogue_of(&[("it", &sql)], ""), &SqliteOptions::default());
        let found = desk.ask("test", Some(&person("BEN-000001")), &Slots::default(), "");
        let error = found.unwrap_err().to_string();
        assert_eq!(desk.source.calls(), 1, "a call that failed is one, too");
        assert!(error.contains("`odd`") && error.contains("`it`"), "{error}");
    }
}

#[test]
fn many_threads_share_a_source() {
    let desk = Desk::demo(catalogue(), &SqliteOptions::default());
    let expected = desk.data("payment_history", "BEN-000001");
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..20 {
                    assert_eq!(desk.data("payment_history", "BEN-000001"), expected);
                }
            });
        }
    });
}
