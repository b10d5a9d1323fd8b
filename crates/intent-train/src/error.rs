//! Errors of a training.

use intent_model::{EncodeError, LinearModel};
use thiserror::Error;

/// Why no model could be trained.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The examples have fewer than two intents.
    #[error(
        "too few intents in the examples ({0}); a model needs at least two, not counting `oos` and `unknown`"
    )]
    TooFewIntents(usize),
    /// There are more intents than a model can have.
    #[error("too many intents in the examples ({0}); a model can have at most {max}", max = LinearModel::MAX_INTENTS)]
    TooManyIntents(usize),
    /// A name is longer than a model file can hold.
    #[error("the name of an intent or a sentence model has {0} bytes; at most {max} are allowed", max = LinearModel::MAX_NAME)]
    NameTooLong(usize),
    /// No n-gram occurs in enough examples to learn anything from it.
    #[error("the examples contain no words to learn from")]
    NoWords,
    /// An option is out of its range.
    #[error("{option} is {value}; it must be from {least} to {most}")]
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
    #[error("the sentence model returned a vector of {found} numbers instead of {expected}")]
    Dimensions {
        /// The length that it states.
        expected: usize,
        /// The length of the vector.
        found: usize,
    },
}
