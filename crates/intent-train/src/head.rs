//! Trains the network head on sentence vectors.
//!
//! Adam (Kingma and Ba 2015) with a rate that warms up and then falls to zero
//! by half a cosine, dropout on the vector and the hidden layer (Srivastava et
//! al. 2014), and label smoothing (Szegedy et al. 2016), which keeps the
//! probabilities of the training examples below one.

mod matrix;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use intent_model::Head;
use intent_model::maths::{exp, log_sum_exp};

use crate::random::Random;
use matrix::{DenseMatrix, multiply};

/// The hidden units of a network.
const HIDDEN: usize = 256;

/// The bytes of a network in a model file, roughly.
pub(crate) fn size(dimensions: usize, columns: usize) -> usize {
    (dimensions + 4 * columns) * HIDDEN
}

/// The examples of a step.
const BATCH: usize = 256;

/// The passes over the examples, and the least number of steps.
const PASSES: usize = 8;
const LEAST_STEPS: usize = 200;

/// The greatest learning rate, and the share of the steps that reach it.
const RATE: f32 = 3e-3;
const WARM_UP: f32 = 0.1;

/// The dropout, in values of 256: of the vector, and of the hidden layer.
const DROPPED: u8 = 51;
const DROPPED_HIDDEN: u8 = 128;

/// The label smoothing: the probability spread evenly over all columns.
const SMOOTHED: f32 = 0.1;

/// Sentence vectors with their labels.
pub(crate) struct LabelledVectors<'a> {
    pub(crate) vectors: &'a [Vec<f32>],
    /// The column of each vector.
    pub(crate) labels: &'a [u32],
    pub(crate) columns: usize,
}

/// Trains a head for each of several parts of the examples, which must not be
/// empty, in parallel; the result does not depend on the number of threads.
/// `progress` gets the part that is done, in thousandths.
pub(crate) fn train(
    examples: &LabelledVectors<'_>,
    parts: &[&[usize]],
    seed: u64,
    mut progress: impl FnMut(usize),
) -> Vec<Head> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let next = AtomicUsize::new(0);
    let mut found = vec![None; parts.len()];
    let total: usize = parts.iter().map(|part| steps(part.len())).sum();
    std::thread::scope(|scope| {
        let (sender, receiver) = mpsc::channel();
        for _ in 0..threads.min(parts.len()) {
            let (sender, next) = (sender.clone(), &next);
            scope.spawn(move || {
                while let Some((number, part)) = {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    parts.get(number).map(|part| (number, part))
                } {
                    let mut training = Training::new(examples, part, seed);
                    for _ in 0..steps(part.len()) {
                        training.step();
                        // The receiver waits for all of them.
                        let _ = sender.send(None);
                    }
                    let _ = sender.send(Some((number, training.finish())));
                }
            });
        }
        drop(sender);
        let mut done = 0;
        for message in receiver {
            match message {
                Some((number, head)) => found[number] = Some(head),
                None => {
                    done += 1;
                    progress(done * 1000 / total);
                }
            }
        }
    });
    found.into_iter().flatten().collect()
}

/// How many steps this many examples take.
fn steps(examples: usize) -> usize {
    (PASSES * examples.div_ceil(BATCH)).max(LEAST_STEPS)
}

/// Weights with the state of Adam for them.
struct Parameters {
    values: Vec<f32>,
    gradient: Vec<f32>,
    mean: Vec<f32>,
    square: Vec<f32>,
}

impl Parameters {
    /// Weights drawn uniformly from within `reach` of zero.
    fn new(count: usize, reach: f32, random: &mut Random) -> Self {
        let mut draw = || (random.below(1 << 24) as f32 / (1 << 23) as f32 - 1.0) * reach;
        Self {
            values: (0..count).map(|_| draw()).collect(),
            gradient: vec![0.0; count],
            mean: vec![0.0; count],
            square: vec![0.0; count],
        }
    }

    /// A step against the gradient; `fading` are the powers of Adam's two
    /// decays, by which its first steps are corrected.
    fn step(&mut self, rate: f32, fading: (f32, f32)) {
        let rate = rate / (1.0 - fading.0);
        let correction = 1.0 / (1.0 - fading.1).sqrt();
        let values = self.values.iter_mut().zip(&self.gradient);
        let memory = self.mean.iter_mut().zip(&mut self.square);
        for ((value, gradient), (mean, square)) in values.zip(memory) {
            *mean += (gradient - *mean) * (1.0 - DECAY);
            *square += (gradient * gradient - *square) * (1.0 - SQUARE_DECAY);
            *value -= rate * *mean / (square.sqrt() * correction + 1e-8);
        }
    }
}

