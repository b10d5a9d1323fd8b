//! Detection by a linear model of n-grams.

mod built_in;
mod explain;
mod features;
mod file;
mod gate;
mod head;
mod maths;
mod model;
mod report;
mod solver;
mod train;

use std::fmt;
use std::sync::Arc;

use super::{Detection, Detector, Evidence, SentenceEncoder};
pub use file::ModelError;
use gate::{NAMES, Signals, signals};
pub use model::LinearModel;
use model::{EncoderSpec, Input, top_two};
pub use report::HeldOut;
pub use train::{Phase, Progress, TrainError, TrainOptions, train};

/// Finds the intent of a message by a trained [`LinearModel`].
///
/// The confidence is the probability that the best intent is the right one,
/// calibrated on examples that the model had not been trained on. Below the
/// model's [threshold](LinearModel::threshold) the message is unknown, with
/// confidence 0.
///
/// Only the first 4,096 bytes of a message are looked at. The cost is about
/// ten microseconds for a sentence and 150 intents, and what the sentence
/// model takes where there is one.
pub struct LinearDetector {
    model: LinearModel,
    encoder: Option<Arc<dyn SentenceEncoder>>,
}

/// What a model makes of a message.
struct Judgement {
    input: Input,
    /// One an intent.
    scores: Vec<f32>,
    best: usize,
    runner_up: Option<usize>,
    signals: Signals,
    confidence: f64,
}

impl LinearDetector {
    /// A detector of the model's intents, with the sentence model that it was
    /// trained with, if it was trained with one. A model that needs none
    /// leaves one unused.
    ///
    /// # Errors
    /// [`ModelError::EncoderMissing`] or [`ModelError::EncoderDiffers`] when
    /// `encoder` is not what the model was trained with.
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
                        expected: format!("\"{id}\" of {dimensions} dimensions"),
                        found: format!(
                            "\"{}\" of {} dimensions",
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

    /// The best intent and its confidence, however low that is; unknown only
    /// for a message of which nothing can be said: one without a word, or one
    /// that the sentence model fails on.
    pub fn best(&self, message: &str) -> Detection {
        self.judge(message, |_| true)
            .map_or_else(Detection::unknown, |judged| self.detection(&judged))
    }

    /// What [`detect`](Detector::detect) finds among some of the intents.
    pub(super) fn detect_among(
        &self,
        message: &str,
        may: impl Fn(&str) -> bool,
    ) -> Option<Detection> {
        let judged = self.judge(message, may);
        let judged = judged.filter(|judged| self.is_enough(judged));
        judged.map(|judged| self.detection(&judged))
    }

    /// The share of a message's words that stand in no example of an intent and
    /// that `knows` does not know either.
    pub(super) fn foreign_share(&self, message: &str, knows: impl Fn(&str) -> bool) -> f64 {
        self.model.foreign_share(message, knows)
    }

    /// What [`explain`](Detector::explain) says of some of the intents.
    pub(super) fn explain_among(&self, message: &str, may: impl Fn(&str) -> bool) -> Vec<Evidence> {
        self.judge(message, may)
            .map_or_else(Vec::new, |judged| explain::evidence(self, message, &judged))
    }

    /// The best of the intents that `may` lets through.
    fn judge(&self, message: &str, may: impl Fn(&str) -> bool) -> Option<Judgement> {
        let vector = match &self.encoder {
            Some(encoder) => {
                let vector = encoder.encode(message).ok();
                let dimensions = encoder.dimensions();
                Some(vector.filter(|vector| vector.len() == dimensions)?)
            }
            None => None,
        };
        let input = self.model.input(message, vector.as_deref());
        if input.words == 0 {
            return None;
        }
        let mut scores = self.model.scores(&input);
        let out_of_scope = (scores.len() > self.model.intents.len())
            .then(|| scores.pop())
            .flatten();
        let may = |intent: usize| may(&self.model.intents[intent]);
        let (best, runner_up) = top_two(&scores, may)?;
        let signals = signals(&input, &scores, best, may, out_of_scope);
        Some(Judgement {
            confidence: self.model.gate.probability(&signals),
            input,
            scores,
            best,
            runner_up,
            signals,
        })
    }

    fn is_enough(&self, judged: &Judgement) -> bool {
        judged.confidence >= self.model.gate.threshold
    }

    fn detection(&self, judged: &Judgement) -> Detection {
        Detection {
            intent: self.model.intents[judged.best].clone(),
            confidence: judged.confidence,
        }
    }
}

impl fmt::Debug for LinearDetector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinearDetector")
            .field("intents", &self.model.intents.len())
            .field("encoder", &self.model.encoder_id())
            .finish_non_exhaustive()
    }
}

impl Detector for LinearDetector {
    fn detect(&self, message: &str) -> Detection {
        self.detect_among(message, |_| true)
            .unwrap_or_else(Detection::unknown)
    }

    fn is_costly(&self) -> bool {
        true
    }

    /// For the best intent and the runner-up: the n-grams that moved their
    /// scores most, the sentence vector's part, and the bias; then what the
    /// confidence was made of, and whether it is enough.
    fn explain(&self, message: &str) -> Vec<Evidence> {
        self.explain_among(message, |_| true)
    }
}

#[cfg(test)]
mod tests;
