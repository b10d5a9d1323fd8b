//! `router bench`: the same traffic with the cache off, then on.
//!
//! [`Traffic`] plans the requests, [`run`] makes them twice and records each,
//! [`Summary`] computes the metrics and renders them.

mod description;
pub(crate) mod intents;
pub(crate) mod measurement;
pub(crate) mod options;
pub(crate) mod population;
mod report;
mod run;
pub(crate) mod sampling;
mod summary;
mod table;
mod target;
#[cfg(test)]
mod test_support;
pub(crate) mod traffic;

pub use description::traffic_help;
pub use options::{Options, TrafficError};
pub use run::{Run, run};
pub use summary::Summary;
pub use traffic::Traffic;
