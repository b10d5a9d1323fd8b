//! Support vector machines, one per intent against all others.
//!
//! Each is found by dual coordinate descent for the squared hinge loss with
//! shrinking (Hsieh et al. 2008, "A Dual Coordinate Descent Method for
//! Large-scale Linear SVM", algorithm 3). The intents are independent of each
//! other, and each draws the order of its examples from a generator of its
//! own: so the result is the same however many threads share the work.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

/// Examples as rows of columns with their values.
#[derive(Clone, Debug, Default)]
pub(super) struct Matrix {
    starts: Vec<usize>,
    entries: Vec<(u32, f32)>,
    width: usize,
}

impl Matrix {
    pub(super) fn new(width: usize) -> Self {
        Self {
            starts: vec![0],
            entries: Vec::new(),
            width,
        }
    }

    pub(super) fn push(&mut self, entries: impl IntoIterator<Item = (u32, f32)>) {
        self.entries.extend(entries);
        self.starts.push(self.entries.len());
    }

    pub(super) fn len(&self) -> usize {
        self.starts.len() - 1
    }

    fn row(&self, row: usize) -> &[(u32, f32)] {
        &self.entries[self.starts[row]..self.starts[row + 1]]
    }
}

/// What a machine costs for an example on the wrong side, against the size of
/// its weights.
const COST: f32 = 1.0;

/// A machine is found when no example pulls at it by more than this.
const TOLERANCE: f32 = 0.1;

/// The most passes over the examples.
const PASSES: usize = 200;

/// The weights of one intent, and the bias.
pub(super) type Machine = (Vec<f32>, f32);

/// Finds the machines of `columns` intents; `labels` says the one that each
/// row belongs to. `progress` hears how many are found.
pub(super) fn machines(
    matrix: &Matrix,
    labels: &[u32],
    columns: usize,
    seed: u64,
    mut progress: impl FnMut(usize),
) -> Vec<Machine> {
    let norms: Vec<f32> = (0..matrix.len())
        .map(|row| matrix.row(row).iter().map(|(_, x)| x * x).sum())
        .collect();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = threads.min(columns).min(MAX_THREADS);
    let next = AtomicUsize::new(0);
    let mut found = vec![Machine::default(); columns];
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
                    let machine = machine(matrix, norms, labels, column as u32, seed);
                    // The receiver waits for all of them.
                    if sender.send((column, machine)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        for (done, (column, machine)) in receiver.iter().enumerate() {
            found[column] = machine;
            progress(done + 1);
        }
    });
    found
}

const MAX_THREADS: usize = 16;

fn machine(matrix: &Matrix, norms: &[f32], labels: &[u32], column: u32, seed: u64) -> Machine {
    let diagonal = 0.5 / COST;
    let mut weights = vec![0.0_f32; matrix.width];
    let mut bias = 0.0_f32;
    let mut alphas = vec![0.0_f32; matrix.len()];
    let mut order: Vec<u32> = (0..matrix.len() as u32).collect();
    let mut active = order.len();
    let mut random = Random::new(seed ^ (u64::from(column) << 32));
    // An example is left alone when it pulls less than the last pass's most.
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
            // What was left alone is looked at once more.
            active = order.len();
            limit = f32::INFINITY;
            continue;
        }
        limit = if most > 0.0 { most } else { f32::INFINITY };
    }
    (weights, bias)
}

/// SplitMix64 (Steele, Lea and Flood 2014): numbers that only look random.
#[derive(Clone)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`, which is above 0 and below 2^32.
    pub(super) fn below(&mut self, n: usize) -> usize {
        (((self.next() >> 32) * n as u64) >> 32) as usize
    }

    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i + 1));
        }
    }
}
