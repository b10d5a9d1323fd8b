//! Measurements behind `router bench` and `router eval`.
//!
//! [`mod@bench`] makes the same traffic with the cache off and then on, and
//! compares the two phases. [`paraphrases`] compares the key modes on traffic
//! that asks the same questions in many wordings. [`eval`] scores a detector on
//! labelled messages. Nothing here reads arguments or configuration: a caller
//! hands over a [`Router`](intent_router::Router) or a
//! [`Detector`](intent_router::Detector) and gets tables, JSON and HTML back.

pub mod bench;
pub mod changes;
mod distribution;
pub mod eval;
pub mod format;
mod html;
pub mod paraphrases;
mod plot;
mod progress;
mod provenance;

pub use provenance::Provenance;