const DECAY: f32 = 0.9;
const SQUARE_DECAY: f32 = 0.999;

/// A network under training.
struct Training<'a> {
    examples: &'a LabelledVectors<'a>,
    order: Vec<usize>,
    /// Where in the order the next batch begins.
    at: usize,
    random: Random,
    means: Vec<f32>,
    /// The reciprocal of the deviation of each dimension.
    factors: Vec<f32>,
    first: Parameters,
    first_biases: Parameters,
    second: Parameters,
    second_biases: Parameters,
    done: usize,
    steps: usize,
    fading: (f32, f32),
}

impl<'a> Training<'a> {
    fn new(examples: &'a LabelledVectors<'a>, part: &[usize], seed: u64) -> Self {
        let (means, factors) = standard(examples.vectors, part);
        let mut random = Random::new(seed);
        let (dimensions, hidden, columns) = (means.len(), HIDDEN, examples.columns);
        let reach = |inputs: usize| 1.0 / (inputs as f32).sqrt();
        Self {
            first: Parameters::new(dimensions * hidden, reach(dimensions), &mut random),
            first_biases: Parameters::new(hidden, 0.0, &mut random),
            second: Parameters::new(hidden * columns, reach(hidden), &mut random),
            second_biases: Parameters::new(columns, 0.0, &mut random),
            at: part.len(),
            order: part.to_vec(),
            steps: steps(part.len()),
            examples,
            random,
            means,
            factors,
            done: 0,
            fading: (1.0, 1.0),
        }
    }

    /// The next batch; shuffles the examples after each pass.
    fn batch(&mut self) -> Vec<usize> {
        if self.at == self.order.len() {
            self.random.shuffle(&mut self.order);
            self.at = 0;
        }
        let end = self.order.len().min(self.at + BATCH);
        let batch = self.order[self.at..end].to_vec();
        self.at = end;
        batch
    }

    fn step(&mut self) {
        let batch = self.batch();
        self.differentiate(&batch);
        self.descend();
    }

    /// Computes the gradients of a batch, and returns its loss.
    fn differentiate(&mut self, batch: &[usize]) -> f32 {
        let (dimensions, hidden, columns) = (self.means.len(), HIDDEN, self.examples.columns);

        // Forwards.
        let mut inputs = Vec::with_capacity(batch.len() * dimensions);
        for example in batch {
            let standards = self.means.iter().zip(&self.factors);
            let vector = self.examples.vectors[*example].iter().zip(standards);
            inputs.extend(vector.map(|(value, (mean, factor))| (value - mean) * factor));
        }
        drop_out(&mut inputs, DROPPED, &mut self.random);
        let inputs = DenseMatrix::new(&inputs, dimensions);
        let mut units = vec![0.0; batch.len() * hidden];
        let first = DenseMatrix::new(&self.first.values, hidden);
        multiply(inputs, first, dimensions, hidden, &mut units);
        for row in units.chunks_exact_mut(hidden) {
            for (unit, bias) in row.iter_mut().zip(&self.first_biases.values) {
                *unit = (*unit + bias).max(0.0);
            }
        }
        drop_out(&mut units, DROPPED_HIDDEN, &mut self.random);
        let second = DenseMatrix::new(&self.second.values, columns);
        let mut scores = vec![0.0; batch.len() * columns];
        let hiddens = DenseMatrix::new(&units, hidden);
        multiply(hiddens, second, hidden, columns, &mut scores);

        // Backwards: the scores become the gradients of the loss.
        let count = batch.len() as f32;
        let mut loss = 0.0;
        for (row, example) in scores.chunks_exact_mut(columns).zip(batch) {
            for (score, bias) in row.iter_mut().zip(&self.second_biases.values) {
                *score += bias;
            }
            let label = self.examples.labels[*example] as usize;
            let whole = log_sum_exp(row);
            let even = row.iter().sum::<f32>() / columns as f32;
            loss += (whole - (1.0 - SMOOTHED) * row[label] - SMOOTHED * even) / count;
            for score in &mut *row {
                let probability = exp(f64::from(*score - whole)) as f32;
                *score = (probability - SMOOTHED / columns as f32) / count;
            }
            row[label] -= (1.0 - SMOOTHED) / count;
        }
        sum_rows(&scores, &mut self.second_biases.gradient);
        let slopes = DenseMatrix::new(&scores, columns);
        let gradient = &mut self.second.gradient;
        multiply(hiddens.transposed(), slopes, batch.len(), columns, gradient);
        let mut back = vec![0.0; batch.len() * hidden];
        multiply(slopes, second.transposed(), columns, hidden, &mut back);
        for (back, unit) in back.iter_mut().zip(&units) {
            // Units that were cut off or dropped have no gradient.
            *back *= if *unit > 0.0 {
                kept(DROPPED_HIDDEN)
            } else {
                0.0
            };
        }
        sum_rows(&back, &mut self.first_biases.gradient);
        let back = DenseMatrix::new(&back, hidden);
        let gradient = &mut self.first.gradient;
        multiply(inputs.transposed(), back, batch.len(), hidden, gradient);
        loss
    }

