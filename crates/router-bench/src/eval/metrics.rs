//! The metrics of an evaluation.

use std::collections::BTreeMap;

use serde::Serialize;

use super::predictions::Prediction;
use super::trade_off::{self, TradeOff};
use crate::distribution::Distribution;

/// The version of the JSON document; raised if a member changes its meaning or
/// is removed.
const SCHEMA: u32 = 1;

/// All metrics of an evaluation. Its JSON form is the output of
/// `router eval --json`. Shares are from 0 to 1, and `null` if the whole is 0.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Metrics {
    schema: u32,
    /// The number of messages.
    pub(crate) messages: usize,
    /// The number of messages labelled with an intent.
    pub(crate) in_scope: usize,
    /// The number of messages labelled `oos` or `unknown`.
    pub(crate) out_of_scope: usize,
    /// The share of messages in scope whose intent was found; an abstention
    /// is an error. Without messages in scope, the same as `accuracy_overall`.
    pub(crate) accuracy: Option<f64>,
    /// The share of all messages predicted right; an abstention is right for a
    /// message out of scope.
    pub(crate) accuracy_overall: Option<f64>,
    /// The share of messages in scope for which an intent was named.
    pub(crate) coverage: Option<f64>,
    /// The share of those whose intent was right.
    pub(crate) accuracy_when_answered: Option<f64>,
    /// The share of messages out of scope on which the detector abstained.
    pub(crate) oos_recall: Option<f64>,
    /// The share of the abstentions that were out of scope.
    pub(crate) oos_precision: Option<f64>,
    /// The share of wrong intents among the messages for which an intent was
    /// named, in scope or not.
    pub(crate) wrong_routes: Option<f64>,
    /// The expected calibration error of the confidences.
    pub(crate) calibration_error: Option<f64>,
    /// The effect of thresholds that lose 1, 3, 5 and 10 per cent of the right
    /// answers.
    pub(crate) trade_off: Vec<TradeOff>,
    /// The latency of a detection in microseconds.
    pub(crate) latency_us: Option<Distribution>,
    /// Every intent that is a label or a prediction, by name.
    pub(crate) intents: BTreeMap<String, IntentMetrics>,
    /// Pairs of label and wrong prediction, the most frequent first.
    pub(crate) confusions: Vec<Confusion>,
}

/// The metrics of one intent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct IntentMetrics {
    /// The number of messages with this label.
    pub(crate) messages: usize,
    /// The number of messages predicted as it.
    pub(crate) found: usize,
    /// The number of those that have this label.
    pub(crate) right: usize,
    /// `right` by `found`.
    pub(crate) precision: Option<f64>,
    /// `right` by `messages`.
    pub(crate) recall: Option<f64>,
}

/// Messages of one label with the same wrong prediction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Confusion {
    /// The label, or `unknown`.
    pub(crate) intent: String,
    /// The prediction, or `unknown`.
    pub(crate) taken_for: String,
    /// The number of messages.
    pub(crate) messages: usize,
}

impl Metrics {
    /// Computes the metrics. Costs a sort of the predictions.
    pub fn new(predictions: &[Prediction]) -> Self {
        let count = |wanted: &dyn Fn(&Prediction) -> bool| {
            predictions
                .iter()
                .filter(|prediction| wanted(prediction))
                .count()
        };
        let in_scope = count(&|v| v.label.is_some());
        let out_of_scope = predictions.len() - in_scope;
        let right = count(&Prediction::is_right);
        let right_in_scope = count(&|v| v.label.is_some() && v.is_right());
        let answered_in_scope = count(&|v| v.label.is_some() && v.found.is_some());
        let answered = count(&|v| v.found.is_some());
        let rejected = right - right_in_scope;
        let accuracy_overall = share(right, predictions.len());
        Self {
            schema: SCHEMA,
            messages: predictions.len(),
            in_scope,
            out_of_scope,
            accuracy: share(right_in_scope, in_scope).or(accuracy_overall),
            accuracy_overall,
            coverage: share(answered_in_scope, in_scope),
            accuracy_when_answered: share(right_in_scope, answered_in_scope),
            oos_recall: share(rejected, out_of_scope),
            oos_precision: share(rejected, predictions.len() - answered),
            wrong_routes: share(answered - right_in_scope, answered),
            calibration_error: calibration_error(predictions),
            trade_off: trade_off::table(predictions),
            latency_us: Distribution::of(predictions.iter().map(|prediction| prediction.micros)),
            intents: by_intent(predictions),
            confusions: confusions(predictions),
        }
    }
}

