//! A database file that breaks or is replaced under an open source.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use live_data::write_script;

use super::*;

/// A database of one table, in a folder of the test's own.
struct Files {
    folder: tempfile::TempDir,
}

impl Files {
    fn new() -> Self {
        let files = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        files.write("live.db", "first");
        fs::copy(files.live(), files.path("good.db")).unwrap();
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn live(&self) -> PathBuf {
        self.path("live.db")
    }

    /// A database whose only row is `title`. It has many pages, so that damage
    /// to the file is damage to what is read.
    fn write(&self, name: &str, title: &str) {
        let script = format!(
            "CREATE TABLE members (member_id TEXT); INSERT INTO members VALUES ('BEN-1');
             CREATE TABLE filler (text); INSERT INTO filler VALUES (hex(zeroblob(20000)));
             CREATE TABLE loans (title TEXT); INSERT INTO loans VALUES ('{title}');"
        );
        write_script(self.path(name), &script).unwrap();
    }

    fn desk(&self) -> Desk {
        let catalogue = catalogue_of(&[("loans", "SELECT title FROM loans")], "");
        let options = SqliteOptions {
            connections: std::num::NonZeroUsize::new(2).unwrap(),
            ..SqliteOptions::default()
        };
        let source = SqliteSource::open(self.live(), &catalogue, &options).unwrap();
        Desk { catalogue, source }
    }
}

/// Overwrites the file in its place.
fn corrupt(path: &Path) {
    let length = usize::try_from(fs::metadata(path).unwrap().len()).unwrap();
    fs::write(path, vec![0xa5; length]).unwrap();
}

fn ask(desk: &Desk) -> Result<String, SourceError> {
    let found = desk.ask("test", Some(&person("BEN-1")), &Slots::default(), "")?;
    let title = &rows(&found.value.data, "loans")[0]["title"];
    Ok(title.as_str().unwrap().to_owned())
}

/// Asks until every connection surely answers `title`: many times in a row.
fn answers_again(desk: &Desk, title: &str) {
    let began = Instant::now();
    let mut in_a_row = 0;
    while in_a_row < 50 {
        let answer = ask(desk);
        in_a_row = if answer.as_deref().is_ok_and(|it| it == title) {
            in_a_row + 1
        } else {
            0
        };
        let patience = Duration::from_secs(20);
        assert!(began.elapsed() < patience, "still {answer:?}");
        std::thread::yield_now();
    }
}

/// Asks until every connection has surely failed: many times in a row.
fn fails(desk: &Desk) -> SourceError {
    for _ in 0..49 {
        ask(desk).unwrap_err();
    }
    ask(desk).unwrap_err()
}

#[test]
fn a_damaged_file_that_is_restored_in_its_place_is_read_again() {
    let files = Files::new();
    let desk = files.desk();
    assert_eq!(ask(&desk).unwrap(), "first");
    corrupt(&files.live());
    fails(&desk);
    fs::copy(files.path("good.db"), files.live()).unwrap();
    answers_again(&desk, "first");
}

#[test]
fn damage_behind_a_sound_header_is_forgotten_with_its_connection() {
    let files = Files::new();
    let desk = files.desk();
    let mut damaged = fs::read(files.live()).unwrap();
    // The first page has the header and the schema.
    damaged[4096..].fill(0xa5);
    fs::write(files.live(), damaged).unwrap();
    fails(&desk);
    fs::copy(files.path("good.db"), files.live()).unwrap();
    answers_again(&desk, "first");
}

#[test]
fn a_damaged_file_that_is_replaced_by_renaming_is_read_again() {
    let files = Files::new();
    let desk = files.desk();
    assert_eq!(ask(&desk).unwrap(), "first");
    corrupt(&files.live());
    fails(&desk);
    fs::rename(files.path("good.db"), files.live()).unwrap();
    answers_again(&desk, "first");
}

#[test]
fn a_file_that_replaces_a_sound_one_is_read() {
    let files = Files::new();
    let desk = files.desk();
    assert_eq!(ask(&desk).unwrap(), "first");
    files.write("next.db", "second");
    fs::rename(files.path("next.db"), files.live()).unwrap();
    answers_again(&desk, "second");
}

#[test]
fn a_file_that_replaces_a_sound_one_and_is_no_database_is_an_error() {
    let files = Files::new();
    let desk = files.desk();
    assert_eq!(ask(&desk).unwrap(), "first");
    fs::write(files.path("next.db"), vec![0xa5; 50_000]).unwrap();
    fs::rename(files.path("next.db"), files.live()).unwrap();
    fails(&desk);
    fs::rename(files.path("good.db"), files.live()).unwrap();
    answers_again(&desk, "first");
}

#[test]
fn a_table_that_is_gone_and_comes_back_is_read_again() {
    let files = Files::new();
    let desk = files.desk();
    assert_eq!(ask(&desk).unwrap(), "first");
    write_script(files.path("other.db"), "CREATE TABLE other (x)").unwrap();
    fs::copy(files.path("other.db"), files.live()).unwrap();
    let error = fails(&desk);
    assert!(matches!(error, SourceError::Query { .. }), "{error}");
    fs::copy(files.path("good.db"), files.live()).unwrap();
    answers_again(&desk, "first");
}

#[test]
fn another_catalogue_is_checked_against_the_file_that_is_there_now() {
    let files = Files::new();
    let desk = files.desk();
    let script = "CREATE TABLE members (member_id TEXT); CREATE TABLE books (name TEXT);";
    write_script(files.path("next.db"), script).unwrap();
    fs::rename(files.path("next.db"), files.live()).unwrap();
    let next = catalogue_of(&[("books", "SELECT name FROM books")], "");
    desk.source.with_catalogue(&next).unwrap();
}
