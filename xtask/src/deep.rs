//! `cargo xtask deep`: concurrency tests with many more schedules, seeded bugs,
//! fuzzing, property tests with many more cases, and attacks on the service.

mod api;
mod faults;
mod fuzz;
mod http;
mod mutants;
mod restarts;
mod service;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::shell::{Shell, Usage};
use crate::steps::props;
use crate::steps::schedules::{self, Effort};

/// The options from the command line.
#[derive(Debug, PartialEq, Eq)]
struct Limits {
    /// Cases per property test.
    cases: u32,
    effort: Effort,
    /// Seconds per fuzz target.
    fuzz_seconds: u32,
    /// Seconds of fuzzing over raw sockets.
    http_seconds: u32,
    /// Requests of schemathesis per operation.
    api_examples: u32,
    /// Seconds of overload.
    overload_seconds: u32,
    /// Another `router` for the faults, such as one of an earlier version.
    router: Option<PathBuf>,
    /// Only the faults whose names contain this.
    fault: String,
    /// The packages; all if empty.
    packages: Vec<String>,
    /// The parts; all if empty.
    parts: Vec<&'static str>,
}

/// The parts, in the order in which they run.
const PARTS: [&str; 8] = [
    "schedules",
    "mutants",
    "fuzz",
    "prop",
    "http",
    "api",
    "restarts",
    "faults",
];

/// The package that the attacks are on.
const SERVICE: &str = "router-bin";

impl Default for Limits {
    fn default() -> Self {
        Self {
            cases: 10_000,
            effort: Effort {
                schedules: 1_000_000,
                preemptions: 5,
            },
            fuzz_seconds: 60,
            http_seconds: 600,
            api_examples: 100,
            overload_seconds: 120,
            router: None,
            fault: String::new(),
            packages: Vec::new(),
            parts: Vec::new(),
        }
    }
}

impl Limits {
    fn parse(args: Vec<String>) -> Result<Self> {
        let mut limits = Self::default();
        let mut args = args.into_iter();
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--cases" => limits.cases = above_zero(&arg, args.next())?,
                "--schedules" => limits.effort.schedules = above_zero(&arg, args.next())?,
                "--fuzz-seconds" => limits.fuzz_seconds = above_zero(&arg, args.next())?,
                "--http-seconds" => limits.http_seconds = above_zero(&arg, args.next())?,
                "--api-examples" => limits.api_examples = above_zero(&arg, args.next())?,
                "--overload-seconds" => limits.overload_seconds = above_zero(&arg, args.next())?,
                "--router" => {
                    let path = args.next();
                    let path = path.ok_or_else(|| Usage::new("--router wants a path"))?;
                    limits.router = Some(path.into());
                }
                "--fault" => {
                    let name = args.next();
                    limits.fault = name.ok_or_else(|| Usage::new("--fault wants a name"))?;
                }
                "-p" | "--package" => {
                    let name = args.next();
                    let name = name.ok_or_else(|| Usage::new("-p wants a package"))?;
                    limits.packages.push(name);
                }
                other => match PARTS.into_iter().find(|part| *part == other) {
                    Some(part) => limits.parts.push(part),
                    None => {
                        return Err(Usage::new(format!("deep has no part or option `{other}`")));
                    }
                },
            }
        }
        Ok(limits)
    }

    /// Whether this part is selected.
    fn runs(&self, part: &str) -> bool {
        self.parts.is_empty() || self.parts.contains(&part)
    }

    /// Whether this package is selected.
    fn includes(&self, package: &str) -> bool {
        self.packages.is_empty() || self.packages.iter().any(|name| name == package)
    }
}

fn above_zero(option: &str, value: Option<String>) -> Result<u32> {
    let number = value.and_then(|text| text.parse().ok());
    number
        .filter(|number| *number > 0)
        .ok_or_else(|| Usage::new(format!("{option} wants a number above 0")))
}

/// Runs the command.
pub(crate) fn run(shell: &Shell, args: Vec<String>) -> Result<()> {
    let limits = Limits::parse(args)?;
    let mut done = Vec::new();
    let mut part = |name: &'static str, run: &dyn Fn() -> Result<String>| -> Result<()> {
        if !limits.runs(name) {
            return Ok(());
        }
        println!("\n==> {name}");
        let start = Instant::now();
        let note = run()?;
        done.push((name, start.elapsed(), note));
        Ok(())
    };
    if limits.includes(schedules::PACKAGE) {
        part("schedules", &|| schedules::run(shell, limits.effort))?;
        part("mutants", &|| mutants::run(shell))?;
    }
    part("fuzz", &|| {
        let targets = |package: &str| limits.includes(package);
        fuzz::run(shell, limits.fuzz_seconds, targets)
    })?;
    part("prop", &|| {
        let passed = props::run(shell, limits.cases, &limits.packages)?;
        let cases = limits.cases;
        Ok(format!("{passed} property tests, PROPTEST_CASES={cases}"))
    })?;
    if limits.includes(SERVICE) {
        part("http", &|| http::run(shell, limits.http_seconds))?;
        part("api", &|| api::run(shell, limits.api_examples))?;
        part("restarts", &|| restarts::run(shell, SERVICE))?;
        part("faults", &|| {
            let router = limits.router.clone();
            faults::run(shell, router, &limits.fault, limits.overload_seconds)
        })?;
    }
    summarise(&done);
    Ok(())
}

fn summarise(done: &[(&str, Duration, String)]) {
    println!("\n==> summary");
    for (name, time, note) in done {
        println!("{name:<10} {:>7.1} s  {note}", time.as_secs_f64());
    }
    let total: Duration = done.iter().map(|(_, time, _)| *time).sum();
    println!("{:<10} {:>7.1} s", "all", total.as_secs_f64());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Limits> {
        Limits::parse(args.iter().map(|arg| (*arg).to_owned()).collect())
    }

    #[test]
    fn options_change_what_they_name() {
        assert_eq!(parse(&[]).unwrap(), Limits::default());
        let all = "--cases 7 --schedules 8 --fuzz-seconds 9 --http-seconds 10 \
                   --api-examples 11 --overload-seconds 12 --router old/router --fault log -p one --package two http";
        let limits = parse(&all.split_whitespace().collect::<Vec<_>>()).unwrap();
        let effort = limits.effort;
        assert_eq!(
            (limits.cases, effort.schedules, limits.fuzz_seconds),
            (7, 8, 9)
        );
        assert_eq!((limits.http_seconds, limits.api_examples), (10, 11));
        assert_eq!(limits.overload_seconds, 12);
        assert_eq!(limits.router, Some("old/router".into()));
        assert_eq!(limits.fault, "log");
        assert!(limits.runs("http") && !limits.runs("api"));
        assert!(PARTS.iter().all(|part| Limits::default().runs(part)));
        assert_eq!(limits.packages, ["one", "two"]);
        assert!(limits.includes("two") && !limits.includes("three"));
        assert!(Limits::default().includes("three"));
    }

    #[test]
    fn mistakes_are_usage_errors() {
        for args in [
            &["--cases"][..],
            &["--schedules", "0"],
            &["--fuzz-seconds", "soon"],
            &["-p"],
            &["--router"],
            &["--fast"],
        ] {
            let error = parse(args).unwrap_err();
            assert!(error.is::<Usage>(), "{args:?}: {error}");
        }
    }
}