fn share(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

fn by_intent(predictions: &[Prediction]) -> BTreeMap<String, IntentMetrics> {
    let mut intents = BTreeMap::<String, IntentMetrics>::new();
    for prediction in predictions {
        if let Some(label) = &prediction.label {
            let metrics = intents.entry(label.clone()).or_default();
            metrics.messages += 1;
            metrics.right += usize::from(prediction.is_right());
        }
        if let Some(found) = &prediction.found {
            intents.entry(found.clone()).or_default().found += 1;
        }
    }
    for metrics in intents.values_mut() {
        metrics.precision = share(metrics.right, metrics.found);
        metrics.recall = share(metrics.right, metrics.messages);
    }
    intents
}

/// Confusions sorted by number, then by name.
fn confusions(predictions: &[Prediction]) -> Vec<Confusion> {
    let name = |intent: &Option<String>| {
        let unknown = intent_router::Detection::UNKNOWN;
        intent.clone().unwrap_or_else(|| unknown.to_owned())
    };
    let mut counts = BTreeMap::<(String, String), usize>::new();
    for prediction in predictions
        .iter()
        .filter(|prediction| !prediction.is_right())
    {
        let pair = (name(&prediction.label), name(&prediction.found));
        *counts.entry(pair).or_default() += 1;
    }
    let mut confusions: Vec<_> = counts
        .into_iter()
        .map(|((intent, taken_for), messages)| Confusion {
            intent,
            taken_for,
            messages,
        })
        .collect();
    confusions.sort_by_key(|confusion| std::cmp::Reverse(confusion.messages));
    confusions
}

/// The expected calibration error (Naeini, Cooper and Hauskrecht 2015) of the
/// messages for which an intent was named: over fifteen equally wide bins of
/// confidence, the mean distance between confidence and accuracy, weighted by
/// the number of messages in the bin.
fn calibration_error(predictions: &[Prediction]) -> Option<f64> {
    const BINS: usize = 15;
    let mut bins = [(0_usize, 0.0, 0_usize); BINS];
    for prediction in predictions
        .iter()
        .filter(|prediction| prediction.found.is_some())
    {
        let at = (prediction.confidence * BINS as f64) as usize;
        let (messages, confidence, right) = &mut bins[at.min(BINS - 1)];
        *messages += 1;
        *confidence += prediction.confidence;
        *right += usize::from(prediction.is_right());
    }
    let answered: usize = bins.iter().map(|(messages, ..)| messages).sum();
    let distances = bins
        .iter()
        .map(|(_, confidence, right)| (confidence - *right as f64).abs());
    (answered > 0).then(|| distances.sum::<f64>() / answered as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prediction(label: &str, found: &str, confidence: f64) -> Prediction {
        let known = |name: &str| (!name.is_empty()).then(|| name.to_owned());
        Prediction {
            label: known(label),
            found: known(found),
            confidence,
            best: known(found).map(|found| (found, confidence)),
            micros: 1.0,
        }
    }

    /// Five in scope: three right, one wrong, one abstained. Three out of
    /// scope: two rejected.
    fn predictions() -> Vec<Prediction> {
        vec![
            prediction("a", "a", 0.9),
            prediction("a", "a", 0.9),
            prediction("a", "b", 0.6),
            prediction("b", "b", 0.8),
            prediction("b", "", 0.0),
            prediction("", "", 0.0),
            prediction("", "", 0.0),
            prediction("", "a", 0.5),
        ]
    }

    #[test]
    fn shares_are_of_what_they_say() {
        let metrics = Metrics::new(&predictions());
        assert_eq!(
            (metrics.messages, metrics.in_scope, metrics.out_of_scope),
            (8, 5, 3)
        );
        let cases = [
            ("accuracy", metrics.accuracy, 3.0 / 5.0),
            ("overall", metrics.accuracy_overall, 5.0 / 8.0),
            ("coverage", metrics.coverage, 4.0 / 5.0),
            ("answered", metrics.accuracy_when_answered, 3.0 / 4.0),
            ("recall", metrics.oos_recall, 2.0 / 3.0),
            ("precision", metrics.oos_precision, 2.0 / 3.0),
            ("wrong routes", metrics.wrong_routes, 2.0 / 5.0),
        ];
        for (what, found, expected) in cases {
            let found = found.unwrap_or(f64::NAN);
            assert!(
                (found - expected).abs() < 1e-12,
                "{what}: {found} {expected}"
            );
        }
    }

    #[test]
    fn each_intent_has_its_own_metrics() {
        let metrics = Metrics::new(&predictions());
        let a = metrics.intents["a"];
        assert_eq!((a.messages, a.found, a.right), (3, 3, 2));
        assert_eq!(a.precision, Some(2.0 / 3.0));
        assert_eq!(a.recall, Some(2.0 / 3.0));
        let b = metrics.intents["b"];
        assert_eq!(
            (b.precision, b.recall, b.messages),
            (Some(0.5), Some(0.5), 2)
        );
        let pairs: Vec<_> = metrics
            .confusions
            .iter()
            .map(|c| (c.intent.as_str(), c.taken_for.as_str(), c.messages))
            .collect();
        let expected = [("a", "b", 1), ("b", "unknown", 1), ("unknown", "a", 1)];
        assert_eq!(pairs, expected);
    }

    #[test]
    fn the_most_frequent_confusion_comes_first() {
        let twice = prediction("b", "a", 0.5);
        let metrics = Metrics::new(&[prediction("a", "b", 0.5), twice.clone(), twice]);
        assert_eq!(metrics.confusions[0].intent, "b");
        assert_eq!(metrics.confusions[0].messages, 2);
    }

    #[test]
    fn the_calibration_error_is_the_mean_distance_of_the_bins() {
        // Bins: 0.9 (two right), 0.6 (wrong), 0.8 (right), 0.5 (wrong).
        let found = Metrics::new(&predictions())
            .calibration_error
            .unwrap_or(0.0);
        let expected = (2.0 * 0.1 + 0.6 + 0.2 + 0.5) / 5.0;
        assert!((found - expected).abs() < 1e-12, "{found} {expected}");
        let sure = Metrics::new(&[prediction("a", "a", 1.0)]);
        assert_eq!(sure.calibration_error, Some(0.0));
    }

    #[test]
    fn a_share_of_nothing_is_none() {
        let nothing = Metrics::new(&[]);
        assert_eq!(nothing.accuracy, None);
        assert_eq!(nothing.latency_us, None);
        let outside = Metrics::new(&[prediction("", "", 0.0), prediction("", "a", 0.4)]);
        assert_eq!(outside.accuracy, Some(0.5));
        assert_eq!(outside.coverage, None);
        assert_eq!(outside.oos_recall, Some(0.5));
    }
}
