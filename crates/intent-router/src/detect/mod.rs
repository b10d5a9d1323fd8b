//! Which intent a message has.

mod combine;
mod encoder;
mod example;
mod keyword;
mod linear;
mod spelling;

use std::sync::Arc;

pub use combine::CombinedDetector;
pub use encoder::{EncodeError, SentenceEncoder};
pub use example::{Example, ExampleError};
pub use keyword::KeywordDetector;
pub use linear::{
    HeldOut, LinearDetector, LinearModel, ModelError, Phase, Progress, TrainError, TrainOptions,
    train,
};

/// What a detector made of a message.
#[derive(Clone, Debug, PartialEq)]
pub struct Detection {
    /// The intent's name, or [`Detection::UNKNOWN`].
    pub intent: String,
    /// From 0 (no idea) to 1 (certain).
    pub confidence: f64,
}

impl Detection {
    /// The name of "none of the intents".
    pub const UNKNOWN: &'static str = "unknown";

    /// A message that no intent was found for.
    pub fn unknown() -> Self {
        Self {
            intent: Self::UNKNOWN.to_owned(),
            confidence: 0.0,
        }
    }
}

/// Something in a message that spoke for or against an intent.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    /// The intent that it speaks for, or against where the weight is negative;
    /// [`Detection::UNKNOWN`] for what speaks for none.
    pub intent: String,
    /// What it is, for a person to read: `phrase "claim status"`,
    /// `chars "_clai"`.
    pub feature: String,
    /// How strongly it speaks, in the detector's own unit.
    pub weight: f64,
}

/// Finds the intent of a message.
pub trait Detector: Send + Sync {
    /// The most likely intent; [`Detection::unknown`] for an empty message.
    fn detect(&self, message: &str) -> Detection;

    /// Whether detection costs so much that its results are worth caching
    /// (under the class `intent_routing`).
    fn is_costly(&self) -> bool {
        false
    }

    /// What decided about a message, for a person to read. Costs more than
    /// [`detect`](Self::detect). A detector that cannot explain itself gives
    /// nothing, as this default does.
    fn explain(&self, message: &str) -> Vec<Evidence> {
        let _ = message;
        Vec::new()
    }
}

impl<D: Detector + ?Sized> Detector for &D {
    fn detect(&self, message: &str) -> Detection {
        (**self).detect(message)
    }

    fn is_costly(&self) -> bool {
        (**self).is_costly()
    }

    fn explain(&self, message: &str) -> Vec<Evidence> {
        (**self).explain(message)
    }
}

impl<D: Detector + ?Sized> Detector for Box<D> {
    fn detect(&self, message: &str) -> Detection {
        (**self).detect(message)
    }

    fn is_costly(&self) -> bool {
        (**self).is_costly()
    }

    fn explain(&self, message: &str) -> Vec<Evidence> {
        (**self).explain(message)
    }
}

impl<D: Detector + ?Sized> Detector for Arc<D> {
    fn detect(&self, message: &str) -> Detection {
        (**self).detect(message)
    }

    fn is_costly(&self) -> bool {
        (**self).is_costly()
    }

    fn explain(&self, message: &str) -> Vec<Evidence> {
        (**self).explain(message)
    }
}

/// How much of a message is looked at by what costs more than a pass over it,
/// in bytes. It bounds what the longest message can cost.
const LOOKED_AT: usize = 4_096;

/// The part of a message that is looked at: whole characters of its start.
fn start_of(message: &str) -> &str {
    let mut end = message.len().min(LOOKED_AT);
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    &message[..end]
}
