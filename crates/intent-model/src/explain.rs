//! The evidence for a prediction.

use std::collections::BTreeMap;

use crate::detection::{Detection, Evidence};
use crate::features::{each_gram, preprocess};
use crate::gate::NAMES;
use crate::model::{LinearModel, Prediction};

/// How many n-grams are shown for an intent.
const SHOWN: usize = 8;

pub(crate) fn evidence(
    model: &LinearModel,
    message: &str,
    predicted: &Prediction,
    is_accepted: bool,
) -> Vec<Evidence> {
    let mut readable = BTreeMap::new();
    each_gram(&preprocess(message), |gram, hash| {
        if let Some(row) = model.vocabulary.row(hash) {
            readable.entry(row).or_insert_with(|| gram.readable());
        }
    });
    let mut found = Vec::new();
    for intent in [Some(predicted.best), predicted.runner_up]
        .into_iter()
        .flatten()
    {
        let name = &model.intents[intent];
        let says = |feature: String, weight: f32| Evidence {
            intent: name.clone(),
            feature,
            weight: f64::from(weight),
        };
        let mut grams = Vec::new();
        for (row, value) in &predicted.input.values {
            let weight = value * model.weight(*row, intent);
            if let Some(gram) = readable.get(row) {
                grams.push(says(gram.clone(), weight));
            }
        }
        grams.sort_by(|a, b| b.weight.abs().total_cmp(&a.weight.abs()));
        let rest: f64 = grams.iter().skip(SHOWN).map(|gram| gram.weight).sum();
        let hidden = grams.len().saturating_sub(SHOWN);
        grams.truncate(SHOWN);
        found.append(&mut grams);
        if hidden > 0 {
            found.push(says(format!("{hidden} other n-grams"), rest as f32));
        }
        if let Some(sentence) = predicted.input.sentence.get(intent) {
            found.push(says("sentence vector".to_owned(), *sentence));
        }
        found.push(says("bias".to_owned(), model.biases[intent]));
        found.push(says("score".to_owned(), predicted.scores[intent]));
    }
    let best = &model.intents[predicted.best];
    let says = |feature: String, weight: f64| Evidence {
        intent: best.clone(),
        feature,
        weight,
    };
    for (i, (name, signal)) in NAMES.iter().zip(predicted.signals).enumerate() {
        let weight = model.gate.slopes[i] * signal;
        if weight != 0.0 {
            found.push(says(format!("{name} is {signal:.2}"), weight));
        }
    }
    found.push(says(
        "bias of the confidence".to_owned(),
        model.gate.intercept,
    ));
    let (intent, verdict) = match is_accepted {
        true => (best.as_str(), "reaches"),
        false => (Detection::UNKNOWN, "is below"),
    };
    found.push(Evidence {
        intent: intent.to_owned(),
        feature: format!(
            "confidence {:.3} {verdict} the threshold {:.3}",
            predicted.confidence, model.gate.threshold
        ),
        weight: predicted.confidence,
    });
    found
}
