//! The weights of a linear model, and what they make of a message.

use std::collections::BTreeMap;

use super::features::{Gram, Group, each_gram, prepare};
use super::gate::Gate;
use super::head::Head;
use super::report::HeldOut;

/// A trained model: weights for the n-grams of messages, one per intent, with
/// the calibration and the threshold that were chosen on held-out examples.
///
/// [`train`](crate::train) makes one; a [`LinearDetector`](crate::LinearDetector)
/// uses it. A weight takes a byte in memory and in the file; of n-grams times
/// intents there are at most [`MAX_WEIGHTS`](Self::MAX_WEIGHTS).
#[derive(Clone, Debug, PartialEq)]
pub struct LinearModel {
    pub(super) encoder: Option<EncoderSpec>,
    /// There where an encoder is.
    pub(super) head: Option<Head>,
    pub(super) intents: Vec<String>,
    /// Whether a last column scores "none of the intents", because the
    /// training data had examples of that.
    pub(super) has_out_of_scope: bool,
    pub(super) vocabulary: Vocabulary,
    /// What each row's weights are to be multiplied with.
    pub(super) scales: Vec<f32>,
    /// One per column.
    pub(super) biases: Vec<f32>,
    /// Row by row.
    pub(super) weights: Weights,
    pub(super) gate: Gate,
    pub(super) held_out: HeldOut,
}

/// Which sentence model the vectors are of.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct EncoderSpec {
    pub(super) id: String,
    pub(super) dimensions: usize,
}

/// What a message gives the model to multiply its weights with.
#[derive(Clone, Debug, Default)]
pub(super) struct Input {
    /// Rows, each once, with their values.
    pub(super) values: Vec<(u32, f32)>,
    /// What the sentence vector adds to the score of each column; empty
    /// without one.
    pub(super) sentence: Vec<f32>,
    pub(super) words: u32,
    /// How many words stand in no example of an intent.
    pub(super) unseen_words: u32,
    pub(super) chars: u32,
    pub(super) unseen_chars: u32,
}

impl LinearModel {
    /// The most weights that a model has: n-grams times intents. The n-grams
    /// of the most examples are kept.
    pub const MAX_WEIGHTS: usize = 9_000_000;

    /// The names of its intents, sorted.
    pub fn intents(&self) -> &[String] {
        &self.intents
    }

    /// The id of the sentence model that it was trained with, if any.
    pub fn encoder_id(&self) -> Option<&str> {
        self.encoder.as_ref().map(|encoder| encoder.id.as_str())
    }

    /// How right it was about examples that it had not been trained on.
    pub fn held_out(&self) -> &HeldOut {
        &self.held_out
    }

    /// The confidence below which it abstains.
    pub fn threshold(&self) -> f64 {
        self.gate.threshold
    }

    /// The share of a message's words that stand in no example of an intent and
    /// that `knows` does not know either.
    pub(super) fn foreign_share(&self, message: &str, knows: impl Fn(&str) -> bool) -> f64 {
        let (mut all, mut foreign) = (0_u32, 0_u32);
        each_gram(&prepare(message), |gram, hash| {
            if let Gram::Word(word) = gram {
                let row = self.vocabulary.row(hash);
                let is_foreign = row.is_none_or(|row| self.weights.is_foreign(row));
                all += 1;
                foreign += u32::from(is_foreign && !knows(word));
            }
        });
        f64::from(foreign) / f64::from(all.max(1))
    }

    pub(super) fn columns(&self) -> usize {
        self.intents.len() + usize::from(self.has_out_of_scope)
    }

    /// The features of a message; `vector` is that of the model's encoder.
    pub(super) fn input(&self, message: &str, vector: Option<&[f32]>) -> Input {
        let normal = prepare(message);
        let mut input = Input::default();
        let mut groups: [Vec<u32>; Group::COUNT] = Default::default();
        let mut counts = [0; Group::COUNT];
        each_gram(&normal, |gram, hash| {
            let row = self.vocabulary.row(hash);
            counts[gram.group() as usize] += 1;
            let is_foreign = row.is_none_or(|row| self.weights.is_foreign(row));
            input.count(gram.is_word(), gram.group(), is_foreign);
            groups[gram.group() as usize].extend(row);
        });
        for (rows, count) in groups.iter_mut().zip(counts) {
            weigh(rows, count, &mut input.values);
        }
        if let (Some(head), Some(vector)) = (&self.head, vector) {
            input.sentence = head.scores(vector);
        }
        input
    }

