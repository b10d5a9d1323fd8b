//! Checks that the dependencies of a crate allow the Rust version that it states.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};

use super::step::{Context, Outcome, verdict};
use crate::metadata::{Metadata, Package};
use crate::shell::{self, Shell};

/// A Rust version: major, minor, patch.
type Version = (u32, u32, u32);

/// The oldest Rust that knows edition 2024.
const EDITION_2024: Version = (1, 85, 0);

/// A package's name and version.
type Name = (String, String);

pub(super) fn step(context: &Context<'_>) -> Result<Outcome> {
    let metadata = Metadata::load(context.shell)?;
    let mut findings = Vec::new();
    let mut stated = Vec::new();
    for member in metadata.members() {
        let closure = closure(context.shell, &member.name)?;
        let judgement = judge(&metadata, member, &closure)?;
        findings.extend(judgement.findings);
        println!("  {}", judgement.note);
        if let (true, Some(version)) = (member.is_published(), &member.rust_version) {
            stated.push(format!("{} {version}", member.name));
        }
    }
    verdict(findings, stated.join(", "))
}

/// The packages in a member's build on any platform with all features, by
/// `cargo tree`: unlike the metadata, it resolves features for this member without those
/// that others enable.
fn closure(shell: &Shell, member: &str) -> Result<BTreeSet<Name>> {
    let tree = shell::output(&mut shell.cargo([
        "tree",
        "--package",
        member,
        "--edges=normal,build",
        "--all-features",
        "--target=all",
        "--prefix=none",
        "--format={p}",
        "--locked",
    ]))?;
    let mut packages = BTreeSet::new();
    for line in tree.lines().filter(|line| !line.is_empty()) {
        let mut words = line.split_whitespace();
        let name = words.next();
        let version = words.next().and_then(|word| word.strip_prefix('v'));
        let (name, version) = name
            .zip(version)
            .with_context(|| format!("`cargo tree` wrote `{line}`"))?;
        packages.insert((name.to_owned(), version.to_owned()));
    }
    Ok(packages)
}

struct Judgement {
    findings: Vec<String>,
    note: String,
}

/// Compares what a member states with what each of `closure` states.
fn judge(metadata: &Metadata, member: &Package, closure: &BTreeSet<Name>) -> Result<Judgement> {
    let Some(own) = &member.rust_version else {
        return Ok(Judgement {
            findings: vec![format!("{} states no rust-version", member.name)],
            note: format!("{}: none stated", member.name),
        });
    };
    let own = version(own)?;
    let mut findings = Vec::new();
    let mut floor = (EDITION_2024, "edition 2024".to_owned());
    for (name, number) in closure {
        let package = metadata
            .packages
            .iter()
            .find(|package| package.name == *name && package.version == *number)
            .with_context(|| format!("the metadata knows no {name} {number}"))?;
        if package.name == member.name {
            continue;
        }
        let Some(needs) = &package.rust_version else {
            continue;
        };
        let needs = version(needs)?;
        if needs > own {
            findings.push(format!(
                "{} states {} but {name} {number} needs {}",
                member.name,
                show(own),
                show(needs)
            ));
        }
        if needs > floor.0 {
            floor = (needs, format!("{name} {number}"));
        }
    }
    let (least, reason) = floor;
    let mut note = format!(
        "{}: states {}; {reason} needs {}",
        member.name,
        show(own),
        show(least)
    );
    if member.is_published() && own > least {
        note.push_str(", so it could state less if its own code allows");
    }
    Ok(Judgement { findings, note })
}

fn version(text: &str) -> Result<Version> {
    let mut parts = [0; 3];
    let numbers = text.split('.');
    for (part, number) in parts.iter_mut().zip(numbers) {
        *part = number
            .parse()
            .with_context(|| format!("`{text}` is no Rust version"))?;
    }
    Ok((parts[0], parts[1], parts[2]))
}

fn show((major, minor, patch): Version) -> String {
    match patch {
        0 => format!("{major}.{minor}"),
        _ => format!("{major}.{minor}.{patch}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::metadata::sample;

    fn check(own: Option<&str>, dependency: Option<&str>) -> Judgement {
        let metadata = sample(json!([
            {"name": "ours", "rust_version": own},
            {"name": "theirs", "rust_version": dependency, "source": "registry"},
        ]));
        let closure = ["ours", "theirs"].map(|name| (name.to_owned(), "0.1.0".to_owned()));
        judge(&metadata, metadata.members()[0], &closure.into()).unwrap()
    }

    #[test]
    fn a_dependency_that_needs_a_newer_rust_is_refused() {
        let judgement = check(Some("1.85"), Some("1.86.1"));
        assert_eq!(
            judgement.findings,
            ["ours states 1.85 but theirs 0.1.0 needs 1.86.1"]
        );
        assert_eq!(check(None, Some("1.60")).findings.len(), 1);
    }

    #[test]
    fn a_statement_that_could_be_lower_is_told_and_passes() {
        let judgement = check(Some("1.89"), Some("1.86"));
        assert!(judgement.findings.is_empty());
        assert!(
            judgement.note.contains("could state less"),
            "{}",
            judgement.note
        );
        for lowest in [
            check(Some("1.85.0"), Some("1.56")),
            check(Some("1.85"), None),
        ] {
            assert!(lowest.findings.is_empty());
            assert!(!lowest.note.contains("could"), "{}", lowest.note);
        }
    }
}
