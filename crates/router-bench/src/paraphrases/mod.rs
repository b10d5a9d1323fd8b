//! `router bench --wordings`: the hit rate of each key mode on traffic that asks
//! the same questions in many wordings.
//!
//! `plan` plans the requests, [`compare`] makes them with each key mode, and
//! [`ParaphraseSummary`] renders the result. Every answer is compared with the
//! answer of a router without a cache, so an answer shared wrongly is counted.

mod client;
mod comparison;
mod plan;
mod summary;

pub use comparison::{KEY_MODES, KeyModeComparison, compare};
pub use summary::ParaphraseSummary;
