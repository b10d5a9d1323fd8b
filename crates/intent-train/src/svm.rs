//! Linear support vector machines, one per intent against all others.
//!
//! Each is trained by dual coordinate descent for the squared hinge loss with
//! shrinking (Hsieh et al. 2008, "A Dual Coordinate Descent Method for
//! Large-scale Linear SVM", algorithm 3). The intents are independent of each
//! other, and each draws the order of its examples from its own generator, so
//! the result does not depend on the number of threads.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use crate::random::Random;

/// A sparse matrix: one row per example, with the columns of its features and
/// their values.
#[derive(Clone, Debug, Default)]
pub(crate) struct SparseMatrix {
    starts: Vec<usize>,
    entries: Vec<(u32, f32)>,
    width: usize,
}

impl SparseMatrix {
    pub(crate) fn new(width: usize) -> Self {
        Self {
            starts: vec![0],
            entries: Vec::new(),
            width,
        }
    }

    pub(crate) fn push(&mut self, entries: impl IntoIterator<Item = (u32, f32)>) {
        self.entries.extend(entries);
        self.starts.push(self.entries.len());
    }

    pub(crate) fn len(&self) -> usize {
        self.starts.len() - 1
    }

    fn row(&self, row: usize) -> &[(u32, f32)] {
        &self.entries[self.starts[row]..self.starts[row + 1]]
    }
}

/// The penalty of an example on the wrong side, relative to the size of the
/// weights.
const COST: f32 = 1.0;

/// Training ends when the projected gradients of all examples are this close.
const TOLERANCE: f32 = 0.1;

/// The most passes over the examples.
const PASSES: usize = 200;

/// The weights of one machine, and its bias.
pub(crate) type Svm = (Vec<f32>, f32);

/// Trains one machine per column; `labels` are the columns of the rows.
/// `progress` gets the number of trained machines.
pub(crate) fn train(
    matrix: &SparseMatrix,
    labels: &[u32],
    columns: usize,
    seed: u64,
    mut progress: impl FnMut(usize),
) -> Vec<Svm> {
    let norms: Vec<f32> = (0..matrix.len())
        .map(|row| matrix.row(row).iter().map(|(_, x)| x * x).sum())
        .collect();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = threads.min(columns).min(MAX_THREADS);
    let next = AtomicUsize::new(0);
    let mut trained = vec![Svm::default(); columns];
    std::thread::scope(|scope| {
        let (sender, receiver) = mpsc::channel();
        for _ in 0..threads {
            let sender = sender.clone();
            let (next, norms) = (&next, &norms);
            scope.spawn(move || {
                loop {
                    let column = next.fetch_add(1, Ordering::Relaxed);
                    if column >= columns {
                        return;
                    }
                    let svm = train_one(matrix, norms, labels, column as u32, seed);
                    // The receiver waits for all of them.
                    if sender.send((column, svm)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        for (done, (column, svm)) in receiver.iter().enumerate() {
            trained[column] = svm;
            progress(done + 1);
        }
    });
    trained
}

const MAX_THREADS: usize = 16;

fn train_one(matrix: &SparseMatrix, norms: &[f32], labels: &[u32], column: u32, seed: u64) -> Svm {
    let diagonal = 0.5 / COST;
    let mut weights = vec![0.0_f32; matrix.width];
    let mut bias = 0.0_f32;
    let mut alphas = vec![0.0_f32; matrix.len()];
    let mut order: Vec<u32> = (0..matrix.len() as u32).collect();
    let mut active = order.len();
    let mut random = Random::new(seed ^ (u64::from(column) << 32));
    // Shrinking: an example at its bound whose gradient exceeds the largest of
    // the last pass is left out.
    let mut limit = f32::INFINITY;
    for _ in 0..PASSES {
        let (mut most, mut least) = (f32::NEG_INFINITY, f32::INFINITY);
        for i in 0..active {
            order.swap(i, i + random.below(active - i));
        }
        let mut i = 0;
        while i < active {
            let row = order[i] as usize;
            let sign = if labels[row] == column { 1.0 } else { -1.0 };
            let entries = matrix.row(row);
            let product = entries
                .iter()
                .fold(bias, |sum, (j, x)| sum + weights[*j as usize] * x);
            let alpha = alphas[row];
            let gradient = sign * product - 1.0 + diagonal * alpha;
            if alpha == 0.0 && gradient > limit {
                active -= 1;
                order.swap(i, active);
                continue;
            }
            let projected = if alpha == 0.0 {
                gradient.min(0.0)
            } else {
                gradient
            };
            most = most.max(projected);
            least = least.min(projected);
            if projected.abs() > 1e-6 {
                let moved = (alpha - gradient / (norms[row] + 1.0 + diagonal)).max(0.0);
                alphas[row] = moved;
                let step = (moved - alpha) * sign;
                for (j, x) in entries {
                    weights[*j as usize] += step * x;
                }
                bias += step;
            }
            i += 1;
        }
        if most - least <= TOLERANCE {
            if active == order.len() {
                break;
            }
            // A last pass over all examples, those left out included.
            active = order.len();
            limit = f32::INFINITY;
            continue;
        }
        limit = if most > 0.0 { most } else { f32::INFINITY };
    }
    (weights, bias)
}
