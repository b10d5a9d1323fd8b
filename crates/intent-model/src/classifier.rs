//! The classifier: a model together with its sentence encoder.

use std::fmt;
use std::sync::Arc;

use crate::detection::{Detection, Evidence};
use crate::encoder::SentenceEncoder;
use crate::explain;
use crate::file::ModelError;
use crate::model::{EncoderSpec, LinearModel, Prediction};

/// Finds the intent of a message by a trained [`LinearModel`].
///
/// The confidence is the probability that the best intent is the right one,
/// calibrated on examples that the model was not trained on. Below the model's
/// [threshold](LinearModel::threshold) the classifier abstains: the message is
/// unknown, with confidence 0.
///
/// Only the first 4,096 bytes of a message are read. The cost is about ten
/// microseconds for a sentence and 150 intents, and that of the sentence
/// encoder where there is one.
pub struct Classifier {
    model: LinearModel,
    encoder: Option<Arc<dyn SentenceEncoder>>,
}

impl Classifier {
    /// A classifier of the model's intents, with the sentence encoder that the
    /// model was trained with. A model trained without one ignores `encoder`.
    ///
    /// # Errors
    /// [`ModelError::EncoderMissing`] or [`ModelError::EncoderDiffers`] when
    /// `encoder` is not the one that the model was trained with.
    pub fn new(
        model: LinearModel,
        encoder: Option<Arc<dyn SentenceEncoder>>,
    ) -> Result<Self, ModelError> {
        let encoder = match (&model.encoder, encoder) {
            (None, _) => None,
            (Some(spec), None) => return Err(ModelError::EncoderMissing(spec.id.clone())),
            (Some(EncoderSpec { id, dimensions }), Some(encoder)) => {
                if encoder.id() != id || encoder.dimensions() != *dimensions {
                    return Err(ModelError::EncoderDiffers {
                        expected: format!("\"{id}\" with {dimensions} dimensions"),
                        found: format!(
                            "\"{}\" with {} dimensions",
                            encoder.id(),
                            encoder.dimensions()
                        ),
                    });
                }
                Some(encoder)
            }
        };
        Ok(Self { model, encoder })
    }

    /// The model.
    pub fn model(&self) -> &LinearModel {
        &self.model
    }

    /// The most likely intent; [`Detection::unknown`] if the classifier abstains.
    pub fn detect(&self, message: &str) -> Detection {
        self.detect_among(message, |_| true)
            .unwrap_or_else(Detection::unknown)
    }

    /// The most likely of the intents whose names `may` accepts; `None` if the
    /// classifier abstains.
    pub fn detect_among(&self, message: &str, may: impl Fn(&str) -> bool) -> Option<Detection> {
        let predicted = self.predict(message, may);
        let predicted = predicted.filter(|predicted| self.is_accepted(predicted));
        predicted.map(|predicted| self.detection(&predicted))
    }

    /// The most likely intent and its confidence, however low; unknown only
    /// for a message without a word, or one that the sentence encoder fails on.
    pub fn best(&self, message: &str) -> Detection {
        self.predict(message, |_| true)
            .map_or_else(Detection::unknown, |predicted| self.detection(&predicted))
    }

    /// The share of a message's words that are in no training example of an
    /// intent and that `knows` does not accept either.
    pub fn unseen_share(&self, message: &str, knows: impl Fn(&str) -> bool) -> f64 {
        self.model.unseen_share(message, knows)
    }

    /// Explains the prediction for a message: for the best intent and the
    /// runner-up, the n-grams with the largest contributions to the score, the
    /// contribution of the sentence vector, and the bias; then the signals of the
    /// confidence, and whether it reaches the threshold.
    pub fn explain(&self, message: &str) -> Vec<Evidence> {
        self.explain_among(message, |_| true)
    }

    /// Like [`explain`](Self::explain), among the intents whose names `may`
    /// accepts.
    pub fn explain_among(&self, message: &str, may: impl Fn(&str) -> bool) -> Vec<Evidence> {
        self.predict(message, may)
            .map_or_else(Vec::new, |predicted| {
                let is_accepted = self.is_accepted(&predicted);
                explain::evidence(&self.model, message, &predicted, is_accepted)
            })
    }

    fn predict(&self, message: &str, may: impl Fn(&str) -> bool) -> Option<Prediction> {
        let vector = match &self.encoder {
            Some(encoder) => {
                let vector = encoder.encode(message).ok();
                let dimensions = encoder.dimensions();
                Some(vector.filter(|vector| vector.len() == dimensions)?)
            }
            None => None,
        };
        let may = |intent: usize| may(&self.model.intents[intent]);
        let predicted = self.model.predict(message, vector.as_deref(), may)?;
        (predicted.input.words > 0).then_some(predicted)
    }

    fn is_accepted(&self, predicted: &Prediction) -> bool {
        predicted.confidence >= self.model.gate.threshold
    }

    fn detection(&self, predicted: &Prediction) -> Detection {
        Detection {
            intent: self.model.intents[predicted.best].clone(),
            confidence: predicted.confidence,
        }
    }
}

impl fmt::Debug for Classifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Classifier")
            .field("intents", &self.model.intents.len())
            .field("encoder", &self.model.encoder_id())
            .finish_non_exhaustive()
    }
}
