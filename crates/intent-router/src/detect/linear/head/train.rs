//! Training the network on sentence vectors.
//!
//! Adam (Kingma and Ba 2015) with a rate that warms up and then falls to zero
//! by half a cosine, dropout on the vector and the hidden layer (Srivastava et
//! al. 2014), and smoothed labels (Szegedy et al. 2016), which keep the
//! probabilities of what it was trained on from all being one.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use super::product::{Matrix, multiply};
use super::{Head, log_sum};
use crate::detect::linear::maths::exp;
use crate::detect::linear::solver::Random;

/// Examples in a step.
const BATCH: usize = 256;

/// Passes over the examples, if that makes at least so many steps.
const PASSES: usize = 8;
const LEAST_STEPS: usize = 200;

/// The greatest rate, and the share of the steps after which it is reached.
const RATE: f32 = 3e-3;
const WARM_UP: f32 = 0.1;

/// Of 256 values of the vector, and of the hidden layer, so many are left out.
const DROPPED: u8 = 51;
const DROPPED_HIDDEN: u8 = 128;

/// The probability that goes to all columns alike.
const SMOOTHED: f32 = 0.1;

/// What a head is trained on.
pub(in crate::detect::linear) struct Examples<'a> {
    pub(in crate::detect::linear) vectors: &'a [Vec<f32>],
    /// The column of each vector.
    pub(in crate::detect::linear) labels: &'a [u32],
    pub(in crate::detect::linear) columns: usize,
}

