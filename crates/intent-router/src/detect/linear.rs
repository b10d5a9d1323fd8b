//! Detection by a trained model.

use std::fmt;
use std::sync::{Arc, LazyLock};

use intent_model::{Classifier, Detection, Evidence, LinearModel, ModelError, SentenceEncoder};

use super::detector::Detector;

/// Finds the intent of a message by a trained [`LinearModel`]: the
/// [`Classifier`] of `intent-model` as a [`Detector`].
///
/// ```
/// use intent_router::{Detector, LinearDetector};
///
/// let detector = LinearDetector::built_in();
/// assert_eq!(detector.detect("how far are you with my claim?").intent, "claim_status");
/// ```
pub struct LinearDetector {
    classifier: Classifier,
}

impl LinearDetector {
    /// A detector of the model's intents, with the sentence encoder that the
    /// model was trained with. A model trained without one ignores `encoder`.
    ///
    /// # Errors
    /// [`ModelError::EncoderMissing`] or [`ModelError::EncoderDiffers`] when
    /// `encoder` is not the one that the model was trained with.
    pub fn new(
        model: LinearModel,
        encoder: Option<Arc<dyn SentenceEncoder>>,
    ) -> Result<Self, ModelError> {
        let classifier = Classifier::new(model, encoder)?;
        Ok(Self { classifier })
    }

    /// A detector by the model of the
    /// [built-in catalogue](crate::Catalogue::built_in), which was trained on
    /// [its examples](crate::Catalogue::training_examples) and is part of the
    /// program. Costs a copy of the model.
    pub fn built_in() -> Self {
        // The bytes are part of the program, and a test compares them with what
        // training writes: a build in which this could fail does not pass.
        static MODEL: LazyLock<LinearModel> = LazyLock::new(|| {
            LinearModel::from_bytes(include_bytes!("../built_in.model"))
                .expect("the built-in model is valid")
        });
        // It is trained without a sentence encoder, as the same test ensures.
        Self::new(MODEL.clone(), None).expect("the built-in model needs no encoder")
    }

    /// The model.
    pub fn model(&self) -> &LinearModel {
        self.classifier.model()
    }

    /// The most likely intent and its confidence, however low; unknown only
    /// for a message without a word, or one that the sentence encoder fails on.
    pub fn best(&self, message: &str) -> Detection {
        self.classifier.best(message)
    }

    /// The classifier, for what a [`Detector`] does not offer.
    pub(super) fn classifier(&self) -> &Classifier {
        &self.classifier
    }
}

impl fmt::Debug for LinearDetector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LinearDetector")
            .field(&self.classifier)
            .finish()
    }
}

impl Detector for LinearDetector {
    fn detect(&self, message: &str) -> Detection {
        self.classifier.detect(message)
    }

    fn is_costly(&self) -> bool {
        true
    }

    fn explain(&self, message: &str) -> Vec<Evidence> {
        self.classifier.explain(message)
    }
}