    fn descend(&mut self) {
        let rate = RATE * schedule((self.done as f32 + 0.5) / self.steps as f32);
        self.fading.0 *= DECAY;
        self.fading.1 *= SQUARE_DECAY;
        for weights in [
            &mut self.first,
            &mut self.first_biases,
            &mut self.second,
            &mut self.second_biases,
        ] {
            weights.step(rate, self.fading);
        }
        self.done += 1;
    }

    /// The network for raw vectors: the standardisation is folded into its
    /// weights.
    fn finish(self) -> Head {
        let hidden = HIDDEN;
        let mut first = self.first.values;
        let mut biases = self.first_biases.values;
        let standards = self.means.iter().zip(&self.factors);
        for (row, (mean, factor)) in first.chunks_exact_mut(hidden).zip(standards) {
            for (weight, bias) in row.iter_mut().zip(&mut biases) {
                *weight *= factor;
                *bias -= mean * *weight;
            }
        }
        let (second, last) = (self.second.values, self.second_biases.values);
        Head::new(&first, biases, second, last)
    }
}

/// The mean of each dimension, and the reciprocal of its deviation; 0 if it has
/// none.
fn standard(vectors: &[Vec<f32>], part: &[usize]) -> (Vec<f32>, Vec<f32>) {
    let count = part.len().max(1) as f64;
    let dimensions = vectors.first().map_or(0, Vec::len);
    let (mut sums, mut squares) = (vec![0.0; dimensions], vec![0.0; dimensions]);
    for example in part {
        let sums = sums.iter_mut().zip(&mut squares);
        for (value, (sum, square)) in vectors[*example].iter().zip(sums) {
            *sum += f64::from(*value);
            *square += f64::from(*value) * f64::from(*value);
        }
    }
    let mean = |sum: &f64| sum / count;
    let factors = sums.iter().zip(&squares).map(|(sum, square)| {
        let variance = square / count - mean(sum) * mean(sum);
        match variance > 1e-10 {
            true => (1.0 / variance.sqrt()) as f32,
            false => 0.0,
        }
    });
    let factors = factors.collect();
    (sums.iter().map(|sum| mean(sum) as f32).collect(), factors)
}

/// The learning rate at a share of the steps, relative to the greatest.
fn schedule(way: f32) -> f32 {
    if way < WARM_UP {
        return way / WARM_UP;
    }
    // Half a cosine from 1 to 0, approximated by the polynomial with its ends,
    // slopes and middle: the platforms' cosines differ in their last bits.
    let left = (1.0 - way) / (1.0 - WARM_UP);
    left * left * (3.0 - 2.0 * left)
}

/// The factor of the values that dropout keeps, so that their sum stays.
fn kept(dropped: u8) -> f32 {
    256.0 / (256.0 - f32::from(dropped))
}

/// Drops values at random, and scales the others up.
fn drop_out(values: &mut [f32], dropped: u8, random: &mut Random) {
    for eight in values.chunks_mut(8) {
        for (value, chance) in eight.iter_mut().zip(random.next().to_le_bytes()) {
            *value *= if chance < dropped { 0.0 } else { kept(dropped) };
        }
    }
}

/// The sum of the rows.
fn sum_rows(rows: &[f32], sums: &mut [f32]) {
    sums.fill(0.0);
    for row in rows.chunks_exact(sums.len()) {
        for (sum, value) in sums.iter_mut().zip(row) {
            *sum += value;
        }
    }
}

#[cfg(test)]
mod tests;
