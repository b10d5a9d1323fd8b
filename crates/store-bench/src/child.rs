//! One cache in a separate process, to measure its memory alone.

use std::{
    process::{Command, Stdio},
    str::FromStr,
};

use anyhow::{Context as _, Result, bail, ensure};
use stats_alloc::INSTRUMENTED_SYSTEM;

use crate::{caches::Kind, run::Run};

/// Runs a section for one cache in the program that counts its allocations, with
/// these arguments, and returns the numbers that it prints.
pub(crate) fn ask<const N: usize>(
    run: &Run<'_>,
    section: &str,
    kind: Kind,
    numbers: &[usize],
) -> Result<[u64; N]> {
    let kind = kind.to_string();
    let output = Command::new(run.counted)
        .args([section, &kind])
        .args(numbers.iter().map(usize::to_string))
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot start {}", run.counted.display()))?;
    ensure!(output.status.success(), "{section} of {kind} failed");
    let text = String::from_utf8_lossy(&output.stdout);
    let found: Vec<u64> = parsed(text.split_whitespace())?;
    match found.try_into() {
        Ok(numbers) => Ok(numbers),
        Err(_) => bail!("{section} of {kind} printed `{text}`"),
    }
}

/// Parses these words as numbers.
pub(crate) fn parsed<'a, T>(words: impl Iterator<Item = &'a str>) -> Result<Vec<T>>
where
    T: FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    words
        .map(|word| {
            word.parse()
                .with_context(|| format!("`{word}` is no number"))
        })
        .collect()
}

/// The bytes currently allocated; meaningless in a program that does not count
/// them.
pub(crate) fn allocated() -> u64 {
    let stats = INSTRUMENTED_SYSTEM.stats();
    stats
        .bytes_allocated
        .saturating_sub(stats.bytes_deallocated) as u64
}
