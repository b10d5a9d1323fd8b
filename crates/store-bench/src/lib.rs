//! Measures `cache-core` and other caches in one process: `cargo xtask bench store`.
//!
//! `docs/performance.md` says what each section measures, and what makes the
//! comparison fair. The package uses only the
//! public interface of `cache-core`.

#![allow(clippy::print_stdout, reason = "a benchmark prints its tables")]

mod answer;
mod caches;
mod child;
mod machine;
mod options;
mod run;
mod sections;
mod setup;
mod table;
mod throughput;
mod trace;
mod workload;

pub use answer::answer;
pub use options::run;
