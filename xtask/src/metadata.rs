//! The part of `cargo metadata` that the checks need.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::shell::{self, Shell};

/// Every package of the resolved workspace.
#[derive(Deserialize)]
pub(crate) struct Metadata {
    pub(crate) packages: Vec<Package>,
    pub(crate) target_directory: PathBuf,
    workspace_members: Vec<String>,
}

/// A package: ours or a dependency.
#[derive(Deserialize)]
pub(crate) struct Package {
    id: String,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) rust_version: Option<String>,
    pub(crate) manifest_path: PathBuf,
    /// The registries that it may be published to; absent means any.
    publish: Option<Vec<String>>,
    pub(crate) description: Option<String>,
    pub(crate) license: Option<String>,
    pub(crate) repository: Option<String>,
    pub(crate) readme: Option<String>,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) features: BTreeMap<String, Vec<String>>,
    pub(crate) targets: Vec<Target>,
}

/// A dependency as a manifest declares it.
#[derive(Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// The version required; `*` when the manifest names none.
    pub(crate) req: String,
    /// `dev` or `build`; absent for a normal one.
    pub(crate) kind: Option<String>,
    pub(crate) path: Option<PathBuf>,
}

/// A library, binary, test, benchmark or example.
#[derive(Deserialize)]
pub(crate) struct Target {
    pub(crate) name: String,
    pub(crate) kind: Vec<String>,
    #[serde(default)]
    pub(crate) src_path: PathBuf,
    #[serde(default, rename = "required-features")]
    pub(crate) required_features: Vec<String>,
}

impl Metadata {
    /// Runs `cargo metadata` with all features.
    pub(crate) fn load(shell: &Shell) -> Result<Self> {
        let json = shell::output(&mut shell.cargo([
            "metadata",
            "--format-version=1",
            "--all-features",
            "--locked",
        ]))?;
        serde_json::from_str(&json).context("cannot read what `cargo metadata` wrote")
    }

    /// Runs `cargo metadata` for only the members of the workspace at `root`, which may
    /// be another checkout.
    pub(crate) fn of_members(shell: &Shell, root: &Path) -> Result<Self> {
        let manifest = root.join("Cargo.toml");
        let mut command = shell.cargo(["metadata", "--format-version=1", "--no-deps"]);
        command.arg("--manifest-path").arg(manifest);
        let json = shell::output(&mut command)?;
        serde_json::from_str(&json).context("cannot read what `cargo metadata` wrote")
    }

    /// The workspace's own packages, sorted by name.
    pub(crate) fn members(&self) -> Vec<&Package> {
        let mut members: Vec<_> = self
            .packages
            .iter()
            .filter(|package| self.workspace_members.contains(&package.id))
            .collect();
        members.sort_by(|a, b| a.name.cmp(&b.name));
        members
    }

    /// The members that are published: all but those with `publish = false`.
    pub(crate) fn published(&self) -> Vec<&Package> {
        let mut members = self.members();
        members.retain(|package| package.is_published());
        members
    }
}

impl Package {
    /// Whether it is published.
    pub(crate) fn is_published(&self) -> bool {
        self.publish.as_ref().is_none_or(|to| !to.is_empty())
    }

    /// Its targets of a kind, such as `bench`.
    pub(crate) fn targets_of(&self, kind: &str) -> impl Iterator<Item = &Target> {
        self.targets
            .iter()
            .filter(move |target| target.kind.iter().any(|one| one == kind))
    }
}

/// A workspace of a test, written as JSON with the members' names repeated.
#[cfg(test)]
pub(crate) fn sample(packages: serde_json::Value) -> Metadata {
    let mut packages: Vec<serde_json::Map<String, serde_json::Value>> =
        serde_json::from_value(packages).unwrap();
    for package in &mut packages {
        let name = package["name"].clone();
        for (field, value) in [
            ("id", name),
            ("version", "0.1.0".into()),
            ("manifest_path", "Cargo.toml".into()),
            ("dependencies", serde_json::json!([])),
            ("features", serde_json::json!({})),
            ("targets", serde_json::json!([])),
        ] {
            package.entry(field).or_insert(value);
        }
    }
    let members: Vec<_> = packages
        .iter()
        .filter(|package| !package.contains_key("source"))
        .map(|package| package["id"].clone())
        .collect();
    serde_json::from_value(serde_json::json!({
        "packages": packages,
        "workspace_members": members,
        "target_directory": "target",
    }))
    .unwrap()
}
