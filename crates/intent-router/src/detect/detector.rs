//! The trait of all detectors.

use std::sync::Arc;

use intent_model::{Detection, Evidence};

/// Finds the intent of a message.
pub trait Detector: Send + Sync {
    /// The most likely intent; [`Detection::unknown`] for an empty message.
    fn detect(&self, message: &str) -> Detection;

    /// Whether detection is costly enough that its results are cached (under
    /// the class `intent_routing`).
    fn is_costly(&self) -> bool {
        false
    }

    /// What decided about a message, for a person to read. Costs more than
    /// [`detect`](Self::detect). By default empty: the detector cannot explain
    /// itself.
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
