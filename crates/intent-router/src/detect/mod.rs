//! Which intent a message has.

mod keyword;
mod spelling;

use std::sync::Arc;

pub use keyword::{Evidence, KeywordDetector};

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

/// Finds the intent of a message.
pub trait Detector: Send + Sync {
    /// The most likely intent; [`Detection::unknown`] for an empty message.
    fn detect(&self, message: &str) -> Detection;

    /// Whether detection costs so much that its results are worth caching
    /// (under the class `intent_routing`).
    fn is_costly(&self) -> bool {
        false
    }
}

impl<D: Detector + ?Sized> Detector for &D {
    fn detect(&self, message: &str) -> Detection {
        (**self).detect(message)
    }

    fn is_costly(&self) -> bool {
        (**self).is_costly()
    }
}

impl<D: Detector + ?Sized> Detector for Box<D> {
    fn detect(&self, message: &str) -> Detection {
        (**self).detect(message)
    }

    fn is_costly(&self) -> bool {
        (**self).is_costly()
    }
}

impl<D: Detector + ?Sized> Detector for Arc<D> {
    fn detect(&self, message: &str) -> Detection {
        (**self).detect(message)
    }

    fn is_costly(&self) -> bool {
        (**self).is_costly()
    }
}
