//! Tests each published library crate alone, without features that other crates of
//! the workspace enable.

use std::collections::BTreeSet;

use anyhow::Result;

use super::step::{Context, Outcome};
use crate::metadata::{Metadata, Package};
use crate::shell;

/// Cases per property test: earlier steps run many more.
const CASES: &str = "32";

pub(super) fn step(context: &Context<'_>) -> Result<Outcome> {
    let metadata = Metadata::load(context.shell)?;
    let (mut builds, mut passed) = (0, 0);
    for package in metadata.published() {
        if package.targets_of("lib").next().is_none() {
            continue;
        }
        for selection in selections(package) {
            let words = |first: &[&'static str]| {
                let mut command = context.shell.cargo(first);
                command.args(["--locked", "--package", &package.name]);
                command.args(selection);
                command
            };
            // First without the tests: their dependencies may enable features
            // that the library alone lacks.
            shell::run(&mut words(&["check"]))?;
            let mut tests = words(&["test"]);
            tests
                .args(["--lib", "--tests"])
                .env("PROPTEST_CASES", CASES);
            passed += shell::run_tests(&mut tests)?;
            builds += 1;
        }
    }
    Ok(Outcome::Passed(format!("{builds} builds, {passed} tests")))
}

/// The selections of features that differ for this package: none, default and all,
/// without those that enable the same as an earlier one.
fn selections(package: &Package) -> Vec<&'static [&'static str]> {
    let all: Vec<_> = package.features.keys().map(String::as_str).collect();
    let mut seen: Vec<BTreeSet<&str>> = Vec::new();
    let mut selections: Vec<&'static [&'static str]> = Vec::new();
    for (flags, roots) in [
        (&["--no-default-features"][..], &[][..]),
        (&[], &["default"]),
        (&["--all-features"], &all),
    ] {
        let on = turned_on(package, roots);
        if seen.contains(&on) {
            println!("  {}: {flags:?} turns on nothing else", package.name);
        } else {
            seen.push(on);
            selections.push(flags);
        }
    }
    selections
}

/// Everything that these features enable, except `default` itself.
fn turned_on<'a>(package: &'a Package, roots: &[&'a str]) -> BTreeSet<&'a str> {
    let mut on = BTreeSet::new();
    let mut open = roots.to_vec();
    while let Some(name) = open.pop() {
        let reached = package.features.get(name);
        if (reached.is_some() || name != "default") && on.insert(name) {
            open.extend(reached.into_iter().flatten().map(String::as_str));
        }
    }
    on.remove("default");
    on
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::metadata::sample;

    fn check(features: serde_json::Value, expect: &[&[&str]]) {
        let metadata = sample(json!([{"name": "one", "features": features}]));
        assert_eq!(selections(metadata.members()[0]), expect, "{features}");
    }

    #[test]
    fn only_selections_that_differ_are_built() {
        let (none, default, all): (&[&str], &[&str], &[&str]) =
            (&["--no-default-features"], &[], &["--all-features"]);
        check(json!({}), &[none]);
        check(json!({"default": []}), &[none]);
        check(json!({"serde": ["dep:serde"]}), &[none, all]);
        check(
            json!({"default": ["sqlite"], "sqlite": []}),
            &[none, default],
        );
        check(
            json!({"default": ["sqlite"], "sqlite": [], "postgres": ["sqlite"]}),
            &[none, default, all],
        );
    }
}
