//! Programs outside this workspace: what they do to `serde_json` must not change
//! a key, and what they count is theirs to count (a counting allocator is
//! `unsafe`, which no package of this workspace allows).

#![allow(clippy::unwrap_used, reason = "a test fails where its helpers do")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::{env, fs};

const HERE: &str = env!("CARGO_MANIFEST_DIR");

/// Builds and runs `tests/outside/NAME.rs` as a package of its own.
fn run(name: &str, features: &str) {
    let package = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("outside-{name}"));
    fs::create_dir_all(package.join("src")).unwrap();
    let manifest = format!(
        r#"
[package]
name = "outside-{name}"
version = "0.0.0"
edition = "2024"

[dependencies]
cache-keys = {{ path = {HERE:?} }}
serde_json = {{ version = "1.0", features = [{features}] }}

[workspace]
"#
    );
    fs::write(package.join("Cargo.toml"), manifest).unwrap();
    let here = Path::new(HERE);
    let source = here.join(format!("tests/outside/{name}.rs"));
    fs::copy(source, package.join("src/main.rs")).unwrap();
    // The same versions as in this workspace, where there is one around.
    let lock: PathBuf = here.join("../../Cargo.lock");
    if lock.exists() {
        fs::copy(lock, package.join("Cargo.lock")).unwrap();
    }

    let cargo = |offline: &[&str]| -> Output {
        Command::new(env::var_os("CARGO").unwrap_or("cargo".into()))
            .arg("run")
            .args(offline)
            .arg("--manifest-path")
            .arg(package.join("Cargo.toml"))
            .arg("--target-dir")
            .arg(Path::new(env!("CARGO_TARGET_TMPDIR")).join("outside-target"))
            .arg("--")
            .arg(here.join("tests/data/vectors.jsonl"))
            .output()
            .unwrap()
    };
    // Most often all it needs is there; if not, it may be fetched.
    let mut output = cargo(&["--offline"]);
    if !output.status.success() {
        output = cargo(&[]);
    }
    assert!(
        output.status.success(),
        "{name}:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn keys_do_not_depend_on_the_features_of_serde_json() {
    run("features", r#""preserve_order", "arbitrary_precision""#);
}

#[test]
fn keys_of_strings_allocate_nothing() {
    run("allocations", "");
}
