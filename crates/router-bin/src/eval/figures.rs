//! The figures of an evaluation.

use std::collections::BTreeMap;

use serde::Serialize;

use super::judge::Verdict;
use super::tradeoff::{self, TradeOff};
use crate::bench::measure::Distribution;

/// The version of the JSON document's shape; raised when a member changes its
/// meaning or goes.
const SCHEMA: u32 = 1;

/// Everything that is told of an evaluation; `--json` prints it. Shares are
/// from 0 to 1, and `null` where there is nothing to take a share of.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Figures {
    schema: u32,
    /// How many messages were judged.
    pub(crate) messages: usize,
    /// How many of them have an intent.
    pub(crate) in_scope: usize,
    /// How many are labelled `oos` or `unknown`.
    pub(crate) out_of_scope: usize,
    /// The share of messages in scope whose intent was found; an abstention
    /// is an error. Without any in scope, the share of all messages that were
    /// taken for what they are: those on which the detector abstained.
    pub(crate) accuracy: Option<f64>,
    /// The share of all messages taken for what they are, an abstention being
    /// right where a message is out of scope.
    pub(crate) accuracy_overall: Option<f64>,
    /// The share of messages in scope for which an intent was named.
    pub(crate) coverage: Option<f64>,
    /// Of those, the share whose intent was the right one.
    pub(crate) accuracy_when_answered: Option<f64>,
    /// The share of messages out of scope on which the detector abstained.
    pub(crate) oos_recall: Option<f64>,
    /// Of the abstentions, the share that was out of scope.
    pub(crate) oos_precision: Option<f64>,
    /// Of the messages for which an intent was named, in scope or not, the
    /// share for which it was the wrong one: the wrong routes.
    pub(crate) wrong_routes: Option<f64>,
    /// How far the stated confidence is from the share of right answers.
    pub(crate) calibration_error: Option<f64>,
    /// What 1, 3, 5 and 10 lost answers in 100 would buy.
    pub(crate) trade_off: Vec<TradeOff>,
    /// How long a detection takes, in microseconds.
    pub(crate) latency_us: Option<Distribution>,
    /// Every intent that is a label or was found, by name.
    pub(crate) intents: BTreeMap<String, IntentFigures>,
    /// Which intents were taken for which, the most frequent first.
    pub(crate) confusions: Vec<Confusion>,
}

/// One intent's figures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct IntentFigures {
    /// How many messages have it.
    pub(crate) messages: usize,
    /// How many messages were taken for it.
    pub(crate) found: usize,
    /// How many of them rightly.
    pub(crate) right: usize,
    /// The share of those taken for it that have it.
    pub(crate) precision: Option<f64>,
    /// The share of those that have it which were taken for it.
    pub(crate) recall: Option<f64>,
}

/// Messages of one intent that were taken for another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Confusion {
    /// The label, or `unknown`.
    pub(crate) intent: String,
    /// What was found in its place, or `unknown`.
    pub(crate) taken_for: String,
    /// How many messages.
    pub(crate) messages: usize,
}

impl Figures {
    /// Works the figures out. Costs a sort of the verdicts.
    pub(crate) fn new(verdicts: &[Verdict]) -> Self {
        let count = |wanted: &dyn Fn(&Verdict) -> bool| {
            verdicts.iter().filter(|verdict| wanted(verdict)).count()
        };
        let in_scope = count(&|v| v.label.is_some());
        let out_of_scope = verdicts.len() - in_scope;
        let right = count(&Verdict::is_right);
        let right_in_scope = count(&|v| v.label.is_some() && v.is_right());
        let answered_in_scope = count(&|v| v.label.is_some() && v.found.is_some());
        let answered = count(&|v| v.found.is_some());
        let rejected = right - right_in_scope;
        let accuracy_overall = share(right, verdicts.len());
        Self {
            schema: SCHEMA,
            messages: verdicts.len(),
            in_scope,
            out_of_scope,
            accuracy: share(right_in_scope, in_scope).or(accuracy_overall),
            accuracy_overall,
            coverage: share(answered_in_scope, in_scope),
            accuracy_when_answered: share(right_in_scope, answered_in_scope),
            oos_recall: share(rejected, out_of_scope),
            oos_precision: share(rejected, verdicts.len() - answered),
            wrong_routes: share(answered - right_in_scope, answered),
            calibration_error: calibration_error(verdicts),
            trade_off: tradeoff::table(verdicts),
            latency_us: Distribution::of(verdicts.iter().map(|verdict| verdict.micros)),
            intents: by_intent(verdicts),
            confusions: confusions(verdicts),
        }
    }
}