/// The heads of several parts of the examples, which must not be empty, each
/// on a thread of its own: the numbers do not depend on how many there are.
/// `progress` hears how much is done, in thousandths.
pub(in crate::detect::linear) fn heads(
    examples: &Examples<'_>,
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

/// How many steps so many examples take.
fn steps(examples: usize) -> usize {
    (PASSES * examples.div_ceil(BATCH)).max(LEAST_STEPS)
}

/// Weights and what Adam remembers of them.
struct Weights {
    values: Vec<f32>,
    gradient: Vec<f32>,
    mean: Vec<f32>,
    square: Vec<f32>,
}

impl Weights {
    /// Drawn evenly from within `reach` of zero.
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
    examples: &'a Examples<'a>,
    order: Vec<usize>,
    /// Where in the order the next batch begins.
    at: usize,
    random: Random,
    means: Vec<f32>,
    /// One over the deviation of each dimension.
    factors: Vec<f32>,
    first: Weights,
    first_biases: Weights,
    second: Weights,
    second_biases: Weights,
    done: usize,
    steps: usize,
    fading: (f32, f32),
}

impl<'a> Training<'a> {
    fn new(examples: &'a Examples<'a>, part: &[usize], seed: u64) -> Self {
        let (means, factors) = standard(examples.vectors, part);
        let mut random = Random::new(seed);
        let (dimensions, hidden, columns) = (means.len(), Head::HIDDEN, examples.columns);
        let reach = |inputs: usize| 1.0 / (inputs as f32).sqrt();
        Self {
            first: Weights::new(dimensions * hidden, reach(dimensions), &mut random),
            first_biases: Weights::new(hidden, 0.0, &mut random),
            second: Weights::new(hidden * columns, reach(hidden), &mut random),
            second_biases: Weights::new(columns, 0.0, &mut random),
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

    /// The next batch, from a new order when all examples have had their turn.
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

    /// Finds the gradients of the loss of a batch, which it returns.
    fn differentiate(&mut self, batch: &[usize]) -> f32 {
        let (dimensions, hidden, columns) = (self.means.len(), Head::HIDDEN, self.examples.columns);

        // Forwards.
        let mut inputs = Vec::with_capacity(batch.len() * dimensions);
        for example in batch {
            let standards = self.means.iter().zip(&self.factors);
            let vector = self.examples.vectors[*example].iter().zip(standards);
            inputs.extend(vector.map(|(value, (mean, factor))| (value - mean) * factor));
        }
        drop_out(&mut inputs, DROPPED, &mut self.random);
        let inputs = Matrix::new(&inputs, dimensions);
        let mut units = vec![0.0; batch.len() * hidden];
        let first = Matrix::new(&self.first.values, hidden);
        multiply(inputs, first, dimensions, hidden, &mut units);
        for row in units.chunks_exact_mut(hidden) {
            for (unit, bias) in row.iter_mut().zip(&self.first_biases.values) {
                *unit = (*unit + bias).max(0.0);
            }
        }
        drop_out(&mut units, DROPPED_HIDDEN, &mut self.random);
        let second = Matrix::new(&self.second.values, columns);
        let mut scores = vec![0.0; batch.len() * columns];
        let hiddens = Matrix::new(&units, hidden);
        multiply(hiddens, second, hidden, columns, &mut scores);

        // Backwards: the scores become how much the loss grows with them.
        let count = batch.len() as f32;
        let mut loss = 0.0;
        for (row, example) in scores.chunks_exact_mut(columns).zip(batch) {
            for (score, bias) in row.iter_mut().zip(&self.second_biases.values) {
                *score += bias;
            }
            let label = self.examples.labels[*example] as usize;
            let whole = log_sum(row);
            let even = row.iter().sum::<f32>() / columns as f32;
            loss += (whole - (1.0 - SMOOTHED) * row[label] - SMOOTHED * even) / count;
            for score in &mut *row {
                let probability = exp(f64::from(*score - whole)) as f32;
                *score = (probability - SMOOTHED / columns as f32) / count;
            }
            row[label] -= (1.0 - SMOOTHED) / count;
        }
        sum_rows(&scores, &mut self.second_biases.gradient);
        let slopes = Matrix::new(&scores, columns);
        let gradient = &mut self.second.gradient;
        multiply(hiddens.turned(), slopes, batch.len(), columns, gradient);
        let mut back = vec![0.0; batch.len() * hidden];
        multiply(slopes, second.turned(), columns, hidden, &mut back);
        for (back, unit) in back.iter_mut().zip(&units) {
            // What was cut off or left out has no say; the rest was scaled.
            *back *= if *unit > 0.0 {
                kept(DROPPED_HIDDEN)
            } else {
                0.0
            };
        }
        sum_rows(&back, &mut self.first_biases.gradient);
        let back = Matrix::new(&back, hidden);
        let gradient = &mut self.first.gradient;
        multiply(inputs.turned(), back, batch.len(), hidden, gradient);
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

    /// The network for vectors as they are: that they are made standard goes
    /// into its weights.
    fn finish(self) -> Head {
        let hidden = Head::HIDDEN;
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
        Head::new(self.means.len(), &first, biases, second, last)
    }
}

/// The mean of each dimension, and one over its deviation; 0 where it has none.
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

/// The rate at a part of the way, of the greatest.
fn schedule(way: f32) -> f32 {
    if way < WARM_UP {
        return way / WARM_UP;
    }
    // Half a cosine from 1 to 0, by the polynomial that has its ends, slopes
    // and middle: the platforms' cosines differ in their last bits.
    let left = (1.0 - way) / (1.0 - WARM_UP);
    left * left * (3.0 - 2.0 * left)
}

/// By what is kept when so many of 256 are left out, so that the sum stays.
fn kept(dropped: u8) -> f32 {
    256.0 / (256.0 - f32::from(dropped))
}

/// Leaves values out by chance, and makes up for them with the others.
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
mod tests {
    use super::*;

    /// Which of the weights.
    type Part = for<'a, 'b> fn(&'a mut Training<'b>) -> &'a mut Weights;

    #[test]
    fn the_gradients_are_those_of_the_loss() {
        let vectors: Vec<Vec<f32>> = (0..12_u8)
            .map(|i| {
                (0..5)
                    .map(|j| f32::from(i * 7 % 11) - f32::from(i * j % 5))
                    .collect()
            })
            .collect();
        let labels: Vec<u32> = (0..12).map(|i| i % 3).collect();
        let examples = Examples {
            vectors: &vectors,
            labels: &labels,
            columns: 3,
        };
        let batch: Vec<usize> = (0..12).collect();
        let mut training = Training::new(&examples, &batch, 1);
        let random = training.random.clone();
        let parts: [Part; 4] = [
            |training| &mut training.first,
            |training| &mut training.first_biases,
            |training| &mut training.second,
            |training| &mut training.second_biases,
        ];
        for (number, part) in parts.into_iter().enumerate() {
            // The same values are left out each time.
            let loss = |training: &mut Training<'_>| {
                training.random = random.clone();
                training.differentiate(&batch)
            };
            loss(&mut training);
            let gradient = part(&mut training).gradient.clone();
            let square: f32 = gradient.iter().map(|x| x * x).sum();
            // A step along the gradient that moves the loss by a hundredth.
            let step = 0.01 / square;
            let mut moved = |by: f32| {
                let weights = part(&mut training).values.iter_mut().zip(&gradient);
                weights.for_each(|(weight, slope)| *weight += by * slope);
                loss(&mut training)
            };
            let (up, down) = (moved(step), moved(-2.0 * step));
            moved(step);
            let ratio = (up - down) / 0.02;
            assert!((ratio - 1.0).abs() < 0.02, "part {number}: {ratio}");
        }
    }
}
