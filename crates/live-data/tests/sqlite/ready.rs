//! Readiness: whether members can be looked up.

use std::fs;
use std::time::Duration;

use rusqlite::Connection;

use super::*;

const SCRIPT: &str = "CREATE TABLE members (member_id TEXT); CREATE TABLE loans (title TEXT);";

/// A source over a new file of that name in the folder.
fn desk(folder: &tempfile::TempDir, deadline: Duration) -> Desk {
    let path = folder.path().join("live.db");
    live_data::write_script(&path, SCRIPT).unwrap();
    let catalogue = catalogue_of(&[("loans", "SELECT title FROM loans")], "");
    let options = SqliteOptions {
        deadline,
        ..SqliteOptions::default()
    };
    let source = SqliteSource::open(path, &catalogue, &options).unwrap();
    Desk { catalogue, source }
}

#[test]
fn a_probe_looks_a_member_up_and_is_no_call() {
    let folder = tempfile::tempdir().unwrap();
    let desk = desk(&folder, Duration::from_secs(20));
    block_on(desk.source.ready()).unwrap();
    assert_eq!(desk.source.calls(), 0);
    // The schema can still be read.
    let other = Connection::open(folder.path().join("live.db")).unwrap();
    other.execute_batch("DROP TABLE members").unwrap();
    let error = block_on(desk.source.ready()).unwrap_err();
    assert!(matches!(error, SourceError::Query { .. }), "{error}");
}

#[test]
fn a_damaged_file_is_not_ready_until_it_is_restored() {
    let folder = tempfile::tempdir().unwrap();
    let desk = desk(&folder, Duration::from_secs(20));
    let (live, good) = (folder.path().join("live.db"), folder.path().join("good.db"));
    fs::copy(&live, &good).unwrap();
    fs::write(&live, vec![0xa5; 20_000]).unwrap();
    let error = block_on(desk.source.ready()).unwrap_err();
    assert!(matches!(error, SourceError::Damaged(_)), "{error}");
    fs::rename(&good, &live).unwrap();
    while block_on(desk.source.ready()).is_err() {}
}

#[test]
fn a_file_that_another_process_keeps_locked_is_not_ready() {
    let folder = tempfile::tempdir().unwrap();
    let desk = desk(&folder, Duration::from_millis(50));
    let other = Connection::open(folder.path().join("live.db")).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let error = block_on(desk.source.ready()).unwrap_err();
    assert!(matches!(error, SourceError::Locked), "{error}");
    let who = person("BEN-1");
    let error = desk.ask("test", Some(&who), &Slots::default(), "");
    assert!(matches!(error, Err(SourceError::Locked)), "{error:?}");
    other.execute_batch("ROLLBACK").unwrap();
    // A loaded machine may be late, but not for ever.
    while block_on(desk.source.ready()).is_err() {}
}
