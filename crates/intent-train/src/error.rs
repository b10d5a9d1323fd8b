//! Errors of a training.

use intent_model::{EncodeError, LinearModel};
use thiserror::Error;

/// Why no model could be trained.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The examples have fewer than two intents.
    #[error(
        "the examples name {0} intents; a model needs at least two, besides `oos` and `unknown`"
    )]
    TooFewIntents(usize),
    /// There are more intents than a model can have.
    #[error("the examples name {0} intents; a model can have {max}", max = LinearModel::MAX_INTENTS)]
    TooManyIntents(usize),
    /// A name is longer than a model file can hold.
    #[error("the name of an intent has {0} bytes; {max} are allowed", max = LinearModel::MAX_NAME)]
    NameTooLong(usize),
    /// No n-gram occurs in enough examples to learn anything from it.
    #[error("the examples hold no words to learn from")]
    NoWords,
    /// An option is out of its range.
    #[error("{option} is {value}; it has to be from {least} to {most}")]
    Option {
        /// The name of the option.
        option: &'static str,
        /// Its value.
        value: f64,
        /// The least value allowed.
        least: f64,
        /// The largest value allowed.
        most: f64,
    },
    /// The sentence encoder failed.
    #[error("{0}")]
    Encode(#[from] EncodeError),
    /// The sentence encoder returned a vector of another length than it states.
    #[error("the sentence model gave a vector of {found} numbers instead of {expected}")]
    Dimensions {
        /// The length that it states.
        expected: usize,
        /// The length of the vector.
        found: usize,
    },
}
