//! The steps that are a single cargo command.

use anyhow::{Result, bail};

use super::outside;
use super::step::{Context, Outcome};
use crate::shell;

pub(super) fn fmt(context: &Context<'_>) -> Result<Outcome> {
    shell::run(&mut context.shell.cargo(["fmt", "--all", "--check"]))?;
    // The examples are a separate workspace, which the line above does not reach.
    let mut rustfmt = context.shell.program("rustfmt", ["--check"]);
    for example in outside::EXAMPLES {
        rustfmt.arg(format!("{}/{example}/src/main.rs", outside::FOLDER));
    }
    shell::run(&mut rustfmt)?;
    Ok(Outcome::Passed(String::new()))
}

pub(super) fn clippy(context: &Context<'_>) -> Result<Outcome> {
    shell::run(&mut context.shell.cargo([
        "clippy",
        "--workspace",
        "--all-targets",
        "--all-features",
        "--locked",
        "--",
        "-D",
        "warnings",
    ]))?;
    Ok(Outcome::Passed(String::new()))
}

/// Runs the tests but the property tests, which have a step of their own.
pub(super) fn test(context: &Context<'_>) -> Result<Outcome> {
    let passed = shell::run_tests(&mut context.shell.cargo([
        "test",
        "--workspace",
        "--all-features",
        "--locked",
        "--lib",
        "--bins",
        "--tests",
        "--examples",
        "--no-fail-fast",
        "--",
        "--skip=prop_",
    ]))?;
    if passed == 0 {
        bail!("no test ran");
    }
    Ok(Outcome::Passed(format!("{passed} tests")))
}

pub(super) fn doc_test(context: &Context<'_>) -> Result<Outcome> {
    let passed = shell::run_tests(&mut context.shell.cargo([
        "test",
        "--workspace",
        "--all-features",
        "--locked",
        "--doc",
    ]))?;
    Ok(Outcome::Passed(format!("{passed} doc tests")))
}

pub(super) fn rustdoc(context: &Context<'_>) -> Result<Outcome> {
    let mut doc = context.shell.cargo([
        "doc",
        "--workspace",
        "--all-features",
        "--no-deps",
        "--locked",
    ]);
    shell::run(doc.env("RUSTDOCFLAGS", "-D warnings"))?;
    Ok(Outcome::Passed(String::new()))
}
