//! A step of `check`, its input and its outcome.

use anyhow::{Result, bail};

use super::snapshot::Snapshot;
use crate::shell::Shell;

/// The input of every step.
pub(crate) struct Context<'a> {
    pub(crate) shell: &'a Shell,
    /// The checkout before the first step, or why it is unknown.
    pub(crate) before: std::result::Result<Snapshot, String>,
}

/// The outcome of a step that did not fail.
pub(crate) enum Outcome {
    /// It passed; a note for the summary, possibly empty.
    Passed(String),
    /// It could not run here, and why.
    Skipped(String),
}

/// One check.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) run: fn(&Context<'_>) -> Result<Outcome>,
}

impl Step {
    /// The command that runs this step alone.
    pub(crate) fn repeat(&self) -> String {
        format!("cargo xtask check --only {}", self.name)
    }
}

/// Passes when nothing was found; else fails with a line for each finding.
pub(super) fn verdict(findings: Vec<String>, note: impl Into<String>) -> Result<Outcome> {
    if findings.is_empty() {
        return Ok(Outcome::Passed(note.into()));
    }
    let list: String = findings.iter().map(|one| format!("\n  - {one}")).collect();
    bail!("{} found:{list}", findings.len())
}
