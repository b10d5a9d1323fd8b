//! A detector's prediction for each labelled message.

use std::time::Instant;

use intent_router::{Detection, Detector};
use intent_train::Example;

use crate::format::as_micros;

/// The label of a message and the detector's prediction.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// The label; `None` for a message out of scope.
    pub(crate) label: Option<String>,
    /// The predicted intent; `None` if the detector abstained.
    pub(crate) found: Option<String>,
    /// The confidence of the detector, from 0 to 1.
    pub(crate) confidence: f64,
    /// The best intent and its confidence, even if the detector abstained; equal
    /// to `found` if the detector does not tell it.
    pub(crate) best: Option<(String, f64)>,
    /// The latency in microseconds.
    pub(crate) micros: f64,
}

impl Prediction {
    /// Whether the prediction equals the label; an abstention is right for a
    /// message out of scope.
    pub(crate) fn is_right(&self) -> bool {
        self.label == self.found
    }
}

/// Runs the detector on each example in turn and calls `done` after each.
///
/// `best` names the best intent even if `detector` abstains; only `detector` is
/// timed.
pub fn predict(
    detector: &dyn Detector,
    best: Option<&dyn Detector>,
    examples: &[Example],
    mut done: impl FnMut(),
) -> Vec<Prediction> {
    let prediction = |example: &Example| {
        let begun = Instant::now();
        let Detection { intent, confidence } = detector.detect(&example.text);
        let micros = as_micros(begun.elapsed());
        done();
        let found = (intent != Detection::UNKNOWN).then_some(intent);
        let best = match best.map(|best| best.detect(&example.text)) {
            Some(best) => {
                (best.intent != Detection::UNKNOWN).then_some((best.intent, best.confidence))
            }
            None => found.clone().map(|found| (found, confidence)),
        };
        Prediction {
            label: (!example.is_out_of_scope()).then(|| example.intent.clone()),
            found,
            confidence,
            best,
            micros,
        }
    };
    examples.iter().map(prediction).collect()
}
