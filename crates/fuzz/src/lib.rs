//! Properties that hold for any input, as functions that panic if they do not.
//!
//! Each function is the fuzz target of the same name under `src/bin`; its seeds are in
//! the folder of that name under `seeds`. Ordinary tests run the functions on the
//! seeds and some noise, so that they keep up with the crates between two runs of the
//! fuzzer.

mod keys;
mod messages;
mod models;
mod store;

pub use keys::{json, key};
pub use messages::message;
pub use models::model;
pub use store::store;
