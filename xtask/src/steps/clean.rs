//! Checks that the checks change no file: compares the checkout with its state before.

use anyhow::{Result, bail};

use super::snapshot::Snapshot;
use super::step::{Context, Outcome};

pub(super) fn step(context: &Context<'_>) -> Result<Outcome> {
    let before = match &context.before {
        Ok(before) => before,
        Err(reason) => return Ok(Outcome::Skipped(format!("not a git checkout: {reason}"))),
    };
    println!("$ git status --porcelain --untracked-files=all && git diff HEAD --binary");
    let after = match Snapshot::take(context.shell) {
        Ok(after) => after,
        Err(reason) => bail!("git answered before the checks and no more: {reason}"),
    };
    if *before != after {
        bail!("{}", before.difference(&after));
    }
    Ok(Outcome::Passed(String::new()))
}
