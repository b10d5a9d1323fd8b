//! The project's own commands: `cargo xtask check | bench | deep | structure | vectors`.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool talks on both"
)]

mod bench;
mod check;
mod deep;
mod metadata;
mod shell;
mod steps;
mod structure;
mod vectors;

use std::process::ExitCode;

use crate::shell::{Shell, Usage};

const USAGE: &str = "\
usage: cargo xtask COMMAND [OPTIONS]

  check    every check, in order; changes no file
             --list          name the steps, run none
             --only A[,B]    run these steps alone
             --from STEP     run this step and those after it
             --keep-going    run the other steps after a failure
  bench    run benchmarks and print their tables
             [NAME…]         those of this package, or of this name
             --list          name the benchmarks, run none
             --quick         fewer iterations: does it run, not how fast
             store […]       what follows goes to that benchmark: its sections,
                             --trace FILE…; `store --help` tells all
  deep     run what takes minutes: randomised schedules and memory models,
           seeded bugs that these must see, fuzzing, property tests, attacks on
           the service, 200 kills of it
             [PART…]         of schedules, mutants, fuzz, prop, http, api,
                             restarts; all when none is named
             --schedules N   schedules over all concurrency tests (default 1000000)
             --fuzz-seconds N  time for each fuzz target (default 60)
             --cases N       cases per property test (default 10000)
             --http-seconds N  time for fuzzing over raw sockets (default 600)
             --api-examples N  requests of schemathesis per operation (default 100)
             -p PACKAGE      of these packages alone; may be repeated
  structure  count lines, circles of imports, doubled type names and long files
             [ROOT]          of the workspace in this folder instead of this one
  vectors  recompute cache keys with CPython and print the file
             --check         compare with the file's keys instead
             [FILE]          default crates/cache-keys/tests/data/vectors.jsonl
  help     this text

Exit codes: 0 all is well, 1 something failed, 64 wrong usage.";

/// The exit code for wrong usage, as sysexits names it.
const EX_USAGE: u8 = 64;

fn main() -> ExitCode {
    match dispatch(std::env::args().skip(1).collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            if error.is::<Usage>() {
                eprintln!("\n{USAGE}");
                ExitCode::from(EX_USAGE)
            } else {
                ExitCode::FAILURE
            }
        }
    }
}

fn dispatch(mut args: Vec<String>) -> anyhow::Result<()> {
    if args.is_empty() {
        return Err(Usage::new("no command given"));
    }
    let command = args.remove(0);
    let asks_for_help = args.iter().any(|arg| arg == "--help" || arg == "-h");
    if asks_for_help && !(command == "bench" && bench::answers(&args)) {
        println!("{USAGE}");
        return Ok(());
    }
    let shell = Shell::new()?;
    match command.as_str() {
        "check" => check::run(&shell, args),
        "bench" => bench::run(&shell, args),
        "deep" => deep::run(&shell, args),
        "structure" => structure::run(&shell, args),
        "vectors" => vectors::run(&shell, args),
        "help" | "--help" | "-h" => {
            println!("{USAGE}");
            Ok(())
        }
        other => Err(Usage::new(format!("there is no command `{other}`"))),
    }
}
