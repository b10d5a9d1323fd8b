//! A model for the tests of this crate, made without training.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::features::{each_gram, preprocess};
use crate::gate::Gate;
use crate::{EncodeError, EncoderSpec, Head, HeldOut, LinearModel, ModelParts, SentenceEncoder};

/// Messages of two intents and one out of scope, each with its column.
const MESSAGES: [(&str, usize); 5] = [
    ("where is my card", 0),
    ("I lost my card", 0),
    ("when are you open", 1),
    ("are you open now", 1),
    ("will it rain", 2),
];

/// The parts of a model in which an n-gram counts for the column whose
/// messages have it, and against the others.
pub(crate) fn parts(sentence: Option<(EncoderSpec, Head)>) -> ModelParts {
    let grams = |text: &str| {
        let mut hashes = BTreeSet::new();
        each_gram(&preprocess(text), |_, hash| {
            hashes.insert(hash);
        });
        hashes
    };
    let vocabulary: BTreeSet<u64> = MESSAGES.iter().flat_map(|(text, _)| grams(text)).collect();
    let weights = (0..3).map(|column| {
        let own = MESSAGES.iter().filter(|(_, label)| *label == column);
        let own: BTreeSet<u64> = own.flat_map(|(text, _)| grams(text)).collect();
        let weight = |hash| if own.contains(hash) { 1.0 } else { -0.5 };
        vocabulary.iter().map(weight).collect()
    });
    ModelParts {
        sentence,
        intents: vec!["card".to_owned(), "hours".to_owned()],
        has_out_of_scope: true,
        weights: weights.collect(),
        vocabulary: vocabulary.into_iter().collect(),
        biases: vec![-0.25, -0.5, -0.75],
    }
}

/// A model of these parts whose confidence is high for its own messages.
pub(crate) fn model(sentence: Option<(EncoderSpec, Head)>) -> LinearModel {
    let gate = Gate {
        intercept: -3.0,
        slopes: [2.0, 1.0, -0.25, -4.0, -2.0, -0.5, 0.125],
        threshold: 0.5,
    };
    let gate = match sentence {
        Some(_) => gate,
        // A model without a sentence encoder has no slope for its vectors.
        None => Gate {
            slopes: [2.0, 1.0, -0.25, -4.0, -2.0, -0.5, 0.0],
            ..gate
        },
    };
    let held_out = HeldOut {
        in_scope: 4,
        out_of_scope: 1,
        accuracy: 1.0,
        answered_right: 0.75,
        out_of_scope_recall: 0.5,
        wrong_routes: 0.125,
        calibration_error: 0.0625,
    };
    LinearModel::new(parts(sentence)).with_calibration(gate, held_out)
}

/// A sentence encoder that counts two letters.
pub(crate) struct Letters;

impl SentenceEncoder for Letters {
    fn id(&self) -> &str {
        "letters"
    }

    fn dimensions(&self) -> usize {
        2
    }

    fn encode(&self, text: &str) -> Result<Vec<f32>, EncodeError> {
        if text.contains('#') {
            return Err(EncodeError::new("it knows no #"));
        }
        let count = |letter| text.matches(letter).count() as f32;
        Ok(vec![count('o'), count('a')])
    }
}

pub(crate) fn letters() -> Option<Arc<dyn SentenceEncoder>> {
    Some(Arc::new(Letters))
}

/// A network that reads the vectors of [`Letters`]: an `o` counts for the
/// first column, an `a` for the second.
pub(crate) fn head() -> (EncoderSpec, Head) {
    let spec = EncoderSpec {
        id: "letters".to_owned(),
        dimensions: 2,
    };
    let first = [1.0, 0.0, 0.0, 1.0];
    let second = vec![1.0, 0.0, 0.0, 0.0, 1.0, 0.0];
    let head = Head::new(&first, vec![0.0, 0.0], second, vec![0.0, 0.0, 0.25]);
    (spec, head)
}
