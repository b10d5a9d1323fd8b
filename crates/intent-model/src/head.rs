//! The network head: what sentence vectors add to the scores.
//!
//! Sentence encoders are trained to tell topics apart; intents differ by less.
//! A hidden layer separates intents that a linear model of the vector cannot.

use crate::maths::log_sum_exp;
use crate::weights::{Weights, quantise};

/// A network with one hidden layer of rectified linear units, from sentence
/// vectors to columns: one per intent, and one for messages out of scope if the
/// model has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    /// The factor of each dimension's first weights.
    pub(crate) scales: Vec<f32>,
    /// One row per dimension, one weight per hidden unit.
    pub(crate) first: Weights,
    /// One per hidden unit.
    pub(crate) first_biases: Vec<f32>,
    /// One row per hidden unit, one weight per column.
    pub(crate) second: Vec<f32>,
    /// One per column.
    pub(crate) second_biases: Vec<f32>,
}

impl Head {
    /// The weight of the network's logarithms of probabilities when they are
    /// added to the scores of the n-grams.
    pub const SHARE: f32 = 0.5;

    /// Makes a network from weights stored row by row: `first`, which is
    /// quantised, has a row per dimension with a weight per hidden unit; `second`
    /// has a row per hidden unit with a weight per column.
    ///
    /// # Panics
    /// If a length is not a product of the layers' sizes.
    pub fn new(
        first: &[f32],
        first_biases: Vec<f32>,
        second: Vec<f32>,
        second_biases: Vec<f32>,
    ) -> Self {
        let hidden = first_biases.len();
        assert!(
            hidden > 0 && first.len().is_multiple_of(hidden),
            "the number of first weights must be a multiple of the number of hidden units, which is {hidden}"
        );
        assert_eq!(
            second.len(),
            hidden * second_biases.len(),
            "each column must have one second weight per hidden unit"
        );
        let columns: Vec<Vec<f32>> = (0..hidden)
            .map(|unit| first.iter().skip(unit).step_by(hidden).copied().collect())
            .collect();
        let (scales, first) = quantise(&columns, columns.len(), first.len() / hidden);
        Self {
            scales,
            first,
            first_biases,
            second,
            second_biases,
        }
    }

    /// The numbers of dimensions and of columns.
    pub(crate) fn shape(&self) -> (usize, usize) {
        (self.scales.len(), self.second_biases.len())
    }

    /// What a vector adds to the score of each column: [`SHARE`](Self::SHARE)
    /// times the logarithm of the column's probability, which is at most 0.
    pub fn scores(&self, vector: &[f32]) -> Vec<f32> {
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
        let whole = log_sum_exp(&scores);
        for score in &mut scores {
            *score = Self::SHARE * (*score - whole);
        }
        scores
    }
}
