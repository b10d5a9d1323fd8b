//! Measures `cache-core` beside other caches: `cargo xtask bench store`.
//!
//! What each section measures, and what was done so that the comparison is
//! fair, is told in `docs/performance.md`. The package uses nothing of
//! `cache-core` but its public interface.

#![allow(clippy::print_stdout, reason = "a benchmark prints its tables")]

mod child;
mod contenders;
mod draw;
mod machine;
mod options;
mod race;
mod sections;
mod table;
mod trace;

pub use child::answer;
pub use options::run;