    /// One score a column: above 0 speaks for the intent, below against it.
    ///
    /// The sums are of whole numbers, which a processor adds four or eight at
    /// a time in whatever order it likes: the factors are rounded to 15 bits.
    pub(super) fn scores(&self, input: &Input) -> Vec<f32> {
        let mut scores = self.scores_of_grams(input);
        for (score, sentence) in scores.iter_mut().zip(&input.sentence) {
            *score += sentence;
        }
        scores
    }

    fn scores_of_grams(&self, input: &Input) -> Vec<f32> {
        let factor = |(row, value): &(u32, f32)| value * self.scales[*row as usize];
        let (mut most, mut sum) = (0.0_f32, 0.0);
        for size in input.values.iter().map(factor).map(f32::abs) {
            most = most.max(size);
            sum += size;
        }
        // Neither a factor nor a sum of factors times weights may overflow.
        let unit = (most / f32::from(i16::MAX)).max(sum * 128.0 / MAX_SUM);
        if !unit.is_normal() {
            return self.biases.clone();
        }
        let mut sums = vec![[0_i32; LANES]; self.weights.lanes];
        for entry in &input.values {
            let factor = i32::from((factor(entry) / unit) as i16);
            for (sums, weights) in sums.iter_mut().zip(self.weights.row(entry.0)) {
                for (sum, weight) in sums.iter_mut().zip(weights) {
                    *sum += factor * i32::from(*weight);
                }
            }
        }
        let scores = self.biases.iter().zip(sums.as_flattened());
        scores
            .map(|(bias, sum)| bias + *sum as f32 * unit)
            .collect()
    }

    /// What a row adds to a column's score for each unit of its value.
    pub(super) fn weight(&self, row: u32, column: usize) -> f32 {
        let row_weights = self.weights.row(row).as_flattened();
        self.scales[row as usize] * f32::from(row_weights[column])
    }
}

/// How many weights are multiplied at once.
const LANES: usize = 16;

/// A byte for each row and column. A row takes whole lanes, of which the last
/// is filled up with zeros: so that no weight is left to be multiplied alone.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Weights {
    columns: usize,
    /// How many of the columns are of intents, not of being out of scope.
    intents: usize,
    /// How many lanes a row has.
    lanes: usize,
    weights: Vec<[i8; LANES]>,
    /// Whether each row speaks for no intent, as those do that stand in
    /// messages out of scope alone.
    foreign: Vec<bool>,
}

impl Weights {
    pub(super) fn new(columns: usize, intents: usize) -> Self {
        Self {
            columns,
            intents,
            lanes: columns.div_ceil(LANES),
            weights: Vec::new(),
            foreign: Vec::new(),
        }
    }

    /// Whether a row stands in messages out of scope alone: a machine never
    /// gives a feature a weight above 0 that none of its own examples has.
    fn is_foreign(&self, row: u32) -> bool {
        self.foreign[row as usize]
    }

    /// Adds a row, which has as many weights as there are columns.
    pub(super) fn push(&mut self, row: impl IntoIterator<Item = i8>) {
        let start = self.weights.len();
        self.weights.resize(start + self.lanes, [0; LANES]);
        let places = self.weights[start..].as_flattened_mut();
        for (place, weight) in places.iter_mut().zip(row) {
            *place = weight;
        }
        let speaks_for_none = places[..self.intents].iter().all(|weight| *weight <= 0);
        self.foreign
            .push(self.intents < self.columns && speaks_for_none);
    }

    /// All rows, without what fills them up.
    pub(super) fn rows(&self) -> impl Iterator<Item = &[i8]> {
        let lanes = self.weights.chunks_exact(self.lanes);
        lanes.map(|row| &row.as_flattened()[..self.columns])
    }

    fn row(&self, row: u32) -> &[[i8; LANES]] {
        let start = row as usize * self.lanes;
        &self.weights[start..start + self.lanes]
    }
}

impl Input {
    fn count(&mut self, is_word: bool, group: Group, is_unseen: bool) {
        let (all, unseen) = match group {
            Group::Words if is_word => (&mut self.words, &mut self.unseen_words),
            Group::Words => return,
            Group::Chars => (&mut self.chars, &mut self.unseen_chars),
        };
        *all += 1;
        *unseen += u32::from(is_unseen);
    }
}

