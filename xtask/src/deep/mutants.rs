//! Seeded bugs, which the exploring tests must detect.
//!
//! They are listed in cache-core's `seeded_bugs.rs`. A test that never failed
//! proves little: these show that each promise argued for in `docs/invalidation.md`
//! is tested.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use crate::shell::{self, Shell};
use crate::steps::schedules::{Explorer, LOOM, PACKAGE, SHUTTLE, explored_in};

/// Schedules per test; a mutant that needs more counts as having survived.
const SCHEDULES: &str = "20000";

/// A seeded bug: the name of its `cfg`, and the tests that must detect it.
struct Mutant {
    name: &'static str,
    explorer: &'static Explorer,
}

const fn seen_by(explorer: &'static Explorer, name: &'static str) -> Mutant {
    Mutant { name, explorer }
}

const MUTANTS: &[Mutant] = &[
    seen_by(&SHUTTLE, "close_without_recheck"),
    seen_by(&SHUTTLE, "ignore_older_fills"),
    seen_by(&SHUTTLE, "count_the_slices"),
    seen_by(&SHUTTLE, "double_count"),
    seen_by(&SHUTTLE, "fail_later_waiters"),
    seen_by(&SHUTTLE, "forget_floor"),
    seen_by(&SHUTTLE, "forget_recall"),
    seen_by(&SHUTTLE, "forget_wake"),
    seen_by(&SHUTTLE, "hand_over_the_old_epoch"),
    seen_by(&SHUTTLE, "keep_election"),
    seen_by(&SHUTTLE, "lose_trim"),
    seen_by(&SHUTTLE, "outlive_flight"),
    seen_by(&SHUTTLE, "refresh_twice"),
    seen_by(&SHUTTLE, "remove_unseen"),
    seen_by(&SHUTTLE, "serve_later_waiters"),
    seen_by(&SHUTTLE, "skip_epoch_check"),
    seen_by(&SHUTTLE, "store_when_tired"),
    seen_by(&SHUTTLE, "trust_places"),
    seen_by(&SHUTTLE, "trust_the_export"),
    seen_by(&LOOM, "count_weakly"),
    seen_by(&LOOM, "read_epoch_before_counting"),
    seen_by(&LOOM, "read_without_fence"),
    seen_by(&LOOM, "write_without_fence"),
];

/// The test that failed, and after how many schedules, if it reported that.
struct Caught {
    test: String,
    after: Option<u64>,
}

/// Builds and runs the tests with each mutant; one that survives is an error.
pub(super) fn run(shell: &Shell) -> Result<String> {
    let mut rows = Vec::new();
    for mutant in MUTANTS {
        let program = build(shell, mutant)?;
        rows.push((mutant, hunt(shell, mutant, &program)?));
    }
    println!("{:<28} {:>9}  caught by", "mutant", "after");
    for (mutant, caught) in &rows {
        let (after, test) = match caught {
            Some(caught) => (caught.after, caught.test.as_str()),
            None => (None, "NONE: it survived"),
        };
        let after = after.map_or_else(|| "-".to_owned(), |after| after.to_string());
        println!("{:<28} {after:>9}  {test}", mutant.name);
    }
    let survivors: Vec<_> = rows
        .iter()
        .filter(|(_, caught)| caught.is_none())
        .map(|(mutant, _)| mutant.name)
        .collect();
    if !survivors.is_empty() {
        bail!("no test saw these bugs: {}", survivors.join(", "));
    }
    Ok(format!("{} mutants, each caught", rows.len()))
}

/// Builds the tests with the bug, and returns the path of the program. Only
/// the crate itself is rebuilt: its dependencies do not get the flag.
fn build(shell: &Shell, mutant: &Mutant) -> Result<String> {
    let mut build = shell.cargo([
        "rustc",
        "--quiet",
        "--locked",
        "--package",
        PACKAGE,
        "--lib",
        "--profile=test",
        "--message-format=json",
    ]);
    build
        .arg("--target-dir")
        .arg(mutant.explorer.folder(shell)?);
    build.args(["--", "--cfg", &format!("mutant=\"{}\"", mutant.name)]);
    build.env("RUSTFLAGS", mutant.explorer.flag());
    println!("$ {}", shell::line(&build));
    let messages = shell::output(&mut build)?;
    let program = messages.lines().find_map(program_in);
    program.context("cargo built no test program")
}

/// The test program that a message of cargo names.
fn program_in(message: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Artifact {
        executable: Option<String>,
    }
    let artifact: Artifact = serde_json::from_str(message).ok()?;
    artifact.executable
}

/// Runs the tests one by one, each in a process of its own, until one fails.
fn hunt(shell: &Shell, mutant: &Mutant, program: &str) -> Result<Option<Caught>> {
    let list = shell::output(&mut shell.program(program, [mutant.explorer.module, "--list"]))?;
    let tests = list.lines().filter_map(|line| line.strip_suffix(": test"));
    let mut ran = 0;
    for test in tests {
        ran += 1;
        let mut command = shell.program(program, ["--exact", test, "--show-output"]);
        command.env("SCHEDULES", SCHEDULES);
        if let Some(after) = failure_of(&mut command)? {
            let test = test.to_owned();
            println!("{} was caught by {test}", mutant.name);
            return Ok(Some(Caught { test, after }));
        }
    }
    if ran == 0 {
        bail!("{} holds no test to see it", Path::new(program).display());
    }
    Ok(None)
}

/// Whether the test fails, and how many schedules it reported. The rest of its output
/// is ignored.
fn failure_of(command: &mut Command) -> Result<Option<Option<u64>>> {
    let output = command
        .output()
        .with_context(|| format!("cannot start `{}`", shell::line(command)))?;
    if output.status.success() {
        return Ok(None);
    }
    let told = String::from_utf8_lossy(&output.stdout);
    Ok(Some(told.lines().find_map(explored_in)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;

    use super::*;

    #[test]
    fn every_seeded_bug_is_hunted_and_no_other() {
        let seeded = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../crates/cache-core/src/seeded_bugs.rs"
        );
        let source = fs::read_to_string(seeded).unwrap();
        let lines = source.lines().map(str::trim);
        let names: BTreeSet<_> = lines
            .filter_map(|line| line.strip_suffix("\";")?.split_once(" = \""))
            .map(|(name, flag)| {
                assert_eq!(name, flag);
                name.to_owned()
            })
            .collect();
        let hunted: BTreeSet<_> = MUTANTS.iter().map(|one| one.name.to_owned()).collect();
        assert_eq!(names, hunted);
    }

    #[test]
    fn the_program_is_read_from_the_messages_of_cargo() {
        let check = |message: &str, expect: Option<&str>| {
            assert_eq!(program_in(message).as_deref(), expect, "{message}");
        };
        let artifact = r#"{"reason": "compiler-artifact", "executable": "/x/tests"}"#;
        check(artifact, Some("/x/tests"));
        check(
            r#"{"reason": "compiler-artifact", "executable": null}"#,
            None,
        );
        check(r#"{"reason": "build-finished", "success": true}"#, None);
        check("no JSON", None);
    }
}
