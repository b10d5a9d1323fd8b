//! Builds a separate workspace that uses the crates by path.
//!
//! The examples are a separate workspace, and are copied out of the repository, so
//! that they depend on nothing in this workspace.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use toml::{Table, Value};

use super::step::{Context, Outcome};
use crate::metadata::Metadata;
use crate::shell;

/// Where the examples are kept, from the root.
pub(super) const FOLDER: &str = "docs/examples/outside";

/// The example packages, each a folder of [`FOLDER`].
pub(super) const EXAMPLES: &[&str] = &["cache-core-alone", "cache-keys-alone", "own-source"];

pub(super) fn step(context: &Context<'_>) -> Result<Outcome> {
    let shell = context.shell;
    let metadata = Metadata::load(shell)?;
    let elsewhere = tempfile::tempdir().context("cannot create a folder elsewhere")?;
    let from = shell.root().join(FOLDER);
    fs::copy(from.join("Cargo.toml"), elsewhere.path().join("Cargo.toml"))
        .with_context(|| format!("cannot copy {FOLDER}/Cargo.toml"))?;
    // With our lock file the versions are those of the other steps,
    // and nothing new is fetched.
    fs::copy(
        shell.root().join("Cargo.lock"),
        elsewhere.path().join("Cargo.lock"),
    )
    .context("cannot copy Cargo.lock")?;
    for example in EXAMPLES {
        copy_example(shell.root(), example, &elsewhere.path().join(example))
            .with_context(|| format!("cannot copy the example {example}"))?;
    }

    let cargo = |args: &[&str]| {
        let mut command = shell.cargo(args);
        command
            .arg("--manifest-path")
            .arg(elsewhere.path().join("Cargo.toml"))
            .env(
                "CARGO_TARGET_DIR",
                metadata.target_directory.join("outside"),
            )
            .env("RUSTFLAGS", "-D warnings");
        command
    };
    shell::run(&mut cargo(&["build", "--workspace"]))?;
    for example in EXAMPLES {
        shell::run(&mut cargo(&["run", "--quiet", "--package", example]))?;
    }
    Ok(Outcome::Passed(format!("{} examples ran", EXAMPLES.len())))
}

fn copy_example(root: &Path, example: &str, to: &Path) -> Result<()> {
    let from = root.join(FOLDER).join(example);
    let manifest: Table = fs::read_to_string(from.join("Cargo.toml"))?.parse()?;
    copy_folder(&from.join("src"), &to.join("src"))?;
    let manifest = with_absolute_paths(manifest, &from)?;
    fs::write(to.join("Cargo.toml"), toml::to_string(&manifest)?)?;
    Ok(())
}

/// The manifest with absolute paths of path dependencies, because it is moved from
/// the folder that they are relative to.
fn with_absolute_paths(mut manifest: Table, folder: &Path) -> Result<Table> {
    let dependencies = manifest
        .get_mut("dependencies")
        .and_then(Value::as_table_mut)
        .context("no [dependencies]")?;
    for (name, dependency) in dependencies.iter_mut() {
        if let Some(path) = dependency.get_mut("path") {
            let relative = path.as_str().with_context(|| format!("path of {name}"))?;
            let absolute = folder.join(relative).canonicalize();
            let absolute = absolute.with_context(|| format!("{name} is not at {relative}"))?;
            let text = absolute.to_str().context("a path that is not UTF-8")?;
            *path = Value::String(text.to_owned());
        }
    }
    Ok(manifest)
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_dependencies_become_absolute_and_others_stay() {
        let manifest =
            "[dependencies]\nhere = { path = \"../src\", version = \"1\" }\nserde = \"1\"";
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let changed = with_absolute_paths(manifest.parse().unwrap(), &folder).unwrap();
        let path = changed["dependencies"]["here"]["path"].as_str().unwrap();
        assert_eq!(Path::new(path), folder.canonicalize().unwrap());
        assert_eq!(changed["dependencies"]["serde"].as_str(), Some("1"));

        let missing = "[dependencies]\nhere = { path = \"../nowhere\" }";
        assert!(with_absolute_paths(missing.parse().unwrap(), &folder).is_err());
    }
}
