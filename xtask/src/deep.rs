//! `cargo xtask deep`: the property tests with far more cases.

use anyhow::Result;

use crate::shell::{Shell, Usage};
use crate::steps::props;

const CASES: u32 = 100_000;

/// Runs the command.
pub(crate) fn run(shell: &Shell, args: Vec<String>) -> Result<()> {
    let mut cases = CASES;
    let mut packages = Vec::new();
    let mut args = args.into_iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--cases" => {
                let number = args.next().and_then(|text| text.parse().ok());
                cases = number
                    .filter(|cases| *cases > 0)
                    .ok_or_else(|| Usage::new("--cases wants a number above 0"))?;
            }
            "-p" | "--package" => {
                let name = args.next();
                packages.push(name.ok_or_else(|| Usage::new("-p wants a package"))?);
            }
            other => return Err(Usage::new(format!("deep knows no `{other}`"))),
        }
    }
    props::run(shell, cases, &packages)?;
    Ok(())
}
