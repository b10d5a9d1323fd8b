//! What any input must leave true, as functions that panic where it does not.
//!
//! Each function here is one fuzz target of the same name under `src/bin`; its
//! seeds lie in the folder of that name under `seeds`. The ordinary tests feed
//! them the seeds and some noise, so that they stay true to the crates between
//! two runs of the fuzzer.

mod keys;
mod messages;
mod models;
mod store;

pub use keys::{json, key};
pub use messages::message;
pub use models::model;
pub use store::store;
