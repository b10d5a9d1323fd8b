//! One contender in a process of its own, so that its memory is its own.

use std::{
    env,
    process::{Command, Stdio},
    str::FromStr,
};

use anyhow::{Context as _, Result, bail, ensure};
use stats_alloc::INSTRUMENTED_SYSTEM;

use crate::{
    contenders::Kind,
    options::Run,
    sections::{expiry, flood, memory},
};

/// Runs a section for one contender in the program that counts its
/// allocations, with these numbers, and returns the numbers that it prints.
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

/// Answers what `ask` asks: the main function of the program that counts.
///
/// # Errors
/// When the command line is not one that `ask` writes, or the section fails.
pub fn answer() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [section, kind, numbers @ ..] = &arguments[..] else {
        bail!("this program is a part of `cargo xtask bench store`");
    };
    let kind = Kind::named(kind)?;
    let numbers: Vec<usize> = parsed(numbers.iter().map(String::as_str))?;
    let answers: Vec<u64> = match (section.as_str(), &numbers[..]) {
        ("memory", &[entries, tags]) => memory::measure(kind, entries, tags)?.to_vec(),
        ("expiry", &[entries, budget]) => expiry::measure_quiet(kind, entries, budget)?.to_vec(),
        ("expiry-busy", &[entries, budget]) => {
            expiry::measure_busy(kind, entries, budget)?.to_vec()
        }
        ("flood", &[keys, hot_percent]) => flood::measure(kind, keys, hot_percent)?.to_vec(),
        _ => bail!(
            "there is no section `{section}` with {} numbers",
            numbers.len()
        ),
    };
    let answers: Vec<String> = answers.iter().map(u64::to_string).collect();
    println!("{}", answers.join(" "));
    Ok(())
}

fn parsed<'a, T>(words: impl Iterator<Item = &'a str>) -> Result<Vec<T>>
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

/// The bytes that are allocated at present; meaningless in a program that does
/// not count them.
pub(crate) fn allocated() -> u64 {
    let stats = INSTRUMENTED_SYSTEM.stats();
    stats
        .bytes_allocated
        .saturating_sub(stats.bytes_deallocated) as u64
}