/// Adds the rows of one group, each once, with the square root of how often it
/// occurs, so that a repeated n-gram counts for more, but not in proportion.
///
/// The `count` n-grams of the group would together have length 1; those that
/// have no row are missing from it, so that the scores of a message that is
/// mostly new stay near the biases, which speak against every intent.
pub(super) fn weigh(rows: &mut [u32], count: usize, values: &mut Vec<(u32, f32)>) {
    rows.sort_unstable();
    // The sum of the squares of the square roots.
    let factor = 1.0 / (count as f32).sqrt();
    for run in rows.chunk_by(|a, b| a == b) {
        values.push((run[0], (run.len() as f32).sqrt() * factor));
    }
}

/// A little less than the largest sum, to leave room for rounding.
const MAX_SUM: f32 = 2.0e9;

/// The n-grams that have weights, by their hashes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Vocabulary {
    /// Sorted; the position of a hash is its row.
    hashes: Vec<u64>,
    /// Rows by the upper bits of their hashes, each in the first free place
    /// from there on; `NONE` where there is none. Half of it stays empty.
    table: Vec<u32>,
    shift: u32,
}

impl Vocabulary {
    const NONE: u32 = u32::MAX;

    /// Of hashes in ascending order without repetitions, of which there are
    /// fewer than 2^31.
    pub(super) fn new(hashes: Vec<u64>) -> Self {
        let size = (hashes.len() * 2).next_power_of_two().max(2);
        let shift = 64 - size.trailing_zeros();
        let mut table = vec![Self::NONE; size];
        for (row, hash) in hashes.iter().enumerate() {
            let mut at = (hash >> shift) as usize;
            while table[at] != Self::NONE {
                at = (at + 1) % size;
            }
            table[at] = row as u32;
        }
        Self {
            hashes,
            table,
            shift,
        }
    }

    pub(super) fn row(&self, hash: u64) -> Option<u32> {
        let mut at = (hash >> self.shift) as usize;
        loop {
            let row = self.table[at];
            if row == Self::NONE {
                return None;
            }
            if self.hashes[row as usize] == hash {
                return Some(row);
            }
            at = (at + 1) % self.table.len();
        }
    }

    pub(super) fn len(&self) -> usize {
        self.hashes.len()
    }

    pub(super) fn hashes(&self) -> &[u64] {
        &self.hashes
    }
}

/// Weights as bytes: each row has its own scale, so that its largest weight
/// is ±127. Takes one array of weights a column,
/// of which the first `intents` are of intents.
pub(super) fn quantise(columns: &[Vec<f32>], intents: usize, rows: usize) -> (Vec<f32>, Weights) {
    let mut scales = Vec::with_capacity(rows);
    let mut weights = Weights::new(columns.len(), intents);
    for row in 0..rows {
        let most = columns.iter().map(|w| w[row].abs()).fold(0.0, f32::max);
        let scale = if most > 0.0 { most / 127.0 } else { 1.0 };
        scales.push(scale);
        weights.push(columns.iter().map(|w| rounded(w[row] / scale)));
    }
    (scales, weights)
}

/// The nearest whole number, which a byte can hold. The standard library's
/// `round` is a call on processors that have no instruction for it.
fn rounded(x: f32) -> i8 {
    (x + if x < 0.0 { -0.5 } else { 0.5 }) as i8
}

/// The columns of the best and the second best score among those that `may`
/// be; of equal ones the first.
pub(super) fn top_two(
    scores: &[f32],
    may: impl Fn(usize) -> bool,
) -> Option<(usize, Option<usize>)> {
    let (mut best, mut second): (Option<usize>, Option<usize>) = (None, None);
    let beats = |score: f32, other: Option<usize>| other.is_none_or(|i| score > scores[i]);
    for (i, score) in scores.iter().copied().enumerate() {
        if !beats(score, second) || !may(i) {
            continue;
        }
        if beats(score, best) {
            (best, second) = (Some(i), best);
        } else {
            second = Some(i);
        }
    }
    Some((best?, second))
}

/// Names in the order of the columns, with the column of each.
pub(super) fn columns_of<'a>(
    names: impl Iterator<Item = &'a str>,
) -> (Vec<String>, BTreeMap<&'a str, usize>) {
    let mut columns: BTreeMap<&str, usize> = names.map(|name| (name, 0)).collect();
    for (i, column) in columns.values_mut().enumerate() {
        *column = i;
    }
    let names = columns.keys().map(|name| (*name).to_owned()).collect();
    (names, columns)
}
