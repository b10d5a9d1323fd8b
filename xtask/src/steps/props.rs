//! Runs the property tests, found by name, with more cases, and counts them.
//!
//! A property test's name, or the name of a module around it, begins with
//! `prop_`; in an integration test whose file name begins with `prop`, every
//! test counts as one. The sources are scanned for tests that forgot the name.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::step::{Context, Outcome, verdict};
use crate::metadata::Metadata;
use crate::shell::{self, Shell};

/// Cases per test in `check`: four times proptest's default.
const CASES: u32 = 1024;

pub(super) fn step(context: &Context<'_>) -> Result<Outcome> {
    verdict(scan(context.shell)?, "")?;
    let passed = run(context.shell, CASES, &[])?;
    Ok(Outcome::Passed(format!(
        "{passed} property tests, PROPTEST_CASES={CASES}"
    )))
}

/// Runs the property tests of `packages` (of all when empty) with so many
/// cases each, and returns how many tests passed. Finding none is an error.
pub(crate) fn run(shell: &Shell, cases: u32, packages: &[String]) -> Result<usize> {
    let command = |which: &[String], rest: &[&str]| {
        let mut test = shell.cargo(["test", "--all-features", "--locked"]);
        match which {
            [] => test.arg("--workspace"),
            names => test.args(names.iter().flat_map(|name| ["--package", name])),
        };
        test.args(rest).env("PROPTEST_CASES", cases.to_string());
        test
    };

    let named = [
        "--lib",
        "--bins",
        "--tests",
        "--no-fail-fast",
        "--",
        "prop_",
    ];
    let mut passed = shell::run_tests(&mut command(packages, &named))?;
    for member in Metadata::load(shell)?.members() {
        if !packages.is_empty() && !packages.contains(&member.name) {
            continue;
        }
        for target in member.targets_of("test") {
            if target.name.starts_with("prop") {
                // Its tests named `prop_…` have run above.
                let rest = ["--test", &target.name, "--", "--skip", "prop_"];
                passed +=
                    shell::run_tests(&mut command(std::slice::from_ref(&member.name), &rest))?;
            }
        }
    }
    if passed == 0 {
        bail!("no property test ran: name them `prop_…`");
    }
    println!("{passed} property tests passed with PROPTEST_CASES={cases}");
    Ok(passed)
}

/// Finds property tests in the sources that would not be found by name, or that
/// would ignore the requested number of cases.
fn scan(shell: &Shell) -> Result<Vec<String>> {
    let mut files = Vec::new();
    rust_files(&shell.root().join("crates"), &mut files)?;
    let mut findings = Vec::new();
    for file in files {
        let source =
            fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let path = file.strip_prefix(shell.root()).unwrap_or(&file);
        let place = path.display();
        if !source.contains("proptest") {
            continue;
        }
        if !is_found_by_path(path) {
            for (line, name) in unnamed(&source) {
                findings.push(format!(
                    "{place}:{line}: `{name}` is a property test: call it `prop_{name}`"
                ));
            }
        }
        for line in pinned(&source) {
            findings.push(format!(
                "{place}:{line}: a fixed number of cases disregards PROPTEST_CASES: \
                 scale `ProptestConfig::default().cases`"
            ));
        }
    }
    Ok(findings)
}

/// Adds every Rust file below `folder`, sorted.
pub(crate) fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            rust_files(&path, files)?;
        } else if path.extension().is_some_and(|end| end == "rs") {
            files.push(path);
        }
    }
    files.sort();
    Ok(())
}

/// Whether every test in this file is found, whatever its name: a module `prop_…`, or
/// an integration test `prop…`.
fn is_found_by_path(path: &Path) -> bool {
    let below = path.components().skip(2).collect::<PathBuf>();
    let mut names = below.iter().map(|name| name.to_string_lossy());
    match names.next().as_deref() {
        Some("tests") => names.next().is_some_and(|name| name.starts_with("prop")),
        _ => names.any(|name| name.starts_with("prop_")),
    }
}

/// Functions with a parameter `x in strategy` (which only `proptest!` has) whose name
/// does not begin with `prop_`; each with its line.
fn unnamed(source: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, _) in source.match_indices("fn ") {
        let signature = &source[at + "fn ".len()..];
        let Some((name, parameters)) = signature.split_once('(') else {
            continue;
        };
        let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
        if is_name && up_to_close(parameters).contains(" in ") && !name.starts_with("prop_") {
            let line = source[..at].matches('\n').count() + 1;
            found.push((line, name.to_owned()));
        }
    }
    found
}

/// The text before the parenthesis that closes an open one.
fn up_to_close(text: &str) -> &str {
    let mut open = 1;
    let close = text.find(|c| {
        match c {
            '(' => open += 1,
            ')' => open -= 1,
            _ => {}
        }
        open == 0
    });
    &text[..close.unwrap_or(text.len())]
}

/// Lines that set a number of cases which is not derived from the default.
fn pinned(source: &str) -> Vec<usize> {
    source
        .lines()
        .enumerate()
        .filter(|(_, line)| {
            let line = line.trim_start();
            let sets = line.contains("with_cases(") || line.starts_with("cases:");
            sets && !line.starts_with("//") && !line.contains("default()")
        })
        .map(|(index, _)| index + 1)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn property_tests_without_the_name_are_found() {
        let source = "\
proptest! {
    #[test]
    fn prop_named(x in any::<u8>()) {}
    #[test]
    fn forgotten(
        (a, b) in pairs(),
    ) {}
}
prop_compose! { fn pair()(x in 0..9) -> u8 { x } }
fn helper(x: u8) { for y in 0..x {} }
";
        assert_eq!(unnamed(source), [(5, "forgotten".to_owned())]);
    }

    #[test]
    fn fixed_numbers_of_cases_are_found() {
        let check = |line: &str, expect: usize| assert_eq!(pinned(line).len(), expect, "{line}");
        check("#![proptest_config(ProptestConfig::with_cases(64))]", 1);
        check("    cases: 64,", 1);
        check("with_cases(ProptestConfig::default().cases / 8)", 0);
        check("// with_cases(64) would not be deepened", 0);
    }

    #[test]
    fn files_that_cargo_finds_whole_need_no_names() {
        let check = |path: &str, expect| {
            assert_eq!(is_found_by_path(Path::new(path)), expect, "{path}");
        };
        check("crates/one/tests/props.rs", true);
        check("crates/one/tests/prop_model/main.rs", true);
        check("crates/one/tests/model.rs", false);
        check("crates/one/src/prop_tests.rs", true);
        check("crates/one/src/properties/float.rs", false);
        check("crates/one/src/writer/tests.rs", false);
    }
}
