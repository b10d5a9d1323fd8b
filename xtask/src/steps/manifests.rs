//! Checks that members inherit what the workspace shares, and that the top folder has
//! no stray files.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use toml::{Table, Value};

use super::step::{Context, Outcome, verdict};
use crate::metadata::Metadata;
use crate::shell::{self, Shell};

/// Package fields that every member takes from the workspace.
const INHERITED: &[&str] = &["authors", "edition", "license", "repository", "version"];

/// Names in the top folder, apart from dotfiles and licence texts.
const TOP_LEVEL: &[&str] = &[
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "README.md",
    "clippy.toml",
    "crates",
    "deny.toml",
    "docs",
    "rustfmt.toml",
    "xtask",
];

pub(super) fn step(context: &Context<'_>) -> Result<Outcome> {
    let metadata = Metadata::load(context.shell)?;
    let mut findings = Vec::new();
    for member in metadata.members() {
        let path = &member.manifest_path;
        let text = fs::read_to_string(path)
            .with_context(|| format!("cannot read the manifest of {}", member.name))?;
        let manifest: Table = text
            .parse()
            .with_context(|| format!("the manifest of {} is not TOML", member.name))?;
        let found = not_inherited(&manifest);
        findings.extend(
            found
                .into_iter()
                .map(|one| format!("{}: {one}", member.name)),
        );
    }
    for name in top_level_names(context.shell)? {
        if !is_known(&name) {
            findings.push(format!(
                "`{name}` lies at the top: move it into crates, xtask or docs, or ignore it"
            ));
        }
    }
    verdict(findings, String::new())
}

/// Everything in a member's manifest that should come from the workspace.
fn not_inherited(manifest: &Table) -> Vec<String> {
    let mut findings = Vec::new();
    let package = manifest.get("package").and_then(Value::as_table);
    for field in INHERITED {
        if !is_inherited(package.and_then(|package| package.get(*field))) {
            findings.push(format!("write `{field}.workspace = true` in [package]"));
        }
    }
    if !is_inherited(Some(&Value::Table(manifest.clone())).and_then(|all| all.get("lints"))) {
        findings.push("write `workspace = true` in [lints]".to_owned());
    }
    let targets = manifest.get("target").and_then(Value::as_table);
    let platforms = targets.into_iter().flat_map(Table::values);
    for table in std::iter::once(manifest).chain(platforms.filter_map(Value::as_table)) {
        for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let dependencies = table.get(section).and_then(Value::as_table);
            for (name, dependency) in dependencies.into_iter().flatten() {
                if !is_inherited(Some(dependency)) {
                    findings.push(format!(
                        "write `{name}.workspace = true` in [{section}], its version in the root"
                    ));
                }
            }
        }
    }
    findings
}

fn is_inherited(value: Option<&Value>) -> bool {
    value
        .and_then(|value| value.get("workspace"))
        .and_then(Value::as_bool)
        == Some(true)
}

fn is_known(name: &str) -> bool {
    name.starts_with('.') || name.starts_with("LICENSE") || TOP_LEVEL.contains(&name)
}

/// The names in the repository's top folder that git does not ignore; outside a
/// checkout, all except the build's output.
fn top_level_names(shell: &Shell) -> Result<BTreeSet<String>> {
    let mut git = shell.program(
        "git",
        [
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ],
    );
    if let Ok(files) = shell::output(&mut git) {
        let tops = files.split_terminator('\0').map(|path| {
            let top = path.split_once('/').map_or(path, |(top, _)| top);
            top.to_owned()
        });
        return Ok(tops.collect());
    }
    names_in(shell.root())
}

fn names_in(folder: &Path) -> Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(folder).context("cannot list the workspace's root")? {
        names.insert(entry?.file_name().to_string_lossy().into_owned());
    }
    names.remove("target");
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
        [package]
        name = "one"
        version.workspace = true
        edition.workspace = true
        license.workspace = true
        repository.workspace = true
        authors.workspace = true
        [lints]
        workspace = true
        [dependencies]
        serde = { workspace = true, optional = true }
        [target.'cfg(unix)'.dependencies]
        libc.workspace = true
        [dev-dependencies]
        proptest.workspace = true
    "#;

    fn check(from: &str, to: &str, expect: &[&str]) {
        let text = GOOD.replacen(from, to, 1);
        assert!(from == to || text != GOOD, "`{from}` is not in the sample");
        let found = not_inherited(&text.parse().unwrap());
        assert_eq!(found.len(), expect.len(), "{found:?}");
        for (found, expect) in found.iter().zip(expect) {
            assert!(found.contains(expect), "{found}");
        }
    }

    #[test]
    fn what_is_written_out_instead_of_inherited_is_found() {
        check("", "", &[]);
        check(
            "version.workspace = true",
            "version = \"1.0.0\"",
            &["version"],
        );
        check("authors.workspace = true", "", &["authors"]);
        check("[lints]\n        workspace = true", "", &["[lints]"]);
        check(
            "{ workspace = true, optional",
            "{ version = \"1\", optional",
            &["serde"],
        );
        check("libc.workspace = true", "libc = \"0.2\"", &["libc"]);
        check(
            "proptest.workspace = true",
            "proptest = \"1\"",
            &["proptest"],
        );
    }

    #[test]
    fn stray_names_are_told_from_known_ones() {
        for name in ["Cargo.toml", "docs", "LICENSE-MIT", ".ci", "rustfmt.toml"] {
            assert!(is_known(name), "{name}");
        }
        for name in ["src", "notes.txt", "target", "scripts"] {
            assert!(!is_known(name), "{name}");
        }
    }
}
