//! The main function of the child program that counts its allocations.

use std::env;

use anyhow::{Result, bail};

use crate::{
    caches::Kind,
    child::parsed,
    sections::{expiry, flood, memory},
};

/// Runs the section that the command line names for one cache, and prints its
/// numbers.
///
/// # Errors
/// If the command line is not from `child::ask`, or if the section fails.
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
