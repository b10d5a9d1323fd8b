//! The gate: the calibrated confidence, and abstention below a threshold.
//!
//! The scores of a linear model are not probabilities, and say little about a
//! message that is unlike all training examples. The gate is a logistic function
//! of a few signals, fitted to held-out examples; its value is the probability
//! that the best intent is the right one (Platt 1999 scales the score alone;
//! Hendrycks and Gimpel 2017 abstain by such a confidence).

use crate::input::Input;
use crate::maths::{exp, ln, logistic};

/// How many signals there are.
pub const SIGNALS: usize = 7;

/// The signals of a message, in the order of [`NAMES`].
pub type Signals = [f64; SIGNALS];

/// The names of the signals, as an explanation shows them.
pub const NAMES: [&str; SIGNALS] = [
    "score of the best intent",
    "gap to the runner-up",
    "crowd of intents near the best",
    "share of words never seen",
    "share of character n-grams never seen",
    "score of being out of scope",
    "sentence vector's part of the best score",
];

/// 1 where a larger value makes it likelier that the best intent is right, -1
/// where less likely. A fitted slope of the other sign is due to chance, or to
/// correlated signals.
pub const SIGNS: Signals = [1.0, 1.0, -1.0, -1.0, -1.0, -1.0, 1.0];

/// A logistic function of the signals, with the threshold of acceptance.
#[derive(Clone, Debug, PartialEq)]
pub struct Gate {
    /// The value for signals that are all 0.
    pub intercept: f64,
    /// One per signal.
    pub slopes: Signals,
    /// The least probability that is accepted.
    pub threshold: f64,
}

impl Gate {
    /// A gate that accepts everything.
    pub fn open() -> Self {
        Self {
            intercept: 0.0,
            slopes: [0.0; SIGNALS],
            threshold: 0.0,
        }
    }

    /// The probability that the best intent is the right one.
    pub fn probability(&self, signals: &Signals) -> f64 {
        let products = self.slopes.iter().zip(signals).map(|(a, b)| a * b);
        logistic(products.fold(self.intercept, |sum, product| sum + product))
    }
}

/// The signals of a message whose best intent is `best`.
///
/// `scores` has one score per intent; those count whose indices `may` accepts.
/// `out_of_scope` is the score of the column for messages out of scope.
pub(crate) fn signals(
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
        // Scores far below add almost nothing, but cost time.
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
