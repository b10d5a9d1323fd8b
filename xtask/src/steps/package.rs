//! Checks that each published crate has what a registry requires and can be packaged.

use std::fs;

use anyhow::Result;

use super::step::{Context, Outcome, verdict};
use crate::metadata::{Metadata, Package};
use crate::shell;

pub(super) fn step(context: &Context<'_>) -> Result<Outcome> {
    let metadata = Metadata::load(context.shell)?;
    let mut findings = Vec::new();
    for package in metadata.published() {
        let readme = package.readme.as_ref().and_then(|name| {
            let folder = package.manifest_path.parent()?;
            fs::read_to_string(folder.join(name)).ok()
        });
        findings.extend(missing(package, readme.as_deref(), &metadata));
    }
    let published = metadata.published().len();
    verdict(findings, "")?;

    // All together, because they depend on each other and no registry has them.
    let mut command = context.shell.cargo([
        "package",
        "--workspace",
        "--no-verify",
        "--allow-dirty",
        "--locked",
    ]);
    for member in metadata.members() {
        if !member.is_published() {
            command.args(["--exclude", &member.name]);
        }
    }
    shell::run(&mut command)?;
    Ok(Outcome::Passed(format!("{published} crates")))
}

/// The reasons why a package cannot be published, given its README's text.
fn missing(package: &Package, readme: Option<&str>, metadata: &Metadata) -> Vec<String> {
    let name = &package.name;
    let mut findings = Vec::new();
    for (field, value) in [
        ("description", &package.description),
        ("license", &package.license),
        ("repository", &package.repository),
        ("rust-version", &package.rust_version),
    ] {
        if value.as_ref().is_none_or(|text| text.is_empty()) {
            findings.push(format!("{name} has no `{field}`"));
        }
    }
    match (readme, &package.rust_version) {
        (None, _) => findings.push(format!("{name} has no README that can be read")),
        (Some(text), Some(version)) if !text.contains(version.as_str()) => {
            findings.push(format!(
                "the README of {name} does not state Rust {version}"
            ));
        }
        (Some(_), _) => {}
    }
    for dependency in &package.dependencies {
        // Dependencies for tests only are dropped from the package.
        if dependency.path.is_none() || dependency.kind.as_deref() == Some("dev") {
            continue;
        }
        let other = &dependency.name;
        if dependency.req == "*" {
            findings.push(format!(
                "{name} depends on {other} by path without a version"
            ));
        }
        if !metadata.published().iter().any(|one| one.name == *other) {
            findings.push(format!("{name} depends on {other}, which is not published"));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::metadata::sample;

    fn check(field: &str, value: Value, readme: Option<&str>, expect: &[&str]) {
        let mut package = json!({
            "name": "ours",
            "description": "one",
            "license": "MIT",
            "repository": "https://example.org/",
            "rust_version": "1.85",
        });
        package[field] = value;
        let metadata = sample(json!([
            {"name": "hidden", "publish": []},
            package,
        ]));
        let found = missing(metadata.members()[1], readme, &metadata);
        assert_eq!(found.len(), expect.len(), "{found:?}");
        for (found, expect) in found.iter().zip(expect) {
            assert!(found.contains(expect), "{found}");
        }
    }

    #[test]
    fn what_keeps_a_crate_from_a_registry_is_found() {
        let readme = Some("Needs Rust 1.85.");
        check("license", json!("MIT"), readme, &[]);
        check("license", json!(null), readme, &["no `license`"]);
        check("description", json!(""), readme, &["no `description`"]);
        check("license", json!("MIT"), None, &["no README"]);
        check(
            "license",
            json!("MIT"),
            Some("# ours"),
            &["state Rust 1.85"],
        );
        let by_path = |req: &str, kind: Option<&str>| json!([{"name": "hidden", "req": req, "kind": kind, "path": "crates/hidden"}]);
        check("dependencies", by_path("*", Some("dev")), readme, &[]);
        check(
            "dependencies",
            by_path("*", None),
            readme,
            &["without a version", "not published"],
        );
    }
}
