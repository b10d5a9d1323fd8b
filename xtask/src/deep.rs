//! `cargo xtask deep`: property tests with far more cases, concurrency with far
//! more schedules.

use anyhow::Result;

use crate::shell::{Shell, Usage};
use crate::steps::{props, schedules};

/// Cases a property test.
const CASES: u32 = 20_000;

/// Schedules a concurrency test: a million in five.
const SCHEDULES: u32 = 200_000;

/// Runs the command.
pub(crate) fn run(shell: &Shell, args: Vec<String>) -> Result<()> {
    let mut cases = CASES;
    let mut explored = SCHEDULES;
    let mut packages = Vec::new();
    let mut args = args.into_iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--cases" => cases = above_zero(&arg, args.next())?,
            "--schedules" => explored = above_zero(&arg, args.next())?,
            "-p" | "--package" => {
                let name = args.next();
                packages.push(name.ok_or_else(|| Usage::new("-p wants a package"))?);
            }
            other => return Err(Usage::new(format!("deep knows no `{other}`"))),
        }
    }
    if packages.is_empty() || packages.iter().any(|name| name == "cache-core") {
        schedules::run(shell, explored)?;
    }
    props::run(shell, cases, &packages)?;
    Ok(())
}

fn above_zero(option: &str, value: Option<String>) -> Result<u32> {
    let number = value.and_then(|text| text.parse().ok());
    number
        .filter(|number| *number > 0)
        .ok_or_else(|| Usage::new(format!("{option} wants a number above 0")))
}
