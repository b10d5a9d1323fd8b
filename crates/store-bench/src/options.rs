//! The command line: which sections to run, and how long.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::{Parser, ValueEnum};

use crate::{
    machine,
    run::Run,
    sections::{evicting, expiry, flood, hits, memory, traces},
};

/// Measures cache-core and other caches. docs/performance.md says what each
/// section measures and how.
#[derive(Parser)]
#[command(name = "cargo xtask bench store")]
struct Arguments {
    /// The sections to run; all when none is given.
    #[arg(value_enum)]
    sections: Vec<Section>,

    /// Fewer keys and rounds: does it run, not how fast.
    #[arg(long)]
    quick: bool,

    /// Only those caches whose name contains one of these texts; ours
    /// always runs.
    #[arg(long, value_name = "TEXT")]
    only: Vec<String>,

    /// Files of keys, one a line, gzipped or plain, for `traces`.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    trace: Vec<PathBuf>,

    /// The most entries that one turn of maintenance removes, for `expiry`.
    #[arg(long, value_name = "ENTRIES", default_value_t = 500)]
    budget: usize,

    /// What cargo passes to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

/// A part of the benchmark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Section {
    /// Reads when every key is resident, 1 and 2 threads, and the limits.
    Hits,
    /// Reads and insertions at a tenth of the keys, 1 and 2 threads.
    Evicting,
    /// Bytes an entry.
    Memory,
    /// Hit ratios on traces, and the offline optimum.
    Traces,
    /// A million entries that expire at once.
    Expiry,
    /// Ten million keys through 64 MiB.
    Flood,
}

/// Runs the sections that the command line names, with the program `counted`
/// for those that count memory.
///
/// # Errors
/// When a cache cannot be built, a trace not read, or `counted` not run.
pub fn run(counted: &str) -> Result<()> {
    let arguments = Arguments::parse();
    let all = Section::value_variants();
    let sections = match &arguments.sections[..] {
        [] => all,
        some => some,
    };
    let run = Run {
        quick: arguments.quick,
        only: arguments.only,
        traces: arguments.trace,
        budget: arguments.budget,
        counted: Path::new(counted),
    };
    println!("machine: {}", machine::line());
    println!("peers: {}", machine::versions());
    if run.quick {
        println!("--quick: these figures say that it runs, and nothing more");
    }
    for section in all.iter().filter(|section| sections.contains(section)) {
        match section {
            Section::Hits => hits::run(&run)?,
            Section::Evicting => evicting::run(&run)?,
            Section::Memory => memory::run(&run)?,
            Section::Traces => traces::run(&run)?,
            Section::Expiry => expiry::run(&run)?,
            Section::Flood => flood::run(&run)?,
        }
    }
    Ok(())
}
