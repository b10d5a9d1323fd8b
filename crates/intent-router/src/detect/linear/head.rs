//! What sentence vectors say of the intents: a network with one hidden layer.
//!
//! Sentence models are trained to tell topics apart, intents differ by less;
//! a layer in between bends the space to them, which a linear model of the
//! vector cannot.

mod product;
mod train;

use super::maths::{exp, ln};
use super::model::{Weights, quantise};

pub(super) use train::{Examples, heads};

/// How much the network's logarithms of probabilities count beside the scores
/// of the n-grams.
const SHARE: f32 = 0.5;

/// The network: the vector times the first weights, cut off at zero, times
/// the second.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Head {
    /// What each dimension's first weights are to be multiplied with.
    pub(super) scales: Vec<f32>,
    /// Those of one dimension after the other.
    pub(super) first: Weights,
    /// One a hidden unit.
    pub(super) first_biases: Vec<f32>,
    /// Those of one hidden unit after the other.
    pub(super) second: Vec<f32>,
    /// One a column.
    pub(super) second_biases: Vec<f32>,
}

impl Head {
    /// Hidden units.
    pub(super) const HIDDEN: usize = 256;

    /// How many bytes it takes in a file, about.
    pub(super) fn size(dimensions: usize, columns: usize) -> usize {
        (dimensions + 4 * columns) * Self::HIDDEN
    }

    /// Of weights that have a row for each input.
    fn new(
        dimensions: usize,
        first: &[f32],
        first_biases: Vec<f32>,
        second: Vec<f32>,
        second_biases: Vec<f32>,
    ) -> Self {
        let hidden = first_biases.len();
        let columns: Vec<Vec<f32>> = (0..hidden)
            .map(|unit| first.iter().skip(unit).step_by(hidden).copied().collect())
            .collect();
        let (scales, first) = quantise(&columns, columns.len(), dimensions);
        Self {
            scales,
            first,
            first_biases,
            second,
            second_biases,
        }
    }

    /// What it adds to the score of each column: its share of the logarithm of
    /// the probability, which is at most 0. `vector` is that of the model's
    /// encoder.
    pub(super) fn scores(&self, vector: &[f32]) -> Vec<f32> {
        let mut units = self.first_biases.clone();
        let rows = self.first.rows();
        for ((value, scale), row) in vector.iter().zip(&self.scales).zip(rows) {
            let factor = value * scale;
            for (unit, weight) in units.iter_mut().zip(row) {
                *unit += factor * f32::from(*weight);
            }
        }
        let mut scores = self.second_biases.clone();
        let rows = self.second.chunks_exact(scores.len());
        for (unit, row) in units.iter().zip(rows) {
            if *unit > 0.0 {
                for (score, weight) in scores.iter_mut().zip(row) {
                    *score += unit * weight;
                }
            }
        }
        let whole = log_sum(&scores);
        for score in &mut scores {
            *score = SHARE * (*score - whole);
        }
        scores
    }
}

/// The logarithm of the sum of the exponentials.
fn log_sum(scores: &[f32]) -> f32 {
    let greatest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = scores.iter().map(|s| exp(f64::from(s - greatest))).sum();
    greatest + ln(sum) as f32
}

#[cfg(test)]
mod tests;
