//! The sections of the benchmark; each prints its tables.

pub(crate) mod evicting;
pub(crate) mod expiry;
pub(crate) mod flood;
pub(crate) mod hits;
pub(crate) mod memory;
pub(crate) mod traces;

use crate::{
    caches::Kind,
    run::Run,
    setup::Hashing,
    throughput::{Plan, Timings},
};

/// Announces a section with the command that repeats it.
fn announce(run: &Run<'_>, section: &str, what: &str) {
    let quick = if run.quick { " --quick" } else { "" };
    println!("\n## {section}\n\n    cargo xtask bench store {section}{quick}\n\n{what}\n");
}

/// The plan of the timed sections, shorter if a round costs more.
fn plan(run: &Run<'_>, rounds: usize) -> Plan {
    let (rounds, turn) = if run.quick {
        (3, 20_000)
    } else {
        (rounds, 50_000)
    };
    Plan {
        rounds,
        timed: 3 * turn,
        untimed: turn,
    }
}

/// The selected kinds among these, each with the common hash function and, if its
/// default is another one, also with its own.
fn lines(run: &Run<'_>, kinds: &[Kind]) -> Vec<(Kind, Hashing, String)> {
    let mut lines = Vec::new();
    for &kind in kinds {
        let name = kind.to_string();
        if !run.wants(&name) {
            continue;
        }
        lines.push((kind, Hashing::Same, name.clone()));
        if kind.hashes_otherwise() {
            lines.push((kind, Hashing::Own, format!("{name}, its own hash")));
        }
    }
    lines
}

/// The cells of one number of threads: best, median, and both as multiples of
/// ours.
fn cells(timing: &Timings, ours: &Timings) -> [String; 3] {
    [
        format!("{:.1}", timing.best()),
        format!("{:.1}", timing.median()),
        format!(
            "{:.2}× ({:.2}×)",
            timing.best() / ours.best(),
            timing.median() / ours.median()
        ),
    ]
}
