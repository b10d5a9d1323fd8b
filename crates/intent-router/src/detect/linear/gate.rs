//! Whether the best intent is good enough to be named.
//!
//! The scores of a linear model are no probabilities, and they say little of a
//! message that is like nothing the model was trained on. The gate is a
//! logistic function of a few signals, fitted to held-out examples, whose
//! value is the probability that the best intent is the right one (J. Platt
//! 1999 does so with the score alone; Hendrycks and Gimpel 2017 abstain by
//! it). Below a threshold the detector abstains.

use super::maths::{exp, ln, logistic};
use super::model::Input;

/// What is known about a message beside which intent is the best.
pub(super) const SIGNALS: usize = 7;
pub(super) type Signals = [f64; SIGNALS];

/// Names of the signals, as an explanation shows them.
pub(super) const NAMES: [&str; SIGNALS] = [
    "score of the best intent",
    "gap to the runner-up",
    "crowd of intents near the best",
    "share of words never seen",
    "share of character n-grams never seen",
    "score of being out of scope",
    "sentence vector's part of the best score",
];

/// Whether a larger value makes it likelier that the best intent is right. A
/// slope that says otherwise comes of chance, or of signals that say the same.
pub(super) const SIGNS: Signals = [1.0, 1.0, -1.0, -1.0, -1.0, -1.0, 1.0];

/// A logistic function of the signals, with the least value that is enough.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Gate {
    pub(super) intercept: f64,
    pub(super) slopes: Signals,
    pub(super) threshold: f64,
}

impl Gate {
    /// One that lets everything through.
    pub(super) fn open() -> Self {
        Self {
            intercept: 0.0,
            slopes: [0.0; SIGNALS],
            threshold: 0.0,
        }
    }

    /// The probability that the best intent is the right one.
    pub(super) fn probability(&self, signals: &Signals) -> f64 {
        let products = self.slopes.iter().zip(signals).map(|(a, b)| a * b);
        logistic(products.fold(self.intercept, |sum, product| sum + product))
    }
}

/// The signals of a message whose best intent is that of column `best`.
///
/// Of `scores`, one an intent, those count that `may` be the message's;
/// `out_of_scope` is the score of being none of them.
pub(super) fn signals(
    input: &Input,
    scores: &[f32],
    best: usize,
    may: impl Fn(usize) -> bool,
    out_of_scope: Option<f32>,
) -> Signals {
    let most = f64::from(scores[best]);
    let (mut runner_up, mut crowd) = (most - FAR, 1.0);
    for (i, score) in scores.iter().enumerate() {
        let score = f64::from(*score);
        // Those far below add next to nothing, at a cost.
        if score > most - FAR && i != best && may(i) {
            runner_up = score.max(runner_up);
            crowd += exp((score - most) * 4.0);
        }
    }
    let share = |unseen: u32, all: u32| f64::from(unseen) / f64::from(all.max(1));
    [
        most,
        most - runner_up,
        ln(crowd),
        share(input.unseen_words, input.words),
        share(input.unseen_chars, input.chars),
        out_of_scope.map_or(0.0, f64::from),
        input
            .sentence
            .get(best)
            .map_or(0.0, |part| f64::from(*part)),
    ]
}

/// How far below the best score others still count.
const FAR: f64 = 2.0;
