//! `router eval`: accuracy, abstention and latency of a detector.
//!
//! [`predict`] runs a detector on labelled messages, [`Metrics`] scores the
//! predictions, and [`report`] plots what other thresholds would cost and gain.

mod metrics;
mod predictions;
mod report;
mod table;
mod trade_off;

pub use metrics::Metrics;
pub use predictions::{Prediction, predict};
pub use report::render as report;
