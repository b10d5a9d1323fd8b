//! Trains the models that `intent-model` classifies with.
//!
//! [`train`] takes [`Example`]s, messages with the names of their intents, and
//! returns an [`intent_model::LinearModel`]. [`TrainOptions`] says how many
//! wrong answers are accepted and what may be given up to avoid them.

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod background;
mod calibrate;
mod corpus;
mod error;
mod example;
mod head;
mod options;
mod progress;
mod random;
mod svm;
mod synthetic;
mod train;
mod trainer;

pub use error::TrainError;
pub use example::{Example, ExampleError};
pub use options::TrainOptions;
pub use progress::{Progress, Stage};
pub use train::train;

#[cfg(test)]
mod tests;