fn share(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

fn by_intent(verdicts: &[Verdict]) -> BTreeMap<String, IntentFigures> {
    let mut intents = BTreeMap::<String, IntentFigures>::new();
    for verdict in verdicts {
        if let Some(label) = &verdict.label {
            let figures = intents.entry(label.clone()).or_default();
            figures.messages += 1;
            figures.right += usize::from(verdict.is_right());
        }
        if let Some(found) = &verdict.found {
            intents.entry(found.clone()).or_default().found += 1;
        }
    }
    for figures in intents.values_mut() {
        figures.precision = share(figures.right, figures.found);
        figures.recall = share(figures.right, figures.messages);
    }
    intents
}

/// Sorted by how many, then by name.
fn confusions(verdicts: &[Verdict]) -> Vec<Confusion> {
    let name = |intent: &Option<String>| {
        let unknown = intent_router::Detection::UNKNOWN;
        intent.clone().unwrap_or_else(|| unknown.to_owned())
    };
    let mut counts = BTreeMap::<(String, String), usize>::new();
    for verdict in verdicts.iter().filter(|verdict| !verdict.is_right()) {
        let pair = (name(&verdict.label), name(&verdict.found));
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
/// messages for which an intent was named: they are put in fifteen equally wide
/// bins by confidence, and the distances of mean confidence and share of right
/// answers in each are averaged by the number of messages in it.
fn calibration_error(verdicts: &[Verdict]) -> Option<f64> {
    const BINS: usize = 15;
    let mut bins = [(0_usize, 0.0, 0_usize); BINS];
    for verdict in verdicts.iter().filter(|verdict| verdict.found.is_some()) {
        let at = (verdict.confidence * BINS as f64) as usize;
        let (messages, confidence, right) = &mut bins[at.min(BINS - 1)];
        *messages += 1;
        *confidence += verdict.confidence;
        *right += usize::from(verdict.is_right());
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

    fn verdict(label: &str, found: &str, confidence: f64) -> Verdict {
        let known = |name: &str| (!name.is_empty()).then(|| name.to_owned());
        Verdict {
            label: known(label),
            found: known(found),
            confidence,
            best: known(found).map(|found| (found, confidence)),
            micros: 1.0,
        }
    }

    /// Five in scope: three right, one wrong, one abstained. Three out of
    /// scope: two rejected.
    fn verdicts() -> Vec<Verdict> {
        vec![
            verdict("a", "a", 0.9),
            verdict("a", "a", 0.9),
            verdict("a", "b", 0.6),
            verdict("b", "b", 0.8),
            verdict("b", "", 0.0),
            verdict("", "", 0.0),
            verdict("", "", 0.0),
            verdict("", "a", 0.5),
        ]
    }

    #[test]
    fn shares_are_of_what_they_say() {
        let figures = Figures::new(&verdicts());
        assert_eq!(
            (figures.messages, figures.in_scope, figures.out_of_scope),
            (8, 5, 3)
        );
        let cases = [
            ("accuracy", figures.accuracy, 3.0 / 5.0),
            ("overall", figures.accuracy_overall, 5.0 / 8.0),
            ("coverage", figures.coverage, 4.0 / 5.0),
            ("answered", figures.accuracy_when_answered, 3.0 / 4.0),
            ("recall", figures.oos_recall, 2.0 / 3.0),
            ("precision", figures.oos_precision, 2.0 / 3.0),
            ("wrong routes", figures.wrong_routes, 2.0 / 5.0),
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
    fn each_intent_has_its_own_figures() {
        let figures = Figures::new(&verdicts());
        let a = figures.intents["a"];
        assert_eq!((a.messages, a.found, a.right), (3, 3, 2));
        assert_eq!(a.precision, Some(2.0 / 3.0));
        assert_eq!(a.recall, Some(2.0 / 3.0));
        let b = figures.intents["b"];
        assert_eq!(
            (b.precision, b.recall, b.messages),
            (Some(0.5), Some(0.5), 2)
        );
        let pairs: Vec<_> = figures
            .confusions
            .iter()
            .map(|c| (c.intent.as_str(), c.taken_for.as_str(), c.messages))
            .collect();
        let expected = [("a", "b", 1), ("b", "unknown", 1), ("unknown", "a", 1)];
        assert_eq!(pairs, expected);
    }

    #[test]
    fn the_most_frequent_confusion_comes_first() {
        let twice = verdict("b", "a", 0.5);
        let figures = Figures::new(&[verdict("a", "b", 0.5), twice.clone(), twice]);
        assert_eq!(figures.confusions[0].intent, "b");
        assert_eq!(figures.confusions[0].messages, 2);
    }

    #[test]
    fn the_calibration_error_is_the_mean_distance_of_the_bins() {
        // Bins: 0.9 (two right), 0.6 (wrong), 0.8 (right), 0.5 (wrong).
        let found = Figures::new(&verdicts()).calibration_error.unwrap_or(0.0);
        let expected = (2.0 * 0.1 + 0.6 + 0.2 + 0.5) / 5.0;
        assert!((found - expected).abs() < 1e-12, "{found} {expected}");
        let sure = Figures::new(&[verdict("a", "a", 1.0)]);
        assert_eq!(sure.calibration_error, Some(0.0));
    }

    #[test]
    fn nothing_to_take_a_share_of_is_no_share() {
        let nothing = Figures::new(&[]);
        assert_eq!(nothing.accuracy, None);
        assert_eq!(nothing.latency_us, None);
        let outside = Figures::new(&[verdict("", "", 0.0), verdict("", "a", 0.4)]);
        assert_eq!(outside.accuracy, Some(0.5));
        assert_eq!(outside.coverage, None);
        assert_eq!(outside.oos_recall, Some(0.5));
    }
}
